import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '@breakwater/platform';
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
});
afterEach(async () => {
  await cli.killAll();
  await api.close();
});

const env = () => ({ BREAKWATER_URL: api.url, BREAKWATER_TOKEN: api.tokens.operator });
const run = (...args: string[]): Promise<CliRun> => cli.run(args, env());
const start = (...args: string[]) => cli.start(args, env());
const json = (run: CliRun): Record<string, never> => JSON.parse(run.out) as Record<string, never>;

it('says its version', async () => {
  expect(await run('--version')).toMatchObject({ status: 0, out: `${VERSION}\n`, err: '' });
});

describe('errors are one clear line', () => {
  it.each([
    [['rollout', 'get', 'nothing'], 1, /^error: there is no rollout "nothing" \(RolloutNotFound\); List rollouts with/],
    [['rollout', 'start', 'other'], 1, /ApplicationNotFound/],
    [['rollout', 'start', 'podinfo', '--revision', 'nowhere'], 1, /RevisionNotFound/],
    [['rollout', 'start', 'Pod Info'], 1, /application: must be lower-case letters/],
    [['rollout', 'start', 'podinfo', '--plan', 'p'], 1, /NotSupportedYet/],
    [['rollout', 'rollback', 'x', '--past', 'migrate'], 1, /NotSupportedYet/],
    [['cluster', 'add', 'x'], 1, /cluster add is not supported yet/],
    [['rollout', 'approve', 'x', '--wave', 'w', '--deletions'], 2, /NothingToApprove/],
    [['rollout', 'override', 'x', '--wave', 'w', '--gate', 'g'], 2, /required option '--reason/],
    [['rollout', 'override', 'x', '--wave', 'w', '--gate', 'g', '--reason', ' '], 2, /Say why/],
    [['rollout', 'override', 'x', '--reason', 'y'], 2, /required option '--wave/],
    [['rollout', 'retry', 'x'], 2, /NothingNamed/],
    [['rollout', 'retry', 'x', '--wave', 'w'], 2, /NothingNamed/],
    [['rollout', 'skip', 'x'], 2, /NothingNamed/],
    [['rollout', 'skip', 'x', '--cluster', 'a', '--region', 'b'], 2, /NothingNamed/],
    [['cluster', 'quarantine', 'x'], 2, /required option '--reason/],
    [['cluster', 'release'], 2, /missing required argument 'name'/],
    [['lint', '.'], 1, /lint is not supported yet/],
    [['removal', 'start', 'x'], 1, /removal is not supported yet/],
    [['token', 'create', '--role', 'viewer'], 1, /needs the role admin; operator-token is operator \(Forbidden\)/],
    [['rollout', 'approve', 'x'], 2, /NothingToApprove/],
    [['rollout', 'strat'], 2, /^error: unknown command 'strat' \(Did you mean start\?\)/],
    [['rollout', 'start'], 2, /missing required argument 'application'/],
    [['rollout', 'start', 'podinfo', '--wait', '--timeout', 'soon'], 2, /must be a duration/],
    [['rollout', 'list', '-o', 'xml'], 2, /Allowed choices are table, json, yaml/],
    [['token', 'create', 'ci'], 2, /required option '--role/],
  ])('%j ends with %d', async (args, status, message) => {
    const result = await run(...args);
    expect(result).toMatchObject({ status, out: '' });
    expect(result.err).toMatch(message);
    expect(result.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('says where nothing listens, and how to name another place', async () => {
    const unused = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
    });
    const url = `http://127.0.0.1:${unused}`;
    const result = await cli.run(['rollout', 'list'], { BREAKWATER_URL: url });
    expect(result).toMatchObject({ status: 1, out: '' });
    expect(result.err).toBe(
      `error: cannot reach ${url}: connection refused (Unreachable); Is Breakwater running there? Set BREAKWATER_URL to its address.\n`,
    );
  });

  it('names the place of the first token when there is none', async () => {
    const result = await cli.run(['rollout', 'list'], { BREAKWATER_URL: api.url });
    expect(result.status).toBe(1);
    expect(result.err).toMatch(/a bearer token is needed \(Unauthorized\).*BREAKWATER_TOKEN.*<data>\/admin\.token/);
  });

  it('refuses an address that is none, without showing it', async () => {
    const result = await cli.run(['rollout', 'list'], { BREAKWATER_URL: 'ftp://user:hunter2@x' });
    expect(result.err).toMatch(/UrlInvalid/);
    expect(result.err).not.toContain('hunter2');
  });

  it('shows nothing of a server’s text that could move the cursor', async () => {
    await run('rollout', 'start', 'podinfo');
    await api.rollouts.moveTo('rollout-1', 'Halted', 'evil \u001b[2J\u001b]0;x\u0007 text');
    const result = await run('rollout', 'get', 'podinfo');
    expect(result.out).toContain('evil');
    // eslint-disable-next-line no-control-regex -- that is what must not be there
    expect(result.out).not.toMatch(/[\u001b\u0007]/);
  });
});

describe('start', () => {
  it('prints the rollout, and the API’s shape as JSON', async () => {
    const shown = await run('rollout', 'start', 'podinfo', '--reason', 'friday');
    expect(shown).toMatchObject({ status: 0, err: '' });
    expect(shown.out).toMatch(/podinfo → c0ffee00 on shop {2}Progressing/);
    const result = await run('rollout', 'start', 'podinfo', '-o', 'json');
    expect(json(result)).toMatchObject({ id: 'rollout-2', state: 'Progressing', paused: null });
    expect(json(result)).toEqual((await api.call('GET', '/api/v1/rollouts/rollout-2')).body);
  });

  it('starts one rollout for one idempotency key', async () => {
    const first = await run('rollout', 'start', 'podinfo', '--idempotency-key', 'k', '-o', 'json');
    const second = await run('rollout', 'start', 'podinfo', '--idempotency-key', 'k', '-o', 'json');
    expect(json(second)['id']).toBe(json(first)['id']);
    const other = await run('rollout', 'start', 'podinfo', '--idempotency-key', 'k', '--reason', 'else');
    expect(other).toMatchObject({ status: 1 });
    expect(other.err).toContain('IdempotencyKeyReused');
  });

  it('--wait ends 0 when it succeeded, and prints one line for each change', async () => {
    const waiting = start('rollout', 'start', 'podinfo', '--wait');
    await waiting.saw('wave canary: Progressing');
    await api.rollouts.moveTarget('rollout-1', 'eu-west-1a', 'Verifying', 'waiting for replicas');
    await waiting.saw('cluster eu-west-1a: Verifying, waiting for replicas');
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'all of 4 clusters verified');
    const { status, out } = await waiting.done;
    expect(status).toBe(0);
    expect(out).toContain('rollout rollout-1: Succeeded (Succeeded) all of 4 clusters verified');
  });

  it('--wait ends 3 at another end, and prints it with targets as JSON', async () => {
    const waiting = start('rollout', 'start', 'podinfo', '--wait', '-o', 'json');
    while (api.rollouts.calls.length === 0) await new Promise(setImmediate);
    await api.rollouts.moveTo('rollout-1', 'RolledBack', '1 cluster restored and verified');
    const result = await waiting.done;
    expect(result.status).toBe(3);
    expect(result.err).toContain('the rollout ended RolledBack');
    expect(json(result)).toMatchObject({ state: 'RolledBack', targets: [{ cluster: 'eu-west-1a' }, {}, {}, {}] });
  });

  it('--wait --timeout ends 4', async () => {
    const result = await run('rollout', 'start', 'podinfo', '--wait', '--timeout', '1s');
    expect(result.status).toBe(4);
    expect(result.err).toMatch(/the time-out has passed; the rollout is Progressing and goes on \(TimedOut\)/);
  });

  it('--wait goes on when the rollout halts, and says on standard error what a person can do', async () => {
    const waiting = start('rollout', 'start', 'podinfo', '--wait');
    await waiting.saw('wave canary');
    await api.rollouts.moveTo('rollout-1', 'Halted', 'image cannot be pulled');
    await waiting.saw('halted: image cannot be pulled; resume, abort or roll back rollout-1');
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'all of 4 clusters verified');
    expect(await waiting.done).toMatchObject({ status: 0 });
  });

  it('--wait outlives a server that goes away and comes back', async () => {
    const waiting = start('rollout', 'start', 'podinfo', '--wait');
    await waiting.saw('wave canary');
    const real = api.rollouts.find.bind(api.rollouts);
    api.rollouts.find = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    await waiting.saw('trying again');
    api.rollouts.find = real;
    await waiting.saw('connected again');
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'all of 4 clusters verified');
    expect(await waiting.done).toMatchObject({ status: 0 });
  });

  it('is left by Ctrl-C without touching the rollout', async () => {
    const waiting = start('rollout', 'start', 'podinfo', '--wait');
    await waiting.saw('wave canary');
    waiting.interrupt();
    const result = await waiting.done;
    expect(result).toMatchObject({ status: 130 });
    expect(result.err).toContain('interrupted; the rollout goes on');
    expect((await api.rollouts.find('rollout-1')).state).toBe('Progressing');
  });
});

describe('reading', () => {
  beforeEach(async () => {
    await run('rollout', 'start', 'podinfo');
  });

  it('lists, with a paused rollout as such, in at most 100 columns', async () => {
    await run('rollout', 'pause', 'podinfo');
    const { out } = await run('rollout', 'list');
    expect(out).toMatch(
      /^ID +APPLICATION +REVISION +STATE +DONE +AGE +BY\nrollout-1 +podinfo +c0ffee00 +Progressing \(paused\) +0\/4 /,
    );
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('gets all targets with -o json, and the same as YAML', async () => {
    const result = await run('rollout', 'get', 'podinfo', '-o', 'json');
    expect(json(result)).toMatchObject({ id: 'rollout-1', targets: [{}, {}, {}, {}] });
    expect((await run('rollout', 'get', 'podinfo', '-o', 'yaml')).out).toMatch(/^id: rollout-1\nkind: Release\n/);
  });

  it('explains what it waits for, and since when', async () => {
    const now = Date.now();
    api.rollouts.waits = [
      {
        reason: 'GatePending',
        wave: 'canary',
        cluster: 'eu-west-1a',
        gate: 'workloads-ready',
        object: 'apps/Deployment/podinfo/web',
        evidence: '1 of 3 updated replicas are available',
        since: now - 125_000,
        until: now + 175_000,
      },
    ];
    api.rollouts.answers = [
      { action: 'wait', command: null, outcome: 'eu-west-1a fails', state: 'Halted', at: now + 175_000 },
      {
        action: 'approve',
        command: 'breakwater rollout approve x --wave rest',
        outcome: 'wave rest starts',
        state: 'Progressing',
        at: null,
      },
    ];
    const basis = 'from 7 measured clusters: 20 s to 60 s each, half of them within 30 s';
    // Half a minute may pass before the command looks at its own clock.
    api.rollouts.expects = { earliest: now + 95_000, latest: now + 215_000, basis };
    const { out } = await run('rollout', 'explain', 'podinfo');
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(
      /expected end: between \S+ \S+ and \S+ \S+ UTC \(in 1m\d+s to 3m\d+s\), if nothing fails; from 7 measured clusters: 20 s to 60 s each/,
    );
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      'GatePending canary/eu-west-1a workloads-ready apps/Deployment/podinfo/web: 1 of 3 updated replicas are available (for 2m',
    );
    expect(out).toContain('note: gate errors was changed in Git');
    expect(out).toMatch(/what if\n {2}nothing changes, in 2m\d+s: eu-west-1a fails\n/);
    expect(out).toContain('breakwater rollout approve x --wave rest: wave rest starts');
    expect(out).toContain('next: wave rest starts when the canary is verified');
  });

  it.each([
    [['rollout', 'report', 'podinfo'], /rollout created/],
    [['audit', '--rollout', 'podinfo'], /rollout\.created/],
    [['plan', 'podinfo'], /nothing is changed by this/],
    [['cluster', 'list'], /no clusters/],
    [['fleet', 'list'], /no fleets/],
    [['application', 'list'], /^APPLICATION +FLEET +STATE .*\npodinfo +shop +Removed/],
    [['application', 'get', 'podinfo'], /newest rollout: rollout-1, Progressing/],
    [['repository', 'get'], /no repositories/],
    [['cluster', 'explain', 'nothing'], /^$/],
  ])('%j', async (args, text) => {
    const { out } = await run(...args);
    expect(out).toMatch(text);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('report is a document in Markdown or JSON, on standard output or in a file', async () => {
    const { out } = await run('rollout', 'report', 'podinfo', '--format', 'markdown');
    expect(out).toMatch(/^# Rollout rollout-1 of podinfo\n/);
    const path = join(mkdtempSync(join(tmpdir(), 'report-')), 'report.json');
    expect(await run('rollout', 'report', 'podinfo', '--format', 'json', '--file', path)).toMatchObject({
      status: 0,
      out: '',
    });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      rollout: { id: 'rollout-1' },
      figures: { touched: 0 },
    });
    const refused = await run('rollout', 'report', 'podinfo', '--file', join(path, 'below'));
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining('(FileNotWritten)') });
  });

  it('watch -o json prints one object for each change', async () => {
    const watching = start('rollout', 'watch', 'podinfo', '-o', 'json');
    await watching.saw('"state":"Progressing"');
    await api.rollouts.moveTo('rollout-1', 'Incomplete', '3 of 4 clusters verified');
    const { status, out } = await watching.done;
    expect(status).toBe(3);
    const states = out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { state: string }).state);
    expect(states.at(-1)).toBe('Incomplete');
  });
});

describe('verbs', () => {
  beforeEach(async () => {
    await run('rollout', 'start', 'podinfo');
  });

  it.each([
    [['pause', 'podinfo', '--mode', 'drain'], 'paused (drain), it is Progressing (paused)'],
    [['resume', 'podinfo'], 'resumed, it is Progressing'],
    [['abort', 'podinfo'], 'aborted, it is Aborted'],
    [['rollback', 'podinfo', '--scope', 'cluster', '--cluster', 'eu-west-1a'], 'rolling back, it is RollingBack'],
    [['approve', 'podinfo', '--deletions'], 'deletions approved'],
    [['approve', 'podinfo', '--wave', 'rest'], 'wave rest approved, it is Progressing'],
    [['override', 'podinfo', '--wave', 'canary', '--gate', 'smoke'], 'gate smoke of wave canary OVERRIDDEN'],
    [['retry', 'podinfo', '--cluster', 'eu-west-1a'], 'cluster eu-west-1a is tried anew'],
    [['retry', 'podinfo', '--wave', 'canary', '--gate', 'smoke'], 'gate smoke is measured anew'],
    [['skip', 'podinfo', '--region', 'eu-west'], 'region eu-west skipped'],
  ])('rollout %j', async (args, text) => {
    const result = await run('rollout', ...args, '--reason', 'because');
    expect(result).toMatchObject({ status: 0, err: '' });
    expect(result.out).toContain(text);
    expect(api.rollouts.calls.at(-1)).toMatchObject({ input: { reason: 'because' }, actor: 'operator-token' });
  });

  it('rollback --wait ends 0 at RolledBack, 3 at RollbackFailed', async () => {
    for (const [end, status] of [
      ['RolledBack', 0],
      ['RollbackFailed', 3],
    ] as const) {
      const waiting = start('rollout', 'rollback', 'podinfo', '--wait');
      await waiting.saw('RollingBack');
      await api.rollouts.moveTo('rollout-1', end, 'done');
      expect(await waiting.done).toMatchObject({ status });
    }
  });

  it('a pause that is not in force ends 4 and names the clusters, and 0 with --no-wait', async () => {
    api.rollouts.pauseSettles = false;
    const waiting = await run('rollout', 'pause', 'podinfo');
    expect(waiting.status).toBe(4);
    expect(waiting.err).toMatch(/not in force yet on: eu-west-1a \(NotSettled\)/);
    const hurried = await run('rollout', 'pause', 'podinfo', '--no-wait');
    expect(hurried).toMatchObject({
      status: 0,
      err: 'a request that never got its answer may still land on: eu-west-1a\n',
    });
  });

  it('shows a gate that was overridden wherever the rollout is shown', async () => {
    await run('rollout', 'override', 'podinfo', '--wave', 'canary', '--gate', 'smoke', '--reason', 'incident 4711');
    const { out } = await run('rollout', 'get', 'podinfo');
    expect(out).toMatch(/OVERRIDDEN\n {2}smoke of canary, by operator-token at 2026-\S+: incident 4711\n/);
  });

  it('quarantines and releases a cluster', async () => {
    await api.record.cluster.observe('eu-west-1a', { kind: 'Seen', uid: 'u1', version: 'v1.35.0' });
    const held = await run('cluster', 'quarantine', 'eu-west-1a', '--reason', 'disks are failing');
    expect(held).toMatchObject({ status: 0, out: 'cluster eu-west-1a: quarantined until it is released\n' });
    const shown = await run('cluster', 'list');
    expect(shown.out).toMatch(/eu-west-1a .* Quarantined .* by operator-token: disks are failing/);
    expect((await run('cluster', 'release', 'eu-west-1a')).out).toBe('cluster eu-west-1a: released, it is Ready\n');
  });

  it('says on standard error that it waits for an approval', async () => {
    const watching = start('rollout', 'watch', 'podinfo');
    await api.rollouts.await('rollout-1', 'rest');
    await watching.saw('wave rest waits for an approval (not approved yet): rollout approve rollout-1 --wave rest');
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'done');
    expect(await watching.done).toMatchObject({ status: 0 });
  });

  it('stops and resumes all', async () => {
    expect((await run('stop-all', '--reason', 'fire')).out).toContain('stopped, it is Progressing (paused)');
    expect((await run('resume-all')).out).toContain('resumed, it is Progressing');
  });

  it('makes a token that works, on standard output alone', async () => {
    const made = await cli.run(['token', 'create', 'ci', '--role', 'viewer'], {
      BREAKWATER_URL: api.url,
      BREAKWATER_TOKEN: `${api.tokens.admin}\n`,
    });
    expect(made).toMatchObject({ status: 0 });
    const used = await cli.run(['rollout', 'list'], { BREAKWATER_URL: api.url, BREAKWATER_TOKEN: made.out });
    expect(used.status).toBe(0);
  });
});
