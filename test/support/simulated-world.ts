import type { KubeObject } from '@breakwater/domain';
import { type SimulatedCluster, type SimulatedFleet, startSimulatedFleet } from '@breakwater/simulator';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FleetRepository } from './fleet-repository.ts';

export interface WorldOptions {
  readonly clusters: number;
  /** Of every answer of an API server, in ms. */
  readonly latencyMs?: number;
  readonly podReadyMs?: number;
  /** YAML under `waves:`; the first cluster has the role canary. */
  readonly waves?: string;
}

export interface Credentials {
  readonly directory: string;
  /** The bearer tokens in it. */
  readonly tokens: ReadonlySet<string>;
}

/** Simulated clusters `c0`, `c1`, …, a Git repository with a fleet of them, and their credentials. */
export class SimulatedWorld {
  readonly home: string;
  readonly fleet: SimulatedFleet;
  readonly #repository: FleetRepository;
  readonly #credentials = new Map<string, Promise<Credentials>>();

  private constructor(home: string, fleet: SimulatedFleet, repository: FleetRepository) {
    this.home = home;
    this.fleet = fleet;
    this.#repository = repository;
  }

  static async create(options: WorldOptions): Promise<SimulatedWorld> {
    const home = await mkdtemp(join(tmpdir(), 'breakwater-faults-'));
    // The embedded PostgreSQL runs as another user when the tests run as root.
    await chmod(home, 0o711);
    const fleet = await startSimulatedFleet({
      clusters: Array.from({ length: options.clusters }, (_, index) => ({
        name: `c${index}`,
        latencyMs: options.latencyMs ?? 0,
        workloads: { podReadyMs: options.podReadyMs ?? 100 },
      })),
    });
    const names = fleet.clusters.map(({ name }) => name);
    return new SimulatedWorld(
      home,
      fleet,
      await FleetRepository.create(home, names, options.waves === undefined ? {} : { waves: options.waves }),
    );
  }

  get repository(): string {
    return this.#repository.path;
  }

  get clusters(): readonly SimulatedCluster[] {
    return this.fleet.clusters;
  }

  /** A directory of kubeconfigs; with `user`, the servers can tell whose requests they get (see {@link watchRequests}). */
  credentials(user = 'admin'): Promise<Credentials> {
    const known = this.#credentials.get(user) ?? this.#writeCredentials(user);
    this.#credentials.set(user, known);
    return known;
  }

  async #writeCredentials(user: string): Promise<Credentials> {
    const directory = join(this.home, `credentials-${user}`);
    await mkdir(directory, { recursive: true });
    const tokens = new Set<string>();
    for (const cluster of this.clusters) {
      const everything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
      const text = user === 'admin' ? cluster.kubeconfig : cluster.kubeconfigFor(user, everything);
      const { users } = JSON.parse(text) as { users: { user: { token: string } }[] };
      for (const { user: known } of users) tokens.add(known.token);
      await writeFile(join(directory, `${cluster.name}.kubeconfig`), text, { mode: 0o600 });
    }
    return { directory, tokens };
  }

  /**
   * A commit of this version. `brokenOn`: its image cannot be pulled on these clusters. The same version is the same bundle, whatever was
   * committed in between. Returns the commit.
   */
  commit(version: string, brokenOn: readonly string[] = []): Promise<string> {
    return this.#repository.commit(version, brokenOn);
  }

  /** By cluster: the application's whole objects, as the servers have them. */
  states(): ReadonlyMap<string, ClusterObjects> {
    return new Map(this.clusters.map((cluster) => [cluster.name, objectsOn(cluster)]));
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}

export type ClusterObjects = Readonly<Record<string, unknown>>;

/** What every write moves, what a controller counts of its own doing, and the mark of a take-over. */
const lasting = (object: KubeObject): unknown => {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...metadata } = object.metadata;
  const { status: _status, ...rest } = object as KubeObject & { status?: unknown };
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(
      ([key]) => key !== 'deployment.kubernetes.io/revision' && key !== 'breakwater.dev/epoch',
    ),
  );
  // These come and go with their version: made again, they have another identity.
  const { uid: _uid, creationTimestamp: _created, ...anew } = metadata;
  return { ...rest, metadata: { ...(metadata.name.startsWith('of-') ? anew : metadata), annotations } };
};

const objectsOn = (cluster: SimulatedCluster): ClusterObjects => {
  const all = cluster.objects() as readonly unknown[] as readonly KubeObject[];
  const ours = all.filter(({ metadata }) => metadata.labels?.['breakwater.dev/application'] === 'web');
  return Object.fromEntries(
    ours
      .map((object): [string, unknown] => [`${object.kind}/${object.metadata.name}`, lasting(object)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
};

/** Calls `see` for every request that the cluster takes, before it is answered. @returns ends it */
export const watchRequests = (
  cluster: SimulatedCluster,
  see: (request: {
    readonly method: string;
    readonly path: string;
    readonly token: string;
    readonly body: Buffer;
  }) => void,
): (() => void) =>
  cluster.fault({
    kind: 'latency',
    ms: 0,
    match: ({ method, path, authorization, body }) => {
      see({ method, path, token: authorization.replace(/^Bearer /, ''), body });
      return false;
    },
  });
