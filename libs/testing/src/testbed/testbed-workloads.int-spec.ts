import { jest } from '@jest/globals';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from './testbed.ts';
import type { TestbedCluster } from './testbed-cluster.ts';

interface List<T> {
  readonly items: readonly T[];
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase?: string;
    readonly startTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
      readonly state: { readonly waiting?: { readonly reason: string } };
    }[];
  };
}

interface Workload {
  readonly metadata: { readonly generation: number };
  readonly status: Readonly<Record<string, unknown>> & {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

const podTemplate = (image: string, annotations: Record<string, string> = {}): object => ({
  metadata: { labels: { app: 'it' }, annotations },
  spec: { containers: [{ name: 'main', image }] },
});

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(60_000);

describeWithTestbed('workloads of the test bed', () => {
  let bed: Testbed;
  let cluster: TestbedCluster;
  let namespace = '';
  let count = 0;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'testbed-workloads' });
    cluster = bed.clusters[0]!;
  }, TESTBED_TIMEOUT_MS);

  afterAll(() => bed?.release());

  beforeEach(async () => {
    namespace = `it-${++count}`;
    await cluster.createNamespace(namespace);
  });

  const apps = (kind: string): string => `/apis/apps/v1/namespaces/${namespace}/${kind}`;

  async function create(path: string, object: object): Promise<void> {
    const { status, body } = await cluster.request('POST', path, object);
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  }

  const deployment = (image: string, replicas = 2, annotations: Record<string, string> = {}): Promise<void> =>
    create(apps('deployments'), {
      metadata: { name: 'it' },
      spec: {
        replicas,
        progressDeadlineSeconds: 2,
        selector: { matchLabels: { app: 'it' } },
        template: podTemplate(image, annotations),
      },
    });

  const job = (image: string, annotations: Record<string, string> = {}): Promise<void> =>
    create(`/apis/batch/v1/namespaces/${namespace}/jobs`, {
      metadata: { name: 'it' },
      spec: {
        backoffLimit: 0,
        template: {
          metadata: { annotations },
          spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] },
        },
      },
    });

  const pods = (done: (pods: readonly Pod[]) => boolean): Promise<List<Pod>> =>
    cluster.waitFor<List<Pod>>(`/api/v1/namespaces/${namespace}/pods`, (list) => done(list.items));

  const isReady = (pod: Pod): boolean =>
    pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

  const warning = (reason: string): Promise<unknown> =>
    cluster.waitFor<List<{ type: string; reason: string }>>(`/api/v1/namespaces/${namespace}/events`, (list) =>
      list.items.some((event) => event.type === 'Warning' && event.reason === reason),
    );

  it('makes a Deployment available at once', async () => {
    await deployment('registry.test/app:1.0', 3);
    const done = await cluster.waitFor<Workload>(
      `${apps('deployments')}/it`,
      (it) => it.status['availableReplicas'] === 3,
    );
    expect(done.status['observedGeneration']).toBe(done.metadata.generation);
    const conditions = done.status.conditions?.map(({ type, status }) => `${type}=${status}`);
    expect(conditions).toEqual(expect.arrayContaining(['Available=True', 'Progressing=True']));
  });

  it('rolls a Deployment forward to a new image', async () => {
    await deployment('registry.test/app:1.0');
    await cluster.waitFor<Workload>(`${apps('deployments')}/it`, (it) => it.status['availableReplicas'] === 2);
    await cluster.request('PATCH', `${apps('deployments')}/it`, {
      spec: { template: podTemplate('registry.test/app:2.0') },
    });
    await cluster.waitFor<Workload>(
      `${apps('deployments')}/it`,
      (it) =>
        it.status['observedGeneration'] === 2 && it.status['updatedReplicas'] === 2 && it.status['replicas'] === 2,
    );
    await pods((all) => all.length === 2 && all.every(isReady));
  });

  it('brings a StatefulSet up with its claims, pod after pod', async () => {
    await create(apps('statefulsets'), {
      metadata: { name: 'it' },
      spec: {
        replicas: 2,
        serviceName: 'it',
        selector: { matchLabels: { app: 'it' } },
        template: podTemplate('registry.test/db:1.0'),
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });
    await cluster.waitFor<Workload>(`${apps('statefulsets')}/it`, (it) => it.status['readyReplicas'] === 2);
    await cluster.waitFor<List<{ status: { phase: string } }>>(
      `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
      (list) => list.items.length === 2 && list.items.every((claim) => claim.status.phase === 'Bound'),
    );
  });

  it('brings a DaemonSet up on its node', async () => {
    await create(apps('daemonsets'), {
      metadata: { name: 'it' },
      spec: { selector: { matchLabels: { app: 'it' } }, template: podTemplate('registry.test/agent:1.0') },
    });
    await cluster.waitFor<Workload>(
      `${apps('daemonsets')}/it`,
      (it) => it.status['numberReady'] === 1 && it.status['desiredNumberScheduled'] === 1,
    );
  });

  it('completes a Job', async () => {
    await job('registry.test/task:1.0');
    await cluster.waitFor<Workload>(
      `/apis/batch/v1/namespaces/${namespace}/jobs/it`,
      (it) => it.status.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') ?? false,
    );
  });

  it('fails a Job whose image says so', async () => {
    await job('registry.test/task:fails');
    await cluster.waitFor<Workload>(
      `/apis/batch/v1/namespaces/${namespace}/jobs/it`,
      (it) => it.status.conditions?.some(({ type, status }) => type === 'Failed' && status === 'True') ?? false,
    );
  });

  it.each([
    ['image', 'registry.test/app:delay-4s', {}],
    ['annotation', 'registry.test/app:1.0', { 'testbed.breakwater.dev/ready-after': '4s' }],
  ])('keeps pods running but unready for as long as the %s says', async (_by, image, annotations) => {
    await deployment(image, 1, annotations);
    const running = await pods((all) => all.length === 1 && all[0]!.status.phase === 'Running' && !isReady(all[0]!));
    const ready = await pods((all) => all.length === 1 && isReady(all[0]!));
    // The cluster's own times, in whole seconds: how late they are looked at does not matter.
    const since = ready.items[0]!.status.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime;
    expect(Date.parse(since) - Date.parse(running.items[0]!.status.startTime!)).toBeGreaterThanOrEqual(3_000);
  });

  it('cannot pull a broken image, says so in an event, and fails the progress deadline', async () => {
    await deployment('registry.test/app:broken', 1);
    const reason = (pod: Pod | undefined): string | undefined =>
      pod?.status.containerStatuses?.[0]?.state.waiting?.reason;
    await pods((all) => reason(all[0]) === 'ImagePullBackOff');
    await warning('Failed');
    await cluster.waitFor<Workload>(
      `${apps('deployments')}/it`,
      (it) => it.status.conditions?.some((each) => each.reason === 'ProgressDeadlineExceeded') ?? false,
    );
  });

  it('restarts a crash-looping container again and again', async () => {
    await deployment('registry.test/app:crashloop', 1);
    const state = await pods((all) => (all[0]?.status.containerStatuses?.[0]?.restartCount ?? 0) >= 2);
    expect(state.items[0]!.status.containerStatuses![0]).toMatchObject({
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    });
    await warning('BackOff');
  });

  it('never gets ready when told so', async () => {
    await deployment('registry.test/app:1.0', 1, { 'testbed.breakwater.dev/behaviour': 'unready' });
    await warning('Unhealthy');
    await cluster.waitFor<Workload>(
      `${apps('deployments')}/it`,
      (it) => it.status.conditions?.some((each) => each.reason === 'ProgressDeadlineExceeded') ?? false,
    );
    await pods((all) => all.length === 1 && !isReady(all[0]!));
  });

  it('gets ready and then unready again', async () => {
    await deployment('registry.test/app:flaky-5s', 1);
    await pods((all) => all.length === 1 && isReady(all[0]!));
    await pods((all) => all.length === 1 && all[0]!.status.phase === 'Running' && !isReady(all[0]!));
    await warning('Unhealthy');
    await cluster.waitFor<Workload>(`${apps('deployments')}/it`, (it) => it.status['unavailableReplicas'] === 1);
  });

  it('leaves a pod with a node selector unscheduled', async () => {
    await create(`/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name: 'it' },
      spec: { nodeSelector: { gpu: 'yes' }, containers: [{ name: 'main', image: 'registry.test/app:1.0' }] },
    });
    const pod = await cluster.get<{ spec: { nodeName?: string } }>(`/api/v1/namespaces/${namespace}/pods/it`);
    expect(pod.spec.nodeName).toBeUndefined();
  });

  it('gives a LoadBalancer its address', async () => {
    await create(`/api/v1/namespaces/${namespace}/services`, {
      metadata: { name: 'it' },
      spec: { type: 'LoadBalancer', selector: { app: 'it' }, ports: [{ port: 80 }] },
    });
    await cluster.waitFor<{ status: { loadBalancer: { ingress?: unknown[] } } }>(
      `/api/v1/namespaces/${namespace}/services/it`,
      (service) => (service.status.loadBalancer.ingress ?? []).length === 1,
    );
  });

  it('removes a namespace with everything in it', async () => {
    await deployment('registry.test/app:1.0');
    await pods((all) => all.length === 2 && all.every(isReady));
    await cluster.request('DELETE', `/api/v1/namespaces/${namespace}`);
    await cluster.waitFor<{ code?: number }>(`/api/v1/namespaces/${namespace}`, (body) => body.code === 404);
  });
});
