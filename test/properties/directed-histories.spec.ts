import type { ObjectKey, Strategy } from '@breakwater/domain';
import { begin, latest, pass, someone, targetOf, tell, usual } from './directed-world.ts';
import { IMMUTABLE, RolloutWorld } from './rollout-world.ts';
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
const passed = { type: 'GateMeasured', gate: 'smoke', measurement: { verdict: 'Success', evidence: '200' } } as const;

const refusal = { type: 'Refused', reason: 'FieldConflict', message: 'owned by kubectl', object: null } as const;

describe('directed histories', () => {
  it('ends a debt whose settlement was refused before anything was written, so that the next rollout may try', async () => {
    const world = new RolloutWorld(usual);
    world.down.add('c1');
    const first = await begin(world);
    await pass(world, 120);
    expect((await latest(world, first)).state).toBe('Incomplete');
    world.down.clear();
    await tell(world, first, 'c1', { type: 'Reached' });
    await tell(world, first, 'c1', refusal);
    expect(await targetOf(world, first, 'c1')).toMatchObject({ state: 'Failed', touched: false, owes: null });

    const second = await begin(world);
    await pass(world, 120);
    expect(await latest(world, second)).toMatchObject({ state: 'Succeeded' });
  });

  it('lets the wait for a cluster pass whose credentials are refused by now', async () => {
    const world = new RolloutWorld(usual);
    world.down.add('c1');
    const rollout = await begin(world);
    await pass(world, 5);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Unreachable');
    for (let at = 0; at < 12; at += 1) {
      await pass(world, 5, ['c1']);
      await tell(world, rollout, 'c1', { ...refusal, reason: 'CredentialsRefused', message: 'exec is not allowed' });
    }
    expect((await latest(world, rollout)).state).toBe('Incomplete');
  });

  it('stops a writer whose rollout has ended before it touched anything', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    const seen = await targetOf(world, rollout, 'c0');
    expect(seen.state).toBe('Applying');
    await world.commands.abort(rollout.id, {}, someone);
    const effects: string[] = [];
    const told = await world.tell(seen, { type: 'Touching' }, async () => void effects.push('baseline'));
    expect({ told, effects }).toEqual({ told: false, effects: [] });
  });

  it('stops a writer whose word that it begins is what takes its cluster back', async () => {
    const lateGate: Strategy['gates'][number] = {
      ...SMOKE,
      phase: 'after',
      policy: { ...SMOKE.policy, count: null, timeout: 60_000, onInconclusive: 'fail' },
    };
    const world = new RolloutWorld({ ...usual, gates: [lateGate], soakMs: 60_000 });
    const rollout = await begin(world);
    await tell(world, rollout, 'c1', refusal);
    await pass(world, 20);
    expect((await latest(world, rollout)).waves[0]?.state).toBe('Soaking');
    await world.commands.retry(rollout.id, { cluster: 'c1' }, someone);
    const seen = await targetOf(world, rollout, 'c1');
    expect(seen.state).toBe('Applying');

    world.now += 3_600_000;
    expect(await world.tell(seen, { type: 'Touching' })).toBe(false);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('RollingBack');
    expect(await world.tell(seen, { type: 'Applied' })).toBe(false);
    expect((await targetOf(world, rollout, 'c1')).phase).toBe('apply');
  });

  it('does not take a revision for good on a cluster where its return has begun', async () => {
    const world = new RolloutWorld(usual);
    const first = await begin(world);
    await pass(world, 60);
    const second = await begin(world);
    await pass(world, 60);
    expect((await latest(world, second)).state).toBe('Succeeded');
    await world.commands.rollback(second.id, {}, someone);
    await tell(world, second, 'c0', refusal);
    await pass(world, 60);
    expect((await latest(world, second)).state).toBe('RollbackFailed');
    const third = await begin(world);
    await pass(world, 5);
    expect((await targetOf(world, third, 'c0')).previous).toEqual(first.revision);
  });

  it('is not due where nothing can be written before the gate opens again', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    await world.commands.pause(rollout.id, {}, someone);
    await tell(world, rollout, 'c0', { type: 'Touching' });
    await tell(world, rollout, 'c0', { type: 'Applied' });
    expect((await targetOf(world, rollout, 'c0')).dueAt).not.toBeNull();
    await tell(world, rollout, 'c0', { type: 'Held' });
    expect((await targetOf(world, rollout, 'c0')).dueAt).toBeNull();
    await world.commands.resume(rollout.id, {}, someone);
    expect((await targetOf(world, rollout, 'c0')).dueAt).toBe(world.now);
  });

  it('names the clusters that it has touched when it is aborted or superseded, and who has ended it', async () => {
    const world = new RolloutWorld({ ...usual, clusters: 3, maxConcurrent: 1 });
    const first = await begin(world);
    await pass(world, 25);
    const states = (await world.commands.allTargets(first.id)).map(({ cluster, state }) => `${cluster} ${state}`);
    expect(states).toEqual(['c0 Succeeded', 'c1 Verifying', 'c2 Pending']);
    await world.commands.abort(first.id, { reason: 'wrong tag' }, someone);
    const left = '; left as they are: c0, c1 (Partial)';
    expect((await latest(world, first)).message).toBe(`aborted by on-call: wrong tag${left}`);
    const second = await begin(world);
    await begin(world, true);
    expect((await latest(world, second)).message).toMatch(
      /^superseded by rollout [-0-9a-f]+(; left as they are: .+)?$/,
    );
    const untouched = await world.commands.start({ application: 'web', supersede: true }, someone);
    await world.commands.abort(untouched.rollout.id, {}, someone);
    expect((await latest(world, untouched.rollout)).message).toMatch(/^aborted by on-call/);
  });

  it("knows whose unsettled work it took over, and nobody else's", async () => {
    const world = new RolloutWorld(usual);
    const first = await begin(world);
    const second = await begin(world, true);
    await world.commands.abort(second.id, {}, someone);
    const third = await begin(world);
    expect(third.lineage).toEqual([second.id, first.id]);
    await pass(world, 60);
    expect((await latest(world, third)).state).toBe('Succeeded');
    expect((await begin(world)).lineage).toEqual([]);
  });

  it('takes back what a superseded rollout has left where its successor never came', async () => {
    const world = new RolloutWorld({ ...usual, clusters: 3, maxConcurrent: 1, failureBudget: 0 });
    const first = await begin(world);
    await pass(world, 120);
    const second = await begin(world);
    await pass(world, 25);
    const exposed = world.clusterNames.filter((name) => world.live.get(name) === second.revision.digest);
    expect(exposed.length).toBeGreaterThan(0);
    for (const name of world.clusterNames) world.sick.add(`sha256:${'3'.padStart(40, '0')}@${name}`);
    const third = await begin(world, true);
    expect((await latest(world, second)).state).toBe('Superseded');
    await pass(world, 5);
    await tell(world, third, 'c0', refusal);
    await pass(world, 120);
    expect((await latest(world, third)).state).toBe('RolledBack');
    for (const name of world.clusterNames) expect(world.live.get(name)).toBe(first.revision.digest);
    const inherited = (await world.targets(third)).filter(({ startedAt }) => startedAt === null);
    expect(inherited.some(({ state }) => state === 'RolledBack')).toBe(true);
  });

  it('says of a restored cluster which Jobs were not run again, and counts it in the headline', async () => {
    const world = new RolloutWorld(usual);
    await begin(world);
    await pass(world, 60);
    const rollout = await begin(world);
    await pass(world, 60);
    await world.commands.rollback(rollout.id, {}, someone);
    await pass(world, 60, ['c0']);
    await tell(world, rollout, 'c0', { type: 'Applied' });
    const health = { verdict: 'Healthy', failFast: null, worst: null, excused: [] } as const;
    const { round } = await latest(world, rollout);
    await tell(world, rollout, 'c0', { type: 'HealthObserved', health, round });
    world.now += 10_000;
    await tell(world, rollout, 'c0', { type: 'HealthObserved', health, round });
    const job = 'batch/Job/web/migrate' as ObjectKey;
    await tell(world, rollout, 'c0', { type: 'Finalized', kept: [], jobsNotRunAgain: [job], suspects: [] });
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({
      state: 'RolledBack',
      message: 'batch/Job/web/migrate was not run again',
    });
    expect(await latest(world, rollout)).toMatchObject({
      state: 'RolledBack',
      message: expect.stringContaining(
        '2 clusters restored and verified, on 1 of them without Jobs, which are not run again',
      ) as string,
    });
  });

  describe('a cluster that answers reads and fails every write', () => {
    it('is waited for as long as the strategy says, going forward', async () => {
      const world = new RolloutWorld(usual);
      await begin(world);
      await pass(world, 60);
      world.mute.add('c1');
      const rollout = await begin(world);
      await pass(world, 120);
      expect(await latest(world, rollout)).toMatchObject({ state: 'Incomplete' });
      expect(await targetOf(world, rollout, 'c1')).toMatchObject({ owes: 'forward' });
      world.mute.clear();
      await pass(world, 60);
      expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Succeeded', owes: null });
    });

    it('is waited for as long as the strategy says, in a rollback', async () => {
      const world = new RolloutWorld(usual);
      await begin(world);
      await pass(world, 60);
      const rollout = await begin(world);
      await pass(world, 60);
      world.mute.add('c1');
      await world.commands.rollback(rollout.id, {}, someone);
      await pass(world, 120);
      expect(await latest(world, rollout)).toMatchObject({ state: 'RollbackFailed' });
      world.mute.clear();
      await pass(world, 60);
      expect(await latest(world, rollout)).toMatchObject({ state: 'RolledBack' });
    });

    it('is waited for as long when only what follows the verification fails', async () => {
      const world = new RolloutWorld(usual);
      await begin(world);
      await pass(world, 60);
      const rollout = await begin(world);
      for (let at = 0; at <= 300; at += 5) {
        if ((await targetOf(world, rollout, 'c1')).phase === 'finalize') world.mute.add('c1');
        else world.mute.delete('c1');
        await pass(world, 0);
      }
      expect(await latest(world, rollout)).toMatchObject({ state: 'Incomplete' });
    });

    it('has not been away for long by a short outage before and after long queueing', async () => {
      const world = new RolloutWorld({ ...usual, maxConcurrent: 1, failureBudget: 0 });
      const rollout = await begin(world);
      const [first, second] = (await targetOf(world, rollout, 'c0')).state === 'Applying' ? ['c0', 'c1'] : ['c1', 'c0'];
      world.down.add(first!);
      await pass(world, 10);
      world.down.delete(first!);
      await pass(world, 0);
      expect(await targetOf(world, rollout, first!)).toMatchObject({ state: 'Pending', reason: 'ClusterBack' });
      // The other one takes its time, and its place.
      await pass(world, 55, [second!]);
      world.mute.add(first!);
      await pass(world, 15);
      expect(await targetOf(world, rollout, first!)).toMatchObject({ touched: true, unreachableSettled: false });
      world.mute.clear();
      await pass(world, 60);
      expect(await latest(world, rollout)).toMatchObject({ state: 'Succeeded' });
    });
  });

  describe('a cluster with gates beside its workloads', () => {
    it('is waited for as long as the strategy says when it is cut off while they are measured', async () => {
      const world = new RolloutWorld({ ...usual, gates: [SMOKE] });
      const rollout = await begin(world);
      await pass(world, 20);
      expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Verifying', phase: 'gates' });
      world.down.add('c1');
      await pass(world, 15);
      expect(await targetOf(world, rollout, 'c1')).toMatchObject({
        state: 'Unreachable',
        outage: { work: 'verify' },
        unreachableSettled: false,
      });
      await pass(world, 40);
      expect(await targetOf(world, rollout, 'c1')).toMatchObject({ unreachableSettled: true, owes: 'forward' });
    });

    it('has been away no longer once it was looked at again, and is not kept from its gates', async () => {
      const world = new RolloutWorld({ ...usual, gates: [SMOKE] });
      const rollout = await begin(world);
      await pass(world, 20);
      for (let at = 0; at < 3; at += 1) {
        world.down.add('c1');
        await pass(world, 10);
        expect((await targetOf(world, rollout, 'c1')).state).toBe('Unreachable');
        world.down.clear();
        await pass(world, 25);
        expect(await targetOf(world, rollout, 'c1')).toMatchObject({ phase: 'gates', outage: null });
      }
      for (const cluster of world.clusterNames) await tell(world, rollout, cluster, passed);
      await pass(world, 30);
      expect((await latest(world, rollout)).state).toBe('Succeeded');
    });

    it('is away while what follows them hangs, as the outage before was not over', async () => {
      const world = new RolloutWorld({ ...usual, gates: [SMOKE] });
      const rollout = await begin(world);
      const finalize = async (): Promise<void> => {
        await pass(world, 30);
        await tell(world, rollout, 'c1', passed);
        expect(await targetOf(world, rollout, 'c1')).toMatchObject({ phase: 'finalize' });
      };
      const cut = { type: 'CutOff', reason: 'Timeout', message: 'no answer' } as const;
      await finalize();
      await tell(world, rollout, 'c1', cut);
      await finalize();
      expect((await targetOf(world, rollout, 'c1')).outage).toMatchObject({
        work: 'finalize',
        since: expect.any(Number) as number,
      });
      world.now += 31_000;
      await tell(world, rollout, 'c1', cut);
      expect(await targetOf(world, rollout, 'c1')).toMatchObject({ unreachableSettled: true, owes: 'forward' });
    });
  });

  describe('what cannot be taken back', () => {
    const sealed = async (shape: Partial<Shape> = {}) => {
      const world = new RolloutWorld({ ...usual, clusters: 4, maxConcurrent: 1, failureBudget: 4, ...shape });
      await begin(world);
      await pass(world, 200);
      for (const name of world.clusterNames) world.sealed.add(`sha256:${'2'.padStart(40, '0')}@${name}`);
      const rollout = await begin(world);
      await pass(world, 200);
      return { world, rollout };
    };

    it('halts at once, whatever the budget is and the strategy does on a failure, with one cluster exposed', async () => {
      const { world, rollout } = await sealed();
      const seen = await latest(world, rollout);
      expect(seen).toMatchObject({ state: 'Halted', reason: 'RollbackImpossible', rollback: null });
      const targets = await world.targets(seen);
      const exposed = targets.filter(({ touched }) => touched);
      expect(exposed).toMatchObject([{ state: 'Verifying', everFailed: false }]);
      expect(seen.message).toContain(`${exposed[0]!.cluster}: ConfigMap/web/web (field is immutable)`);
      expect((await world.commands.waiting(seen))[0]).toMatchObject({ evidence: seen.message });
    });

    it('is accepted by resuming, for every cluster, but not what is found later', async () => {
      const { world, rollout } = await sealed();
      await world.commands.resume(rollout.id, { reason: 'no way back is fine' }, someone);
      await pass(world, 15);
      const other = (await world.targets(rollout)).find(({ state }) => state === 'Applying')!;
      const more = { object: 'ConfigMap/web/other' as ObjectKey, why: 'field is immutable' };
      await tell(world, rollout, other.cluster, { type: 'Touching' });
      await tell(world, rollout, other.cluster, { type: 'Applied', irreversible: [more] });
      expect(await latest(world, rollout)).toMatchObject({
        state: 'Halted',
        message: expect.stringContaining(`${other.cluster}: ConfigMap/web/other`) as string,
      });
      await world.commands.resume(rollout.id, { reason: 'that one, too' }, someone);
      await pass(world, 200);
      expect((await latest(world, rollout)).state).toBe('Succeeded');
    });

    it('fails a rollback that a person orders, and is named', async () => {
      const { world, rollout } = await sealed();
      await world.commands.rollback(rollout.id, {}, someone);
      await pass(world, 60);
      const seen = await latest(world, rollout);
      const failed = (await world.targets(seen)).filter(({ touched }) => touched);
      expect(failed).toMatchObject([{ state: 'RollbackFailed', reason: 'RollbackImpossible' }]);
      expect(seen).toMatchObject({ state: 'RollbackFailed' });
      expect(seen.message).toContain(failed[0]!.cluster);
    });

    it('waits while everything is frozen, and halts before anything else is started', async () => {
      const world = new RolloutWorld({ ...usual, maxConcurrent: 1 });
      await begin(world);
      await pass(world, 100);
      const rollout = await begin(world);
      const exposed = (await world.targets(rollout)).find(({ state }) => state === 'Applying')!.cluster;
      await tell(world, rollout, exposed, { type: 'Touching' });
      await world.commands.pause(rollout.id, {}, someone);
      await tell(world, rollout, exposed, { type: 'Applied', irreversible: [IMMUTABLE] });
      expect((await latest(world, rollout)).state).toBe('Progressing');
      await world.commands.resume(rollout.id, {}, someone);
      expect(await latest(world, rollout)).toMatchObject({ state: 'Halted', reason: 'RollbackImpossible' });
    });
  });

  it('answers a repeated request with the same rollout, whatever became of its release', async () => {
    const world = new RolloutWorld(usual);
    const commit = await world.commit(false);
    const request = { application: 'web', revision: commit, idempotencyKey: 'ci-17' };
    const { rollout } = await world.commands.start(request, someone);
    await pass(world, 120);
    await world.commands.rollback(rollout.id, {}, someone);
    await pass(world, 120);
    expect((await world.record.sync.release('web', commit))?.state).toBe('Bad');
    await expect(world.commands.start({ application: 'web', revision: commit }, someone)).rejects.toMatchObject({
      code: 'ReleaseBad',
    });
    expect(await world.commands.start(request, someone)).toMatchObject({ fresh: false, rollout: { id: rollout.id } });
  });

  it('freezes a rollout that was being planned while everything was stopped', async () => {
    const world = new RolloutWorld(usual);
    const commit = await world.commit(false);
    const { rollout } = await world.commands.start({ application: 'web', revision: commit }, someone);
    // As if the stop had come after the planning asked for it, and before the rollout was there to be listed.
    await world.record.access.setSetting('emergency-stop', { by: 'on-call', reason: '' });
    await pass(world, 60);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Preflight', paused: { emergency: true } });
    expect(world.live.size).toBe(0);
    await world.commands.resumeAll({}, someone);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('takes a finished rollout back only after everything may go on', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    await pass(world, 60);
    await world.commands.stopAll({}, someone);
    const asked = await world.commands.rollback(rollout.id, {}, someone);
    expect(asked).toMatchObject({ state: 'RollingBack', paused: { mode: 'freeze', emergency: true } });
    await pass(world, 60);
    expect(world.live.get('c0')).toBe(rollout.revision.digest);
    await world.commands.resumeAll({}, someone);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
    expect(world.live.get('c0')).toBe('');
  });

  it('stops everything also when one of the rollouts ends in the meantime', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    const list = world.record.rollouts.list.bind(world.record.rollouts);
    let ended = false;
    const slow = async (...query: Parameters<typeof list>): ReturnType<typeof list> => {
      const page = await list(...query);
      if (!ended) {
        ended = true;
        await world.commands.abort(rollout.id, {}, someone);
      }
      return page;
    };
    Object.assign(world.record.rollouts, { list: slow });
    expect(await world.commands.stopAll({}, someone)).toEqual([]);
  });
});
