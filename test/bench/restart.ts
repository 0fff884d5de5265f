import { isTerminal } from '@breakwater/domain';
import { type Child, startChild } from './child.ts';
import { startDatabase } from './embedded.ts';
import { commit, type Hub, openHub, start } from './hub.ts';
import { until } from './measure.ts';
import { threeObjects } from './objects.ts';
import { type Finding, seconds } from './report.ts';
import { type Simulators, startSimulators } from './simulators.ts';
import type { WorkerRoleOptions } from './worker-role.ts';

const CLUSTERS = 3;
const [FIRST_LIFE, SECOND_LIFE] = ['breakwater/bench-1', 'breakwater/bench-2'];

/**
 * Slots of failure domains are shared by all rollouts: with one each, most of the hundred would only wait. One cluster after the other, so that every rollout
 * still has writes before it when the worker is killed.
 */
const STRATEGY = `
  waves:
    - { name: everything, maxConcurrent: 1 }
  gates:
    - { name: workloads-ready, workloads: { timeout: 2m, stableFor: 0s, failFast: 0s } }
  failureDomains: { maxInFlight: 1000 }`;

const workerWith = async (options: WorkerRoleOptions): Promise<Child> => {
  const child = startChild('worker');
  await child.ask('start', options);
  return child;
};

interface Revival {
  readonly firstWriteMs: number;
  readonly allMs: number;
  readonly endedMs: number;
}

const unfinished = async (hub: Hub): Promise<number> =>
  (await hub.record.rollouts.list({ unfinished: true, limit: 500 })).items.filter((rollout) => !isTerminal(rollout))
    .length;

const killAndRevive = async (
  hub: Hub,
  simulators: Simulators,
  parts: Omit<WorkerRoleOptions, 'userAgent'>,
  rollouts: number,
): Promise<Revival> => {
  const first = await workerWith({ ...parts, userAgent: FIRST_LIFE });
  const names = Array.from({ length: rollouts }, (_, n) => `app-${n}`);
  const revision = await commit(hub, {
    clusters: Object.fromEntries(simulators.servers.map(({ name }) => [name, {}])),
    applications: names,
    strategy: STRATEGY,
    render: (namespace) => threeObjects({ namespace, revision: 'one', image: 'registry.example/web:delay-6s' }),
  });
  for (const name of names) await start(hub, name, revision);
  await until('every rollout has begun to write', async () =>
    (await simulators.firstWrites(FIRST_LIFE)).size >= rollouts ? true : null,
  );
  const inFlight = await unfinished(hub);
  if (inFlight < rollouts)
    throw new Error(`only ${inFlight} of ${rollouts} rollouts are in flight: too slow a machine`);
  const killedAt = Date.now();
  await first.kill();
  const second = await workerWith({ ...parts, userAgent: SECOND_LIFE });
  const writes = await until(
    'every rollout goes on',
    async () => {
      const seen = await simulators.firstWrites(SECOND_LIFE);
      return seen.size >= rollouts ? [...seen.values()] : null;
    },
    { everyMs: 200 },
  );
  await until('the end of all rollouts', async () => ((await unfinished(hub)) === 0 ? true : null));
  const endedMs = Date.now() - killedAt;
  await second.stop();
  const list = await hub.record.rollouts.list({ limit: 500 });
  const others = list.items.filter(({ state }) => state !== 'Succeeded');
  if (others.length > 0) throw new Error(`${others.length} rollouts did not succeed: ${others[0]?.message}`);
  return { firstWriteMs: Math.min(...writes) - killedAt, allMs: Math.max(...writes) - killedAt, endedMs };
};

export const benchRestart = async ({ rollouts }: { readonly rollouts: number }): Promise<Finding> => {
  const simulators = await startSimulators({
    clusters: Array.from({ length: CLUSTERS }, (_, n) => ({ name: `c${n}` })),
  });
  const database = await startDatabase();
  const hub = await openHub(database.url);
  try {
    const kubeconfigs = Object.fromEntries(simulators.servers.map(({ name, kubeconfig }) => [name, kubeconfig]));
    const found = await killAndRevive(hub, simulators, { url: database.url, kubeconfigs }, rollouts);
    return {
      name: 'restart',
      title: `kill -9 of the worker with ${rollouts} rollouts in flight (${rollouts} applications on ${CLUSTERS} clusters), another started at once`,
      columns: ['from the kill to', ''],
      rows: [
        ['the first resumed write', seconds(found.firstWriteMs)],
        ['a write of every rollout', seconds(found.allMs)],
        ['all of them succeeded', seconds(found.endedMs)],
      ],
      notes: [
        'the start of the new process is in it; a dead worker’s claims run out after 6 s; pods take 6 s to be ready, one cluster after the other',
      ],
      figures: {
        rollouts,
        firstWriteMs: found.firstWriteMs,
        allAdvancingMs: found.allMs,
        allSucceededMs: found.endedMs,
      },
    };
  } finally {
    await hub.close();
    await database.stop();
    await simulators.stop();
  }
};
