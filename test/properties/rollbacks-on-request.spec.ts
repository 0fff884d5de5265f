import type { RollbackInput } from '@breakwater/application';
import type { Rollout } from '@breakwater/domain';
import { begin, latest, pass, someone, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

/** c0 and c2 are w0 and region r0, c1 and c3 are w1 and region r1. */
const succeeded = async (): Promise<{ readonly world: RolloutWorld; readonly rollout: Rollout }> => {
  const world = new RolloutWorld({ ...usual, clusters: 4, waves: 2 });
  const rollout = await begin(world);
  await pass(world, 120);
  expect((await latest(world, rollout)).state).toBe('Succeeded');
  return { world, rollout };
};

const returned = async (world: RolloutWorld, rollout: Rollout): Promise<readonly string[]> => {
  const states = (await world.targets(rollout)).filter(({ state }) => state === 'RolledBack');
  return states.map(({ cluster }) => cluster).sort();
};

describe('a rollback that a person asks for', () => {
  it.each<[RollbackInput, readonly string[]]>([
    [{ cluster: 'c1' }, ['c1']],
    [{ scope: 'cluster', region: 'r0' }, ['c0', 'c2']],
    [{ scope: 'wave', wave: 'w0' }, ['c0', 'c2']],
    [{ scope: 'wave' }, ['c1', 'c3']],
    [{}, ['c0', 'c1', 'c2', 'c3']],
  ])('of %j takes back %j', async (input, clusters) => {
    const { world, rollout } = await succeeded();
    await world.commands.rollback(rollout.id, input, someone);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect(await returned(world, rollout)).toEqual(clusters);
  });

  it.each<[RollbackInput, string, string]>([
    [{ scope: 'cluster' }, 'Invalid', 'NothingNamed'],
    [{ scope: 'rollout', cluster: 'c1' }, 'Invalid', 'ScopeContradicts'],
    [{ scope: 'wave', region: 'r0' }, 'Invalid', 'ScopeContradicts'],
    [{ cluster: 'c9' }, 'NotFound', 'ClusterNotFound'],
    [{ region: 'r9' }, 'NotFound', 'RegionNotFound'],
    [{ wave: 'w9' }, 'NotFound', 'WaveNotFound'],
  ])('of %j takes back nothing: %s %s', async (input, category, code) => {
    const { world, rollout } = await succeeded();
    await expect(world.commands.rollback(rollout.id, input, someone)).rejects.toMatchObject({ category, code });
    expect((await latest(world, rollout)).state).toBe('Succeeded');
    expect(await returned(world, rollout)).toEqual([]);
  });

  it('of the last wave finds none where nothing has been touched', async () => {
    const world = new RolloutWorld({ ...usual, clusters: 4, waves: 2 });
    const rollout = await begin(world);
    const asked = world.commands.rollback(rollout.id, { scope: 'wave' }, someone);
    await expect(asked).rejects.toMatchObject({ code: 'NothingToRollBack' });
  });

  it('of an unknown cluster does not try those again that could not be restored', async () => {
    const { world, rollout } = await succeeded();
    world.down.add('c1');
    await world.commands.rollback(rollout.id, {}, someone);
    await pass(world, 120);
    expect((await latest(world, rollout)).state).toBe('RollbackFailed');
    const asked = world.commands.rollback(rollout.id, { cluster: 'c9' }, someone);
    await expect(asked).rejects.toMatchObject({ code: 'ClusterNotFound' });
    expect((await latest(world, rollout)).state).toBe('RollbackFailed');
  });
});
