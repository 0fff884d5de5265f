import type { WireRollout, WireTarget } from '@breakwater/platform';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { breakwater, type CommandAnswer, GitFleet } from '../support/git-fleet.ts';
import { fences, type LiveObjects, liveObjects, withoutIdentity } from '../support/live-objects.ts';
import { freePort } from '@breakwater/testing';
import { Api, buildPrograms, Program } from '../support/program.ts';

const { describe: describeWithTestbed } = requireTestbed();

const ROLES = { c0: 'canary', c1: 'second', c2: 'second', c3: 'second' };

type WithTargets = WireRollout & { readonly targets: readonly WireTarget[] };

describeWithTestbed('from a commit to a verified rollback, by Git and command line, on six API servers', () => {
  let bed: Testbed;
  let fleet: GitFleet;
  let program: Program;
  let api: Api;
  let port: number;
  let second = '';

  const start = async (): Promise<void> => {
    const options = { repo: fleet.repository, credentials: fleet.credentials, data: fleet.data, port, poll: '5s' };
    const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
    program = await Program.start('standalone', { environment: {}, logFile: join(fleet.home, 'log'), args });
    api = new Api(port, join(fleet.data, 'admin.token'));
    await api.ready(program);
  };
  const cli = async (...args: string[]): Promise<CommandAnswer> => {
    const token = (await readFile(join(fleet.data, 'admin.token'), 'utf8')).trim();
    return breakwater({ url: `http://127.0.0.1:${port}`, token }, ...args);
  };
  /** Why the application is not at what Git has. */
  const whyNot = async (): Promise<string> => (await cli('application', 'explain', 'web')).out;
  const json = (answer: CommandAnswer): WithTargets => {
    try {
      return JSON.parse(answer.out) as WithTargets;
    } catch {
      throw new Error(`status ${answer.status}: ${answer.out}\n${answer.err}`);
    }
  };
  const states = ({ targets }: WithTargets): readonly string[] =>
    targets.map(({ cluster, state }) => `${cluster} ${state}`).sort();
  const everything = () => Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
  const commit = async (wanted: Parameters<GitFleet['commit']>[0]): Promise<string> => {
    const made = await fleet.commit(wanted);
    await api.synced(made);
    return made;
  };

  beforeAll(async () => {
    await buildPrograms();
    bed = await acquireTestbed({ clusters: 6, label: 'e2e from git' });
    await bed.reset();
    fleet = await GitFleet.create(bed.clusters, ROLES);
    await fleet.commit({ version: '1', members: ['c0', 'c1', 'c2', 'c4', 'c5'] });
    port = await freePort();
    await start();
  }, TESTBED_TIMEOUT_MS);
  afterAll(async () => {
    await program?.stop();
    await bed?.release();
    await fleet?.remove();
  }, 60_000);

  it('a good release succeeds everywhere: exit status 0', async () => {
    expect(await whyNot()).toMatch(/release [0-9a-f]{12} was never started[\s\S]*breakwater rollout start web/);
    const answer = await cli('rollout', 'start', 'web', '--wait', '-o', 'json');
    expect(json(answer)).toMatchObject({ state: 'Succeeded', message: 'all of 5 clusters verified' });
    expect(answer.status).toBe(0);
    expect(await whyNot()).toMatch(/at release [0-9a-f]{12}, the newest/);
  }, 120_000);

  it('one that fails within the budget is incomplete and names the cluster: exit status 3', async () => {
    second = await commit({ version: '2', brokenOn: ['c1'], members: ['c0', 'c1', 'c2', 'c4', 'c5'] });
    const answer = await cli('rollout', 'start', 'web', '--strategy', 'tolerant', '--wait', '-o', 'json');
    const rollout = json(answer);
    expect(rollout).toMatchObject({ state: 'Incomplete', message: expect.stringContaining('c1') as string });
    expect(states(rollout)).toEqual(['c0 Succeeded', 'c1 RolledBack', 'c2 Succeeded', 'c4 Succeeded', 'c5 Succeeded']);
    expect(answer.status).toBe(3);
  }, 120_000);

  it('a bad one returns each touched cluster to its own revision: the newest, one no longer in Git, and nothing', async () => {
    const before = await everything();
    const first = json(await cli('rollout', 'list', '-o', 'json')) as unknown as { items: WireRollout[] };
    const gone = first.items.at(-1)!.revision.commit;
    const third = await commit({ version: '3', brokenOn: ['c2'], alone: true });
    expect(await whyNot()).toContain(`Git is ahead: release ${third.slice(0, 12)} was not started`);
    await expect(fleet.git('cat-file', '-e', gone)).rejects.toThrow();
    await expect(fleet.git('cat-file', '-e', second)).rejects.toThrow();

    const answer = await cli('rollout', 'start', 'web', '--wait', '-o', 'json');
    const rollout = json(answer);
    expect(rollout).toMatchObject({ state: 'RolledBack', revision: { commit: third } });
    expect(answer.status).toBe(3);
    expect(states(rollout)).toEqual([
      'c0 RolledBack',
      'c1 RolledBack',
      'c2 RolledBack',
      'c3 RolledBack',
      'c4 Pending',
      'c5 Pending',
    ]);
    const previous = rollout.targets.map(({ cluster, previousRevision }) => [
      cluster,
      previousRevision?.commit ?? null,
    ]);
    expect(Object.fromEntries(previous)).toMatchObject({ c0: second, c1: gone, c2: second, c3: null });
    const after = await everything();
    expect(after.map(withoutIdentity)).toEqual(before.map(withoutIdentity));
    const lasting = (objects: LiveObjects) =>
      Object.fromEntries(Object.entries(objects).filter(([key]) => !key.startsWith('ConfigMap/web/of-')));
    expect(after.map(lasting)).toEqual(before.map(lasting));
    expect(await fences(bed.clusters[3]!)).toBeNull();

    const again = await cli('rollout', 'start', 'web');
    expect(again.status).toBe(1);
    expect(again.err).toMatch(/rolled back before/);
    expect(await whyNot()).toContain(`Git is ahead: release ${third.slice(0, 12)} is Bad`);
  }, 180_000);

  it('is paused, resumed, killed (-9) on the way, ends well, and is taken back on request', async () => {
    const before = await everything();
    await commit({ version: '4', behaviour: 'delay-2s' });
    const { id } = json(await cli('rollout', 'start', 'web', '-o', 'json'));
    await api.until(id, ({ state }) => state === 'Progressing', 30_000);
    const paused = await cli('rollout', 'pause', 'web', '--reason', 'lunch');
    expect(paused.status).toBe(0);
    expect((await cli('rollout', 'list')).out).toContain('Progressing (paused)');
    expect((await cli('rollout', 'explain', 'web')).out).toMatch(/Paused[\s\S]*lunch/);
    expect(await whyNot()).toMatch(/Paused[\s\S]*lunch/);
    expect((await cli('rollout', 'resume', 'web')).status).toBe(0);
    await api.until(id, ({ waves }) => waves[1] !== undefined && waves[1].state !== 'Pending', 60_000);
    await program.kill();
    await start();
    const watched = await cli('rollout', 'watch', 'web');
    expect(watched.status).toBe(0);
    expect(await api.rollout(id)).toMatchObject({ state: 'Succeeded', message: 'all of 6 clusters verified' });

    const back = await cli('rollout', 'rollback', 'web', '--reason', 'customers complain', '--wait');
    expect(back.status).toBe(0);
    expect(await api.rollout(id)).toMatchObject({ state: 'RolledBack' });
    const after = await everything();
    expect(after.map(withoutIdentity)).toEqual(before.map(withoutIdentity));
  }, 240_000);
});
