import { startChild } from './child.ts';
import { startDatabase } from './embedded.ts';
import { commit, type Desired, type Hub, openHub, readyClusters, start } from './hub.ts';
import { type Memory, pause, until } from './measure.ts';
import { threeObjects } from './objects.ts';
import { digits, type Finding } from './report.ts';
import { startSimulators } from './simulators.ts';
import type { WorkerRoleOptions } from './worker-role.ts';

const STRATEGY = `
  waves:
    - { name: everything, maxConcurrent: 100% }
  gates:
    - { name: workloads-ready, workloads: { timeout: 1h, stableFor: 0s, failFast: off } }`;

const KIB = 1024;

/** The first of them is there from the beginning; a rollout to it loads all code before anything is weighed. */
const desired = (names: readonly string[], image: string): Desired => ({
  clusters: Object.fromEntries(names.map((name) => [name, {}])),
  applications: ['web'],
  strategy: STRATEGY,
  render: () => threeObjects({ namespace: 'web', revision: image, image: `registry.example/web:${image}` }),
});

const verifying = async (hub: Hub, id: Awaited<ReturnType<typeof start>>['id'], count: number): Promise<void> => {
  await until('every target is being verified', async () => {
    const { items } = await hub.record.rollouts.targets(id, { states: ['Verifying', 'Succeeded'], limit: 1000 });
    return items.length >= count ? true : null;
  });
  // Watches are open a moment later.
  await pause(2_000);
};

const weigh = async (hub: Hub, names: readonly string[], options: WorkerRoleOptions) => {
  const child = startChild('worker');
  try {
    const [first = ''] = names;
    const warmUp = await commit(hub, desired([first], 'one'));
    await child.ask('start', options);
    await verifying(hub, (await start(hub, 'web', warmUp)).id, 1);
    const base = await child.ask<Memory>('memory');
    const all = await commit(hub, desired(names, 'delay-30m'));
    await readyClusters(hub, names);
    const idle = await child.ask<Memory>('memory');
    await verifying(hub, (await start(hub, 'web', all)).id, names.length);
    const busy = await child.ask<Memory>('memory');
    return { base, idle, busy };
  } finally {
    await child.kill();
  }
};

export const benchMemory = async ({ clusters }: { readonly clusters: number }): Promise<Finding> => {
  const names = Array.from({ length: clusters + 1 }, (_, n) => `c${n}`);
  const simulators = await startSimulators({ clusters: names.map((name) => ({ name })) });
  const database = await startDatabase();
  const hub = await openHub(database.url);
  try {
    const kubeconfigs = Object.fromEntries(simulators.servers.map(({ name, kubeconfig }) => [name, kubeconfig]));
    const { base, idle, busy } = await weigh(hub, names, {
      url: database.url,
      kubeconfigs,
      userAgent: 'breakwater/bench',
    });
    const mib = (memory: Memory): string => `${digits(memory.residentBytes / KIB / KIB)} MiB`;
    const resident = (after: Memory, before: Memory): number =>
      (after.residentBytes - before.residentBytes) / KIB / clusters;
    const live = (after: Memory, before: Memory): number => (after.liveBytes - before.liveBytes) / KIB / clusters;
    return {
      name: 'memory',
      title: `Resident memory of a rollout worker with ${clusters} clusters over TLS`,
      columns: ['', 'resident in all', 'resident per cluster', 'live per cluster'],
      rows: [
        ['one cluster, after a rollout', mib(base), '–', '–'],
        ['idle: known, connected', mib(idle), `${digits(resident(idle, base))} KiB`, `${digits(live(idle, base))} KiB`],
        [
          'in flight: applied, watched, not ready',
          mib(busy),
          `${digits(resident(busy, base))} KiB`,
          `${digits(live(busy, base))} KiB`,
        ],
      ],
      notes: [
        'after garbage collections, above the first row; an application of three objects',
        'with few clusters, what is resident says more about the heap than about them: live is objects and buffers alone',
      ],
      figures: {
        clusters,
        baseBytes: base.residentBytes,
        idleKiBPerCluster: resident(idle, base),
        inFlightKiBPerCluster: resident(busy, base),
        idleLiveKiBPerCluster: live(idle, base),
        inFlightLiveKiBPerCluster: live(busy, base),
      },
    };
  } finally {
    await hub.close();
    await database.stop();
    await simulators.stop();
  }
};
