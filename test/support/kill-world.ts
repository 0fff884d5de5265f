import type { TestbedCluster } from '@breakwater/testing';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FleetRepository } from './fleet-repository.ts';
import { liveObjects, withoutIdentity } from './live-objects.ts';
import { type ClusterObjects, SimulatedWorld } from './simulated-world.ts';
import { type HeldWrite, type SeamKind, WriteGate, type WriteSeen } from './write-gate.ts';

export type States = ReadonlyMap<string, ClusterObjects>;

/** Clusters `c0`, `c1`, … with a fleet of them in Git, on which a whole program can be stopped at any write. */
export interface KillWorld {
  readonly home: string;
  readonly repository: string;
  readonly credentials: string;
  readonly commit: (version: string, brokenOn?: readonly string[]) => Promise<string>;
  readonly states: () => Promise<States>;
  /** The next write on the cluster that matches is stopped, once. */
  readonly hold: (cluster: string, kind: SeamKind, matches: (write: WriteSeen) => boolean) => HeldWrite;
  readonly stop: () => Promise<void>;
}

export const simulatedKillWorld = async (clusters: number): Promise<KillWorld> => {
  const world = await SimulatedWorld.create({ clusters, latencyMs: 15 });
  const { directory } = await world.credentials();
  return {
    home: world.home,
    repository: world.repository,
    credentials: directory,
    commit: (version, brokenOn) => world.commit(version, brokenOn),
    states: async () => world.states(),
    hold: (cluster, kind, matches) => {
      const reached = Promise.withResolvers<void>();
      const lift = world.fleet.cluster(cluster).fault({
        kind,
        times: 1,
        match: ({ method, path, query, body }) => {
          if (method === 'GET' || query.get('dryRun') !== null) return false;
          const hit = matches({ method, path, body: body.toString('utf8') });
          if (hit) reached.resolve();
          return hit;
        },
      });
      // Lifting does what was held, before it returns.
      return { reached: reached.promise, land: async () => lift() };
    },
    stop: () => world.stop(),
  };
};

/** Real API servers; those in `held` are reached through a proxy that can stop single writes. */
export const testbedKillWorld = async (
  clusters: readonly TestbedCluster[],
  held: readonly string[],
): Promise<KillWorld> => {
  const home = await mkdtemp(join(tmpdir(), 'breakwater-kills-'));
  // The embedded PostgreSQL runs as another user when the tests run as root.
  await chmod(home, 0o711);
  const names = clusters.map((_, index) => `c${index}`);
  const repository = await FleetRepository.create(home, names);
  const credentials = join(home, 'credentials');
  await mkdir(credentials, { mode: 0o700 });
  const gates = new Map<string, WriteGate>();
  for (const [index, cluster] of clusters.entries()) {
    const name = `c${index}`;
    const gate = held.includes(name) ? await WriteGate.before(cluster) : null;
    if (gate !== null) gates.set(name, gate);
    const kubeconfig = gate?.kubeconfig ?? cluster.kubeconfig;
    await writeFile(join(credentials, `${name}.kubeconfig`), kubeconfig, { mode: 0o600 });
  }
  return {
    home,
    repository: repository.path,
    credentials,
    commit: (version, brokenOn) => repository.commit(version, brokenOn),
    states: async () => {
      const all = await Promise.all(clusters.map((cluster) => liveObjects(cluster)));
      return new Map(all.map((objects, index) => [`c${index}`, withoutIdentityOfVersions(objects)]));
    },
    hold: (cluster, kind, matches) => {
      const gate = gates.get(cluster);
      if (gate === undefined) throw new Error(`writes on ${cluster} cannot be held`);
      return gate.hold(kind, matches);
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
};

/** What only a version has comes and goes with it: made again, it has another identity. */
const withoutIdentityOfVersions = (objects: ClusterObjects): ClusterObjects => {
  const anew = withoutIdentity(objects);
  return Object.fromEntries(
    Object.entries(objects).map(([key, object]) => [key, /\/of-[^/]+$/.test(key) ? anew[key] : object]),
  );
};
