import {
  createBundleStore,
  createRolloutCommands,
  type RecordPort,
  type RolloutCommands,
  type RolloutWorker,
  startRolloutWorker,
  type WakeUpQueue,
} from '@breakwater/application';
import {
  buildSnapshot,
  bundleDigest,
  isTerminal,
  readFleetDocuments,
  type Rollout,
  type Target,
} from '@breakwater/domain';
import { createClusterConnector } from '@breakwater/kube';
import { createAesCipher } from '@breakwater/platform';
import { type SimulatedFleet, startSimulatedFleet } from '@breakwater/simulator';
import { type EmbeddedPostgres, startEmbeddedPostgres, createPostgresRecord } from '@breakwater/store-postgres';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { configMap, deployment, PERSON } from './rollout-stage.ts';

type Handler = (key: string) => Promise<void>;

/** What becomes of one wake-up: after how many ms it arrives, once for each; none: it is lost. */
export type Fate = () => readonly number[];

/** Carries wake-ups between the workers of one process, each to one of them, as its fate says. */
export class WakeUpBus {
  readonly #handlers = new Set<Handler>();
  readonly #fate: Fate;
  #turn = 0;

  constructor(fate: Fate = () => [0]) {
    this.#fate = fate;
  }

  queue(): WakeUpQueue {
    const wake = async (key: string): Promise<void> => {
      for (const ms of this.#fate()) setTimeout(() => this.#deliver(key), ms).unref();
    };
    return {
      wake,
      wakeAll: async (keys) => {
        for (const key of keys) await wake(key);
      },
      work: async (handle) => {
        this.#handlers.add(handle);
        return { close: async () => void this.#handlers.delete(handle) };
      },
      ping: async () => undefined,
      close: async () => undefined,
    };
  }

  #deliver(key: string): void {
    const handlers = [...this.#handlers];
    this.#turn += 1;
    handlers[this.#turn % handlers.length]?.(key).catch((error: unknown) =>
      console.error('wake-up failed', key, error),
    );
  }
}

export interface WorkersOptions {
  readonly clusters: number;
  readonly workers: number;
  readonly fate?: Fate;
  /** YAML of the Strategy's `spec`. */
  readonly strategy: string;
  readonly latencyMs?: number;
  readonly podReadyMs?: number;
  /** When a server that does not answer is given up; 2 s. */
  readonly requestMs?: number;
}

/** Where a worker works, and how it is woken. */
interface Place {
  readonly url: string;
  readonly bus: WakeUpBus;
  readonly requestMs: number;
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const cipher = createAesCipher(new Uint8Array(32).fill(7));

/** Rollout workers of one process over one PostgreSQL, each with connections of its own, on simulated clusters `c0`, `c1`, …. */
export class SimulatedWorkers {
  readonly fleet: SimulatedFleet;
  readonly record: RecordPort;
  readonly commands: RolloutCommands;
  readonly #stops: (() => Promise<void>)[];
  readonly #place: Place;
  readonly #workers: (() => Promise<void>)[] = [];
  readonly #strategy: string;
  readonly #bundles: ReturnType<typeof createBundleStore>;
  #commits = 0;

  private constructor(
    fleet: SimulatedFleet,
    record: RecordPort,
    place: Place,
    strategy: string,
    stops: (() => Promise<void>)[],
  ) {
    this.fleet = fleet;
    this.record = record;
    this.#strategy = strategy;
    this.#stops = stops;
    this.#place = place;
    this.#bundles = createBundleStore(record, cipher);
    this.commands = createRolloutCommands({ record, wakeUps: place.bus.queue(), bundles: this.#bundles });
  }

  static async create(options: WorkersOptions): Promise<SimulatedWorkers> {
    const home = await mkdtemp(join(tmpdir(), 'breakwater-workers-'));
    await chmod(home, 0o711);
    const fleet = await startSimulatedFleet({
      clusters: Array.from({ length: options.clusters }, (_, index) => ({
        name: `c${index}`,
        latencyMs: options.latencyMs ?? 0,
        workloads: { podReadyMs: options.podReadyMs ?? 50 },
      })),
    });
    const postgres: EmbeddedPostgres = await startEmbeddedPostgres({
      dataDir: join(home, 'data'),
      log: () => undefined,
    });
    const bus = new WakeUpBus(options.fate);
    const record = await createPostgresRecord({ url: postgres.url, cipher });
    const stops = [() => rm(home, { recursive: true, force: true }), () => fleet.stop(), () => postgres.stop()];
    stops.push(() => record.close());
    const place = { url: postgres.url, bus, requestMs: options.requestMs ?? 2_000 };
    const world = new SimulatedWorkers(fleet, record, place, options.strategy, stops);
    for (let worker = 0; worker < options.workers; worker += 1) await world.startWorker();
    return world;
  }

  /** In order, as a SIGTERM does it. */
  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((stop) => stop()));
  }

  async startWorker(): Promise<void> {
    const { url, bus, requestMs: request } = this.#place;
    const record = await createPostgresRecord({ url, cipher, poolSize: 8 });
    const clusters = createClusterConnector({
      credentials: {
        read: async (name) => {
          const { kubeconfig } = this.fleet.cluster(name);
          return { kubeconfig, version: '1' };
        },
      },
      // A server that hangs is found out within the test's time.
      timeouts: { request },
      userAgent: 'breakwater/test',
    });
    const worker: RolloutWorker = await startRolloutWorker({
      record,
      queue: bus.queue(),
      clusters,
      bundles: createBundleStore(record, cipher),
      probes: new Map(),
      log: silent,
      monotonic: () => performance.now(),
    });
    this.#workers.push(async () => {
      await worker.stop();
      await clusters.closeAll();
      await record.close();
    });
  }

  /** A commit of `version`, whose image cannot be pulled on the clusters in `brokenOn`. */
  async commit(version: string, brokenOn: readonly string[] = []): Promise<string> {
    this.#commits += 1;
    const commit = createHash('sha1').update(`${this.#commits}`).digest('hex');
    const names = this.fleet.clusters.map(({ name }) => name);
    const read = readFleetDocuments([
      { path: 'fleet.yaml', text: `${DOCUMENTS}${this.#strategy}` },
      ...names.map((name, index) => ({ path: `${name}.json`, text: clusterDocument(name, index) })),
    ]);
    const { snapshot, errors } = buildSnapshot(read);
    if (snapshot === null || errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
    const { sync } = this.record;
    await sync.saveSnapshot({ id: commit, repository: 'fleet', commit, model: snapshot, at: Date.now() }, []);
    const bundles: Record<string, string> = {};
    for (const broken of [false, true]) {
      const image = `shop/web:${broken ? 'broken-' : ''}${version}`;
      const objects = [
        configMap('settings', 'web', { version }),
        configMap(`of-${version}`, 'web', { version }),
        deployment('web', 'web', image),
      ];
      const digest = bundleDigest(objects);
      await this.#bundles.put(digest, objects);
      for (const name of names) if (brokenOn.includes(name) === broken) bundles[name] = digest;
    }
    const digest = `sha256:${createHash('sha256').update(JSON.stringify(bundles)).digest('hex')}`;
    const release = { application: 'web', commit, digest, bundles, spec: null, state: 'Good', reason: '', errors: [] };
    await sync.saveRelease({ ...release, state: 'Good' }, []);
    return commit;
  }

  async start(commit: string, more: { readonly supersede?: boolean } = {}): Promise<Rollout> {
    const input = { application: 'web', revision: commit, allowBad: true, ...more };
    return (await this.commands.start(input, PERSON)).rollout;
  }

  end(id: Rollout['id'], timeoutMs: number): Promise<Rollout> {
    return this.until(id, isTerminal, timeoutMs);
  }

  async until(id: Rollout['id'], done: (rollout: Rollout) => boolean, timeoutMs: number): Promise<Rollout> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const rollout = await this.record.rollouts.get(id);
      if (rollout !== null && done(rollout)) return rollout;
      if (Date.now() > until) {
        const left = (await this.targets(id)).filter(({ state }) => state !== 'Succeeded');
        throw new Error(
          `after ${timeoutMs} ms the rollout is ${rollout?.state} (${rollout?.reason}: ${rollout?.message})\n` +
            left.map((it) => `${it.cluster} ${it.state}/${it.phase} ${it.reason} ${it.message}`).join('\n'),
        );
      }
      await delay(50);
    }
  }

  async targets(id: Rollout['id']): Promise<readonly Target[]> {
    const all: Target[] = [];
    let cursor: string | null = null;
    do {
      const page: { readonly items: readonly Target[]; readonly nextCursor: string | null } =
        await this.record.rollouts.targets(id, { limit: 500, cursor });
      all.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return all;
  }

  /** What each cluster has, as `settings of-… image`. */
  versions(): ReadonlyMap<string, string> {
    return new Map(
      this.fleet.clusters.map((cluster) => {
        const maps = cluster
          .objects('configmaps', 'web')
          .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
        const web = cluster.object('deployments.apps', 'web', 'web');
        const { spec } = (web ?? {}) as { spec?: { template: { spec: { containers: { image: string }[] } } } };
        const named = maps.map((it) => `${it.metadata.name}=${(it as { data?: { version?: string } }).data?.version}`);
        return [cluster.name, [...named, spec?.template.spec.containers[0]?.image ?? 'no deployment'].join(' ')];
      }),
    );
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop();
  }
}

/** What {@link SimulatedWorkers.versions} says of a cluster that is at `version`. */
export const wholly = (version: string): string => `of-${version}=${version} settings=${version} shop/web:${version}`;

const DOCUMENTS = `
apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec: { clusters: { all: true }, strategy: staged }
---
apiVersion: breakwater.dev/v1alpha1
kind: Application
metadata: { name: web }
spec: { fleet: shop, source: { path: apps/web } }
---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: staged }
spec:
`;

const clusterDocument = (name: string, index: number): string =>
  JSON.stringify({
    apiVersion: 'breakwater.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name, labels: { role: index === 0 ? 'canary' : 'other' } },
    spec: { region: `r${index % 4}` },
  });
