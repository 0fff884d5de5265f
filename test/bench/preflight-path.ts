import type { ClusterConnector } from '@breakwater/application';
import { BarePool } from './bare-pool.ts';
import { connectorFor, POLICY } from './apply-path.ts';
import { commit, type Hub, memoryHub } from './hub.ts';
import { type Cost, costOf, eachOf } from './measure.ts';
import { twentyObjects } from './objects.ts';
import { digits, type Finding, seconds } from './report.ts';
import { type SimulatedServer, startSimulators } from './simulators.ts';
import { startRecorder, type Transcript } from './transcript.ts';

const NAMESPACE = 'bench';
/** As many as the worker asks at once. */
const CLUSTERS_AT_ONCE = 32;
const WARM_UP = 6;
const objects = twentyObjects({ namespace: NAMESPACE, revision: 'one', image: 'registry.example/web:1' });

const askOne = async (connector: ClusterConnector, name: string): Promise<void> => {
  const connection = await connector.connect(name);
  if ('kind' in connection) throw new Error(`${name}: ${connection.message}`);
  const { signal } = new AbortController();
  await connection.identify(signal);
  const outcome = await connection.preflight({
    application: NAMESPACE,
    objects,
    policy: POLICY,
    signal,
    deletes: false,
  });
  if (outcome.kind !== 'Checked' || outcome.findings.length > 0) throw new Error(JSON.stringify(outcome));
};

const recorded = async (server: SimulatedServer): Promise<Transcript> => {
  const recorder = await startRecorder(server);
  const connector = connectorFor([{ name: server.name, kubeconfig: recorder.kubeconfig }]);
  try {
    await askOne(connector, server.name);
    return recorder.take();
  } finally {
    await connector.closeAll();
    await recorder.stop();
  }
};

const ours = async (servers: readonly SimulatedServer[]): Promise<Cost> => {
  const connector = connectorFor(servers);
  const cost = await costOf(() => eachOf(servers, CLUSTERS_AT_ONCE, ({ name }) => askOne(connector, name)));
  await connector.closeAll();
  return cost;
};

const bare = async (servers: readonly SimulatedServer[], transcript: Transcript): Promise<Cost> => {
  const pools = servers.map((server) => new BarePool(server));
  const cost = await costOf(() => eachOf(pools, CLUSTERS_AT_ONCE, (pool) => pool.replay(transcript)));
  await Promise.all(pools.map((pool) => pool.close()));
  return cost;
};

/** The plan with its diff, grouped by what changes: half of the fleet gets other objects than the rest. */
const planOf = async (hub: Hub, clusters: number): Promise<Cost> => {
  const names = Array.from({ length: clusters }, (_, n) => `c${n}`);
  await commit(hub, {
    clusters: Object.fromEntries(names.map((name) => [name, {}])),
    applications: [NAMESPACE],
    strategy: '  waves:\n    - { name: everything }',
    render: (namespace, cluster) =>
      twentyObjects({ namespace, revision: Number(cluster.slice(1)) % 2 === 0 ? 'even' : 'odd', image: '' }),
  });
  return costOf(() => hub.commands.plan({ application: NAMESPACE }));
};

const named = (prefix: string, count: number): readonly { name: string; workloads: false }[] =>
  Array.from({ length: count }, (_, n) => ({ name: `${prefix}-${n}`, workloads: false }));

export const benchPreflight = async ({ clusters }: { readonly clusters: number }): Promise<Finding> => {
  const simulators = await startSimulators({ clusters: named('recorded', 1) });
  const hub = memoryHub();
  try {
    const [first] = simulators.servers;
    if (first === undefined) throw new Error('no simulated server');
    const transcript = await recorded(first);
    await ours(await simulators.add(named('warm-ours', WARM_UP)));
    await bare(await simulators.add(named('warm-bare', WARM_UP)), transcript);
    const servers = await simulators.add(named('c', clusters));
    const asked = await ours(servers);
    // Nothing was changed by it: the same servers give the same answers.
    const floor = await bare(servers, transcript);
    await planOf(hub, 10);
    const plan = await planOf(hub, clusters);
    return {
      name: 'preflight',
      title: `Preflight of ${clusters} simulated clusters × ${objects.length} objects, and the plan with its diff`,
      columns: ['', 'requests per cluster', 'our CPU in ms per cluster', 'floor', 'CPU', 'time'],
      rows: [
        [
          'preflight',
          String(transcript.length),
          digits(asked.cpuMs / clusters),
          digits(floor.cpuMs / clusters),
          `${digits(asked.cpuMs / floor.cpuMs)} ×`,
          seconds(asked.wallMs),
        ],
        ['plan with diff', '0', digits(plan.cpuMs / clusters), '–', '–', seconds(plan.wallMs)],
      ],
      notes: [
        'floor: the same requests, as much at once, through a bare undici pool; it opens its connections too',
        'the plan is made from stored bundles: nothing is asked of clusters; a record in memory',
      ],
      figures: {
        clusters,
        preflightCpuMs: asked.cpuMs / clusters,
        preflightCpuRatio: asked.cpuMs / floor.cpuMs,
        preflightMs: asked.wallMs,
        planMs: plan.wallMs,
        planCpuMs: plan.cpuMs / clusters,
      },
    };
  } finally {
    await hub.close();
    await simulators.stop();
  }
};
