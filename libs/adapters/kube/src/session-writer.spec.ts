import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PermitLost } from '@breakwater/application';
import { DEFAULT_TIMEOUTS } from './cluster-connector.ts';
import { Ended } from './ended.ts';
import { CONFIG_MAPS, KubeApi, objectPath, placeOf } from './kube-api.ts';
import { SessionWriter, type WriteRequest } from './session-writer.ts';
import { openPermit } from './testing/scene.ts';
import { Transport } from './transport.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const place = placeOf(CONFIG_MAPS, 'shop', 'a');
const request: WriteRequest = {
  method: 'PATCH',
  path: objectPath(place),
  body: '{}',
  contentType: 'application/apply-patch+yaml',
  key: place.key,
  name: 'a',
  existing: true,
};
const status =
  (code: number, message: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end(JSON.stringify({ kind: 'Status', message, code }));
  };
const ok: Answer = (_request, response) =>
  response.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }));
const reset: Answer = (incoming) => incoming.socket.resetAndDestroy();
const silent: Answer = () => undefined;

describe('requests to an API server that misbehaves', () => {
  let server: Server;
  let transport: Transport;
  let api: KubeApi;
  let answers: Answer[];
  let received: number;
  let permits: number;
  let writer: SessionWriter;

  beforeEach(async () => {
    received = 0;
    permits = 0;
    server = createServer((incoming, response) => {
      received++;
      (answers.shift() ?? ok)(incoming, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const timeouts = { ...DEFAULT_TIMEOUTS, request: 2_000, connect: 2_000, throttle: 2_000, established: 1_000 };
    transport = new Transport(
      { origin, basePath: '', tls: { rejectUnauthorized: true }, headers: {} },
      timeouts,
      'breakwater/test',
    );
    api = new KubeApi(transport, timeouts);
    const permit = openPermit(() => {
      permits++;
    });
    writer = new SessionWriter(api, { permit, signal: new AbortController().signal }, 'forward', (text) => text);
  });
  afterEach(async () => {
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const endOfWrite = async (): Promise<unknown> => {
    try {
      return (await writer.write(request)).kind;
    } catch (error) {
      if (error instanceof Ended) return error.end;
      throw error;
    }
  };

  it('waits as long as a throttling server asks, and takes a new permit for the next try', async () => {
    answers = [status(429, 'slow down', { 'retry-after': '1' }), ok];
    const started = performance.now();
    expect(await endOfWrite()).toBe('Written');
    expect(performance.now() - started).toBeGreaterThan(950);
    expect([received, permits]).toEqual([2, 2]);
  });

  it('gives up when it is asked to wait for too long', async () => {
    answers = [status(429, 'slow down', { 'retry-after': '60' })];
    expect(await endOfWrite()).toMatchObject({ kind: 'Unreachable', reason: 'Throttled', retryAfterMs: 60_000 });
    expect(received).toBe(1);
  });

  it('waits for a webhook that does not answer yet', async () => {
    answers = [status(500, 'Internal error occurred: failed calling webhook "w": connection refused'), ok];
    expect(await endOfWrite()).toBe('Written');
  });

  it('takes a webhook that goes on not answering for a refusal: the cluster itself is there', async () => {
    const down = status(500, 'Internal error occurred: failed calling webhook "w": connection refused');
    answers = [down, down, down, down, down];
    expect(await endOfWrite()).toMatchObject({ kind: 'Refused', reason: 'AdmissionDenied' });
  });

  it.each<[string, Answer, string]>([
    ['a broken connection', reset, 'ConnectionLost'],
    ['silence', silent, 'Timeout'],
    ['an error', status(500, 'boom'), 'ServerError'],
    ['a gateway without upstream', status(503, 'no upstream'), 'ServerError'],
  ])('never sends a write twice after %s, and says that it may have landed', async (_what, answer, reason) => {
    answers = [answer];
    expect(await endOfWrite()).toMatchObject({ kind: 'Unreachable', reason });
    expect(received).toBe(1);
    expect(writer.wrote).toBe(true);
  });

  it('reads once more after a broken connection, not twice', async () => {
    answers = [reset, ok];
    expect(await api.get(place, new AbortController().signal)).toMatchObject({ kind: 'ConfigMap' });
    answers = [reset, reset, ok];
    await expect(api.get(place, new AbortController().signal)).rejects.toBeInstanceOf(Ended);
  });

  it('sends nothing when the permit is lost right before the bytes, and keeps the connection', async () => {
    answers = [];
    await api.get(place, new AbortController().signal);
    const permit = {
      send: <T>(send: (check: () => void) => Promise<T>): Promise<T> =>
        send(() => {
          throw new PermitLost('expired');
        }),
    };
    const late = new SessionWriter(api, { permit, signal: new AbortController().signal }, 'forward', (text) => text);
    await expect(late.write(request)).rejects.toBeInstanceOf(PermitLost);
    expect(late.wrote).toBe(false);
    expect(received).toBe(1);
  });

  it('stops at once when it is aborted', async () => {
    answers = [silent];
    const abort = new AbortController();
    const reading = api.get(place, abort.signal);
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await expect(reading).rejects.toThrow('enough');
  });

  it('never asks for a place that a name would lead out of', async () => {
    for (const name of ['..', '.', 'a/b', '%2e%2e', '']) {
      await expect(async () =>
        api.get(placeOf(CONFIG_MAPS, 'shop', name), new AbortController().signal),
      ).rejects.toBeInstanceOf(Ended);
    }
    expect(received).toBe(0);
  });
});
