import type { Instant, Rollout } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { endRollout } from './rollout-ending.ts';
import type { Wakes } from './wake-keys.ts';

/** Ends a rollout that was aborted or superseded: targets in flight stay as they are, and say so. */
export const leaveRollout = async (
  tx: RecordTransaction,
  rollout: Rollout,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  await tx.leaveTargets(rollout.id, 'Partial', `${rollout.state} while it was in flight`);
  return endRollout(tx, rollout, now, wakes);
};
