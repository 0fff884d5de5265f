import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonValue } from '@breakwater/domain';
import { gateKind } from '@breakwater/domain';
import { createGateProbes } from '../index.ts';
import type { FakeServer } from '../testing/fake-server.ts';
import { startFakeServer } from '../testing/fake-server.ts';
import { gateRequest } from '../testing/gate-request.ts';

const KEY = 'a-key-of-the-test';
const sign = (text: string, key = KEY): string => `sha256=${createHmac('sha256', key).update(text).digest('hex')}`;

interface Question {
  readonly token: string;
  readonly clusters: readonly string[];
  readonly callback?: { readonly url: string; readonly token: string };
}

const CALLBACK = { url: 'https://breakwater.example.com/api/v1/gates/answers', token: 'bwg_a.b' };

describe('the webhook gate', () => {
  let server: FakeServer;
  let dir: string;
  const questions: Question[] = [];

  beforeEach(async () => {
    questions.length = 0;
    server = await startFakeServer();
    dir = mkdtempSync(join(tmpdir(), 'breakwater-webhook-'));
    writeFileSync(join(dir, 'release.token'), `${KEY}\n`, { mode: 0o600 });
  });
  afterEach(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const measure = (memo: JsonValue = null, spec: object = {}, rest: Parameters<typeof gateRequest>[2] = {}) =>
    createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: dir })
      .get('webhook')!
      .measure(
        gateRequest(
          'webhook',
          { url: `${server.url}/ask`, secret: 'release', ...spec },
          { memo, startedAt: 7 as never, ...rest },
        ),
      );

  const answerWith = (
    answer: object,
    wrong: { key?: string; token?: string; age?: number; unsigned?: true } = {},
  ): void => {
    server.answer = (response: ServerResponse, { body }) => {
      const question = JSON.parse(body) as Question;
      questions.push(question);
      const timestamp = String(Math.floor(Date.now() / 1_000) - (wrong.age ?? 0));
      const text = JSON.stringify(answer);
      const signature = sign(`${timestamp}.${wrong.token ?? question.token}.${text}`, wrong.key);
      const headers = { 'x-breakwater-timestamp': timestamp, 'x-breakwater-signature': signature };
      response.writeHead(200, wrong.unsigned ? {} : headers).end(text);
    };
  };

  it('signs what it asks, and takes pass and fail', async () => {
    const bodies: string[] = [];
    answerWith({ verdict: 'pass', message: 'tests are green' });
    const answer = server.answer;
    server.answer = (response, asked) => {
      bodies.push(asked.body);
      answer(response, asked);
    };
    expect(await measure(null, { data: { suite: 'smoke' } })).toMatchObject({
      verdict: 'Success',
      evidence: 'the answer is pass: tests are green',
    });
    const { headers } = server.requests[0]!;
    expect(headers['x-breakwater-signature']).toBe(sign(`${String(headers['x-breakwater-timestamp'])}.${bodies[0]!}`));
    expect(JSON.parse(bodies[0]!)).toMatchObject({
      rollout: 'r1',
      application: 'shop',
      revision: 'c0ffee',
      wave: 'canary',
      clusters: ['eu-1'],
      gate: 'webhook',
      token: expect.stringMatching(/^[0-9a-f]{32}$/),
      data: { suite: 'smoke' },
    });
    expect(JSON.stringify(headers) + bodies[0]!).not.toContain(KEY);
    answerWith({ verdict: 'fail', message: 'cart is broken' });
    expect(await measure()).toMatchObject({ verdict: 'Failure', evidence: 'the answer is fail: cart is broken' });
  });

  it('asks again under the same token until there is an answer, and under another one after it', async () => {
    answerWith({ verdict: 'wait' });
    const first = await measure();
    expect(first).toMatchObject({ verdict: 'Pending', retryAfter: 10_000 });
    expect(await measure()).toEqual(first);
    const second = await measure(first.memo);
    answerWith({ verdict: 'pass' });
    const passed = await measure(second.memo);
    expect(new Set(questions.map(({ token }) => token)).size).toBe(1);
    await measure(passed.memo);
    expect(new Set(questions.map(({ token }) => token)).size).toBe(2);
  });

  it('says where it can be called back, in what it signs, and waits for the call where that is promised', async () => {
    answerWith({ verdict: 'later', message: 'the suite takes an hour' });
    const first = await measure(null, {}, { callback: CALLBACK });
    expect(first).toMatchObject({
      verdict: 'Pending',
      evidence: 'the answer is later: the suite takes an hour',
      retryAfter: 60_000,
    });
    expect(await measure(first.memo, { askAgain: '5m' }, { callback: CALLBACK })).toMatchObject({
      retryAfter: 300_000,
    });
    expect(questions).toMatchObject([{ callback: CALLBACK }, { callback: CALLBACK }]);
    expect(new Set(questions.map(({ token }) => token)).size).toBe(1);
    answerWith({ verdict: 'wait' });
    expect(await measure(first.memo, {}, { callback: CALLBACK })).toMatchObject({ retryAfter: 10_000 });
  });

  it('cannot be called back where nobody has said how it is reached', async () => {
    answerWith({ verdict: 'later' });
    expect(await measure()).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('set BREAKWATER_PUBLIC_URL'),
    });
    expect(questions[0]).not.toHaveProperty('callback');
    answerWith({ verdict: 'later' }, { key: 'another' });
    expect(await measure()).toMatchObject({
      evidence: expect.stringContaining('the signature of the answer is wrong'),
    });
  });

  it.each([
    [{ key: 'another' }, 'the signature of the answer is wrong'],
    [{ token: 'f'.repeat(32) }, 'the signature of the answer is wrong'],
    [{ age: 400 }, 'older than five minutes'],
    [{ unsigned: true as const }, 'carries no signature'],
  ])('does not count an answer with %j', async (wrong, evidence) => {
    answerWith({ verdict: 'pass' }, wrong);
    expect(await measure()).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining(evidence) });
  });

  it('takes answers without a signature only where that is said, and never a wrong one', async () => {
    answerWith({ verdict: 'pass' }, { unsigned: true });
    expect(await measure(null, { unsignedAnswers: true })).toMatchObject({ verdict: 'Success' });
    answerWith({ verdict: 'pass' }, { key: 'another' });
    expect(await measure(null, { unsignedAnswers: true })).toMatchObject({ verdict: 'Error' });
  });

  it('is an error in bounded time when nobody answers, and with nonsense, a redirect or too much', async () => {
    server.answer = () => undefined;
    expect(await measure(null, { timeout: '1s' })).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('no answer within 1000 ms'),
    });
    answerWith({ verdict: 'perhaps' });
    expect(await measure()).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('something else') });
    server.answer = (response) => response.writeHead(302, { location: '/pass' }).end();
    expect(await measure()).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('answered 302') });
    server.answer = (response) => response.writeHead(200).end('x'.repeat(200_000));
    expect(await measure()).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('larger than') });
  });

  it('says that its key is missing, and asks nobody', async () => {
    expect(await measure(null, { secret: 'absent' })).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('secret absent is missing'),
    });
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    [{ url: 'https://{cluster}.example.com/', secret: 'a' }, /asks for one cluster/],
    [{ url: 'https://example.com/', secret: 'a', timeout: '1m' }, /is too long/],
    [{ url: 'https://example.com/', secret: 'a', data: { text: 'x'.repeat(9_000) } }, /is too long/],
  ])('refuses %#', (spec, message) => {
    const parsed = gateKind('webhook')!.schema().safeParse(spec);
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(message)]);
  });
});
