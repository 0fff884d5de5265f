import { jest } from '@jest/globals';
import type { ClusterConnection, Looked } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { configMap, deployment, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

const WEB = '/apis/apps/v1/namespaces/shop/deployments/web';
const MAPS = '/api/v1/namespaces/shop/configmaps';
const HOUR = 3_600_000;

const secret: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', namespace: 'shop' },
  stringData: { password: 'hunter2' },
};

describeWithTestbed('what a cluster tells of its past', () => {
  let bed: Testbed;
  let scene: Scene;
  /** API servers tell whole seconds, rounded down. */
  let since = 0;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'history' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    scene = await new Scene(bed.clusters[0]!).connect();
    since = Math.floor(Date.now() / 1000) * 1000;
    const objects = [deployment('web', 'nginx:1'), configMap('a', { a: '1' }), configMap('b', { b: '1' }), secret];
    expect(await scene.apply(objects)).toMatchObject({ kind: 'Applied' });
  });
  afterEach(() => scene.close());

  const ask = async (rest: object = {}, connection: ClusterConnection = scene.connection): Promise<Looked> => {
    const signal = new AbortController().signal;
    const looked = await connection.history({ applications: ['web'], since, timeout: 10_000, signal, ...rest });
    if (looked.kind !== 'Looked') throw new Error(JSON.stringify(looked));
    return looked;
  };
  const edits = async (rest: object = {}): Promise<readonly string[]> =>
    (await ask(rest)).edits.map(({ object, manager, what }) => `${object} by ${manager}: ${what}`).sort();
  const change = async (method: string, path: string, body?: unknown, options: object = {}): Promise<void> => {
    const { status, body: said } = await scene.cluster.request(method, path, body, { as: 'foreign', ...options });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(said)}`);
  };
  const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'web', image: name }] } } } });

  it('has no edits right after an apply, whatever controllers have written to status since', async () => {
    await scene.cluster.waitFor<{ status?: { observedGeneration?: number } }>(
      WEB,
      ({ status }) => status?.observedGeneration !== undefined,
    );
    expect(await ask()).toEqual({ kind: 'Looked', edits: [], nodes: expect.any(Array) as unknown, notLookedAt: [] });
  });

  it('names edits by patch and by server-side apply: object, manager, fields and time, and no value', async () => {
    await change('PATCH', `${WEB}?fieldManager=kubectl-edit`, image('nginx:2'), {
      contentType: 'application/strategic-merge-patch+json',
    });
    await change('PATCH', `${WEB}/scale?fieldManager=kubectl-scale`, { spec: { replicas: 3 } });
    await scene.cluster.apply(
      `${MAPS}/a`,
      configMap('a', { a: 'secret-value', extra: '1' }),
      'another-tool',
      'foreign',
    );
    const merge = { stringData: { password: 'hunter3' } };
    await change('PATCH', '/api/v1/namespaces/shop/secrets/db?fieldManager=kubectl-patch', merge);
    expect(await edits()).toEqual([
      'ConfigMap/shop/a by another-tool: set data.a, data.extra',
      'Secret/shop/db by kubectl-patch: set data.password',
      'apps/Deployment/shop/web by kubectl-edit: set spec.template.spec.containers[name=web].image',
      'apps/Deployment/shop/web by kubectl-scale: set spec.replicas',
    ]);
    const looked = await ask();
    for (const { at, manager } of looked.edits) {
      // The one that goes through the subresource has no time: Kubernetes notes none.
      if (manager === 'kubectl-scale') expect(at).toBeNull();
      if (at === null) continue;
      expect(at).toBeGreaterThanOrEqual(since);
      expect(at).toBeLessThanOrEqual(Date.now());
    }
    expect(JSON.stringify(looked)).not.toMatch(/hunter|secret-value/);
    expect(await edits({ since: Date.now() + HOUR })).toHaveLength(1);
    expect(await edits({ applications: ['other'] })).toEqual([]);
  });

  it('asks for metadata only: contents of objects stay on the API server', async () => {
    const seen: { path: string; accept: string }[] = [];
    const way = await scene.cluster.intercept(({ path, headers }) => {
      seen.push({ path, accept: String(headers['accept']) });
      return 'forward';
    });
    const other = new Scene(scene.cluster, {}, way.kubeconfig);
    const connection = await other.connector.connect('eu');
    if ('kind' in connection) throw new Error(connection.message);
    await ask({}, connection);
    const reads = seen.filter(({ path }) => path.includes('/namespaces/shop/'));
    expect(reads).toHaveLength(4);
    for (const { accept } of reads) expect(accept).toContain('as=PartialObjectMetadata');
    await other.close();
  });

  it('names objects that another hand deleted, and those that were made anew', async () => {
    await change('DELETE', `${MAPS}/a`);
    await change('DELETE', `${MAPS}/b`);
    await change('POST', `${MAPS}?fieldManager=kubectl-create`, configMap('b', { b: '2' }));
    expect(await edits()).toEqual([
      'ConfigMap/shop/a by : is gone, and Breakwater did not delete it',
      'ConfigMap/shop/b by : was deleted, and made anew',
      'ConfigMap/shop/b by kubectl-create: set data.b',
    ]);
  });

  it('tells of nodes that joined, turned and were cordoned, and not of those that did before', async () => {
    const node = '/api/v1/nodes/fresh';
    const condition = (type: string, status: string, reason: string) => {
      const lastTransitionTime = new Date(since + 5_000).toISOString().replace('.000', '');
      return { type, status, reason, lastTransitionTime };
    };
    // As a kubelet registers it: ready, so that nobody else in this test bed makes it so.
    const status = { conditions: [condition('Ready', 'True', 'KubeletReady')] };
    const fresh = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'fresh' }, status };
    await change('POST', '/api/v1/nodes', fresh);
    const pressed = [...status.conditions, condition('DiskPressure', 'True', 'KubeletHasDiskPressure')];
    await change('PATCH', `${node}/status`, { status: { conditions: pressed } });
    const cordoned = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'fresh' }, spec: { unschedulable: true } };
    expect(await scene.cluster.apply(node, cordoned, 'kubectl-cordon', 'foreign')).toMatchObject({ status: 200 });
    const told = async (rest: object = {}): Promise<readonly string[]> =>
      (await ask(rest)).nodes
        .filter((one) => one.node === 'fresh')
        .map(({ at, what, by }) => `${at === null ? 'undated' : at >= since} ${what} by ${by}`);
    expect(await told()).toEqual([
      'true the node joined by ',
      'true DiskPressure became True: KubeletHasDiskPressure by ',
      'true the node is cordoned by kubectl-cordon',
    ]);
    expect(await told({ since: Date.now() + HOUR })).toEqual([]);
  });

  it('names each part that it may not read, with the reason, and reads the others', async () => {
    await change('PATCH', `${MAPS}/a?fieldManager=kubectl-edit`, { data: { a: '2' } });
    const as = async (user: 'reader' | 'nobody'): Promise<Looked> => {
      const other = new Scene(scene.cluster, {}, scene.cluster.kubeconfigFor(user));
      const connection = await other.connector.connect('eu');
      if ('kind' in connection) throw new Error(connection.message);
      const looked = await ask({}, connection);
      await other.close();
      return looked;
    };
    expect(await as('reader')).toMatchObject({
      edits: [{ object: 'ConfigMap/shop/a', manager: 'kubectl-edit' }],
      nodes: [],
      notLookedAt: [
        { what: 'foreign edits of 1 Secret object', reason: expect.stringMatching(/^Forbidden: .*secrets/) as string },
        { what: 'nodes', reason: expect.stringMatching(/^Forbidden: .*nodes/) as string },
      ],
    });
    expect(await as('nobody')).toMatchObject({
      edits: [],
      notLookedAt: [
        { what: 'foreign edits of web', reason: expect.stringMatching(/^Forbidden: /) as string },
        { what: 'nodes', reason: expect.stringMatching(/^Forbidden: /) as string },
      ],
    });
  });

  it('ends in time on a cluster that hangs in the middle, and names what it did not see', async () => {
    const held = Promise.withResolvers<'reset'>();
    const way = await scene.cluster.intercept(({ path }) =>
      path.includes('/deployments/') || path.includes('/nodes') ? held.promise : 'forward',
    );
    const other = new Scene(scene.cluster, {}, way.kubeconfig);
    const connection = await other.connector.connect('eu');
    if ('kind' in connection) throw new Error(connection.message);
    const begun = performance.now();
    expect(await ask({ timeout: 2_000 }, connection)).toMatchObject({
      notLookedAt: [
        { what: 'foreign edits of 1 Deployment object', reason: 'the cluster did not answer in time' },
        { what: 'nodes', reason: 'the cluster did not answer in time' },
      ],
    });
    expect(performance.now() - begun).toBeLessThan(8_000);
    held.resolve('reset');
    await other.close();
  });
});
