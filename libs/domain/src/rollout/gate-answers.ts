import type { GateRun, Measurement, PlannedGate } from '../gates/gate.ts';
import type { WebhookVerdict } from '../gates/kinds/webhook.ts';
import { webhookGate, webhookMeasurement } from '../gates/kinds/webhook.ts';
import { rolloutTime } from './rollout-clock.ts';
import { settlesDebt } from './rollout-machine.ts';
import type { Instant, Rollout, RolloutId, RolloutTime, Target, Wave } from './rollout.ts';
import { gatesOfTarget } from './target-gates.ts';

/** One question of one gate to a server that may answer later; what its token is bound to. Times are the rollout's. */
export interface GateQuestion {
  readonly rollout: RolloutId;
  /** Index of the wave. */
  readonly wave: number;
  /** Of a gate on each cluster; null: of a gate on the wave. */
  readonly cluster: string | null;
  readonly gate: string;
  /** When the gate began: one that is measured anew asks anew. */
  readonly since: RolloutTime;
  /** So many questions were answered before this one. */
  readonly answered: number;
  /** When the gate times out; null: it does not. */
  readonly until: RolloutTime | null;
}

const answeredBy = ({ tally }: GateRun): number => tally.successes + tally.failures + tally.inconclusive;

/** What a gate asks now; null: it is of a kind that nobody answers later, or is not asking. */
export const questionOf = (
  place: Pick<GateQuestion, 'rollout' | 'wave' | 'cluster'>,
  gate: PlannedGate,
  run: GateRun,
): GateQuestion | null => {
  if (gate.kind !== webhookGate.kind || run.state !== 'Running' || run.since === null) return null;
  const { timeout } = gate.policy;
  const until = timeout === null ? null : run.since + timeout;
  return { ...place, gate: gate.name, since: run.since, answered: answeredBy(run), until };
};

export interface GateAnswer {
  readonly verdict: WebhookVerdict;
  /** For people; may be empty. */
  readonly message: string;
}

export type GateAnswered =
  | { readonly kind: 'Taken'; readonly measurement: Measurement; readonly asked: GateRun }
  /** Its time, the gate's time-out, has passed. */
  | { readonly kind: 'Expired' }
  /** Nobody asks this any more, or not now; in words. */
  | { readonly kind: 'Closed'; readonly why: string };

const closed = (why: string): GateAnswered => ({ kind: 'Closed', why });

/**
 * Whether a question is still open, and what its answer then measures.
 *
 * @param target of a gate on each cluster; null: there is none of that name
 */
export const answerQuestion = (
  rollout: Rollout,
  target: Target | null,
  question: GateQuestion,
  answer: GateAnswer,
  now: Instant,
): GateAnswered => {
  if (question.until !== null && rolloutTime(rollout, now) >= question.until) return { kind: 'Expired' };
  const owed = target !== null && settlesDebt(rollout, target);
  if (rollout.state !== 'Progressing' && !owed) return closed(`the rollout is ${rollout.state}`);
  const wave = rollout.waves[question.wave];
  if (wave === undefined) return closed('the rollout has no such wave');
  const run = question.cluster === null ? runOfWave(wave, question) : runOfTarget(rollout, target, question);
  if (typeof run === 'string') return closed(run);
  if (run.state !== 'Running') return closed(`gate ${question.gate} of wave ${wave.name} is ${run.state}`);
  if (run.since !== question.since) return closed(`gate ${question.gate} of wave ${wave.name} asks anew since`);
  if (answeredBy(run) !== question.answered)
    return closed(`gate ${question.gate} of wave ${wave.name} has an answer to this question already`);
  const measurement = webhookMeasurement(answer.verdict, answer.message, question.answered, 'called back');
  return { kind: 'Taken', measurement, asked: run };
};

const runOfWave = (wave: Wave, { gate }: GateQuestion): GateRun | string =>
  wave.gates.find((run) => run.gate === gate) ?? `wave ${wave.name} is ${wave.state}, and asks nothing`;

const runOfTarget = (rollout: Rollout, target: Target | null, question: GateQuestion): GateRun | string => {
  if (target === null || target.wave !== question.wave) return 'the rollout has no such cluster in this wave';
  if (target.state !== 'Verifying') return `cluster ${target.cluster} is ${target.state}`;
  if (target.phase !== 'gates') return `cluster ${target.cluster} is not ready at the moment; it asks again when it is`;
  const at = gatesOfTarget(rollout, target).find(({ gate }) => gate.name === question.gate);
  return at?.run ?? `cluster ${target.cluster} has no such gate`;
};
