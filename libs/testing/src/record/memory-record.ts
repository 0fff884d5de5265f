import type { Channel, RecordPort } from '@breakwater/application';
import type { Instant } from '@breakwater/domain';
import { Exclusive } from './exclusive.ts';
import { memoryAccess, memoryAudit } from './memory-audit.ts';
import { memoryClaims } from './memory-claims.ts';
import { memoryClusters } from './memory-clusters.ts';
import { memoryLooks } from './memory-looks.ts';
import { memoryPermits } from './memory-permits.ts';
import { memoryRollouts } from './memory-rollouts.ts';
import { MemoryState } from './memory-state.ts';
import { memorySync } from './memory-sync.ts';
import { MemoryTransaction } from './memory-transaction.ts';

export interface MemoryRecordOptions {
  /** Epoch milliseconds; stands for the database's clock. */
  readonly now: () => Instant;
  /** In [0, 1); only for the installation's id. */
  readonly random?: () => number;
}

export interface MemoryRecord extends RecordPort {
  /** Changes a sealed event, as somebody with access to the database could. */
  tamperWithAudit(sequence: number, message: string): void;
}

/** The record without a database: for property tests and unit tests. Passes the conformance suite of the port. */
export const createMemoryRecord = ({ now, random = Math.random }: MemoryRecordOptions): MemoryRecord => {
  const handlers = new Map<Channel, Set<(payload: string) => void>>();
  const state = new MemoryState(now);
  const deliver = (from: MemoryState): void => {
    const sent = from.outbox;
    from.outbox = [];
    for (const { channel, payload } of sent) {
      for (const handler of handlers.get(channel) ?? []) queueMicrotask(() => handler(payload));
    }
  };
  const exclusive = new Exclusive(state, deliver);
  const installation = `memory-${Math.floor(random() * 2 ** 40).toString(16)}`;
  return {
    transaction: (work) =>
      exclusive.runAsync(async () => {
        const transaction = new MemoryTransaction(state);
        try {
          return await work(transaction);
        } finally {
          transaction.end();
        }
      }),
    rollouts: memoryRollouts(state, exclusive),
    cluster: memoryClusters(state, exclusive),
    sync: memorySync(state, exclusive),
    looks: memoryLooks(state, exclusive),
    permits: memoryPermits(state, exclusive),
    claims: memoryClaims(state, exclusive),
    audit: memoryAudit(state, exclusive),
    access: memoryAccess(state, exclusive),
    installation: async () => installation,
    now: async () => now(),
    listen: async (channel, handler) => {
      const listening = handlers.get(channel) ?? new Set();
      handlers.set(channel, listening.add(handler));
      return async () => {
        listening.delete(handler);
      };
    },
    tamperWithAudit: (sequence, message) => {
      const event = state.events.get(sequence);
      if (event !== undefined) state.events.set(sequence, { ...event, message });
    },
    ping: async () => undefined,
    close: async () => handlers.clear(),
  };
};
