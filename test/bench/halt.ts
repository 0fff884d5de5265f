import { startDatabase } from './embedded.ts';
import { commit, type Desired, ended, type Hub, openHub, start, startWorker } from './hub.ts';
import { median } from './measure.ts';
import { twentyObjects } from './objects.ts';
import { type Finding, seconds } from './report.ts';
import { type Exposure, type Simulators, startSimulators } from './simulators.ts';

const BAD = 'bad';
/** Added to each answer, as a network would. */
const LATENCY_MS = 10;

const STRATEGY = `
  waves:
    - { name: everything, maxConcurrent: 25% }
  gates:
    - { name: workloads-ready, workloads: { timeout: 2m, stableFor: 0s, failFast: 0s } }`;

interface Halt {
  readonly lastWriteMs: number;
  readonly exposed: number;
  readonly exposedAfter: number;
  readonly restoredMs: number;
  readonly verifiedMs: number;
}

const judge = (exposures: readonly Exposure[], finishedAt: number): Halt => {
  const times = (pick: (exposure: Exposure) => number | null): number[] =>
    exposures.flatMap((exposure) => pick(exposure) ?? []);
  const signal = Math.min(...times((one) => one.signal));
  const open = exposures.filter((one) => one.first !== null && one.restored === null);
  if (open.length > 0) throw new Error(`still at the bad revision: ${open.map((one) => one.cluster).join(', ')}`);
  return {
    lastWriteMs: Math.max(0, Math.max(...times((one) => one.last)) - signal),
    exposed: times((one) => one.first).length,
    exposedAfter: times((one) => one.first).filter((first) => first > signal).length,
    restoredMs: Math.max(...times((one) => one.restored)) - signal,
    verifiedMs: finishedAt - signal,
  };
};

const desired = (names: readonly string[], revision: string): Desired => ({
  clusters: Object.fromEntries(names.map((name) => [name, {}])),
  applications: ['web'],
  strategy: STRATEGY,
  // It is bad on every cluster; the first one that shows it gives the signal.
  render: () =>
    twentyObjects({
      namespace: 'web',
      revision: revision.startsWith(BAD) ? BAD : revision,
      image: revision.startsWith(BAD) ? `registry.example/web:broken-${revision}` : 'registry.example/web:1',
    }),
});

const oneHalt = async (hub: Hub, simulators: Simulators, names: readonly string[], run: number): Promise<Halt> => {
  const revision = await commit(hub, desired(names, `${BAD}-${run}`));
  await simulators.watchRevision(BAD);
  const { id } = await start(hub, 'web', revision);
  const { finishedAt } = await ended(hub, id, 'RolledBack');
  return judge(await simulators.exposures(), finishedAt ?? Number.NaN);
};

export const benchHalt = async ({
  clusters,
  runs,
}: {
  readonly clusters: number;
  readonly runs: number;
}): Promise<Finding> => {
  const names = Array.from({ length: clusters }, (_, n) => `c${n}`);
  const simulators = await startSimulators({
    clusters: names.map((name) => ({ name, latencyMs: LATENCY_MS, workloads: { podReadyMs: 200 } })),
  });
  const database = await startDatabase();
  const hub = await openHub(database.url);
  const worker = await startWorker(hub, {
    kubeconfigs: Object.fromEntries(simulators.servers.map(({ name, kubeconfig }) => [name, kubeconfig])),
  });
  const halts: Halt[] = [];
  try {
    const good = await start(hub, 'web', await commit(hub, desired(names, 'good')));
    await ended(hub, good.id);
    for (let run = 0; run < runs; run += 1) halts.push(await oneHalt(hub, simulators, names, run));
  } finally {
    await worker.stop();
    await hub.close();
    await database.stop();
    await simulators.stop();
  }
  return report(clusters, halts);
};

const report = (clusters: number, halts: readonly Halt[]): Finding => {
  const middle = (pick: (halt: Halt) => number): number => median(halts.map(pick));
  const worst = (pick: (halt: Halt) => number): number => Math.max(...halts.map(pick));
  const timed = (label: string, pick: (halt: Halt) => number): readonly string[] => [
    label,
    seconds(middle(pick)),
    seconds(worst(pick)),
  ];
  const counted = (label: string, pick: (halt: Halt) => number): readonly string[] => [
    label,
    String(middle(pick)),
    String(worst(pick)),
  ];
  return {
    name: 'halt',
    title: `A bad release on ${clusters} clusters × 20 objects, 25 % at once; ${halts.length} runs, from the first pod that cannot pull its image`,
    columns: ['', 'median', 'worst'],
    rows: [
      timed('last write of the bad revision anywhere', (halt) => halt.lastWriteMs),
      counted('clusters exposed in all', (halt) => halt.exposed),
      counted('of them after the signal', (halt) => halt.exposedAfter),
      timed('last cluster restored', (halt) => halt.restoredMs),
      timed('all of it verified, RolledBack', (halt) => halt.verifiedMs),
    ],
    notes: [`judged by the simulated clusters' own objects; each answer takes ${LATENCY_MS} ms, a pod 200 ms to fail`],
    figures: {
      clusters,
      runs: halts.length,
      lastBadWriteMs: middle((halt) => halt.lastWriteMs),
      worstLastBadWriteMs: worst((halt) => halt.lastWriteMs),
      exposed: middle((halt) => halt.exposed),
      exposedAfterSignal: middle((halt) => halt.exposedAfter),
      restoredMs: middle((halt) => halt.restoredMs),
      worstRestoredMs: worst((halt) => halt.restoredMs),
      verifiedMs: middle((halt) => halt.verifiedMs),
    },
  };
};
