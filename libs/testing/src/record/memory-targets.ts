import type { ReturnFilter, StartableQuery } from '@breakwater/application';
import {
  type Instant,
  isTerminal,
  type Revision,
  type RolloutId,
  type Target,
  type TargetState,
} from '@breakwater/domain';
import type { MemoryState } from './memory-state.ts';
import { pair } from './memory-state.ts';

const RETURNING: ReadonlySet<TargetState> = new Set<TargetState>(['RollingBack', 'RolledBack', 'RollbackFailed']);

export const addTargets = (state: MemoryState, targets: readonly Target[]): void => {
  const added = new Map<RolloutId, string[]>();
  for (const target of targets) {
    const key = pair(target.rollout, target.cluster);
    if (state.targets.has(key)) throw new Error(`target ${target.cluster} of rollout ${target.rollout} exists`);
    if (!state.rollouts.has(target.rollout)) throw new Error(`rollout ${target.rollout} does not exist`);
    state.targets.set(key, target);
    const clusters = added.get(target.rollout) ?? [];
    clusters.push(target.cluster);
    added.set(target.rollout, clusters);
  }
  for (const [rollout, clusters] of added) {
    const members = [...state.targetsOf(rollout), ...targetsOn(state, rollout, clusters)];
    members.sort((a, b) => a.wave - b.wave || a.position - b.position);
    state.members.set(
      rollout,
      members.map(({ cluster }) => cluster),
    );
  }
};

const targetsOn = (state: MemoryState, rollout: RolloutId, clusters: readonly string[]): Target[] =>
  clusters.map((cluster) => state.target(rollout, cluster)).filter((target) => target !== null);

export const isToReturn = (target: Target, filter: ReturnFilter): boolean =>
  (filter.wave === null || target.wave === filter.wave) &&
  target.touched &&
  !RETURNING.has(target.state) &&
  (filter.only === 'all' || target.state === 'Failed') &&
  (filter.region === undefined || target.region === filter.region) &&
  filter.exceptDomains?.includes(target.failureDomain) !== true &&
  (filter.clusters === null || filter.clusters.includes(target.cluster));

const IN_FLIGHT = new Set<Target['state']>(['Applying', 'Verifying', 'RollingBack']);

/** Targets, of any rollouts, that are being written to or verified on the cluster; of those that have ended, only what is owed. */
export const inFlightOn = (state: MemoryState, cluster: string): number =>
  state.rollouts.filter(({ rollout }) => {
    const target = state.target(rollout.id, cluster);
    return target !== null && IN_FLIGHT.has(target.state) && (target.owes !== null || !isTerminal(rollout));
  }).length;

export const startable = (
  state: MemoryState,
  { rollout, wave, maxInFlight, maxOnCluster, exceptRegions }: StartableQuery,
  now: Instant,
): readonly Target[] => {
  const application = state.rolloutOf(rollout)?.application ?? '';
  const rooms = new Map<string, number>();
  return state.targetsOf(rollout).filter((target) => {
    if (target.wave !== wave || target.state !== 'Pending' || (target.opensAt ?? 0) > now) return false;
    if (exceptRegions.includes(target.region)) return false;
    if (maxOnCluster !== null && inFlightOn(state, target.cluster) >= maxOnCluster) return false;
    const holder = state.locks.get(pair(application, target.cluster))?.rollout ?? rollout;
    if (holder !== rollout && isReachable(state, target.cluster)) return false;
    if (maxInFlight === null) return true;
    const domain = target.failureDomain;
    const room = rooms.get(domain) ?? maxInFlight - state.slots.filter((slot) => slot.domain === domain).length;
    rooms.set(domain, room - 1);
    return room > 0;
  });
};

export const isReachable = (state: MemoryState, cluster: string): boolean => {
  const contact = state.clusters.get(cluster)?.state ?? 'Unknown';
  return contact === 'Ready' || contact === 'Unknown';
};

export const newestDebt = (
  state: MemoryState,
  application: string,
  cluster: string,
): { readonly revision: Revision | null; readonly rollout: RolloutId } | null => {
  const [newest] = state.rollouts
    .filter(({ rollout }) => rollout.application === application)
    .sort((a, b) => b.rollout.sequence - a.rollout.sequence)
    .map(({ rollout }) => state.target(rollout.id, cluster))
    .filter((target) => target !== null && target.owes !== null);
  if (newest == null) return null;
  return { revision: newest.owes === 'back' ? newest.previous : newest.revision, rollout: newest.rollout };
};
