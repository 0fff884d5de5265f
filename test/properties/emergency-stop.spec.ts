import type { Rollout, RolloutId, Target } from '@breakwater/domain';
import { begin, latest, pass, someone, targetOf, tell, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

const other = { name: 'release-manager' };

/** A worker that has been allowed to write, and is in the middle of it. */
const writing = async (
  world: RolloutWorld,
  { rollout, cluster }: Pick<Target, 'rollout' | 'cluster'>,
  direction: 'forward' | 'backward' | 'owed',
): Promise<string> => {
  const permit = `${rollout}/${cluster}`;
  await world.record.claims.claim(rollout, cluster, 'w', permit, 600_000);
  const request = { permit, rollout, cluster, worker: 'w', claim: permit, direction };
  expect(await world.record.permits.acquire(request, 1_500)).not.toBeNull();
  return permit;
};

/** An ended rollout that owes c1 its revision, and has just begun to settle that. */
const settlingDebt = async (world: RolloutWorld): Promise<Rollout> => {
  world.down.add('c1');
  const rollout = await begin(world);
  await pass(world, 120);
  world.down.clear();
  await tell(world, rollout, 'c1', { type: 'Reached' });
  const ended = await latest(world, rollout);
  expect(ended.state).toBe('Incomplete');
  expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Applying', owes: 'forward' });
  return ended;
};

/** The answer to a command that waits, and whether it has come: time stands still unless a test lets it go on. */
const asked = <T>(answer: Promise<T>): { readonly answer: Promise<T>; readonly come: () => boolean } => {
  let come = false;
  void answer.finally(() => {
    come = true;
  });
  return { answer, come: () => come };
};

/** Resolves when the command has looked at what is outstanding and found something, for the nth time. */
const looked = (world: RolloutWorld, times: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = times;
  const { permits } = world.record;
  for (const name of ['outstanding', 'outstandingEverywhere'] as const) {
    const look = permits[name] as (...query: readonly unknown[]) => Promise<readonly unknown[]>;
    Object.assign(permits, {
      [name]: async (...query: readonly unknown[]) => {
        const found = await look(...query);
        if (found.length > 0) left -= 1;
        if (left === 0) resolve();
        return found;
      },
    });
  }
  return promise;
};

describe('the emergency stop', () => {
  it('is acknowledged only when the write of a debt that was under way has ended', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await settlingDebt(world);
    const permit = await writing(world, { rollout: rollout.id, cluster: 'c1' }, 'owed');
    const told: string[] = [];
    await world.record.listen('gate', (id) => void told.push(id));
    const found = looked(world, 2);
    const stop = asked(world.commands.stopAll({}, someone));
    await found;
    expect(stop.come()).toBe(false);
    expect(told).toContain(rollout.id);
    await world.record.permits.release(permit, false);
    expect(await stop.answer).toEqual([]);
  });

  it("names the cluster of a debt's write that nobody answered, or that goes on for too long", async () => {
    const world = new RolloutWorld(usual);
    const rollout = await settlingDebt(world);
    const permit = await writing(world, { rollout: rollout.id, cluster: 'c1' }, 'owed');
    const found = looked(world, 1);
    const late = world.commands.stopAll({}, someone);
    await found;
    await world.record.permits.release(permit, true);
    expect(await late).toMatchObject([{ rollout: { id: rollout.id }, unsettled: ['c1'], inForce: true }]);
  });

  it('lets no new write of a debt begin, and goes on with it afterwards', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await settlingDebt(world);
    await world.commands.stopAll({}, someone);
    await pass(world, 60);
    expect(world.live.get('c1')).toBeUndefined();
    await world.commands.resumeAll({}, someone);
    await pass(world, 60);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Succeeded');
  });

  it('waits for the writes of a rollout that a person had already frozen', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    const permit = await writing(world, { rollout: rollout.id, cluster: 'c0' }, 'forward');
    const frozen = looked(world, 1);
    const freeze = world.commands.pause(rollout.id, {}, other);
    await frozen;
    const found = looked(world, 2);
    const stop = asked(world.commands.stopAll({}, someone));
    await found;
    expect(stop.come()).toBe(false);
    await world.record.permits.release(permit, false);
    expect(await stop.answer).toMatchObject([{ unsettled: [], inForce: true }]);
    await freeze;
  });

  it.each(['drain', 'freeze'] as const)('gives a rollout its %s back that a person had asked for', async (mode) => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    const since = world.now;
    await world.commands.pause(rollout.id, { mode, reason: 'rates' }, other);
    world.now += 5_000;
    for (let times = 0; times < 2; times += 1) {
      const [stopped] = await world.commands.stopAll({ reason: 'fire' }, someone);
      expect(stopped?.rollout.paused).toMatchObject({ mode: 'freeze', by: 'on-call', emergency: true });
      expect(stopped?.rollout.gate).toMatchObject({ forward: false, backward: false });
    }
    world.now += 5_000;
    const [after] = await world.commands.resumeAll({}, someone);
    expect(after?.paused).toEqual({ mode, by: 'release-manager', reason: 'rates', since, emergency: false });
    expect(after?.gate).toMatchObject({ forward: mode === 'drain', backward: mode === 'drain' });
    expect(after?.clock).toEqual(
      mode === 'drain' ? { ran: 5_000, since: world.now } : { ran: expect.any(Number), since: null },
    );
    await world.commands.resume(rollout.id, {}, other);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('is not weakened by a pause of one rollout: that comes into force after it', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    await world.commands.stopAll({}, someone);
    const { rollout: paused } = await world.commands.pause(rollout.id, { mode: 'drain' }, other);
    expect(paused).toMatchObject({ paused: { mode: 'freeze', emergency: true }, gate: { forward: false } });
    const [after] = await world.commands.resumeAll({}, someone);
    expect(after).toMatchObject({ paused: { mode: 'drain', by: 'release-manager' }, gate: { forward: true } });
  });
});

describe('a pause', () => {
  it('asked for again holds the rollback that began in between', async () => {
    const world = new RolloutWorld({ ...usual, clusters: 4, maxConcurrent: 4, returnConcurrency: 1 });
    const rollout = await begin(world);
    for (const cluster of world.clusterNames) await tell(world, rollout, cluster, { type: 'Touching' });
    await world.commands.pause(rollout.id, { mode: 'drain' }, someone);
    world.now += 1_000;
    await world.commands.rollback(rollout.id, {}, someone);
    world.now += 1_000;
    const { rollout: drained } = await world.commands.pause(rollout.id, { mode: 'drain' }, other);
    expect(drained.paused).toMatchObject({ mode: 'drain', by: 'release-manager', since: world.now });
    await pass(world, 120);
    const states = (await world.targets(rollout)).map(({ state }) => state);
    expect(states.filter((state) => state === 'RolledBack')).toHaveLength(1);
    expect(states).not.toContain('RollingBack');
    await world.commands.resume(rollout.id, {}, someone);
    await pass(world, 240);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
  });
});

describe('debts', () => {
  it('of an older rollout are still known when a newer one has nothing to settle there any more', async () => {
    const world = new RolloutWorld(usual);
    world.down.add('c1');
    const first = await begin(world);
    await pass(world, 120);
    const owed = async (): Promise<RolloutId | undefined> =>
      (await world.record.cluster.application('web', 'c1'))?.owed?.rollout;
    expect(await owed()).toBe(first.id);
    const second = await begin(world);
    await pass(world, 60, ['c0']);
    expect(await targetOf(world, second, 'c1')).toMatchObject({ owes: 'forward' });
    expect(await owed()).toBe(second.id);
    await tell(world, second, 'c1', { type: 'Reached' });
    expect((await targetOf(world, second, 'c1')).owes).toBeNull();
    expect((await targetOf(world, first, 'c1')).owes).toBe('forward');
    expect(await owed()).toBe(first.id);
  });

  it('that an older rollout settles do not take a newer one with them', async () => {
    const world = new RolloutWorld(usual);
    world.down.add('c1');
    const first = await begin(world);
    await pass(world, 120);
    const second = await begin(world);
    await pass(world, 60, ['c0']);
    await tell(world, first, 'c1', { type: 'Reached' });
    await tell(world, first, 'c1', { type: 'Refused', reason: 'FieldConflict', message: '', object: null });
    expect((await targetOf(world, first, 'c1')).owes).toBeNull();
    expect((await targetOf(world, second, 'c1')).owes).toBe('forward');
    const application = await world.record.cluster.application('web', 'c1');
    expect(application?.owed).toEqual({ revision: second.revision, rollout: second.id });
  });
});

describe('a look at a rollout in which everything has to wait', () => {
  it.each([10, 200])('asks the record as little for %d clusters', async (clusters) => {
    const world = new RolloutWorld({ ...usual, clusters, domains: 2, domainSlots: 1, maxConcurrent: clusters });
    const rollout = await begin(world);
    const asks: string[] = [];
    let rows = 0;
    const { transaction } = world.record;
    const counted: typeof transaction = (work) =>
      transaction((tx) =>
        work(
          new Proxy(tx, {
            get:
              (_, name: keyof typeof tx) =>
              async (...given: readonly unknown[]) => {
                asks.push(name);
                const ask = tx[name] as (...query: readonly unknown[]) => Promise<unknown>;
                const answer: unknown = await Reflect.apply(ask, tx, given);
                if (name.endsWith('Targets') && Array.isArray(answer)) rows += answer.length;
                return answer;
              },
          }),
        ),
      );
    Object.assign(world.record, { transaction: counted });
    await world.reconcile(rollout.id);
    expect(rows).toBe(0);
    expect(asks.filter((name) => /target|lock|slot/i.test(name))).toEqual(['lockRollout', 'startableTargets']);
    expect(asks.length).toBeLessThan(10);
  });
});
