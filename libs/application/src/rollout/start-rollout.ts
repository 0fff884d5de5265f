import {
  type Instant,
  NO_COUNTS,
  type Pause,
  PREFLIGHT_FAILED,
  recount,
  type Rollout,
  type RolloutId,
  supersede,
  type Target,
} from '@breakwater/domain';
import { createHash, randomUUID } from 'node:crypto';
import { EMERGENCY, type RecordPort, type RecordTransaction } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import { type Actor, type StartRolloutInput, UseCaseError } from '../use-cases.ts';
import { leaveRollout } from './leave-rollout.ts';
import { leaveOutQuarantined } from './quarantine.ts';
import { newRollout, type PreparedPlan, preparePlan } from './plan-rollout.ts';
import { auditOfRollout } from './rollout-audit.ts';
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

/** One transaction makes the rollout and all of its targets, or nothing. */
export const startRollout = async (
  parts: StartRolloutParts,
  input: StartRolloutInput,
  actor: Actor,
): Promise<{ readonly rollout: Rollout; readonly fresh: boolean }> => {
  const { record } = parts;
  const emergency = await record.access.setting(EMERGENCY);
  const prepared = await preparePlan(record, input);
  const wakes: Wakes = new Set();
  const made = await record.transaction(async (tx) => {
    wakes.clear();
    // Rows of older rollouts first, then the application: the order in which every transaction takes them.
    const older: Rollout[] = [];
    for (const { id } of await tx.unfinishedRollouts(prepared.application)) {
      const locked = await tx.lockRollout(id);
      if (locked !== null) older.push(locked);
    }
    await tx.lockApplication(prepared.application);
    const id = randomUUID() as RolloutId;
    const repeated = await repeatedRequest(tx, input, actor, id);
    if (repeated !== null) return { id: repeated, fresh: false };
    // After the question whether it was asked before: the answer to a repeated request does not change with what became of the release.
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
  });
  await parts.wakeUps.wakeAll([...wakes]);
  const rollout = await record.rollouts.get(made.id as RolloutId);
  if (rollout === null) throw new UseCaseError('NotFound', 'RolloutNotFound', `there is no rollout ${made.id}`);
  return { rollout, fresh: made.fresh };
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

const repeatedRequest = async (
  tx: RecordTransaction,
  input: StartRolloutInput,
  actor: Actor,
  id: RolloutId,
): Promise<string | null> => {
  if (input.idempotencyKey === undefined) return null;
  const { idempotencyKey, ...body } = input;
  const digest = createHash('sha256')
    .update(JSON.stringify(Object.entries(body).sort()))
    .digest('hex');
  const stored = await tx.idempotent(idempotencyKey, actor.name, digest, id);
  if (stored === 'reused') {
    throw new UseCaseError('Invalid', 'IdempotencyKeyReused', 'this idempotency key was used for another request');
  }
  return stored.fresh ? null : stored.result;
};

/** `touched`: clusters on which a superseded rollout leaves something that was not taken back. */
type Collision =
  | { readonly kind: 'free' | 'queue'; readonly touched: readonly string[] }
  | { readonly kind: 'rejected'; readonly by: RolloutId };

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
      .reduce((counts, target) => recount(counts, null, target), NO_COUNTS),
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

/** What the strategy says when a rollout of the application is under way. */
const collide = async (
  tx: RecordTransaction,
  prepared: PreparedPlan,
  input: StartRolloutInput,
  older: readonly Rollout[],
  id: RolloutId,
  now: Instant,
  wakes: Wakes,
): Promise<Collision> => {
  const unfinished = older.filter((rollout) => rollout.finishedAt === null);
  const [first] = unfinished;
  if (first === undefined) return { kind: 'free', touched: [] };
  const answer = input.supersede === true ? 'supersede' : prepared.plan.policy.concurrentRollouts;
  if (answer === 'reject') {
    if (input.triggered === true) return { kind: 'rejected', by: first.id };
    const message = `rollout ${first.id} of ${prepared.application} is ${first.state}`;
    throw new UseCaseError('Conflict', 'RolloutInProgress', message, { rollout: first.id });
  }
  let waits = false;
  const touched: string[] = [];
  for (const rollout of unfinished) {
    // A rollback is never cut short by a newer release; of those that wait, or that clusters would refuse, only the newest stays.
    const untouched = rollout.state === 'Preflight' && rollout.reason === PREFLIGHT_FAILED;
    const replace =
      rollout.state === 'Queued' || untouched || (answer === 'supersede' && rollout.state !== 'RollingBack');
    if (replace) {
      touched.push(...(await touchedBy(tx, rollout.id)));
      await supersedeBy(tx, rollout, id, now, wakes);
    } else waits = true;
  }
  return { kind: waits ? 'queue' : 'free', touched };
};

const EVERY = 1_000_000;

const touchedBy = async (tx: RecordTransaction, rollout: RolloutId): Promise<readonly string[]> => {
  const left = await tx.targetsToReturn(rollout, { wave: null, only: 'all', clusters: null }, EVERY);
  const returning = await tx.targetsInState(rollout, ['RollingBack', 'RollbackFailed'], EVERY);
  return [...left, ...returning].map((target) => target.cluster);
};

const supersedeBy = async (
  tx: RecordTransaction,
  rollout: Rollout,
  by: RolloutId,
  now: Instant,
  wakes: Wakes,
): Promise<void> => {
  const decided = supersede(rollout, by, now);
  if ('forbidden' in decided) return;
  const left = await leaveRollout(tx, decided.rollout, now, wakes);
  for (const event of auditOfRollout(rollout, left)) await tx.audit(event);
  await tx.saveRollout(left, null);
};
