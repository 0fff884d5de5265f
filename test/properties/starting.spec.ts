import {
  createBundleStore,
  createRolloutCommands,
  type RecordPort,
  type RecordTransaction,
} from '@breakwater/application';
import { begin, changeGit, latest, pass, someone, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

const GIT = { name: 'git' };
const plain = { seal: (bytes: Uint8Array): Uint8Array => bytes, open: (bytes: Uint8Array): Uint8Array => bytes };
const wakeUps = { wake: async () => undefined, wakeAll: async () => undefined };

/** Git by now says something else. */
describe('a request that is repeated', () => {
  const ask = { application: 'web', reason: 'a release', idempotencyKey: 'k' };

  it('gets the same rollout after the application has left Git', async () => {
    const world = new RolloutWorld(usual);
    const revision = await world.commit(false);
    const first = await world.commands.start({ ...ask, revision }, someone);
    await changeGit(world, (model) => ({ ...model, applications: [] }));
    const again = await world.commands.start({ ...ask, revision }, someone);
    expect([again.fresh, again.rollout.id]).toEqual([false, first.rollout.id]);
  });

  it('with another body is told so, whatever that body asks for', async () => {
    const world = new RolloutWorld(usual);
    const revision = await world.commit(false);
    await world.commands.start({ ...ask, revision }, someone);
    await expect(
      world.commands.start({ ...ask, application: 'nosuch', revision: 'gone' }, someone),
    ).rejects.toMatchObject({ category: 'Invalid', code: 'IdempotencyKeyReused' });
  });

  it('is planned again where the first try made nothing', async () => {
    const world = new RolloutWorld(usual);
    const revision = await world.commit(false);
    await expect(world.commands.start({ ...ask, application: 'nosuch' }, someone)).rejects.toMatchObject({
      code: 'ApplicationNotFound',
    });
    expect((await world.commands.start({ ...ask, revision }, someone)).fresh).toBe(true);
  });
});

/** As another transaction sees it that has read just before a rollout was inserted. */
const oneLookLate = (record: RecordPort): RecordPort => {
  let late = true;
  const blind = (tx: RecordTransaction): RecordTransaction =>
    new Proxy(tx, {
      get: (target, name) => {
        if (name === 'unfinishedRollouts' && late) {
          late = false;
          return async () => [];
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  return { ...record, transaction: (work) => record.transaction((tx) => work(blind(tx))) };
};

const startsAtOnce = async (collisions: Shape['collisions']) => {
  const world = new RolloutWorld({ ...usual, collisions });
  const first = await begin(world);
  const revision = await world.commit(false);
  const record = oneLookLate(world.record);
  const commands = createRolloutCommands({ record, wakeUps, bundles: createBundleStore(record, plain) });
  return { world, first, start: () => commands.start({ application: 'web', revision }, someone) };
};

describe('two starts at once', () => {
  it('are one rollout and one refusal where the strategy rejects', async () => {
    const { world, start } = await startsAtOnce('reject');
    await expect(start()).rejects.toMatchObject({ category: 'Conflict', code: 'RolloutInProgress' });
    expect(await world.rollouts()).toHaveLength(1);
  });

  it('are one behind the other where the strategy queues', async () => {
    const { start } = await startsAtOnce('queue');
    expect((await start()).rollout.state).toBe('Queued');
  });

  it('are the later one alone where it supersedes', async () => {
    const { world, first, start } = await startsAtOnce('supersede');
    expect((await start()).rollout.state).toBe('Planned');
    expect((await latest(world, first)).state).toBe('Superseded');
  });
});

describe('a commit that comes while a rollout is frozen', () => {
  const triggered = async (world: RolloutWorld) => {
    const revision = await world.commit(false);
    return (await world.commands.start({ application: 'web', revision, triggered: true }, GIT)).rollout;
  };
  const superseding: Shape = { ...usual, collisions: 'supersede' };

  it('waits until somebody has lifted the freeze', async () => {
    const world = new RolloutWorld(superseding);
    const frozen = await begin(world);
    await world.commands.pause(frozen.id, { reason: 'an incident' }, someone);
    const next = await triggered(world);
    await pass(world, 60);
    expect([(await latest(world, frozen)).state, (await latest(world, next)).state]).toEqual(['Progressing', 'Queued']);
    expect([...world.live.values()]).not.toContain(next.revision.digest);
    await world.commands.resume(frozen.id, {}, someone);
    await pass(world, 240);
    expect([(await latest(world, frozen)).state, (await latest(world, next)).state]).toEqual([
      'Succeeded',
      'Succeeded',
    ]);
  });

  it('waits for one that the emergency stop holds, and only the newest commit does', async () => {
    const world = new RolloutWorld(superseding);
    const frozen = await begin(world);
    await world.commands.stopAll({}, someone);
    const second = await triggered(world);
    const third = await triggered(world);
    expect((await latest(world, frozen)).state).toBe('Progressing');
    expect((await latest(world, second)).state).toBe('Superseded');
    expect(await latest(world, third)).toMatchObject({ state: 'Queued', paused: { mode: 'freeze', emergency: true } });
  });

  it('does not take the place of one that somebody froze in the queue', async () => {
    const world = new RolloutWorld(usual);
    await begin(world);
    const waiting = await triggered(world);
    await world.commands.pause(waiting.id, {}, someone);
    await triggered(world);
    expect((await latest(world, waiting)).state).toBe('Queued');
  });

  it('supersedes one that drains, and a person supersedes a frozen one', async () => {
    const world = new RolloutWorld(superseding);
    const drained = await begin(world);
    await world.commands.pause(drained.id, { mode: 'drain' }, someone);
    const next = await triggered(world);
    expect((await latest(world, drained)).state).toBe('Superseded');
    await world.commands.pause(next.id, {}, someone);
    await begin(world, true);
    expect((await latest(world, next)).state).toBe('Superseded');
  });
});

describe('an application with errors in the newest commit', () => {
  const error = { file: 'web.yaml', line: 3, column: 1, kind: 'Application', name: 'web', blocks: 'application/web' };

  const blocked = async () => {
    const world = new RolloutWorld(usual);
    const commit = await world.commit(false);
    const repository = { name: 'fleet', url: 'u', ref: 'main', state: 'Invalid', message: '', triedAt: null } as const;
    const other = { ...error, name: 'db', blocks: 'application/db' };
    const seen = { observed: null, good: null, errors: [error, other] };
    await world.record.sync.saveRepository({ ...repository, ...seen }, []);
    await changeGit(world, (model) => ({ ...model, applications: [], blockedApplications: ['db', 'web'] }));
    return { world, commit };
  };
  /** As the Git sync has it, who knows where each revision goes. */
  const saved = async (world: RolloutWorld, commit: string): Promise<void> => {
    const release = (await world.record.sync.release('web', commit))!;
    const apply = { namespace: 'web', conflicts: 'force', adopt: 'refuse', ignore: [], prune: { enabled: true } };
    const spec = { apply, destination: { fleet: 'fleet', strategy: null } };
    await world.record.sync.saveRelease({ ...release, spec }, []);
  };

  it.each([undefined, 'the commit'])('starts the newest good release, as that says (revision %s)', async (asked) => {
    const { world, commit } = await blocked();
    await saved(world, commit);
    const input = { application: 'web', ...(asked === undefined ? {} : { revision: commit }) };
    const { rollout } = await world.commands.start(input, someone);
    expect(rollout).toMatchObject({
      fleet: 'fleet',
      revision: { commit },
      plan: { strategy: 'staged', apply: { conflicts: 'force' } },
    });
    await pass(world, 120);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
    expect((await world.commands.explain(rollout.id)).notes).toEqual([]);
  });

  it('is refused with its own errors where no release is known', async () => {
    const { world } = await blocked();
    await expect(world.commands.start({ application: 'db' }, someone)).rejects.toMatchObject({
      code: 'ApplicationInvalid',
      details: { errors: [{ name: 'db' }] },
    });
  });
});
