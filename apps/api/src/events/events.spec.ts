import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { jest } from '@jest/globals';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';

jest.setTimeout(30_000);

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

interface Stream {
  readonly response: IncomingMessage;
  /** Resolves with the ids of events once there are `count` of them. */
  ids(count: number): Promise<string[]>;
  text(): string;
  ended: Promise<void>;
}

const openStream = (query = '', headers: Record<string, string> = {}): Promise<Stream> =>
  new Promise((resolve, reject) => {
    const sent = request(`${api.url}/api/v1/events${query}`, {
      headers: { authorization: `Bearer ${api.tokens.viewer}`, ...headers },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      let tail = '';
      const seen: string[] = [];
      let changed = () => {};
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        tail += chunk;
        const end = tail.lastIndexOf('\n') + 1;
        for (const [, id] of tail.slice(0, end).matchAll(/^id: (\d+)$/gm)) seen.push(id!);
        tail = tail.slice(end);
        changed();
      });
      const ended = new Promise<void>((done) => response.once('close', () => done()));
      const ids = (count: number) =>
        new Promise<string[]>((done) => {
          changed = () => {
            if (seen.length >= count) done(seen);
          };
          changed();
        });
      resolve({ response, ids, text: () => text, ended });
    });
    sent.end();
  });

const start = () => api.call('POST', '/api/v1/rollouts', { body: { application: 'podinfo' } });

it('streams what is sealed from now on, with the sequence as id', async () => {
  await start();
  const stream = await openStream();
  expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  await api.call('POST', '/api/v1/rollouts/podinfo/pause');
  expect(await stream.ids(1)).toEqual(['2']);
  expect(stream.text()).toContain('event: rollout.state-changed\ndata: {"sequence":2,');
  stream.response.destroy();
});

it('resumes after Last-Event-ID, or after a query parameter', async () => {
  await start();
  await api.call('POST', '/api/v1/rollouts/podinfo/pause');
  await api.call('POST', '/api/v1/rollouts/podinfo/resume');
  const byHeader = await openStream('', { 'last-event-id': '1' });
  expect(await byHeader.ids(2)).toEqual(['2', '3']);
  const byQuery = await openStream('?after=0');
  expect(await byQuery.ids(3)).toEqual(['1', '2', '3']);
  for (const stream of [byHeader, byQuery]) stream.response.destroy();
});

it('shows one rollout only when asked to', async () => {
  await start();
  await start();
  const stream = await openStream('?rollout=rollout-1&after=0');
  await api.call('POST', '/api/v1/rollouts/rollout-2/pause');
  await api.call('POST', '/api/v1/rollouts/rollout-1/pause');
  expect(await stream.ids(2)).toEqual(['1', '4']);
  stream.response.destroy();
});

it('delivers every event to a reader that is slow, in order', async () => {
  await start();
  const stream = await openStream('?after=0');
  stream.response.pause();
  const filler = 'x'.repeat(10_000);
  await api.record.audit.append(
    Array.from({ length: 400 }, () => ({ type: 'test.filler', actor: 'a', reason: '', message: filler })),
  );
  await api.record.audit.seal(1000);
  await start();
  stream.response.resume();
  expect(await stream.ids(402)).toEqual(Array.from({ length: 402 }, (_, index) => String(index + 1)));
  stream.response.destroy();
});

it('refuses a stranger, and an unknown rollout, before the stream begins', async () => {
  expect(await api.call('GET', '/api/v1/events', { as: null })).toMatchObject({ status: 401 });
  expect(await api.call('GET', '/api/v1/events?rollout=nothing')).toMatchObject({
    status: 404,
    body: { code: 'RolloutNotFound' },
  });
});

it('ends streams when the API closes', async () => {
  const stream = await openStream();
  stream.response.resume();
  await Promise.all([api.close(), stream.ended]);
});

it('lists the audit trail in pages', async () => {
  await start();
  await api.call('POST', '/api/v1/rollouts/podinfo/pause', { body: { reason: 'why not' } });
  const first = await api.call('GET', '/api/v1/audit?limit=1');
  expect(first.body).toMatchObject({
    items: [{ sequence: 1, type: 'rollout.created', rollout: 'rollout-1' }],
    nextCursor: '1',
  });
  const second = await api.call('GET', '/api/v1/audit?cursor=1&rollout=podinfo');
  expect(second.body).toMatchObject({ items: [{ sequence: 2, actor: 'operator-token' }], nextCursor: null });
  expect((await api.call('GET', '/api/v1/audit?by=nobody')).body).toMatchObject({ items: [] });
  expect(await api.call('GET', '/api/v1/audit?since=yesterday')).toMatchObject({ status: 400 });
});
