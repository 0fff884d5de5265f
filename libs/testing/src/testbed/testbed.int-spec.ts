import { jest } from '@jest/globals';
import { Agent, request } from 'undici';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from './testbed.ts';
import type { TestbedCluster } from './testbed-cluster.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(180_000);

const configMap = (name: string): object => ({ metadata: { name }, data: { key: 'value' } });
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

describeWithTestbed('test bed', () => {
  let bed: Testbed;
  let first: TestbedCluster;
  let second: TestbedCluster;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'testbed' });
    [first, second] = [bed.clusters[0]!, bed.clusters[1]!];
  }, TESTBED_TIMEOUT_MS);

  afterAll(() => bed?.release());

  const answers = async (cluster: TestbedCluster, timeoutMs = 20_000): Promise<boolean> => {
    try {
      return (await cluster.request('GET', '/readyz', undefined, { timeoutMs })).status === 200;
    } catch {
      return false;
    }
  };

  /** As Breakwater, over a given address. */
  const read = async (cluster: TestbedCluster, url: string, timeoutMs: number, agent?: Agent): Promise<number> => {
    const connect = { ca: cluster.access.caPem, timeout: timeoutMs };
    const dispatcher = agent ?? new Agent({ connect });
    try {
      const response = await request(`${url}${CONFIG_MAPS}`, {
        dispatcher,
        headers: { authorization: `Bearer ${cluster.access.tokens['breakwater']}` },
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body.dump();
      return response.statusCode;
    } finally {
      if (!agent) await dispatcher.destroy();
    }
  };

  it('gives out clusters that share nothing', async () => {
    const uids = await Promise.all(
      bed.clusters.map(async (cluster) => {
        const namespace = await cluster.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
        return namespace.metadata.uid;
      }),
    );
    expect(new Set(uids).size).toBe(2);
    expect((await first.request('POST', CONFIG_MAPS, configMap('mine'))).status).toBe(201);
    expect((await second.request('GET', `${CONFIG_MAPS}/mine`)).status).toBe(404);
    const foreign = new Agent({ connect: { ca: second.access.caPem } });
    await expect(read(first, first.url, 20_000, foreign)).rejects.toThrow(/certificate/);
    await foreign.destroy();
  });

  it('tells in the audit log who wrote what, and when', async () => {
    const before = Date.now();
    const made = await first.request('POST', CONFIG_MAPS, configMap('audited'), { as: 'breakwater' });
    await first.request('POST', `${CONFIG_MAPS}?dryRun=All`, configMap('tried'), { as: 'breakwater' });
    await first.request('GET', CONFIG_MAPS, undefined, { as: 'breakwater' });
    await first.request('PATCH', `${CONFIG_MAPS}/audited`, { data: { key: 'theirs' } }, { as: 'foreign' });
    expect(made.status).toBe(201);

    const writes = await first.auditLog({ user: 'breakwater', writesOnly: true });
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatchObject({
      verb: 'create',
      resource: 'configmaps',
      namespace: 'default',
      name: 'audited',
      code: 201,
      stage: 'ResponseComplete',
      requestObject: { data: { key: 'value' } },
    });
    expect(writes[0]!.receivedAt).toBeGreaterThanOrEqual(before - 5);
    expect(writes[0]!.receivedAt).toBeLessThanOrEqual(Date.now() + 5);
    const verbs = (await first.auditLog({ user: 'breakwater' })).map((entry) => entry.verb);
    expect(verbs).toEqual(['create', 'create', 'list']);
    expect((await first.auditLog({ user: 'foreign' })).map((entry) => entry.verb)).toEqual(['patch']);
  });

  it('authorises its users as they are meant', async () => {
    expect((await first.request('GET', CONFIG_MAPS, undefined, { as: 'reader' })).status).toBe(200);
    expect((await first.request('POST', CONFIG_MAPS, configMap('no'), { as: 'reader' })).status).toBe(403);
    expect((await first.request('GET', CONFIG_MAPS, undefined, { as: 'nobody' })).status).toBe(403);
  });

  it('freezes an API server, which then hangs, and thaws it', async () => {
    await first.freeze();
    expect(await answers(first, 500)).toBe(false);
    expect(await answers(second)).toBe(true);
    await first.thaw();
    await first.waitFor('/readyz', (body) => String(body) === 'ok');
  });

  it('kills an API server, which then refuses, and restarts the same cluster', async () => {
    await first.request('POST', CONFIG_MAPS, configMap('survivor'));
    await first.kill();
    await expect(first.request('GET', '/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await first.restart();
    expect((await first.request('GET', `${CONFIG_MAPS}/survivor`)).status).toBe(200);
    // Controllers have found it again.
    const deployment = {
      metadata: { name: 'after' },
      spec: {
        selector: { matchLabels: { app: 'after' } },
        template: { metadata: { labels: { app: 'after' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
      },
    };
    await first.request('POST', '/apis/apps/v1/namespaces/default/deployments', deployment);
    await first.waitFor<{ status?: { availableReplicas?: number } }>(
      '/apis/apps/v1/namespaces/default/deployments/after',
      (it) => it.status?.availableReplicas === 1,
      90_000,
    );
  });

  it('cuts a cluster off and lets it come back, with what was on its way', async () => {
    const proxy = await second.proxy();
    const agent = new Agent({ connect: { ca: second.access.caPem } });
    expect(await read(second, proxy.url, 20_000, agent)).toBe(200);
    proxy.cutOff();
    // On the connection that is open, and on a new one.
    const held = read(second, proxy.url, 60_000, agent);
    await expect(read(second, proxy.url, 400)).rejects.toThrow();
    expect(await answers(second)).toBe(true);
    proxy.restore();
    expect(await held).toBe(200);
    await agent.destroy();
  });

  it('delays, resets and refuses connections', async () => {
    const proxy = await second.proxy();
    proxy.delay(150);
    const began = Date.now();
    expect(await read(second, proxy.url, 20_000)).toBe(200);
    expect(Date.now() - began).toBeGreaterThan(290);
    proxy.restore();

    proxy.cutOff();
    const before = proxy.relay.connections;
    const held = read(second, proxy.url, 20_000).catch((error: { code?: string }) => error.code);
    while (proxy.relay.connections === before) await new Promise((resolve) => setImmediate(resolve));
    proxy.resetConnections();
    expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(await held);

    proxy.refuse();
    await expect(read(second, proxy.url, 2000)).rejects.toThrow();
    proxy.restore();
    expect(await read(second, proxy.url, 20_000)).toBe(200);
  });

  it('lets a test decide about each request', async () => {
    const interceptor = await first.intercept();
    const agent = new Agent({ connect: { ca: first.access.caPem } });
    const post = async (name: string): Promise<number> => {
      const response = await request(`${interceptor.url}${CONFIG_MAPS}`, {
        method: 'POST',
        dispatcher: agent,
        headers: {
          authorization: `Bearer ${first.access.tokens['breakwater']}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(configMap(name)),
      });
      await response.body.dump();
      return response.statusCode;
    };
    const exists = async (name: string): Promise<boolean> =>
      (await first.request('GET', `${CONFIG_MAPS}/${name}`)).status === 200;

    expect(await post('forwarded')).toBe(201);
    interceptor.use(() => ({ status: 429, headers: { 'retry-after': '1' } }));
    expect(await post('throttled')).toBe(429);
    expect(await exists('throttled')).toBe(false);
    interceptor.use(({ isWrite }) => (isWrite ? 'lose-answer' : 'forward'));
    await expect(post('ambiguous')).rejects.toThrow();
    expect(await exists('ambiguous')).toBe(true);
    interceptor.use(() => 'reset');
    await expect(post('lost')).rejects.toThrow();
    expect(await exists('lost')).toBe(false);

    let letGo = (): void => undefined;
    const seen: string[] = [];
    interceptor.use(async ({ method, path }): Promise<'forward'> => {
      seen.push(`${method} ${path}`);
      await new Promise<void>((resolve) => (letGo = resolve));
      return 'forward';
    });
    const held = post('held');
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await exists('held')).toBe(false);
    letGo();
    expect(await held).toBe(201);
    expect(seen).toEqual([`POST ${CONFIG_MAPS}`]);
    await agent.destroy();
  });

  it('can become another cluster', async () => {
    const uid = await second.changeIdentity();
    const namespace = await second.waitFor<{ metadata: { uid: string } }>(
      '/api/v1/namespaces/kube-system',
      (it) => it.metadata.uid === uid,
    );
    expect(namespace.metadata.uid).toBe(uid);
  });

  it('resets everything that a test has made, however it holds on', async () => {
    const before = await first.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
    await first.createNamespace('left');
    const sticky = { metadata: { name: 'sticky', finalizers: ['example.com/never'] } };
    await first.request('POST', '/api/v1/namespaces/left/configmaps', sticky);
    await first.request('DELETE', '/api/v1/namespaces/left');
    const webhook = {
      metadata: { name: 'everything-fails' },
      webhooks: [
        {
          name: 'everything.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
        },
      ],
    };
    await first.request('POST', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', webhook);
    await first.request('PATCH', '/apis/rbac.authorization.k8s.io/v1/clusterroles/view', { rules: [] });
    await first.freeze();

    await first.reset();

    expect((await first.request('GET', '/api/v1/namespaces/left')).status).toBe(404);
    expect(await first.auditLog({ user: 'breakwater' })).toEqual([]);
    await first.waitFor<{ status?: string; metadata?: { name: string } }>(
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/everything-fails',
      (body) => body.status === 'Failure',
    );
    expect((await first.request('POST', CONFIG_MAPS, configMap('again'))).status).toBe(201);
    const after = await first.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
    expect(after.metadata.uid).toBe(before.metadata.uid);
  });
});
