import { jest } from '@jest/globals';
import type { ClusterConnection, CredentialStore, Cutoff, Refusal } from '@breakwater/application';
import {
  acquireTestbed,
  requireTestbed,
  TESTBED_TIMEOUT_MS,
  type Testbed,
  type TestbedCluster,
} from '@breakwater/testing';
import { createClusterConnector } from './cluster-connector.ts';
import { configMap, deployment, Scene } from './testing/scene.ts';
import type { Timeouts } from './transport.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(180_000);

const SHORT: Partial<Timeouts> = { connect: 1_500, request: 2_000, throttle: 1_000 };

describeWithTestbed('connection', () => {
  let bed: Testbed;
  let cluster: TestbedCluster;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'kube-connection' });
    cluster = bed.clusters[0]!;
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());

  const connectWith = (kubeconfig: string | null): Promise<ClusterConnection | Refusal | Cutoff> => {
    const credentials: CredentialStore = {
      read: () => Promise.resolve(kubeconfig === null ? null : { kubeconfig, version: kubeconfig }),
    };
    return createClusterConnector({ credentials, timeouts: SHORT, userAgent: 'breakwater/test' }).connect('eu');
  };

  const identifyWith = async (kubeconfig: string | null): Promise<unknown> => {
    const connection = await connectWith(kubeconfig);
    if ('kind' in connection) return connection;
    try {
      return await connection.identify(AbortSignal.timeout(20_000));
    } finally {
      await connection.close();
    }
  };

  /** A server that has just come back may still be too slow for short time-outs; nothing else may be wrong with it. */
  const untilApplied = async (scene: Scene): Promise<unknown> => {
    for (const deadline = Date.now() + 90_000; ;) {
      const outcome = await scene.apply([configMap('a', { a: '1' })], { nonce: 'n' });
      if (outcome.kind !== 'Unreachable' || Date.now() > deadline) return outcome;
    }
  };

  it('says which cluster it is', async () => {
    expect(await identifyWith(cluster.kubeconfig)).toEqual({
      kind: 'Identified',
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      version: expect.stringMatching(/^v1\./) as string,
      serverTime: expect.any(Number) as number,
    });
  });

  it('tells a wrong certificate authority, an unknown token and a missing credential apart', async () => {
    const other = bed.clusters[1]!;
    const foreignCa = other.kubeconfigFor('breakwater', cluster.url);
    expect(await identifyWith(foreignCa)).toMatchObject({ kind: 'Unreachable', reason: 'TlsFailed' });
    const token = cluster.access.tokens['breakwater'] ?? '';
    expect(await identifyWith(cluster.kubeconfig.replaceAll(token, 'expired'))).toMatchObject({
      kind: 'Refused',
      reason: 'Unauthorized',
    });
    expect(await identifyWith(null)).toMatchObject({ kind: 'Refused', reason: 'CredentialsNotFound' });
  });

  it('says ConnectionRefused, NameNotResolved', async () => {
    expect(await identifyWith(cluster.kubeconfig.replaceAll(cluster.url, 'https://127.0.0.1:9'))).toMatchObject({
      reason: 'ConnectionRefused',
    });
    expect(
      await identifyWith(cluster.kubeconfig.replaceAll(cluster.url, 'https://nowhere.invalid:6443')),
    ).toMatchObject({ reason: 'NameNotResolved' });
  });

  it('says Forbidden when a read is not allowed', async () => {
    const outcome = await identifyWith(cluster.kubeconfigFor('nobody' as 'admin'));
    expect(outcome).toMatchObject({
      kind: 'Refused',
      reason: expect.stringMatching(/^(Forbidden|Unauthorized)$/) as string,
    });
  });

  it('gives up on an API server that hangs, in bounded time, and says that something may have landed', async () => {
    const scene = await new Scene(cluster, SHORT).connect();
    await cluster.freeze();
    const started = performance.now();
    const outcome = await scene.apply([configMap('a', { a: '1' })]);
    expect(outcome).toMatchObject({ kind: 'Unreachable', reason: 'Timeout', partial: false });
    expect(performance.now() - started).toBeLessThan(10_000);
    await cluster.thaw();
    expect(await untilApplied(scene)).toMatchObject({ kind: 'Applied' });
    await scene.close();
    await bed.reset();
  });

  it('says ConnectionRefused or ConnectionLost of a killed API server, and comes back with it', async () => {
    const scene = await new Scene(cluster, SHORT).connect();
    await cluster.kill();
    const outcome = await scene.apply([configMap('a', { a: '1' })]);
    expect(outcome).toMatchObject({
      kind: 'Unreachable',
      reason: expect.stringMatching(/^Connection(Refused|Lost)$/) as string,
    });
    await cluster.restart();
    expect(await untilApplied(scene)).toMatchObject({ kind: 'Applied' });
    await scene.close();
    await bed.reset();
  });

  it('watches workloads and pods, also after the connection was cut', async () => {
    const proxy = await cluster.proxy();
    const scene = await new Scene(cluster).connect();
    await scene.apply([deployment('front', 'nginx:1')]);
    const credentials: CredentialStore = {
      read: () => Promise.resolve({ kubeconfig: proxy.kubeconfig, version: '1' }),
    };
    const connector = createClusterConnector({ credentials, timeouts: SHORT, userAgent: 'breakwater/test' });
    const connection = await connector.connect('eu');
    if ('kind' in connection) throw new Error(connection.message);
    const stop = new AbortController();
    let changes = 0;
    let notify = (): void => undefined;
    const next = (): Promise<void> => new Promise((resolve) => (notify = resolve));
    const first = next();
    const keys = [{ key: 'apps/Deployment/shop/front', apiVersion: 'apps/v1' }] as never;
    connection.watch({ keys, onChange: () => (changes++, notify()), signal: stop.signal });
    await first;
    // Until it is ready, pods and status move; then it is quiet.
    const deadline = Date.now() + 20_000;
    for (let ready = false; !ready && Date.now() < deadline;) {
      const outcome = await scene.connection.assess({
        application: 'web',
        keys,
        baseline: {},
        changed: [],
        signal: stop.signal,
      });
      ready = outcome.kind === 'Assessed' && outcome.report.verdict === 'Healthy';
      if (!ready) await Promise.race([next(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
    }
    proxy.resetConnections();
    const seen = changes;
    const again = next();
    await scene.cluster.request('PATCH', '/apis/apps/v1/namespaces/shop/deployments/front', {
      metadata: { annotations: { touched: 'x' } },
    });
    await again;
    expect(changes).toBeGreaterThan(seen);
    stop.abort();
    await connector.closeAll();
    await scene.close();
    await bed.reset();
  });

  it('explains a workload that does not become ready down to its pod', async () => {
    const scene = await new Scene(cluster).connect();
    await scene.apply([deployment('front', 'registry.example/broken:1')]);
    const keys = [{ key: 'apps/Deployment/shop/front', apiVersion: 'apps/v1' }] as never;
    const signal = AbortSignal.timeout(30_000);
    for (;;) {
      const outcome = await scene.connection.assess({ application: 'web', keys, baseline: {}, changed: keys, signal });
      if (outcome.kind !== 'Assessed') throw new Error(JSON.stringify(outcome));
      expect(outcome.report.verdict).not.toBe('Healthy');
      if (/front-/.test(outcome.report.worst?.evidence ?? '') && /Pull/.test(outcome.report.worst?.evidence ?? ''))
        break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await scene.close();
    await bed.reset();
  });
});
