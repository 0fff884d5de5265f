import type { WireRollout } from '@breakwater/platform';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';
import { COMMIT, DIGEST } from '../testing/fake-rollouts.ts';

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const start = (body: object = {}, headers: Record<string, string> = {}) =>
  api.call('POST', '/api/v1/rollouts', { body: { application: 'podinfo', ...body }, headers });

describe('starting a rollout', () => {
  it('answers 201 with its location and the shape of the contract', async () => {
    const { status, headers, body } = await start({ reason: 'friday' });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe('/api/v1/rollouts/rollout-1');
    expect(body).toEqual({
      id: 'rollout-1',
      kind: 'Release',
      application: 'podinfo',
      fleet: 'shop',
      revision: { commit: COMMIT, digest: DIGEST },
      state: 'Progressing',
      reason: 'WaveInProgress',
      message: 'wave canary: 0 of 1 cluster verified',
      paused: null,
      rollback: null,
      waves: [
        {
          name: 'canary',
          state: 'Progressing',
          startedAt: '2026-01-02T03:04:05.000Z',
          finishedAt: null,
          approvals: [],
          counts: { total: 1, succeeded: 0, failed: 0, unreachable: 0, skipped: 0, inFlight: 0, rolledBack: 0 },
        },
        {
          name: 'rest',
          state: 'Pending',
          startedAt: null,
          finishedAt: null,
          approvals: [],
          counts: { total: 3, succeeded: 0, failed: 0, unreachable: 0, skipped: 0, inFlight: 0, rolledBack: 0 },
        },
      ],
      overrides: [],
      windowOverrides: [],
      waiting: [],
      createdBy: 'operator-token',
      createdAt: '2026-01-02T03:04:05.000Z',
      startedAt: '2026-01-02T03:04:05.000Z',
      finishedAt: null,
    });
  });

  it('answers 200 and the same rollout to the same idempotency key, 422 to another body', async () => {
    const first = await start({}, { 'idempotency-key': 'k1' });
    const again = await start({}, { 'idempotency-key': 'k1' });
    const other = await start({ reason: 'else' }, { 'idempotency-key': 'k1' });
    expect([first.status, again.status, other.status]).toEqual([201, 200, 422]);
    expect(again.body).toEqual(first.body);
    expect(other.body).toMatchObject({ code: 'IdempotencyKeyReused', status: 422 });
  });

  it.each([
    [{ application: 'podinfo', wave: 1 }, 400, 'InvalidRequest', 'wave'],
    [{ application: 'podinfo', revison: 'x' }, 400, 'InvalidRequest', 'did you mean "revision"?'],
    [{ application: 'Pod Info' }, 400, 'InvalidRequest', 'application'],
    [{ application: 'podinfo', revision: '--upload-pack=x' }, 400, 'InvalidRequest', 'revision'],
    [{ application: 'podinfo', reason: 'a\u001b[2Jb' }, 400, 'InvalidRequest', 'control characters'],
    [{ application: 'podinfo', plan: 'p1' }, 422, 'NotSupportedYet', 'stored plan'],
    [{}, 400, 'InvalidRequest', 'application'],
    [[], 400, 'InvalidRequest', 'object'],
    ['{"application":', 400, 'InvalidJson', 'JSON'],
    ['x'.repeat(70_000), 413, 'BodyTooLarge', '65536'],
    [{ application: 'other' }, 404, 'ApplicationNotFound', 'other'],
    [{ application: 'podinfo', revision: 'nowhere' }, 404, 'RevisionNotFound', 'nowhere'],
  ])('refuses %j with %d %s', async (body, status, code, words) => {
    const answer = await api.call('POST', '/api/v1/rollouts', { body });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, code });
    expect((answer.body as { detail: string }).detail).toContain(words);
    expect(api.rollouts.calls.length).toBe(code.endsWith('NotFound') ? 1 : 0);
  });

  it('refuses a body that is not declared as JSON', async () => {
    const answer = await api.call('POST', '/api/v1/rollouts', {
      body: '{"application":"podinfo"}',
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer).toMatchObject({ status: 415, body: { code: 'NotJson' } });
  });
});

describe('reading rollouts', () => {
  it('takes an application’s name for its newest rollout', async () => {
    await start();
    await start();
    const { body } = await api.call('GET', '/api/v1/rollouts/podinfo');
    expect((body as WireRollout).id).toBe('rollout-2');
  });

  it('lists in pages, newest first', async () => {
    for (let i = 0; i < 3; i += 1) await start();
    const first = await api.call('GET', '/api/v1/rollouts?limit=2');
    const page = first.body as { items: WireRollout[]; nextCursor: string };
    expect(page.items.map(({ id }) => id)).toEqual(['rollout-3', 'rollout-2']);
    const second = await api.call('GET', `/api/v1/rollouts?limit=2&cursor=${encodeURIComponent(page.nextCursor)}`);
    expect(second.body).toMatchObject({ items: [{ id: 'rollout-1' }], nextCursor: null });
  });

  it('refuses a cursor that it has not given out', async () => {
    const { status, body } = await api.call('GET', '/api/v1/rollouts?cursor=%00nonsense');
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'InvalidCursor' } });
  });

  it('counts a failed and returned target as failed', async () => {
    await start();
    await api.rollouts.moveTarget('rollout-1', 'us-east-1a', 'Failed', 'image cannot be pulled');
    await api.rollouts.moveTarget('rollout-1', 'us-east-1a', 'RolledBack', 'returned');
    const { body } = await api.call('GET', '/api/v1/rollouts/rollout-1');
    expect((body as WireRollout).waves[1]?.counts).toMatchObject({ total: 3, failed: 1, rolledBack: 1 });
  });

  it('shows who paused it and why, and what it waits for', async () => {
    await start();
    api.rollouts.waits = [
      {
        reason: 'GatePending',
        wave: 'canary',
        cluster: 'eu-west-1a',
        gate: 'workloads-ready',
        object: 'apps/Deployment/podinfo/web',
        evidence: '1 of 3 updated replicas are available',
        since: Date.parse('2026-01-02T03:04:06Z'),
        until: null,
      },
    ];
    await api.call('POST', '/api/v1/rollouts/podinfo/pause', { body: { reason: 'looking', mode: 'drain' } });
    const { body } = await api.call('GET', '/api/v1/rollouts/podinfo', { as: 'viewer' });
    expect(body).toMatchObject({
      paused: { mode: 'drain', by: 'operator-token', reason: 'looking', since: '2026-01-02T03:04:05.000Z' },
      waiting: [{ reason: 'GatePending', since: '2026-01-02T03:04:06.000Z', until: null }],
    });
  });

  it('lists targets in the shape of the contract, by wave and state', async () => {
    await start();
    await api.rollouts.moveTarget('rollout-1', 'eu-west-1a', 'Verifying', 'waiting for replicas');
    const all = await api.call('GET', '/api/v1/rollouts/podinfo/targets');
    expect((all.body as { items: unknown[] }).items).toHaveLength(4);
    const { body } = await api.call('GET', '/api/v1/rollouts/podinfo/targets?wave=canary&state=Verifying');
    expect(body).toEqual({
      items: [
        {
          cluster: 'eu-west-1a',
          region: 'eu-west',
          wave: 'canary',
          state: 'Verifying',
          reason: 'Verifying',
          message: 'waiting for replicas',
          revision: { commit: COMMIT, digest: DIGEST },
          skippedBy: null,
          previousRevision: null,
          preflight: null,
          startedAt: null,
          finishedAt: null,
        },
      ],
      nextCursor: null,
    });
  });

  it('explains and reports', async () => {
    await start();
    await api.rollouts.moveTo('rollout-1', 'Incomplete', '3 of 4 clusters verified');
    const explained = await api.call('GET', '/api/v1/rollouts/podinfo/explain');
    expect(explained.body).toMatchObject({ subject: 'rollout rollout-1', blockers: [], expectedEnd: null });
    api.rollouts.answers = [
      { action: 'wait', command: null, outcome: 'the rollout halts', state: 'Halted', at: 61_000 },
    ];
    api.rollouts.expects = { earliest: 0, latest: 61_000, basis: 'from 7 measured clusters: 20 s each' };
    expect((await api.call('GET', '/api/v1/rollouts/podinfo/explain')).body).toMatchObject({
      whatIf: [{ action: 'wait', command: null, state: 'Halted', at: '1970-01-01T00:01:01.000Z' }],
      expectedEnd: {
        earliest: '1970-01-01T00:00:00.000Z',
        latest: '1970-01-01T00:01:01.000Z',
        basis: 'from 7 measured clusters: 20 s each',
      },
    });
    const { body } = await api.call('GET', '/api/v1/rollouts/podinfo/report');
    expect(body).toMatchObject({
      durationSeconds: 120,
      events: [{ type: 'rollout.created' }, { type: 'rollout.state-changed' }],
    });
    expect((body as { headline: string }).headline).toMatch(
      /^Incomplete: 3 of 4 clusters verified; not at the revision: eu-west-1a/,
    );
  });
});

describe('a report', () => {
  it('has why, plan, figures, gates and notes', async () => {
    await start({ reason: 'friday' });
    await api.rollouts.moveTarget('rollout-1', 'eu-west-1a', 'Failed', 'not ready');
    const { body } = await api.call('GET', '/api/v1/rollouts/podinfo/report');
    expect(body).toMatchObject({
      startReason: 'friday',
      plan: { strategy: 'canary-then-rest', waves: [{ name: 'canary', size: 1, gates: [] }, { name: 'rest' }] },
      durationSeconds: null,
      figures: { touched: 0, secondsToHalt: null, secondsToRestore: null },
      rollback: null,
      gates: [],
      notes: [],
    });
  });

  it('is Markdown for those who accept that rather, with hostile texts as text', async () => {
    await start({ reason: '<script>alert(1)</script>' });
    await api.rollouts.moveTarget('rollout-1', 'eu-west-1a', 'Failed', 'see [here](http://evil.example) | x');
    const accept = 'text/markdown, application/json;q=0.5';
    const response = await fetch(`${api.url}/api/v1/rollouts/podinfo/report`, {
      headers: { accept, authorization: `Bearer ${api.tokens.viewer}` },
    });
    expect(response.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    const text = await response.text();
    expect(text).toMatch(/^# Rollout rollout-1 of podinfo\n/);
    expect(text).toContain('\\<script\\>alert(1)\\</script\\>');
    expect(text).toContain('\\[here\\](http:\\/\\/evil.example) \\| x');
    expect(text).not.toContain('<script>');
  });
});

describe('verbs', () => {
  it('shows the order to roll back, and whether a person gave it', async () => {
    await start();
    await api.call('POST', '/api/v1/rollouts/podinfo/rollback', { body: { reason: 'because' } });
    const order = { scope: 'rollout', reason: 'because', startedAt: '2026-01-02T03:04:05.000Z' };
    const { body } = await api.call('GET', '/api/v1/rollouts/podinfo', { as: 'viewer' });
    expect(body).toMatchObject({ rollback: { ...order, automatic: false, by: 'operator-token' } });
  });

  it('answers 200 with nothing unsettled once a pause is in force, else 202 with the clusters', async () => {
    await start();
    const settled = await api.call('POST', '/api/v1/rollouts/rollout-1/pause', { body: {} });
    expect(settled).toMatchObject({ status: 200, body: { unsettled: [], paused: { mode: 'freeze' } } });
    api.rollouts.pauseSettles = false;
    const unsettled = await api.call('POST', '/api/v1/rollouts/rollout-1/pause');
    expect(unsettled).toMatchObject({ status: 202, body: { unsettled: ['eu-west-1a'] } });
  });

  it('says in words which state forbids a verb', async () => {
    await start();
    await api.rollouts.moveTo('rollout-1', 'Succeeded', 'all of 4 clusters verified');
    const { status, body } = await api.call('POST', '/api/v1/rollouts/podinfo/pause');
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'StateForbids', detail: 'cannot pause a rollout that is Succeeded' });
  });

  it.each(['resume', 'abort', 'rollback', 'approve-deletions'])('%s passes who and why', async (verb) => {
    await start();
    const { status } = await api.call('POST', `/api/v1/rollouts/podinfo/${verb}`, { body: { reason: 'because' } });
    expect(status).toBe(200);
    expect(api.rollouts.calls.at(-1)).toMatchObject({ input: { reason: 'because' }, actor: 'operator-token' });
  });

  it.each([
    ['approve', { wave: 'rest', reason: 'because' }],
    ['override', { wave: 'rest', gate: 'smoke', reason: 'because' }],
    ['override-window', { window: 'sale', reason: 'because' }],
    ['override', { wave: 'rest', gate: 'smoke', cluster: 'eu-west-1b', reason: 'because' }],
    ['retry', { cluster: 'eu-west-1a', reason: 'because' }],
    ['retry', { wave: 'rest', gate: 'smoke' }],
    ['skip', { region: 'eu-west' }],
  ])('%s passes %j, and who asked', async (verb, body) => {
    await start();
    const viewer = await api.call('POST', `/api/v1/rollouts/podinfo/${verb}`, { body, as: 'viewer' });
    expect(viewer).toMatchObject({ status: 403, body: { code: 'Forbidden' } });
    const { status } = await api.call('POST', `/api/v1/rollouts/podinfo/${verb}`, { body });
    expect(status).toBe(200);
    expect(api.rollouts.calls.at(-1)).toEqual({ verb, input: body, actor: 'operator-token' });
  });

  it.each([
    ['override', { wave: 'rest', gate: 'smoke' }],
    ['override-window', { window: 'sale' }],
    ['override-window', { window: 'sale', reason: ' ' }],
    ['override', { wave: 'rest', gate: 'smoke', reason: '' }],
    ['override', { wave: 'rest', gate: 'smoke', reason: ' ' }],
    ['override', { gate: 'smoke', reason: 'because' }],
    ['approve', {}],
    ['approve', { wave: 'rest', force: true }],
    ['retry', { cluster: 'Not A Name' }],
    ['skip', { region: '' }],
  ])('%s refuses %j', async (verb, body) => {
    await start();
    const answer = await api.call('POST', `/api/v1/rollouts/podinfo/${verb}`, { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidRequest' } });
    expect(api.rollouts.calls).toHaveLength(1);
  });

  it('lists what was approved, and what was overridden and why', async () => {
    await start();
    await api.call('POST', '/api/v1/rollouts/podinfo/approve', { body: { wave: 'rest', reason: 'looks good' } });
    const body = { wave: 'rest', gate: 'smoke', cluster: 'eu-west-1b', reason: 'incident 4711' };
    await api.call('POST', '/api/v1/rollouts/podinfo/override', { body });
    const at = '2026-01-02T03:04:05.000Z';
    expect((await api.call('GET', '/api/v1/rollouts/podinfo', { as: 'viewer' })).body).toMatchObject({
      waves: [{ approvals: [] }, { approvals: [{ by: 'operator-token', reason: 'looks good', at }] }],
      overrides: [{ ...body, by: 'operator-token', at }],
    });
  });

  it('stops and resumes all', async () => {
    await start();
    await start();
    const stopped = await api.call('POST', '/api/v1/stop-all', { body: { reason: 'fire' } });
    expect(stopped).toMatchObject({ status: 200, body: { items: [{ unsettled: [] }, { unsettled: [] }] } });
    const resumed = await api.call('POST', '/api/v1/resume-all');
    expect(resumed).toMatchObject({ status: 200, body: { items: [{ paused: null }, { paused: null }] } });
  });

  it('previews a plan', async () => {
    const { body } = await api.call('POST', '/api/v1/plans', { body: { application: 'podinfo' }, as: 'viewer' });
    expect(body).toMatchObject({ waves: [{ name: 'canary', soakSeconds: 600 }, { name: 'rest' }] });
  });
});
