import type { ClusterConnection, ServiceOutcome, ServiceRequest } from '@breakwater/application';
import { gateKind } from '@breakwater/domain';
import { createGateProbes } from '../index.ts';
import type { FakeServer } from '../testing/fake-server.ts';
import { startFakeServer } from '../testing/fake-server.ts';
import { gateRequest } from '../testing/gate-request.ts';

describe('the http gate on addresses', () => {
  let server: FakeServer;
  const probe = createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: null }).get('http')!;
  const measure = (spec: object, rest: Parameters<typeof gateRequest>[2] = {}): ReturnType<typeof probe.measure> =>
    probe.measure(gateRequest('http', { url: `${server.url}/healthz`, ...spec }, rest));

  beforeEach(async () => {
    server = await startFakeServer();
  });
  afterEach(() => server.stop());

  it('passes a good answer and fails a bad one, with the status', async () => {
    server.answer = (response) => response.writeHead(204).end();
    expect(await measure({})).toMatchObject({
      verdict: 'Success',
      evidence: expect.stringMatching(/^127\.0\.0\.1:\d+\/healthz: 204 in \d+ ms$/),
    });
    server.answer = (response) => response.writeHead(503).end();
    expect(await measure({})).toMatchObject({
      verdict: 'Failure',
      evidence: expect.stringMatching(/\/healthz: answered 503, not 200-299$/),
    });
    expect(await measure({ expectStatus: [200, '500-503'] })).toMatchObject({ verdict: 'Success' });
  });

  it('does not follow a redirect', async () => {
    server.answer = (response) => response.writeHead(302, { location: '/elsewhere' }).end();
    expect(await measure({})).toMatchObject({ verdict: 'Failure', evidence: expect.stringContaining('answered 302') });
    expect(server.requests.map(({ path }) => path)).toEqual(['/healthz']);
  });

  it('looks into the body, and fails a page that is up and wrong', async () => {
    server.answer = (response) => response.writeHead(200).end('{"version":"1.3.0","ready":true}');
    expect(await measure({ bodyMatches: '"version":"1\\.3\\.\\d+"' })).toMatchObject({ verdict: 'Success' });
    expect(await measure({ bodyMatches: '"version":"1\\.4\\.' })).toMatchObject({
      verdict: 'Failure',
      evidence: expect.stringMatching(/its body of 32 characters does not match$/),
    });
  });

  it('is not stopped for long by a pattern and a body that are made to cost', async () => {
    server.answer = (response) => response.writeHead(200).end('a'.repeat(1_000_000));
    const measured = await measure({ bodyMatches: '(a{0,30}b?){30}c' });
    expect(measured).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('costs too much') });
  });

  it('forgives as many failures as it may, and asks no more than it has to', async () => {
    let asked = 0;
    server.answer = (response) => response.writeHead((asked += 1) % 2 === 0 ? 500 : 200).end();
    expect(await measure({ attempts: { count: 4, maxFailures: 2 } })).toMatchObject({
      verdict: 'Success',
      evidence: expect.stringContaining('2 of 4 attempts failed'),
    });
    asked = 0;
    expect(await measure({ timeout: '1s', attempts: { count: 10, maxFailures: 1 } })).toMatchObject({
      verdict: 'Failure',
      evidence: expect.stringContaining('2 of 4 attempts failed'),
    });
    expect(asked).toBe(4);
  });

  it('counts a late answer, silence, a cut connection and a closed port as failures', async () => {
    server.answer = (response) => setTimeout(() => response.writeHead(200).end(), 60);
    expect(await measure({ maxLatency: '20ms' })).toMatchObject({
      verdict: 'Failure',
      evidence: expect.stringMatching(/took \d+ ms, more than 20 ms/),
    });
    server.answer = () => undefined;
    expect(await measure({ timeout: '1s' })).toMatchObject({
      verdict: 'Failure',
      evidence: expect.stringContaining('no answer within 1000 ms'),
    });
    server.answer = (response) => response.destroy();
    expect(await measure({})).toMatchObject({ verdict: 'Failure', evidence: expect.stringContaining('was cut') });
    await server.stop();
    expect(await measure({})).toMatchObject({ verdict: 'Failure', evidence: expect.stringContaining('refused') });
  });

  it('asks each cluster of a wave, and names those that fail', async () => {
    server.answer = (response, { path }) => response.writeHead(path.includes('us-') ? 500 : 200).end();
    const clusters = ['eu-1', 'us-1', 'eu-2', 'us-2'].map((name) => ({ name, region: 'any' }));
    const measured = await measure({ url: `${server.url}/{cluster}/healthz` }, { clusters });
    expect(measured.verdict).toBe('Failure');
    expect(measured.evidence).toMatch(/^2 of 4 clusters: us-1: .*answered 500.*; us-2: /);
    expect(server.requests).toHaveLength(4);
  });

  it('asks once where every cluster would be asked the same', async () => {
    server.answer = (response) => response.writeHead(200).end();
    const clusters = ['eu-1', 'us-1'].map((name) => ({ name, region: 'any' }));
    expect(await measure({}, { clusters })).toMatchObject({ verdict: 'Success' });
    expect(server.requests).toHaveLength(1);
  });

  it('goes nowhere that was not allowed, and says with which setting it would', async () => {
    const closed = createGateProbes({ allowedHosts: [], secretsDirectory: null }).get('http')!;
    expect(await closed.measure(gateRequest('http', { url: server.url }))).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('BREAKWATER_GATE_HOSTS'),
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe('the http gate on Services', () => {
  const probe = createGateProbes({ allowedHosts: [], secretsDirectory: null }).get('http')!;
  const spec = {
    service: { name: 'web', port: 'http', path: '/{cluster}/healthz' },
    attempts: { count: 2, maxFailures: 1 },
  };
  const clusters = ['eu-1', 'eu-2'].map((name) => ({ name, region: 'eu' }));
  const answering = (answers: Readonly<Record<string, ServiceOutcome>>): Parameters<typeof gateRequest>[2] => ({
    clusters,
    connect: (cluster) =>
      Promise.resolve({
        name: cluster,
        serviceGet: (asked: ServiceRequest) => {
          expect(asked).toMatchObject({ namespace: 'shop-system', service: 'web', path: `/${cluster}/healthz` });
          return Promise.resolve(answers[cluster]!);
        },
      } as unknown as ClusterConnection),
  });
  const good: ServiceOutcome = { kind: 'Answered', status: 200, body: '', took: 3 };
  const measure = (answers: Readonly<Record<string, ServiceOutcome>>): ReturnType<typeof probe.measure> =>
    probe.measure(gateRequest('http', spec, answering(answers)));

  it('passes when each cluster answers well', async () => {
    expect(await measure({ 'eu-1': good, 'eu-2': good })).toMatchObject({ verdict: 'Success' });
  });

  it('fails with the cluster where nothing answers', async () => {
    const measured = await measure({ 'eu-1': good, 'eu-2': { kind: 'Silent', message: 'no endpoints available' } });
    expect(measured).toEqual({
      verdict: 'Failure',
      evidence: '1 of 2 clusters: eu-2: service web: 2 of 2 attempts failed, the last: no endpoints available',
    });
  });

  it('does not blame the release for a cluster that is away', async () => {
    const away: ServiceOutcome = {
      kind: 'Unreachable',
      reason: 'Timeout',
      message: 'no answer',
      retryAfterMs: null,
      partial: false,
    };
    expect(await measure({ 'eu-1': good, 'eu-2': away })).toEqual({
      verdict: 'Error',
      evidence: '1 of 2 clusters: eu-2: Timeout: no answer',
    });
  });
});

describe('the field of the http gate', () => {
  const problems = (spec: object): readonly string[] => {
    const read = gateKind('http')!.schema().safeParse(spec);
    return read.success ? [] : read.error.issues.map((issue) => issue.message.split('\n')[0] ?? '');
  };
  const url = 'https://{cluster}.example.com/healthz';

  it.each([
    [{}, 'has to ask one thing'],
    [{ url, service: { name: 'web', port: 80 } }, 'has to ask one thing'],
    [{ url: 'file:///etc/passwd' }, 'is not an address'],
    [{ url: 'https://user:secret@example.com/' }, 'is not an address'],
    [{ url, bodyMatches: '(' }, 'is not a pattern'],
    [{ url, expectStatus: ['299-200'] }, 'has a range that is empty'],
    [{ url, expectStatus: ['abc'] }, 'is not a status'],
    [{ url, attempts: { count: 2, maxFailures: 2 } }, 'lets everything pass'],
    [{ url, maxLatency: 'soon' }, 'is not a latency'],
    [{ url, timeout: '10s', attempts: { count: 5 } }, 'is too long for so many attempts'],
    [{ service: { name: 'web', port: 80 }, method: 'HEAD' }, 'does not go with service'],
  ])('refuses %j', (spec, message) => {
    expect(problems(spec)).toEqual([expect.stringContaining(message)]);
  });

  it('takes what is right', () => expect(problems({ url, expectStatus: [200, '300-399'] })).toEqual([]));
});
