import { isTerminal, type KubeObject, type Rollout } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { type LiveObjects, liveObjects } from '../support/live-objects.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

/** Every target may fail, so that each is returned by itself, after it had the whole of the bad release. */
const EACH_BY_ITSELF = `
    - { name: all, clusters: { all: true }, maxConcurrent: 100%, failureBudget: 6 }`;

const manifest = (object: Omit<KubeObject, 'metadata'>, name: string, namespace?: string): KubeObject => ({
  ...object,
  apiVersion: object['apiVersion'] as string,
  kind: object['kind'] as string,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});
const job = (name: string, image: string): KubeObject =>
  manifest(
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image }] } } },
    },
    name,
    'web',
  );
const claim = (name: string): KubeObject =>
  manifest(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    name,
    'web',
  );
const autoscaler = (maxReplicas: number): KubeObject =>
  manifest(
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
        minReplicas: 1,
        maxReplicas,
      },
    },
    'scaled',
    'web',
  );
const refuseEverything: KubeObject = manifest(
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
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
  },
  'refuse-everything',
);
const lamps = (versions: readonly { readonly name: string; readonly storage: boolean }[]): KubeObject =>
  manifest(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'lamps', singular: 'lamp', kind: 'Lamp' },
        versions: versions.map(({ name, storage }) => ({
          name,
          served: true,
          storage,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          },
        })),
      },
    },
    'lamps.example.com',
  );
const lamp = (version: string, watts: number): KubeObject =>
  manifest({ apiVersion: `example.com/${version}`, kind: 'Lamp', spec: { watts } }, 'hall', 'web');
const immutable = (value: string, locked: boolean): KubeObject => ({
  ...configMap('locked', 'web', { value }),
  ...(locked ? { immutable: true } : {}),
});
const selecting = (label: string): KubeObject => ({
  ...deployment('selecting', 'web', 'shop/x:1'),
  spec: {
    selector: { matchLabels: { app: label } },
    template: { metadata: { labels: { app: label } }, spec: { containers: [{ name: 'main', image: 'shop/x:1' }] } },
  },
});

/** Cluster by cluster: the good bundle, and what the bad release makes of it. */
const GOOD: Readonly<Record<string, readonly KubeObject[]>> = {
  c0: [selecting('one')],
  c1: [immutable('one', false)],
  c2: [],
  c3: [
    lamps([{ name: 'v1', storage: true }]),
    lamp('v1', 40),
    deployment('scaled', 'web', 'shop/x:1', { replicas: 2 }),
    autoscaler(9),
  ],
  c4: [job('done', 'm:1'), job('replaced', 'm:1'), claim('data')],
  c5: [lamps([{ name: 'v1', storage: true }]), lamp('v1', 40)],
};
const BAD: Readonly<Record<string, readonly KubeObject[]>> = {
  c0: [selecting('two')],
  c1: [immutable('two', false)],
  c2: [...Array.from({ length: 11 }, (_, index) => configMap(`new-${index}`, 'web', {})), refuseEverything],
  c3: [
    lamps([
      { name: 'v1', storage: true },
      { name: 'v2', storage: false },
    ]),
    lamp('v2', 60),
    deployment('scaled', 'web', 'shop/x:2', { replicas: 3 }),
    autoscaler(7),
  ],
  c4: [
    job('done', 'm:1'),
    job('replaced', 'm:2'),
    job('more', 'm:1'),
    claim('data'),
    configMap('theirs', 'web', { ours: '1', mine: 'taken' }),
  ],
  c5: [lamps([{ name: 'v1', storage: true }]), lamp('v1', 60)],
};

/** What has no way back; each in a rollout of its own, for it halts all of it. */
const FOR_GOOD: Readonly<Record<string, readonly KubeObject[]>> = {
  c1: [immutable('two', true)],
  c5: [
    lamps([
      { name: 'v1', storage: false },
      { name: 'v2', storage: true },
    ]),
    lamp('v2', 60),
  ],
};

const LAMPS = [['Lamp', '/apis/example.com/v1/lamps']] as const;

describeWithTestbed('the matrix of rollback', () => {
  let bed: Testbed;
  let stage: RolloutStage;
  let before: readonly LiveObjects[];
  let after: readonly LiveObjects[];
  let rollout: Awaited<ReturnType<RolloutStage['release']>>;

  const look = () => Promise.all(bed.clusters.map((cluster) => liveObjects(cluster, LAMPS)));
  const web = (version: string, image: string) => [
    configMap('settings', 'web', { version }),
    deployment('web', 'web', image),
  ];

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 6, label: 'e2e rollback matrix' });
    await bed.reset();
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: {},
      documents:
        fleetAndApplication('  adopt: unowned\n  conflicts: force') +
        strategy({ waves: EACH_BY_ITSELF, more: '  preflight: { onFailure: leaveOut }\n' }),
      // The webhook that refuses everything is waited for as long as one that is not there yet.
      timeouts: { established: 15_000, request: 8_000 },
    });
    await stage.start();
    await bed.clusters[4]!.createNamespace('web');
    await bed.clusters[4]!.apply(
      '/api/v1/namespaces/web/configmaps/theirs',
      {
        ...configMap('theirs', 'web', { mine: 'first', also: 'mine' }),
        metadata: { name: 'theirs', annotations: { note: 'mine' } },
      },
      'gitops',
      'foreign',
    );
    const good = await stage.release((name) => [...web('1', 'shop/web:1'), ...GOOD[name]!]);
    expect(good).toMatchObject({ state: 'Succeeded' });
    // An autoscaler's hand.
    await bed.clusters[3]!.request('PATCH', '/apis/apps/v1/namespaces/web/deployments/scaled/scale', {
      spec: { replicas: 5 },
    });
    await bed.clusters[3]!.waitFor<{ status: { availableReplicas?: number } }>(
      '/apis/apps/v1/namespaces/web/deployments/scaled',
      ({ status }) => status.availableReplicas === 5,
    );
    before = await look();
    rollout = await stage.release((name) => [...web('2', 'shop/web:broken'), ...BAD[name]!], { timeoutMs: 240_000 });
    after = await look();
  }, TESTBED_TIMEOUT_MS + 300_000);
  afterAll(async () => {
    await stage?.stop();
    await bed?.release();
  }, 30_000);

  const end = async (name: string) => stage.target(rollout.id, name);
  const restored = async (index: number): Promise<void> => {
    expect(after[index]).toEqual(before[index]);
    expect(await end(`c${index}`)).toMatchObject({ state: 'RolledBack', everFailed: true });
  };

  it('a field that cannot be changed is found before anything is written', async () => {
    expect(after[0]).toEqual(before[0]);
    expect(await end('c0')).toMatchObject({
      state: 'Skipped',
      touched: false,
      preflight: { state: 'Failed', findings: [{ object: 'apps/Deployment/web/selecting' }] },
    });
  });

  it('a webhook that refuses everything, and eleven new objects, are taken back', () => restored(2));

  it('a new version of a CRD is taken back, and replicas stay with the autoscaler', async () => {
    await restored(3);
    const scaled = before[3]!['Deployment/web/scaled'] as { spec: { replicas: number } };
    expect(scaled.spec.replicas).toBe(5);
  });

  it('an adopted object is as it was, Jobs did not run again, claims are the same; the Job that is gone is named', async () => {
    const { 'Job/web/replaced': replaced, ...rest } = before[4]!;
    expect(replaced).toBeDefined();
    expect(after[4]).toEqual(rest);
    const target = await end('c4');
    expect(target).toMatchObject({ state: 'RolledBack', reason: 'RestoredButJobs', everFailed: true });
    expect(target.message).toBe('batch/Job/web/replaced was not run again');
    expect(rollout.message).toContain('on 1 of them without Jobs, which are not run again');
  });

  it('an object is taken back before it is made immutable, and a CRD before its new version is stored', async () => {
    await restored(1);
    await restored(5);
  });

  describe('what has no way back', () => {
    /** A release that is good but for that, on one cluster. */
    const expose = async (cluster: string) => {
      stage.members = [cluster];
      const commit = await stage.commit('web', (name) => [...web('3', 'shop/web:1'), ...FOR_GOOD[name]!]);
      const { id } = await stage.rollOut('web', commit);
      return stage.until(id, ({ state }) => state === 'Halted' || isTerminal({ state }));
    };
    const goBack = async ({ id }: Rollout) => {
      await stage.commands.rollback(id, {}, PERSON);
      return stage.end(id);
    };
    const rest = (objects: LiveObjects, ...without: readonly string[]) =>
      Object.fromEntries(Object.entries(objects).filter(([key]) => !without.includes(key)));

    it('an object that was made immutable halts; asked for, the way back names it, and the rest is restored', async () => {
      const halted = await expose('c1');
      expect(halted).toMatchObject({ state: 'Halted', reason: 'RollbackImpossible' });
      expect(halted.message).toContain('c1: ConfigMap/web/locked');
      const ended = await goBack(halted);
      expect(ended).toMatchObject({ state: 'RollbackFailed', message: expect.stringContaining('c1') as string });
      expect(await stage.target(halted.id, 'c1')).toMatchObject({
        state: 'RollbackFailed',
        reason: 'RollbackImpossible',
        evidence: { object: 'ConfigMap/web/locked' },
      });
      const now = (await look())[1]!;
      expect(rest(now, 'ConfigMap/web/locked')).toEqual(rest(before[1]!, 'ConfigMap/web/locked'));
    }, 180_000);

    it('a CRD whose new version was stored halts, and is named', async () => {
      const halted = await expose('c5');
      expect(halted).toMatchObject({ state: 'Halted', reason: 'RollbackImpossible' });
      expect(halted.message).toContain('c5: apiextensions.k8s.io/CustomResourceDefinition//lamps.example.com');
      const ended = await goBack(halted);
      expect(ended).toMatchObject({ state: 'RollbackFailed', message: expect.stringContaining('c5') as string });
      const target = await stage.target(halted.id, 'c5');
      expect(target).toMatchObject({ state: 'RollbackFailed', reason: 'RollbackImpossible' });
      expect(target.evidence?.object).toContain('lamps.example.com');
    }, 180_000);
  });
});
