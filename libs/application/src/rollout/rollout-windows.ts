import {
  type Cluster,
  type FleetSnapshot,
  type Instant,
  type Rollout,
  type Target,
  WindowCalendar,
  type WindowClosure,
} from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';

export interface ClosedTarget {
  readonly closure: WindowClosure;
  /** When every window that closes it has ended, as far as is known. */
  readonly until: Instant;
  readonly inFlight: 'finish' | 'freeze';
}

interface Ready {
  readonly models: readonly FleetSnapshot[];
  readonly calendar: WindowCalendar;
  readonly clusters: ReadonlyMap<string, Cluster>;
}

const ready = new WeakMap<FleetSnapshot, Ready>();

/** A calendar is worked out once for the snapshots in force. */
const readyFor = (models: readonly FleetSnapshot[]): Ready | null => {
  const [first] = models;
  if (first === undefined) return null;
  const known = ready.get(first);
  if (known?.models.length === models.length && known.models.every((model, index) => model === models[index]))
    return known;
  const made: Ready = {
    models,
    calendar: new WindowCalendar(models.flatMap((model) => model.freezeWindows)),
    clusters: new Map(models.flatMap((model) => model.clusters.map((cluster) => [cluster.name, cluster]))),
  };
  ready.set(first, made);
  return made;
};

export type ClosedWindows = (rollout: Rollout, target: Target, now: Instant) => ClosedTarget | null;

/**
 * What closes a target now. Freezes and maintenance windows count as they are in Git by now (a freeze that comes in mid-rollout holds it too);
 * a wave's hours are the plan's. A cluster that has left Git is closed by freezes of its fleet alone.
 */
export const closedWindows = async (tx: Pick<RecordTransaction, 'fleetModels'>): Promise<ClosedWindows> => {
  const known = readyFor(await tx.fleetModels());
  if (known === null) return () => null;
  return (rollout, target, now) => {
    const planned = rollout.plan.waves[target.wave];
    const wave = planned === undefined ? null : { name: planned.name, schedule: planned.schedule };
    const cluster = known.clusters.get(target.cluster) ?? gone(target);
    const state = known.calendar.stateOf({ cluster, fleet: rollout.fleet, wave }, now);
    const overridden = new Set(rollout.windowOverrides.map(({ window }) => window));
    const closures = state.closedBy.filter(({ kind, name }) => !overridden.has(`${kind}/${name}`));
    const [closure] = closures;
    if (closure === undefined) return null;
    return {
      closure,
      until: Math.max(...closures.map((other) => other.until.at)),
      inFlight: closures.some((other) => other.inFlight === 'freeze') ? 'freeze' : 'finish',
    };
  };
};

const gone = (target: Target): Cluster => ({
  kind: 'Cluster',
  name: target.cluster,
  labels: {},
  region: target.region,
  failureDomain: target.failureDomain,
  characteristics: {},
  risk: null,
  credentials: target.cluster,
  values: {},
  maintenanceWindows: [],
});
