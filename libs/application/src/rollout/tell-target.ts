import { type Instant, isTerminal, type Rollout, type Target, type TargetEvent } from '@breakwater/domain';
import type { RecordPort, RecordTransaction } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import { moveTarget } from './move-target.ts';
import { drive } from './rollout-engine.ts';
import type { Wakes } from './wake-keys.ts';

/** What has happened is only known in the transaction, with what it takes there. */
export type DecidedEvent = (
  tx: RecordTransaction,
  rollout: Rollout,
  target: Target,
  now: Instant,
) => Promise<TargetEvent>;

/**
 * Tells the record what happened to a target, in its rollout's transaction, and lets the rollout follow. Dropped when the target has moved
 * on since it was `seen`, or its rollout has ended and owes it nothing: a late, doubled or overtaken message changes nothing. Whether the
 * target is still at what it was seen at, after all that followed: a writer that was about to touch the cluster stops when it is not.
 */
export const tellTarget = async (
  parts: { readonly record: RecordPort; readonly wakeUps: WakeUps },
  seen: Target,
  event: TargetEvent | DecidedEvent,
  effects?: (tx: RecordTransaction, now: Instant) => Promise<void>,
): Promise<boolean> => {
  const wakes: Wakes = new Set();
  const stands = await parts.record.transaction(async (tx) => {
    wakes.clear();
    const rollout = await tx.lockRollout(seen.rollout);
    const target = await tx.target(seen.rollout, seen.cluster);
    if (rollout === null || target === null || !isSameWork(target, seen)) return false;
    const now = await tx.now();
    const over = isTerminal(rollout) && target.owes === null;
    if (!over) await effects?.(tx, now);
    const decided = typeof event === 'function' ? await event(tx, rollout, target, now) : event;
    const moved = await moveTarget(tx, rollout, target, decided, now, wakes);
    if (moved.rollout === rollout) return !over && isSameWork(moved.target, seen);
    await drive(tx, rollout, moved.rollout, now, wakes);
    return !over && isSameWork(await tx.target(seen.rollout, seen.cluster), seen);
  });
  await parts.wakeUps.wakeAll([...wakes]);
  return stands;
};

const isSameWork = (target: Target | null, seen: Target): boolean =>
  target?.attempt === seen.attempt && target.state === seen.state;
