import { type AuditEvent, cursorNumber, pageOf, type ReleaseRecord, type SyncRecords } from '@breakwater/application';
import type { Exclusive } from './exclusive.ts';
import type { MemoryState } from './memory-state.ts';
import { pair } from './memory-state.ts';

export const memorySync = (state: MemoryState, exclusive: Exclusive): SyncRecords => ({
  repositories: () =>
    exclusive.run(() => state.repositories.filter(() => true).sort((a, b) => (a.name < b.name ? -1 : 1))),
  repository: (name) => exclusive.run(() => state.repositories.get(name) ?? null),
  saveRepository: (record, events) =>
    exclusive.run(() => {
      state.repositories.set(record.name, record);
      addAll(state, events);
    }),
  snapshot: (repository) => exclusive.run(() => state.snapshots.get(repository) ?? null),
  snapshots: () =>
    exclusive.run(() => state.snapshots.filter(() => true).sort((a, b) => (a.repository < b.repository ? -1 : 1))),
  saveSnapshot: (snapshot, events) =>
    exclusive.run(() => {
      state.snapshots.set(snapshot.repository, snapshot);
      addAll(state, events);
    }),
  saveRelease: (release, events) =>
    exclusive.run(() => {
      const key = pair(release.application, release.commit);
      const before = state.releases.get(key);
      // What a rollout found out about a release is not forgotten because Git was read again.
      const verdict =
        before?.state === 'Bad' && before.digest === release.digest
          ? { state: before.state, reason: before.reason }
          : {};
      const stored: ReleaseRecord = {
        ...release,
        ...verdict,
        createdAt: before?.createdAt ?? state.now(),
        sequence: before?.sequence ?? state.nextOrdinal(),
      };
      state.releases.set(key, stored);
      addAll(state, events);
      return stored;
    }),
  release: (application, commit) => exclusive.run(() => state.releases.get(pair(application, commit)) ?? null),
  releases: (query) =>
    exclusive.run(() => {
      const before = query.cursor == null ? Number.MAX_SAFE_INTEGER : cursorNumber(query.cursor);
      const rows = ofApplication(state, query.application).filter(({ sequence }) => sequence < before);
      return pageOf(
        rows,
        query.limit,
        (row) => row,
        (row) => String(row.sequence),
      );
    }),
  newestRelease: (application) =>
    exclusive.run(() => ofApplication(state, application).find((release) => release.state !== 'Invalid') ?? null),
  putBundle: (digest, sealed) =>
    exclusive.run(() => {
      if (!state.bundles.has(digest)) state.bundles.set(digest, sealed.slice());
    }),
  hasBundles: (digests) => exclusive.run(() => new Set(digests.filter((digest) => state.bundles.has(digest)))),
  bundle: (digest) => exclusive.run(() => state.bundles.get(digest) ?? null),
  lease: (name, worker, leaseMs) =>
    exclusive.run(() => {
      const now = state.now();
      const held = state.leases.get(name);
      if (held !== undefined && held.worker !== worker && held.expiresAt > now) return false;
      state.leases.set(name, { worker, expiresAt: now + leaseMs });
      return true;
    }),
  ask: (request) =>
    exclusive.run(() => {
      if (state.requests.has(request.id)) throw new Error(`request ${request.id} exists`);
      state.requests.set(request.id, { ...request, answer: null });
      state.notify('sync', request.id);
    }),
  openRequests: () => exclusive.run(() => state.requests.filter(({ answer }) => answer === null)),
  answer: (id, answer) =>
    exclusive.run(() => {
      const request = state.requests.get(id);
      if (request === undefined || request.answer !== null) return;
      state.requests.set(id, { ...request, answer });
      state.notify('sync', id);
    }),
  request: (id) => exclusive.run(() => state.requests.get(id) ?? null),
});

const addAll = (state: MemoryState, events: readonly AuditEvent[]): void => {
  for (const event of events) state.addEvent(event);
};

const ofApplication = (state: MemoryState, application: string | undefined): ReleaseRecord[] =>
  state.releases
    .filter((release) => application === undefined || release.application === application)
    .sort((a, b) => b.sequence - a.sequence);
