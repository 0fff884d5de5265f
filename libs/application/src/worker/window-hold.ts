import type { Instant, Rollout, Target } from '@breakwater/domain';
import { PermitLost, type WritePermit } from '../ports/cluster.port.ts';
import type { RecordPort } from '../ports/record.port.ts';
import { type ClosedTarget, closedWindows, type ClosedWindows } from '../rollout/rollout-windows.ts';

/** A freeze that comes into Git in the middle of an apply is heeded within this; in ms. */
const FRESH = 1_000;

/** Whether a window that freezes what is in flight has closed a target: asked before a write, and again right before each request leaves. */
export interface WindowHold {
  now(): ClosedTarget | null;
  guard(permit: WritePermit): WritePermit;
}

interface Known {
  readonly closedBy: ClosedWindows;
  readonly at: Instant;
  readonly asked: number;
}

const ask = (record: RecordPort): Promise<Known> =>
  record.transaction(async (tx) => {
    const asked = performance.now();
    return { closedBy: await closedWindows(tx), at: await tx.now(), asked };
  });

/** Windows hold forward writes alone: what has gone wrong is taken back at any time. */
export const windowHold = async (record: RecordPort, rollout: Rollout, target: Target): Promise<WindowHold> => {
  let known = await ask(record);
  const now = (): ClosedTarget | null => {
    const closed = known.closedBy(rollout, target, known.at + (performance.now() - known.asked));
    return closed?.inFlight === 'freeze' ? closed : null;
  };
  const check = (): void => {
    if (now() !== null) throw new PermitLost('a window has closed the cluster');
  };
  return {
    now,
    guard: (permit) => ({
      send: async (request) => {
        if (performance.now() - known.asked > FRESH) known = await ask(record);
        return permit.send((sure) =>
          request(() => {
            check();
            sure();
          }),
        );
      },
    }),
  };
};
