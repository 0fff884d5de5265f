import { createFleetCommands, drive, quarantineEvent, UseCaseError } from '@breakwater/application';
import { gateMeasured, type Measurement, plannedGate, type Rollout, waitingRun } from '@breakwater/domain';
import { begin, latest, pass, someone, targetOf, tell, usual } from './directed-world.ts';
import { checkState, sceneOf } from './rollout-rules.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

const other = { name: 'release-manager' };
const third = { name: 'sre' };
const why = { reason: 'incident 4711' };
const refusal = { type: 'Refused', reason: 'FieldConflict', message: 'owned by kubectl', object: null } as const;
const policy = { address: 'http://metrics', query: 'up', success: 'result > 0.0' };

const approval = (spec: object = {}) => ({
  ...plannedGate('two-people', 'approval', {}, { required: 1, fourEyes: true, ...spec }),
  waves: ['w1'],
});
const metric = (phase: 'before' | 'during' | 'after', onInconclusive: 'wait' | 'fail' = 'wait') => ({
  ...plannedGate(
    'errors',
    'prometheus',
    { phase, count: 1, interval: 5_000, inconclusiveLimit: 0, onInconclusive },
    policy,
  ),
  waves: ['w0'],
});

const two: Shape = { ...usual, waves: 2, domains: 2, gates: [approval()] };
const alone: Shape = { ...usual, action: 'halt' };

/** What a probe would tell of the wave's gate. */
const measure = (world: RolloutWorld, { id }: Rollout, verdict: Measurement['verdict']): Promise<void> =>
  world.record.transaction(async (tx) => {
    const rollout = (await tx.lockRollout(id))!;
    const asked = rollout.waves[0]!.gates.find((run) => run.gate === 'errors') ?? waitingRun({ name: 'errors' });
    const measurement = { verdict, evidence: '12 % errors' };
    const next = gateMeasured(rollout, 0, 'errors', asked, measurement, world.now);
    if (next !== null) await drive(tx, rollout, next, world.now, new Set());
  });

/** As `pass`, with nobody to measure the waves' gates. */
const unmeasured = async (world: RolloutWorld, seconds: number): Promise<void> => {
  for (let at = 0; at <= seconds; at += 5) {
    for (const rollout of await world.rollouts()) await world.reconcile(rollout.id);
    for (const target of await world.dueTargets()) {
      const { record } = world;
      const rollout = (await record.rollouts.get(target.rollout))!;
      const held = await quarantineEvent({ record }, { rollout, target });
      if (held === null) await world.work(target, true);
      else await world.tell(target, held);
    }
    world.now += 5_000;
  }
};

const refused = async (ask: Promise<unknown>): Promise<{ code: string; message: string }> => {
  try {
    await ask;
  } catch (error) {
    if (error instanceof UseCaseError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
};

const events = async (world: RolloutWorld, type: string) => {
  await world.record.audit.seal(10_000);
  return (await world.record.audit.after(0, 10_000)).filter((event) => event.type === type);
};

describe('an approval', () => {
  const waiting = async (shape: Shape = two) => {
    const world = new RolloutWorld(shape);
    const rollout = await begin(world);
    await pass(world, 60);
    expect((await latest(world, rollout)).waves[1]).toMatchObject({ state: 'AwaitingApproval', startedAt: null });
    return { world, rollout };
  };

  it('starts the wave that waits for it at once, and is kept with its reason', async () => {
    const { world, rollout } = await waiting();
    const after = await world.commands.approve(rollout.id, { wave: 'w1', ...why }, other);
    expect(after.waves[1]).toMatchObject({ state: 'Progressing', approvals: [{ by: 'release-manager', ...why }] });
    expect(await events(world, 'wave.approved')).toMatchObject([{ actor: 'release-manager', reason: 'incident 4711' }]);
    await pass(world, 60);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('is not the starter’s to give, nor to override', async () => {
    const { world, rollout } = await waiting();
    const own = await refused(world.commands.approve(rollout.id, { wave: 'w1' }, someone));
    expect(own).toEqual({ code: 'FourEyes', message: expect.stringContaining('on-call has started') as string });
    const round = world.commands.override(rollout.id, { wave: 'w1', gate: 'two-people', ...why }, someone);
    expect((await refused(round)).code).toBe('FourEyes');
    expect((await latest(world, rollout)).waves[1]?.approvals).toEqual([]);
  });

  it('is the starter’s too where the strategy does not want four eyes', async () => {
    const { world, rollout } = await waiting({ ...two, gates: [approval({ fourEyes: false })] });
    const after = await world.commands.approve(rollout.id, { wave: 'w1' }, someone);
    expect(after.waves[1]?.state).toBe('Progressing');
  });

  it('counts once for each person', async () => {
    const { world, rollout } = await waiting({ ...two, gates: [approval({ required: 2 })] });
    await world.commands.approve(rollout.id, { wave: 'w1' }, other);
    const again = await world.commands.approve(rollout.id, { wave: 'w1' }, other);
    expect(again.waves[1]).toMatchObject({ state: 'AwaitingApproval', approvals: [{ by: 'release-manager' }] });
    expect(await events(world, 'wave.approved')).toHaveLength(1);
    expect((await world.commands.approve(rollout.id, { wave: 'w1' }, third)).waves[1]?.state).toBe('Progressing');
  });

  it('may be given ahead, and counts no longer than the strategy says', async () => {
    const world = new RolloutWorld({ ...two, gates: [approval({ expires: 20_000 })] });
    const rollout = await begin(world);
    await world.commands.approve(rollout.id, { wave: 'w1' }, other);
    await pass(world, 60);
    expect((await latest(world, rollout)).waves[1]?.state).toBe('AwaitingApproval');
    const renewed = await world.commands.approve(rollout.id, { wave: 'w1' }, other);
    expect(renewed.waves[1]).toMatchObject({ state: 'Progressing', approvals: [{ at: world.now }] });
  });

  it('given ahead in time lets the wave start by itself', async () => {
    const world = new RolloutWorld(two);
    const rollout = await begin(world);
    await world.commands.approve(rollout.id, { wave: 'w1' }, other);
    await pass(world, 90);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('comes too late for a wave that has started or passed, and is nothing for one that asks for none', async () => {
    const { world, rollout } = await waiting();
    await world.commands.approve(rollout.id, { wave: 'w1' }, other);
    const late = await refused(world.commands.approve(rollout.id, { wave: 'w1' }, third));
    expect(late).toEqual({
      code: 'StateForbids',
      message: 'wave w1 is Progressing: an approval comes too late for it',
    });
    expect((await refused(world.commands.approve(rollout.id, { wave: 'w0' }, other))).message).toContain('asks for no');
    expect((await refused(world.commands.approve(rollout.id, { wave: 'w9' }, other))).code).toBe('WaveNotFound');
  });
});

describe('break-glass', () => {
  it('needs a reason', async () => {
    const world = new RolloutWorld({ ...alone, gates: [metric('before')] });
    const rollout = await begin(world);
    const silent = world.commands.override(rollout.id, { wave: 'w0', gate: 'errors', reason: ' ' }, other);
    expect((await refused(silent)).code).toBe('ReasonNeeded');
  });

  it.each(['before', 'after'] as const)('lets a gate pass that is measured %s, and says so aloud', async (phase) => {
    const world = new RolloutWorld({ ...alone, gates: [metric(phase)] });
    const rollout = await begin(world);
    await unmeasured(world, 40);
    expect((await latest(world, rollout)).state).toBe('Progressing');
    await world.commands.override(rollout.id, { wave: 'w0', gate: 'errors', ...why }, other);
    if (phase === 'before') await world.commands.override(rollout.id, { wave: 'w0', gate: 'errors', ...why }, other);
    await unmeasured(world, 60);
    expect(await latest(world, rollout)).toMatchObject({
      state: 'Succeeded',
      message: 'gate errors of wave w0 was overridden by release-manager; all of 2 clusters verified',
      gateOverrides: [{ wave: 'w0', gate: 'errors', cluster: null, by: 'release-manager', ...why }],
    });
    expect(await events(world, 'gate.overridden')).toMatchObject([{ actor: 'release-manager', ...why }]);
  });

  it('lets one cluster’s gate pass, on that cluster only and for every attempt there', async () => {
    const world = new RolloutWorld({ ...alone, gates: [metric('during')] });
    const rollout = await begin(world);
    await unmeasured(world, 20);
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ state: 'Verifying', phase: 'gates' });
    await world.commands.override(rollout.id, { wave: 'w0', gate: 'errors', cluster: 'c0', ...why }, other);
    await unmeasured(world, 20);
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({
      state: 'Succeeded',
      gates: [{ state: 'Overridden' }],
    });
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Verifying');
  });

  it.each([
    [{ gate: 'errors' }, 'ClusterNeeded'],
    [{ gate: 'error' }, 'GateNotFound'],
    [{ gate: 'workloads-ready' }, 'GateNotFound'],
    [{ gate: 'errors', cluster: 'c9' }, 'ClusterNotFound'],
    [{ gate: 'errors', wave: 'w1' }, 'WaveNotFound'],
  ])('says what is wrong with %j', async (asked, code) => {
    const world = new RolloutWorld({ ...alone, gates: [metric('during')] });
    const rollout = await begin(world);
    const ask = world.commands.override(rollout.id, { wave: 'w0', ...why, ...asked }, other);
    expect((await refused(ask)).code).toBe(code);
  });

  it('holds nothing back that has passed, and nothing that has not been reached', async () => {
    const world = new RolloutWorld({ ...two, gates: [approval({ fourEyes: false }), metric('before')] });
    const rollout = await begin(world);
    const ahead = world.commands.override(rollout.id, { wave: 'w1', gate: 'two-people', ...why }, other);
    expect((await refused(ahead)).message).toBe('wave w1 has not been reached; wave w0 is under way');
    await measure(world, rollout, 'Success');
    const passed = world.commands.override(rollout.id, { wave: 'w0', gate: 'errors', ...why }, other);
    expect((await refused(passed)).message).toContain('has passed already');
  });
});

describe('a rollout that a gate has halted', () => {
  const halted = async () => {
    const world = new RolloutWorld({ ...alone, gates: [metric('after')] });
    const rollout = await begin(world);
    await unmeasured(world, 40);
    await measure(world, rollout, 'Failure');
    expect(await latest(world, rollout)).toMatchObject({ state: 'Halted', reason: 'GateFailed' });
    return { world, rollout };
  };

  it('goes on when a person resumes it, whose name the failed gate then carries', async () => {
    const { world, rollout } = await halted();
    expect((await refused(world.commands.resume(rollout.id, {}, other))).code).toBe('ReasonNeeded');
    expect((await world.commands.resume(rollout.id, why, other)).state).not.toBe('Halted');
    await unmeasured(world, 10);
    expect(await latest(world, rollout)).toMatchObject({
      state: 'Succeeded',
      waves: [{ gates: [{ state: 'Overridden', overriddenBy: { by: 'release-manager', ...why } }] }],
    });
    expect(await events(world, 'gate.overridden')).toHaveLength(1);
  });

  it('needs no second reason where the gate was overridden before', async () => {
    const { world, rollout } = await halted();
    const still = await world.commands.override(rollout.id, { wave: 'w0', gate: 'errors', ...why }, other);
    expect(still.state).toBe('Halted');
    await world.commands.resume(rollout.id, {}, third);
    await unmeasured(world, 10);
    expect(await latest(world, rollout)).toMatchObject({
      state: 'Succeeded',
      gateOverrides: [{ by: 'release-manager' }],
    });
  });

  it('is judged again where the gate is measured anew', async () => {
    const { world, rollout } = await halted();
    await world.commands.retry(rollout.id, { wave: 'w0', gate: 'errors' }, other);
    const resumed = await world.commands.resume(rollout.id, {}, other);
    expect(resumed).toMatchObject({ state: 'Progressing', waves: [{ gates: [{ state: 'Running' }] }] });
    await measure(world, rollout, 'Failure');
    expect((await latest(world, rollout)).state).toBe('Halted');
  });
});

describe('a gate that could not say', () => {
  it('is measured anew', async () => {
    const world = new RolloutWorld({ ...alone, gates: [metric('before')] });
    const rollout = await begin(world);
    const early = world.commands.retry(rollout.id, { wave: 'w0', gate: 'errors' }, other);
    expect((await refused(early)).message).toContain('only one without an answer');
    await measure(world, rollout, 'Inconclusive');
    expect((await latest(world, rollout)).waves[0]?.gates).toMatchObject([{ state: 'Inconclusive' }]);
    const anew = await world.commands.retry(rollout.id, { wave: 'w0', gate: 'errors' }, other);
    expect(anew.waves[0]?.gates).toMatchObject([{ state: 'Running', tally: { inconclusive: 0 } }]);
    await measure(world, rollout, 'Success');
    expect((await latest(world, rollout)).waves[0]?.state).toBe('Progressing');
  });

  it('is measured anew on a cluster', async () => {
    const world = new RolloutWorld({ ...alone, gates: [metric('during')] });
    const rollout = await begin(world);
    await pass(world, 20);
    const measurement = { verdict: 'Inconclusive', evidence: 'no data' } as const;
    await tell(world, rollout, 'c0', { type: 'GateMeasured', gate: 'errors', measurement });
    expect((await targetOf(world, rollout, 'c0')).gates).toMatchObject([{ state: 'Inconclusive' }]);
    await world.commands.retry(rollout.id, { wave: 'w0', gate: 'errors', cluster: 'c0' }, other);
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ gates: [{ state: 'Running' }], dueAt: world.now });
  });
});

describe('a retry', () => {
  it('tries a cluster anew that has failed within the budget, and halts nothing when it fails again', async () => {
    const world = new RolloutWorld({ ...usual, clusters: 3, maxConcurrent: 1, soakMs: 60_000 });
    const rollout = await begin(world);
    await tell(world, rollout, 'c0', refusal);
    await world.commands.retry(rollout.id, { cluster: 'c0', ...why }, other);
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ everFailed: true, reason: 'RetriedByPerson' });
    await pass(world, 5, ['c0', 'c1', 'c2']);
    for (const name of world.clusterNames) {
      const { state } = await targetOf(world, rollout, name);
      if (state === 'Applying' && name === 'c0') await tell(world, rollout, 'c0', refusal);
    }
    checkState(world, await sceneOf(world));
    expect((await latest(world, rollout)).state).toBe('Progressing');
    if ((await targetOf(world, rollout, 'c0')).state === 'Failed')
      await world.commands.retry(rollout.id, { cluster: 'c0', ...why }, other);
    await pass(world, 240);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Succeeded', waves: [{ counts: { everFailed: 1 } }] });
  });

  it('accepts the failures so far, and none beyond them', async () => {
    const world = new RolloutWorld({ ...alone, clusters: 3, maxConcurrent: 3, domainSlots: 3, failureBudget: 0 });
    const rollout = await begin(world);
    await tell(world, rollout, 'c0', refusal);
    expect((await latest(world, rollout)).state).toBe('Halted');
    const halted = await world.commands.retry(rollout.id, { cluster: 'c0' }, other);
    expect(halted).toMatchObject({ state: 'Halted', waves: [{ acceptedFailures: 1, counts: { pending: 1 } }] });
    await world.commands.resume(rollout.id, {}, other);
    checkState(world, await sceneOf(world));
    await tell(world, rollout, 'c1', refusal);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Halted', waves: [{ acceptedFailures: 1 }] });
  });

  it('tries a cluster anew that was returned, from what it was returned to', async () => {
    const world = new RolloutWorld({ ...usual, soakMs: 60_000 });
    const first = await begin(world);
    await pass(world, 200);
    expect((await latest(world, first)).state).toBe('Succeeded');
    const rollout = await begin(world);
    await tell(world, rollout, 'c0', { type: 'Touching' });
    await tell(world, rollout, 'c0', refusal);
    await pass(world, 30);
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ state: 'RolledBack' });
    await world.commands.retry(rollout.id, { cluster: 'c0' }, other);
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ touched: false });
    await pass(world, 120);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
    expect((await targetOf(world, rollout, 'c0')).previous).toEqual(first.revision);
  });

  it('tries a return again that could not be made', async () => {
    const world = new RolloutWorld({ ...usual, soakMs: 600_000 });
    await begin(world);
    await pass(world, 700);
    const rollout = await begin(world);
    await tell(world, rollout, 'c0', { type: 'Touching' });
    await tell(world, rollout, 'c0', refusal);
    await tell(world, rollout, 'c0', refusal);
    expect((await targetOf(world, rollout, 'c0')).state).toBe('RollbackFailed');
    await world.commands.retry(rollout.id, { cluster: 'c0' }, other);
    await pass(world, 30);
    expect((await targetOf(world, rollout, 'c0')).state).toBe('RolledBack');
  });

  it('is refused in words where there is nothing to try anew', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    expect((await refused(world.commands.retry(rollout.id, { cluster: 'c0' }, other))).message).toMatch(
      /^cluster c0 is Applying/,
    );
    expect((await refused(world.commands.retry(rollout.id, {}, other))).code).toBe('NothingNamed');
    expect((await refused(world.commands.retry(rollout.id, { gate: 'x' }, other))).code).toBe('NothingNamed');
    expect((await refused(world.commands.retry(rollout.id, { cluster: 'c7' }, other))).code).toBe('ClusterNotFound');
    await pass(world, 60);
    expect((await refused(world.commands.retry(rollout.id, { cluster: 'c0' }, other))).message).toContain('Succeeded');
  });
});

describe('a skip', () => {
  it('leaves a cluster out that nothing has reached: it is not owed, and the rollout says so', async () => {
    const world = new RolloutWorld({ ...usual, maxConcurrent: 1 });
    const rollout = await begin(world);
    await world.commands.skip(rollout.id, { cluster: 'c1', ...why }, other);
    await world.commands.skip(rollout.id, { cluster: 'c1' }, other);
    await world.commands.pause(rollout.id, {}, someone);
    await world.commands.resume(rollout.id, {}, someone);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({
      state: 'Skipped',
      skippedBy: 'release-manager',
      message: 'skipped by release-manager: incident 4711',
      owes: null,
      dueAt: null,
    });
    await pass(world, 60);
    expect(await latest(world, rollout)).toMatchObject({
      state: 'Incomplete',
      message: '1 of 2 clusters verified, 1 skipped: c1',
    });
  });

  it('of a cluster that is away ends the wait for it', async () => {
    const world = new RolloutWorld({ ...usual, failureBudget: 0 });
    world.down.add('c1');
    const rollout = await begin(world);
    await pass(world, 10);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Unreachable');
    await world.commands.skip(rollout.id, { cluster: 'c1' }, other);
    world.down.clear();
    await pass(world, 60);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Incomplete' });
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Skipped', owes: null });
  });

  it('is refused where the release is on its way, and where it has arrived', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    const flying = await refused(world.commands.skip(rollout.id, { cluster: 'c0' }, other));
    expect(flying.message).toBe(
      'cluster c0 is Applying, and the release is on its way there; roll that cluster back instead',
    );
    await pass(world, 60);
    expect((await refused(world.commands.skip(rollout.id, { cluster: 'c0' }, other))).message).toContain('Succeeded');
    expect((await refused(world.commands.skip(rollout.id, {}, other))).code).toBe('NothingNamed');
  });

  it('takes what has not begun out of a region, a whole wave too', async () => {
    const world = new RolloutWorld({ ...usual, clusters: 4, waves: 2, maxConcurrent: 1 });
    const rollout = await begin(world);
    expect((await refused(world.commands.skip(rollout.id, { region: 'mars' }, other))).code).toBe('RegionNotFound');
    await world.commands.skip(rollout.id, { region: 'r1' }, other);
    await pass(world, 120);
    const after = await latest(world, rollout);
    expect(after.waves.map(({ counts }) => counts.skipped)).toEqual([0, 2]);
    expect(after).toMatchObject({ state: 'Incomplete', message: '2 of 4 clusters verified, 2 skipped: c1, c3' });
  });

  it('is undone by a retry', async () => {
    const world = new RolloutWorld({ ...usual, maxConcurrent: 1 });
    const rollout = await begin(world);
    await world.commands.skip(rollout.id, { cluster: 'c1' }, other);
    await world.commands.retry(rollout.id, { cluster: 'c1' }, other);
    await pass(world, 90);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });
});

describe('a quarantine', () => {
  const commandsOf = (world: RolloutWorld) => createFleetCommands({ record: world.record });

  it('keeps a new rollout off the cluster: its plan and its end name it', async () => {
    const world = new RolloutWorld(usual);
    await world.commit(false);
    const held = await commandsOf(world).quarantineCluster('c1', { reason: 'disk is dying' }, other);
    expect(held.quarantine).toMatchObject({ by: 'release-manager', reason: 'disk is dying' });
    const plan = await world.commands.plan({ application: 'web' });
    expect(plan.members.map(({ quarantine }) => quarantine?.by ?? null)).toEqual([null, 'release-manager']);
    const rollout = await begin(world);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({
      state: 'Skipped',
      reason: 'Quarantined',
      message: 'quarantined by release-manager: disk is dying',
      skippedBy: 'release-manager',
    });
    await unmeasured(world, 60);
    expect(await latest(world, rollout)).toMatchObject({
      state: 'Incomplete',
      message: '1 of 2 clusters verified, 1 skipped: c1',
    });
    expect(world.live.has('c1')).toBe(false);
    expect(await world.commands.explainCluster('c1')).toMatchObject({
      summary: expect.stringMatching(/^Quarantined by release-manager since .*: disk is dying$/) as string,
      next: expect.stringContaining('cluster release c1') as string,
    });
  });

  it('takes the cluster out of a rollout that has not reached it, at once; released, it is tried on request', async () => {
    const world = new RolloutWorld({ ...usual, maxConcurrent: 1, soakMs: 60_000 });
    const rollout = await begin(world);
    await commandsOf(world).quarantineCluster('c1', why, other);
    expect((await targetOf(world, rollout, 'c1')).reason).toBe('Quarantined');
    const early = await refused(world.commands.retry(rollout.id, { cluster: 'c1' }, other));
    expect(early.code).toBe('ClusterQuarantined');
    await commandsOf(world).releaseCluster('c1', {}, other);
    await world.commands.retry(rollout.id, { cluster: 'c1' }, other);
    await unmeasured(world, 200);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('lets finish what is in flight there', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Applying');
    await commandsOf(world).quarantineCluster('c1', why, other);
    await unmeasured(world, 60);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('is seen when a target is about to start, whatever was told before', async () => {
    const world = new RolloutWorld({ ...usual, maxConcurrent: 1 });
    const rollout = await begin(world);
    await world.record.cluster.setQuarantine('c1', true, { by: 'sre', reason: 'written by another process' });
    await unmeasured(world, 60);
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ state: 'Skipped', attempt: 0, touched: false });
    expect((await latest(world, rollout)).state).toBe('Incomplete');
  });

  it('leaves out a cluster that is away, and counts it against nothing', async () => {
    const world = new RolloutWorld({ ...usual, failureBudget: 0 });
    world.down.add('c1');
    const rollout = await begin(world);
    await unmeasured(world, 10);
    expect((await targetOf(world, rollout, 'c1')).state).toBe('Unreachable');
    await world.record.cluster.setQuarantine('c1', true, { by: 'sre', reason: 'network' });
    await unmeasured(world, 60);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Incomplete', waves: [{ counts: { leftOut: 1 } }] });
  });

  it('holds a return back until the cluster is released; the rollback says that it could not be made', async () => {
    const world = new RolloutWorld(usual);
    const first = await begin(world);
    await unmeasured(world, 60);
    const rollout = await begin(world);
    await unmeasured(world, 60);
    await commandsOf(world).quarantineCluster('c1', why, other);
    await world.commands.rollback(rollout.id, {}, someone);
    await unmeasured(world, 60);
    expect(await latest(world, rollout)).toMatchObject({ state: 'RollbackFailed' });
    expect(await targetOf(world, rollout, 'c1')).toMatchObject({ owes: 'back' });
    expect(world.live.get('c1')).toBe(rollout.revision.digest);
    expect(world.live.get('c0')).toBe(first.revision.digest);
    await unmeasured(world, 60);
    expect(world.live.get('c1')).toBe(rollout.revision.digest);
    await commandsOf(world).releaseCluster('c1', {}, other);
    await unmeasured(world, 60);
    expect(world.live.get('c1')).toBe(first.revision.digest);
    expect((await latest(world, rollout)).state).toBe('RolledBack');
  });

  it('of every cluster of a wave passes the wave over', async () => {
    const world = new RolloutWorld({ ...usual, waves: 2 });
    await world.commit(false);
    await commandsOf(world).quarantineCluster('c0', why, other);
    const rollout = await begin(world);
    await unmeasured(world, 60);
    expect(await latest(world, rollout)).toMatchObject({ state: 'Incomplete', waves: [{ state: 'Succeeded' }, {}] });
  });

  it('needs a reason and a cluster, and is released once', async () => {
    const world = new RolloutWorld(usual);
    await begin(world);
    const fleet = commandsOf(world);
    expect((await refused(fleet.quarantineCluster('c1', { reason: ' ' }, other))).code).toBe('ReasonNeeded');
    expect((await refused(fleet.quarantineCluster('c9', why, other))).code).toBe('ClusterNotFound');
    expect((await refused(fleet.releaseCluster('c1', {}, other))).code).toBe('StateForbids');
    await fleet.quarantineCluster('c1', why, other);
    await fleet.releaseCluster('c1', { reason: 'repaired' }, other);
    expect(await events(world, 'cluster.quarantined')).toMatchObject([{ ...why, cluster: 'c1' }]);
    expect(await events(world, 'cluster.released')).toMatchObject([{ reason: 'repaired', cluster: 'c1' }]);
  });
});
