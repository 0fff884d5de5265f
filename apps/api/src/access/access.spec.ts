import { createHash } from 'node:crypto';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';
import { hashToken, newToken } from './bearer-token.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

describe('signing in', () => {
  it.each([
    ['no header', null, {}],
    ['an unknown token', null, { authorization: `Bearer ${newToken()}` }],
    ['another scheme', null, { authorization: 'Basic YWRtaW46YWRtaW4=' }],
    ['two tokens', null, { authorization: 'Bearer a b' }],
  ])('answers 401 with a remedy to %s', async (_case, as, headers) => {
    const { status, body, headers: answered } = await api.call('GET', '/api/v1/rollouts', { as, headers });
    expect(status).toBe(401);
    expect(body).toMatchObject({ code: 'Unauthorized' });
    expect((body as { remedy: string }).remedy).toContain('<data>/admin.token');
    expect(answered.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('does not read the body of a stranger', async () => {
    const { status } = await api.call('POST', '/api/v1/rollouts', { as: null, body: 'x'.repeat(200_000) });
    expect(status).toBe(401);
  });

  it('slows down who fails too often, and never stands in the way of a good token', async () => {
    for (let i = 0; i < 20; i += 1) await api.call('GET', '/api/v1/rollouts', { as: null });
    const { status, headers, body } = await api.call('GET', '/api/v1/rollouts', { as: null });
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body).toMatchObject({ code: 'TooManyFailedSignIns' });
    expect((await api.call('GET', '/api/v1/rollouts', { as: 'viewer' })).status).toBe(200);
  });

  it('forgets failures after a minute', () => {
    let now = 0;
    const failures = new FailedSignIns(() => now);
    for (let i = 0; i < 20; i += 1) expect(failures.failed('a')).toBeNull();
    expect(failures.failed('a')).toBe(60);
    expect(failures.failed('b')).toBeNull();
    now = 60_000;
    expect(failures.failed('a')).toBeNull();
  });
});

describe('roles', () => {
  it.each([
    ['viewer', 'GET', '/api/v1/rollouts', 200],
    ['viewer', 'POST', '/api/v1/rollouts', 403],
    ['viewer', 'POST', '/api/v1/stop-all', 403],
    ['viewer', 'POST', '/api/v1/tokens', 403],
    ['operator', 'POST', '/api/v1/stop-all', 200],
    ['operator', 'POST', '/api/v1/tokens', 403],
  ] as const)('%s %s %s: %d', async (as, method, path, status) => {
    const answer = await api.call(method, path, { as });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toMatchObject({ code: 'Forbidden', has: as });
  });

  it('says which role is needed, and how to get it', async () => {
    const { body } = await api.call('POST', '/api/v1/tokens', { as: 'operator', body: { name: 'ci', role: 'viewer' } });
    expect(body).toMatchObject({ detail: 'this needs the role admin; operator-token is operator', needs: 'admin' });
  });
});

describe('making tokens', () => {
  it('shows a token once, stores its hash, and leaves an audit event without it', async () => {
    const { status, body } = await api.call('POST', '/api/v1/tokens', {
      as: 'admin',
      body: { name: 'ci', role: 'operator' },
    });
    const { token } = body as { token: string };
    expect(status).toBe(201);
    expect(token).toMatch(/^bw_[A-Za-z0-9_-]{43}$/);
    expect(hashToken(token)).toBe(createHash('sha256').update(token).digest('hex'));
    expect(await api.record.access.findToken(hashToken(token))).toMatchObject({ name: 'ci', role: 'operator' });
    await api.record.audit.seal(10);
    const events = await api.record.audit.after(0, 10);
    expect(events).toMatchObject([{ type: 'token.created', actor: 'admin-token' }]);
    expect(JSON.stringify(events)).not.toContain(token);
    expect(api.logs.join('')).not.toContain(token);
    const used = await api.call('GET', '/api/v1/rollouts', { as: null, headers: { authorization: `Bearer ${token}` } });
    expect(used.status).toBe(200);
  });
});
