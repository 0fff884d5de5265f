import type { Rollout, RolloutId } from '@breakwater/domain';
import { begin, latest, pass, someone, targetOf, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

const fallsIll = (world: RolloutWorld, rollout: Rollout, ...clusters: readonly string[]): void => {
  for (const cluster of clusters) world.sick.add(`${rollout.revision.digest}@${cluster}`);
};

const statesOf = async (world: RolloutWorld, rollout: Rollout): Promise<readonly string[]> =>
  (await world.targets(rollout)).map(({ cluster, state, reason }) => `${cluster} ${state} ${reason}`).sort();

describe('a rollback of one wave', () => {
  /** c0 and c2 are w0 and verified; of w1, c1 has failed within the budget and is on its way back, and c3 is in flight. */
  const inTheSecondWave = async () => {
    const world = new RolloutWorld({ ...usual, clusters: 4, waves: 2, scope: 'wave', domainSlots: 4 });
    const rollout = await begin(world);
    fallsIll(world, rollout, 'c1');
    for (let at = 0; at < 20 && (await targetOf(world, rollout, 'c1')).state !== 'RollingBack'; at += 1)
      await pass(world, 0, (await targetOf(world, rollout, 'c3')).state === 'Verifying' ? ['c3'] : []);
    expect(await statesOf(world, rollout)).toEqual([
      'c0 Succeeded Verified',
      'c1 RollingBack ReturningFailed',
      'c2 Succeeded Verified',
      'c3 Verifying GatePending',
    ]);
    return { world, rollout };
  };

  it('is not over while a cluster of another wave is on its way back', async () => {
    const { world, rollout } = await inTheSecondWave();
    fallsIll(world, rollout, 'c0', 'c2');
    await pass(world, 120, ['c1', 'c3']);
    expect((await latest(world, rollout)).state).toBe('RollingBack');
    expect((await targetOf(world, rollout, 'c1')).state).toBe('RollingBack');
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect((await targetOf(world, rollout, 'c1')).state).toBe('RolledBack');
  });

  it('says what it has left in flight in another wave', async () => {
    const { world, rollout } = await inTheSecondWave();
    fallsIll(world, rollout, 'c0', 'c2');
    await pass(world, 120, ['c3']);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect(await targetOf(world, rollout, 'c3')).toMatchObject({ state: 'Verifying', reason: 'Partial', dueAt: null });
  });
});

describe('returns that respect failure domains', () => {
  const OTHER = 'another-application' as RolloutId;
  const hold = (world: RolloutWorld, domain: string): Promise<boolean> =>
    world.record.transaction((tx) => tx.takeDomainSlot(domain, 1, OTHER, 'theirs'));

  it('are not held by what stands still on its way forward', async () => {
    const shape = {
      ...usual,
      waves: 2,
      domains: 1,
      domainSlots: 1,
      failureBudget: 0,
      returnDomains: 'respect',
    } as const;
    const world = new RolloutWorld(shape);
    const rollout = await begin(world);
    await pass(world, 40, ['c1']);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Applying', touched: false });
    fallsIll(world, rollout, 'c0');
    await pass(world, 120, ['c1']);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect((await targetOf(world, rollout, 'c0')).state).toBe('RolledBack');
  });

  it('go past a cluster whose failure domain another rollout holds, and say that they wait for it', async () => {
    const world = new RolloutWorld({ ...usual, domainSlots: 1, returnConcurrency: 1, returnDomains: 'respect' });
    const rollout = await begin(world);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
    await hold(world, 'd0');
    await world.commands.rollback(rollout.id, {}, someone);
    await pass(world, 60);
    expect(await statesOf(world, rollout)).toEqual(['c0 Succeeded Verified', 'c1 RolledBack Restored']);
    const [blocker] = await world.commands.waiting(await latest(world, rollout));
    expect(blocker).toMatchObject({ reason: 'FailureDomain', wave: 'w0', since: expect.any(Number) });
    expect(blocker?.evidence).toMatch(/^1 cluster waits to be returned: another rollout/);
    expect(await world.record.rollouts.nextDue()).toBeLessThan(world.now);

    await world.record.transaction((tx) => tx.freeDomainSlots(OTHER));
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect((await targetOf(world, rollout, 'c0')).state).toBe('RolledBack');
  });

  it('name the rollout that holds it', async () => {
    const world = new RolloutWorld({ ...usual, domainSlots: 1, returnConcurrency: 1, returnDomains: 'respect' });
    const rollout = await begin(world);
    await pass(world, 60);
    await hold(world, 'd0');
    await world.commands.rollback(rollout.id, {}, someone);
    await pass(world, 60);
    const there = await targetOf(world, rollout, 'c0');
    const other = { ...(await latest(world, rollout)), id: OTHER, application: 'db', sequence: 1 };
    await world.record.transaction(async (tx) => {
      await tx.insertRollout({ ...other, state: 'Progressing' }, null);
      await tx.insertTargets([{ ...there, rollout: OTHER, cluster: 'theirs', state: 'Verifying', message: 'slow' }]);
    });
    const [blocker] = await world.commands.waiting(await latest(world, rollout));
    expect(blocker?.evidence).toBe(
      `1 cluster waits to be returned: rollout ${OTHER} of db (Progressing) is at work in its failure domain d0, on theirs: Verifying: slow`,
    );
  });

  it('that a person has named do not wait for it', async () => {
    const world = new RolloutWorld({ ...usual, domainSlots: 1, returnDomains: 'respect' });
    const rollout = await begin(world);
    await pass(world, 60);
    await hold(world, 'd0');
    await world.commands.rollback(rollout.id, { cluster: 'c0' }, someone);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect(await statesOf(world, rollout)).toEqual(['c0 RolledBack Restored', 'c1 Succeeded Verified']);
  });
});
