import type { GateProbe } from '@breakwater/application';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGateProbes } from './index.ts';
import type { FakeServer } from './testing/fake-server.ts';
import { startFakeServer } from './testing/fake-server.ts';
import { gateRequest } from './testing/gate-request.ts';

const SPECS = {
  prometheus: { query: 'up{cluster="{cluster}"}', success: 'result < 1.0' },
  alerts: { matchers: ['severity=critical'] },
  comparison: { query: 'errors' },
} as const;
type Kind = keyof typeof SPECS;

const members = [{ cluster: 'eu-1', region: 'eu', state: 'updated', updatedAt: Date.now() - 3_600_000 }] as const;

describe.each(Object.keys(SPECS) as Kind[])('the %s gate and a server that is not as it should be', (kind) => {
  let server: FakeServer;
  let folder: string;
  let probe: GateProbe;
  const measure = (spec: object = {}, signal?: AbortSignal): ReturnType<GateProbe['measure']> =>
    probe.measure(
      gateRequest(
        kind,
        { address: server.url, ...SPECS[kind], ...spec },
        { members, ...(signal === undefined ? {} : { signal }) },
      ),
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-gates-'));
    await writeFile(join(folder, 'monitoring.token'), 's3cret-token\n');
    server = await startFakeServer();
    probe = createGateProbes({ allowedHosts: [server.host], secretsDirectory: folder }).get(kind)!;
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  it('gives up on one that never answers, and on one that never ends', async () => {
    server.answer = () => undefined;
    expect(await measure({ timeout: '1s' })).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('no answer within 1000 ms'),
    });
    server.answer = (response) => void response.writeHead(200).write('{"status":');
    expect(await measure({ timeout: '1s' })).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('no answer within 1000 ms'),
    });
  });

  it('stops when the measurement is cut off', async () => {
    const cut = new AbortController();
    server.answer = () => cut.abort();
    expect(await measure({}, cut.signal)).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('cut off'),
    });
  });

  it('reads no more than it must of 10 MB', async () => {
    let hungUp: Promise<unknown> = Promise.resolve();
    server.answer = (response) => {
      hungUp = new Promise((resolve) => response.once('close', resolve));
      response.writeHead(200).end(`"${'x'.repeat(10 * 1024 * 1024)}"`);
    };
    expect(await measure()).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('larger than') });
    await hungUp;
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['half of an answer', '{"status":"success","data":{"resultType":"vector","result":['],
    ['another shape', '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,{}]}]}}'],
    ['a success without data', '{"status":"success"}'],
    ['a list of odd things', '[1, null]'],
    [
      'a number that is none',
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"12px"]}]}}',
    ],
    ['null', 'null'],
  ])('takes %s for an error', async (_what, body) => {
    server.answer = (response) => response.writeHead(200).end(body);
    expect((await measure()).verdict).toBe('Error');
  });

  it.each([400, 401, 404, 429, 500, 503])('takes status %d for an error, and shows one line of it', async (status) => {
    server.answer = (response) =>
      response.writeHead(status).end(JSON.stringify({ status: 'error', error: `bad\u001b[31m\n${'x'.repeat(5_000)}` }));
    const measurement = await measure();
    expect(measurement.verdict).toBe('Error');
    expect(measurement.evidence).toContain(`answered ${status}`);
    expect(measurement.evidence.length).toBeLessThan(400);
    expect(measurement.evidence).not.toMatch(/\p{Cc}/u);
  });

  it('follows no redirect', async () => {
    server.answer = (response) => response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
    const before = server.requests.length;
    expect(await measure()).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('answered 302') });
    expect(server.requests.slice(before).every(({ path }) => !path.includes('elsewhere'))).toBe(true);
  });

  it('asks no host that is not allowed, and names the setting', async () => {
    const before = server.requests.length;
    const asked = await measure({ address: server.url.replace('127.0.0.1', 'localhost') });
    expect(asked).toMatchObject({ verdict: 'Error', evidence: expect.stringContaining('BREAKWATER_GATE_HOSTS') });
    expect(server.requests).toHaveLength(before);
  });

  it('sends its token, and shows it to nobody', async () => {
    server.answer = (response) => response.writeHead(200).end('null');
    const measurement = await measure({ auth: { secret: 'monitoring' } });
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer s3cret-token');
    expect(JSON.stringify(measurement)).not.toContain('s3cret');
    const before = server.requests.length;
    expect(await measure({ auth: { secret: 'other' } })).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('other.token'),
    });
    expect(server.requests).toHaveLength(before);
  });
});
