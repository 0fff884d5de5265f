import type { Rollout } from '@breakwater/domain';
import { jest } from '@jest/globals';
// eslint-disable-next-line @nx/enforce-module-boundaries -- the command line is tested against the API that it talks to
import { startApi } from '../../api/src/testing/api-fixture.ts';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
import type { ApiFixture } from '../../api/src/testing/api-fixture.ts';
import { bundleCli } from './testing/cli-process.ts';
import type { CliProgram, CliRun } from './testing/cli-process.ts';

jest.setTimeout(60_000);

let cli: CliProgram;
let api: ApiFixture;
beforeAll(async () => {
  cli = await bundleCli();
});
afterAll(() => cli.remove());
beforeEach(async () => {
  api = await startApi();
  await run('rollout', 'start', 'podinfo');
});
afterEach(async () => {
  await cli.killAll();
  await api.close();
});

const env = () => ({ BREAKWATER_URL: api.url, BREAKWATER_TOKEN: api.tokens.operator });
const run = (...args: string[]): Promise<CliRun> => cli.run(args, env());
const start = (...args: string[]) => cli.start(args, env());
const json = ({ out }: CliRun) => JSON.parse(out) as Record<string, unknown>;
const called = (verb: string) => api.rollouts.calls.filter((call) => call.verb === verb);

describe('rollback', () => {
  it.each([
    [['--scope', 'cluster'], /say what to roll back \(NothingNamed\); Add --cluster NAME or --region NAME/],
    [['--scope', 'rollout', '--cluster', 'eu-west-1a'], /scope rollout takes back more .*\(ScopeContradicts\)/],
    [['--scope', 'wave', '--region', 'eu-west'], /ScopeContradicts/],
    [['--cluster', 'eu-west-1a', '--region', 'eu-west'], /ScopeContradicts/],
    [['--cluster', 'eu-west-1a', '--wave', 'rest'], /--wave belongs to the scope wave alone/],
    [['--timeout', '5m'], /--timeout bounds --wait, which is not there \(NothingToWaitFor\)/],
  ])('%j is refused as usage, and asks for nothing', async (flags, message) => {
    const result = await run('rollout', 'rollback', 'podinfo', ...flags);
    expect(result).toMatchObject({ status: 2, out: '' });
    expect(result.err).toMatch(message);
    expect(called('rollback')).toEqual([]);
  });

  it.each([
    [['--no-wait'], {}],
    [['--scope', 'wave'], { scope: 'wave' }],
    [['--wave', 'rest'], { wave: 'rest' }],
    [['--region', 'eu-west'], { region: 'eu-west' }],
  ])('%j asks for %j', async (flags, input) => {
    const result = await run('rollout', 'rollback', 'podinfo', ...flags);
    expect(result).toMatchObject({ status: 0, err: '' });
    expect(called('rollback')).toMatchObject([{ input }]);
    expect(Object.keys(called('rollback')[0]?.input ?? {})).toEqual(Object.keys(input));
  });

  it.each([
    ['--cluster', 'eu-west-1a', 'RolledBack', 0],
    ['--region', 'eu-west', 'RolledBack', 0],
    ['--cluster', 'eu-west-1a', 'RollbackFailed', 3],
  ] as const)('%s %s --wait of a rollout that goes on waits for that alone: %s', async (flag, name, end, status) => {
    api.rollouts.rollback = async (id): Promise<Rollout> => {
      await api.rollouts.moveTarget(id, 'eu-west-1a', 'RollingBack', 'returning');
      return api.rollouts.find(id);
    };
    const waiting = start('rollout', 'rollback', 'podinfo', flag, name, '--wait');
    await waiting.saw('cluster eu-west-1a: RollingBack');
    await api.rollouts.moveTarget('rollout-1', 'eu-west-1a', end, 'so it ended');
    const result = await waiting.done;
    expect(result).toMatchObject({ status });
    if (status === 3) expect(result.err).toContain('cluster eu-west-1a is RollbackFailed: so it ended (AnotherEnd)');
    expect((await api.rollouts.find('rollout-1')).state).toBe('Progressing');
  });
});

describe('watch', () => {
  it.each(['while it looks on', 'before the first look'])(
    'ends 3 where a rollback began by itself %s',
    async (when) => {
      if (when === 'before the first look') await api.rollouts.rollBackByItself('rollout-1');
      const watching = start('rollout', 'watch', 'podinfo');
      await watching.saw('rollout rollout-1');
      if (when !== 'before the first look') await api.rollouts.rollBackByItself('rollout-1');
      await api.rollouts.moveTo('rollout-1', 'RolledBack', 'all restored');
      expect(await watching.done).toMatchObject({ status: 3, err: expect.stringContaining('ended RolledBack') });
      expect(await run('rollout', 'watch', 'podinfo')).toMatchObject({ status: 3 });
    },
  );

  it('ends 0 at the rollback that a person has asked for', async () => {
    await run('rollout', 'rollback', 'podinfo', '--reason', 'customers complain');
    const watching = start('rollout', 'watch', 'podinfo');
    await watching.saw('RollingBack');
    await api.rollouts.moveTo('rollout-1', 'RolledBack', 'all restored');
    expect(await watching.done).toMatchObject({ status: 0 });
    const shown = await run('rollout', 'get', 'podinfo', '-o', 'json');
    expect(json(shown)['rollback']).toMatchObject({ automatic: false, by: 'operator-token', scope: 'rollout' });
    expect(await run('rollout', 'watch', 'podinfo')).toMatchObject({ status: 0 });
  });

  it('says that a rollout is held because clusters would refuse it', async () => {
    const watching = start('rollout', 'watch', 'podinfo');
    await watching.saw('rollout rollout-1');
    await api.rollouts.refuse('rollout-1', 'cluster eu-west-1a: quota exceeded');
    await watching.saw(
      'clusters would refuse it: cluster eu-west-1a: quota exceeded; mend them, skip them, or abort it',
    );
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'done');
    expect(await watching.done).toMatchObject({ status: 0 });
  });

  it('-o yaml prints a document for each look', async () => {
    const watching = start('rollout', 'watch', 'podinfo', '-o', 'yaml');
    await watching.saw('state: Progressing');
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'done');
    const { status, out } = await watching.done;
    expect(status).toBe(0);
    const documents = out.split(/^---\n/m).slice(1);
    expect(documents.length).toBeGreaterThanOrEqual(2);
    for (const document of documents) expect(document).toMatch(/^id: rollout-1\nkind: Release\n/);
    expect(documents.at(-1)).toContain('\nstate: Succeeded\n');
  });
});

describe('abort and pause', () => {
  it('abort asks again until it is in force', async () => {
    api.rollouts.abortsUnsettled = 2;
    const result = await run('rollout', 'abort', 'podinfo', '--reason', 'wrong', '-o', 'json');
    expect(result).toMatchObject({ status: 0, err: '' });
    expect(json(result)).toMatchObject({ state: 'Aborted', unsettled: [] });
    expect(called('abort')).toHaveLength(3);
  });

  it.each(['abort', 'pause'])('%s prints what was done before it ends 4', async (verb) => {
    api.rollouts.abortsUnsettled = 100;
    api.rollouts.pauseSettles = false;
    const result = await run('rollout', verb, 'podinfo', '-o', 'json');
    expect(result).toMatchObject({ status: 4, err: expect.stringContaining('not in force yet on: eu-west-1a') });
    expect(json(result)).toMatchObject({ id: 'rollout-1', unsettled: ['eu-west-1a'] });
  });

  it('abort --no-wait asks once', async () => {
    api.rollouts.abortsUnsettled = 100;
    expect(await run('rollout', 'abort', 'podinfo', '--no-wait')).toMatchObject({ status: 0 });
    expect(called('abort')).toHaveLength(1);
  });
});

it('start --timeout without --wait is refused as usage, and starts nothing', async () => {
  expect(await run('rollout', 'start', 'podinfo', '--timeout', '5m')).toMatchObject({ status: 2, out: '' });
  expect(called('start')).toHaveLength(1);
});

it.each([['lint'], ['removal'], ['removal', 'start'], ['cluster', 'add'], ['compliance']])(
  '%s --help prints help',
  async (...command) => {
    const result = await run(...command, '--help');
    expect(result).toMatchObject({ status: 0, err: '' });
    expect(result.out).toMatch(/^Usage: breakwater .*\n\n.*: not supported yet\n/);
  },
);

it.each([
  ['Synced', 0],
  ['Invalid', 3],
  ['Held', 3],
  ['Unreachable', 1],
] as const)('repository sync of one that is %s ends %d', async (state, status) => {
  const repository = { name: 'fleet', url: 'https://git.example/fleet.git', ref: 'main', message: '' };
  const record = { ...repository, state, observed: null, good: null, errors: [], triedAt: 1 };
  await api.record.sync.saveRepository(record, []);
  expect(await run('repository', 'sync')).toMatchObject({ status });
});
