import {
  type Instant,
  isTerminal,
  type Rollout,
  type Target,
  type TargetEvent,
  transition,
  withTarget,
} from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { auditOfTarget } from './rollout-audit.ts';
import { targetKey, type Wakes } from './wake-keys.ts';

/** Saves one target's transition with its counts, its audit event and what follows for locks and slots. */
export const moveTarget = async (
  tx: RecordTransaction,
  rollout: Rollout,
  target: Target,
  event: TargetEvent,
  now: Instant,
  wakes: Wakes,
): Promise<{ readonly rollout: Rollout; readonly target: Target }> => {
  const next = transition(rollout, target, event, now);
  if (next === target) return { rollout, target };
  await tx.saveTarget(next);
  const audit = auditOfTarget(rollout, target, next);
  if (audit !== null) await tx.audit(audit);
  await followTarget(tx, rollout, target, next);
  if (next.dueAt !== null && next.dueAt <= now) wakes.add(targetKey(next.rollout, next.cluster));
  return { rollout: withTarget(rollout, target, next), target: next };
};

const inFlight = (target: Target): boolean =>
  target.state === 'Applying' || target.state === 'Verifying' || target.state === 'RollingBack';

const followTarget = async (tx: RecordTransaction, rollout: Rollout, before: Target, after: Target): Promise<void> => {
  if (inFlight(before) && !inFlight(after)) await tx.freeDomainSlot(rollout.id, after.cluster);
  if (after.state === before.state) {
    if (before.owes !== after.owes) await followDebt(tx, rollout, after);
    return;
  }
  // From its first step on: a return that fails, or never reaches the cluster, must not leave what it takes back as the next rollout's good.
  if (after.state === 'RollingBack') {
    const lastGood = await tx.lastGood(rollout.application, after.cluster);
    if (lastGood?.digest === after.revision.digest)
      await tx.setLastGood(rollout.application, after.cluster, after.previous);
  }
  if (after.state === 'RolledBack') await tx.setRunning(rollout.application, after.cluster, after.previous);
  if (isTerminal(rollout) && after.state === 'Succeeded') {
    await tx.setLastGood(rollout.application, after.cluster, after.revision);
  }
  if (before.owes !== after.owes) await followDebt(tx, rollout, after);
};

const followDebt = async (tx: RecordTransaction, rollout: Rollout, target: Target): Promise<void> => {
  await tx.followDebt(rollout.application, target.cluster);
  if (target.owes === null && isTerminal(rollout)) {
    await tx.releaseLock(rollout.application, target.cluster, rollout.id);
    // A settlement in flight whose debt ends otherwise stays where it is, and takes no place any more.
    await tx.freeDomainSlot(rollout.id, target.cluster);
  }
};
