import type { GateProbe, MeasureRequest } from '@breakwater/application';
import { bodyMatches } from '@breakwater/domain';
import type { HttpSpec, Measurement, StatusRange } from '@breakwater/domain';
import { MAX_BYTES } from '../bounded-request.ts';
import type { MeasuredCluster } from '../clusters-in-time.ts';
import { connectionTo, measureClusters, troubleOf } from '../clusters-in-time.ts';
import type { GateTools } from '../gate-tools.ts';
import { authorise } from '../secret-store.ts';
import type { TemplateValues } from '../template.ts';
import { asUrlComponent, fillTemplate, isPerCluster, templateValues } from '../template.ts';

interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly body: string;
  readonly took: number;
}

/** `silent` is a failure of what is asked; `unasked` says nothing about it. */
type Attempt =
  Answer | { readonly kind: 'silent'; readonly what: string } | { readonly kind: 'unasked'; readonly why: Measurement };

type Ask = () => Promise<Attempt>;

export class HttpProbe implements GateProbe {
  readonly kind = 'http';
  readonly #tools: GateTools;

  constructor(tools: GateTools) {
    this.#tools = tools;
  }

  measure(request: MeasureRequest): Promise<Measurement> {
    const spec = request.gate.spec as unknown as HttpSpec;
    const { url, service } = spec;
    if (service !== undefined) {
      return measureClusters(request, (cluster) =>
        tryOften(spec, () => askService(spec, service, cluster, request), `service ${service.name}`, request.signal),
      );
    }
    const address = url ?? '';
    const askOne = (values: TemplateValues): Promise<Measurement> => this.#askUrl(spec, address, values, request);
    return isPerCluster(address)
      ? measureClusters(request, (cluster) => askOne(templateValues(request, cluster)))
      : askOne(templateValues(request, null));
  }

  async #askUrl(
    spec: HttpSpec,
    address: string,
    values: TemplateValues,
    { signal }: MeasureRequest,
  ): Promise<Measurement> {
    const url = URL.parse(fillTemplate(address, values, asUrlComponent));
    if (url === null) return error('the address is not one after its templates were filled in');
    const refusal = this.#tools.http.refusal(url);
    if (refusal !== null) return error(refusal);
    const authorisation = await authorise(this.#tools.secrets, spec.auth, url);
    if ('refusal' in authorisation) return error(authorisation.refusal);
    const ask: Ask = async () => {
      const { method, timeout } = spec;
      const reply = await this.#tools.http.send({ url, method, headers: authorisation.headers, timeout, signal });
      if (reply.ok) return { kind: 'answer', ...reply };
      return reply.refused || signal.aborted
        ? { kind: 'unasked', why: error(reply.reason) }
        : { kind: 'silent', what: reply.reason };
    };
    return tryOften(spec, ask, `${url.host}${url.pathname}`, signal);
  }
}

const askService = async (
  spec: HttpSpec,
  service: NonNullable<HttpSpec['service']>,
  cluster: MeasuredCluster,
  request: MeasureRequest,
): Promise<Attempt> => {
  const connected = await connectionTo(request, cluster.name);
  if ('trouble' in connected) return { kind: 'unasked', why: connected.trouble };
  const outcome = await connected.connection.serviceGet({
    namespace: service.namespace ?? request.rollout.namespace,
    service: service.name,
    port: service.port,
    scheme: service.scheme,
    path: fillTemplate(service.path, templateValues(request, cluster), asUrlComponent),
    timeout: spec.timeout,
    maxBytes: MAX_BYTES,
    signal: request.signal,
  });
  if (outcome.kind === 'Answered') return { ...outcome, kind: 'answer' };
  return outcome.kind === 'Silent'
    ? { kind: 'silent', what: outcome.message }
    : { kind: 'unasked', why: troubleOf(outcome) };
};

/** Ends early once the rest cannot change the verdict. */
const tryOften = async (spec: HttpSpec, ask: Ask, what: string, signal: AbortSignal): Promise<Measurement> => {
  const { count, maxFailures } = spec.attempts;
  const wrong: string[] = [];
  let slowest = 0;
  let status = 0;
  for (let made = 1; made <= count; made += 1) {
    if (signal.aborted) return error(`${what}: the measurement was cut off`);
    const attempt = await ask();
    if (attempt.kind === 'unasked') return attempt.why;
    const judged = attempt.kind === 'silent' ? { fault: attempt.what } : judgeAnswer(spec, attempt);
    if ('problem' in judged) return error(`${what}: ${judged.problem}`);
    if (judged.fault !== null) wrong.push(judged.fault);
    if (attempt.kind === 'answer') {
      slowest = Math.max(slowest, attempt.took);
      status = attempt.status;
    }
    if (wrong.length > maxFailures) {
      const tries = count === 1 ? '' : `${wrong.length} of ${made} attempts failed, the last: `;
      return { verdict: 'Failure', evidence: `${what}: ${tries}${wrong.at(-1) ?? ''}` };
    }
  }
  const forgiven = wrong.length === 0 ? '' : `, ${wrong.length} of ${count} attempts failed (${wrong.at(-1) ?? ''})`;
  return { verdict: 'Success', evidence: `${what}: ${status} in ${Math.ceil(slowest)} ms${forgiven}` };
};

type Judged = { readonly fault: string | null } | { readonly problem: string };

const judgeAnswer = (spec: HttpSpec, answer: Answer): Judged => {
  if (!spec.expectStatus.some(({ from, to }) => answer.status >= from && answer.status <= to)) {
    return { fault: `answered ${answer.status}, not ${spec.expectStatus.map(rangeText).join(' or ')}` };
  }
  if (spec.maxLatency !== undefined && answer.took > spec.maxLatency) {
    return { fault: `took ${Math.ceil(answer.took)} ms, more than ${spec.maxLatency} ms` };
  }
  if (spec.bodyMatches === undefined) return { fault: null };
  const found = bodyMatches(answer.body, spec.bodyMatches);
  if (!found.ok) return { problem: `bodyMatches cannot be tried: ${found.problem}` };
  return { fault: found.matches ? null : `its body of ${answer.body.length} characters does not match` };
};

const rangeText = ({ from, to }: StatusRange): string => (from === to ? String(from) : `${from}-${to}`);

const error = (evidence: string): Measurement => ({ verdict: 'Error', evidence });
