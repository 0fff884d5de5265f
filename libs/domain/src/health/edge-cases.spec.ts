import type { KubeObject } from '../kubernetes/object.ts';
import { assessObject } from './assess-object.ts';
import { ago, deployment, isFalse, isTrue, job, NOW, object, statefulSet } from './testing/kube-builders.ts';

type Row = readonly [sentence: string, object: KubeObject, status: string, reason: string, message: RegExp];

const rows = (table: readonly Row[]) => {
  it.each(table)('%s', (_sentence, given, status, reason, message) => {
    const health = assessObject(given, NOW);
    expect(health).toMatchObject({ status, reason });
    expect(health.message).toMatch(message);
  });
};

describe('a paused Deployment', () => {
  const pausedNow = { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' };
  rows([
    [
      'whose template was not rolled out waits, and says that nothing will happen by itself',
      deployment({ spec: { paused: true }, status: { updatedReplicas: 0, conditions: [pausedNow] } }),
      'Progressing',
      'Paused',
      /^the Deployment is paused, its template was not rolled out; 0 of 3 replicas are updated$/,
    ],
    [
      'in the middle of an update waits too',
      deployment({ spec: { paused: true }, status: { updatedReplicas: 1, replicas: 4, conditions: [pausedNow] } }),
      'Progressing',
      'Paused',
      /its template was not rolled out; 1 of 3/,
    ],
    [
      'whose updated pods are not available is short of them, not of its template',
      deployment({ spec: { paused: true }, status: { availableReplicas: 2, conditions: [pausedNow] } }),
      'Progressing',
      'Paused',
      /^the Deployment is paused; 2 of 3 updated replicas are available$/,
    ],
    [
      'that is up to date is healthy and says that it is paused',
      deployment({ spec: { paused: true }, status: { conditions: [pausedNow] } }),
      'Healthy',
      'Available',
      /^3 of 3 updated replicas are available; paused$/,
    ],
    [
      'that was resumed is judged as any other',
      deployment({ spec: { paused: false }, status: { updatedReplicas: 0 } }),
      'Progressing',
      'ReplicasNotUpdated',
      /^0 of 3 replicas are updated$/,
    ],
    [
      'that had run out of time before keeps failing, and says that it is paused',
      deployment({
        spec: { paused: true },
        status: { updatedReplicas: 1, conditions: [isFalse('Progressing', 'ProgressDeadlineExceeded')] },
      }),
      'Failing',
      'ProgressDeadlineExceeded',
      /^no progress within 600 s; 1 of 3 replicas are updated; paused$/,
    ],
  ]);
});

describe('a StatefulSet that is not updated as a whole', () => {
  const partition = (at: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: at } } });
  rows([
    [
      'is healthy with no updated replica when the partition keeps all of them, and says so',
      statefulSet({ spec: partition(3), status: { updatedReplicas: 0, updateRevision: 'web-c' } }),
      'Healthy',
      'PartitionUpdated',
      /^0 of 3 replicas are updated, as the partition 3 asks$/,
    ],
    [
      'progresses when the one below the partition is not ready',
      statefulSet({ spec: partition(2), status: { updatedReplicas: 1, readyReplicas: 2, updateRevision: 'web-c' } }),
      'Progressing',
      'ReplicasNotReady',
      /^2 of 3 replicas are ready$/,
    ],
    [
      'progresses when the partition was lowered',
      statefulSet({ spec: partition(0), status: { updatedReplicas: 1, updateRevision: 'web-c' } }),
      'Progressing',
      'ReplicasNotUpdated',
      /^1 of 3 replicas are updated/,
    ],
    [
      'is scaled to 0, which OnDelete does not change',
      statefulSet({
        spec: { replicas: 0, updateStrategy: { type: 'OnDelete' } },
        status: { replicas: 0, readyReplicas: 0, availableReplicas: 0, updatedReplicas: 0 },
      }),
      'Healthy',
      'ScaledToZero',
      /scaled to 0/,
    ],
  ]);
});

describe('a Job that was told to wait', () => {
  rows([
    [
      'is healthy, and says that it did not run',
      job({ spec: { suspend: true }, status: { succeeded: 0, conditions: [isTrue('Suspended')] } }),
      'Healthy',
      'Suspended',
      /^the Job is suspended; 0 of 1 completion reached$/,
    ],
    [
      'progresses while its pods still end',
      job({ spec: { suspend: true }, status: { active: 2, conditions: [] } }),
      'Progressing',
      'JobSuspending',
      /2 pods/,
    ],
    [
      'and may go on is not suspended any more, whatever its controller wrote before',
      job({
        spec: { suspend: false },
        status: { succeeded: 0, startTime: undefined, conditions: [isTrue('Suspended')] },
      }),
      'Progressing',
      'JobNotStarted',
      /not started/,
    ],
    [
      'by a parallelism of 0 says so',
      job({ spec: { parallelism: 0 }, status: { succeeded: 0, conditions: [] } }),
      'Progressing',
      'JobRunning',
      /^0 of 1 completion reached; parallelism is 0, so that no pod is started$/,
    ],
  ]);
});

describe('a CronJob', () => {
  const cronJob = (spec: object, status: object = {}) =>
    object('batch/v1', 'CronJob', { spec: { schedule: '@hourly', ...spec }, status: { ...status } });
  rows([
    [
      'that is suspended is healthy and says so',
      cronJob({ suspend: true }),
      'Healthy',
      'Suspended',
      /^the CronJob is suspended$/,
    ],
    [
      'that is suspended tells of the Jobs that it had started',
      cronJob({ suspend: true }, { active: [{ name: 'a' }] }),
      'Healthy',
      'Suspended',
      /^the CronJob is suspended; 1 Job of it still runs$/,
    ],
    ['that is not suspended is healthy', cronJob({ suspend: false }), 'Healthy', 'Scheduled', /@hourly/],
  ]);
});

describe('a claim and a load balancer', () => {
  const claim = (status: object) => object('v1', 'PersistentVolumeClaim', { name: 'data', status: { ...status } });
  const balancer = (spec: object, status: object = {}) =>
    object('v1', 'Service', { spec: { type: 'LoadBalancer', ...spec }, status: { ...status } });
  rows([
    [
      'that is bound but not yet as large as asked is healthy and says so',
      claim({
        phase: 'Bound',
        conditions: [isTrue('FileSystemResizePending', '', 'waiting for a pod to be restarted')],
      }),
      'Healthy',
      'Bound',
      /^the claim is bound; FileSystemResizePending: waiting for a pod to be restarted$/,
    ],
    [
      'that is for another controller names its class',
      balancer({ loadBalancerClass: 'example.org/lb' }),
      'Progressing',
      'LoadBalancerPending',
      /^the load balancer has no address yet; its class is example\.org\/lb$/,
    ],
    [
      'that has an address whose ports are refused progresses',
      balancer(
        {},
        {
          loadBalancer: { ingress: [{ ip: '192.0.2.1', ports: [{ port: 80, protocol: 'TCP', error: 'PortTaken' }] }] },
        },
      ),
      'Progressing',
      'LoadBalancerPortError',
      /^port 80 of the load balancer: PortTaken$/,
    ],
  ]);
});

describe('a disruption budget', () => {
  const budget = (status: object, metadata: object = { generation: 2 }) =>
    object('policy/v1', 'PodDisruptionBudget', {
      metadata: { ...metadata },
      status: { observedGeneration: 2, ...status },
    });
  const counts = { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 };
  rows([
    ['that is met is healthy', budget(counts), 'Healthy', 'Observed', /^1 more pod may be disrupted$/],
    [
      'that allows no disruption is healthy, and says that a drain would wait',
      budget({ ...counts, disruptionsAllowed: 0, currentHealthy: 2 }),
      'Healthy',
      'NoDisruptionAllowed',
      /^no pod may be disrupted: 2 healthy, 2 desired$/,
    ],
    [
      'that was changed is not judged by what was counted before',
      budget(counts, { generation: 3 }),
      'Progressing',
      'GenerationNotObserved',
      /generation 3/,
    ],
    [
      'whose pods cannot be counted is healthy, and says that no eviction is allowed',
      budget({
        ...counts,
        disruptionsAllowed: 0,
        conditions: [isFalse('DisruptionAllowed', 'SyncFailed', 'no scale')],
      }),
      'Healthy',
      'SyncFailed',
      /^its pods cannot be counted, and none may be disrupted: no scale$/,
    ],
    [
      'whose pods could never be counted has no observed generation, and is told of all the same',
      budget({ observedGeneration: undefined, conditions: [isFalse('DisruptionAllowed', 'SyncFailed', 'no scale')] }),
      'Healthy',
      'SyncFailed',
      /no scale$/,
    ],
  ]);
});

describe('an autoscaler', () => {
  const scaler = (...conditions: object[]) =>
    object('autoscaling/v2', 'HorizontalPodAutoscaler', { status: { conditions } });
  rows([
    [
      'that scales is healthy',
      scaler(isTrue('AbleToScale'), isTrue('ScalingActive')),
      'Healthy',
      'ScalingActive',
      /^the autoscaler is active$/,
    ],
    ['that nobody looked at yet is healthy and says so', scaler(), 'Healthy', 'NotObserved', /not reported/],
    [
      'that wants more than its maximum is healthy and says so',
      scaler(
        isTrue('AbleToScale'),
        isTrue('ScalingActive'),
        isTrue('ScalingLimited', 'TooManyReplicas', 'the desired replica count is more than the maximum replica count'),
      ),
      'Healthy',
      'TooManyReplicas',
      /more than the maximum/,
    ],
    [
      'whose target is scaled to 0 is healthy and says so',
      scaler(isTrue('AbleToScale'), isFalse('ScalingActive', 'ScalingDisabled', 'the replica count is zero')),
      'Healthy',
      'ScalingDisabled',
      /not scaling: the replica count is zero/,
    ],
    [
      'that waits between two steps is able to scale',
      scaler(isFalse('AbleToScale', 'BackoffBoth'), isTrue('ScalingActive')),
      'Healthy',
      'ScalingActive',
      /active/,
    ],
  ]);

  it('of the first API version has no conditions, and is healthy when it exists', () => {
    const old = object('autoscaling/v1', 'HorizontalPodAutoscaler', { status: { desiredReplicas: 0 } });
    expect(assessObject(old, NOW)).toMatchObject({ status: 'Healthy', reason: 'Exists' });
  });
});

it('nothing is healthy while it is being deleted', () => {
  const gone = { deletionTimestamp: ago(3) };
  for (const given of [
    deployment({ metadata: gone }),
    job({ metadata: gone }),
    object('v1', 'ConfigMap', { metadata: gone }),
  ]) {
    expect(assessObject(given, NOW)).toMatchObject({ status: 'Terminating' });
  }
});
