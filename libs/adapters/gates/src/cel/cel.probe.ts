import type { GateProbe, MeasureRequest, ReadOutcome } from '@breakwater/application';
import { celName, celVariables, compileOnce } from '@breakwater/domain';
import type { CelObject, CelSpec, KubeObject, Measurement } from '@breakwater/domain';
import type { MeasuredCluster } from '../clusters-in-time.ts';
import { connectionTo, measureClusters, troubleOf } from '../clusters-in-time.ts';
import { printable } from '../prometheus/prometheus-api.ts';
import type { TemplateValues } from '../template.ts';
import { asText, fillTemplate, templateValues } from '../template.ts';

const MAX_OBJECTS = 500;
/** Where a filled-in value would select something else than it says. */
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

export class CelProbe implements GateProbe {
  readonly kind = 'cel';

  measure(request: MeasureRequest): Promise<Measurement> {
    const spec = request.gate.spec as unknown as CelSpec;
    return measureClusters(request, (cluster) => measureOne(spec, cluster, request));
  }
}

const measureOne = async (spec: CelSpec, cluster: MeasuredCluster, request: MeasureRequest): Promise<Measurement> => {
  const connected = await connectionTo(request, cluster.name);
  if ('trouble' in connected) return connected.trouble;
  const values = templateValues(request, cluster);
  const bindings: Record<string, unknown> = {};
  for (const entry of spec.objects) {
    const labels = labelsOf(entry, values);
    if (labels === null) return error(`${describe(entry, values)}: a label is none after its templates were filled in`);
    const outcome = await connected.connection.readObjects({
      apiVersion: entry.apiVersion,
      kind: entry.kind,
      name: entry.name === undefined ? undefined : fillTemplate(entry.name, values, asText),
      namespace: entry.namespace === undefined ? values.namespace : fillTemplate(entry.namespace, values, asText),
      labels,
      limit: MAX_OBJECTS,
      signal: request.signal,
    });
    const bound = bindingOf(entry, values, outcome);
    if ('instead' in bound) return bound.instead;
    bindings[celName(entry)] = bound.value;
  }
  return judgeObjects(spec, bindings);
};

const labelsOf = (entry: CelObject, values: TemplateValues): Readonly<Record<string, string>> | null => {
  const labels = Object.entries(entry.labels ?? {}).map(
    ([label, value]) => [label, fillTemplate(value, values, asText)] as const,
  );
  return labels.every(([, value]) => LABEL_VALUE.test(value)) ? Object.fromEntries(labels) : null;
};

const bindingOf = (
  entry: CelObject,
  values: TemplateValues,
  outcome: ReadOutcome,
): { readonly value: unknown } | { readonly instead: Measurement } => {
  if (outcome.kind !== 'Read') return { instead: troubleOf(outcome) };
  if (!outcome.complete) {
    return { instead: error(`${describe(entry, values)}: more than ${MAX_OBJECTS} of them, select fewer by labels`) };
  }
  const objects = outcome.objects.map(withoutManagers);
  if (entry.name === undefined) return { value: objects };
  const [object] = objects;
  return object === undefined && !entry.optional
    ? { instead: { verdict: 'Inconclusive', evidence: `${describe(entry, values)} is not there` } }
    : { value: object ?? null };
};

const describe = (entry: CelObject, values: TemplateValues): string =>
  entry.name === undefined ? entry.kind : `${entry.kind} ${fillTemplate(entry.name, values, asText)}`;

/** The longest part of many objects, and no condition's business. */
const withoutManagers = (object: KubeObject): KubeObject => {
  const { managedFields: _managers, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** As with metrics: `failure` first; what meets neither of two conditions is inconclusive, and so is what has no answer yet. */
const judgeObjects = (spec: CelSpec, bindings: Readonly<Record<string, unknown>>): Measurement => {
  const variables = celVariables(spec.objects);
  const holds = (source: string): boolean | { readonly problem: string } => {
    const compiled = compileOnce(source, { variables, result: 'bool' });
    if (!compiled.ok) return { problem: compiled.error.message };
    const evaluated = compiled.expression.evaluate(bindings);
    return evaluated.ok
      ? evaluated.value
      : { problem: `${printable(source)} has no answer: ${evaluated.error.message}` };
  };
  const failure = spec.failure === undefined ? null : holds(spec.failure);
  if (failure === true) return { verdict: 'Failure', evidence: `meets failure ${printable(spec.failure ?? '')}` };
  const success = spec.success === undefined ? null : holds(spec.success);
  for (const outcome of [failure, success]) {
    if (typeof outcome === 'object' && outcome !== null) return { verdict: 'Inconclusive', evidence: outcome.problem };
  }
  if (success === true) return { verdict: 'Success', evidence: `meets success ${printable(spec.success ?? '')}` };
  if (success === null)
    return { verdict: 'Success', evidence: `does not meet failure ${printable(spec.failure ?? '')}` };
  return failure === null
    ? { verdict: 'Failure', evidence: `does not meet success ${printable(spec.success ?? '')}` }
    : { verdict: 'Inconclusive', evidence: 'meets neither success nor failure' };
};

const error = (evidence: string): Measurement => ({ verdict: 'Error', evidence });
