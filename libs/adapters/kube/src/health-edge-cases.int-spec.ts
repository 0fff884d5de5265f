/**
 * The states that real controllers leave objects in, as the assessment sees them. Claims and autoscalers are looked after by
 * the real controllers too, which run for this test alone.
 *
 * What needs a cloud and is written by hand, through the status subresource: the address of a load balancer. What needs a
 * kubelet or a metrics server and is not shown: a volume that is resized on its node, an autoscaler that has metrics.
 */
import { jest } from '@jest/globals';
import type { AssessedObject, ObjectKey } from '@breakwater/domain';
import {
  acquireTestbed,
  requireTestbed,
  TESTBED_TIMEOUT_MS,
  type Testbed,
  type TestbedCluster,
} from '@breakwater/testing';
import { ExtraControllers } from './testing/extra-controllers.ts';
import { Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

type Live = {
  readonly metadata: { readonly generation: number; readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>> & {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
};

/** The test bed's fake kubelets leave such an object alone. */
const LEFT_ALONE = { annotations: { 'testbed.breakwater.dev/behaviour': 'unready' } };

describeWithTestbed('health of objects as real controllers leave them', () => {
  let bed: Testbed;
  let cluster: TestbedCluster;
  let scene: Scene;
  let controllers: ExtraControllers;
  let namespace = '';
  let count = 0;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-health' });
    cluster = bed.clusters[0]!;
    scene = await new Scene(cluster).connect();
    controllers = new ExtraControllers(
      cluster,
      ['persistentvolume-binder-controller', 'horizontal-pod-autoscaler-controller'],
      ['--horizontal-pod-autoscaler-sync-period=1s', '--pvclaimbinder-sync-period=1s'],
    );
  }, TESTBED_TIMEOUT_MS);

  afterAll(async () => {
    await controllers?.stop();
    await scene?.close();
    await bed?.release();
  });

  beforeEach(async () => {
    namespace = `health-${++count}`;
    await cluster.createNamespace(namespace);
  });

  const pathOf = (apiVersion: string, plural: string, name?: string): string => {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    return `${root}/namespaces/${namespace}/${plural}${name === undefined ? '' : `/${name}`}`;
  };

  const create = async (apiVersion: string, plural: string, object: object): Promise<void> => {
    const { status, body } = await cluster.request('POST', pathOf(apiVersion, plural), object);
    if (status !== 201) throw new Error(`${plural}: ${status} ${JSON.stringify(body)}`);
  };

  const patch = async (path: string, change: object): Promise<void> => {
    const { status, body } = await cluster.request('PATCH', path, change);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  };

  /** Waits until the object's controller has seen its newest generation and `done` holds. */
  const settled = (path: string, done: (live: Live) => boolean): Promise<Live> =>
    cluster.waitFor<Live>(
      path,
      (live) =>
        live.status !== undefined && live.status['observedGeneration'] === live.metadata.generation && done(live),
    );

  const assess = async (apiVersion: string, kind: string, name = 'it'): Promise<AssessedObject> => {
    const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0]}/` : '';
    const outcome = await scene.connection.assess({
      application: 'web',
      keys: [{ key: `${group}${kind}/${namespace}/${name}` as ObjectKey, apiVersion }],
      baseline: {},
      changed: [],
      signal: AbortSignal.timeout(20_000),
    });
    if (outcome.kind !== 'Assessed') throw new Error(JSON.stringify(outcome));
    return outcome.report.objects[0]!;
  };

  const template = (image: string): object => ({
    metadata: { labels: { app: 'it' } },
    spec: { containers: [{ name: 'main', image }] },
  });
  const image = (reference: string): object => ({ spec: { template: template(reference) } });
  const selector = { matchLabels: { app: 'it' } };

  const deployment = (spec: object = {}, reference = 'registry.test/app:1.0'): Promise<void> =>
    create('apps/v1', 'deployments', {
      metadata: { name: 'it' },
      spec: { replicas: 2, selector, template: template(reference), ...spec },
    });
  const theDeployment = (): string => pathOf('apps/v1', 'deployments', 'it');
  const available = (): Promise<Live> => settled(theDeployment(), (live) => live.status['availableReplicas'] === 2);

  const conditionOf = (live: Live, type: string): string | undefined =>
    live.status?.conditions?.find((condition) => condition.type === type)?.status;

  describe('a Deployment', () => {
    it('that is paused waits with a template that was not rolled out, and is healthy once it is resumed', async () => {
      await deployment();
      await available();
      await patch(theDeployment(), { spec: { paused: true, template: template('registry.test/app:2.0') } });
      await settled(theDeployment(), (live) => conditionOf(live, 'Progressing') === 'Unknown');
      expect(await assess('apps/v1', 'Deployment')).toMatchObject({
        status: 'Progressing',
        reason: 'Paused',
        message: expect.stringMatching(
          /paused, its template was not rolled out; 0 of 2 replicas are updated/,
        ) as string,
      });
      await patch(theDeployment(), { spec: { paused: false } });
      await settled(theDeployment(), (live) => live.status['updatedReplicas'] === 2 && live.status['replicas'] === 2);
      await settled(theDeployment(), (live) => live.status['availableReplicas'] === 2);
      await cluster.waitFor<Live>(theDeployment(), (live) =>
        (live.status.conditions ?? []).some(({ reason }) => reason === 'NewReplicaSetAvailable'),
      );
      expect(await assess('apps/v1', 'Deployment')).toMatchObject({ status: 'Healthy', reason: 'Available' });
    });

    it('that is paused and up to date is healthy', async () => {
      await deployment();
      await available();
      await patch(theDeployment(), { spec: { paused: true } });
      await settled(theDeployment(), (live) => conditionOf(live, 'Progressing') === 'Unknown');
      expect(await assess('apps/v1', 'Deployment')).toMatchObject({
        status: 'Healthy',
        message: '2 of 2 updated replicas are available; paused',
      });
    });

    it('that ran out of time is failing, and scaled to 0 it is healthy', async () => {
      await deployment({ progressDeadlineSeconds: 1 }, 'registry.test/app:broken');
      await settled(theDeployment(), (live) => conditionOf(live, 'Progressing') === 'False');
      expect(await assess('apps/v1', 'Deployment')).toMatchObject({
        status: 'Failing',
        reason: 'ProgressDeadlineExceeded',
        message: expect.stringMatching(/^no progress within 1 s; 0 of 2 updated replicas are available/) as string,
      });
      await patch(theDeployment(), { spec: { replicas: 0 } });
      await settled(
        theDeployment(),
        (live) => (live.status['replicas'] ?? 0) === 0 && conditionOf(live, 'Progressing') === 'True',
      );
      expect(await assess('apps/v1', 'Deployment')).toMatchObject({ status: 'Healthy', reason: 'ScaledToZero' });
    });
  });

  describe('a StatefulSet', () => {
    const path = (): string => pathOf('apps/v1', 'statefulsets', 'it');
    const statefulSet = async (updateStrategy: object): Promise<void> => {
      await create('apps/v1', 'statefulsets', {
        metadata: { name: 'it' },
        spec: {
          replicas: 3,
          serviceName: 'it',
          podManagementPolicy: 'Parallel',
          selector,
          updateStrategy,
          template: template('registry.test/db:1.0'),
        },
      });
      await settled(path(), (live) => live.status['readyReplicas'] === 3);
    };
    const partition = (at: number): object => ({ type: 'RollingUpdate', rollingUpdate: { partition: at } });

    it('is healthy when the replicas above its partition are updated, and not while they are not', async () => {
      await statefulSet(partition(2));
      await patch(path(), image('registry.test/db:broken'));
      await settled(path(), (live) => live.status['updatedReplicas'] === 1 && live.status['readyReplicas'] === 2);
      expect(await assess('apps/v1', 'StatefulSet')).toMatchObject({
        status: 'Progressing',
        reason: 'ReplicasNotReady',
      });
      await patch(path(), image('registry.test/db:2.0'));
      await cluster.request('DELETE', pathOf('v1', 'pods', 'it-2'));
      await settled(path(), (live) => live.status['updatedReplicas'] === 1 && live.status['readyReplicas'] === 3);
      expect(await assess('apps/v1', 'StatefulSet')).toMatchObject({
        status: 'Healthy',
        reason: 'PartitionUpdated',
        message: '1 of 3 replicas are updated, as the partition 2 asks',
      });
      await patch(path(), { spec: { updateStrategy: partition(0) } });
      await settled(path(), (live) => live.status['currentRevision'] === live.status['updateRevision']);
      expect(await assess('apps/v1', 'StatefulSet')).toMatchObject({ status: 'Healthy', reason: 'Available' });
    });

    it('with OnDelete is healthy and says how many keep the old revision, until they are deleted', async () => {
      await statefulSet({ type: 'OnDelete' });
      await patch(path(), image('registry.test/db:2.0'));
      await settled(path(), (live) => live.status['updateRevision'] !== live.status['currentRevision']);
      expect(await assess('apps/v1', 'StatefulSet')).toMatchObject({
        status: 'Healthy',
        reason: 'OnDelete',
        message: '3 of 3 replicas are ready; 3 keep the old revision until deleted by hand (OnDelete)',
      });
      await cluster.request('DELETE', pathOf('v1', 'pods', 'it-0'));
      await settled(path(), (live) => live.status['updatedReplicas'] === 1 && live.status['readyReplicas'] === 3);
      expect((await assess('apps/v1', 'StatefulSet')).message).toMatch(/; 2 keep the old revision/);
    });
  });

  it('a DaemonSet with OnDelete says that its pod is old, until it is deleted', async () => {
    const path = pathOf('apps/v1', 'daemonsets', 'it');
    await create('apps/v1', 'daemonsets', {
      metadata: { name: 'it' },
      spec: { selector, updateStrategy: { type: 'OnDelete' }, template: template('registry.test/agent:1.0') },
    });
    await settled(path, (live) => live.status['numberAvailable'] === 1);
    await patch(path, image('registry.test/agent:2.0'));
    await settled(path, (live) => (live.status['updatedNumberScheduled'] ?? 0) === 0);
    expect(await assess('apps/v1', 'DaemonSet')).toMatchObject({
      status: 'Healthy',
      reason: 'OnDelete',
      message: '1 of 1 replica is ready; 1 keeps the old revision until deleted by hand (OnDelete)',
    });
    await cluster.request('DELETE', `${pathOf('v1', 'pods')}?labelSelector=app%3Dit`);
    await settled(path, (live) => live.status['updatedNumberScheduled'] === 1 && live.status['numberAvailable'] === 1);
    expect(await assess('apps/v1', 'DaemonSet')).toMatchObject({ status: 'Healthy', reason: 'Available' });
  });

  it('a Job that is suspended is healthy and says so; resumed it has to complete', async () => {
    const path = pathOf('batch/v1', 'jobs', 'it');
    await create('batch/v1', 'jobs', {
      metadata: { name: 'it' },
      spec: {
        suspend: true,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.test/task:1.0' }] } },
      },
    });
    await cluster.waitFor<Live>(path, (live) => conditionOf(live, 'Suspended') === 'True');
    expect(await assess('batch/v1', 'Job')).toMatchObject({
      status: 'Healthy',
      reason: 'Suspended',
      message: 'the Job is suspended; 0 of 1 completion reached',
    });
    await patch(path, { spec: { suspend: false } });
    // Straight after, the old condition may still be there.
    expect((await assess('batch/v1', 'Job')).reason).not.toBe('Suspended');
    await cluster.waitFor<Live>(path, (live) => conditionOf(live, 'Complete') === 'True');
    expect(await assess('batch/v1', 'Job')).toMatchObject({ status: 'Healthy', reason: 'Complete' });
  });

  it('a CronJob that is suspended is healthy and says so', async () => {
    await create('batch/v1', 'cronjobs', {
      metadata: { name: 'it' },
      spec: {
        suspend: true,
        schedule: '* * * * *',
        jobTemplate: {
          spec: {
            template: {
              spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.test/task:1.0' }] },
            },
          },
        },
      },
    });
    expect(await assess('batch/v1', 'CronJob')).toMatchObject({ status: 'Healthy', reason: 'Suspended' });
  });

  describe('a claim', () => {
    const claim = async (volumeBindingMode: 'WaitForFirstConsumer' | 'Immediate'): Promise<void> => {
      const { status } = await cluster.request('POST', '/apis/storage.k8s.io/v1/storageclasses', {
        metadata: { name: namespace },
        provisioner: 'kubernetes.io/no-provisioner',
        volumeBindingMode,
      });
      if (status !== 201) throw new Error(`storage class: ${status}`);
      await create('v1', 'persistentvolumeclaims', {
        metadata: { name: 'it', ...LEFT_ALONE },
        spec: {
          storageClassName: namespace,
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      });
    };
    const said = (reason: string): Promise<unknown> =>
      cluster.waitFor<{ items: { reason: string }[] }>(pathOf('v1', 'events'), ({ items }) =>
        items.some((event) => event.reason === reason),
      );

    it('that waits for its first consumer is healthy, and is not once a pod waits for it', async () => {
      await claim('WaitForFirstConsumer');
      await said('WaitForFirstConsumer');
      expect(await assess('v1', 'PersistentVolumeClaim')).toMatchObject({
        status: 'Healthy',
        reason: 'WaitForFirstConsumer',
      });
      await create('v1', 'pods', {
        metadata: { name: 'consumer' },
        spec: {
          nodeSelector: { nowhere: 'true' },
          containers: [{ name: 'main', image: 'registry.test/app:1.0' }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'it' } }],
        },
      });
      expect(await assess('v1', 'PersistentVolumeClaim')).toMatchObject({
        status: 'Progressing',
        reason: 'ClaimPending',
      });
    });

    it('for which there is no volume progresses, and says so', async () => {
      await claim('Immediate');
      await said('ProvisioningFailed').catch(() => said('FailedBinding'));
      expect(await assess('v1', 'PersistentVolumeClaim')).toMatchObject({
        status: 'Progressing',
        reason: 'ClaimPending',
      });
    });
  });

  it('a load balancer that is pending progresses and names its class; with an address it is healthy', async () => {
    await create('v1', 'services', {
      metadata: { name: 'it', ...LEFT_ALONE },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: 'example.org/lb',
        selector: { app: 'it' },
        ports: [{ port: 80 }],
      },
    });
    expect(await assess('v1', 'Service')).toMatchObject({
      status: 'Progressing',
      reason: 'LoadBalancerPending',
      message: 'the load balancer has no address yet; its class is example.org/lb',
    });
    await patch(`${pathOf('v1', 'services', 'it')}/status`, {
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } },
    });
    expect(await assess('v1', 'Service')).toMatchObject({ status: 'Healthy', reason: 'LoadBalancerReady' });
  });

  it('a disruption budget says how many pods it leaves', async () => {
    const path = pathOf('policy/v1', 'poddisruptionbudgets', 'it');
    await deployment();
    await available();
    await create('policy/v1', 'poddisruptionbudgets', {
      metadata: { name: 'it' },
      spec: { minAvailable: 2, selector },
    });
    await settled(path, (live) => live.status['currentHealthy'] === 2);
    expect(await assess('policy/v1', 'PodDisruptionBudget')).toMatchObject({
      status: 'Healthy',
      reason: 'NoDisruptionAllowed',
      message: 'no pod may be disrupted: 2 healthy, 2 desired',
    });
    await patch(path, { spec: { minAvailable: 1 } });
    await settled(path, (live) => live.status['disruptionsAllowed'] === 1);
    expect(await assess('policy/v1', 'PodDisruptionBudget')).toMatchObject({
      status: 'Healthy',
      message: '1 more pod may be disrupted',
    });
  });

  it('a disruption budget over pods that cannot be scaled says that they cannot be counted', async () => {
    await create('batch/v1', 'jobs', {
      metadata: { name: 'it' },
      spec: {
        template: {
          metadata: { labels: { app: 'it' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.test/task:delay-600s' }] },
        },
      },
    });
    await create('policy/v1', 'poddisruptionbudgets', {
      metadata: { name: 'it' },
      spec: { maxUnavailable: 1, selector },
    });
    await cluster.waitFor<Live>(pathOf('policy/v1', 'poddisruptionbudgets', 'it'), (live) =>
      (live.status?.conditions ?? []).some(({ reason }) => reason === 'SyncFailed'),
    );
    expect(await assess('policy/v1', 'PodDisruptionBudget')).toMatchObject({
      status: 'Healthy',
      reason: 'SyncFailed',
      message: expect.stringMatching(/^its pods cannot be counted, and none may be disrupted: .*scale/) as string,
    });
  });

  it('an autoscaler progresses without its target, is told of without metrics, and off at 0', async () => {
    const path = pathOf('autoscaling/v2', 'horizontalpodautoscalers', 'it');
    const reason = (wanted: string): Promise<Live> =>
      cluster.waitFor<Live>(path, (live) =>
        (live.status?.conditions ?? []).some((condition) => condition.reason === wanted),
      );
    await create('autoscaling/v2', 'horizontalpodautoscalers', {
      metadata: { name: 'it' },
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'it' } },
    });
    await reason('FailedGetScale');
    expect(await assess('autoscaling/v2', 'HorizontalPodAutoscaler')).toMatchObject({
      status: 'Progressing',
      reason: 'FailedGetScale',
    });
    await deployment();
    await available();
    await reason('FailedGetResourceMetric');
    expect(await assess('autoscaling/v2', 'HorizontalPodAutoscaler')).toMatchObject({
      status: 'Healthy',
      reason: 'FailedGetResourceMetric',
      message: expect.stringMatching(/^not scaling: /) as string,
    });
    await patch(theDeployment(), { spec: { replicas: 0 } });
    await reason('ScalingDisabled');
    expect(await assess('autoscaling/v2', 'HorizontalPodAutoscaler')).toMatchObject({
      status: 'Healthy',
      reason: 'ScalingDisabled',
    });
  });

  it('an own kind is not ready by a status about an older generation', async () => {
    const plural = 'harbours';
    const group = 'health.test';
    const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await cluster.request('POST', definition, {
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural, singular: 'harbour', kind: 'Harbour' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    await cluster.waitFor<Live>(
      `${definition}/${plural}.${group}`,
      (live) => conditionOf(live, 'Established') === 'True',
    );
    await cluster.waitFor<{ kind: string }>(pathOf(`${group}/v1`, plural), ({ kind }) => kind === 'HarbourList');
    await create(`${group}/v1`, plural, {
      apiVersion: `${group}/v1`,
      kind: 'Harbour',
      metadata: { name: 'it' },
      spec: { berths: 1 },
    });
    const path = pathOf(`${group}/v1`, plural, 'it');
    const ready = (observedGeneration: number): Promise<void> =>
      patch(`${path}/status`, {
        status: {
          observedGeneration,
          conditions: [{ type: 'Ready', status: 'True', reason: 'Open', message: 'open' }],
        },
      });
    await ready(1);
    expect(await assess(`${group}/v1`, 'Harbour')).toMatchObject({ status: 'Healthy', reason: 'Open' });
    await patch(path, { spec: { berths: 2 } });
    expect(await assess(`${group}/v1`, 'Harbour')).toMatchObject({
      status: 'Progressing',
      reason: 'GenerationNotObserved',
    });
    await ready(2);
    expect(await assess(`${group}/v1`, 'Harbour')).toMatchObject({ status: 'Healthy' });
  });

  it('an object that is held by a finalizer is terminating and names it', async () => {
    await create('v1', 'configmaps', { metadata: { name: 'it', finalizers: ['example.org/hold'] } });
    await cluster.request('DELETE', pathOf('v1', 'configmaps', 'it'));
    expect(await assess('v1', 'ConfigMap')).toMatchObject({
      status: 'Terminating',
      message: expect.stringContaining('example.org/hold') as string,
    });
    await patch(pathOf('v1', 'configmaps', 'it'), { metadata: { finalizers: null } });
  });
});
