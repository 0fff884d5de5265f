import { createFleetCommands, type RecordPort, type RepositoryRecord } from '@breakwater/application';
import { createMemoryRecord } from '@breakwater/testing';
import { begin, pass, someone, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

const why = { reason: 'rebuilt last night' };

const trail = async (record: RecordPort, type: string) => {
  await record.audit.seal(10_000);
  return (await record.audit.after(0, 10_000)).filter((event) => event.type === type);
};

/** A Git sync that says yes to everything. */
const agreeing = async (state: RepositoryRecord['state']): Promise<RecordPort> => {
  const record = createMemoryRecord({ now: () => 1 });
  const repository = { name: 'fleet', url: 'u', ref: 'main', message: '', good: null, errors: [], triedAt: 1 };
  await record.sync.saveRepository({ ...repository, state, observed: { commit: 'c1', at: 1 } }, []);
  const yes = { ok: true, code: '', message: '', commit: 'c1', errors: [] };
  await record.listen('sync', (id) => void record.sync.answer(id, yes));
  return record;
};

describe('the reason that a person gives is in the audit trail', () => {
  it.each(['Held', 'Synced'] as const)('of a repository that is %s', async (state) => {
    const record = await agreeing(state);
    const fleet = createFleetCommands({ record });
    if (state === 'Held') await fleet.approveRepository('fleet', why, someone);
    else await fleet.syncRepository('fleet', why, someone);
    const type = state === 'Held' ? 'repository.approve' : 'repository.sync';
    expect(await trail(record, type)).toMatchObject([{ actor: 'on-call', repository: 'fleet', ...why }]);
  });

  it.each([
    [why, 'rebuilt last night'],
    [{}, 'Accepted'],
  ])('of a cluster that is accepted with %j', async (input, reason) => {
    const record = createMemoryRecord({ now: () => 1 });
    await record.cluster.observe('c1', { kind: 'Seen', uid: 'u1', version: 'v1' });
    await record.cluster.observe('c1', { kind: 'Seen', uid: 'u2', version: 'v1' });
    await record.listen('look', (id) => void record.looks.answer(id, { refused: 'nobody looks' }));
    const fleet = createFleetCommands({ record });
    expect(await fleet.acceptCluster('c1', input, someone)).toMatchObject({ state: 'Ready', uid: 'u2' });
    expect((await trail(record, 'cluster.state-changed')).at(-1)).toMatchObject({ actor: 'on-call', reason });
    const { changes } = await fleet.changesOn('c1', { since: 0 });
    const told = input === why ? 'rebuilt last night' : '';
    expect(changes).toMatchObject([{ what: 'on-call accepted the cluster behind this name', reason: told }]);
  });

  it('of the emergency stop and its end, also where no rollout is in progress', async () => {
    const world = new RolloutWorld(usual);
    expect(await world.commands.stopAll({ reason: 'fire' }, someone)).toEqual([]);
    expect(await world.commands.resumeAll({ reason: 'it is out' }, someone)).toEqual([]);
    expect(await trail(world.record, 'emergency.stopped')).toMatchObject([{ actor: 'on-call', reason: 'fire' }]);
    expect(await trail(world.record, 'emergency.lifted')).toMatchObject([{ actor: 'on-call', reason: 'it is out' }]);
  });
});

describe('an abort that is asked for again', () => {
  it('answers whether it is in force by now, and changes nothing', async () => {
    const world = new RolloutWorld(usual);
    const { id } = await begin(world);
    await world.record.claims.claim(id, 'c0', 'w', 'permit', 600_000);
    const request = {
      permit: 'permit',
      rollout: id,
      cluster: 'c0',
      worker: 'w',
      claim: 'permit',
      direction: 'forward',
    };
    expect(await world.record.permits.acquire(request as never, 1_500)).not.toBeNull();
    const first = world.commands.abort(id, { reason: 'wrong' }, someone);
    while ((await world.record.rollouts.get(id))?.state !== 'Aborted') await new Promise(setImmediate);
    world.now += 6_000;
    await world.record.permits.release('permit', true);
    await first;
    const again = await world.commands.abort(id, {}, someone);
    expect(again).toMatchObject({ inForce: true, unsettled: ['c0'], rollout: { state: 'Aborted' } });
    expect(await trail(world.record, 'rollout.abort')).toHaveLength(1);
  });

  it('is still refused for a rollout that has ended otherwise', async () => {
    const world = new RolloutWorld(usual);
    const { id } = await begin(world);
    await pass(world, 60);
    await expect(world.commands.abort(id, {}, someone)).rejects.toMatchObject({ code: 'StateForbids' });
  });
});
