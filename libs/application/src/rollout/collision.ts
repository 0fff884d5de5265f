import { type Instant, PREFLIGHT_FAILED, type Rollout, type RolloutId, supersede } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { type StartRolloutInput, UseCaseError } from '../use-cases.ts';
import { leaveRollout } from './leave-rollout.ts';
import type { PreparedPlan } from './plan-rollout.ts';
import { auditOfRollout } from './rollout-audit.ts';
import type { Wakes } from './wake-keys.ts';

/** `touched`: clusters on which a superseded rollout leaves something that was not taken back. */
export type Collision =
  | { readonly kind: 'free' | 'queue'; readonly touched: readonly string[] }
  | { readonly kind: 'rejected'; readonly by: RolloutId };

/** What the strategy says when a rollout of the application is under way. */
export const collide = async (
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
    const frozen = input.triggered === true && isHeld(rollout);
    if (!frozen && gives(rollout, answer)) {
      touched.push(...(await touchedBy(tx, rollout.id)));
      await supersedeBy(tx, rollout, id, now, wakes);
    } else waits = true;
  }
  return { kind: waits ? 'queue' : 'free', touched };
};

/** A rollback is never cut short by a newer release; of those that wait, or that clusters would refuse, only the newest stays. */
const gives = ({ state, reason }: Rollout, answer: 'supersede' | 'queue'): boolean =>
  state === 'Queued' ||
  (state === 'Preflight' && reason === PREFLIGHT_FAILED) ||
  (answer === 'supersede' && state !== 'RollingBack');

/**
 * Frozen by a person or by the emergency stop: a commit that took its place would write where that was to be kept from happening. Where only
 * the emergency stop holds one that waits, its successor is held as well.
 */
const isHeld = ({ paused, state }: Rollout): boolean => {
  if (paused?.mode !== 'freeze') return false;
  return !paused.emergency || paused.under?.mode === 'freeze' || state !== 'Queued';
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
