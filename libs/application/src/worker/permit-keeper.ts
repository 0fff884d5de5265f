import { randomUUID } from 'node:crypto';
import { PermitLost, type WritePermit } from '../ports/cluster.port.ts';
import type { PermitRecords, PermitRequest, RecordPort } from '../ports/record.port.ts';

/** A permit's life from the moment its renewal was sent, in ms: a freeze is in force after it at the latest. */
export const PERMIT_LIFE = 1_500;
const RENEW_EVERY = 500;

export interface HeldPermit extends WritePermit {
  /** Gives it back once no request is on its way; a request that never answers leaves it to expire (its cluster is `unsettled`). */
  release(): Promise<void>;
}

export interface PermitKeeper {
  /** Null: the rollout's gate is closed in this direction, or the claim is not current any more. */
  acquire(request: Omit<PermitRequest, 'permit' | 'worker'>): Promise<HeldPermit | null>;
  close(): Promise<void>;
}

interface Held {
  readonly id: string;
  readonly rollout: string;
  /** Monotonic milliseconds until which sending is allowed. */
  validUntil: number;
  revoked: boolean;
  onTheirWay: number;
  released: boolean;
}

/**
 * Keeps this worker's write permits alive, and stops its writers when their rollout's gate changes: at once by notification, at the
 * latest when the permit's life is over. Life is counted from before the renewal was sent, so the record's view is never shorter.
 */
export const createPermitKeeper = async (
  record: Pick<RecordPort, 'permits' | 'listen'>,
  worker: string,
  monotonic: () => number,
): Promise<PermitKeeper> => {
  const permits: PermitRecords = record.permits;
  const held = new Map<string, Held>();
  let renewing: Promise<void> | null = null;

  const renew = async (): Promise<void> => {
    if (held.size === 0) return;
    const sentAt = monotonic();
    const asked = [...held.values()];
    const valid = new Set(await permits.renew(worker, PERMIT_LIFE));
    for (const permit of asked) {
      if (valid.has(permit.id)) permit.validUntil = Math.max(permit.validUntil, sentAt + PERMIT_LIFE);
      else revoke(permit);
    }
  };
  const renewOnce = (): Promise<void> => {
    renewing ??= renew().finally(() => {
      renewing = null;
    });
    return renewing;
  };
  const giveBack = async (permit: Held, unanswered: boolean): Promise<void> => {
    if (permit.released) return;
    permit.released = true;
    held.delete(permit.id);
    await permits.release(permit.id, unanswered).catch(() => undefined);
  };
  const revoke = (permit: Held): void => {
    permit.revoked = true;
    if (permit.onTheirWay === 0) void giveBack(permit, false);
  };

  const timer = setInterval(() => void renewOnce().catch(() => undefined), RENEW_EVERY);
  timer.unref();
  const unlisten = await record.listen('gate', (rollout) => {
    // Judged by the record, not by the message: it may be old, or about a gate that is open again.
    if ([...held.values()].some((permit) => permit.rollout === rollout)) void renew().catch(() => undefined);
  });

  const writer = (permit: Held): HeldPermit => ({
    send: async (request) => {
      if (!permit.revoked && monotonic() >= permit.validUntil) await renewOnce().catch(() => undefined);
      const check = (): void => {
        if (permit.revoked || permit.released || monotonic() >= permit.validUntil) {
          throw new PermitLost(`writing for rollout ${permit.rollout} is not allowed any more`);
        }
      };
      check();
      permit.onTheirWay += 1;
      try {
        return await request(check);
      } finally {
        permit.onTheirWay -= 1;
        if (permit.onTheirWay === 0 && permit.revoked) void giveBack(permit, false);
      }
    },
    release: async () => {
      await giveBack(permit, permit.onTheirWay > 0);
    },
  });

  return {
    acquire: async (request) => {
      const id = randomUUID();
      const sentAt = monotonic();
      const grant = await permits.acquire({ ...request, permit: id, worker }, PERMIT_LIFE).catch((error: unknown) => {
        // It may have been granted all the same: nothing was sent under it, so its cluster is not unsettled.
        void permits.release(id, false).catch(() => undefined);
        throw error;
      });
      if (grant === null) return null;
      const permit: Held = {
        id,
        rollout: request.rollout,
        validUntil: sentAt + PERMIT_LIFE,
        revoked: false,
        onTheirWay: 0,
        released: false,
      };
      held.set(id, permit);
      return writer(permit);
    },
    close: async () => {
      clearInterval(timer);
      await unlisten();
      await Promise.all([...held.values()].map((permit) => giveBack(permit, permit.onTheirWay > 0)));
    },
  };
};
