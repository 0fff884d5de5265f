import {
  type ClusterOptions,
  type SimulatedCluster,
  type SimulatedFleet,
  startSimulatedFleet,
} from '@breakwater/simulator';
import { serve } from './child.ts';
import { cpuNow } from './measure.ts';
import { REVISION_LABEL } from './objects.ts';
import type { Exposure, SimulatedServer, SimulatorOptions } from './simulators.ts';

type StoreEvent = Parameters<Parameters<SimulatedCluster['store']['subscribe']>[0]>[0];

/** Judges by the cluster's own objects, whatever the tool says of itself. */
class ExposureWatch {
  readonly #cluster: string;
  readonly #revision: string;
  readonly #exposed = new Set<string>();
  #first: number | null = null;
  #last: number | null = null;
  #restored: number | null = null;
  #signal: number | null = null;

  constructor(cluster: string, revision: string) {
    this.#cluster = cluster;
    this.#revision = revision;
  }

  see({ type, resource, object, previous }: StoreEvent): void {
    if (resource.key === 'pods' && this.#signal === null && cannotPull(object)) this.#signal = Date.now();
    const key = `${resource.key} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const bad = type !== 'DELETED' && object.metadata.labels?.[REVISION_LABEL] === this.#revision;
    if (bad && previous?.metadata.labels?.[REVISION_LABEL] !== this.#revision) {
      this.#exposed.add(key);
      this.#first ??= Date.now();
      this.#last = Date.now();
      this.#restored = null;
    }
    if (!bad && this.#exposed.delete(key) && this.#exposed.size === 0) this.#restored = Date.now();
  }

  get exposure(): Exposure {
    return {
      cluster: this.#cluster,
      first: this.#first,
      last: this.#last,
      restored: this.#restored,
      signal: this.#signal,
    };
  }
}

const cannotPull = (pod: object): boolean => {
  const { status } = pod as { status?: { containerStatuses?: { state?: { waiting?: { reason?: string } } }[] } };
  return (status?.containerStatuses ?? []).some(({ state }) => /ImagePull/.test(state?.waiting?.reason ?? ''));
};

const serverOf = (cluster: SimulatedCluster, fleet: SimulatedFleet): SimulatedServer => ({
  name: cluster.name,
  server: cluster.server,
  ca: fleet.ca,
  token: cluster.token,
  kubeconfig: cluster.kubeconfig,
});

const SYSTEM = 'breakwater-system';

const firstWritesOf = (clusters: readonly SimulatedCluster[], userAgent: string): readonly [string, number][] => {
  const first = new Map<string, number>();
  for (const write of clusters.flatMap((cluster) => cluster.writes())) {
    if (write.dryRun || write.userAgent !== userAgent) continue;
    const application = write.namespace === SYSTEM ? write.name : write.namespace;
    if (application === undefined) continue;
    first.set(application, Math.min(first.get(application) ?? Infinity, write.receivedAt));
  }
  return [...first];
};

/** The process that holds the simulated servers. */
export const runSimulators = (): void => {
  let fleet: SimulatedFleet | null = null;
  let watches: readonly ExposureWatch[] = [];
  const running = (): SimulatedFleet => {
    if (fleet === null) throw new Error('the simulated servers are not started');
    return fleet;
  };
  serve(
    {
      start: async (options: SimulatorOptions) => {
        const started = await startSimulatedFleet(options);
        fleet = started;
        return started.clusters.map((cluster) => serverOf(cluster, started));
      },
      add: async (clusters: readonly ClusterOptions[]) => {
        const added: SimulatedServer[] = [];
        for (const options of clusters) added.push(serverOf(await running().add(options), running()));
        return added;
      },
      cpu: () => cpuNow(),
      watchRevision: (revision: string) => {
        watches = running().clusters.map((cluster) => {
          const watch = new ExposureWatch(cluster.name, revision);
          cluster.store.subscribe((event) => watch.see(event));
          return watch;
        });
      },
      exposures: () => watches.map((watch) => watch.exposure),
      firstWrites: (userAgent: string) => firstWritesOf(running().clusters, userAgent),
    },
    async () => fleet?.stop(),
  );
};
