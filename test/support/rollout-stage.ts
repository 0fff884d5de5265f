import {
  type GateCallbacks,
  type GateProbe,
  type ClusterConnector,
  createBundleStore,
  createRolloutCommands,
  type RecordPort,
  type RolloutCommands,
  type RolloutWorker,
  startRolloutWorker,
  type StartRolloutInput,
  type WakeUpQueue,
} from '@breakwater/application';
import {
  bundleDigest,
  buildSnapshot,
  isTerminal,
  type KubeObject,
  readFleetDocuments,
  type Rollout,
  type Target,
} from '@breakwater/domain';
import { type ClusterConnectorOptions, createClusterConnector } from '@breakwater/kube';
import { createMemoryRecord, type TestbedCluster } from '@breakwater/testing';
import { createHash } from 'node:crypto';

/** Wake-ups inside one process: enough where only one worker runs. */
export const inProcessQueue = (): WakeUpQueue => {
  let handle: ((key: string) => Promise<void>) | null = null;
  const wake = async (key: string): Promise<void> => {
    queueMicrotask(() => void handle?.(key).catch((error: unknown) => console.error('wake-up failed', key, error)));
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

const plain = { seal: (bytes: Uint8Array): Uint8Array => bytes, open: (bytes: Uint8Array): Uint8Array => bytes };
const quiet = {
  info: () => undefined,
  warn: (fields: object, message: string) => console.warn(message, fields),
  error: (fields: object, message: string) => console.error(message, fields),
};

const silent = { info: () => undefined, warn: () => undefined, error: quiet.error };

/** Who asks for everything in these tests. */
export const PERSON = { name: 'test' };

export interface StageOptions {
  /** Of the gates that need the outside. */
  readonly probes?: ReadonlyMap<string, GateProbe>;
  readonly clusters: readonly TestbedCluster[];
  /** Cluster name → labels. The n-th cluster is `c<n>`. */
  readonly labels: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Cluster name → more fields of its document's spec. */
  readonly specs?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Default: one in memory. Whoever brings one closes it. */
  readonly record?: RecordPort;
  /** YAML of the Fleet, Strategy and Application documents. */
  readonly documents: string;
  readonly kubeconfigs?: Readonly<Record<string, string>>;
  /** Only these clusters are in Git at first; default: all. See {@link RolloutStage.members}. */
  readonly members?: readonly string[];
  /** Default: those of the program. */
  readonly timeouts?: ClusterConnectorOptions['timeouts'];
  /** What the worker warns of is printed; default: no. */
  readonly talk?: boolean;
}

/** What the tests with several waves use: short gates, everything else as it comes. */
export interface StrategyWords {
  readonly name?: string;
  readonly waves?: string;
  readonly more?: string;
  readonly timeout?: string;
}

const WAVES = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: second, clusters: { matchLabels: { role: second } }, maxConcurrent: 100% }
    - { name: rest, maxConcurrent: 100% }`;

export const strategy = ({
  name = 'staged',
  waves = WAVES,
  more = '',
  timeout = '60s',
}: StrategyWords = {}): string => `
---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: ${name} }
spec:
  waves:${waves}
  gates:
    - { name: workloads-ready, workloads: { timeout: ${timeout}, stableFor: 1s, failFast: 1s } }
${more}`;

export const fleetAndApplication = (application = ''): string => `
apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec: { clusters: { all: true }, strategy: staged }
---
apiVersion: breakwater.dev/v1alpha1
kind: Application
metadata: { name: web }
spec:
  fleet: shop
  source: { path: apps/web }
${application}`;

/** A worker in this process on real API servers, with the record in memory and bundles put into it directly. */
export class RolloutStage {
  readonly record: RecordPort;
  readonly commands: RolloutCommands;
  #worker: RolloutWorker | null = null;
  #connector: ClusterConnector | null = null;
  readonly #options: StageOptions;
  readonly #bundles: ReturnType<typeof createBundleStore>;
  readonly #queue = inProcessQueue();
  readonly #kubeconfigs: Map<string, string>;
  #commits = 0;
  /** Clusters that are in Git from the next commit on. */
  members: readonly string[];
  /** Fleet documents from the next commit on. */
  documents: string;
  /** Where gates can be answered later; from the start of the worker on. */
  callbacks: GateCallbacks | null = null;

  constructor(options: StageOptions) {
    this.#options = options;
    this.documents = options.documents;
    this.members = options.members ?? this.names;
    this.#kubeconfigs = new Map(
      options.clusters.map((cluster, index) => [`c${index}`, options.kubeconfigs?.[`c${index}`] ?? cluster.kubeconfig]),
    );
    this.record = options.record ?? createMemoryRecord({ now: () => Date.now() });
    this.#bundles = createBundleStore(this.record, plain);
    this.commands = createRolloutCommands({ record: this.record, wakeUps: this.#queue, bundles: this.#bundles });
  }

  get names(): readonly string[] {
    return this.#options.clusters.map((_, index) => `c${index}`);
  }

  async start(): Promise<void> {
    const clusters = createClusterConnector({
      credentials: {
        read: async (name) => {
          const kubeconfig = this.#kubeconfigs.get(name);
          return kubeconfig === undefined ? null : { kubeconfig, version: kubeconfig };
        },
      },
      ...(this.#options.timeouts === undefined ? {} : { timeouts: this.#options.timeouts }),
      userAgent: 'breakwater/test',
    });
    this.#connector = clusters;
    this.#worker = await startRolloutWorker({
      record: this.record,
      queue: this.#queue,
      clusters,
      bundles: this.#bundles,
      probes: this.#options.probes ?? new Map(),
      callbacks: this.callbacks,
      log: this.#options.talk === true ? quiet : silent,
      monotonic: () => performance.now(),
      scanIntervalMs: 250,
    });
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
    await this.#connector?.closeAll();
  }

  /** Another credential for a cluster, from now on. */
  setKubeconfig(cluster: string, kubeconfig: string): void {
    this.#kubeconfigs.set(cluster, kubeconfig);
  }

  cluster(name: string): TestbedCluster {
    const cluster = this.#options.clusters[Number(name.slice(1))];
    if (cluster === undefined) throw new Error(`there is no cluster ${name}`);
    return cluster;
  }

  /** A commit whose bundle for each cluster is `render(cluster)`. Returns the commit. */
  async commit(application: string, render: (cluster: string) => readonly KubeObject[]): Promise<string> {
    this.#commits += 1;
    const commit = createHash('sha1').update(`${this.#commits}`).digest('hex');
    const clusterDocuments = this.members.map((name) => ({
      apiVersion: 'breakwater.dev/v1alpha1',
      kind: 'Cluster',
      metadata: { name, labels: this.#options.labels[name] ?? {} },
      spec: { region: this.#options.labels[name]?.['region'] ?? 'eu-west', ...this.#options.specs?.[name] },
    }));
    const read = readFleetDocuments([
      { path: 'fleet.yaml', text: this.documents },
      ...clusterDocuments.map((document, index) => ({ path: `c${index}.json`, text: JSON.stringify(document) })),
    ]);
    const { snapshot, errors } = buildSnapshot(read);
    if (snapshot === null || errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
    await this.record.sync.saveSnapshot(
      { id: commit, repository: 'fleet', commit, model: snapshot, at: Date.now() },
      [],
    );
    const bundles: Record<string, string> = {};
    for (const name of this.members) {
      const objects = render(name);
      const digest = bundleDigest(objects);
      await this.#bundles.put(digest, objects);
      bundles[name] = digest;
    }
    const digest = `sha256:${createHash('sha256').update(JSON.stringify(bundles)).digest('hex')}`;
    await this.record.sync.saveRelease(
      { application, commit, digest, bundles, spec: null, state: 'Good', reason: '', errors: [] },
      [],
    );
    return commit;
  }

  /** What a window holds is asked about again after minutes, or when somebody overrides one; here: now. */
  askWindowsAgain(id: Rollout['id']): Promise<void> {
    return this.record.transaction(async (tx) => {
      // Whoever decides on it just now may still know the windows from before.
      await tx.lockRollout(id);
      await tx.reopenTargets(id);
      await tx.dueRollout(id, await tx.now());
    });
  }

  async rollOut(
    application: string,
    commit: string,
    more: Omit<StartRolloutInput, 'application' | 'revision'> = {},
  ): Promise<Rollout> {
    const { rollout } = await this.commands.start({ application, revision: commit, ...more }, PERSON);
    return rollout;
  }

  /** Commits `render`, rolls it out, and waits for the end. */
  async release(
    render: (cluster: string) => readonly KubeObject[],
    more: Omit<StartRolloutInput, 'application' | 'revision'> & { readonly timeoutMs?: number } = {},
  ): Promise<Rollout> {
    const { timeoutMs, ...input } = more;
    const { id } = await this.rollOut('web', await this.commit('web', render), input);
    return this.end(id, timeoutMs);
  }

  async target(id: Rollout['id'], cluster: string): Promise<Target> {
    const target = await this.record.rollouts.target(id, cluster);
    if (target === null) throw new Error(`rollout ${id} has no target ${cluster}`);
    return target;
  }

  /** Waits for a condition on one target. */
  async untilTarget(
    id: Rollout['id'],
    cluster: string,
    done: (target: Target) => boolean,
    timeoutMs?: number,
  ): Promise<Target> {
    let seen: Target | null = null;
    await this.until(
      id,
      () => seen !== null && done(seen),
      timeoutMs,
      async () => void (seen = await this.target(id, cluster)),
    );
    return this.target(id, cluster);
  }

  /** `c0 Succeeded`, … in order of names. */
  async states(id: Rollout['id']): Promise<readonly string[]> {
    return (await this.targets(id)).map((target) => `${target.cluster} ${target.state}`).sort();
  }

  /** Waits for a condition on the rollout; fails with its state when it does not come. */
  async until(
    id: Rollout['id'],
    done: (rollout: Rollout) => boolean,
    timeoutMs = 60_000,
    look: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Rollout> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      await look();
      const rollout = await this.record.rollouts.get(id);
      if (rollout !== null && done(rollout)) return rollout;
      if (Date.now() > end) {
        const targets = await this.targets(id);
        throw new Error(
          `the rollout is ${rollout?.state}: ${rollout?.reason}: ${rollout?.message}\n` +
            targets.map((t) => `${t.cluster} ${t.state}/${t.phase} ${t.reason} ${t.message}`).join('\n'),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  end(id: Rollout['id'], timeoutMs?: number): Promise<Rollout> {
    return this.until(id, isTerminal, timeoutMs);
  }

  async targets(id: Rollout['id']): Promise<readonly Target[]> {
    return (await this.record.rollouts.targets(id, { limit: 500 })).items;
  }
}

export const deployment = (
  name: string,
  namespace: string,
  image: string,
  extra: Readonly<Record<string, unknown>> = {},
): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    ...extra,
  },
});

export const configMap = (name: string, namespace: string, data: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
