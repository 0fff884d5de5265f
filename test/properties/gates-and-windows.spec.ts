import { hasPassed, type Rollout } from '@breakwater/domain';
import { begin, latest, pass, targetOf, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';
import { FREEZE } from './world-fleet.ts';
import type { Shape } from './world-shape.ts';

const world = (shape: Partial<Shape> = {}): RolloutWorld => new RolloutWorld({ ...usual, ...shape });
const reasons = async (of: RolloutWorld, rollout: Rollout): Promise<readonly string[]> =>
  (await of.commands.explain(rollout.id)).blockers.map(({ reason, gate }) =>
    gate === null ? reason : `${reason} ${gate}`,
  );

describe('gates', () => {
  it('keep a wave from starting until they have passed, and say so', async () => {
    const at = world({ asks: ['before'] });
    const rollout = await begin(at);
    expect((await targetOf(at, rollout, 'c0')).state).toBe('Pending');
    expect(await reasons(at, rollout)).toEqual(['GatePending gate-before']);
    await pass(at, 120);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Succeeded' });
  });

  it('wait for a person by name, where a wave asks for one', async () => {
    const at = world({ waves: 2, clusters: 4, asks: ['approval'] });
    const rollout = await begin(at);
    await pass(at, 120);
    const waiting = await latest(at, rollout);
    expect(waiting.waves.map(({ state }) => state)).toEqual(['Succeeded', 'AwaitingApproval']);
    expect(await reasons(at, waiting)).toEqual(['AwaitingApproval people']);
    await at.approveWaves();
    await pass(at, 120);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Succeeded' });
  });

  it('are measured on each target when its workloads are ready, and fail it', async () => {
    const at = world({ asks: ['during'], failureBudget: 0 });
    at.wrong.add('c1');
    const rollout = await begin(at);
    await pass(at, 180);
    const ended = await latest(at, rollout);
    expect(ended).toMatchObject({ state: 'RolledBack', reason: 'FailureBudgetExceeded' });
    expect((await targetOf(at, rollout, 'c1')).gates).toMatchObject([{ gate: 'gate-during', state: 'Failed' }]);
  });

  it('halt a wave that soaks, and have it rolled back', async () => {
    const at = world({ asks: ['after'], soakMs: 30_000 });
    const rollout = await begin(at);
    await pass(at, 40);
    expect((await latest(at, rollout)).waves[0]).toMatchObject({ state: 'Soaking' });
    at.wrong.add('w0');
    await pass(at, 120);
    expect(await latest(at, rollout)).toMatchObject({ state: 'RolledBack', reason: 'GateFailed' });
  });

  it('that soak are measured once more when the soak is over', async () => {
    const at = world({ asks: ['after'], soakMs: 30_000 });
    const rollout = await begin(at);
    await pass(at, 180);
    const ended = await latest(at, rollout);
    expect(ended.state).toBe('Succeeded');
    const [run] = ended.waves[0]!.gates;
    expect(run).toMatchObject({ state: 'Passed', lastVerdict: 'Success' });
    expect(run!.measuredAt! - ended.waves[0]!.soakingSince!).toBeGreaterThanOrEqual(30_000);
    expect(hasPassed(run!)).toBe(true);
  });

  it('stand still in a freeze', async () => {
    const at = world({ asks: ['before'] });
    const rollout = await begin(at);
    await at.commands.pause(rollout.id, {}, { name: 'on-call' });
    await pass(at, 300);
    expect((await latest(at, rollout)).waves[0]!.gates).toMatchObject([{ state: 'Running', measuredAt: null }]);
    await at.commands.resume(rollout.id, {}, { name: 'on-call' });
    await pass(at, 120);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Succeeded' });
  });
});

describe('a freeze window', () => {
  it('keeps targets from starting, says until when, and lets them start when it is over', async () => {
    const at = world({ freeze: true });
    at.now = FREEZE.from + 10_000;
    const rollout = await begin(at);
    expect(await targetOf(at, rollout, 'c0')).toMatchObject({ state: 'Pending', reason: 'FreezeWindow' });
    const { blockers } = await at.commands.explain(rollout.id);
    expect(blockers[0]).toMatchObject({ reason: 'FreezeWindow', until: FREEZE.to });
    expect(blockers[0]!.evidence).toContain('freeze window early');
    at.now = FREEZE.to;
    await pass(at, 5);
    expect((await targetOf(at, rollout, 'c0')).startedAt).not.toBeNull();
  });
});

describe('a freeze window that somebody may override', () => {
  const frozen = async (): Promise<{ readonly at: RolloutWorld; readonly rollout: Rollout }> => {
    const at = world({ freeze: true });
    at.now = FREEZE.from + 10_000;
    return { at, rollout: await begin(at) };
  };
  const ask = { window: 'early', reason: 'incident 4711' };

  it('lets the rollout go on at once, and is named in its headline and in the audit trail', async () => {
    const { at, rollout } = await frozen();
    await at.commands.overrideWindow(rollout.id, ask, { name: 'captain' });
    expect((await targetOf(at, rollout, 'c0')).startedAt).toBe(at.now);
    await pass(at, 60);
    const ended = await latest(at, rollout);
    expect(ended).toMatchObject({ state: 'Succeeded' });
    expect(ended.message).toMatch(/^FreezeWindow\/early was overridden by captain; all of 2 clusters verified/);
    expect(await at.story()).toContain('incident 4711');
  });

  it('does not give way to anybody else, nor without a reason, nor by another name', async () => {
    const { at, rollout } = await frozen();
    const refusal = async (input: typeof ask, name: string): Promise<unknown> =>
      at.commands
        .overrideWindow(rollout.id, input, { name, role: 'admin' })
        .catch((error: { code: string }) => error.code);
    expect(await refusal(ask, 'on-call')).toBe('WindowForbids');
    expect(await refusal({ ...ask, reason: ' ' }, 'captain')).toBe('ReasonNeeded');
    expect(await refusal({ ...ask, window: 'late' }, 'captain')).toBe('WindowNotFound');
    await at.reconcile(rollout.id);
    expect(await targetOf(at, rollout, 'c0')).toMatchObject({ state: 'Pending', reason: 'FreezeWindow' });
  });
});

describe('budgets', () => {
  const half = { clusters: 6, maxConcurrent: 6, failureBudget: 6, domains: 6, domainSlots: 6 };

  it('of a region halt the rollout, although the wave would bear more', async () => {
    const at = world({ ...half, failureBudgets: { region: 1, rollout: null } });
    for (const name of ['c0', 'c2']) at.sickOnNext.add(name);
    const rollout = await begin(at);
    await pass(at, 120);
    expect(await latest(at, rollout)).toMatchObject({ state: 'RolledBack' });
    expect((await latest(at, rollout)).message).toContain(
      'region r0: 2 failed or unreachable, and its failure budget is 1',
    );
  });

  it('of the rollout count all waves together', async () => {
    const at = world({ ...half, waves: 2, failureBudgets: { region: null, rollout: 1 } });
    for (const name of ['c0', 'c1']) at.sickOnNext.add(name);
    const rollout = await begin(at);
    await pass(at, 240);
    expect((await latest(at, rollout)).message).toContain('2 failed or unreachable in all');
  });

  it('bear what they say', async () => {
    const at = world({ ...half, failureBudgets: { region: 1, rollout: 2 } });
    for (const name of ['c0', 'c1']) at.sickOnNext.add(name);
    const rollout = await begin(at);
    await pass(at, 240);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Incomplete' });
  });

  it('of concurrency hold for each region by itself', async () => {
    const at = world({ ...half, regionConcurrency: 1 });
    const rollout = await begin(at);
    const states = await Promise.all(at.clusterNames.map(async (name) => targetOf(at, rollout, name)));
    const flying = states.filter(({ state }) => state === 'Applying').map(({ region }) => region);
    expect(flying.sort()).toEqual(['r0', 'r1']);
    await pass(at, 400);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Succeeded' });
  });

  it('of time halt it without a rollback, until a person goes on', async () => {
    const at = world({ clusters: 4, maxConcurrent: 1, deadline: 30_000 });
    const rollout = await begin(at);
    await pass(at, 60);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Halted', reason: 'DeadlineExceeded' });
    await at.commands.resume(rollout.id, {}, { name: 'on-call' });
    await pass(at, 300);
    expect(await latest(at, rollout)).toMatchObject({ state: 'Succeeded' });
  });

  it('of least clusters halt before the next wave', async () => {
    const at = world({ clusters: 4, waves: 2, failureBudget: 1, minClusters: 2 });
    at.sickOnNext.add('c0');
    const rollout = await begin(at);
    await pass(at, 120);
    expect(await latest(at, rollout)).toMatchObject({ state: 'RolledBack', reason: 'TooFewVerified' });
  });
});

describe('a strategy that is changed in Git while its rollout goes on', () => {
  const notesAfter = async (change: Partial<Shape>): Promise<readonly string[]> => {
    const at = world({ asks: ['before', 'during'] });
    const rollout = await begin(at);
    Object.assign(at, { shape: { ...at.shape, ...change } });
    await at.commit(false);
    return (await at.commands.explain(rollout.id)).notes;
  };

  it('does not apply to it, and explain says so', async () => {
    expect(await notesAfter({ asks: ['before'] })).toEqual([
      expect.stringMatching(
        /^changed in Git since .* not applied to it: gate gate-during of wave w0 .*\(commit 0{12}\); the next rollout takes it$/,
      ),
    ]);
    expect((await notesAfter({ soakMs: 60_000 }))[0]).toContain('wave w0');
    expect((await notesAfter({ unreachable: 'halt' }))[0]).toContain('strategy staged');
    expect((await notesAfter({ waves: 2 }))[0]).toContain('its waves');
  });

  it('is not mentioned when it says the same', async () => {
    expect(await notesAfter({})).toEqual([]);
  });
});
