import { type Instant, type Rollout, totalCounts, withGate } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { moveTarget } from './move-target.ts';
import { rolloutKey, targetKey, type Wakes } from './wake-keys.ts';

/** Names at most so many clusters in a headline; the rest is counted. */
const NAMED = 8;

/**
 * What the end of a rollout means for the record: last known good moves only where it ended well, a release that was taken back is Bad,
 * locks go to whoever is next, but those of clusters that are still owed a revision.
 */
export const endRollout = async (
  tx: RecordTransaction,
  given: Rollout,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  const rollout = await voidDebts(tx, given, now, wakes);
  await takeOverDebts(tx, rollout, now, wakes);
  await tx.lockApplication(rollout.application);
  if (rollout.state === 'Succeeded' || rollout.state === 'Incomplete') {
    await tx.promoteLastGood(rollout.id);
    if (rollout.state === 'Succeeded') await tx.setProven(rollout.application, rollout.revision);
  }
  if (rollout.state === 'RolledBack' || rollout.state === 'RollbackFailed') {
    const total = totalCounts(rollout);
    // Where nothing had been touched (credentials that did not work, say) nothing was taken back, and the release is not to blame.
    const takenBack = total.rolledBack + total.rollbackFailed > 0;
    if (takenBack && (rollout.rollback?.scope !== 'cluster' || rollout.rollback.automatic)) {
      await tx.setReleaseState(rollout.application, rollout.revision.commit, 'Bad', rollout.message);
    }
  }
  await tx.dueTargets(rollout.id, ['Pending', 'Applying', 'Verifying', 'Succeeded'], null);
  await keepDebtsDue(tx, rollout, now, wakes);
  await tx.freeDomainSlots(rollout.id);
  await tx.releaseLocks(rollout.id);
  await wakeNext(tx, rollout.application, now, wakes);
  return nameTroubled(tx, rollout);
};

/**
 * A cluster that was cut off is owed the new revision only by a rollout that ended with it in place. After a rollback it is owed its old
 * one, if anything of the new one may have reached it; an aborted or superseded rollout owes nothing.
 */
const voidDebts = async (tx: RecordTransaction, given: Rollout, now: Instant, wakes: Wakes): Promise<Rollout> => {
  if (given.state === 'Succeeded' || given.state === 'Incomplete') return given;
  const takenBack = given.state === 'RolledBack' || given.state === 'RollbackFailed';
  let rollout = given;
  for (const target of await tx.owingTargets(given.id)) {
    rollout = (await moveTarget(tx, rollout, target, { type: 'DebtVoided', takenBack }, now, wakes)).rollout;
  }
  return rollout;
};

/**
 * A cluster has one creditor: where an older rollout's debt still holds the lock, it ends with this one, and the lock passes on. Otherwise
 * both would write when the cluster is back. Older rows are locked after newer ones, here alone.
 */
const takeOverDebts = async (tx: RecordTransaction, rollout: Rollout, now: Instant, wakes: Wakes): Promise<void> => {
  for (const target of await tx.owingTargets(rollout.id)) {
    const holder = await tx.acquireLock(rollout.application, target.cluster, rollout.id);
    if (holder === rollout.id) continue;
    const older = await tx.lockRollout(holder);
    const owing = await tx.target(holder, target.cluster);
    if (older === null || owing === null) continue;
    const moved = await moveTarget(tx, older, owing, { type: 'DebtPassed', to: rollout.id }, now, wakes);
    await tx.saveRollout(moved.rollout, null);
    await tx.releaseLock(rollout.application, target.cluster, holder);
    await tx.acquireLock(rollout.application, target.cluster, rollout.id);
  }
};

/** A debt is looked after from the end on, whatever had put its target to rest before (a halt, a freeze). */
const keepDebtsDue = async (tx: RecordTransaction, rollout: Rollout, now: Instant, wakes: Wakes): Promise<void> => {
  for (const target of await tx.owingTargets(rollout.id)) {
    await tx.saveTarget({ ...target, dueAt: now });
    wakes.add(targetKey(rollout.id, target.cluster));
  }
};

/** The oldest queued rollout of the application is looked at again. */
const wakeNext = async (tx: RecordTransaction, application: string, now: Instant, wakes: Wakes): Promise<void> => {
  for (const next of await tx.unfinishedRollouts(application)) {
    if (next.state !== 'Queued') continue;
    await tx.dueRollout(next.id, now);
    wakes.add(rolloutKey(next.id));
  }
};

/** Touched clusters stay as they are when a rollout is left: with something of the revision, or in the middle of it. */
const nameTouched = async (tx: RecordTransaction, rollout: Rollout): Promise<Rollout> => {
  const left = await tx.targetsToReturn(rollout.id, { wave: null, only: 'all', clusters: null }, NAMED + 1);
  const returning = await tx.targetsInState(rollout.id, ['RollingBack', 'RollbackFailed'], NAMED + 1);
  const touched = [...left, ...returning];
  if (touched.length === 0) return withGate(rollout);
  const names = touched
    .slice(0, NAMED)
    .map(({ cluster, reason }) => (reason === 'Partial' ? `${cluster} (Partial)` : cluster));
  const more = touched.length > NAMED ? ' and others' : '';
  return withGate({ ...rollout, message: `${rollout.message}; left as they are: ${names.join(', ')}${more}` });
};

/** Rule 5: the headline names who is not at the revision. */
const nameTroubled = async (tx: RecordTransaction, rollout: Rollout): Promise<Rollout> => {
  if (rollout.state === 'Aborted' || rollout.state === 'Superseded') return nameTouched(tx, rollout);
  const troubled = await tx.targetsInState(
    rollout.id,
    rollout.state === 'Incomplete'
      ? ['Failed', 'Unreachable', 'Skipped', 'RolledBack', 'RollbackFailed', 'Pending']
      : ['RollbackFailed', 'Unreachable'],
    NAMED + 1,
  );
  if (troubled.length === 0) return withGate(rollout);
  const names = troubled.slice(0, NAMED).map((target) => target.cluster);
  const more = troubled.length > NAMED ? ' and others' : '';
  return withGate({ ...rollout, message: `${rollout.message}: ${names.join(', ')}${more}` });
};
