import { type Blocker, isTerminal, type Rollout, type WhatIf } from '@breakwater/domain';
import fc from 'fast-check';
import { shapes, step } from './random-history.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

const RUNS = Number(process.env['BREAKWATER_HISTORIES'] ?? 2_000);
const SEED = Number(process.env['BREAKWATER_SEED'] ?? Date.now() % 2 ** 31);
/** Some waits are rare where anything may happen: part of the histories is about them. */
const calm = { people: false, outages: false, refusals: false, freeze: false, sealing: 0, badness: 0, steps: 50 };
const waits = fc.oneof(
  { weight: 12, arbitrary: shapes },
  {
    weight: 1,
    arbitrary: shapes.map((shape): Shape => ({ ...shape, ...calm, waves: 2, clusters: 4, asks: ['approval'] })),
  },
  { weight: 2, arbitrary: shapes.map((shape): Shape => ({ ...shape, ...calm, asks: [], manyDeletions: true })) },
  {
    weight: 2,
    arbitrary: shapes.map((shape): Shape => ({
      ...shape,
      ...calm,
      asks: [],
      outages: true,
      failureBudget: 4,
      unreachable: 'skip',
      steps: 80,
    })),
  },
);
const why = { reason: 'incident 4711' };
const manager = { name: 'manager' };
const captain = { name: 'captain' };
/** Answers that one after the other lay open the next, before something moves. */
const ANSWERS = 12;
/** Looks, five seconds apart, at nothing but what is named: longer than any time-out of the strategy. */
const LOOKS = 40;

/** What "further" means: a rollout, a wave or a target in another state. */
const progressOf = async (world: RolloutWorld, id: Rollout['id']): Promise<string> => {
  const rollout = (await world.record.rollouts.get(id))!;
  const targets = await world.targets(rollout);
  const waves = rollout.waves.map(({ state }) => state);
  return JSON.stringify([rollout.state, waves, targets.map(({ state, phase }) => [state, phase])]);
};

const keyOf = ({ reason, wave, cluster, gate }: Blocker): string => [reason, wave, cluster, gate].join(' ');

/** The worker of this cluster looks, finds everything as it should be, and time goes on. */
const lookAt = async (world: RolloutWorld, rollout: Rollout, cluster: string): Promise<void> => {
  const target = await world.record.rollouts.target(rollout.id, cluster);
  if (target === null) return;
  for (const digest of [target.revision.digest, target.previous?.digest]) world.sick.delete(`${digest}@${cluster}`);
  await world.work(target, true);
};

/** Takes away what `blocker` names, and nothing else: whatever else holds the rollout goes on holding it. */
const remove = async (world: RolloutWorld, rollout: Rollout, blocker: Blocker): Promise<void> => {
  const { id } = rollout;
  const { commands } = world;
  const { cluster, wave, gate } = blocker;
  // Only a person gets a halted rollout further, whatever it has halted over.
  const halted = rollout.state === 'Halted' && rollout.paused === null;
  if (halted && cluster === null) return void (await commands.resume(id, why, manager));
  switch (blocker.reason) {
    case 'Paused':
      return void (await commands.resume(id, why, manager));
    case 'EmergencyStop':
      return void (await commands.resumeAll({}, manager));
    case 'TooManyDeletions':
      await commands.approveDeletions(id, {}, manager);
      return world.reconcile(id);
    case 'AwaitingApproval':
      return void (await commands.approve(id, { wave: wave ?? '' }, manager));
    case 'FreezeWindow':
      return void (await commands.overrideWindow(id, { window: 'early', ...why }, captain));
    case 'Soaking':
      world.now = Math.max(world.now, blocker.until ?? 0);
      return world.reconcile(id);
    case 'Queued':
    case 'FailureDomain':
      return othersFinish(world, rollout);
    case 'ClusterBusy':
      for (const away of [world.down, world.mute]) away.delete(cluster ?? '');
      for (const other of await world.rollouts()) if (other.id !== id) await lookAt(world, other, cluster ?? '');
      world.now += 5_000;
      return world.reconcile(id);
    case 'ClusterUnreachable':
      await world.allowed(() => world.fleet.releaseCluster(cluster ?? '', {}, manager));
      for (const away of [world.down, world.mute]) away.delete(cluster ?? '');
      return lookAt(world, rollout, cluster ?? '');
    case 'GatePending':
    case 'GateFailing':
      if (rollout.state === 'Halted' && cluster === null) return void (await commands.resume(id, why, manager));
      if (gate === 'preflight') world.refusing.delete(cluster ?? '');
      else if (cluster !== null) await lookAt(world, rollout, cluster);
      else await world.measureWaves(true, gate);
      world.now += 5_000;
      return world.reconcile(id);
    default:
      throw new Error(`nobody knows how to take away ${blocker.reason}`);
  }
};

/** Other rollouts come to their end, and those that have are done with what they owe. */
const othersFinish = async (world: RolloutWorld, { id }: Rollout): Promise<void> => {
  for (const other of await world.rollouts()) {
    if (other.id === id) continue;
    if (!isTerminal(other)) await world.allowed(() => world.commands.abort(other.id, {}, manager));
    for (const { cluster, owes } of await world.targets(other)) if (owes !== null) await lookAt(world, other, cluster);
  }
  world.now += 5_000;
  await world.reconcile(id);
};

/** Answers what `explain` names first, again and again, until the rollout is further. Null: it is; otherwise why not. */
const followTheAnswers = async (world: RolloutWorld, { id }: Rollout): Promise<string | null> => {
  const before = await progressOf(world, id);
  const given: string[] = [];
  for (let answer = 0; answer < ANSWERS; answer += 1) {
    const rollout = (await world.record.rollouts.get(id))!;
    const [first] = (await world.commands.explain(id)).blockers;
    if (first === undefined) return `${rollout.state} and nothing is named, after ${given.join(', ')}`;
    given.push(`${keyOf(first)} (${first.evidence})`);
    for (let look = 0; look < LOOKS; look += 1) {
      await remove(world, (await world.record.rollouts.get(id))!, first);
      if ((await progressOf(world, id)) !== before) return null;
      const [next] = (await world.commands.explain(id)).blockers;
      if (next === undefined || keyOf(next) !== keyOf(first)) break;
    }
  }
  return `no further after ${given.join(', ')}`;
};

const live = async (world: RolloutWorld): Promise<void> => {
  // An approval that is given at once would seldom be what is waited for.
  world.approving = 0.05;
  await world.start(await world.commit(world.chance(0.3)));
  for (let index = 0; index < world.shape.steps; index += 1) await step(world);
};

const explained = async (world: RolloutWorld, check: (rollout: Rollout) => Promise<string | null>): Promise<void> => {
  const open = (await world.rollouts()).filter((each) => !isTerminal(each) && each.state !== 'Planned');
  // What is queued waits for what is under way, which says more.
  const rollout = world.chance(0.1) ? open[0] : (open.find(({ state }) => state !== 'Queued') ?? open[0]);
  if (rollout === undefined) return;
  await world.reconcile(rollout.id);
  const found = await check((await world.record.rollouts.get(rollout.id))!);
  if (found !== null) throw new Error(`${found}\n${await world.story()}`);
};

const perform = ({ commands }: RolloutWorld, { id }: Rollout, row: WhatIf, wave: string, gate: string) => {
  const cluster = /--cluster (\S+)/.exec(row.command ?? '')?.[1] ?? '';
  switch (row.action) {
    case 'resume':
      return row.command === 'breakwater resume-all'
        ? commands.resumeAll({}, manager)
        : commands.resume(id, why, manager);
    case 'rollback':
      return commands.rollback(id, { scope: 'rollout', ...why }, manager);
    case 'approve':
      return commands.approve(id, { wave }, manager);
    case 'override':
      return commands.override(id, { wave, gate, ...why }, manager);
    case 'skip':
      return commands.skip(id, { cluster, ...why }, manager);
    default:
      return null;
  }
};

describe('explain', () => {
  it(`names what holds the rollout: without it, and nothing else changed, it goes on (BREAKWATER_SEED=${SEED})`, async () => {
    const reasons = new Map<string, number>();
    const property = fc.asyncProperty(waits, async (shape) => {
      const world = new RolloutWorld(shape);
      await live(world);
      await explained(world, async (rollout) => {
        if (isTerminal(rollout)) return null;
        const reason = (await world.commands.explain(rollout.id)).blockers[0]?.reason ?? 'nothing';
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        return followTheAnswers(world, rollout);
      });
    });
    await fc.assert(property, { numRuns: RUNS, seed: SEED, ...path() });
    if (process.env['BREAKWATER_PATH'] !== undefined) return;
    const all = ['Paused', 'EmergencyStop', 'GatePending', 'GateFailing', 'ClusterUnreachable', 'AwaitingApproval'];
    const others = ['FreezeWindow', 'Soaking', 'TooManyDeletions', 'ClusterBusy'];
    if (process.env['BREAKWATER_COVERAGE'] === '1') console.log([...reasons].sort());
    const unseen = [...all, ...others].filter((reason) => !reasons.has(reason));
    expect(unseen.map((reason) => `${reason}: not in ${JSON.stringify([...reasons])}`)).toEqual([]);
  }, 600_000);

  it(`says what a command would do, and the command does that (BREAKWATER_SEED=${SEED})`, async () => {
    const actions = new Map<string, number>();
    const property = fc.asyncProperty(waits, async (shape) => {
      const world = new RolloutWorld(shape);
      await live(world);
      await explained(world, async (rollout) => {
        const { whatIf } = await world.commands.explain(rollout.id);
        const row = world.pick(whatIf.filter(({ command }) => command !== null));
        if (row === undefined) return null;
        const [, wave = '', gate = ''] = /--wave (\S+)(?: --gate (\S+))?/.exec(row.command ?? '') ?? [];
        const done = perform(world, rollout, row, wave, gate);
        if (done === null) return null;
        actions.set(row.action, (actions.get(row.action) ?? 0) + 1);
        await done;
        const { state } = (await world.record.rollouts.get(rollout.id))!;
        return state === row.state ? null : `${row.command}: ${row.outcome} (${row.state}); it is ${state}`;
      });
    });
    await fc.assert(property, { numRuns: RUNS, seed: SEED, ...path() });
    if (process.env['BREAKWATER_PATH'] !== undefined) return;
    if (process.env['BREAKWATER_COVERAGE'] === '1') console.log([...actions].sort());
    const all = ['resume', 'rollback', 'approve', 'override', 'skip'];
    expect(all.filter((action) => !actions.has(action))).toEqual([]);
  }, 600_000);
});

const path = (): { readonly path?: string } => {
  const given = process.env['BREAKWATER_PATH'];
  return given === undefined ? {} : { path: given };
};
