import { jest } from '@jest/globals';
// eslint-disable-next-line @nx/enforce-module-boundaries -- the command line is tested against the API that it talks to
import { startApi } from '../../api/src/testing/api-fixture.ts';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
import type { ApiFixture } from '../../api/src/testing/api-fixture.ts';
import { bundleCli } from './testing/cli-process.ts';
import type { CliProgram, CliRun } from './testing/cli-process.ts';

jest.setTimeout(60_000);

const HOUR = 3_600_000;
const START = Date.parse('2026-01-02T03:04:05.000Z');

let cli: CliProgram;
let api: ApiFixture;
beforeAll(async () => {
  cli = await bundleCli();
});
afterAll(() => cli.remove());
beforeEach(async () => {
  api = await startApi();
  await api.record.cluster.observe('eu-west-1a', { kind: 'Seen', uid: 'u-1', version: 'v1.36.3' });
  api.finds({
    edits: [
      {
        application: 'podinfo',
        object: 'apps/Deployment/podinfo/web' as never,
        at: START - 252_000,
        what: 'set spec.template.spec.containers[name=main].image',
        manager: 'kubectl-edit\u001b[2J',
      },
    ],
    nodes: [],
    notLookedAt: [{ what: 'nodes', reason: 'Forbidden: nodes is forbidden' }],
    notes: [],
  });
});
afterEach(async () => {
  await cli.killAll();
  await api.close();
});

const run = (...args: string[]): Promise<CliRun> =>
  cli.run(['changes', ...args], { BREAKWATER_URL: api.url, BREAKWATER_TOKEN: api.tokens.viewer });
/** The fixture's clock stands long ago. */
const since = new Date(START - HOUR).toISOString();

describe('changes', () => {
  it('shows what broke, what happened shortly before it, and what was not looked at', async () => {
    await api.record.cluster.observe('eu-west-1a', { kind: 'Unreachable', reason: 'Timeout', message: 'silent' });
    await api.record.audit.seal(100);
    const { status, out, err } = await run('--cluster', 'eu-west-1a', '--since', since);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/^eu-west-1a {2}from 2026-01-02 02:04:05 to 2026-01-02 03:04:05 UTC\n/);
    expect(out).toContain('broke at 2026-01-02 03:04:05 UTC: ClusterUnreachable: Timeout: silent');
    expect(out).toMatch(
      /# {2}TIME \(UTC\) +SIGNAL +KIND +BY +WHAT\n1 {2}2026-01-02 02:59:53 {2}-4m12s {2}edit {2}kubectl-edit/,
    );
    expect(out).toContain('NOT LOOKED AT\n  nodes: Forbidden: nodes is forbidden');
    expect(out).not.toContain('\u001b');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('says that nothing broke, and prints the API’s shape as JSON and YAML', async () => {
    const shown = await run('--cluster', 'eu-west-1a', '--since', since);
    expect(shown.out).toContain('nothing broke in this time, as far as the record knows: newest first');
    const json = await run('--cluster', 'eu-west-1a', '--since', since, '-o', 'json');
    expect(JSON.parse(json.out)).toMatchObject({ cluster: 'eu-west-1a', signal: null, changes: [{ kind: 'edit' }] });
    expect((await run('--cluster', 'eu-west-1a', '--since', since, '-o', 'yaml')).out).toMatch(
      /^cluster: eu-west-1a\n/,
    );
  });

  it.each([
    [[], 2, /required option '--cluster <name>'/],
    [['--cluster', 'eu-west-1a', '--since', 'monday'], 2, /must be a duration such as 2h/],
    [['--cluster', 'nothing', '--since', since], 1, /ClusterNotFound/],
    [['--cluster', 'eu-west-1a', '--since', '2h'], 1, /SinceInFuture.*Give a time in the past/],
  ])('%j ends with %d and one clear line', async (args, status, message) => {
    const result = await run(...args);
    expect(result).toMatchObject({ status, out: '' });
    expect(result.err).toMatch(message);
    expect(result.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('shows an example in its help', async () => {
    expect((await run('--help')).out).toContain('changes --cluster eu-west-1a --since 2h');
  });
});
