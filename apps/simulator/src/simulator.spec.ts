import { KubeApiClient } from '@breakwater/testing';
import { startSimulatedFleet } from './index.ts';
import type { SimulatedCluster, SimulatedFleet } from './index.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string> = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const deployment = (image: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image }] } },
  },
});

describe('a simulated fleet', () => {
  let fleet: SimulatedFleet;
  let cluster: SimulatedCluster;
  let client: KubeApiClient;

  beforeEach(async () => {
    fleet = await startSimulatedFleet({ clusters: [{ name: 'one' }, { name: 'two' }, { name: 'own', ownPort: true }] });
    cluster = fleet.cluster('one');
    client = clientOf(cluster);
  });

  afterEach(async () => {
    await client.close();
    await fleet.stop();
  });

  function clientOf(of: SimulatedCluster): KubeApiClient {
    return new KubeApiClient({ url: of.server, ca: fleet.ca, token: of.token });
  }

  it('gives each cluster a kubeconfig with its own path and token, and an identity of its own', async () => {
    const [one, two] = ['one', 'two'].map((name) => JSON.parse(fleet.cluster(name).kubeconfig));
    expect(one.clusters[0].cluster.server).toBe(`https://127.0.0.1:${fleet.port}/clusters/one`);
    expect(two.users[0].user.token).not.toBe(one.users[0].user.token);
    expect(fleet.cluster('one').uid).not.toBe(fleet.cluster('two').uid);
    const stranger = new KubeApiClient({ url: cluster.server, ca: fleet.ca, token: two.users[0].user.token });
    expect((await stranger.get('/api/v1/namespaces')).status).toBe(401);
    await stranger.close();
  });

  it('calls itself simulated', async () => {
    expect((await client.get('/version')).body.gitVersion).toBe('v1.35.8-simulated');
  });

  it('keeps clusters apart', async () => {
    await client.apply(`${maps}/a`, configMap('a'));
    expect(cluster.object('configmaps', 'default', 'a')).toBeDefined();
    expect(fleet.cluster('two').object('configmaps', 'default', 'a')).toBeUndefined();
  });

  it('logs every write with when, what, by whom and how it ended', async () => {
    const before = Date.now();
    await client.apply(`${maps}/a`, configMap('a', { x: '1' }));
    await client.apply(`${maps}/a`, configMap('a', { x: '1' }));
    await client.apply(`${maps}/a`, configMap('a', { x: '2' }), 'fieldManager=breakwater&dryRun=All');
    await client.apply(`${maps}/a`, configMap('a', { x: '2' }), 'fieldManager=other');
    await client.request('DELETE', `${maps}/a`);
    await client.get(`${maps}/a`);
    const writes = cluster.writes();
    expect(writes.map((write) => [write.verb, write.status, write.dryRun, write.changed])).toEqual([
      ['patch', 201, false, true],
      ['patch', 200, false, false],
      ['patch', 200, true, false],
      ['patch', 409, false, false],
      ['delete', 200, false, true],
    ]);
    expect(writes[0]).toMatchObject({
      resource: 'configmaps',
      namespace: 'default',
      name: 'a',
      fieldManager: 'breakwater',
      userAgent: 'conformance/1.0',
    });
    expect(writes[0]?.receivedAt).toBeGreaterThanOrEqual(before);
    expect(writes[0]?.answeredAt).toBeGreaterThanOrEqual(writes[0]?.receivedAt ?? 0);
  });

  it('hangs, and does what it had taken when it goes on', async () => {
    const lift = cluster.fault({ kind: 'hang' });
    let answered = false;
    const pending = client.apply(`${maps}/a`, configMap('a')).then((answer) => {
      answered = true;
      return answer;
    });
    await untilTrue(() => cluster.writes().length === 1);
    expect(cluster.writes()[0]).toMatchObject({ status: undefined, answeredAt: undefined });
    expect(answered).toBe(false);
    expect(cluster.object('configmaps', 'default', 'a')).toBeUndefined();
    const other = clientOf(fleet.cluster('two'));
    expect((await other.get(maps)).status).toBe(200);
    await other.close();
    lift();
    expect((await pending).status).toBe(201);
    expect(cluster.writes()[0]).toMatchObject({ status: 201, changed: true });
  });

  it('keeps quiet on watches while it hangs, and then says everything', async () => {
    const { body } = await client.get(maps);
    const watch = await client.watch(`${maps}?watch=1&resourceVersion=${body.metadata.resourceVersion}`);
    const lift = cluster.fault({ kind: 'hang', only: ['watch'] });
    await client.apply(`${maps}/a`, configMap('a'));
    await expect(watch.next(undefined, 100)).rejects.toThrow('no such frame');
    lift();
    expect((await watch.next()).type).toBe('ADDED');
    watch.close();
  });

  it('refuses connections on a port of its own, and comes back on the same', async () => {
    const own = fleet.cluster('own');
    const direct = clientOf(own);
    expect((await direct.get('/version')).status).toBe(200);
    const lift = own.fault({ kind: 'refuse' });
    await expect(direct.get('/version')).rejects.toThrow();
    await untilRejected(() => direct.get('/version'), 'ECONNREFUSED');
    lift();
    await untilTrue(() =>
      direct.get('/version').then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await direct.close();
  });

  it('cuts connections on the shared port', async () => {
    const lift = cluster.fault({ kind: 'refuse' });
    await expect(client.get('/version')).rejects.toThrow();
    lift();
    expect((await client.get('/version')).status).toBe(200);
  });

  it('throttles with Retry-After, and fails so often as it is told to', async () => {
    cluster.fault({ kind: 'throttle', retryAfterSeconds: 3, times: 1 });
    const throttled = await client.get(maps);
    expect(throttled.status).toBe(429);
    expect(throttled.headers['retry-after']).toBe('3');
    cluster.fault({ kind: 'error', code: 503, only: ['write'], times: 1 });
    expect((await client.get(maps)).status).toBe(200);
    expect((await client.apply(`${maps}/a`, configMap('a'))).status).toBe(503);
    expect((await client.apply(`${maps}/a`, configMap('a'))).status).toBe(201);
  });

  it('does what was asked and loses the answer', async () => {
    cluster.fault({ kind: 'lose-answer', only: ['write'], times: 1 });
    await expect(client.apply(`${maps}/a`, configMap('a'))).rejects.toThrow();
    expect(cluster.object('configmaps', 'default', 'a')).toBeDefined();
    expect(cluster.writes()[0]).toMatchObject({ status: undefined, changed: true });
  });

  it('tells watches and continued lists 410 after a compaction', async () => {
    const { body: first } = await client.get(maps);
    const { body: page } = await client.get('/api/v1/namespaces?limit=1');
    await client.apply(`${maps}/a`, configMap('a'));
    cluster.compact();
    const watch = await client.watch(`${maps}?watch=1&resourceVersion=${first.metadata.resourceVersion}`);
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    await watch.ended();
    const rest = await client.get(`/api/v1/namespaces?limit=1&continue=${page.metadata.continue}`);
    expect(rest.status).toBe(410);
  });

  it('lets a limited user do what the rules say and no more', async () => {
    const token = cluster.tokenFor('limited', [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] }]);
    const limited = new KubeApiClient({ url: cluster.server, ca: fleet.ca, token });
    expect((await limited.get(maps)).status).toBe(200);
    expect((await limited.apply(`${maps}/a`, configMap('a'))).status).toBe(403);
    expect((await limited.get('/api/v1/namespaces/default/secrets')).status).toBe(403);
    await limited.close();
  });

  it('gives a service account a token that works as far as its bindings go', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await client.request('POST', '/api/v1/namespaces/kube-system/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'breakwater' },
    });
    const asked = await client.request('POST', '/api/v1/namespaces/kube-system/serviceaccounts/breakwater/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 600 },
    });
    expect(asked.status).toBe(201);
    const account = new KubeApiClient({ url: cluster.server, ca: fleet.ca, token: asked.body.status.token });
    expect((await account.get(maps)).status).toBe(403);
    await client.request('POST', `${rbac}/clusterrolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'breakwater' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'breakwater', namespace: 'kube-system' }],
    });
    expect((await account.get(maps)).status).toBe(200);
    await account.close();
  });

  it('lets pods that degrade become unready after they were ready', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments/web';
    await client.apply(path, deployment('registry.example/degrades-3s:1'));
    await client.until(path, ({ body }) => body.status.availableReplicas === 2);
    const ill = await client.until(path, ({ body }) => body.status.unavailableReplicas === 2);
    expect(ill.body.status.conditions.find((one: { type: string }) => one.type === 'Available').status).toBe('False');
  });

  it('restarts pods that crash, again and again', async () => {
    await client.apply('/apis/apps/v1/namespaces/default/deployments/web', deployment('registry.example/crashloop:1'));
    const { body } = await client.until('/api/v1/namespaces/default/pods', ({ body: list }) =>
      list.items.some(
        (pod: { status: { containerStatuses?: { restartCount: number }[] } }) =>
          (pod.status.containerStatuses?.[0]?.restartCount ?? 0) >= 2,
      ),
    );
    expect(body.items[0].status.containerStatuses[0].state.waiting.reason).toBe('CrashLoopBackOff');
  });

  it('refuses two clusters of one name, and names that do not fit into a path', async () => {
    await expect(fleet.add({ name: 'one' })).rejects.toThrow('two clusters');
    await expect(fleet.add({ name: '../one' })).rejects.toThrow('not a name');
  });

  it('survives bodies that are hostile', async () => {
    const polluted = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"},"data":{"__proto__":"x","a":"1"}}';
    await client.apply(`${maps}/p`, polluted);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect((await client.apply(`${maps}/q`, deep)).status).toBeGreaterThanOrEqual(400);
    expect((await client.apply(`${maps}/q`, 'x'.repeat(4_000_000))).status).toBe(413);
    expect((await client.get('/version')).status).toBe(200);
  });
});

async function untilTrue(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function untilRejected(call: () => Promise<unknown>, code: string): Promise<void> {
  await untilTrue(() =>
    call().then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === code,
    ),
  );
}
