import { type ApiProgram, startApiProgram } from '@breakwater/api';
import { createBundleStore } from '@breakwater/application';
import type { Rollout } from '@breakwater/domain';
import { createGateProbes } from '@breakwater/gates';
import { createGateTokens, createLog, gateCallbacks } from '@breakwater/platform';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { liveObjects, withoutIdentity } from '../support/live-objects.ts';
import { configMap, fleetAndApplication, inProcessQueue, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const SECRET = 'a-secret-of-the-gate';
const KEY = randomBytes(32);
const waves = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest }`;

interface Question {
  readonly token: string;
  readonly wave: string;
  readonly clusters: readonly string[];
  readonly callback: { readonly url: string; readonly token: string };
}

/** Takes its time: it promises to call, and signs that. */
const startReleaseGate = async (questions: Question[]): Promise<Server> => {
  const server = createServer((asked, response) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => {
      const question = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Question;
      questions.push(question);
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const body = JSON.stringify({ verdict: 'later', message: 'the suite runs' });
      const signature = createHmac('sha256', SECRET).update(`${timestamp}.${question.token}.${body}`).digest('hex');
      response.writeHead(200, {
        'x-breakwater-timestamp': timestamp,
        'x-breakwater-signature': `sha256=${signature}`,
      });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

describeWithTestbed('gates that are answered by call-back, on real servers', () => {
  let bed: Testbed;
  let secrets: string;
  let gate: Server;
  let stage: RolloutStage;
  let api: ApiProgram;
  const questions: Question[] = [];

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'e2e gate call-backs' });
    secrets = await mkdtemp(join(tmpdir(), 'breakwater-gate-'));
    await writeFile(join(secrets, 'release.token'), SECRET, { mode: 0o600 });
    gate = await startReleaseGate(questions);
  }, TESTBED_TIMEOUT_MS);
  beforeEach(async () => {
    questions.length = 0;
    await bed.reset();
  }, 60_000);
  afterEach(async () => {
    await api?.stop();
    await stage?.stop();
  }, 30_000);
  afterAll(async () => {
    gate?.close();
    await rm(secrets, { recursive: true, force: true });
    await bed?.release();
  }, 60_000);

  /** A worker that asks, and the API that is called back, with one record between them. */
  const begin = async (phase: 'before' | 'during', wave: string): Promise<void> => {
    const { port } = gate.address() as AddressInfo;
    const signOff = `
    - name: sign-off
      phase: ${phase}
      waves: [${wave}]
      webhook: { url: "http://127.0.0.1:${port}/ask", secret: release }
`;
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: { c0: { role: 'canary' } },
      documents: fleetAndApplication() + strategy({ waves }).replace('  gates:\n', `  gates:${signOff}`),
      probes: createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: secrets }),
    });
    const plain = { seal: (bytes: Uint8Array) => bytes, open: (bytes: Uint8Array) => bytes };
    api = await startApiProgram({
      record: stage.record,
      wakeUps: inProcessQueue(),
      bundles: createBundleStore(stage.record, plain),
      log: createLog({ app: 'api', level: 'silent' }),
      version: '0.0.0-test',
      host: '127.0.0.1',
      port: 0,
      hookSecret: null,
      gateTokens: createGateTokens(KEY),
    });
    stage.callbacks = gateCallbacks(`http://127.0.0.1:${api.port}`, KEY);
    await stage.start();
  };
  const call = async (question: Question, body: object, token = question.callback.token): Promise<number> => {
    const answer = await request(question.callback.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await answer.body.dump();
    return answer.statusCode;
  };
  const start = async (version: string): Promise<Rollout> =>
    stage.rollOut('web', await stage.commit('web', () => [configMap('settings', 'web', { version })]));
  const waitsBefore = (id: Rollout['id']): Promise<Rollout> =>
    stage.until(id, (rollout) => rollout.waves[1]!.gates[0]?.evidence === 'the answer is later: the suite runs');

  it('hold a wave until the server calls, and let it go on', async () => {
    await begin('before', 'rest');
    const { id } = await start('1');
    await waitsBefore(id);
    const { blockers } = await stage.commands.explain(id);
    expect(blockers).toMatchObject([{ reason: 'GatePending', wave: 'rest', gate: 'sign-off' }]);
    expect(blockers[0]!.evidence).toContain('the answer is later: the suite runs');
    expect((await stage.target(id, 'c1')).state).toBe('Pending');
    const question = questions[0]!;
    expect(question).toMatchObject({ wave: 'rest', clusters: ['c1'] });
    expect(await call(question, { verdict: 'fail' }, `${question.callback.token.slice(0, -3)}AAA`)).toBe(401);
    expect(await call(question, { verdict: 'pass', message: 'all green' })).toBe(200);
    expect(await call(question, { verdict: 'pass' })).toBe(200);
    expect(await call(question, { verdict: 'fail' })).toBe(409);
    const ended = await stage.end(id);
    expect(ended.state).toBe('Succeeded');
    expect(ended.waves[1]!.gates[0]!.evidence).toBe('the answer is pass, by call-back: all green');
    expect(questions).toHaveLength(1);
  }, 120_000);

  it('halt the release when the call says fail, and take it back', async () => {
    await begin('before', 'rest');
    const first = await start('1');
    await waitsBefore(first.id);
    await call(questions[0]!, { verdict: 'pass' });
    expect((await stage.end(first.id)).state).toBe('Succeeded');
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    questions.length = 0;
    const { id } = await start('2');
    await waitsBefore(id);
    expect(await call(questions[0]!, { verdict: 'fail', message: 'the cart is broken' })).toBe(200);
    const ended = await stage.end(id);
    expect(ended).toMatchObject({ state: 'RolledBack', reason: 'GateFailed' });
    expect(ended.message).toContain('the cart is broken');
    expect(await stage.target(id, 'c1')).toMatchObject({ touched: false });
    for (const [index, cluster] of bed.clusters.entries())
      expect(withoutIdentity(await liveObjects(cluster))).toEqual(withoutIdentity(before[index]!));
    expect(await call(questions[0]!, { verdict: 'pass' })).toBe(409);
  }, 120_000);

  it('hold one cluster until the server calls', async () => {
    await begin('during', 'canary');
    const { id } = await start('1');
    await stage.untilTarget(id, 'c0', ({ gates }) => gates[0]?.lastVerdict === 'Pending');
    expect(await call(questions[0]!, { verdict: 'pass', message: 'smoke is fine' })).toBe(200);
    // Sooner than its regular look, also where the API's wake-ups reach another worker.
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Succeeded', 20_000);
    expect((await stage.end(id)).state).toBe('Succeeded');
    expect((await stage.target(id, 'c0')).gates).toMatchObject([
      { state: 'Passed', evidence: 'the answer is pass, by call-back: smoke is fine' },
    ]);
    await stage.record.audit.seal(1_000);
    const events = await stage.record.audit.after(0, 1_000, { rollout: id, cluster: 'c0' });
    expect(events.filter(({ type }) => type === 'gate.answered')).toMatchObject([{ actor: 'gate-callback' }]);
  }, 120_000);
});
