import { jest } from '@jest/globals';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { configMap, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const GROUP = 'parts.example.com';

const widget = (group: string, name: string) => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  metadata: { name, namespace: 'shop' },
  spec: { size: 1 },
});

/** An API server of its own for a group, which is not there: discovery knows of the group, and of nothing in it. */
const apiServiceOf = (group: string) => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: `v1.${group}` },
  spec: {
    group,
    version: 'v1',
    groupPriorityMinimum: 1_000,
    versionPriority: 10,
    insecureSkipTLSVerify: true,
    service: { namespace: 'default', name: 'nobody', port: 443 },
  },
});

describeWithTestbed('clusters of which a part does not work', () => {
  let bed: Testbed;
  let scene: Scene;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-awkward' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());

  beforeEach(async () => {
    await bed.reset();
    await bed.clusters[0]!.createNamespace('shop');
    scene = await new Scene(bed.clusters[0]!).connect();
  });
  afterEach(() => scene.close());

  it('refuses to write into a namespace that is being deleted, and writes once it is there anew', async () => {
    const { cluster } = scene;
    const kept = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept', namespace: 'shop', finalizers: ['example.com/kept'] },
    };
    await cluster.apply('/api/v1/namespaces/shop/configmaps/kept', kept);
    await cluster.request('DELETE', '/api/v1/namespaces/shop');

    const objects = [configMap('one', {}), configMap('two', {})];
    expect(await scene.apply(objects)).toMatchObject({ kind: 'Refused', reason: 'NamespaceTerminating' });
    expect(await scene.objectWrites()).toEqual([]);

    await cluster.request('PATCH', '/api/v1/namespaces/shop/configmaps/kept', { metadata: { finalizers: null } });
    await cluster.waitFor<{ kind: string }>('/api/v1/namespaces/shop', ({ kind }) => kind === 'Status', 30_000);
    await cluster.createNamespace('shop');
    expect(await scene.apply(objects, { epoch: 2 })).toMatchObject({ kind: 'Applied' });
    expect(await scene.live('/api/v1/namespaces/shop/configmaps/two')).not.toBeNull();
  });

  it('goes on with everything else where one API of the cluster is down, and does not take its kinds for absent', async () => {
    const { cluster } = scene;
    const made = await cluster.apply(`${SERVICES}/v1.${GROUP}`, apiServiceOf(GROUP));
    expect(made.status).toBe(201);
    await cluster.waitFor<{ status?: { conditions?: { type: string; status: string }[] } }>(
      `${SERVICES}/v1.${GROUP}`,
      ({ status }) => status?.conditions?.some((it) => it.type === 'Available' && it.status === 'False') === true,
    );

    expect(await scene.apply([configMap('one', { a: '1' })])).toMatchObject({ kind: 'Applied' });
    expect(await scene.apply([configMap('one', { a: '2' }), widget(GROUP, 'two')], { epoch: 2 })).toMatchObject({
      kind: 'Unreachable',
      reason: 'ServerError',
      message: expect.stringContaining(GROUP) as string,
    });
    expect(await scene.live('/api/v1/namespaces/shop/configmaps/one')).toMatchObject({ data: { a: '1' } });
    expect(await scene.prune([], { epoch: 3, expectInventory: true })).toMatchObject({ kind: 'Pruned' });
    expect(await scene.live('/api/v1/namespaces/shop/configmaps/one')).toBeNull();
  });

  it('does not forget an object whose API is down: it is pruned when the API is back', async () => {
    const { cluster } = scene;
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${GROUP}` },
      spec: {
        group: GROUP,
        scope: 'Namespaced',
        names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
    const path = `/apis/${GROUP}/v1/namespaces/shop/widgets/two`;
    expect(await cluster.apply(`${CRDS}/widgets.${GROUP}`, crd)).toMatchObject({ status: 201 });
    await cluster.waitFor<{ kind: string }>(`/apis/${GROUP}/v1`, ({ kind }) => kind === 'APIResourceList');
    expect(await scene.apply([configMap('one', {}), widget(GROUP, 'two')])).toMatchObject({ kind: 'Applied' });

    // Without its label, the cluster leaves the APIService as it is: now it points to nobody.
    const labels = { 'kube-aggregator.kubernetes.io/automanaged': null };
    const { spec } = apiServiceOf(GROUP);
    await cluster.request('PATCH', `${SERVICES}/v1.${GROUP}`, { metadata: { labels }, spec });
    // The front answers for the one that is not there, in plain text.
    await cluster.waitFor<unknown>(path, (body) => typeof body === 'string');
    const pruned = await scene.prune([configMap('one', {})], { epoch: 2, expectInventory: true });
    expect(pruned).toMatchObject({ kind: 'Unreachable' });

    // The cluster makes its own again.
    await cluster.request('DELETE', `${SERVICES}/v1.${GROUP}`);
    await cluster.waitFor<{ kind: string }>(path, ({ kind }) => kind === 'Widget', 40_000);
    expect(await scene.prune([configMap('one', {})], { epoch: 3, expectInventory: true })).toMatchObject({
      kind: 'Pruned',
    });
    expect(await scene.live(path)).toBeNull();
  });
});
