import type { GateProbe, MeasureRequest } from '@breakwater/application';
import { compileOnce, METRIC_VARIABLES } from '@breakwater/domain';
import type { Measurement, PrometheusSpec } from '@breakwater/domain';
import { measureEach } from '../each-cluster.ts';
import type { GateTools } from '../gate-tools.ts';
import type { TemplateValues } from '../template.ts';
import { asPromqlString, asUrlComponent, fillTemplate, isPerCluster } from '../template.ts';
import type { Series } from './prometheus-api.ts';
import { askPrometheus, errorOf, MAX_SERIES, printable } from './prometheus-api.ts';

const NAMED = 3;
/** `result` as a name of its own, not `results` and not a field. */
const USES_RESULT = /(?<![\w.])result(?!\w)/;

export class PrometheusProbe implements GateProbe {
  readonly kind = 'prometheus';
  readonly #tools: GateTools;

  constructor(tools: GateTools) {
    this.#tools = tools;
  }

  measure(request: MeasureRequest): Promise<Measurement> {
    const spec = request.gate.spec as unknown as PrometheusSpec;
    return measureEach(request, isPerCluster(spec.address, spec.query), (values) => this.#ask(spec, values, request));
  }

  async #ask(spec: PrometheusSpec, values: TemplateValues, { signal }: MeasureRequest): Promise<Measurement> {
    const answer = await askPrometheus(
      this.#tools,
      { ...spec, address: fillTemplate(spec.address, values, asUrlComponent), maxSeries: MAX_SERIES, signal },
      'query',
      { query: fillTemplate(spec.query, values, asPromqlString) },
    );
    return 'error' in answer ? errorOf(answer.error) : judgeSeries(spec, answer.series);
  }
}

type Holds = boolean | { readonly problem: string };

/**
 * As in Argo Rollouts' analyses: what meets `failure` is a failure, and without one what does not meet `success`. What meets neither of two
 * conditions is inconclusive, and so is what is no number.
 */
export const judgeSeries = (
  spec: Pick<PrometheusSpec, 'success' | 'failure'>,
  series: readonly Series[],
): Measurement => {
  const results = series.map(({ labels, points }) => ({ labels, value: points.at(-1)?.[1] ?? NaN }));
  if (results.length === 0) return { verdict: 'Inconclusive', evidence: 'no data: the query gives no series' };
  const shown = describeResults(results);
  const odd = results.filter(({ value }) => !Number.isFinite(value));
  if (odd.length > 0) return { verdict: 'Inconclusive', evidence: `no number: ${describeResults(odd)}` };
  const failure = spec.failure === undefined ? null : holds(spec.failure, results);
  const success = spec.success === undefined ? null : holds(spec.success, results);
  for (const outcome of [failure, success]) {
    if (typeof outcome === 'object' && outcome !== null) {
      return { verdict: 'Inconclusive', evidence: `${outcome.problem}; ${shown}` };
    }
  }
  if (failure === true)
    return { verdict: 'Failure', evidence: `${shown}: meets failure ${printable(spec.failure ?? '')}` };
  if (success === true) return { verdict: 'Success', evidence: shown };
  if (success === null) return { verdict: 'Success', evidence: shown };
  if (failure === null) {
    return { verdict: 'Failure', evidence: `${shown}: does not meet success ${printable(spec.success ?? '')}` };
  }
  return { verdict: 'Inconclusive', evidence: `${shown}: meets neither success nor failure` };
};

interface Result {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const holds = (source: string, results: readonly Result[]): Holds => {
  const [only] = results;
  if (USES_RESULT.test(source) && results.length !== 1) {
    return { problem: `the query gives ${results.length} series, and result is that of exactly one: use results` };
  }
  const compiled = compileOnce(source, { variables: METRIC_VARIABLES, result: 'bool' });
  if (!compiled.ok) return { problem: compiled.error.message };
  const evaluated = compiled.expression.evaluate({ result: only?.value ?? 0, results });
  return evaluated.ok ? evaluated.value : { problem: `the condition has no answer: ${evaluated.error.message}` };
};

const figure = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value);

const describeResults = (results: readonly Result[]): string => {
  const one = ({ labels, value }: Result): string => {
    const named = Object.entries(labels).map(([name, text]) => `${name}=${text}`);
    return named.length === 0 ? figure(value) : `${figure(value)} (${printable(named.join(', '))})`;
  };
  const named = results.slice(0, NAMED).map(one).join(', ');
  return results.length > NAMED ? `${named} and ${results.length - NAMED} more series` : named;
};
