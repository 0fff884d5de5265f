import {
  acceptCluster,
  auditOfCluster,
  auditOfQuarantine,
  observeCluster,
  quarantineCluster,
  unknownCluster,
} from '@breakwater/application';
import type { ApplicationOnCluster, ClusterIdentity, ClusterRecord, ClusterRecords } from '@breakwater/application';
import type { Exclusive } from './exclusive.ts';
import type { MemoryState } from './memory-state.ts';
import { pair } from './memory-state.ts';

export const memoryClusters = (state: MemoryState, exclusive: Exclusive): ClusterRecords => ({
  get: (name) => exclusive.run(() => shown(state.clusters.get(name))),
  list: () =>
    exclusive.run(() =>
      state.clusters
        .filter(() => true)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(strip),
    ),
  observe: (name, observation) =>
    exclusive.run(() => {
      const before = state.clusters.get(name) ?? unknownCluster(name);
      const twin = observation.kind === 'Seen' ? twinOf(state, name, observation.uid) : null;
      const after = observeCluster(before, observation, twin, state.now());
      state.clusters.set(name, after);
      const event = auditOfCluster(before, after, 'system');
      if (event !== null) state.addEvent(event);
      return strip(after);
    }),
  accept: (name, actor, reason) =>
    exclusive.run(() => {
      const before = state.clusters.get(name);
      if (before === undefined) return null;
      const after = acceptCluster(before, before.seenUid === null ? null : twinOf(state, name, before.seenUid));
      if (after === null) return strip(before);
      state.clusters.set(name, after);
      for (const row of state.onCluster.filter((candidate) => candidate.cluster === name)) {
        const anew = { running: null, lastGood: null, owed: null, inventoryExpected: false };
        state.onCluster.set(pair(row.application, name), { ...row, ...anew });
      }
      const event = auditOfCluster(before, after, actor, reason);
      if (event !== null) state.addEvent(event);
      return strip(after);
    }),
  setQuarantine: (name, held, person) =>
    exclusive.run(() => {
      const after = quarantineCluster(state.clusters.get(name) ?? unknownCluster(name), held, person, state.now());
      state.clusters.set(name, after);
      state.addEvent(auditOfQuarantine(after, person));
      return strip(after);
    }),
  application: (application, cluster) =>
    exclusive.run(() => {
      const key = pair(application, cluster);
      const known = state.onCluster.has(key) || state.locks.has(key);
      return known ? onCluster(state, application, cluster) : null;
    }),
  applicationsOn: (cluster) =>
    exclusive.run(() =>
      where(state, (row) => row.cluster === cluster).sort((a, b) => (a.application < b.application ? -1 : 1)),
    ),
  applicationEverywhere: (application) =>
    exclusive.run(() =>
      where(state, (row) => row.application === application).sort((a, b) => (a.cluster < b.cluster ? -1 : 1)),
    ),
  proven: (application) => exclusive.run(() => state.proven.get(application) ?? null),
});

const twinOf = (state: MemoryState, name: string, uid: string): string | null =>
  state.clusters.filter((other) => other.name !== name && other.uid === uid)[0]?.name ?? null;

const strip = ({
  name,
  uid,
  version,
  state,
  reason,
  message,
  lastSeen,
  quarantine,
}: ClusterIdentity): ClusterRecord => ({
  name,
  uid,
  version,
  state,
  reason,
  message,
  lastSeen,
  quarantine,
});

const shown = (row: ClusterIdentity | undefined): ClusterRecord | null => (row === undefined ? null : strip(row));

const onCluster = (state: MemoryState, application: string, cluster: string): ApplicationOnCluster => ({
  ...state.onClusterOf(application, cluster),
  blockedBy: state.locks.get(pair(application, cluster))?.rollout ?? null,
});

const where = (
  state: MemoryState,
  keep: (row: { readonly application: string; readonly cluster: string }) => boolean,
): ApplicationOnCluster[] => {
  const keys = new Map<string, { readonly application: string; readonly cluster: string }>();
  for (const row of [...state.onCluster.filter(keep), ...state.locks.filter(keep)]) {
    keys.set(pair(row.application, row.cluster), row);
  }
  return [...keys.values()].map(({ application, cluster }) => onCluster(state, application, cluster));
};
