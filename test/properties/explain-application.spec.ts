import { begin, changeGit, pass, someone, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';

const summaryOf = async (world: RolloutWorld): Promise<string> =>
  (await world.commands.explainApplication('web')).summary;

describe('why an application is not at what Git has', () => {
  it('nobody knows of one that is nowhere', async () => {
    const world = new RolloutWorld(usual);
    await expect(world.commands.explainApplication('nosuch')).rejects.toMatchObject({ code: 'ApplicationNotFound' });
  });

  it('its release was never started, or not the newest', async () => {
    const world = new RolloutWorld(usual);
    await world.commit(false);
    expect(await world.commands.explainApplication('web')).toMatchObject({
      subject: 'application/web',
      summary: 'release 000000000000 was never started',
      next: 'somebody starts it: breakwater rollout start web',
      blockers: [],
    });
    await begin(world);
    await pass(world, 60);
    expect(await summaryOf(world)).toMatch(/^at release 000000000000, the newest: .*, Succeeded: all of 2/);
    await world.commit(false);
    expect(await summaryOf(world)).toMatch(/^Git is ahead: release 000000000000 was not started; newest rollout: /);
  });

  it('a rollout of it is under way, and what that one waits for', async () => {
    const world = new RolloutWorld(usual);
    const { id } = await begin(world);
    const { summary, blockers } = await world.commands.explainApplication('web');
    expect(summary).toMatch(new RegExp(`^rollout/${id}: Progressing: GatePending on c0`));
    expect(blockers).toEqual((await world.commands.explain(id)).blockers);
  });

  it('an ended rollout of it still owes a cluster its revision', async () => {
    const world = new RolloutWorld(usual);
    world.down.add('c1');
    const { id } = await begin(world);
    await pass(world, 90);
    const { summary, blockers } = await world.commands.explainApplication('web');
    expect(summary).toMatch(new RegExp(`^rollout/${id}: Incomplete: `));
    expect(blockers).toMatchObject([{ cluster: 'c1' }]);
  });

  it('its release is bad', async () => {
    const world = new RolloutWorld(usual);
    const rollout = await begin(world);
    await pass(world, 60);
    await world.commands.rollback(rollout.id, { reason: 'customers complain' }, someone);
    await pass(world, 60);
    const { summary, next } = await world.commands.explainApplication('web');
    expect(summary).toMatch(/^Git is ahead: release 000000000000 is Bad, it was rolled back: /);
    expect(next).toContain('--allow-bad');
  });

  it('it has errors in Git, the first of which is told with its place and remedy', async () => {
    const world = new RolloutWorld(usual);
    await begin(world);
    await pass(world, 60);
    await changeGit(world, (model) => ({ ...model, applications: [], blockedApplications: ['web'] }));
    const error = {
      file: 'apps/web.yaml',
      line: 7,
      message: 'no such fleet',
      remedy: 'did you mean shop',
      blocks: 'application/web',
    };
    const other = { ...error, file: 'other.yaml', blocks: 'application/other' };
    const errors = [other, error, { ...error, line: 9 }];
    await world.record.sync.saveRepository(
      {
        name: 'fleet',
        url: '',
        ref: 'main',
        state: 'Invalid',
        message: '',
        observed: null,
        good: null,
        errors,
        triedAt: null,
      },
      [],
    );
    expect(await world.commands.explainApplication('web')).toMatchObject({
      summary: 'Invalid: apps/web.yaml:7: no such fleet (and 1 more: breakwater repository get fleet)',
      next: 'a commit that mends it: did you mean shop',
    });
  });

  it('it is in Git no more', async () => {
    const world = new RolloutWorld(usual);
    await begin(world);
    await pass(world, 60);
    await changeGit(world, (model) => ({ ...model, applications: [] }));
    expect(await summaryOf(world)).toMatch(/^Removed: web is in Git no more, and stays where it runs/);
  });
});
