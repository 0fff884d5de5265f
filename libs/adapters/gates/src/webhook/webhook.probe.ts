import { createHash } from 'node:crypto';
import type { GateProbe, MeasureRequest } from '@breakwater/application';
import type { JsonObject, Measurement, WebhookSpec } from '@breakwater/domain';
import { WEBHOOK_VERDICTS, webhookMeasurement } from '@breakwater/domain';
import type { BoundedReply } from '../bounded-request.ts';
import type { GateTools } from '../gate-tools.ts';
import { isMapping, parseJson, printable } from '../prometheus/prometheus-api.ts';
import { isLoopback } from '../secret-store.ts';
import { asUrlComponent, fillTemplate, templateValues } from '../template.ts';
import { checkAnswer, signRequest } from './signature.ts';

const MAX_ANSWER = 64 * 1024;
const WORDS = 'pass, fail, inconclusive, wait or later';
/** A call may get lost: whoever wants to call back is still asked this often; in ms. */
const REMINDER = 60_000;

/** One question is asked again under the same token until it is answered: whoever answers can tell that it is the same. */
interface Question {
  readonly run: number;
  readonly token: string;
}

export class WebhookProbe implements GateProbe {
  readonly kind = 'webhook';
  readonly #tools: GateTools;

  constructor(tools: GateTools) {
    this.#tools = tools;
  }

  async measure(request: MeasureRequest): Promise<Measurement> {
    const spec = request.gate.spec as unknown as WebhookSpec;
    const question = questionOf(request);
    const asked = { run: question.run, token: question.token };
    const error = (evidence: string): Measurement => ({ verdict: 'Error', evidence, memo: asked });
    const url = URL.parse(fillTemplate(spec.url, templateValues(request, null), asUrlComponent));
    if (url === null) return error('the address is not one after its templates were filled in');
    const refusal = this.#tools.http.refusal(url);
    if (refusal !== null) return error(refusal);
    if (url.protocol !== 'https:' && !isLoopback(url)) return error(`${url.host} is asked over https only`);
    const key = await this.#tools.secrets.token(spec.secret).catch(() => null);
    if (key === null) {
      return error(`secret ${spec.secret} is missing or unreadable: put ${spec.secret}.token into the gates' secrets`);
    }
    const body = JSON.stringify(bodyOf(request, spec, question));
    const reply = await this.#tools.http.send({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signRequest(key, request.now, body) },
      body,
      timeout: spec.timeout,
      maxBytes: MAX_ANSWER,
      signal: request.signal,
    });
    if (!reply.ok) return error(reply.reason);
    if (reply.status !== 200) return error(`${url.host} answered ${reply.status}`);
    const signature = checkAnswer(key, request.now, question.token, reply.headers, reply.body);
    if (signature === 'none' ? !spec.unsignedAnswers : signature !== 'valid') {
      return error(`${url.host}: ${UNTRUSTED[signature]}, its answer does not count`);
    }
    if (request.callback === null && isLater(reply)) {
      return error(`${url.host} wants to call back, and nobody can reach this Breakwater: set BREAKWATER_PUBLIC_URL`);
    }
    return judge(reply, spec, question) ?? error(`${url.host} answered something else than ${WORDS}`);
  }
}

const UNTRUSTED = {
  none: 'the answer carries no signature',
  wrong: 'the signature of the answer is wrong',
  stale: 'the signature of the answer is older than five minutes',
  valid: '',
} as const;

const questionOf = (request: MeasureRequest): Question => {
  const { memo, rollout, gate, wave, clusters, startedAt } = request;
  const given: JsonObject =
    typeof memo === 'object' && memo !== null && !Array.isArray(memo) ? (memo as JsonObject) : {};
  const run = typeof given['run'] === 'number' ? given['run'] : 0;
  if (typeof given['token'] === 'string') return { run, token: given['token'] };
  const [first] = clusters;
  const about = [
    rollout.id,
    gate.name,
    gate.phase,
    wave,
    gate.phase === 'during' ? (first?.name ?? '') : '',
    startedAt,
    run,
  ];
  return { run, token: createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 32) };
};

const bodyOf = (request: MeasureRequest, spec: WebhookSpec, { token }: Question): JsonObject => ({
  token,
  rollout: request.rollout.id,
  application: request.rollout.application,
  fleet: request.rollout.fleet,
  revision: request.rollout.revision.commit,
  wave: request.wave,
  gate: request.gate.name,
  phase: request.gate.phase,
  clusters: request.clusters.map(({ name }) => name),
  ...(request.callback === null ? {} : { callback: { ...request.callback } }),
  data: (spec.data ?? {}) as JsonObject,
});

const isLater = (reply: Answer): boolean => {
  const answer = parseJson(reply.body);
  return isMapping(answer) && answer['verdict'] === 'later';
};

type Answer = Extract<BoundedReply, { readonly ok: true }>;

const judge = (reply: Answer, spec: WebhookSpec, asked: Question): Measurement | null => {
  const answer = parseJson(reply.body);
  if (!isMapping(answer)) return null;
  const { verdict } = answer;
  const said = typeof answer['message'] === 'string' ? printable(answer['message']) : '';
  const conclusive = WEBHOOK_VERDICTS.find((known) => known === verdict);
  if (conclusive !== undefined) return webhookMeasurement(conclusive, said, asked.run, 'asked');
  if (verdict !== 'wait' && verdict !== 'later') return null;
  return {
    verdict: 'Pending',
    evidence: said === '' ? `the answer is ${verdict}` : `the answer is ${verdict}: ${said}`,
    memo: { ...asked },
    retryAfter: verdict === 'wait' ? spec.askAgain : Math.max(spec.askAgain, REMINDER),
  };
};
