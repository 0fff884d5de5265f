import { AUDIT_GENESIS, auditHash, firstBrokenLink, plainEvent } from '@breakwater/application';
import type { AccessRecords, AuditRecords, StoredAuditEvent } from '@breakwater/application';
import type { Exclusive } from './exclusive.ts';
import type { MemoryState, PendingEvent } from './memory-state.ts';

export const memoryAudit = (state: MemoryState, exclusive: Exclusive): AuditRecords => ({
  append: (events) =>
    exclusive.run(() => {
      for (const event of events) state.addEvent(event);
    }),
  seal: (limit) =>
    exclusive.run(() => {
      const pending = state.pendingEvents
        .filter(() => true)
        .sort((a, b) => a.id - b.id)
        .slice(0, limit);
      for (const row of pending) sealOne(state, row);
      if (pending.length > 0) state.notify('event', String(state.events.size));
      return pending.length;
    }),
  after: (sequence, limit, filter = {}) =>
    exclusive.run(() => {
      const found: StoredAuditEvent[] = [];
      for (let next = sequence + 1; next <= state.events.size && found.length < limit; next += 1) {
        const event = state.events.get(next);
        if (event !== undefined && matches(event, filter)) found.push(event);
      }
      return found;
    }),
  last: () => exclusive.run(() => state.events.size),
  verify: () =>
    exclusive.run(() => firstBrokenLink([...state.events.values()].sort((a, b) => a.sequence - b.sequence))),
});

const sealOne = (state: MemoryState, row: PendingEvent): void => {
  const sequence = state.events.size + 1;
  const event = plainEvent(row.event);
  const previous = state.events.get(sequence - 1)?.hash ?? AUDIT_GENESIS;
  state.events.set(sequence, { ...event, sequence, at: row.at, hash: auditHash(previous, sequence, row.at, event) });
  state.pendingEvents.delete(row.id);
};

const matches = (event: StoredAuditEvent, filter: NonNullable<Parameters<AuditRecords['after']>[2]>): boolean =>
  (filter.rollout === undefined || event.rollout === filter.rollout) &&
  (filter.cluster === undefined || (event.cluster ?? null) === filter.cluster) &&
  (filter.actor === undefined || event.actor === filter.actor) &&
  (filter.since === undefined || event.at >= filter.since);

export const memoryAccess = (state: MemoryState, exclusive: Exclusive): AccessRecords => ({
  addToken: ({ name, hash, role }) => exclusive.run(() => state.tokens.set(hash, { name, role })),
  findToken: (hash) => exclusive.run(() => state.tokens.get(hash) ?? null),
  hasTokens: () => exclusive.run(() => state.tokens.size > 0),
  putCredential: (name, sealed) =>
    exclusive.run(() => state.credentials.set(name, { sealed: sealed.slice(), version: String(state.nextOrdinal()) })),
  credential: (name) => exclusive.run(() => state.credentials.get(name) ?? null),
  setting: (key) => exclusive.run(() => state.settings.get(key) ?? null),
  setSetting: (key, value, events = []) =>
    exclusive.run(() => {
      state.settings.set(key, value);
      for (const event of events) state.addEvent(event);
    }),
});
