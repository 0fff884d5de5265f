import { type Fate, SimulatedWorkers, wholly } from '../support/simulated-workers.ts';
import { chosenSeed, randomFrom } from '../support/random.ts';

const CLUSTERS = 6;
const BOUND_MS = 90_000;
const SEED = chosenSeed();

const STRATEGY = `
  waves:
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, maxConcurrent: 50% }
  gates:
    - { name: workloads-ready, workloads: { timeout: 20s, stableFor: 1s, failFast: 1s } }
`;

const random = randomFrom(SEED);
const upTo = (ms: number): number => Math.floor(random() * ms);

const FATES: readonly (readonly [string, Fate])[] = [
  ['is lost', () => []],
  ['comes up to five seconds late', () => [upTo(5_000)]],
  ['comes three times, twice of them late', () => [0, upTo(500), upTo(5_000)]],
];

describe.each(FATES)(`when every wake-up %s (seed ${SEED})`, (_name, fate) => {
  let world: SimulatedWorkers;
  beforeAll(async () => {
    world = await SimulatedWorkers.create({ clusters: CLUSTERS, workers: 2, fate, strategy: STRATEGY });
  }, 120_000);
  afterAll(() => world?.stop(), 60_000);

  it('a good release gets everywhere, and a bad one is taken back', async () => {
    const began = Date.now();
    const good = await world.start(await world.commit('1'));
    expect(await world.end(good.id, BOUND_MS)).toMatchObject({ state: 'Succeeded' });
    const bad = await world.start(await world.commit('2', ['c4']));
    expect(await world.end(bad.id, BOUND_MS)).toMatchObject({ state: 'RolledBack' });
    console.info(`both ended within ${Date.now() - began} ms`);
    const names = Array.from({ length: CLUSTERS }, (_, index) => `c${index}`);
    expect(world.versions()).toEqual(new Map(names.map((name) => [name, wholly('1')])));
  }, 200_000);
});
