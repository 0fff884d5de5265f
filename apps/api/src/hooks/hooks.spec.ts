import { createHmac } from 'node:crypto';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';

const SECRET = 'hook-secret';
const BODY = '{"ref":"refs/heads/main"}';
const hmac = (body: string, secret = SECRET) => createHmac('sha256', secret).update(body).digest('hex');

let api: ApiFixture;
let woken: string[];
beforeEach(async () => {
  woken = [];
  api = await startApi({
    hooks: {
      secret: async (name) => (name === 'fleet' ? SECRET : null),
      onRepositoryHook: async (name) => void woken.push(name),
    },
  });
});
afterEach(() => api.close());

const push = (headers: Record<string, string>, name = 'fleet', body = BODY) =>
  api.call('POST', `/api/v1/hooks/${name}`, { as: null, body, headers });

it.each([
  ['GitHub', { 'x-hub-signature-256': `sha256=${hmac(BODY)}` }],
  ['Gitea', { 'x-gitea-signature': hmac(BODY) }],
  ['GitLab', { 'x-gitlab-token': SECRET }],
])('wakes the sync for a push signed as %s does', async (_server, headers) => {
  expect(await push(headers)).toMatchObject({ status: 202, body: { repository: 'fleet', accepted: true } });
  expect(woken).toEqual(['fleet']);
});

it.each([
  ['no signature', {}, 'fleet', BODY],
  ['another secret', { 'x-hub-signature-256': `sha256=${hmac(BODY, 'guess')}` }, 'fleet', BODY],
  ['another body', { 'x-hub-signature-256': `sha256=${hmac(BODY)}` }, 'fleet', '{"ref":"x"}'],
  ['the hash without its name', { 'x-hub-signature-256': hmac(BODY) }, 'fleet', BODY],
  [
    'a bad GitHub beside a good GitLab signature',
    { 'x-hub-signature-256': 'sha256=0', 'x-gitlab-token': SECRET },
    'fleet',
    BODY,
  ],
  ['a wrong token', { 'x-gitlab-token': 'guess' }, 'fleet', BODY],
  ['an unknown repository', { 'x-gitlab-token': SECRET }, 'other', BODY],
])('refuses %s, and says no more', async (_case, headers, name, body) => {
  const { status, body: problem } = await push(headers, name, body);
  expect({ status, problem }).toMatchObject({ status: 401, problem: { code: 'SignatureInvalid' } });
  expect((problem as { detail: string }).detail).toBe('the webhook is not signed with the secret of this repository');
  expect(woken).toEqual([]);
});
