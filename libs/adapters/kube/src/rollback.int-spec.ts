import { jest } from '@jest/globals';
import { PermitLost } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { comparable, configMap, deployment, openPermit, POLICY, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(120_000);

const CONFIG_MAPS = '/api/v1/namespaces/shop/configmaps';
const pvc: KubeObject = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'shop' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const denyAll = (name: string): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name },
  webhooks: [
    {
      name: 'deny.example.com',
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
      failurePolicy: 'Fail',
      sideEffects: 'None',
      timeoutSeconds: 1,
      admissionReviewVersions: ['v1'],
    },
  ],
});

const trialOf = (objects: readonly KubeObject[], only: readonly ObjectKey[]) => ({
  objects,
  only,
  mode: 'rollback' as const,
  policy: POLICY,
  application: 'web',
  signal: AbortSignal.timeout(10_000),
});

describeWithTestbed('rollback and prune', () => {
  let bed: Testbed;
  let scene: Scene;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-rollback' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    scene = await new Scene(bed.clusters[0]!).connect();
  });
  afterEach(() => scene.close());

  describe('Jobs', () => {
    const job = (name: string, image: string): KubeObject => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace: 'shop' },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image }] } } },
    });
    const v1 = [configMap('a', { a: '1' }), job('migrate', 'm:1'), job('gone', 'm:1'), job('same', 'm:1')];
    const back = { mode: 'rollback', rollout: 'r2', expectInventory: true } as const;

    beforeEach(async () => {
      expect(await scene.apply(v1)).toMatchObject({ kind: 'Applied' });
      // Its time to live was over before the release.
      await scene.cluster.request('DELETE', '/apis/batch/v1/namespaces/shop/jobs/gone', {
        propagationPolicy: 'Background',
      });
    });

    it('names the one that the release replaced, and which is not run again', async () => {
      const v2 = [configMap('a', { a: '2' }), job('migrate', 'm:2'), job('gone', 'm:1'), job('same', 'm:1')];
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject({ kind: 'Applied' });
      expect(await scene.apply(v1, { ...back, epoch: 3 })).toMatchObject({ kind: 'Applied' });
      const named = [{ key: 'batch/Job/shop/migrate', reason: 'NotRunAgain' }];
      expect(await scene.prune(v1, { ...back, epoch: 4 })).toMatchObject({ kind: 'Pruned', kept: named });
      // Whoever comes after a writer that died tells the same.
      expect(await scene.apply(v1, { ...back, epoch: 5 })).toMatchObject({ kind: 'Applied' });
      expect(await scene.prune(v1, { ...back, epoch: 6 })).toMatchObject({ kind: 'Pruned', kept: named });
      // A later rollout did not do it.
      const later = { ...back, rollout: 'r3' };
      expect(await scene.apply(v1, { ...later, epoch: 7 })).toMatchObject({ kind: 'Applied' });
      expect(await scene.prune(v1, { ...later, epoch: 8 })).toMatchObject({ kind: 'Pruned', kept: [] });
    });

    it('names the one that the release took out and pruned', async () => {
      const v2 = [configMap('a', { a: '2' }), job('gone', 'm:1'), job('same', 'm:1')];
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject({ kind: 'Applied' });
      expect(await scene.prune(v2, { epoch: 3, rollout: 'r2' })).toMatchObject({
        kind: 'Pruned',
        deleted: ['batch/Job/shop/migrate'],
      });
      expect(await scene.apply(v1, { ...back, epoch: 4 })).toMatchObject({ kind: 'Applied' });
      expect(await scene.prune(v1, { ...back, epoch: 5 })).toMatchObject({
        kind: 'Pruned',
        kept: [{ key: 'batch/Job/shop/migrate', reason: 'NotRunAgain' }],
      });
    });
  });

  it('takes a first release back to nothing', async () => {
    const bundle = [configMap('a', { a: '1' }), deployment('front', 'nginx:1')];
    await scene.apply(bundle, { nonce: 'n' });
    const session = { mode: 'rollback', epoch: 2, nonce: 'b', expectInventory: true } as const;
    expect(await scene.apply([], session)).toMatchObject({ kind: 'Applied', changed: [] });
    const pruned = await scene.prune([], { ...session, removeAll: true });
    expect(pruned).toMatchObject({ kind: 'Pruned', kept: [], inventory: false });
    expect(new Set((pruned as unknown as { deleted: string[] }).deleted)).toEqual(
      new Set(['Namespace//shop', 'ConfigMap/shop/a', 'apps/Deployment/shop/front']),
    );
    for (const namespace of ['shop', 'breakwater-system'])
      expect(await scene.live(`/api/v1/namespaces/${namespace}`)).toBeNull();
    // Once more, after the record has missed the answer.
    expect(await scene.apply([], session)).toMatchObject({ kind: 'Applied' });
    expect(await scene.prune([], { ...session, removeAll: true })).toMatchObject({
      kind: 'Pruned',
      deleted: [],
      inventory: false,
    });
  });

  it('does not take another application’s fence away with the last of its own', async () => {
    for (let round = 1; round <= 2; round++) {
      const one = { application: `one-${round}`, policy: { ...POLICY, namespace: `one-${round}` } };
      const two = { application: `two-${round}`, policy: { ...POLICY, namespace: `two-${round}` } };
      const back = { ...one, mode: 'rollback', epoch: 2, nonce: 'b' } as const;
      await scene.apply([configMap('a', { a: '1' }, one.application)], one);
      await scene.apply([], back);
      let epoch = 1;
      const arrive = async (): Promise<string> => {
        for (;;) {
          const outcome = await scene.apply([configMap('a', { a: '1' }, two.application)], { ...two, epoch: epoch++ });
          // Swept away with the namespace: the worker asks the record, and comes again.
          if (outcome.kind !== 'Fenced') return outcome.kind;
        }
      };
      const [gone, came] = await Promise.all([scene.prune([], { ...back, removeAll: true }), arrive()]);
      expect([gone.kind, came]).toEqual(['Pruned', 'Applied']);
      const fence = await scene.live(`/api/v1/namespaces/breakwater-system/configmaps/${two.application}`);
      expect(fence?.['data']).toMatchObject({ state: 'closed' });
      expect(fence?.metadata.deletionTimestamp).toBeUndefined();
      const leave = { ...two, mode: 'rollback', epoch: 99, nonce: 'l' } as const;
      await scene.apply([], leave);
      expect(await scene.prune([], { ...leave, removeAll: true })).toMatchObject({ kind: 'Pruned', inventory: false });
    }
  });

  it('takes over from a prune that stopped in the middle', async () => {
    const objects = ['a', 'b', 'c'].map((name) => configMap(name, { v: '1' }));
    await scene.apply(objects, { nonce: 'n' });
    const keep = objects.slice(0, 1);
    const stopped = openPermit((index) => {
      if (index >= 2) throw new PermitLost('frozen');
    });
    await expect(scene.prune(keep, { epoch: 2, permit: stopped })).rejects.toThrow(PermitLost);
    // The successor gives everything back, whatever was deleted already.
    expect(await scene.apply(objects, { epoch: 3, mode: 'rollback', expectInventory: true })).toMatchObject({
      kind: 'Applied',
    });
    for (const name of ['a', 'b', 'c']) expect(await scene.live(`${CONFIG_MAPS}/${name}`)).not.toBeNull();
    expect(await scene.prune(keep, { epoch: 4 })).toMatchObject({
      kind: 'Pruned',
      deleted: expect.arrayContaining(['ConfigMap/shop/b']) as unknown,
    });
  });

  it('keeps protected kinds, what is used by others, and the inventory that knows of them', async () => {
    await scene.apply([pvc, configMap('a', { a: '1' })], { nonce: 'n' });
    await scene.cluster.request('POST', CONFIG_MAPS, configMap('mine', { a: '1' }));
    const session = { mode: 'rollback', epoch: 2, nonce: 'b' } as const;
    await scene.apply([], session);
    const pruned = await scene.prune([], { ...session, removeAll: true });
    expect(pruned).toMatchObject({ kind: 'Pruned', deleted: ['ConfigMap/shop/a'], inventory: true });
    expect((pruned as unknown as { kept: unknown[] }).kept).toEqual([
      { key: 'PersistentVolumeClaim/shop/data', reason: 'Protected' },
      { key: 'Namespace//shop', reason: 'NotEmpty: ConfigMap/shop/mine, PersistentVolumeClaim/shop/data' },
    ]);
    expect(await scene.apply([pvc], { epoch: 3, rollout: 'r2', expectInventory: true })).toMatchObject({
      kind: 'Applied',
    });
  });

  it('deletes nothing above the limit; what this rollout made does not count', async () => {
    const many = Array.from({ length: 12 }, (_, index) => configMap(`c${index}`, { a: '1' }));
    const keep = [configMap('keep', { a: '1' })];
    await scene.apply([...keep, ...many], { nonce: 'n' });
    const before = await scene.writes();
    const forward = { epoch: 2, nonce: 'f', rollout: 'r2' } as const;
    expect(await scene.prune(keep, forward)).toMatchObject({
      kind: 'Refused',
      reason: 'TooManyDeletions',
      partial: false,
    });
    expect(await scene.writes()).toEqual(before);
    expect(await scene.prune(keep, { epoch: 2, nonce: 'f', rollout: 'r1', mode: 'rollback' })).toMatchObject({
      kind: 'Pruned',
      inventory: true,
    });
    expect(await scene.live(`${CONFIG_MAPS}/keep`)).not.toBeNull();
    expect(await scene.live(`${CONFIG_MAPS}/c0`)).toBeNull();
  });

  it('says what holds a deletion up', async () => {
    const held = {
      ...configMap('held', { a: '1' }),
      metadata: { name: 'held', namespace: 'shop', finalizers: ['example.com/hold'] },
    };
    await scene.close();
    scene = await new Scene(bed.clusters[0]!, { deletion: 1_000 }).connect();
    await scene.apply([configMap('a', { a: '1' }), held], { nonce: 'n' });
    const outcome = await scene.prune([configMap('a', { a: '1' })], { epoch: 2 });
    expect(outcome).toMatchObject({
      kind: 'Refused',
      reason: 'DeletionStuck',
      object: 'ConfigMap/shop/held',
      partial: true,
    });
    expect(outcome).toMatchObject({ message: expect.stringContaining('example.com/hold') as string });
    await scene.cluster.request('PATCH', `${CONFIG_MAPS}/held`, { metadata: { finalizers: null } });
  });

  it('gives an adopted object back as it was, owners included', async () => {
    await scene.cluster.createNamespace('shop');
    await scene.cluster.apply(
      `${CONFIG_MAPS}/one`,
      { ...configMap('one', { was: 'here', a: '0' }), metadata: { name: 'one', annotations: { note: 'mine' } } },
      'gitops',
    );
    const before = await scene.live(`${CONFIG_MAPS}/one`);
    const policy = { ...POLICY, adopt: 'unowned', conflicts: 'force' } as const;
    expect(await scene.apply([configMap('one', { a: '1', b: '1' })], { policy, nonce: 'n' })).toMatchObject({
      kind: 'Applied',
    });
    const session = { mode: 'rollback', epoch: 2, nonce: 'b', policy, before: scene.recorded.images } as const;
    expect(await scene.apply([], session)).toMatchObject({ kind: 'Applied' });
    const after = await scene.live(`${CONFIG_MAPS}/one`);
    expect(comparable(after)).toEqual(comparable(before));
    expect(after?.metadata['managedFields']).toEqual(before?.metadata['managedFields']);
    expect(await scene.prune([], { ...session, removeAll: true })).toMatchObject({
      kind: 'Pruned',
      deleted: [],
      inventory: false,
    });
    expect(await scene.live(`${CONFIG_MAPS}/one`)).toEqual(after);
  });

  it('gives fields taken by force back, with their value and owner', async () => {
    const v1 = [configMap('one', { a: '1' })];
    await scene.apply(v1, { nonce: 'n' });
    await scene.cluster.apply(
      `${CONFIG_MAPS}/one`,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { theirs: 'x' } },
      'tuner',
    );
    const before = await scene.live(`${CONFIG_MAPS}/one`);
    const policy = { ...POLICY, conflicts: 'force' } as const;
    await scene.apply([configMap('one', { a: '2', theirs: 'ours' })], { policy, epoch: 2, rollout: 'r2' });
    expect((await scene.live(`${CONFIG_MAPS}/one`))?.['data']).toEqual({ a: '2', theirs: 'ours' });
    expect(
      await scene.apply(v1, { policy, epoch: 3, rollout: 'r2', mode: 'rollback', before: scene.recorded.images }),
    ).toMatchObject({ kind: 'Applied' });
    const after = await scene.live(`${CONFIG_MAPS}/one`);
    expect(comparable(after)).toEqual(comparable(before));
    const owners = (object: KubeObject | null): unknown =>
      (object?.metadata['managedFields'] as { manager: string; operation: string; fieldsV1: unknown }[])
        .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }))
        .sort((a, b) => (a.manager < b.manager ? -1 : 1));
    expect(owners(after)).toEqual(owners(before));
  });

  it('takes a webhook that refuses everything away before it takes the fence', async () => {
    const v1 = [configMap('a', { v: '1' })];
    await scene.close();
    scene = await new Scene(bed.clusters[0]!, { established: 3_000 }).connect();
    await scene.apply(v1, { nonce: 'n' });
    await scene.apply([configMap('a', { v: '2' }), denyAll('deny-all')], { nonce: 'f', epoch: 2, rollout: 'r2' });
    // Its own fence could not be closed: the webhook refuses that.
    const before = (await scene.writes()).length;
    const session = { mode: 'rollback', epoch: 3, nonce: 'b', rollout: 'r2' } as const;
    expect(await scene.apply(v1, session)).toMatchObject({ kind: 'Applied', changed: ['ConfigMap/shop/a'] });
    expect((await scene.writes())[before]).toBe('delete validatingwebhookconfigurations//deny-all 200');
    expect(await scene.prune(v1, session)).toMatchObject({ kind: 'Pruned' });
    expect((await scene.live(`${CONFIG_MAPS}/a`))?.['data']).toEqual({ v: '1' });
  });

  it('names what cannot be taken back, and takes the rest back', async () => {
    const claim = (size: string): KubeObject => ({
      ...deployment('front', 'nginx:1', 0),
      spec: {
        selector: { matchLabels: { app: size } },
        template: { metadata: { labels: { app: size } }, spec: { containers: [{ name: 'web', image: 'nginx:1' }] } },
      },
    });
    await scene.apply([configMap('a', { v: '1' }), claim('one')], { nonce: 'n' });
    await scene.cluster.request('DELETE', '/apis/apps/v1/namespaces/shop/deployments/front');
    await scene.apply([configMap('a', { v: '2' }), claim('two')], { epoch: 2, rollout: 'r2' });
    const outcome = await scene.apply([claim('one'), configMap('a', { v: '1' })], {
      epoch: 3,
      rollout: 'r2',
      mode: 'rollback',
    });
    expect(outcome).toMatchObject({
      kind: 'Refused',
      reason: 'RollbackImpossible',
      object: 'apps/Deployment/shop/front',
      partial: true,
    });
    expect(outcome).toMatchObject({ message: expect.stringContaining('spec.selector') as string });
    expect((await scene.live(`${CONFIG_MAPS}/a`))?.['data']).toEqual({ v: '1' });
  });

  it('takes a Secret back key by key, also one written as stringData', async () => {
    const secret = (stringData: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db', namespace: 'shop' },
      stringData,
    });
    const path = '/api/v1/namespaces/shop/secrets/db';
    await scene.apply([secret({ a: '1' })], { nonce: 'n' });
    const before = await scene.live(path);
    await scene.apply([secret({ b: '2' })], { epoch: 2, rollout: 'r2' });
    expect((await scene.live(path))?.['data']).toEqual({ b: 'Mg==' });
    await scene.apply([secret({ a: '1' })], { epoch: 3, rollout: 'r2', mode: 'rollback' });
    expect(comparable(await scene.live(path))).toEqual(comparable(before));
  });

  it('takes eleven new objects, a service and an autoscaled workload back, whole', async () => {
    const service = (port: number): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'front', namespace: 'shop' },
      spec: { selector: { app: 'front' }, ports: [{ name: 'http', port }] },
    });
    const hpa: KubeObject = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'front', namespace: 'shop' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'front' },
        minReplicas: 1,
        maxReplicas: 4,
      },
    };
    const v1 = [service(80), hpa, deployment('front', 'nginx:1', 0)];
    await scene.apply(v1, { nonce: 'n' });
    const front = '/apis/apps/v1/namespaces/shop/deployments/front';
    await scene.cluster.request('PATCH', `${front}/scale`, { spec: { replicas: 3 } });
    const paths = [
      front,
      '/api/v1/namespaces/shop/services/front',
      '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/front',
    ];
    const whole = async (): Promise<unknown[]> =>
      Promise.all(
        paths.map(async (path) => ({ ...(comparable(await scene.live(path)) as object), status: undefined })),
      );
    const before = await whole();
    const more = Array.from({ length: 11 }, (_, index) => configMap(`new-${index}`, { a: '1' }));
    const v2 = [service(8080), hpa, deployment('front', 'nginx:2', 0), ...more];
    expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject({ kind: 'Applied' });
    const session = { epoch: 3, nonce: 'b', rollout: 'r2', mode: 'rollback' } as const;
    expect(await scene.apply(v1, session)).toMatchObject({ kind: 'Applied' });
    expect(await scene.prune(v1, session)).toMatchObject({ kind: 'Pruned', kept: [], suspects: [] });
    expect(await whole()).toEqual(before);
    for (let index = 0; index < 11; index++) expect(await scene.live(`${CONFIG_MAPS}/new-${index}`)).toBeNull();
  });

  it('says before any harm that a definition’s new version cannot be taken back', async () => {
    const crd = (...names: string[]): KubeObject => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'lamps.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'lamps', singular: 'lamp', kind: 'Lamp' },
        versions: names.map((name, index) => ({
          name,
          served: true,
          storage: index === names.length - 1,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        })),
      },
    });
    await scene.apply([crd('v1')], { nonce: 'n' });
    expect(await scene.apply([crd('v1', 'v2')], { epoch: 2, rollout: 'r2' })).toMatchObject({ kind: 'Applied' });
    const lamps = 'apiextensions.k8s.io/CustomResourceDefinition//lamps.example.com' as ObjectKey;
    expect(await scene.connection.dryRun(trialOf([crd('v1')], [lamps]))).toMatchObject({
      kind: 'Tried',
      refused: [{ object: lamps, reason: 'RollbackImpossible' }],
    });
    expect(await scene.apply([crd('v1')], { epoch: 3, rollout: 'r2', mode: 'rollback' })).toMatchObject({
      kind: 'Refused',
      reason: 'RollbackImpossible',
    });
  });

  it('names every object that cannot be taken back, kinds that are gone among them, and writes nothing', async () => {
    const locked = (name: string, v: string): KubeObject => ({ ...configMap(name, { v }), immutable: true });
    const budget: KubeObject = {
      apiVersion: 'policy/v1beta1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'front', namespace: 'shop' },
    };
    await scene.apply([locked('a', '1'), locked('b', '1'), configMap('c', { v: '1' })], { nonce: 'n' });
    const before = await scene.writes();
    const keys = ['ConfigMap/shop/a', 'ConfigMap/shop/b', 'ConfigMap/shop/c'] as ObjectKey[];
    const objects = [locked('a', '0'), locked('b', '0'), configMap('c', { v: '0' }), budget];
    const pdb = 'policy/PodDisruptionBudget/shop/front' as ObjectKey;
    const tried = await scene.connection.dryRun(trialOf(objects, [...keys, pdb]));
    if (tried.kind !== 'Tried') throw new Error(tried.message);
    expect(tried.notDryRun).toEqual([]);
    expect(tried.refused.toSorted((one, other) => (one.object < other.object ? -1 : 1))).toMatchObject([
      { object: keys[0], reason: 'RollbackImpossible', message: expect.stringContaining('immutable') as string },
      { object: keys[1], reason: 'RollbackImpossible', message: expect.stringContaining('immutable') as string },
      { object: pdb, reason: 'KindNotServed', message: expect.stringContaining('policy/v1beta1') as string },
    ]);
    expect(await scene.connection.dryRun(trialOf(objects, ['ConfigMap/shop/c' as ObjectKey]))).toEqual({
      kind: 'Tried',
      refused: [],
      notDryRun: [],
    });
    expect(await scene.writes()).toEqual(before);
    expect((await scene.live(`${CONFIG_MAPS}/c`))?.['data']).toEqual({ v: '1' });
  });

  it('stops at a lost inventory', async () => {
    await scene.apply([configMap('a', { v: '1' })], { nonce: 'n' });
    await scene.cluster.request('DELETE', '/api/v1/namespaces/breakwater-system/configmaps/web');
    const lost = { kind: 'Refused', reason: 'InventoryLost', partial: false };
    expect(await scene.apply([configMap('a', { v: '2' })], { epoch: 2, expectInventory: true })).toMatchObject(lost);
    const back = { mode: 'rollback', epoch: 2, expectInventory: true } as const;
    expect(await scene.apply([], back)).toMatchObject(lost);
    expect(await scene.prune([], { ...back, removeAll: true })).toMatchObject(lost);
    expect(await scene.live(`${CONFIG_MAPS}/a`)).not.toBeNull();
  });

  it('stops where the permit ends, and goes on from there', async () => {
    const bundle = Array.from({ length: 6 }, (_, index) => configMap(`c${index}`, { a: '1' }));
    const permit = openPermit((index) => {
      if (index >= 6) throw new PermitLost('frozen');
    });
    await expect(scene.apply(bundle, { nonce: 'n', permit })).rejects.toThrow(PermitLost);
    const sent = await scene.writes();
    expect(sent.length).toBe(6);
    expect(await scene.apply(bundle, { nonce: 'n' })).toMatchObject({ kind: 'Applied' });
    const created = (await scene.objectWrites()).filter((line) => line.endsWith('201'));
    expect(created.length).toBe(7);
    const fence = await scene.live('/api/v1/namespaces/breakwater-system/configmaps/web');
    expect(fence?.['data']).toMatchObject({ state: 'closed', epoch: '1' });
  });

  it('sends nothing when the permit runs out while a connection is being made', async () => {
    const permit = {
      send: <T>(request: (check: () => void) => Promise<T>): Promise<T> =>
        request(() => {
          throw new PermitLost('expired');
        }),
    };
    await expect(scene.apply([configMap('a', { a: '1' })], { permit })).rejects.toThrow(PermitLost);
    expect(await scene.writes()).toEqual([]);
  });

  it('refuses a cluster that is another one', async () => {
    expect(await scene.apply([configMap('a', { a: '1' })], { clusterUid: 'another' })).toMatchObject({
      kind: 'Refused',
      reason: 'ClusterReplaced',
      partial: false,
    });
  });
});
