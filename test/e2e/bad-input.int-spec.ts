import { createFleetCommands } from '@breakwater/application';
import {
  acquireTestbed,
  type InterceptedRequest,
  type Interception,
  requireTestbed,
  type Testbed,
  TESTBED_TIMEOUT_MS,
} from '@breakwater/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { allWrites, liveObjects, objectWrites, withoutIdentity } from '../support/live-objects.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const bundle = (version: string, image = `shop/web:${version}`) => [
  configMap('settings', 'web', { version }),
  deployment('web', 'web', image),
];

const ONE_WAVE = (budget: number) => `
    - { name: all, clusters: { all: true }, maxConcurrent: 100%, failureBudget: ${budget} }`;

/** A Status as API servers answer it. */
const status = (code: number, reason: string, message: string, headers: Record<string, string> = {}): Interception => ({
  status: code,
  headers,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message },
});

const writesSettings = ({ isWrite, path }: InterceptedRequest): boolean =>
  isWrite && path.includes('/configmaps/settings');

/** The first request that `matches` gets `answer`, the others go through. */
const once = (matches: (request: InterceptedRequest) => boolean, answer: Interception) => {
  let left = 1;
  return (request: InterceptedRequest): Interception => {
    if (!matches(request) || left === 0) return 'forward';
    left -= 1;
    return answer;
  };
};

describeWithTestbed('clusters that answer badly', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  const begin = async (
    kubeconfigs: Readonly<Record<string, string>>,
    more: Partial<ConstructorParameters<typeof RolloutStage>[0]> = {},
  ): Promise<void> => {
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: {},
      kubeconfigs,
      documents: fleetAndApplication() + strategy({ waves: ONE_WAVE(5) }),
      ...more,
    });
    await stage.start();
    // Its first look around is over before there is anything to see: what these tests meet, they meet in the rollout.
    await delay(200);
  };
  const intercepted = async (handlers: readonly ((request: InterceptedRequest) => Interception)[]) => {
    const ways = await Promise.all(handlers.map((handler, index) => bed.clusters[index + 1]!.intercept(handler)));
    return Object.fromEntries(ways.map((way, index) => [`c${index + 1}`, way.kubeconfig]));
  };

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 6, label: 'e2e bad input' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  it('a wrong CA, an expired token, 401, 403, a user who may only read, and exec: each is named, and nothing is written there', async () => {
    const [, c1, c2, c3, c4, c5] = bed.clusters.map((cluster) => cluster.kubeconfig);
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    const otherCa = /certificate-authority-data: .*/.exec(bed.clusters[0]!.kubeconfig)?.[0];
    const kubeconfigs = {
      c1: c1!.replace(/certificate-authority-data: .*/, otherCa!),
      c2: c2!.replace(/token: .*/, 'token: expired'),
      c3: bed.clusters[3]!.kubeconfigFor('nobody'),
      c4: bed.clusters[4]!.kubeconfigFor('reader'),
      c5: c5!.replace(/token: .*/, 'exec: { apiVersion: client.authentication.k8s.io/v1, command: /bin/false }'),
    };
    expect(kubeconfigs.c1).not.toBe(c1);
    expect(c3).toBeDefined();
    expect(c4).toBeDefined();
    await begin(kubeconfigs, {
      documents:
        fleetAndApplication() +
        strategy({
          waves: ONE_WAVE(5),
          more: '  preflight: { onFailure: leaveOut }\n  unreachable: { wait: 1s, then: count }',
        }),
    });
    const rollout = await stage.release(() => bundle('1'), { timeoutMs: 60_000 });
    const said = Object.fromEntries(
      (await stage.targets(rollout.id)).map(({ cluster, state, reason, message }) => [
        cluster,
        `${state} ${reason}: ${message}`,
      ]),
    );
    expect(said).toEqual({
      c0: expect.stringMatching(/^Succeeded /) as string,
      c1: expect.stringMatching(/^Unreachable ClusterUnreachable: .*(certificate|CERT|TLS)/i) as string,
      c2: expect.stringMatching(/^Skipped PreflightFailed: .*credentials/) as string,
      c3: expect.stringMatching(/^Skipped PreflightFailed: .*nobody/) as string,
      c4: expect.stringMatching(/^Skipped PreflightFailed: the credentials may not patch/) as string,
      c5: expect.stringMatching(/^Skipped PreflightFailed: .*users\[\]\.user\.exec runs a program/) as string,
    });
    expect(rollout).toMatchObject({ state: 'Incomplete' });
    for (const name of ['c1', 'c2', 'c3', 'c4', 'c5']) expect(rollout.message).toContain(name);
    const after = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(JSON.stringify([rollout, said])).not.toContain(bed.clusters[0]!.access.tokens.breakwater!);
  }, 180_000);

  it('a credential that is known to be refused holds the rollout before its first write, and lets it go once mended', async () => {
    await begin({ c2: bed.clusters[2]!.kubeconfig.replace(/token: .*/, 'token: expired') });
    await stage.record.cluster.observe('c2', { kind: 'Refused', reason: 'Unauthorized', message: 'token expired' });
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1')));
    const waiting = await stage.until(id, ({ reason }) => reason === 'PreflightFailed');
    expect(waiting).toMatchObject({ state: 'Preflight', message: expect.stringContaining('c2') as string });
    expect(await stage.commands.explain(id)).toMatchObject({ blockers: [{ gate: 'preflight' }] });
    expect((await Promise.all(bed.clusters.map(allWrites))).flat()).toEqual([]);
    stage.setKubeconfig('c2', bed.clusters[2]!.kubeconfig);
    expect(await stage.end(id, 90_000)).toMatchObject({ state: 'Succeeded' });
  }, 180_000);

  it('409, 429 with Retry-After, 500, 503 and a lost answer in mid-apply end in the same objects, each made once', async () => {
    const kubeconfigs = await intercepted([
      once(
        writesSettings,
        status(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version'),
      ),
      once(writesSettings, status(429, 'TooManyRequests', 'too many requests', { 'retry-after': '1' })),
      once(writesSettings, status(500, 'InternalError', 'etcdserver: leader changed')),
      once(writesSettings, status(503, 'ServiceUnavailable', 'the server is currently unable to handle the request')),
      once(writesSettings, 'lose-answer'),
    ]);
    await begin(kubeconfigs);
    const rollout = await stage.release(() => bundle('1'), { timeoutMs: 110_000 });
    expect(rollout).toMatchObject({ state: 'Succeeded' });
    expect((await stage.targets(rollout.id)).filter(({ everFailed }) => everFailed)).toEqual([]);
    const [right, ...others] = await Promise.all(
      bed.clusters.map(async (cluster) => withoutIdentity(await liveObjects(cluster))),
    );
    const ofWeb = (objects: object) => Object.entries(objects).filter(([key]) => /\/web(\/|$)/.test(key));
    for (const other of others) expect(ofWeb(other)).toEqual(ofWeb(right!));
    for (const cluster of bed.clusters) {
      const writes = (await objectWrites(cluster)).filter(({ text }) => text.includes('configmaps/web/settings'));
      // Written, marked by the take-over of the session that was cut off, written again.
      expect(writes.length).toBeLessThanOrEqual(3);
      expect(writes.filter(({ code }) => code === 201)).toHaveLength(1);
    }
  }, 180_000);

  it('watches that end, are reset or say 410 Gone, throttled reads and stale discovery do not stop a rollout', async () => {
    const isWatch = ({ path }: InterceptedRequest): boolean => path.includes('watch=');
    const gone = {
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' },
    };
    let reads = 0;
    const kubeconfigs = await intercepted([
      (request) => (isWatch(request) ? { status: 200, body: '' } : 'forward'),
      (request) => (isWatch(request) ? 'reset' : 'forward'),
      (request) => (isWatch(request) ? { status: 200, body: `${JSON.stringify(gone)}\n` } : 'forward'),
      (request) =>
        request.method === 'GET' && !isWatch(request) && reads++ % 4 === 0
          ? status(429, 'TooManyRequests', 'too many requests', { 'retry-after': '1' })
          : 'forward',
      (request) => (isWatch(request) ? status(403, 'Forbidden', 'no watches for you') : 'forward'),
    ]);
    await begin(kubeconfigs);
    const rollout = await stage.release(() => bundle('1', 'shop/web:delay-3s'), { timeoutMs: 110_000 });
    expect(rollout).toMatchObject({ state: 'Succeeded' });
    expect((await stage.targets(rollout.id)).filter(({ everFailed }) => everFailed)).toEqual([]);
  }, 180_000);

  it('422, 404 for a namespace, 403 on one object, a terminating namespace: the target fails, names the object, and is returned', async () => {
    const kubeconfigs = await intercepted([
      once(writesSettings, status(422, 'Invalid', 'ConfigMap "settings" is invalid: data: Invalid value')),
      once(writesSettings, status(404, 'NotFound', 'namespaces "web" not found')),
      once(
        writesSettings,
        status(
          403,
          'Forbidden',
          'configmaps "settings" is forbidden: User "breakwater" cannot patch resource "configmaps"',
        ),
      ),
    ]);
    await begin(kubeconfigs);
    await stage.release(() => [configMap('other', 'web', {})]);
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    const rollout = await stage.release(() => [
      configMap('other', 'web', { changed: 'yes' }),
      configMap('settings', 'web', {}),
    ]);
    expect(rollout).toMatchObject({ state: 'Incomplete' });
    const ended = Object.fromEntries((await stage.targets(rollout.id)).map((target) => [target.cluster, target]));
    for (const name of ['c1', 'c3']) expect(ended[name]).toMatchObject({ state: 'RolledBack', everFailed: true });
    const after = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    for (const index of [1, 3]) expect(after[index]).toEqual(before[index]);
    // A namespace that is said to be gone is looked at again: it was there.
    expect(['Succeeded', 'RolledBack']).toContain(ended['c2']?.state);
    await stage.record.audit.seal(1_000);
    const audit = await stage.record.audit.after(0, 1_000, { rollout: rollout.id });
    expect(JSON.stringify(audit)).toContain('ConfigMap/web/settings');
  }, 180_000);

  it('nothing is written to a cluster whose uid has changed until it is accepted; then it joins as new', async () => {
    await begin({});
    expect(await stage.release(() => bundle('1'))).toMatchObject({ state: 'Succeeded' });
    await bed.clusters[3]!.changeIdentity();
    const writes = await allWrites(bed.clusters[3]!);
    const second = await stage.rollOut('web', await stage.commit('web', () => bundle('2')));
    const held = await stage.until(second.id, ({ reason }) => reason === 'PreflightFailed');
    expect(held).toMatchObject({ state: 'Preflight', message: expect.stringContaining('c3') as string });
    expect((await stage.target(second.id, 'c3')).preflight?.findings).toMatchObject([{ reason: 'ClusterReplaced' }]);
    expect(await allWrites(bed.clusters[3]!)).toEqual(writes);

    const third = await stage.rollOut('web', await stage.commit('web', () => bundle('3')));
    await stage.until(third.id, ({ reason }) => reason === 'PreflightFailed');
    expect(await stage.commands.find(second.id)).toMatchObject({ state: 'Superseded' });
    await createFleetCommands({ record: stage.record }).acceptCluster('c3', {}, PERSON);
    expect(await stage.record.cluster.application('web', 'c3')).toMatchObject({ lastGood: null });
    expect(await stage.end(third.id, 90_000)).toMatchObject({ state: 'Succeeded' });
    expect((await stage.target(third.id, 'c3')).previous).toBeNull();
  }, 180_000);
});
