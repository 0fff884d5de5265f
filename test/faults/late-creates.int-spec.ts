import { SimulatedWorkers } from '../support/simulated-workers.ts';

const STRATEGY = `
  waves:
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, approval: { required: 1 } }
  gates:
    - { name: workloads-ready, workloads: { timeout: 20s, stableFor: 1s, failFast: 1s } }
  concurrentRollouts: supersede
`;

const BOUND_MS = 60_000;

describe('a create that reaches a cluster only after the next release was verified there', () => {
  let world: SimulatedWorkers;
  beforeAll(async () => {
    world = await SimulatedWorkers.create({ clusters: 2, workers: 1, strategy: STRATEGY });
  }, 120_000);
  afterAll(() => world?.stop(), 60_000);

  it('is taken away again before the rollout ends', async () => {
    const canary = world.fleet.cluster('c0');
    let held = 0;
    const land = canary.fault({
      kind: 'hang',
      times: 1,
      match: ({ method, path, query }) => {
        const late = method === 'PATCH' && path.endsWith('/configmaps/of-1') && query.get('dryRun') === null;
        if (late) held += 1;
        return late;
      },
    });
    const first = await world.start(await world.commit('1'));
    await world.until(first.id, () => held > 0, BOUND_MS);
    const second = await world.start(await world.commit('2'), { supersede: true });
    await world.until(second.id, ({ waves }) => waves[1]?.state === 'AwaitingApproval', BOUND_MS);
    expect(canary.object('configmaps', 'web', 'of-1')).toBeUndefined();

    land();
    expect(canary.object('configmaps', 'web', 'of-1')).toBeDefined();
    await world.commands.approve(second.id, { wave: 'rest' }, { name: 'ada' });
    expect(await world.end(second.id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
    expect(canary.object('configmaps', 'web', 'of-1')).toBeUndefined();
    expect(canary.object('configmaps', 'web', 'of-2')).toBeDefined();
  }, 200_000);
});
