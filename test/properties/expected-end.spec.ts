import { begin, latest, pass, someone, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

/** Lets time pass until it is so; a rollout that does not get there fails the test rather than keeping it. */
const passUntil = async (world: RolloutWorld, isSo: () => Promise<boolean>): Promise<void> => {
  for (let round = 0; round < 500; round += 1) {
    if (await isSo()) return;
    await pass(world, 0);
  }
  throw new Error('it did not become so');
};

const shape: Shape = { ...usual, clusters: 8, waves: 2, maxConcurrent: 1, soakMs: 30_000, domains: 8 };

describe('the end that explain expects', () => {
  it('is null before anything was measured, and then holds the end that comes', async () => {
    const world = new RolloutWorld(shape);
    const rollout = await begin(world);
    const end = async () => (await world.commands.explain(rollout.id)).expectedEnd;
    expect(await end()).toBeNull();
    await passUntil(world, async () => (await end()) !== null);
    const expected = (await end())!;
    expect(expected.basis).toMatch(/^from 1 measured cluster: /);
    await passUntil(world, async () => (await latest(world, rollout)).finishedAt !== null);
    const { state, finishedAt } = await latest(world, rollout);
    expect(state).toBe('Succeeded');
    // The world looks at everything once in five seconds, and a rollout at rest every few looks.
    expect(finishedAt!).toBeGreaterThanOrEqual(expected.earliest);
    expect(Math.abs(finishedAt! - expected.latest)).toBeLessThanOrEqual(60_000);
    expect(await end()).toBeNull();
  });

  it('comes from the rollout before where this one has measured nothing, and is null while a person holds it', async () => {
    const world = new RolloutWorld(shape);
    const first = await begin(world);
    await passUntil(world, async () => (await latest(world, first)).finishedAt !== null);
    const second = await begin(world);
    await pass(world, 0);
    const explained = await world.commands.explain(second.id);
    expect(explained.expectedEnd?.basis).toMatch(/^from 8 measured clusters of the rollout before: /);
    expect(explained.expectedEnd!.latest).toBeGreaterThan(world.now);
    await world.commands.pause(second.id, { mode: 'drain' }, someone);
    expect((await world.commands.explain(second.id)).expectedEnd).toBeNull();
  });
});
