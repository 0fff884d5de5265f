import fc from 'fast-check';
import type { KubeObject } from '../kubernetes/object.ts';
import { assessObject, assessWorkloads, baselineOf, evidenceKinds, explainPod, failFastReason } from './index.ts';
import type { HealthReport, HealthVerdict, MissingObject, ObservedWorkloads } from './index.ts';
import {
  ago,
  container,
  daemonSet,
  deployment,
  event,
  exited,
  illPod,
  imagePullBackOff,
  isFalse,
  isTrue,
  job,
  NOW,
  object,
  ownedBy,
  pod,
  replicaSet,
  statefulSet,
  stuckDeployment,
  waiting,
} from './testing/kube-builders.ts';

const observe = (observed: Partial<ObservedWorkloads>): ObservedWorkloads => ({
  objects: [],
  pods: [],
  replicaSets: [],
  events: [],
  now: NOW,
  ...observed,
});
const WEB = 'apps/Deployment/podinfo/web';
const missing = (key: string) => ({ missing: key }) as MissingObject;

describe('a failing workload is explained down to its pod', () => {
  const newSet = replicaSet();
  const oldSet = replicaSet({ name: 'web-5c9b', revision: '1' });
  const stuck = { objects: [stuckDeployment()], replicaSets: [newSet, oldSet] };

  it('by the image that the newest pods cannot pull', () => {
    const report = assessWorkloads(observe({ ...stuck, pods: [imagePullBackOff()] }));
    const line = 'ImagePullBackOff on web-7d4f-x1: Back-off pulling image "web:bad"';
    expect(report).toEqual({
      verdict: 'Progressing',
      objects: [
        {
          key: WEB,
          status: 'Progressing',
          reason: 'ReplicasNotUpdated',
          message: `1 of 3 replicas are updated: ${line}`,
        },
      ],
      failFast: { object: WEB, reason: 'ImagePullBackOff', message: line },
      worst: { object: WEB, evidence: line },
      excused: [],
    });
  });

  it('never by the pods of an older ReplicaSet', () => {
    const old = imagePullBackOff('web-5c9b-a1', ownedBy('ReplicaSet', 'web-5c9b'));
    expect(assessWorkloads(observe({ ...stuck, pods: [old] })).failFast).toBeNull();
  });

  it('never by pods while the newest generation has not been observed', () => {
    const unobserved = stuckDeployment({ metadata: { generation: 3 } });
    const report = assessWorkloads(observe({ ...stuck, objects: [unobserved], pods: [imagePullBackOff()] }));
    expect(report).toMatchObject({ failFast: null, worst: { evidence: expect.stringMatching(/generation 3/) } });
  });

  it('never by the older ReplicaSet when the newest was not read yet', () => {
    const old = imagePullBackOff('web-5c9b-a1', ownedBy('ReplicaSet', 'web-5c9b'));
    const report = assessWorkloads(observe({ ...stuck, replicaSets: [oldSet], pods: [old] }));
    expect(report.failFast).toBeNull();
  });

  it('never by pods of another workload', () => {
    const stranger = imagePullBackOff('api-1', ownedBy('ReplicaSet', 'api-66d'));
    expect(assessWorkloads(observe({ ...stuck, pods: [stranger] })).failFast).toBeNull();
  });

  it('by the highest revision when the Deployment names none', () => {
    const unnamed = stuckDeployment({ metadata: { annotations: {} } });
    const report = assessWorkloads(observe({ ...stuck, objects: [unnamed], pods: [imagePullBackOff()] }));
    expect(report.failFast?.reason).toBe('ImagePullBackOff');
  });

  it('by the worst of its pods, and always by the same one', () => {
    const starting = illPod(waiting('ContainerCreating'), { name: 'web-7d4f-a0' });
    const pods = [imagePullBackOff('web-7d4f-b'), starting, imagePullBackOff('web-7d4f-a')];
    for (const order of [pods, [...pods].reverse()]) {
      expect(assessWorkloads(observe({ ...stuck, pods: order })).worst?.evidence).toMatch(/on web-7d4f-a:/);
    }
  });

  it('by the event of the ReplicaSet when no pod could be created', () => {
    const report = assessWorkloads(observe({ ...stuck, events: [event(newSet, 'FailedCreate', 'exceeded quota')] }));
    expect(report.worst?.evidence).toBe('FailedCreate on web-7d4f: exceeded quota');
  });

  it('a StatefulSet by the pods of its update revision only', () => {
    const set = statefulSet({ status: { updatedReplicas: 1, updateRevision: 'web-c', readyReplicas: 2 } });
    const member = (name: string, hash: string) => {
      const made = imagePullBackOff(name, ownedBy('StatefulSet', 'web'));
      return { ...made, metadata: { ...made.metadata, labels: { 'controller-revision-hash': hash } } };
    };
    expect(assessWorkloads(observe({ objects: [set], pods: [member('web-0', 'web-b')] })).failFast).toBeNull();
    expect(assessWorkloads(observe({ objects: [set], pods: [member('web-2', 'web-c')] })).failFast).toMatchObject({
      object: 'apps/StatefulSet/podinfo/web',
      message: expect.stringMatching(/on web-2/),
    });
  });

  it('a DaemonSet by the pods of its newest template only', () => {
    const set = daemonSet({ status: { updatedNumberScheduled: 1, numberAvailable: 2 } });
    const member = (name: string, generation: string) => {
      const made = imagePullBackOff(name, ownedBy('DaemonSet', 'web'));
      return { ...made, metadata: { ...made.metadata, labels: { 'pod-template-generation': generation } } };
    };
    expect(assessWorkloads(observe({ objects: [set], pods: [member('old', '1')] })).failFast).toBeNull();
    expect(assessWorkloads(observe({ objects: [set], pods: [member('new', '2')] })).failFast).not.toBeNull();
  });

  it('a healthy workload is not asked for explanations', () => {
    const report = assessWorkloads(observe({ ...stuck, objects: [deployment()], pods: [imagePullBackOff()] }));
    expect(report).toMatchObject({ verdict: 'Healthy', failFast: null, worst: null });
  });
});

describe('a pod explains itself', () => {
  const creating = illPod(waiting('ContainerCreating'));
  const running = illPod({ running: {} }, { status: { phase: 'Running' } });
  const mount = event(creating, 'FailedMount', 'configmap "web" not found', { lastTimestamp: ago(1) });
  const probe = event(running, 'Unhealthy', 'Readiness probe failed: 503', { lastTimestamp: ago(30) });

  it('by the volume that cannot be mounted', () => {
    expect(explainPod(creating, [mount])?.line).toBe('FailedMount on web-7d4f-x1: configmap "web" not found');
  });

  it('by its probe once it runs, not by the volume that was late', () => {
    expect(explainPod(running, [mount, probe])?.line).toBe('Unhealthy on web-7d4f-x1: Readiness probe failed: 503');
  });

  it('by the newest of its events, of either API group', () => {
    const newer: KubeObject = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'podinfo' },
      regarding: { kind: 'Pod', namespace: 'podinfo', name: 'web-7d4f-x1', uid: running.metadata.uid },
      type: 'Warning',
      reason: 'Unhealthy',
      note: 'Readiness probe failed: timeout',
      series: { count: 4, lastObservedTime: ago(2) },
    };
    expect(explainPod(running, [probe, newer])?.message).toBe('Readiness probe failed: timeout');
  });

  it('not by the events of a predecessor of the same name', () => {
    const successor = illPod({ running: {} }, { metadata: { uid: 'other' }, status: { phase: 'Running' } });
    expect(explainPod(successor, [probe])?.reason).toBe('NotReady');
  });

  it('without what its container wrote last, which may hold secrets', () => {
    const crashed = illPod(waiting('CrashLoopBackOff'), { restarts: 2 });
    expect(JSON.stringify(explainPod(crashed, []))).not.toContain('hunter2');
  });

  it('not at all when it is ready, done or going', () => {
    expect(explainPod(pod(), [])).toBeNull();
    expect(explainPod(pod({ status: { phase: 'Succeeded' } }), [])).toBeNull();
    expect(explainPod(illPod({}, { metadata: { deletionTimestamp: ago(1) } }), [])).toBeNull();
  });
});

describe('states that do not mend by themselves', () => {
  const deadline = isFalse('Progressing', 'ProgressDeadlineExceeded', 'ReplicaSet "web-7d4f" has timed out');
  it.each<[string, KubeObject, string | null]>([
    ...[
      'ErrImagePull',
      'ImagePullBackOff',
      'InvalidImageName',
      'ErrImageNeverPull',
      'CreateContainerConfigError',
      'CreateContainerError',
      'CrashLoopBackOff',
      'RunContainerError',
    ].map((reason): [string, KubeObject, string] => [`a pod in ${reason}`, illPod(waiting(reason)), reason]),
    ['a pod between two crashes', illPod(exited(1), { restarts: 1 }), 'CrashLoopBackOff'],
    ['a failed pod that nobody replaces', pod({ status: { phase: 'Failed' } }), 'PodFailed'],
    ['a past progress deadline', stuckDeployment({ status: { conditions: [deadline] } }), 'ProgressDeadlineExceeded'],
    ['a failed Job', job({ status: { conditions: [isTrue('Failed', 'BackoffLimitExceeded')] } }), 'JobFailed'],
    ['not a pod that exited once', illPod(exited(1)), null],
    ['not a container that is created', illPod(waiting('ContainerCreating')), null],
    [
      'not a pod without node',
      illPod({}, { status: { conditions: [isFalse('PodScheduled', 'Unschedulable')] } }),
      null,
    ],
    [
      'not a crashing pod of a Job, which counts its retries',
      illPod(waiting('CrashLoopBackOff'), { restarts: 3, ownedBy: ownedBy('Job', 'migrate') }),
      null,
    ],
    [
      'a pod of a Job whose image cannot be pulled',
      imagePullBackOff('migrate-x', ownedBy('Job', 'migrate')),
      'ImagePullBackOff',
    ],
    [
      'not the deadline of an older generation',
      stuckDeployment({ metadata: { generation: 3 }, status: { conditions: [deadline] } }),
      null,
    ],
    ['not a ready pod', pod(), null],
    [
      'not a ready pod that crashed before',
      pod({
        status: {
          containerStatuses: [container({ running: {} }, { ready: true, restartCount: 7, lastState: exited(1) })],
        },
      }),
      null,
    ],
  ])('%s', (_sentence, given, reason) => {
    expect(failFastReason(given)?.reason ?? null).toBe(reason);
  });

  it('a bare pod of the release answers for itself', () => {
    const report = assessWorkloads(observe({ objects: [illPod(waiting('InvalidImageName', 'bad reference'))] }));
    expect(report).toMatchObject({
      verdict: 'Failing',
      failFast: { object: 'Pod/podinfo/web-7d4f-x1', reason: 'InvalidImageName' },
    });
  });
});

describe('the state before', () => {
  const ill = observe({ objects: [stuckDeployment(), statefulSet()] });
  const baseline = baselineOf(assessWorkloads(ill));

  it('excuses a workload that was ill and that the release leaves alone, and names it', () => {
    const report = assessWorkloads(ill, baseline, new Set());
    expect(report).toMatchObject({ verdict: 'Healthy', worst: null, failFast: null, excused: [WEB] });
    expect(report.objects[0]).toMatchObject({ key: WEB, status: 'Progressing', excused: true });
  });

  it('does not excuse what the release changes', () => {
    expect(assessWorkloads(ill, baseline, new Set([WEB]))).toMatchObject({ verdict: 'Progressing', excused: [] });
  });

  it('does not excuse what was healthy', () => {
    const broken = observe({ objects: [deployment(), statefulSet({ status: { readyReplicas: 0 } })] });
    expect(assessWorkloads(broken, baseline, new Set())).toMatchObject({ verdict: 'Progressing', excused: [] });
  });

  it('excuses nothing when nobody said what changes', () => {
    expect(assessWorkloads(ill, baseline).excused).toEqual([]);
  });

  it('does not name as excused what became healthy meanwhile', () => {
    expect(assessWorkloads(observe({ objects: [deployment()] }), baseline, new Set()).excused).toEqual([]);
  });

  it('does not excuse an object that is gone, nor one that was not there', () => {
    const gone = observe({ objects: [missing(WEB)] });
    expect(baselineOf(assessWorkloads(gone))).toEqual({});
    expect(assessWorkloads(gone, baseline, new Set())).toMatchObject({
      verdict: 'Failing',
      objects: [{ key: WEB, status: 'Failing', reason: 'Missing', missing: true }],
      excused: [],
    });
  });

  it('an excused workload does not hide another one', () => {
    const both = observe({ objects: [stuckDeployment(), missing('Service/podinfo/web')] });
    expect(assessWorkloads(both, baseline, new Set())).toMatchObject({
      verdict: 'Failing',
      worst: { object: 'Service/podinfo/web' },
      excused: [WEB],
    });
  });
});

describe('what does not mend is named before what may', () => {
  it('even when it comes later', () => {
    const report = assessWorkloads(
      observe({
        objects: [statefulSet({ status: { readyReplicas: 1 } }), stuckDeployment()],
        replicaSets: [replicaSet()],
        pods: [imagePullBackOff()],
      }),
    );
    expect(report.worst?.object).toBe(WEB);
  });
});

describe('what to watch beside the inventory', () => {
  it('is pods, ReplicaSets and events for a Deployment, less for others, nothing for a ConfigMap', () => {
    expect(
      evidenceKinds([
        deployment(),
        missing('apps/StatefulSet/db/postgres'),
        missing('PersistentVolumeClaim/files/data'),
        missing('Service/net/web'),
        missing('ConfigMap/settings/web'),
        missing('rbac.authorization.k8s.io/ClusterRole//view'),
      ]),
    ).toEqual([
      { namespace: 'db', pods: true, replicaSets: false, events: true },
      { namespace: 'files', pods: true, replicaSets: false, events: true },
      { namespace: 'net', pods: false, replicaSets: false, events: true },
      { namespace: 'podinfo', pods: true, replicaSets: true, events: true },
    ]);
  });
});

describe('always', () => {
  const rank: Readonly<Record<HealthVerdict, number>> = { Healthy: 0, Progressing: 1, Failing: 2 };
  const junk = fc.oneof(fc.jsonValue(), fc.constant({ toString: 1, valueOf: 1 }), fc.constant([{ type: 7 }, null]));
  const kinds = fc.constantFrom(
    ...['apps/v1 Deployment', 'apps/v1 StatefulSet', 'apps/v1 DaemonSet', 'apps/v1 ReplicaSet', 'batch/v1 Job'],
    ...['v1 Pod', 'v1 PersistentVolumeClaim', 'v1 Service', 'v1 Node', 'policy/v1 PodDisruptionBudget', 'v1 Event'],
    ...['apiextensions.k8s.io/v1 CustomResourceDefinition', 'autoscaling/v2 HorizontalPodAutoscaler', 'x.org/v1 X'],
  );
  const fields = (names: readonly string[], typed: Readonly<Record<string, fc.Arbitrary<unknown>>> = {}) =>
    fc.record(
      { ...Object.fromEntries(names.map((name) => [name, junk])), ...typed },
      { requiredKeys: Object.keys(typed) },
    );
  const mostly = (value: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 5, arbitrary: value }, { weight: 1, arbitrary: junk });
  const condition = fields(['observedGeneration', 'message'], {
    type: mostly(fc.constantFrom('Ready', 'Progressing', 'Available', 'Failed', 'PodScheduled', 'Established')),
    status: mostly(fc.constantFrom('True', 'False', 'Unknown')),
    reason: mostly(fc.constantFrom('ProgressDeadlineExceeded', 'x-y_z', '9lives', 'Unschedulable')),
  });
  const containerStatus = fields(['name', 'lastState', 'restartCount'], {
    state: mostly(fields(['terminated', 'running'], { waiting: mostly(fields(['message'], { reason: junk })) })),
  });
  const meta = fields(['namespace', 'generation', 'annotations', 'labels', 'finalizers'], {
    name: mostly(fc.constantFrom('a', 'b')),
    uid: mostly(fc.constantFrom('1', '2')),
    ownerReferences: mostly(fc.array(fields(['controller', 'kind'], { uid: mostly(fc.constantFrom('1', '2')) }))),
  });
  const status = fields(['loadBalancer'], {
    phase: mostly(fc.constantFrom('Running', 'Pending', 'Failed', 'Bound')),
    observedGeneration: mostly(fc.constant(1)),
    replicas: mostly(fc.nat(3)),
    conditions: mostly(fc.array(condition, { maxLength: 3 })),
    containerStatuses: mostly(fc.array(containerStatus, { maxLength: 2 })),
  });
  const plausible = fc
    .tuple(kinds, mostly(meta), mostly(status), fields(['replicas', 'updateStrategy', 'volumes']), junk)
    .map(([kind, metadata, state, spec, involvedObject]) => {
      const [apiVersion, name] = kind.split(' ');
      return { apiVersion, kind: name, metadata, status: state, spec, involvedObject };
    });
  const anyObject = fc
    .oneof(plausible, fc.dictionary(fc.string(), junk))
    .map((value) => value as unknown as KubeObject);
  const anyObjects = fc.array(anyObject, { maxLength: 5 });

  it('judges any JSON object without throwing, in one printable line', () => {
    fc.assert(
      fc.property(anyObjects, anyObjects, anyObjects, anyObjects, (objects, pods, replicaSets, events) => {
        const report = assessWorkloads(observe({ objects, pods, replicaSets, events }));
        evidenceKinds(objects);
        for (const one of objects) {
          const health = assessObject(one, NOW, { pods, events });
          expect(health.reason).toMatch(/^[A-Z][A-Za-z0-9]*$/);
          failFastReason(one);
          explainPod(one, events);
        }
        for (const { message } of report.objects) expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 2000 },
    );
  });

  const healthyObjects = [
    deployment({ name: 'more' }),
    statefulSet({ name: 'more' }),
    daemonSet({ name: 'more' }),
    job({ name: 'more' }),
    pod({ name: 'more' }),
    object('v1', 'ConfigMap', { name: 'more' }),
  ];
  const someObjects = fc.uniqueArray(
    fc.oneof(
      fc.constantFrom<KubeObject | MissingObject>(
        ...[deployment(), stuckDeployment({ name: 'stuck' }), statefulSet({ status: { readyReplicas: 0 } })],
        ...[job({ status: { conditions: [isTrue('Failed')] } }), imagePullBackOff(), missing('Service/podinfo/api')],
        ...[object('x.org/v1', 'X', { status: { conditions: [isFalse('Ready', 'No')] } }), daemonSet()],
        ...[
          deployment({ name: 'going', metadata: { deletionTimestamp: ago(1) } }),
          pod({ status: { phase: 'Unknown' } }),
        ],
      ),
    ),
    { maxLength: 8 },
  );
  const someEvidence = fc.record({
    pods: fc.subarray([imagePullBackOff(), pod({ ownedBy: ownedBy('ReplicaSet', 'web-7d4f') })]),
    replicaSets: fc.subarray([replicaSet(), replicaSet({ name: 'stuck-1', of: 'stuck' })]),
  });
  const someBaseline = fc.dictionary(
    fc.constantFrom(WEB, 'apps/Deployment/podinfo/stuck', 'apps/StatefulSet/podinfo/web', 'Service/podinfo/api'),
    fc.constantFrom('Healthy' as const, 'Progressing' as const, 'Failing' as const),
  );
  const someChanges = fc.subarray([WEB, 'apps/Deployment/podinfo/stuck', 'batch/Job/podinfo/migrate']);
  const reportOf = (
    objects: readonly (KubeObject | MissingObject)[],
    evidence: Partial<ObservedWorkloads>,
    baseline: Record<string, 'Healthy' | 'Progressing' | 'Failing'>,
    changes: readonly string[],
  ): HealthReport => assessWorkloads(observe({ objects, ...evidence }), baseline, new Set(changes));

  it('a healthy object more never makes the verdict worse, nor better', () => {
    fc.assert(
      fc.property(
        someObjects,
        fc.constantFrom(...healthyObjects),
        fc.nat(8),
        someEvidence,
        someBaseline,
        someChanges,
        (objects, more, at, evidence, baseline, changes) => {
          const before = reportOf(objects, evidence, baseline, changes);
          const after = reportOf(objects.toSpliced(at, 0, more), evidence, baseline, changes);
          expect(rank[after.verdict]).toBe(rank[before.verdict]);
          expect(after.failFast).toEqual(before.failFast);
          expect(after.worst).toEqual(before.worst);
        },
      ),
    );
  });

  it('Healthy means that every object is healthy or excused, and else the worst is named', () => {
    const seen = new Set<HealthVerdict>();
    fc.assert(
      fc.property(someObjects, someEvidence, someBaseline, someChanges, (objects, evidence, baseline, changes) => {
        const report = reportOf(objects, evidence, baseline, changes);
        seen.add(report.verdict);
        const blamed = report.objects.filter(({ status, excused }) => status !== 'Healthy' && excused !== true);
        expect(report.verdict === 'Healthy').toBe(blamed.length === 0);
        expect(report.worst === null).toBe(blamed.length === 0);
        expect(report.objects).toHaveLength(objects.length);
        expect(report.excused.filter((key) => changes.includes(key))).toEqual([]);
        if (report.failFast !== null) expect(blamed.map(({ key }) => key)).toContain(report.failFast.object);
      }),
      { numRuns: 500 },
    );
    expect([...seen].sort()).toEqual(['Failing', 'Healthy', 'Progressing']);
  });
});
