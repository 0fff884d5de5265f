import { Redis } from 'ioredis';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Api, buildPrograms, Program } from '../support/program.ts';
import { SeparatePrograms } from '../support/separate-programs.ts';
import { findServers, type Servers } from '../support/servers.ts';
import { SimulatedWorld, watchRequests } from '../support/simulated-world.ts';

const source = await findServers();
if (source === null) {
  const missing = 'there is neither a Docker engine with images nor Debian’s redis-server and postgresql';
  if (process.env['CI'] === 'true') throw new Error(`${missing}: install them`);
  console.warn(`skipped: separate programs on Redis: ${missing}`);
} else {
  console.info(`separate programs: Redis and PostgreSQL are ${source.described}`);
}
const describeWithServers = source === null ? describe.skip : describe;

const CLUSTERS = 12;
/** The image takes its time, so that every fault falls in the middle. */
const VERIFYING_MS = 2_000;
/** From a fault to the rollout's end, on a machine that has other things to do. */
const BOUND_MS = 90_000;

/** The same programs with the same environment as in docker-compose.yml. */
describeWithServers('API, Git sync and two rollout workers in processes of their own, on Redis and PostgreSQL', () => {
  let world: SimulatedWorld;
  let servers: Servers;
  let programs: SeparatePrograms;
  let api: Api;
  let versions = 0;
  const commits = new Map<string, string>();
  /** Which worker each mutating request came from: each has tokens of its own. */
  const writes: { readonly worker: number; readonly cluster: string; readonly at: number }[] = [];

  beforeAll(async () => {
    await buildPrograms();
    world = await SimulatedWorld.create({ clusters: CLUSTERS, latencyMs: 10, podReadyMs: VERIFYING_MS });
    servers = await source!.start();
    const workerOf = new Map<string, number>();
    for (const number of [0, 1]) {
      for (const token of (await world.credentials(`worker-${number}`)).tokens) workerOf.set(token, number);
    }
    for (const cluster of world.clusters) {
      watchRequests(cluster, ({ method, token }) => {
        const worker = workerOf.get(token);
        if (method !== 'GET' && worker !== undefined) writes.push({ worker, cluster: cluster.name, at: Date.now() });
      });
    }
    await commitVersion('1');
    programs = await SeparatePrograms.start({
      home: world.home,
      repository: world.repository,
      servers,
      workers: 2,
      credentials: async (program) => (await world.credentials(program === 'git-sync' ? 'admin' : program)).directory,
    });
    ({ api } = programs);
  }, 180_000);

  afterAll(async () => {
    await programs?.stop();
    await servers?.stop();
    await world?.stop();
  }, 120_000);

  const commitVersion = async (version: string): Promise<string> => {
    const commit = await world.commit(version);
    commits.set(version, commit);
    return commit;
  };

  /** Starts a rollout of a new version, and waits until some targets of the second wave verify and their workers hold them. */
  const inMidRollout = async (): Promise<{ readonly id: string; readonly version: string }> => {
    versions += 1;
    const version = String(versions);
    const commit = commits.get(version) ?? (await commitVersion(version));
    await api.synced(commit);
    writes.length = 0;
    const { id } = await api.start(commit);
    await api.until(id, ({ waves }) => (waves[1]?.counts.inFlight ?? 0) >= CLUSTERS / 2, BOUND_MS);
    return { id, version };
  };

  const expectEverywhere = (version: string): void => {
    for (const [cluster, objects] of world.states()) {
      const found = Object.entries(objects).map(([key, object]) => `${cluster} ${key} ${versionOf(object)}`);
      const keys = ['ConfigMap/of-', ...[0, 1, 2, 3].map((n) => `ConfigMap/settings-${n}`), 'Deployment/web'];
      const wanted = keys.map((key) => `${cluster} ${key === 'ConfigMap/of-' ? `${key}${version}` : key} ${version}`);
      expect(found.filter((line) => !line.includes('Namespace/'))).toEqual(wanted);
    }
  };

  const workersOf = (cluster: string): readonly number[] => [
    ...new Set(writes.filter((write) => write.cluster === cluster).map(({ worker }) => worker)),
  ];

  it('share the work', async () => {
    // Who is faster takes more: of a single rollout one of them may take nearly all.
    let share: readonly number[] = [0, 0];
    let rollouts = 0;
    for (; rollouts < 5 && Math.min(...share) < 2; rollouts += 1) {
      const { id, version } = await inMidRollout();
      expect(await api.end(id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
      expectEverywhere(version);
      share = share.map((sum, n) => sum + world.clusters.filter(({ name }) => workersOf(name).includes(n)).length);
    }
    console.info(`targets written by each worker: ${share.join(' and ')} of ${rollouts * CLUSTERS}`);
    expect(Math.min(...share)).toBeGreaterThanOrEqual(2);
  }, 600_000);

  it('the death of one delays its targets by seconds and loses nothing', async () => {
    const { id, version } = await inMidRollout();
    // Each cluster of the second wave has been written, and verifies for seconds: every worker has targets in its hands.
    while (world.clusters.some(({ name }) => workersOf(name).length === 0)) await delay(20);
    const targetsOf = (worker: number): readonly string[] =>
      world.clusters.map(({ name }) => name).filter((name) => name !== 'c0' && workersOf(name).includes(worker));
    const victim = targetsOf(0).length >= targetsOf(1).length ? 0 : 1;
    const orphans = targetsOf(victim);
    expect(orphans.length).toBeGreaterThan(0);
    await programs.worker(victim).kill();
    const killedAt = Date.now();
    expect((await api.rollout(id)).state).toBe('Progressing');
    expect(await api.end(id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
    const delayed = Date.now() - killedAt;
    expectEverywhere(version);
    const heirs = orphans.filter((name) => workersOf(name).includes(1 - victim));
    expect(heirs).toEqual(orphans);
    console.info(
      `killed a worker with ${orphans.length} targets; the rollout ended ${delayed} ms later (${heirs.length} written by the other)`,
    );
    // The claim's lease is 6 s, and a scan comes every second.
    expect(delayed).toBeLessThan(BOUND_MS);
    await programs.startWorker(victim);
  }, 180_000);

  it('a SIGTERM to both in mid-rollout ends no rollout, and their successors go on', async () => {
    const { id, version } = await inMidRollout();
    expect(await Promise.all([0, 1].map((worker) => programs.worker(worker).stop()))).toEqual([0, 0]);
    expect(await api.rollout(id)).toMatchObject({ state: 'Progressing' });
    await Promise.all([programs.startWorker(0), programs.startWorker(1)]);
    expect(await api.end(id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
    expectEverywhere(version);
  }, 180_000);

  it.each(['rollout-worker', 'git-sync'] as const)(
    'a misspelt directory of credentials ends %s at its start',
    async (app) => {
      const credentials = join(world.home, 'nowhere');
      const program = await Program.start(app, {
        environment: {
          DATABASE_URL: servers.databaseUrl,
          BREAKWATER_ENCRYPTION_KEY_FILE: join(world.home, 'key'),
          BREAKWATER_CREDENTIALS: credentials,
          ...(app === 'git-sync' ? { BREAKWATER_REPOSITORY: world.repository } : {}),
        },
        logFile: join(world.home, `misspelt-${app}.log`),
      });
      while (program.running) await delay(20);
      expect(await program.log()).toBe(
        `breakwater-${app}: BREAKWATER_CREDENTIALS: there is no directory ${credentials}: make it, or name another one\n`,
      );
    },
  );

  it('emptying Redis in mid-rollout costs time only', async () => {
    const { id, version } = await inMidRollout();
    const client = new Redis(servers.redisUrl);
    await client.flushall();
    const emptiedAt = Date.now();
    client.disconnect();
    expect(await api.end(id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
    console.info(`Redis was emptied; the rollout ended ${Date.now() - emptiedAt} ms later`);
    expectEverywhere(version);
  }, 180_000);

  it('a restart of PostgreSQL in mid-rollout costs time only', async () => {
    const { id, version } = await inMidRollout();
    const stoppedAt = Date.now();
    await servers.restartPostgres();
    expect(await api.end(id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
    console.info(`PostgreSQL was restarted; the rollout ended ${Date.now() - stoppedAt} ms later`);
    expectEverywhere(version);
    expect(programs.all.filter((program) => program.running)).toHaveLength(4);
  }, 180_000);
});

/** The version that an object is of, by its own words. */
const versionOf = (object: unknown): string => {
  const { data, spec } = object as {
    data?: { version: string };
    spec?: { template?: { spec: { containers: { image: string }[] } } };
  };
  return data?.version ?? spec?.template?.spec.containers[0]?.image.replace('shop/web:', '') ?? '';
};
