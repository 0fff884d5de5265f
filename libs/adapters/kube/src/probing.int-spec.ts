import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import { jest } from '@jest/globals';
import type { ServiceRequest } from '@breakwater/application';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { configMap, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

/** Endpoints cannot be on a loopback address: API servers refuse to store those. */
const outward = Object.values(networkInterfaces())
  .flat()
  .find((face) => face !== undefined && !face.internal && face.family === 'IPv4')?.address;

describeWithTestbed('what gates look at in a cluster', () => {
  let bed: Testbed;
  let scene: Scene;
  let server: Server;
  let port = 0;
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const asked: string[] = [];

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'probing' });
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.on('error', () => undefined);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  }, TESTBED_TIMEOUT_MS);
  afterAll(async () => {
    await bed?.release();
    server?.closeAllConnections();
    server?.close();
  });
  beforeEach(async () => {
    await bed.reset();
    asked.length = 0;
    scene = await new Scene(bed.clusters[0]!).connect();
    await scene.cluster.createNamespace('shop');
  });
  afterEach(() => scene.close());

  const make = async (path: string, body: object): Promise<void> => {
    const { status, body: said } = await scene.cluster.request('POST', path, body);
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(said)}`);
  };

  const service = async (address: string | undefined): Promise<void> => {
    await make('/api/v1/namespaces/shop/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { ports: [{ name: 'http', port: 80, targetPort: port }] },
    });
    if (address === undefined) return;
    await make('/api/v1/namespaces/shop/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-0' },
      spec: { containers: [{ name: 'web', image: 'web' }] },
    });
    const pod = '/api/v1/namespaces/shop/pods/web-0';
    await scene.cluster.waitFor(pod, (live) => (live as { status?: { phase?: string } }).status?.phase === 'Running');
    const merge = { contentType: 'application/merge-patch+json' };
    const ips = { status: { podIP: address, podIPs: [{ ip: address }] } };
    const patched = await scene.cluster.request('PATCH', `${pod}/status`, ips, merge);
    if (patched.status !== 200) throw new Error(JSON.stringify(patched.body));
    // API servers send to addresses of pods only.
    await make('/api/v1/namespaces/shop/endpoints', {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'web' },
      subsets: [
        {
          addresses: [{ ip: address, targetRef: { kind: 'Pod', name: 'web-0', namespace: 'shop' } }],
          ports: [{ name: 'http', port, protocol: 'TCP' }],
        },
      ],
    });
  };

  const get = (rest: Partial<ServiceRequest> = {}): ReturnType<Scene['connection']['serviceGet']> =>
    scene.connection.serviceGet({
      namespace: 'shop',
      service: 'web',
      port: 80,
      scheme: 'http',
      path: '/healthz',
      timeout: 5_000,
      maxBytes: 10_000,
      signal: new AbortController().signal,
      ...rest,
    });

  it('asks a Service through the API server, and tells its answers from those of the API server', async () => {
    expect(outward).toBeDefined();
    await service(outward);
    answer = (request, response) => response.writeHead(request.url === '/healthz' ? 200 : 404).end('ready');
    expect(await get()).toMatchObject({ kind: 'Answered', status: 200, body: 'ready', took: expect.any(Number) });
    expect(await get({ port: 'http', path: '/other?a=b' })).toMatchObject({ kind: 'Answered', status: 404 });
    answer = (_request, response) =>
      response
        .writeHead(403, { 'content-type': 'application/json' })
        .end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', message: 'not yours', code: 403 }));
    expect(await get()).toMatchObject({ kind: 'Answered', status: 403 });
    answer = (_request, response) => response.writeHead(200).end('x'.repeat(20_000));
    expect(await get()).toMatchObject({ kind: 'Silent', message: 'its answer is larger than 10000 bytes' });
    answer = () => undefined;
    expect(await get({ timeout: 500 })).toMatchObject({ kind: 'Silent', message: 'no answer within 500 ms' });
    answer = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end();
    expect(await get()).toMatchObject({ kind: 'Answered', status: 302 });
    expect(asked.filter((path) => path === '/elsewhere')).toEqual([]);
  });

  it('says that a Service is not there, or that nobody is behind it', async () => {
    expect(await get()).toEqual({
      kind: 'Silent',
      message: 'there is no Service shop/web, or it has no endpoints',
    });
    await service(undefined);
    expect(await get()).toMatchObject({ kind: 'Silent', message: expect.stringContaining('no endpoints') });
    expect(await get({ port: 81 })).toMatchObject({
      kind: 'Silent',
      message: expect.stringContaining('no service port'),
    });
  });

  it.each([
    '/../../../secrets',
    '/..%2f..%2fsecrets',
    '/%2e%2e/%2E%2E/secrets',
    '/%252e%252e/secrets',
    '/a\\..\\secrets',
    '//../x',
    'healthz',
    '/x y',
    '/%zz',
  ])('does not leave the Service by %s', async (path) => {
    expect(await get({ path })).toMatchObject({ kind: 'Refused', reason: 'Invalid' });
  });

  it('says when the hub may not ask', async () => {
    const barred = new Scene(bed.clusters[0]!, {}, bed.clusters[0]!.kubeconfigFor('nobody'));
    const connection = await barred.connector.connect('eu');
    if ('kind' in connection) throw new Error(connection.message);
    const request = { namespace: 'shop', service: 'web', port: 80, scheme: 'http' as const, path: '/', timeout: 5_000 };
    const signal = new AbortController().signal;
    expect(await connection.serviceGet({ ...request, maxBytes: 1_000, signal })).toMatchObject({
      kind: 'Refused',
      reason: 'Forbidden',
    });
    await barred.close();
  });

  it('reads objects by name and by labels, no more than it may, and no Secret', async () => {
    const signal = new AbortController().signal;
    for (const name of ['a', 'b', 'c']) {
      const object = configMap(name, { name });
      await make('/api/v1/namespaces/shop/configmaps', {
        ...object,
        metadata: { ...object.metadata, labels: { app: name === 'c' ? 'other' : 'web' } },
      });
    }
    const read = (rest: object): ReturnType<Scene['connection']['readObjects']> =>
      scene.connection.readObjects({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'shop',
        limit: 500,
        signal,
        ...rest,
      });
    const names = async (rest: object): Promise<unknown> => {
      const outcome = await read(rest);
      return outcome.kind === 'Read'
        ? { names: outcome.objects.map(({ metadata }) => metadata.name), complete: outcome.complete }
        : outcome;
    };
    expect(await names({ name: 'a' })).toEqual({ names: ['a'], complete: true });
    expect(await names({ name: 'absent' })).toEqual({ names: [], complete: true });
    expect(await names({ namespace: 'absent', name: 'a' })).toEqual({ names: [], complete: true });
    expect(await names({ labels: { app: 'web' } })).toEqual({ names: ['a', 'b'], complete: true });
    expect(await names({ labels: { app: 'web' }, limit: 1 })).toEqual({ names: ['a'], complete: false });
    expect(await read({ kind: 'Secret' })).toMatchObject({ kind: 'Refused', reason: 'Forbidden' });
    expect(await read({ apiVersion: 'example.com/v1', kind: 'Widget' })).toMatchObject({
      kind: 'Refused',
      reason: 'KindNotServed',
    });
  });
});
