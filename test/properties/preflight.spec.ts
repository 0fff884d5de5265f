import type { RolloutId } from '@breakwater/domain';
import { begin, latest, pass, someone, targetOf, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

const several = { ...usual, clusters: 3, maxConcurrent: 3 };

/** In words: who was asked what of the clusters since it was last called. */
const asked = (world: RolloutWorld): readonly string[] => world.questions.splice(0);

describe('a preflight', () => {
  it('begins nothing anywhere while a cluster would refuse, says which and why, and goes on by itself', async () => {
    const world = new RolloutWorld(several);
    world.refusing.add('c1');
    const rollout = await begin(world);
    expect(await latest(world, rollout)).toMatchObject({
      state: 'Preflight',
      reason: 'PreflightFailed',
      message: 'cluster c1: admission denied',
      startedAt: null,
    });
    expect(await world.commands.explain(rollout.id)).toMatchObject({
      blockers: [{ gate: 'preflight', cluster: 'c1', evidence: 'admission denied' }],
    });
    await pass(world, 120);
    expect(world.live.size).toBe(0);
    for (const cluster of world.clusterNames)
      expect(await targetOf(world, rollout, cluster)).toMatchObject({ state: 'Pending', attempt: 0 });
    world.refusing.clear();
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('leaves out who would refuse, by name, where the strategy says so; a person may try it anew', async () => {
    const world = new RolloutWorld({ ...several, preflight: 'leaveOut' });
    world.refusing.add('c1');
    const rollout = await begin(world);
    await pass(world, 60);
    const ended = await latest(world, rollout);
    expect(ended).toMatchObject({ state: 'Incomplete' });
    expect(ended.message).toMatch(/1 skipped.*c1/);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({
      state: 'Skipped',
      reason: 'PreflightFailed',
      message: 'admission denied',
      touched: false,
      owes: null,
    });
    expect(world.live.has('c1')).toBe(false);
  });

  it('waits where every cluster would refuse, also with leaveOut', async () => {
    const world = new RolloutWorld({ ...several, preflight: 'leaveOut' });
    for (const cluster of world.clusterNames) world.refusing.add(cluster);
    const rollout = await begin(world);
    await pass(world, 30);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Preflight', reason: 'PreflightFailed' });
  });

  it('does not wait for a cluster that is away: what the strategy says of those decides', async () => {
    const world = new RolloutWorld(several);
    world.down.add('c2');
    const rollout = await begin(world);
    expect((await latest(world, rollout)).state).toBe('Progressing');
    expect((await targetOf(world, rollout, 'c2')).preflight).toMatchObject({
      state: 'Skipped',
      findings: [{ reason: 'Timeout', message: 'no answer' }],
    });
  });

  it('asks a cluster that has the very bundle already only who it is', async () => {
    const world = new RolloutWorld(several);
    const first = await begin(world);
    expect(asked(world)).toHaveLength(6);
    await pass(world, 60);
    expect((await latest(world, first)).state).toBe('Succeeded');
    asked(world);
    const { revision } = await targetOf(world, first, 'c0');
    await world.record.transaction(async (tx) => {
      for (const cluster of world.clusterNames) await tx.setRunning('web', cluster, revision);
    });
    const again = { application: 'web', revision: first.revision.commit };
    const { rollout } = await world.commands.start(again, someone);
    await world.reconcile(rollout.id);
    expect(asked(world)).toEqual(['identify c0', 'identify c1', 'identify c2']);
  });

  it('goes on where another worker died: who has answered is not asked again', async () => {
    const world = new RolloutWorld(several);
    const commit = await world.commit(false);
    const { rollout } = await world.commands.start({ application: 'web', revision: commit }, someone);
    const id: RolloutId = rollout.id;
    world.dying = 'c1';
    await world.reconcile(id).catch(() => undefined);
    expect((await latest(world, rollout)).state).toBe('Preflight');
    expect((await targetOf(world, rollout, 'c0')).preflight).toMatchObject({ state: 'Passed' });
    expect((await targetOf(world, rollout, 'c1')).preflight).toBeNull();
    asked(world);
    world.dying = null;
    await world.reconcile(id);
    expect(asked(world)).toEqual(['identify c1', 'preflight c1']);
    expect((await latest(world, rollout)).state).toBe('Progressing');
  });

  it('gives way to a newer release, as nothing was changed yet', async () => {
    const world = new RolloutWorld(several);
    world.refusing.add('c1');
    const stuck = await begin(world);
    world.refusing.clear();
    const mended = await begin(world);
    expect(await latest(world, stuck)).toMatchObject({ state: 'Superseded' });
    await pass(world, 60);
    expect((await latest(world, mended)).state).toBe('Succeeded');
  });

  it('gives way to one that is queued by the time it is refused', async () => {
    const world = new RolloutWorld(several);
    const first = await world.commands.start({ application: 'web', revision: await world.commit(false) }, someone);
    const second = await world.commands.start({ application: 'web', revision: await world.commit(false) }, someone);
    expect(second.rollout.state).toBe('Queued');
    world.refusing.add('c1');
    await world.reconcile(first.rollout.id);
    expect(await latest(world, first.rollout)).toMatchObject({ state: 'Superseded' });
    world.refusing.clear();
    await pass(world, 60);
    expect((await latest(world, second.rollout)).state).toBe('Succeeded');
  });
});
