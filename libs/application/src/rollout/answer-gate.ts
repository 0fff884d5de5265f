import type { GateAnswer, GateQuestion, Rollout } from '@breakwater/domain';
import { answerQuestion, gateMeasured } from '@breakwater/domain';
import type { AuditEvent, RecordTransaction } from '../ports/record.port.ts';
import { UseCaseError } from '../use-cases.ts';
import type { CommandParts } from './command-rollout.ts';
import { moveTarget } from './move-target.ts';
import { drive } from './rollout-engine.ts';
import type { Wakes } from './wake-keys.ts';

export interface GateAnswersParts extends CommandParts {
  /** Milliseconds of any origin. */
  readonly monotonic: () => number;
}

export interface AnsweredGate {
  /** False: it had this answer already. */
  readonly fresh: boolean;
  readonly rollout: string;
  readonly application: string;
  readonly wave: string;
  readonly cluster: string | null;
  readonly gate: string;
}

/** Answers of servers that a gate has asked, and that call back. Whoever asks has seen that the token is ours. */
export interface GateAnswers {
  /**
   * As if the gate's probe had been told. The first answer counts; the same once more changes nothing. Null: the question has expired.
   * Throws {@link UseCaseError} `GateAnsweredOtherwise`, `GateNotAsking` and `RolloutNotFound`.
   */
  answer(question: GateQuestion, answer: GateAnswer): Promise<AnsweredGate | null>;
  /** For the audit trail, which strangers cannot fill: one event a minute, with the number of those in between. */
  refused(why: string, from: string, question: GateQuestion | null): Promise<void>;
}

/** Who has answered, in the audit trail. */
const ACTOR = 'gate-callback';
/** Whose idempotency keys they are; no token can be called so. */
const KEEPER = 'gate answers';
const REFUSALS_EVERY = 60_000;

export const createGateAnswers = (parts: GateAnswersParts): GateAnswers => {
  let lastRefusal: number | null = null;
  let untold = 0;
  return {
    answer: (question, answer) => answerGate(parts, question, answer),
    refused: async (why, from, question) => {
      const now = parts.monotonic();
      if (lastRefusal !== null && now - lastRefusal < REFUSALS_EVERY) {
        untold += 1;
        return;
      }
      const more = untold === 0 ? '' : `, and ${untold} more since the last one that was told of`;
      lastRefusal = now;
      untold = 0;
      await parts.record.audit.append([
        {
          type: 'gate.answer-refused',
          actor: ACTOR,
          reason: 'Refused',
          message: `an answer to a gate was refused: ${why}${more}`,
          ...(question === null ? {} : { rollout: question.rollout }),
          data: { from, ...(question === null ? {} : { gate: question.gate }) },
        },
      ]);
    },
  };
};

const answerGate = async (
  { record, wakeUps }: CommandParts,
  question: GateQuestion,
  answer: GateAnswer,
): Promise<AnsweredGate | null> => {
  const wakes: Wakes = new Set();
  const answered = await record
    .transaction((tx) => {
      wakes.clear();
      return answerIn(tx, question, answer, wakes);
    })
    .catch((error: unknown) => {
      if (error instanceof QuestionExpired) return null;
      throw error;
    });
  await wakeUps.wakeAll([...wakes]);
  return answered;
};

/** Undoes the transaction, in which the answer was kept as the first one. */
class QuestionExpired extends Error {
  override readonly name = 'QuestionExpired';
}

const answerIn = async (
  tx: RecordTransaction,
  question: GateQuestion,
  answer: GateAnswer,
  wakes: Wakes,
): Promise<AnsweredGate> => {
  const rollout = await tx.lockRollout(question.rollout);
  if (rollout === null)
    throw new UseCaseError('NotFound', 'RolloutNotFound', `there is no rollout ${question.rollout} any more`);
  const key = JSON.stringify([question.rollout, question.wave, question.cluster, question.gate, question.since]);
  const said = await tx.idempotent(`${key}/${question.answered}`, KEEPER, answer.verdict, rollout.id);
  if (said === 'reused')
    throw new UseCaseError(
      'Conflict',
      'GateAnsweredOtherwise',
      `gate ${question.gate} has had another answer to this question, and the first one counts`,
      stateOf(rollout, question),
    );
  if (!said.fresh) return summary(rollout, question, false);
  await take(tx, rollout, question, answer, wakes);
  return summary(rollout, question, true);
};

const take = async (
  tx: RecordTransaction,
  rollout: Rollout,
  question: GateQuestion,
  answer: GateAnswer,
  wakes: Wakes,
): Promise<void> => {
  const now = await tx.now();
  const target = question.cluster === null ? null : await tx.target(rollout.id, question.cluster);
  const answered = answerQuestion(rollout, target, question, answer, now);
  if (answered.kind === 'Expired') throw new QuestionExpired();
  if (answered.kind === 'Closed')
    throw new UseCaseError('Conflict', 'GateNotAsking', answered.why, stateOf(rollout, question));
  await tx.audit(auditOf(rollout, question, answer, answered.measurement.evidence));
  const { measurement, asked } = answered;
  const after =
    target === null
      ? gateMeasured(rollout, question.wave, question.gate, asked, measurement, now)
      : (
          await moveTarget(
            tx,
            rollout,
            target,
            { type: 'GateMeasured', gate: question.gate, measurement, asked },
            now,
            wakes,
          )
        ).rollout;
  // The worker that has this target may be any: those that watch are told through the record, as they are of a freeze.
  if (target !== null) await tx.notify('gate', rollout.id);
  if (after !== null && after !== rollout) await drive(tx, rollout, after, now, wakes);
};

const waveName = (rollout: Rollout, { wave }: GateQuestion): string => rollout.waves[wave]?.name ?? String(wave);

const summary = (rollout: Rollout, question: GateQuestion, fresh: boolean): AnsweredGate => ({
  fresh,
  rollout: rollout.id,
  application: rollout.application,
  wave: waveName(rollout, question),
  cluster: question.cluster,
  gate: question.gate,
});

const stateOf = (rollout: Rollout, question: GateQuestion): Readonly<Record<string, unknown>> => ({
  state: rollout.state,
  wave: rollout.waves[question.wave]?.state ?? null,
});

const auditOf = (rollout: Rollout, question: GateQuestion, answer: GateAnswer, evidence: string): AuditEvent => {
  const { gate, cluster } = question;
  const wave = waveName(rollout, question);
  return {
    type: 'gate.answered',
    actor: ACTOR,
    reason: answer.verdict,
    message: `gate ${gate} of wave ${wave}${cluster === null ? '' : ` on ${cluster}`}: ${evidence}`,
    rollout: rollout.id,
    application: rollout.application,
    ...(cluster === null ? {} : { cluster }),
    data: { wave, gate, verdict: answer.verdict },
  };
};
