import { reconcileRollout } from '@breakwater/application';
import type { Rollout } from '@breakwater/domain';
import { startDatabase } from './embedded.ts';
import { commit, type Hub, openHub, start } from './hub.ts';
import { percentile } from './measure.ts';
import { oneObject } from './objects.ts';
import { digits, type Finding } from './report.ts';

const ASKED = 200;
const STRATEGY = `
  waves:
    - { name: everything, maxConcurrent: 10% }
  failureDomains: { maxInFlight: 100000 }`;

/** A rollout in the middle of its wave: a tenth of its targets is being verified, some have been, the rest waits. */
const underWay = async (hub: Hub, size: number): Promise<Rollout> => {
  const names = Array.from({ length: size }, (_, n) => `s${size}-${n}`);
  const application = `app-${size}`;
  const revision = await commit(hub, {
    clusters: Object.fromEntries(names.map((name) => [name, {}])),
    applications: [application],
    strategy: STRATEGY,
    render: (namespace) => oneObject({ namespace, revision: 'one', image: '' }),
  });
  const { id } = await start(hub, application, revision);
  await hub.record.transaction(async (tx) => {
    const preflight = { state: 'Passed', findings: [], warnings: [], notDryRun: [], at: await tx.now() } as const;
    for (const name of names) {
      const target = await tx.target(id, name);
      if (target !== null) await tx.saveTarget({ ...target, preflight });
    }
  });
  const parts = { record: hub.record, wakeUps: hub.queue, bundles: hub.bundles };
  for (let look = 0; look < 3; look += 1) await reconcileRollout(parts, id);
  const rollout = await hub.record.rollouts.get(id);
  if (rollout?.state !== 'Progressing') throw new Error(`the rollout is ${rollout?.state}: ${rollout?.message}`);
  return rollout;
};

const latencyOf = async (ask: () => Promise<unknown>): Promise<readonly number[]> => {
  const taken: number[] = [];
  for (let n = 0; n < ASKED; n += 1) {
    const began = performance.now();
    await ask();
    taken.push(performance.now() - began);
  }
  return taken;
};

export const benchExplainLatency = async ({ sizes }: { readonly sizes: readonly number[] }): Promise<Finding> => {
  const database = await startDatabase();
  const hub = await openHub(database.url);
  const figures: Record<string, number> = {};
  const rows: (readonly string[])[] = [];
  try {
    const floor = percentile(await latencyOf(() => hub.record.now()), 50);
    for (const size of sizes) {
      const { id } = await underWay(hub, size);
      await latencyOf(() => hub.commands.explain(id));
      const taken = await latencyOf(() => hub.commands.explain(id));
      const [p50, p99] = [percentile(taken, 50), percentile(taken, 99)];
      figures[`p50Ms${size}`] = p50;
      figures[`ratio${size}`] = p50 / floor;
      rows.push([String(size), digits(p50), digits(p99), digits(floor), `${digits(p50 / floor)} ×`]);
    }
  } finally {
    await hub.close();
    await database.stop();
  }
  return {
    name: 'explain-latency',
    title: `rollout explain, asked ${ASKED} times one after the other; ms`,
    columns: ['targets', 'p50', 'p99', 'floor', 'p50 to floor'],
    rows,
    notes: ['floor: one question to the record (what time it is); must not grow with the targets'],
    figures,
  };
};
