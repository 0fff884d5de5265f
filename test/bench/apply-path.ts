import type { ApplyOutcome, ClusterConnection, ClusterConnector } from '@breakwater/application';
import type { ApplyPolicy, KubeObject } from '@breakwater/domain';
import { createClusterConnector } from '@breakwater/kube';
import { randomUUID } from 'node:crypto';
import { BarePool } from './bare-pool.ts';
import { type Cost, costOf, eachOf, NO_COST, plus } from './measure.ts';
import { twentyObjects } from './objects.ts';
import type { Finding } from './report.ts';
import { digits } from './report.ts';
import { type SimulatedServer, startSimulators } from './simulators.ts';
import { startRecorder, type Transcript } from './transcript.ts';

const NAMESPACE = 'bench';
const OBJECTS = 20;
const CLUSTERS_AT_ONCE = 16;
const ROUNDS = 3;
/** Before anything counts, so that both sides run compiled code. */
const WARM_UP = 6;

export const POLICY: ApplyPolicy = {
  namespace: NAMESPACE,
  conflicts: 'report',
  adopt: 'refuse',
  ignore: [],
  prune: { enabled: true, maxDeletions: 10, protect: [] },
};

type Pass = 'first' | 'unchanged' | 'changed';
const PASSES: readonly Pass[] = ['first', 'unchanged', 'changed'];

const bundles: Readonly<Record<Pass, readonly KubeObject[]>> = {
  first: twentyObjects({ namespace: NAMESPACE, revision: 'one', image: 'registry.example/web:1' }),
  unchanged: twentyObjects({ namespace: NAMESPACE, revision: 'one', image: 'registry.example/web:1' }),
  changed: twentyObjects({ namespace: NAMESPACE, revision: 'two', image: 'registry.example/web:2' }),
};

/** What the rollout worker does on one cluster, with nothing in the record: identify, then apply. */
const applyOnce = async (connection: ClusterConnection, pass: Pass): Promise<ApplyOutcome> => {
  const { signal } = new AbortController();
  const seen = await connection.identify(signal);
  if (seen.kind !== 'Identified') throw new Error(`${connection.name}: ${seen.kind}: ${seen.message}`);
  return connection.apply({
    application: NAMESPACE,
    installation: 'bench',
    rollout: pass,
    epoch: PASSES.indexOf(pass) + 1,
    nonce: randomUUID(),
    expectInventory: pass !== 'first',
    lineage: [],
    clusterUid: seen.uid,
    permit: { send: (request) => request(() => undefined) },
    signal,
    mode: 'forward',
    objects: bundles[pass],
    policy: POLICY,
    before: [],
    journal: () => Promise.resolve(),
    beforeFirstWrite: () => Promise.resolve(),
  });
};

const expectApplied = (outcome: ApplyOutcome, pass: Pass): void => {
  if (outcome.kind !== 'Applied') throw new Error(`the ${pass} apply: ${JSON.stringify(outcome)}`);
  const written = outcome.changed.filter((key) => !key.startsWith('Namespace')).length;
  if (written !== (pass === 'unchanged' ? 0 : OBJECTS)) throw new Error(`the ${pass} apply wrote ${written} objects`);
};

export const connectorFor = (
  servers: readonly { readonly name: string; readonly kubeconfig: string }[],
): ClusterConnector => {
  const kubeconfigs = new Map(servers.map(({ name, kubeconfig }) => [name, kubeconfig]));
  return createClusterConnector({
    credentials: {
      read: async (name) => {
        const kubeconfig = kubeconfigs.get(name);
        return kubeconfig === undefined ? null : { kubeconfig, version: '1' };
      },
    },
    allow: { insecure: true },
    userAgent: 'breakwater/bench',
  });
};

const apply = async (connector: ClusterConnector, name: string, pass: Pass): Promise<void> => {
  const connection = await connector.connect(name);
  if ('kind' in connection) throw new Error(`${name}: ${connection.message}`);
  expectApplied(await applyOnce(connection, pass), pass);
};

/** What ours sends to one cluster in each pass. */
const recordPasses = async (server: SimulatedServer): Promise<Readonly<Record<Pass, Transcript>>> => {
  const recorder = await startRecorder(server);
  const connector = connectorFor([{ name: server.name, kubeconfig: recorder.kubeconfig }]);
  const passes: Partial<Record<Pass, Transcript>> = {};
  try {
    for (const pass of PASSES) {
      await apply(connector, server.name, pass);
      passes[pass] = recorder.take();
    }
  } finally {
    await connector.closeAll();
    await recorder.stop();
  }
  return passes as Record<Pass, Transcript>;
};

/** The writes of objects alone, unsafe: no reads, no fence, tied to nothing. */
const patchesOf = (transcript: Transcript): Transcript =>
  transcript
    .filter(({ method, path }) => method === 'PATCH' && path.includes('fieldValidation') && !path.includes('dryRun'))
    .map((request, index) => {
      const { metadata, ...rest } = JSON.parse(request.body ?? '') as { metadata: Record<string, unknown> };
      const { uid: _uid, resourceVersion: _version, ...loose } = metadata;
      // Namespaces first, then four at once, as ours does.
      const step = request.path.includes(`namespaces/${NAMESPACE}/`) ? 1 + Math.floor(index / 4) : 0;
      return { ...request, body: JSON.stringify({ ...rest, metadata: loose }), tiedTo: -1, step };
    });

type Sums = Record<Pass, Cost>;
const noSums = (): Sums => ({ first: NO_COST, unchanged: NO_COST, changed: NO_COST });

const runOurs = async (servers: readonly SimulatedServer[], sums: Sums): Promise<void> => {
  const connector = connectorFor(servers);
  for (const pass of PASSES) {
    const cost = await costOf(() => eachOf(servers, CLUSTERS_AT_ONCE, ({ name }) => apply(connector, name, pass)));
    sums[pass] = plus(sums[pass], cost);
  }
  await connector.closeAll();
};

const runBare = async (
  servers: readonly SimulatedServer[],
  transcripts: Readonly<Partial<Record<Pass, Transcript>>>,
  sums: Sums,
): Promise<void> => {
  const pools = servers.map((server) => new BarePool(server));
  for (const pass of PASSES) {
    const transcript = transcripts[pass];
    if (transcript === undefined) continue;
    const cost = await costOf(() => eachOf(pools, CLUSTERS_AT_ONCE, (pool) => pool.replay(transcript)));
    sums[pass] = plus(sums[pass], cost);
  }
  await Promise.all(pools.map((pool) => pool.close()));
};

const named = (prefix: string, count: number): readonly { name: string; workloads: false }[] =>
  Array.from({ length: count }, (_, n) => ({ name: `${prefix}-${n}`, workloads: false }));

const TITLES: Readonly<Record<Pass, string>> = {
  first: 'first apply (20 created, connections opened)',
  unchanged: 'unchanged apply (20 read, none written)',
  changed: 'changed apply (20 tried, then written)',
};

export const benchApplyPath = async ({ clusters }: { readonly clusters: number }): Promise<Finding> => {
  const simulators = await startSimulators({ clusters: named('recorded', 1) });
  try {
    const [recorded] = simulators.servers;
    if (recorded === undefined) throw new Error('no simulated server');
    const transcripts = await recordPasses(recorded);
    const patches = { first: patchesOf(transcripts.first), changed: patchesOf(transcripts.changed) };
    const ours = noSums();
    const floor = noSums();
    const bare = noSums();
    const round = async (
      label: string,
      count: number,
      sums: readonly [Sums, Sums, Sums],
      turn: number,
    ): Promise<void> => {
      const runs = [
        async () => runOurs(await simulators.add(named(`ours-${label}`, count)), sums[0]),
        async () => runBare(await simulators.add(named(`floor-${label}`, count)), transcripts, sums[1]),
        async () => runBare(await simulators.add(named(`bare-${label}`, count)), patches, sums[2]),
      ];
      // Each round begins with another one: whatever the machine does meanwhile meets all of them.
      for (let n = 0; n < runs.length; n += 1) await runs[(n + turn) % runs.length]?.();
    };
    await round('warm-up', WARM_UP, [noSums(), noSums(), noSums()], 0);
    const share = Math.max(1, Math.round(clusters / ROUNDS));
    for (let turn = 0; turn < ROUNDS; turn += 1) await round(`${turn}`, share, [ours, floor, bare], turn);
    return report(share * ROUNDS, transcripts, { ours, floor, bare });
  } finally {
    await simulators.stop();
  }
};

const report = (
  clusters: number,
  transcripts: Readonly<Record<Pass, Transcript>>,
  { ours, floor, bare }: { readonly ours: Sums; readonly floor: Sums; readonly bare: Sums },
): Finding => {
  const objects = clusters * OBJECTS;
  const each = (cost: Cost): number => cost.cpuMs / objects;
  const figures: Record<string, number> = { clusters };
  const rows = PASSES.map((pass) => {
    const ratio = ours[pass].cpuMs / floor[pass].cpuMs;
    figures[`${pass}CpuMsPerObject`] = each(ours[pass]);
    figures[`${pass}FloorCpuMsPerObject`] = each(floor[pass]);
    figures[`${pass}CpuRatio`] = ratio;
    figures[`${pass}WallRatio`] = ours[pass].wallMs / floor[pass].wallMs;
    figures[`${pass}Requests`] = transcripts[pass].length;
    return [
      TITLES[pass],
      String(transcripts[pass].length),
      each(ours[pass]),
      each(floor[pass]),
      `${digits(ratio)} ×`,
      `${digits(ours[pass].wallMs / floor[pass].wallMs)} ×`,
      pass === 'unchanged' ? '–' : each(bare[pass]),
    ];
  });
  return {
    name: 'apply-path',
    title: `Apply path: ${clusters} simulated servers × ${OBJECTS} objects, our CPU in ms per object`,
    columns: ['', 'requests per cluster', 'ours', 'floor', 'CPU', 'time', 'patches alone'],
    rows,
    notes: [
      'floor: the same requests with the same bodies, as much at once, through a bare undici pool; aim: CPU ≤ 1.5 ×',
      'patches alone: no reads, no fence, no preconditions; for information',
    ],
    figures,
  };
};
