import { jest } from '@jest/globals';
import type { KubeObject } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { configMap, deployment, POLICY, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

const crd: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'lamps.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'lamps', singular: 'lamp', kind: 'Lamp' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { colour: { type: 'string' } } } },
          },
        },
      },
    ],
  },
};
const lamp: KubeObject = {
  apiVersion: 'example.com/v1',
  kind: 'Lamp',
  metadata: { name: 'hall', namespace: 'shop' },
  spec: { colour: 'red' },
};
const webhook: KubeObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'web-checks' },
  webhooks: [
    {
      name: 'checks.example.com',
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ apiGroups: ['nothing.example.com'], apiVersions: ['*'], operations: ['CREATE'], resources: ['*'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
};
const CONFIG_MAPS = '/api/v1/namespaces/shop/configmaps';

describeWithTestbed('apply', () => {
  let bed: Testbed;
  let scene: Scene;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-apply' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    scene = await new Scene(bed.clusters[0]!).connect();
  });
  afterEach(() => scene.close());

  it('creates namespace, definitions, configuration, workloads, custom resources and webhooks in this order', async () => {
    const outcome = await scene.apply([
      webhook,
      lamp,
      deployment('front', 'nginx:1'),
      configMap('settings', { a: '1' }),
      crd,
    ]);
    expect(outcome).toMatchObject({ kind: 'Applied', unchanged: 0, prunable: [] });
    expect(await scene.writes()).toEqual([
      'create namespaces//breakwater-system 201',
      'create configmaps/breakwater-system/web 201',
      'patch namespaces//breakwater-system 200',
      'patch namespaces//shop 201',
      'patch customresourcedefinitions//lamps.example.com 201',
      'patch configmaps/shop/settings 201',
      'patch deployments/shop/front 201',
      'patch lamps/shop/hall 201',
      'patch validatingwebhookconfigurations//web-checks 201',
      'update configmaps/breakwater-system/web 200',
    ]);
    const settings = await scene.live(`${CONFIG_MAPS}/settings`);
    expect(settings?.metadata.labels).toEqual({ 'breakwater.dev/application': 'web' });
    expect(settings?.metadata.annotations?.['breakwater.dev/object-digest']).toMatch(/^sha256:/);
    const front = await scene.live('/apis/apps/v1/namespaces/shop/deployments/front');
    expect((front?.['spec'] as { template: { metadata: object } }).template.metadata).toEqual({
      labels: { app: 'front' },
    });
  });

  it('writes no object a second time, and one when one of twenty has changed', async () => {
    const bundle = Array.from({ length: 20 }, (_, index) => configMap(`c${index}`, { value: 'one' }));
    expect(await scene.apply(bundle)).toMatchObject({ kind: 'Applied', unchanged: 0 });
    const before = (await scene.objectWrites()).length;
    expect(await scene.apply(bundle, { epoch: 2, rollout: 'r2', expectInventory: true })).toMatchObject({
      kind: 'Applied',
      changed: [],
      unchanged: 20,
    });
    expect((await scene.objectWrites()).slice(before)).toEqual([]);
    const changed = [...bundle.slice(0, 7), configMap('c7', { value: 'two' }), ...bundle.slice(8)];
    expect(await scene.apply(changed, { epoch: 3, rollout: 'r3' })).toMatchObject({
      changed: ['ConfigMap/shop/c7'],
      unchanged: 19,
    });
    expect((await scene.objectWrites()).slice(before)).toEqual(['patch configmaps/shop/c7 200']);
    expect(scene.recorded.begun.map(({ changing }) => changing.length)).toEqual([21, 0, 1]);
  });

  it('writes an object again that somebody else has changed, and names the owner of the field in a conflict', async () => {
    const bundle = [configMap('settings', { a: '1', b: '2' })];
    await scene.apply(bundle);
    await scene.cluster.request('PATCH', `${CONFIG_MAPS}/settings?fieldManager=kubectl-edit`, {
      data: { a: 'edited' },
    });
    const outcome = await scene.apply(bundle, { epoch: 2 });
    expect(outcome).toEqual({
      kind: 'Refused',
      reason: 'FieldConflict',
      message: '.data.a is owned by "kubectl-edit"',
      object: 'ConfigMap/shop/settings',
      partial: false,
    });
    const forced = await scene.apply(bundle, { epoch: 3, policy: { ...POLICY, conflicts: 'force' } });
    expect(forced).toMatchObject({ kind: 'Applied', changed: ['ConfigMap/shop/settings'] });
    expect((await scene.live(`${CONFIG_MAPS}/settings`))?.['data']).toEqual({ a: '1', b: '2' });
    expect(scene.recorded.images.map(({ key, object }) => [key, object['data']])).toEqual([
      ['ConfigMap/shop/settings', { a: 'edited', b: '2' }],
    ]);
  });

  it('finds the conflict in a dry run, before anything is written', async () => {
    await scene.apply([configMap('a', { v: '1' }), configMap('z', { v: '1' })]);
    await scene.cluster.request('PATCH', `${CONFIG_MAPS}/z?fieldManager=somebody`, { data: { v: '9' } });
    const before = await scene.writes();
    const outcome = await scene.apply([configMap('a', { v: '2' }), configMap('z', { v: '2' })], { epoch: 2 });
    expect(outcome).toMatchObject({ kind: 'Refused', reason: 'FieldConflict', partial: false });
    expect(await scene.writes()).toEqual(before);
  });

  it('refuses objects that are nobody’s and names them all; takes them when told to', async () => {
    await scene.cluster.createNamespace('shop');
    for (const name of ['one', 'two'])
      await scene.cluster.request('POST', CONFIG_MAPS, configMap(name, { was: 'here' }));
    const bundle = [configMap('one', { a: '1' }), configMap('two', { a: '1' }), configMap('three', { a: '1' })];
    const outcome = await scene.apply(bundle);
    expect(outcome).toMatchObject({ kind: 'Refused', reason: 'NotAdopted', partial: false });
    expect(outcome).toMatchObject({
      message: expect.stringContaining('ConfigMap/shop/one, ConfigMap/shop/two') as string,
    });
    expect(await scene.writes()).toEqual([]);
    const adopted = await scene.apply(bundle, { policy: { ...POLICY, adopt: 'unowned' } });
    expect(adopted).toMatchObject({ kind: 'Applied' });
    expect(scene.recorded.images.map(({ key }) => key)).toEqual(['ConfigMap/shop/one', 'ConfigMap/shop/two']);
    expect((await scene.live(`${CONFIG_MAPS}/one`))?.['data']).toEqual({ was: 'here', a: '1' });
  });

  it('never takes an object of another application, force or not', async () => {
    await scene.apply([configMap('shared', { a: '1' })], { application: 'other' });
    const policy = { ...POLICY, conflicts: 'force', adopt: 'unowned' } as const;
    expect(await scene.apply([configMap('shared', { a: '2' })], { policy })).toMatchObject({
      kind: 'Refused',
      reason: 'OwnedByAnotherApplication',
      object: 'ConfigMap/shop/shared',
      partial: false,
    });
  });

  it('does not believe a label that somebody has copied', async () => {
    await scene.cluster.createNamespace('shop');
    const copied = {
      ...configMap('one', { a: '0' }),
      metadata: { name: 'one', labels: { 'breakwater.dev/application': 'web' } },
    };
    await scene.cluster.request('POST', CONFIG_MAPS, copied);
    expect(await scene.apply([configMap('one', { a: '1' })])).toMatchObject({ kind: 'Refused', reason: 'NotAdopted' });
  });

  it('refuses what the API server refuses, before writing, and keeps Secret values to itself', async () => {
    await scene.cluster.createNamespace('shop');
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db', namespace: 'shop' },
      type: 'kubernetes.io/tls',
      stringData: { password: 'hunter2hunter2', 'not a key!': 'x' },
    };
    const outcome = await scene.apply([configMap('a', { a: '1' }), secret]);
    expect(outcome).toMatchObject({ kind: 'Refused', reason: 'Invalid', object: 'Secret/shop/db', partial: false });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
    expect(await scene.writes()).toEqual([]);
    expect(await scene.apply([{ ...configMap('b', {}), dta: {} }])).toMatchObject({
      kind: 'Refused',
      reason: 'Invalid',
    });
    expect(await scene.apply([{ ...lamp, kind: 'Torch' }])).toMatchObject({ kind: 'Refused', reason: 'KindNotServed' });
  });

  it('leaves replicas to an autoscaler in the cluster, without resetting them', async () => {
    await scene.apply([deployment('front', 'nginx:1', 2)]);
    const hpas = '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers';
    const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'front' }, maxReplicas: 9 };
    await scene.cluster.request('POST', hpas, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec,
    });
    const path = '/apis/apps/v1/namespaces/shop/deployments/front';
    expect(await scene.apply([deployment('front', 'nginx:2', 2)], { epoch: 2 })).toMatchObject({ kind: 'Applied' });
    expect((await scene.live(path))?.['spec']).toMatchObject({ replicas: 2 });
    await scene.cluster.request('PATCH', `${path}/scale`, { spec: { replicas: 5 } });
    expect(await scene.apply([deployment('front', 'nginx:2', 2)], { epoch: 3 })).toMatchObject({
      kind: 'Applied',
      changed: [],
    });
    expect(await scene.apply([deployment('front', 'nginx:3', 2)], { epoch: 4 })).toMatchObject({ kind: 'Applied' });
    expect((await scene.live(path))?.['spec']).toMatchObject({
      replicas: 5,
      template: { spec: { containers: [{ image: 'nginx:3' }] } },
    });
  });

  it('replaces a Job forward, and never runs one again in a rollback', async () => {
    const job = (image: string): KubeObject => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate', namespace: 'shop' },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image }] } } },
    });
    const path = '/apis/batch/v1/namespaces/shop/jobs/migrate';
    const base = configMap('a', { a: '1' });
    await scene.apply([base, job('m:1')]);
    const first = (await scene.live(path))?.metadata.uid;
    expect(await scene.apply([base, job('m:2')], { epoch: 2, rollout: 'r2' })).toMatchObject({
      kind: 'Applied',
      changed: ['batch/Job/shop/migrate'],
    });
    expect((await scene.live(path))?.metadata.uid).not.toBe(first);
    expect(await scene.apply([base, job('m:1')], { epoch: 3, rollout: 'r2', mode: 'rollback' })).toMatchObject({
      kind: 'Applied',
    });
    expect(await scene.live(path)).toBeNull();
    const keys = [{ key: 'batch/Job/shop/migrate', apiVersion: 'batch/v1' }] as never;
    const report = await scene.connection.assess({
      application: 'web',
      keys,
      baseline: {},
      changed: [],
      signal: AbortSignal.timeout(5000),
    });
    expect(report).toMatchObject({ kind: 'Assessed', report: { verdict: 'Healthy' } });
    expect(await scene.apply([base, job('m:1')], { epoch: 4, rollout: 'r3' })).toMatchObject({
      kind: 'Applied',
      changed: [],
    });
    expect(await scene.live(path)).toBeNull();
  });
});
