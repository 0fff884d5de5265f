import type { RolloutId } from '@breakwater/domain';
import { setTimeout as delay } from 'node:timers/promises';
import { SimulatedWorkers } from '../support/simulated-workers.ts';

/** Longer than a worker takes to stop, and much shorter than the time between two regular looks at a cluster. */
const POD_READY_MS = 3_000;
const FAR_MS = 20_000;
const BOUND_MS = 60_000;

const STRATEGY = `
  waves:
    - { name: everything, clusters: { all: true } }
  gates:
    - { name: workloads-ready, workloads: { timeout: 2m, stableFor: 0s, failFast: 0s } }
`;

describe('a cluster that is watched by a worker that stops', () => {
  let world: SimulatedWorkers;
  beforeAll(async () => {
    world = await SimulatedWorkers.create({ clusters: 1, workers: 1, strategy: STRATEGY, podReadyMs: POD_READY_MS });
  }, 120_000);
  afterAll(() => world?.stop(), 60_000);

  /** Waits until the cluster is watched, and returns when it would be looked at next if nothing changed. */
  const lookFarAhead = async (id: RolloutId): Promise<number> => {
    for (;;) {
      const target = await world.record.rollouts.target(id, 'c0');
      if (target?.state === 'Verifying' && (target.dueAt ?? 0) > (await world.record.now()) + FAR_MS)
        return target.dueAt!;
      await delay(20);
    }
  };

  it('is watched by the next one at once, not from its next regular look on', async () => {
    const { id } = await world.start(await world.commit('1'));
    const nextLook = await lookFarAhead(id);
    await world.stopWorkers();
    expect(await world.record.rollouts.dueTargets(5)).toEqual([{ rollout: id, cluster: 'c0' }]);

    await world.startWorker();
    const { finishedAt } = await world.end(id, BOUND_MS);
    expect(finishedAt).toBeLessThan(nextLook);
  }, 200_000);
});
