import { startDatabase } from './embedded.ts';
import { commit, type Desired, durationOf, ended, type Hub, memoryHub, openHub, start, startWorker } from './hub.ts';
import { costOf, percentile } from './measure.ts';
import { threeObjects } from './objects.ts';
import { type Finding, digits, seconds } from './report.ts';
import { startSimulators } from './simulators.ts';

/** KubeFleet publishes these for 100 clusters in this shape; other machines, other clusters. */
const KUBEFLEET = { p50: 95_000, p90: 96_000 };

const STRATEGY = `
  waves:
    - { name: first, clusters: { matchLabels: { stage: first } }, maxConcurrent: 50% }
    - { name: second, clusters: { matchLabels: { stage: second } }, maxConcurrent: 50% }
    - { name: rest, maxConcurrent: 50% }
  gates:
    - { name: workloads-ready, workloads: { timeout: 2m, stableFor: 0s, failFast: 0s } }`;

const stageOf = (position: number): string => {
  if (position < 0.2) return 'first';
  return position < 0.5 ? 'second' : 'third';
};

interface Series {
  readonly ms: readonly number[];
  readonly cpuMs: readonly number[];
}

const measureOn = async (hub: Hub, kubeconfigs: Readonly<Record<string, string>>, runs: number): Promise<Series> => {
  const names = Object.keys(kubeconfigs);
  const desired = (revision: number): Desired => ({
    clusters: Object.fromEntries(names.map((name, n) => [name, { stage: stageOf(n / names.length) }])),
    applications: ['web'],
    strategy: STRATEGY,
    render: () =>
      threeObjects({ namespace: 'web', revision: `r${revision}`, image: `registry.example/web:${revision}` }),
  });
  const worker = await startWorker(hub, { kubeconfigs });
  const ms: number[] = [];
  const cpuMs: number[] = [];
  // The rollout that creates everything is not counted.
  for (let run = 0; run <= runs; run += 1) {
    const revision = await commit(hub, desired(run));
    const cost = await costOf(async () => {
      const { id } = await start(hub, 'web', revision);
      const rollout = await ended(hub, id);
      if (run > 0) ms.push(durationOf(rollout));
    });
    if (run > 0) cpuMs.push(cost.cpuMs);
  }
  await worker.stop();
  return { ms, cpuMs };
};

const onFreshServers = async (hub: Hub, clusters: number, runs: number): Promise<Series> => {
  const names = Array.from({ length: clusters }, (_, n) => `c${String(n).padStart(3, '0')}`);
  const simulators = await startSimulators({ clusters: names.map((name) => ({ name, workloads: { podReadyMs: 0 } })) });
  try {
    const kubeconfigs = Object.fromEntries(simulators.servers.map(({ name, kubeconfig }) => [name, kubeconfig]));
    return await measureOn(hub, kubeconfigs, runs);
  } finally {
    await simulators.stop();
  }
};

const embedded = async (clusters: number, runs: number): Promise<Series> => {
  const database = await startDatabase();
  try {
    const hub = await openHub(database.url);
    try {
      return await onFreshServers(hub, clusters, runs);
    } finally {
      await hub.close();
    }
  } finally {
    await database.stop();
  }
};

const row = (label: string, { ms, cpuMs }: Series, clusters: number): readonly string[] => [
  label,
  seconds(percentile(ms, 50)),
  seconds(percentile(ms, 90)),
  digits(percentile(cpuMs, 50) / clusters),
];

export const benchStagedRollout = async (options: {
  readonly clusters: number;
  readonly runs: number;
}): Promise<Finding> => {
  const { clusters, runs } = options;
  const floor = await onFreshServers(memoryHub(), clusters, runs);
  const ours = await embedded(clusters, runs);
  const ratio = percentile(ours.ms, 50) / percentile(floor.ms, 50);
  return {
    name: 'staged-rollout',
    title: `Staged rollout of ${clusters} clusters: 20 / 30 / 50 %, half of a stage at once, no soak, ready at once; ${runs} runs`,
    columns: ['', 'p50', 'p90', 'our CPU in ms per cluster'],
    rows: [
      row('embedded PostgreSQL and its queue', ours, clusters),
      row('floor: record in memory', floor, clusters),
      ['KubeFleet, as published (100 clusters)', seconds(KUBEFLEET.p50), seconds(KUBEFLEET.p90), '–'],
    ],
    notes: [
      `the record costs ${digits(ratio)} × the time; a Deployment, a Service and a ConfigMap change on each cluster`,
      'KubeFleet was measured on other machines and real clusters: the shape is the same, nothing else',
    ],
    figures: {
      clusters,
      runs,
      p50Ms: percentile(ours.ms, 50),
      p90Ms: percentile(ours.ms, 90),
      floorP50Ms: percentile(floor.ms, 50),
      floorP90Ms: percentile(floor.ms, 90),
      recordRatio: ratio,
      cpuMsPerCluster: percentile(ours.cpuMs, 50) / clusters,
      floorCpuMsPerCluster: percentile(floor.cpuMs, 50) / clusters,
    },
  };
};
