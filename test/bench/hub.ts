import {
  type BundleStore,
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
  type KubeObject,
  readFleetDocuments,
  type Rollout,
} from '@breakwater/domain';
import { createGateProbes } from '@breakwater/gates';
import { createClusterConnector } from '@breakwater/kube';
import { createAesCipher } from '@breakwater/platform';
import { createWakeUpQueue } from '@breakwater/queue-bullmq';
import { createPostgresRecord } from '@breakwater/store-postgres';
import { createMemoryRecord } from '@breakwater/testing';
import { createHash } from 'node:crypto';
import { until } from './measure.ts';

/** The record, the queue, and what starts rollouts: everything but the worker. */
export interface Hub {
  readonly record: RecordPort;
  readonly queue: WakeUpQueue;
  readonly bundles: BundleStore;
  readonly commands: RolloutCommands;
  close(): Promise<void>;
}

const cipher = createAesCipher(new Uint8Array(32).fill(7));

const hubOf = (record: RecordPort, queue: WakeUpQueue): Hub => {
  const bundles = createBundleStore(record, cipher);
  return {
    record,
    queue,
    bundles,
    commands: createRolloutCommands({ record, wakeUps: queue, bundles }),
    close: async () => {
      await queue.close();
      await record.close();
    },
  };
};

const warn = (error: unknown): void => console.error('bench:', error);

export const openHub = async (url: string): Promise<Hub> => {
  let closing = false;
  const onError = (error: unknown): void => {
    if (!closing) warn(error);
  };
  const hub = hubOf(
    await createPostgresRecord({ url, cipher, onError }),
    await createWakeUpQueue({ postgres: { url }, onError }),
  );
  return {
    ...hub,
    close: () => {
      closing = true;
      return hub.close();
    },
  };
};

/** Wake-ups inside this process. */
const localQueue = (): WakeUpQueue => {
  let handle: ((key: string) => Promise<void>) | null = null;
  const wake = async (key: string): Promise<void> => {
    queueMicrotask(() => void handle?.(key).catch(warn));
  };
  return {
    wake,
    wakeAll: async (keys) => {
      for (const key of keys) await wake(key);
    },
    work: async (work) => {
      handle = work;
      return { close: async () => void (handle = null) };
    },
    ping: async () => undefined,
    close: async () => undefined,
  };
};

/** The floor for what the record costs: nothing is stored. */
export const memoryHub = (): Hub => hubOf(createMemoryRecord({ now: () => Date.now() }), localQueue());

export interface WorkerOptions {
  /** Cluster → kubeconfig. */
  readonly kubeconfigs: Readonly<Record<string, string>>;
  readonly userAgent?: string;
}

/** The worker that the programs run, with its own connections. */
export const startWorker = async (
  { record, queue, bundles }: Hub,
  options: WorkerOptions,
): Promise<Pick<RolloutWorker, 'stop'>> => {
  const clusters = createClusterConnector({
    credentials: {
      read: async (name) => {
        const kubeconfig = options.kubeconfigs[name];
        return kubeconfig === undefined ? null : { kubeconfig, version: '1' };
      },
    },
    allow: { insecure: true },
    userAgent: options.userAgent ?? 'breakwater/bench',
  });
  const error = (fields: object, message: string): void => console.error(`bench: ${message}`, fields);
  const worker = await startRolloutWorker({
    record,
    queue,
    bundles,
    clusters,
    probes: createGateProbes({ allowedHosts: [], secretsDirectory: null }),
    log: { info: () => undefined, warn: () => undefined, error },
    monotonic: () => performance.now(),
  });
  return {
    stop: async () => {
      await worker.stop();
      await clusters.closeAll();
    },
  };
};

export interface Desired {
  /** Cluster → labels. */
  readonly clusters: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly applications: readonly string[];
  /** YAML of the strategy's spec. */
  readonly strategy: string;
  readonly render: (application: string, cluster: string) => readonly KubeObject[];
}

let commits = 0;

/** What Git sync leaves in the record for a commit. Returns the commit. */
export const commit = async ({ record, bundles }: Hub, desired: Desired): Promise<string> => {
  commits += 1;
  const id = createHash('sha1').update(`${commits}`).digest('hex');
  const apiVersion = 'breakwater.dev/v1alpha1';
  const names = Object.keys(desired.clusters);
  const documents = [
    { kind: 'Fleet', metadata: { name: 'bench' }, spec: { clusters: { all: true }, strategy: 'bench' } },
    ...desired.applications.map((name) => ({
      kind: 'Application',
      metadata: { name },
      spec: { fleet: 'bench', source: { path: `apps/${name}` } },
    })),
    ...names.map((name) => ({
      kind: 'Cluster',
      metadata: { name, labels: desired.clusters[name] },
      spec: { region: 'eu-west' },
    })),
  ].map((document, n) => ({ path: `${n}.json`, text: JSON.stringify({ apiVersion, ...document }) }));
  const strategy = `apiVersion: ${apiVersion}\nkind: Strategy\nmetadata: { name: bench }\nspec:\n${desired.strategy}`;
  const { snapshot, errors } = buildSnapshot(
    readFleetDocuments([{ path: 'strategy.yaml', text: strategy }, ...documents]),
  );
  if (snapshot === null || errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
  await record.sync.saveSnapshot({ id, repository: 'fleet', commit: id, model: snapshot, at: Date.now() }, []);
  const seen = { commit: id, at: Date.now() };
  await record.sync.saveRepository(
    {
      name: 'fleet',
      url: 'bench',
      ref: 'main',
      state: 'Synced',
      message: '',
      observed: seen,
      good: seen,
      errors: [],
      triedAt: seen.at,
    },
    [],
  );
  for (const application of desired.applications) {
    const digests: Record<string, string> = {};
    for (const name of names) {
      const objects = desired.render(application, name);
      const digest = bundleDigest(objects);
      await bundles.put(digest, objects);
      digests[name] = digest;
    }
    const digest = `sha256:${createHash('sha256').update(JSON.stringify(digests)).digest('hex')}`;
    await record.sync.saveRelease(
      { application, commit: id, digest, bundles: digests, spec: null, state: 'Good', reason: '', errors: [] },
      [],
    );
  }
  return id;
};

const ACTOR = { name: 'bench' };

export const start = async (hub: Hub, application: string, revision: string): Promise<Rollout> =>
  (await hub.commands.start({ application, revision }, ACTOR)).rollout;

/** Until the rollout has ended; throws when it ends otherwise. */
export const ended = async (hub: Hub, id: Rollout['id'], state: Rollout['state'] = 'Succeeded'): Promise<Rollout> => {
  const rollout = await until(`the end of rollout ${id}`, async () => {
    const now = await hub.record.rollouts.get(id);
    return now !== null && isTerminal(now) ? now : null;
  });
  if (rollout.state !== state)
    throw new Error(`the rollout is ${rollout.state}: ${rollout.reason}: ${rollout.message}`);
  return rollout;
};

/** By the record's own clock: from being accepted to its end, in ms. */
export const durationOf = (rollout: Rollout): number => (rollout.finishedAt ?? Number.NaN) - rollout.createdAt;

export const readyClusters = async (hub: Hub, names: readonly string[]): Promise<void> => {
  await until('all clusters seen', async () => {
    for (const name of names) if ((await hub.record.cluster.get(name))?.state !== 'Ready') return null;
    return true;
  });
};
