import { isTerminal, type Rollout, type TargetState } from '@breakwater/domain';
import fc from 'fast-check';
import { sceneOf } from './rollout-rules.ts';
import type { RolloutWorld } from './rollout-world.ts';
import type { GateShape, Shape } from './world-shape.ts';

/** What a random history is about. */
export const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  clusters: fc.integer({ min: 1, max: 7 }),
  waves: fc.integer({ min: 1, max: 3 }),
  maxConcurrent: fc.integer({ min: 1, max: 4 }),
  failureBudget: fc.constantFrom<number>(0, 0, 1, 2, 3, 7),
  soakMs: fc.constantFrom<number>(0, 20_000),
  domains: fc.integer({ min: 1, max: 6 }),
  domainSlots: fc.integer({ min: 1, max: 3 }),
  unreachable: fc.constantFrom<Shape['unreachable'][]>('count', 'skip', 'skip', 'halt'),
  action: fc.constantFrom<Shape['action'][]>('rollback', 'rollback', 'rollback', 'halt'),
  scope: fc.constantFrom<Shape['scope'][]>('rollout', 'rollout', 'wave', 'cluster'),
  returnConcurrency: fc.constantFrom<'100%' | number>('100%', 1),
  returnDomains: fc.constantFrom<'ignore' | 'respect'>('ignore', 'respect'),
  collisions: fc.constantFrom<Shape['collisions'][]>('queue', 'supersede', 'reject'),
  outages: fc.boolean(),
  people: fc.boolean(),
  badness: fc.constantFrom<number>(0, 0.3, 0.3, 1),
  sealing: fc.constantFrom<number>(0, 0, 0, 0.3),
  manyDeletions: fc.constantFrom(false, false, false, true),
  steps: fc.integer({ min: 10, max: 80 }),
  asks: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.subarray<GateShape>(['approval', 'before', 'during', 'after'], { minLength: 1 }) },
  ),
  freeze: fc.constantFrom(false, false, true),
  refusals: fc.constantFrom(false, false, false, false, false, true),
  preflight: fc.constantFrom<'stop' | 'leaveOut'>('stop', 'leaveOut'),
  slow: fc.constantFrom<NonNullable<Shape['slow']>[]>(
    { after: null, then: 'fail' },
    { after: 15_000, then: 'wait' },
    { after: 15_000, then: 'halt' },
  ),
  clusterConcurrency: fc.constantFrom<(number | null)[]>(null, null, 1),
  joiners: fc.constantFrom(false, false, true),
  leaps: fc.constantFrom(false, false, true),
  sleepers: fc.boolean(),
});

const someone = { name: 'on-call' };
const manager = { name: 'manager' };
const captain = { name: 'captain' };
const why = { reason: 'incident 4711' };

const VERBS = [
  'freeze',
  'drain',
  'resume',
  'resume',
  'abort',
  'rollback',
  'roll back a wave',
  'roll back a cluster',
  'approve deletions',
  'approve',
  'override',
  'override on a cluster',
  'override the window',
  'override the window',
  'retry',
  'measure anew',
  'skip',
  'skip a region',
  'quarantine',
  'release',
  'stop all',
  'resume all',
] as const;

/** Mostly what a person would name who has looked at the rollout, and now and then something else. */
const named = async (
  world: RolloutWorld,
  rollout: Rollout,
): Promise<{ readonly wave: string; readonly gate: string; readonly cluster: string; readonly missing: string }> => {
  const current = rollout.waves.find(({ state }) => state !== 'Succeeded');
  const wave = (world.chance(0.8) ? current : world.pick(rollout.waves)) ?? rollout.waves[0];
  const gates = rollout.plan.waves[wave?.index ?? 0]?.gates ?? [];
  const without = (await world.targets(rollout)).filter(({ state }) => WITHOUT.has(state));
  const cluster = world.pick(world.clusterNames) ?? '';
  return {
    wave: wave?.name ?? '',
    gate: world.pick(gates)?.name ?? 'people',
    cluster,
    missing: world.pick(without)?.cluster ?? cluster,
  };
};
const WITHOUT = new Set<TargetState>(['Failed', 'RolledBack', 'Skipped']);

const perform = async (world: RolloutWorld, rollout: Rollout, verb: (typeof VERBS)[number]): Promise<unknown> => {
  const { commands, fleet } = world;
  const { id } = rollout;
  const { wave, gate, cluster, missing } = await named(world, rollout);
  const asking = rollout.waves.find(({ index }) => asksPeople(rollout, index))?.name;
  switch (verb) {
    case 'freeze':
    case 'drain':
      return commands.pause(id, { mode: verb }, someone);
    case 'resume':
      return commands.resume(id, why, someone);
    case 'abort':
      return world.chance(0.7) ? commands.abort(id, {}, someone) : undefined;
    case 'rollback':
      return commands.rollback(id, { scope: 'rollout' }, someone);
    case 'roll back a wave':
      return commands.rollback(id, { scope: 'wave', wave }, someone);
    case 'roll back a cluster':
      return commands.rollback(id, { cluster }, someone);
    case 'approve deletions':
      return commands.approveDeletions(id, {}, someone);
    case 'approve':
      return commands.approve(id, { wave: asking ?? wave }, world.chance(0.8) ? manager : someone);
    case 'override':
      return commands.override(id, { wave, gate, ...why }, manager);
    case 'override on a cluster':
      return commands.override(id, { wave, gate, cluster, ...why }, manager);
    case 'override the window':
      return commands.overrideWindow(id, { window: 'early', ...why }, captain);
    case 'retry':
      await commands.retry(id, { cluster: missing }, someone);
      return world.retried.add(`${id}/${missing}`);
    case 'measure anew':
      return commands.retry(id, { wave, gate }, someone);
    case 'skip':
      return commands.skip(id, { cluster }, someone);
    case 'skip a region':
      return world.chance(0.3) ? commands.skip(id, { region: 'r1' }, someone) : undefined;
    case 'quarantine':
      return fleet.quarantineCluster(cluster, why, someone);
    case 'release':
      return fleet.releaseCluster(cluster, {}, someone);
    case 'stop all':
      return world.chance(0.3) ? commands.stopAll(why, someone) : undefined;
    case 'resume all':
      return commands.resumeAll({}, someone);
  }
};

const asksPeople = (rollout: Rollout, wave: number): boolean =>
  rollout.plan.waves[wave]?.gates.some(({ kind }) => kind === 'approval') === true &&
  rollout.waves[wave]?.startedAt === null;

const hasGates = (rollout: Rollout, wave: number): boolean => (rollout.plan.waves[wave]?.gates.length ?? 0) > 0;

/** What somebody would think of, mostly; the others are tried too. */
const fitting = (rollout: Rollout | undefined): readonly (typeof VERBS)[number][] => {
  const waits = rollout?.waves.some(({ index }) => asksPeople(rollout, index)) === true;
  const counts = rollout === undefined ? [] : rollout.waves.map(({ counts: wave }) => wave);
  const without = counts.some(({ failed, rolledBack, skipped }) => failed + rolledBack + skipped > 0);
  const gated = rollout?.waves.some(({ index, state }) => state !== 'Succeeded' && hasGates(rollout, index)) === true;
  const overriding = gated ? (['override', 'override'] as const) : [];
  const approving = waits ? (['approve', 'approve', 'approve', 'approve'] as const) : [];
  const retrying = without && rollout?.state === 'Progressing' ? Array<'retry'>(12).fill('retry') : [];
  return [...VERBS, ...approving, ...overriding, ...retrying];
};

const personActs = async (world: RolloutWorld): Promise<void> => {
  const newest = (await world.rollouts()).slice(0, 3);
  const open = newest.filter((rollout) => !isTerminal(rollout));
  const rollout = world.pick(open.length > 0 && world.chance(0.7) ? open : newest);
  const verb = world.pick(fitting(rollout));
  if (rollout !== undefined && verb !== undefined) await world.allowed(() => perform(world, rollout, verb));
};

/** At least one cluster stays. */
const comeAndGo = (world: RolloutWorld): void => {
  const cluster = world.pick(world.clusterNames) ?? '';
  if (world.departed.delete(cluster)) return;
  if (world.departed.size + 1 < world.clusterNames.length) world.departed.add(cluster);
};

/** One thing happens, drawn by the world's seed: to a cluster, to the clock, by a worker or by a person. */
export const step = async (world: RolloutWorld): Promise<void> => {
  const dice = world.random();
  if (dice < 0.06 && world.commits < 4) {
    if (world.shape.joiners === true) comeAndGo(world);
    await world.start(await world.commit(world.chance(0.5)));
  } else if (dice < 0.13 && world.shape.people) {
    await personActs(world);
  } else if (dice < 0.18 && world.shape.outages) {
    const cluster = world.pick(world.clusterNames) ?? '';
    const away = world.chance(0.3) ? world.mute : world.down;
    if (!away.delete(cluster)) away.add(cluster);
  } else if (dice < 0.2 && world.shape.refusals === true) {
    const cluster = world.pick(world.clusterNames) ?? '';
    if (!world.refusing.delete(cluster)) world.refusing.add(cluster);
  } else if (dice < 0.21 && world.shape.leaps === true) {
    world.now += 3_600_000 * (1 + Math.floor(world.random() * 6));
  } else if (dice < 0.25 && world.shape.sleepers === true) {
    const target = world.pick(await world.dueTargets());
    if (target !== undefined) await world.fallAsleep(target);
  } else if (dice < 0.28 && world.shape.sleepers === true) {
    await world.tellLate();
  } else if (dice < 0.45) {
    world.now += Math.floor(world.random() * 15_000);
    if (world.chance(world.approving)) await world.approveWaves();
    await world.measureWaves();
    for (const rollout of await world.rollouts()) await world.reconcile(rollout.id);
  } else {
    const due = await world.dueTargets();
    const target = world.pick(due);
    if (target === undefined) world.now += 5_000;
    else await world.work(target);
  }
};

/** Every cluster is back and nobody interferes: everything has to come to its end, in bounded time. */
export const comeToRest = async (world: RolloutWorld): Promise<void> => {
  world.down.clear();
  world.mute.clear();
  world.refusing.clear();
  await world.allowed(() => world.commands.resumeAll({}, someone));
  for (const cluster of world.clusterNames) await world.allowed(() => world.fleet.releaseCluster(cluster, {}, someone));
  for (let round = 0; round < 400; round += 1) {
    const rollouts = await world.rollouts();
    for (const rollout of rollouts) {
      if (isTerminal(rollout)) continue;
      if (rollout.paused !== null) await world.allowed(() => world.commands.resume(rollout.id, why, someone));
      if (rollout.state === 'Halted') await world.allowed(() => world.commands.rollback(rollout.id, {}, someone));
      if (rollout.reason === 'TooManyDeletions')
        await world.allowed(() => world.commands.approveDeletions(rollout.id, {}, someone));
      await world.reconcile(rollout.id);
    }
    await world.approveWaves();
    await world.measureWaves(true);
    for (const target of await world.dueTargets()) await world.work(target, true);
    const scenes = await sceneOf(world);
    if (scenes.every(({ rollout, targets }) => isTerminal(rollout) && targets.every((target) => target.owes === null)))
      return;
    world.now += 5_000;
  }
};
