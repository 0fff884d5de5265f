import { type Rollout, type RolloutId, withTarget } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';

/** However many there are. */
const EVERY = 1_000_000;

/**
 * What a rollout has inherited is its successor's to take back, when it gives way before it began: the last known good of those clusters stays
 * the one from before all of them. `heir` is locked, and has not begun either.
 */
export const passTouches = async (tx: RecordTransaction, from: RolloutId, heir: Rollout): Promise<Rollout> => {
  let rollout = heir;
  for (const left of await tx.targetsToReturn(from, { wave: null, only: 'all', clusters: null }, EVERY)) {
    const target = await tx.target(heir.id, left.cluster);
    if (target === null || target.touched) continue;
    const touched = { ...target, touched: true, previous: left.previous };
    await tx.saveTarget(touched);
    rollout = withTarget(rollout, target, touched);
  }
  return rollout;
};
