import type { Rollout, RolloutId, Strategy } from '@breakwater/domain';
import { begin, latest, pass, someone, targetOf, tell, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

const SMOKE: Strategy['gates'][number] = {
  name: 'smoke',
  kind: 'http',
  phase: 'during',
  waves: null,
  spec: {},
  policy: {
    initialDelay: 0,
    interval: 10_000,
    count: 1,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    timeout: null,
    onInconclusive: 'wait',
  },
};
const measured = (verdict: 'Success' | 'Inconclusive') =>
  ({ type: 'GateMeasured', gate: 'smoke', measurement: { verdict, evidence: 'seen' } }) as const;
const why = { reason: 'incident 4711' };
const OTHER = 'another-application' as RolloutId;

/** c1 was away, and is owed the revision of a rollout that has ended. */
const owing = async (
  shape: Partial<Shape> = {},
): Promise<{ readonly world: RolloutWorld; readonly rollout: Rollout }> => {
  const world = new RolloutWorld({ ...usual, ...shape });
  world.down.add('c1');
  const rollout = await begin(world);
  for (let at = 0; at < 30 && (await latest(world, rollout)).state !== 'Incomplete'; at += 1) {
    await pass(world, 0);
    if (shape.gates !== undefined) await tell(world, rollout, 'c0', measured('Success'));
  }
  expect((await latest(world, rollout)).state).toBe('Incomplete');
  expect((await targetOf(world, rollout, 'c1')).owes).toBe('forward');
  return { world, rollout };
};

describe('a debt whose gate cannot say yes or no', () => {
  const stuck = async () => {
    const made = await owing({ gates: [SMOKE] });
    const { world, rollout } = made;
    world.down.clear();
    for (let at = 0; at < 10 && (await targetOf(world, rollout, 'c1')).phase !== 'gates'; at += 1) await pass(world, 0);
    await tell(world, rollout, 'c1', measured('Inconclusive'));
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Verifying', owes: 'forward' });
    return made;
  };

  it('is settled when a person lets the gate pass, which the headline says from then on', async () => {
    const { world, rollout } = await stuck();
    await world.commands.override(rollout.id, { wave: 'w0', gate: 'smoke', cluster: 'c1', ...why }, someone);
    const said = (await latest(world, rollout)).message;
    expect(said).toMatch(/^gate smoke of wave w0 on c1 was overridden by on-call; /);
    await pass(world, 30);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Succeeded', owes: null });
  });

  it('is settled when the gate is measured anew, and passes', async () => {
    const { world, rollout } = await stuck();
    await world.commands.retry(rollout.id, { wave: 'w0', gate: 'smoke', cluster: 'c1' }, someone);
    await tell(world, rollout, 'c1', measured('Success'));
    await pass(world, 10);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Succeeded', owes: null });
  });

  it('is tried anew on request, and stays owed', async () => {
    const { world, rollout } = await stuck();
    const { attempt } = await targetOf(world, rollout, 'c1');
    await world.commands.retry(rollout.id, { cluster: 'c1' }, someone);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Pending', owes: 'forward', dueAt: world.now });
    await pass(world, 0);
    expect((await targetOf(world, rollout, 'c1')).attempt).toBe(attempt + 1);
  });

  it('is given up on request, and holds its cluster no longer', async () => {
    const { world, rollout } = await stuck();
    await world.commands.skip(rollout.id, { cluster: 'c1' }, someone);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Skipped', owes: null, skippedBy: 'on-call' });
    expect((await world.record.cluster.application('web', 'c1'))?.blockedBy ?? null).toBeNull();
    await expect(world.commands.skip(rollout.id, { cluster: 'c0' }, someone)).rejects.toThrow('Incomplete');
  });
});

describe('a debt that is settled', () => {
  it('waits for its failure domain, says so, and gives the slot back', async () => {
    const { world, rollout } = await owing({ domainSlots: 1 });
    await world.record.transaction((tx) => tx.takeDomainSlot('d1', 1, OTHER, 'theirs'));
    world.down.clear();
    await pass(world, 20);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ owes: 'forward', touched: false });
    expect((await targetOf(world, rollout, 'c1')).message).toMatch(/failure domain d1 is taken/);

    await world.record.transaction((tx) => tx.freeDomainSlots(OTHER));
    await pass(world, 0);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Applying');
    const take = () => world.record.transaction((tx) => tx.takeDomainSlot('d1', 1, OTHER, 'theirs'));
    expect(await take()).toBe(false);
    await pass(world, 30);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Succeeded', owes: null });
    expect(await take()).toBe(true);
  });

  it('waits for the window that closes its cluster', async () => {
    const world = new RolloutWorld({ ...usual, freeze: true, domainSlots: 1 });
    world.down.add('c1');
    const rollout = await begin(world);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('Incomplete');
    world.down.clear();
    await pass(world, 15);
    const held = await targetOf(world, rollout, 'c1');
    expect(held).toMatchObject({ owes: 'forward', touched: false, reason: 'FreezeWindow' });
    expect(held.message).toMatch(/freeze window early is in force/);
    await pass(world, 180);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Succeeded', owes: null });
  });

  it('waits for room on its cluster', async () => {
    const { world, rollout } = await owing({ clusterConcurrency: 1 });
    const theirs = {
      ...(await latest(world, rollout)),
      id: OTHER,
      application: 'other',
      state: 'Progressing',
    } as const;
    const busy = { ...(await targetOf(world, rollout, 'c1')), rollout: OTHER, state: 'Verifying', owes: null } as const;
    await world.record.transaction(async (tx) => {
      await tx.insertRollout(theirs, null);
      await tx.insertTargets([{ ...busy, dueAt: null }]);
    });
    world.down.clear();
    const seen = await targetOf(world, rollout, 'c1');
    await world.work({ ...seen, dueAt: world.now }, true);
    expect((await targetOf(world, rollout, 'c1')).message).toMatch(/enough rollouts are in flight/);
    await world.record.transaction((tx) => tx.saveTarget({ ...busy, state: 'Succeeded', dueAt: null }));
    await world.work({ ...seen, dueAt: world.now }, true);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Applying');
  });
});
