import { jest } from '@jest/globals';
import type { ApplyPolicy, KubeObject } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { configMap, deployment, POLICY, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

const secret = (name: string, value: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop' },
  stringData: { password: value },
  ...more,
});

const quota = (hard: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'small' },
  spec: { hard },
});

describeWithTestbed('what a cluster says of a release before anything is written', () => {
  let bed: Testbed;
  let scene: Scene;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'preflight' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    scene = await new Scene(bed.clusters[0]!).connect();
  });
  afterEach(() => scene.close());

  const make = async (path: string, body: object): Promise<void> => {
    const { status, body: said } = await scene.cluster.request('POST', path, body);
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(said)}`);
  };

  /** Asks, and makes sure that nothing was written by it. */
  const ask = async (
    objects: readonly KubeObject[],
    { policy = POLICY, deletes = false, from = scene }: { policy?: ApplyPolicy; deletes?: boolean; from?: Scene } = {},
  ) => {
    const before = await scene.cluster.auditLog({ writesOnly: true });
    const outcome = await from.connection.preflight({
      application: 'web',
      objects,
      policy,
      deletes,
      signal: AbortSignal.timeout(30_000),
    });
    if (outcome.kind !== 'Checked') throw new Error(JSON.stringify(outcome));
    const ours = (await scene.cluster.auditLog({ writesOnly: true })).slice(before.length);
    const users = ['breakwater', 'reader', 'nobody'];
    expect(ours.filter(({ user }) => users.includes(user)).map(({ requestURI }) => requestURI)).toEqual([]);
    return outcome;
  };

  it('finds nothing against a good release, and tries each of its objects', async () => {
    await scene.cluster.createNamespace('shop');
    const outcome = await ask([configMap('settings', { a: '1' }), deployment('web', 'shop/web:1')], { deletes: true });
    expect(outcome).toEqual({ kind: 'Checked', findings: [], warnings: [], notDryRun: [] });
    const tried = (await scene.cluster.auditLog({ user: 'breakwater' })).filter(({ dryRun }) => dryRun);
    expect(tried.map(({ resource, name }) => `${resource}/${name}`).sort()).toEqual([
      'configmaps/settings',
      'deployments/web',
    ]);
  });

  it('says which objects cannot be tried, as the release itself brings their namespace or kind', async () => {
    const definition: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { kind: 'Widget', plural: 'widgets' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    };
    const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'one' } };
    const outcome = await ask([definition, widget, configMap('settings', {})]);
    expect(outcome.findings).toEqual([]);
    expect([...outcome.notDryRun].sort()).toEqual(['ConfigMap/shop/settings', 'example.com/Widget//one']);
  });

  it('names every API version that is not served, and warns of deprecated ones', async () => {
    await scene.cluster.createNamespace('shop');
    const gone = { apiVersion: 'policy/v1beta1', kind: 'PodSecurityPolicy', metadata: { name: 'old' } };
    const unknown = { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'one', namespace: 'shop' } };
    const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'old-way', namespace: 'shop' } };
    const outcome = await ask([gone, unknown, endpoints]);
    expect(outcome.findings).toEqual([
      expect.objectContaining({
        reason: 'KindNotServed',
        message: expect.stringContaining('policy/v1beta1') as string,
      }),
      expect.objectContaining({
        reason: 'KindNotServed',
        message: expect.stringContaining('example.com/v1') as string,
      }),
    ]);
    expect(outcome.warnings).toEqual([
      {
        reason: 'Deprecated',
        object: 'Endpoints/shop/old-way',
        message: expect.stringContaining('v1 Endpoints is deprecated') as string,
      },
    ]);
  });

  it('names each verb that the credentials lack', async () => {
    await scene.cluster.createNamespace('shop');
    const reader = await new Scene(scene.cluster, {}, scene.cluster.kubeconfigFor('reader')).connect();
    const { findings } = await ask([configMap('settings', {})], { from: reader });
    await reader.close();
    const missing = findings.filter(({ message }) => message.startsWith('the credentials'));
    expect(missing.map(({ message }) => message)).toEqual([
      'the credentials may not patch configmaps in namespace shop',
      'the credentials may not create configmaps in namespace shop',
      'the credentials may not delete configmaps in namespace shop',
      'the credentials may not create configmaps in namespace breakwater-system',
      'the credentials may not update configmaps in namespace breakwater-system',
    ]);
    expect(findings.every(({ reason }) => reason === 'Forbidden')).toBe(true);
  });

  it('passes on what admission denies, without the value of a Secret', async () => {
    await scene.cluster.createNamespace('shop');
    const rule = {
      apiGroups: [''],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['configmaps', 'secrets'],
    };
    await make(`${ADMISSION}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-passwords' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [rule] },
        validations: [
          {
            expression: "!has(object.metadata.labels) || !('forbidden' in object.metadata.labels)",
            messageExpression:
              "'forbidden: ' + (has(object.data) ? string(object.data.size()) : '') + object.metadata.labels['forbidden']",
          },
        ],
      },
    });
    await make(`${ADMISSION}/validatingadmissionpolicybindings`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-passwords' },
      spec: { policyName: 'no-passwords', validationActions: ['Deny'] },
    });
    try {
      const labelled = { metadata: { name: 'bad', namespace: 'shop', labels: { forbidden: 'hunter2hunter2' } } };
      const bad = { ...configMap('bad', {}), ...labelled };
      const objects = [configMap('good', {}), bad, secret('login', 'hunter2hunter2')];
      const found = async () => (await ask(objects)).findings;
      const deadline = Date.now() + 20_000;
      let findings = await found();
      // Policies take force a moment after they are stored.
      while (findings.length === 0 && Date.now() < deadline) findings = await found();
      expect(findings).toEqual([
        {
          reason: 'AdmissionDenied',
          object: 'ConfigMap/shop/bad',
          message: expect.stringContaining('no-passwords') as string,
        },
      ]);
      expect(JSON.stringify(findings)).toContain('***');
      expect(JSON.stringify(findings)).not.toContain('hunter2');
    } finally {
      await scene.cluster.request('DELETE', `${ADMISSION}/validatingadmissionpolicybindings/no-passwords`);
      await scene.cluster.request('DELETE', `${ADMISSION}/validatingadmissionpolicies/no-passwords`);
    }
  });

  it('names the owner and the fields of a conflict, unless the application takes them', async () => {
    expect(await scene.apply([deployment('web', 'shop/web:1')])).toMatchObject({ kind: 'Applied' });
    const taken = { ...deployment('web', 'shop/web:hand', null), metadata: { name: 'web', namespace: 'shop' } };
    const path = '/apis/apps/v1/namespaces/shop/deployments/web';
    const { status } = await scene.cluster.request('PATCH', `${path}?fieldManager=kubectl-edit&force=true`, taken, {
      contentType: 'application/apply-patch+yaml',
    });
    expect(status).toBe(200);
    const { findings } = await ask([deployment('web', 'shop/web:2')]);
    expect(findings).toEqual([
      {
        reason: 'FieldConflict',
        object: 'apps/Deployment/shop/web',
        message: expect.stringMatching(/containers.*image is owned by "kubectl-edit"/) as string,
      },
    ]);
    const forced = await ask([deployment('web', 'shop/web:2')], { policy: { ...POLICY, conflicts: 'force' } });
    expect(forced.findings).toEqual([]);
  });

  it('counts what all objects together need of a quota, pods of workloads too', async () => {
    await scene.cluster.createNamespace('shop');
    // Too small for all of them, and not for each, whatever the cluster's own controller counts as used.
    const hard = { 'count/configmaps': '2', 'requests.cpu': '500m' };
    await make('/api/v1/namespaces/shop/resourcequotas', quota(hard));
    const path = '/api/v1/namespaces/shop/resourcequotas/small';
    const stored = await scene.cluster.get<object>(path);
    const used = { 'count/configmaps': '1', 'requests.cpu': '100m' };
    await scene.cluster.request('PUT', `${path}/status`, { ...stored, status: { hard, used } });
    const web = deployment('web', 'shop/web:1', 3) as KubeObject & {
      spec: { template: { spec: { containers: object[] } } };
    };
    web.spec.template.spec.containers = [
      { name: 'web', image: 'shop/web:1', resources: { requests: { cpu: '200m' }, limits: { cpu: '1' } } },
    ];
    const { findings } = await ask([...['one', 'two', 'three'].map((name) => configMap(name, {})), web]);
    expect(findings.map(({ reason }) => reason)).toEqual(['QuotaExceeded', 'QuotaExceeded']);
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/quota small of namespace shop: the release needs 3 more count\/configmaps/) as string,
      expect.stringMatching(/the release needs 0\.6 more requests\.cpu/) as string,
    ]);
    expect((await ask([configMap('one', {})])).findings).toEqual([]);
  });

  it('names objects of others, and a namespace that is not there or is being deleted', async () => {
    await scene.cluster.createNamespace('shop');
    await scene.cluster.apply('/api/v1/namespaces/shop/configmaps/theirs', configMap('theirs', { a: '1' }));
    const { findings } = await ask([configMap('theirs', { a: '2' }), configMap('ours', {})]);
    expect(findings).toMatchObject([{ reason: 'NotAdopted', object: 'ConfigMap/shop/theirs' }]);
    const elsewhere = await ask([configMap('lost', {}, 'nowhere')]);
    expect(elsewhere.findings).toMatchObject([
      { reason: 'Invalid', message: expect.stringContaining('namespace nowhere does not exist') as string },
    ]);
  });
});
