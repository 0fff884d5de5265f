import type { FleetSnapshot, Rollout, Target, TargetEvent } from '@breakwater/domain';
import type { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

export const usual: Shape = {
  seed: 7,
  clusters: 2,
  waves: 1,
  maxConcurrent: 2,
  failureBudget: 1,
  soakMs: 0,
  domains: 2,
  domainSlots: 2,
  unreachable: 'count',
  action: 'rollback',
  scope: 'rollout',
  returnConcurrency: '100%',
  collisions: 'queue',
  outages: false,
  people: false,
  badness: 0,
  manyDeletions: false,
  steps: 0,
  asks: [],
  freeze: false,
};
export const someone = { name: 'on-call' };

export const begin = async (world: RolloutWorld, supersede = false): Promise<Rollout> => {
  const commit = await world.commit(false);
  const { rollout } = await world.commands.start({ application: 'web', revision: commit, supersede }, someone);
  await world.reconcile(rollout.id);
  await world.reconcile(rollout.id);
  return latest(world, rollout);
};

export const latest = async (world: RolloutWorld, { id }: Pick<Rollout, 'id'>): Promise<Rollout> =>
  (await world.record.rollouts.get(id))!;

export const targetOf = async (world: RolloutWorld, { id }: Pick<Rollout, 'id'>, cluster: string): Promise<Target> =>
  (await world.record.rollouts.target(id, cluster))!;

/** Everything that is due is done, and time goes on by five seconds, again and again. */
export const pass = async (world: RolloutWorld, seconds: number, leave: readonly string[] = []): Promise<void> => {
  for (let at = 0; at <= seconds; at += 5) {
    for (const rollout of (await world.rollouts()).toReversed()) await world.reconcile(rollout.id);
    await world.measureWaves(true);
    for (const target of await world.dueTargets()) if (!leave.includes(target.cluster)) await world.work(target, true);
    world.now += 5_000;
  }
};

export const tell = async (
  world: RolloutWorld,
  rollout: Rollout,
  cluster: string,
  event: TargetEvent,
): Promise<boolean> => world.tell(await targetOf(world, rollout, cluster), event);

/** What the newest commit says, without a new one. */
export const changeGit = async (
  world: RolloutWorld,
  change: (model: FleetSnapshot) => FleetSnapshot,
): Promise<void> => {
  const snapshot = (await world.record.sync.snapshot('fleet'))!;
  const model = change(snapshot.model as FleetSnapshot);
  await world.record.sync.saveSnapshot({ ...snapshot, id: `${snapshot.id}'`, model }, []);
};
