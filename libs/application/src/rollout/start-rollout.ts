import {
  type Instant,
  NO_COUNTS,
  type Pause,
  recount,
  type Rollout,
  type RolloutId,
  type Target,
} from '@breakwater/domain';
import { randomUUID } from 'node:crypto';
import { EMERGENCY, type RecordPort, type RecordTransaction } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import { type Actor, type StartRolloutInput, UseCaseError } from '../use-cases.ts';
import { collide, type Collision } from './collision.ts';
import { leaveOutQuarantined } from './quarantine.ts';
import { newRollout, type PreparedPlan, preparePlan } from './plan-rollout.ts';
import { askedBefore, claimKey } from './repeated-request.ts';
import { rolloutKey, type Wakes } from './wake-keys.ts';

export const emergencyPause = (now: Instant): Pause => ({
  mode: 'freeze',
  by: 'breakwater',
  reason: 'emergency stop',
  since: now,
  emergency: true,
});

export interface StartRolloutParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
}

/** Of starts of one application at once: each of these means that another one got through. */
const MOST_ATTEMPTS = 20;

/** One transaction makes the rollout and all of its targets, or nothing. */
export const startRollout = async (
  parts: StartRolloutParts,
  input: StartRolloutInput,
  actor: Actor,
): Promise<Started> => {
  const { record } = parts;
  // Before anything is planned: the answer to a repeated request does not change with what has become of Git since.
  const before = await askedBefore(record, input, actor);
  if (before !== null) return { rollout: await started(record, before), fresh: false };
  const emergency = await record.access.setting(EMERGENCY);
  const prepared = await preparePlan(record, input);
  const wakes: Wakes = new Set();
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const made = await record.transaction((tx) => {
      wakes.clear();
      return makeRollout(tx, prepared, input, actor, emergency, wakes);
    });
    if (made === 'overtaken') continue;
    await parts.wakeUps.wakeAll([...wakes]);
    return { rollout: await started(record, made.id), fresh: made.fresh };
  }
  throw new UseCaseError(
    'Conflict',
    'RolloutInProgress',
    `other rollouts of ${prepared.application} are started all the time`,
  );
};

interface Started {
  readonly rollout: Rollout;
  readonly fresh: boolean;
}

const started = async (record: RecordPort, id: RolloutId): Promise<Rollout> => {
  const rollout = await record.rollouts.get(id);
  if (rollout === null) throw new UseCaseError('NotFound', 'RolloutNotFound', `there is no rollout ${id}`);
  return rollout;
};

/** `overtaken`: another rollout of the application began in between, and its row has to be held as well. Nothing was done then. */
const makeRollout = async (
  tx: RecordTransaction,
  prepared: PreparedPlan,
  input: StartRolloutInput,
  actor: Actor,
  emergency: unknown,
  wakes: Wakes,
): Promise<{ readonly id: RolloutId; readonly fresh: boolean } | 'overtaken'> => {
  // Rows of older rollouts first, then the application: the order in which every transaction takes them.
  const older: Rollout[] = [];
  for (const { id } of await tx.unfinishedRollouts(prepared.application)) {
    const locked = await tx.lockRollout(id);
    if (locked !== null) older.push(locked);
  }
  await tx.lockApplication(prepared.application);
  const held = new Set(older.map(({ id }) => id));
  if ((await tx.unfinishedRollouts(prepared.application)).some(({ id }) => !held.has(id))) return 'overtaken';
  const id = randomUUID() as RolloutId;
  const repeated = await claimKey(tx, input, actor, id);
  if (repeated !== null) return { id: repeated, fresh: false };
  refuseUnfit(prepared, input);
  const now = await tx.now();
  const collision = await collide(tx, prepared, input, older, id, now, wakes);
  const sequence = await tx.nextSequence(prepared.application);
  const birth = {
    id,
    sequence,
    actor: actor.name,
    reason: input.reason ?? '',
    now,
    queued: collision.kind === 'queue',
  };
  const inherited = await inherit(tx, newRollout(prepared, birth), 'touched' in collision ? collision.touched : []);
  const born = leaveOutQuarantined(inherited, await tx.quarantines(), now);
  const rollout = settleBirth(born.rollout, collision, emergency, now);
  await tx.insertRollout(rollout, rollout.finishedAt === null ? now : null);
  await tx.insertTargets(born.targets);
  if (collision.kind === 'free') await tx.acquireLocks(prepared.application, id);
  await tx.audit({
    type: 'rollout.created',
    actor: actor.name,
    reason: birth.reason,
    message: `rollout of ${prepared.application} at ${prepared.release.commit.slice(0, 12)} to ${born.targets.length} clusters`,
    rollout: id,
    application: prepared.application,
    data: { commit: prepared.release.commit, digest: prepared.release.digest, state: rollout.state },
  });
  wakes.add(rolloutKey(id));
  return { id, fresh: true };
};

const refuseUnfit = ({ release }: PreparedPlan, input: StartRolloutInput): void => {
  if (release.state === 'Invalid') {
    throw new UseCaseError('Invalid', 'RevisionInvalid', `the revision has errors: ${release.reason}`, {
      errors: release.errors,
    });
  }
  if (release.state === 'Bad' && input.allowBad !== true) {
    throw new UseCaseError(
      'Conflict',
      'ReleaseBad',
      `the release was rolled back before (${release.reason}); --allow-bad starts it all the same`,
    );
  }
};

interface Born {
  readonly rollout: Rollout;
  readonly targets: readonly Target[];
}

/**
 * What a superseded rollout has touched is its successor's to take back, also where the successor fails before it gets there: such a
 * target is touched from its birth on, and its last known good is the one from before both.
 */
const inherit = async (tx: RecordTransaction, born: Born, touched: readonly string[]): Promise<Born> => {
  if (touched.length === 0) return born;
  const inherited = new Set(touched);
  const targets: Target[] = [];
  for (const target of born.targets) {
    targets.push(
      inherited.has(target.cluster)
        ? { ...target, touched: true, previous: await tx.lastGood(born.rollout.application, target.cluster) }
        : target,
    );
  }
  const waves = born.rollout.waves.map((wave) => ({
    ...wave,
    counts: targets
      .filter((target) => target.wave === wave.index)
      .reduce((counts, target) => recount(counts, null, target, born.rollout.round), NO_COUNTS),
  }));
  return { rollout: { ...born.rollout, waves }, targets };
};

/** A rollout that may not even begin is recorded all the same; during an emergency stop everything new is frozen. */
const settleBirth = (rollout: Rollout, collision: Collision, emergency: unknown, now: Instant): Rollout => {
  if (collision.kind === 'rejected') {
    const message = `rollout ${collision.by} of ${rollout.application} was under way`;
    return { ...rollout, state: 'Rejected', reason: 'RolloutInProgress', message, finishedAt: now };
  }
  if (emergency == null) return rollout;
  return { ...rollout, paused: emergencyPause(now) };
};
