import { begin, latest, pass, someone, targetOf, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

const start = async (world: RolloutWorld, supersede: boolean) => {
  const revision = await world.commit(false);
  return (await world.commands.start({ application: 'web', revision, supersede }, someone)).rollout;
};

describe('a rollout that is cut short before it began', () => {
  it('passes on what it was to take back itself', async () => {
    const world = new RolloutWorld({ ...usual, waves: 2, failureBudget: 0 });
    const good = await begin(world);
    await pass(world, 120);
    expect((await latest(world, good)).state).toBe('Succeeded');

    const first = await begin(world);
    for (let at = 0; at < 20 && !(await targetOf(world, first, 'c1')).touched; at += 1) await pass(world, 0);
    const heir = await start(world, true);
    expect((await targetOf(world, heir, 'c1')).touched).toBe(true);

    // Queued while its predecessor is still being asked about; then clusters refuse that one.
    const last = await start(world, false);
    expect((await latest(world, last)).state).toBe('Queued');
    world.refusing.add('c0');
    for (let at = 0; at < 3; at += 1) await world.reconcile(heir.id);
    expect((await latest(world, heir)).state).toBe('Superseded');
    expect(await targetOf(world, last, 'c1')).toMatchObject({ touched: true, previous: good.revision });
    expect((await latest(world, last)).waves.map(({ counts }) => counts.toReturn)).toEqual([1, 1]);

    world.refusing.clear();
    world.sick.add(`${last.revision.digest}@c0`);
    await pass(world, 240);
    expect((await latest(world, last)).state).toBe('RolledBack');
    expect([world.live.get('c0'), world.live.get('c1')]).toEqual([good.revision.digest, good.revision.digest]);
  });

  it('does not take the rollback of the one before away', async () => {
    const world = new RolloutWorld(usual);
    const first = await begin(world);
    await pass(world, 60);
    const second = await start(world, false);
    await world.commands.abort(second.id, {}, someone);
    expect(await latest(world, second)).toMatchObject({ state: 'Aborted', startedAt: null });
    await world.commands.rollback(first.id, {}, someone);
    await pass(world, 60);
    expect((await latest(world, first)).state).toBe('RolledBack');
  });
});
