import type { Rollout } from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';
import type { PauseResult } from '../use-cases.ts';

/** After this long without an end to every old permit the answer is "not yet"; in ms. */
const PATIENCE = 5_000;
const LOOK_EVERY = 25;

/** Looks until nothing is outstanding any more; what still is when patience ends is the answer. */
export const waitForPermits = async <T>(
  record: Pick<RecordPort, 'now'>,
  outstanding: () => Promise<readonly T[]>,
): Promise<readonly T[]> => {
  const until = (await record.now()) + PATIENCE;
  for (;;) {
    const left = await outstanding();
    if (left.length === 0 || (await record.now()) >= until) return left;
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, LOOK_EVERY);
    await promise;
  }
};

/**
 * In force is a freeze when every permit of an older generation has been given back or has expired. A permit that expired, or was given
 * back with a request unanswered, leaves its cluster unsettled: that one request may still land.
 */
export const waitUntilSettled = async (record: RecordPort, rollout: Rollout): Promise<PauseResult> => {
  const { generation } = rollout.gate;
  const left = await waitForPermits(record, () => record.permits.outstanding(rollout.id, generation));
  return left.length === 0
    ? { rollout, unsettled: await record.permits.unsettled(rollout.id, generation), inForce: true }
    : { rollout, unsettled: left.map((permit) => permit.cluster), inForce: false };
};
