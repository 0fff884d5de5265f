import type { ClusterConnector } from '../ports/cluster.port.ts';
import type { ClusterRecord, RecordPort } from '../ports/record.port.ts';
import { newestFleet } from '../releases/newest-fleet.ts';
import { repeat, type WorkerLog } from './periodic.ts';

export interface ClusterMonitorParts {
  readonly record: RecordPort;
  readonly clusters: ClusterConnector;
  readonly log: WorkerLog;
  readonly worker: string;
  readonly signal: AbortSignal;
}

const SWEEP_INTERVAL = 15_000;
const AT_ONCE = 32;
const CONTACT_TIMEOUT = 5_000;

/** Looks after every cluster of the fleet, one worker at a time, so that their states are known also while no rollout touches them. */
export const watchClusters = (parts: ClusterMonitorParts): Promise<void> =>
  repeat(
    SWEEP_INTERVAL,
    parts.signal,
    async () => {
      if (!(await parts.record.sync.lease('cluster-monitor', parts.worker, SWEEP_INTERVAL * 2))) return;
      const names = (await newestFleet(parts.record)).clusters.map((cluster) => cluster.name);
      for (let at = 0; at < names.length && !parts.signal.aborted; at += AT_ONCE) {
        await Promise.all(names.slice(at, at + AT_ONCE).map((name) => contact(parts, name)));
      }
    },
    parts.log,
  );

const contact = async (parts: ClusterMonitorParts, name: string): Promise<void> => {
  const before = await parts.record.cluster.get(name);
  const after = await look(parts, name);
  if (after === null) return;
  if (after.state === 'Ready' && before?.state !== 'Ready') await parts.record.rollouts.wakeCluster(name);
  if (after.state !== before?.state) {
    parts.log.info({ cluster: name, state: after.state, reason: after.reason }, 'cluster state changed');
  }
};

const look = async (parts: ClusterMonitorParts, name: string): Promise<ClusterRecord | null> => {
  const connection = await parts.clusters.connect(name);
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(CONTACT_TIMEOUT)]);
  const seen = 'kind' in connection ? connection : await connection.identify(signal);
  // A request that our own stop cut off says nothing about the cluster.
  if (parts.signal.aborted) return null;
  if (seen.kind === 'Identified') {
    return parts.record.cluster.observe(name, { kind: 'Seen', uid: seen.uid, version: seen.version });
  }
  return parts.record.cluster.observe(name, { kind: seen.kind, reason: seen.reason, message: seen.message });
};
