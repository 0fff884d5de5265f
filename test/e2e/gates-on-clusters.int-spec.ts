import { jest } from '@jest/globals';
import type { MeasureRequest } from '@breakwater/application';
import type { Instant, JsonObject, JsonValue, Measurement, RolloutId } from '@breakwater/domain';
import { gateKind, plannedGate } from '@breakwater/domain';
import { createGateProbes } from '@breakwater/gates';
import { createClusterConnector } from '@breakwater/kube';
import {
  acquireTestbed,
  requireTestbed,
  TESTBED_TIMEOUT_MS,
  type Testbed,
  type TestbedCluster,
} from '@breakwater/testing';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

interface LiveJob {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string>; readonly uid: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** The probes that look into clusters, with real API servers. */
describeWithTestbed('gates on clusters', () => {
  let bed: Testbed;
  let cluster: TestbedCluster;
  let connector: ReturnType<typeof createClusterConnector>;
  const probes = createGateProbes({ allowedHosts: [], secretsDirectory: null });

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'gates on clusters' });
    cluster = bed.clusters[0]!;
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    connector = createClusterConnector({
      credentials: { read: () => Promise.resolve({ kubeconfig: cluster.kubeconfig, version: '1' }) },
      userAgent: 'breakwater/test',
    });
    await cluster.createNamespace('shop');
  });
  afterEach(() => connector.closeAll());

  const request = (kind: string, spec: JsonObject, rest: Partial<MeasureRequest> = {}): MeasureRequest => ({
    gate: plannedGate('smoke', kind, { phase: 'during' }, gateKind(kind)!.schema().parse(spec) as JsonObject),
    rollout: {
      id: 'r1' as RolloutId,
      application: 'web',
      fleet: 'production',
      namespace: 'shop',
      revision: { commit: 'c0ffee' } as unknown as MeasureRequest['rollout']['revision'],
    },
    wave: 'canary',
    clusters: [{ name: 'eu-1', region: 'eu' }],
    members: () => Promise.resolve([]),
    connect: (name) => connector.connect(name),
    withPermit: (_cluster, act) => act({ send: (send) => send(() => undefined) }),
    startedAt: 1_000 as Instant,
    now: Date.now() as Instant,
    memo: null,
    callback: null,
    signal: new AbortController().signal,
    ...rest,
  });
  const measure = (kind: string, spec: JsonObject, rest?: Partial<MeasureRequest>): Promise<Measurement> =>
    probes.get(kind)!.measure(request(kind, spec, rest));

  const jobs = async (): Promise<readonly LiveJob[]> =>
    ((await cluster.request('GET', '/apis/batch/v1/namespaces/shop/jobs')).body as unknown as { items: LiveJob[] })
      .items;
  const ended = async (name: string): Promise<void> => {
    await cluster.waitFor(`/apis/batch/v1/namespaces/shop/jobs/${name}`, (live) =>
      ((live as unknown as LiveJob).status?.conditions ?? []).some(
        ({ type, status }) => /^(Complete|Failed)$/.test(type) && status === 'True',
      ),
    );
  };
  const begin = async (spec: JsonObject): Promise<{ readonly name: string; readonly memo: JsonValue }> => {
    const begun = await measure('job', spec);
    expect(begun).toMatchObject({ verdict: 'Pending', retryAfter: 2_000 });
    const [job] = await jobs();
    return { name: job!.metadata.name, memo: begun.memo ?? null };
  };

  describe('job', () => {
    it('passes when its Job succeeds, where only restricted pods are let in, and leaves nothing', async () => {
      const enforce = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } };
      const merge = { contentType: 'application/merge-patch+json' };
      expect((await cluster.request('PATCH', '/api/v1/namespaces/shop', enforce, merge)).status).toBe(200);
      const { name, memo } = await begin({ image: 'smoke:1' });
      expect((await jobs())[0]!.metadata.labels).toMatchObject({ 'breakwater.dev/gate': 'smoke' });
      // A worker that takes over knows nothing yet of the Job of the one before.
      const takenOver = await measure('job', { image: 'smoke:1' });
      if (takenOver.verdict === 'Pending') {
        await ended(name);
        expect(await measure('job', { image: 'smoke:1' }, { memo })).toMatchObject({ verdict: 'Success' });
      } else expect(takenOver.verdict).toBe('Success');
      const creates = (await cluster.auditLog({ user: 'breakwater', writesOnly: true })).filter(
        ({ verb, resource }) => verb === 'create' && resource === 'jobs',
      );
      expect(creates).toHaveLength(1);
      expect(await jobs()).toEqual([]);
    });

    it('fails when its Job fails, with its exit code; its logs need a real kubelet, which is said', async () => {
      const { name, memo } = await begin({ image: 'smoke-fails:1' });
      await ended(name);
      const failed = await measure('job', { image: 'smoke-fails:1' }, { memo });
      expect(failed).toMatchObject({ verdict: 'Failure', object: `batch/Job/shop/${name}` });
      expect(failed.evidence).toMatch(/failed: BackoffLimitExceeded.*exit code 1; its logs are not to be had: /);
      expect(await jobs()).toEqual([]);
    });

    it('does not hang on a Job that cannot be deleted, and names what holds it', async () => {
      const { name, memo } = await begin({ image: 'smoke:1' });
      await ended(name);
      const path = `/apis/batch/v1/namespaces/shop/jobs/${name}`;
      const hold = { metadata: { finalizers: ['example.com/hold'] } };
      await cluster.request('PATCH', path, hold, { contentType: 'application/merge-patch+json' });
      expect(await measure('job', { image: 'smoke:1' }, { memo })).toMatchObject({
        verdict: 'Success',
        evidence: `the Job ${name} succeeded; the Job stays: held by example.com/hold`,
      });
    });

    it('writes nothing without a permit, and touches no Job of somebody else', async () => {
      expect(await measure('job', { image: 'smoke:1' }, { withPermit: () => Promise.resolve(null) })).toMatchObject({
        verdict: 'Pending',
      });
      expect(await jobs()).toEqual([]);
      const { name } = await begin({ image: 'smoke:1' });
      const others = { metadata: { annotations: { 'breakwater.dev/rollout': 'another' } } };
      const merge = { contentType: 'application/merge-patch+json' };
      await cluster.request('PATCH', `/apis/batch/v1/namespaces/shop/jobs/${name}`, others, merge);
      expect(await measure('job', { image: 'smoke:1' })).toMatchObject({
        verdict: 'Error',
        evidence: `the Job ${name} is there, and not of this gate`,
      });
      expect(await jobs()).toHaveLength(1);
    });
  });

  describe('cel', () => {
    const objects = [{ apiVersion: 'v1', kind: 'ConfigMap', name: '{application}-settings' }];
    const settings = (data: object): Promise<unknown> =>
      cluster.request('POST', '/api/v1/namespaces/shop/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'web-settings' },
        data,
      });
    const spec = { objects, success: 'object.data.mode == "live"' };

    it('passes what is as it should be, and catches what is up but wrong', async () => {
      expect(await measure('cel', spec)).toMatchObject({
        verdict: 'Inconclusive',
        evidence: 'ConfigMap web-settings is not there',
      });
      await settings({ mode: 'live' });
      expect(await measure('cel', spec)).toMatchObject({ verdict: 'Success' });
      await cluster.request('DELETE', '/api/v1/namespaces/shop/configmaps/web-settings');
      await settings({ mode: 'test' });
      expect(await measure('cel', spec)).toMatchObject({ verdict: 'Failure' });
    });

    it('counts objects by labels, and says that a kind is not served', async () => {
      const all = { objects: [{ apiVersion: 'v1', kind: 'ConfigMap' }], failure: 'size(objects) > 5' };
      expect(await measure('cel', all)).toMatchObject({ verdict: 'Success' });
      const unknown = { objects: [{ apiVersion: 'example.com/v1', kind: 'Widget' }], success: 'true' };
      expect(await measure('cel', unknown)).toMatchObject({
        verdict: 'Error',
        evidence: expect.stringContaining('KindNotServed'),
      });
    });
  });

  it('http: a Service that is not there is a failure', async () => {
    expect(await measure('http', { service: { name: 'web', port: 80 } })).toMatchObject({
      verdict: 'Failure',
      evidence: 'service web: there is no Service shop/web, or it has no endpoints',
    });
  });
});
