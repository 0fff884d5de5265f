import type { KubeObject } from '../kubernetes/object.ts';
import { assessObject } from './assess-object.ts';
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

type Row = readonly [sentence: string, object: KubeObject, status: string, reason: string, message: string | RegExp];

const rows = (table: readonly Row[]) => {
  it.each(table)('%s', (_sentence, given, status, reason, message) => {
    const health = assessObject(given, NOW);
    expect(health).toMatchObject({ status, reason });
    expect(health.message).toMatch(message);
  });
};

const exact = (text: string) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);

describe('every object', () => {
  rows([
    [
      'that is being deleted is terminating and names its finalizers',
      deployment({ metadata: { deletionTimestamp: ago(3), finalizers: ['example.org/hold'] } }),
      'Terminating',
      'Terminating',
      /example\.org\/hold/,
    ],
    [
      'whose newest generation was not observed progresses, however good its old status looks',
      deployment({ metadata: { generation: 3 } }),
      'Progressing',
      'GenerationNotObserved',
      /generation 3 has not been observed yet, only 2/,
    ],
    [
      'that says it is stalled is failing',
      object('example.org/v1', 'Database', { status: { conditions: [isTrue('Stalled', 'bad-spec', 'no such size')] } }),
      'Failing',
      'BadSpec',
      exact('no such size'),
    ],
    [
      'that says it is reconciling progresses, even when it is ready',
      object('example.org/v1', 'Database', { status: { conditions: [isTrue('Reconciling'), isTrue('Ready')] } }),
      'Progressing',
      'Reconciling',
      /Reconciling/,
    ],
    [
      'without kind and name is unknown',
      { apiVersion: 'v1' } as unknown as KubeObject,
      'Unknown',
      'NotAnObject',
      /no kind/,
    ],
    [
      'that only has to exist is healthy',
      object('rbac.authorization.k8s.io/v1', 'ClusterRole'),
      'Healthy',
      'Exists',
      /exists/,
    ],
  ]);

  it('cannot bring a terminal escape, a line break or a novel into a message', () => {
    const message = `\u001b[31mred\u001b[0m\nnext \u202eline ${'x'.repeat(5000)}`;
    const health = assessObject(
      object('example.org/v1', 'Database', { status: { conditions: [isFalse('Ready', 'No', message)] } }),
      NOW,
    );
    expect(health.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(health.message.length).toBeLessThanOrEqual(400);
  });
});

describe('a Deployment', () => {
  const counts = (updated: number, total: number, available: number, ready = available) => ({
    updatedReplicas: updated,
    replicas: total,
    availableReplicas: available,
    readyReplicas: ready,
  });
  rows([
    [
      'with all replicas updated and available is healthy',
      deployment(),
      'Healthy',
      'Available',
      exact('3 of 3 updated replicas are available'),
    ],
    [
      'with one of three available progresses',
      deployment({ status: counts(3, 3, 1) }),
      'Progressing',
      'ReplicasNotAvailable',
      exact('1 of 3 updated replicas are available'),
    ],
    [
      'of one replica that is not available speaks of one',
      deployment({ spec: { replicas: 1 }, status: counts(1, 1, 0) }),
      'Progressing',
      'ReplicasNotAvailable',
      exact('0 of 1 updated replica is available'),
    ],
    [
      'whose old pods still serve is not done',
      stuckDeployment(),
      'Progressing',
      'ReplicasNotUpdated',
      exact('1 of 3 replicas are updated'),
    ],
    [
      'of one replica whose old pod is the available one is not done',
      deployment({ spec: { replicas: 1 }, status: counts(1, 2, 1) }),
      'Progressing',
      'OldReplicasRemain',
      exact('1 old replica is left; 1 of 2 replicas are available'),
    ],
    [
      'with more replicas than wanted waits for them to end',
      deployment({ spec: { replicas: 2 } }),
      'Progressing',
      'ExtraReplicas',
      /1 replica too many/,
    ],
    [
      'scaled to 0 is healthy',
      deployment({ spec: { replicas: 0 }, status: counts(0, 0, 0) }),
      'Healthy',
      'ScaledToZero',
      /scaled to 0/,
    ],
    [
      'scaled to 0 that nobody observed yet is not healthy',
      deployment({ spec: { replicas: 0 }, status: { ...counts(0, 0, 0), observedGeneration: undefined } }),
      'Progressing',
      'NotObserved',
      /not observed/,
    ],
    [
      'that is paused before its change rolled out progresses and says so',
      deployment({ spec: { paused: true }, status: counts(0, 3, 3) }),
      'Progressing',
      'Paused',
      exact('the Deployment is paused, its template was not rolled out; 0 of 3 replicas are updated'),
    ],
    [
      'that is paused and up to date is healthy',
      deployment({
        spec: { paused: true },
        status: { conditions: [{ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' }] },
      }),
      'Healthy',
      'Available',
      /3 of 3/,
    ],
    [
      'past its progress deadline is failing and says how far it came',
      stuckDeployment({ status: { conditions: [isFalse('Progressing', 'ProgressDeadlineExceeded')] } }),
      'Failing',
      'ProgressDeadlineExceeded',
      exact('no progress within 600 s; 1 of 3 replicas are updated'),
    ],
    [
      'whose pods may not be created repeats why',
      stuckDeployment({ status: { conditions: [isTrue('ReplicaFailure', 'FailedCreate', 'exceeded quota: pods')] } }),
      'Progressing',
      'ReplicaFailure',
      exact('1 of 3 replicas are updated: exceeded quota: pods'),
    ],
    [
      'that says itself that its ReplicaSet is not complete progresses',
      deployment({ status: { conditions: [isTrue('Progressing', 'ReplicaSetUpdated', 'is progressing')] } }),
      'Progressing',
      'NewReplicaSetNotAvailable',
      /is progressing/,
    ],
    [
      'that is not available by its own word progresses',
      deployment({ status: { conditions: [isFalse('Available', 'MinimumReplicasUnavailable')] } }),
      'Progressing',
      'Unavailable',
      /MinimumReplicasUnavailable/,
    ],
  ]);
});

describe('other workloads', () => {
  const onDelete = { updateStrategy: { type: 'OnDelete' } };
  const partition = (at: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: at } } });
  rows([
    ['a ReplicaSet with all replicas is healthy', replicaSet(), 'Healthy', 'Available', /3 of 3/],
    [
      'a ReplicaSet short of one progresses',
      replicaSet({ status: { availableReplicas: 2 } }),
      'Progressing',
      'ReplicasNotAvailable',
      exact('2 of 3 replicas are available'),
    ],
    [
      'a ReplicationController is judged like a ReplicaSet',
      object('v1', 'ReplicationController', { status: { observedGeneration: 1, replicas: 1, availableReplicas: 0 } }),
      'Progressing',
      'ReplicasNotAvailable',
      exact('0 of 1 replica is available'),
    ],
    ['a StatefulSet with all replicas updated and ready is healthy', statefulSet(), 'Healthy', 'Available', /3 of 3/],
    [
      'a StatefulSet in the middle of an update progresses',
      statefulSet({ status: { updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, updateRevision: 'web-c' } }),
      'Progressing',
      'ReplicasNotUpdated',
      exact('1 of 3 replicas are updated; 2 of 3 replicas are ready'),
    ],
    [
      'a StatefulSet with minReadySeconds waits until they passed',
      statefulSet({ status: { availableReplicas: 1 } }),
      'Progressing',
      'ReplicasNotAvailable',
      exact('1 of 3 replicas are available'),
    ],
    [
      'a StatefulSet whose partition is reached is healthy and says what is old',
      statefulSet({ spec: partition(2), status: { updatedReplicas: 1, updateRevision: 'web-c' } }),
      'Healthy',
      'PartitionUpdated',
      exact('1 of 3 replicas are updated, as the partition 2 asks'),
    ],
    [
      'a StatefulSet whose partition is not reached progresses',
      statefulSet({ spec: partition(1), status: { updatedReplicas: 1, updateRevision: 'web-c' } }),
      'Progressing',
      'ReplicasNotUpdated',
      exact('1 of 2 replicas are updated'),
    ],
    [
      'a StatefulSet with OnDelete is healthy when ready, and says how many keep the old revision',
      statefulSet({ spec: onDelete, status: { updatedReplicas: 1, updateRevision: 'web-c' } }),
      'Healthy',
      'OnDelete',
      /2 keep the old revision/,
    ],
    [
      'a StatefulSet with OnDelete that is not ready progresses',
      statefulSet({ spec: onDelete, status: { readyReplicas: 2 } }),
      'Progressing',
      'ReplicasNotReady',
      exact('2 of 3 replicas are ready'),
    ],
    ['a DaemonSet on every node is healthy', daemonSet(), 'Healthy', 'Available', /3 of 3/],
    [
      'a DaemonSet that no controller has seen progresses',
      daemonSet({ status: { observedGeneration: undefined } }),
      'Progressing',
      'NotObserved',
      /not observed/,
    ],
    [
      'a DaemonSet with old pods progresses',
      daemonSet({ status: { updatedNumberScheduled: 1 } }),
      'Progressing',
      'PodsNotUpdated',
      exact('1 of 3 pods are updated'),
    ],
    [
      'a DaemonSet with OnDelete and old pods is healthy and says so',
      daemonSet({ spec: onDelete, status: { updatedNumberScheduled: 2 } }),
      'Healthy',
      'OnDelete',
      /1 keeps the old revision/,
    ],
    [
      'a DaemonSet with an unavailable pod progresses',
      daemonSet({ status: { numberAvailable: 2 } }),
      'Progressing',
      'PodsNotAvailable',
      exact('2 of 3 updated pods are available'),
    ],
    ['a Job that completed is healthy', job(), 'Healthy', 'Complete', /completed/],
    [
      'a Job that runs is not done',
      job({ status: { succeeded: 0, failed: 2, conditions: [] } }),
      'Progressing',
      'JobRunning',
      exact('0 of 1 completion reached; 2 pods failed'),
    ],
    [
      'a Job that failed is failing and says why',
      job({ status: { conditions: [isTrue('Failed', 'BackoffLimitExceeded', 'too many retries')] } }),
      'Failing',
      'JobFailed',
      exact('the Job has failed: BackoffLimitExceeded: too many retries'),
    ],
    [
      'a Job whose pods still end after its failure is failing already',
      job({ status: { conditions: [isTrue('FailureTarget', 'PodFailurePolicy')] } }),
      'Failing',
      'JobFailed',
      /PodFailurePolicy/,
    ],
    [
      'a suspended Job is healthy',
      job({ spec: { suspend: true }, status: { conditions: [isTrue('Suspended')] } }),
      'Healthy',
      'Suspended',
      /suspended/,
    ],
    [
      'a Job that was not started progresses',
      job({ status: { startTime: undefined, conditions: [] } }),
      'Progressing',
      'JobNotStarted',
      /not started/,
    ],
    [
      'a CronJob is healthy when it exists',
      object('batch/v1', 'CronJob', { spec: { schedule: '@hourly' } }),
      'Healthy',
      'Scheduled',
      /@hourly/,
    ],
  ]);
});

describe('a Pod', () => {
  const unscheduled = (created: string) =>
    illPod(
      {},
      {
        metadata: { creationTimestamp: created },
        status: {
          conditions: [isFalse('PodScheduled', 'Unschedulable', '0/3 nodes are available')],
          containerStatuses: [],
        },
      },
    );
  rows([
    ['that is ready is healthy', pod(), 'Healthy', 'Ready', /ready/],
    ['that succeeded is healthy', pod({ status: { phase: 'Succeeded' } }), 'Healthy', 'Succeeded', /succeeded/],
    [
      'that failed is failing, with its exit code and without what it wrote',
      pod({ status: { phase: 'Failed', containerStatuses: [container(exited(3))] } }),
      'Failing',
      'Error',
      exact('container web exited with code 3 (Error)'),
    ],
    [
      'that was evicted is failing',
      pod({ status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } }),
      'Failing',
      'Evicted',
      exact('low on memory'),
    ],
    ['whose image cannot be pulled is failing', imagePullBackOff(), 'Failing', 'ImagePullBackOff', /web:bad/],
    [
      'in a crash loop is failing and says how it ends',
      illPod(waiting('CrashLoopBackOff', 'back-off 40s restarting'), { restarts: 4, status: { phase: 'Running' } }),
      'Failing',
      'CrashLoopBackOff',
      exact('container web exited with code 1 (Error), 4 restarts'),
    ],
    [
      'whose init container crashes is failing by that',
      illPod(waiting('PodInitializing'), {
        status: {
          initContainerStatuses: [
            container(waiting('CrashLoopBackOff'), { name: 'wait-for-db', restartCount: 2, lastState: exited(2) }),
          ],
        },
      }),
      'Failing',
      'CrashLoopBackOff',
      /wait-for-db exited with code 2/,
    ],
    [
      'that runs and is not ready progresses',
      illPod({ running: {} }, { status: { phase: 'Running' } }),
      'Progressing',
      'NotReady',
      /unready status/,
    ],
    [
      'that is being started progresses',
      illPod(waiting('ContainerCreating')),
      'Progressing',
      'ContainerCreating',
      /not ready/,
    ],
    [
      'that has just been made is not called unschedulable',
      unscheduled(ago(5)),
      'Progressing',
      'PodNotScheduled',
      /yet/,
    ],
    ['that finds no node says so after a while', unscheduled(ago(60)), 'Progressing', 'Unschedulable', /0\/3 nodes/],
    ['on a node that is gone is unknown', pod({ status: { phase: 'Unknown' } }), 'Unknown', 'PodUnknown', /node/],
    [
      'of a Job that is tried again progresses: the Job counts its retries',
      illPod(waiting('CrashLoopBackOff'), { restarts: 2, ownedBy: ownedBy('Job', 'migrate') }),
      'Progressing',
      'CrashLoopBackOff',
      /2 restarts/,
    ],
  ]);
});

describe('volumes, network and cluster kinds', () => {
  const claim = (phase: string) => object('v1', 'PersistentVolumeClaim', { name: 'data', status: { phase } });
  const crd = (...conditions: object[]) =>
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { conditions } });
  const balancer = (status: object, spec: object = {}) =>
    object('v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1', ...spec }, status: { ...status } });
  const scaler = (...conditions: object[]) =>
    object('autoscaling/v2', 'HorizontalPodAutoscaler', { status: { conditions } });

  rows([
    ['a bound claim is healthy', claim('Bound'), 'Healthy', 'Bound', /bound/],
    ['a pending claim progresses', claim('Pending'), 'Progressing', 'ClaimPending', /Pending/],
    ['a claim whose volume is gone is failing', claim('Lost'), 'Failing', 'ClaimLost', /gone/],
    [
      'a volume that could not be reclaimed is failing',
      object('v1', 'PersistentVolume', { status: { phase: 'Failed', message: 'no plugin' } }),
      'Failing',
      'VolumeFailed',
      /no plugin/,
    ],
    [
      'a Service in the cluster is healthy',
      object('v1', 'Service', { spec: { type: 'ClusterIP' } }),
      'Healthy',
      'Exists',
      /exists/,
    ],
    ['a load balancer without address progresses', balancer({}), 'Progressing', 'LoadBalancerPending', /no address/],
    [
      'a load balancer with address is healthy',
      balancer({ loadBalancer: { ingress: [{ hostname: 'lb.example.org' }] } }),
      'Healthy',
      'LoadBalancerReady',
      /lb\.example\.org/,
    ],
    [
      'a load balancer with external addresses needs no other',
      balancer({}, { externalIPs: ['192.0.2.1'] }),
      'Healthy',
      'Exists',
      /external/,
    ],
    [
      'an Ingress without address is healthy and says so',
      object('networking.k8s.io/v1', 'Ingress'),
      'Healthy',
      'Exists',
      /no address/,
    ],
    [
      'an established definition is healthy',
      crd(isTrue('NamesAccepted'), isTrue('Established')),
      'Healthy',
      'Established',
      /established/,
    ],
    ['a definition that is being installed progresses', crd(), 'Progressing', 'Installing', /installed/],
    [
      'a definition whose names are taken is failing',
      crd(isFalse('NamesAccepted', 'PluralConflict', '"widgets" is already in use')),
      'Failing',
      'PluralConflict',
      /already in use/,
    ],
    [
      'an API that does not answer progresses',
      object('apiregistration.k8s.io/v1', 'APIService', {
        status: { conditions: [isFalse('Available', 'FailedDiscoveryCheck', 'no response')] },
      }),
      'Progressing',
      'FailedDiscoveryCheck',
      /no response/,
    ],
    [
      'a node that is not ready is failing',
      object('v1', 'Node', { status: { conditions: [isFalse('Ready', 'KubeletNotReady', 'no network')] } }),
      'Failing',
      'NodeNotReady',
      /no network/,
    ],
    [
      'a namespace in deletion is terminating',
      object('v1', 'Namespace', { status: { phase: 'Terminating' } }),
      'Terminating',
      'Terminating',
      /deleted/,
    ],
    [
      'a disruption budget that was not computed yet progresses',
      object('policy/v1', 'PodDisruptionBudget'),
      'Progressing',
      'NotObserved',
      /observed/,
    ],
    [
      'an autoscaler without metrics is healthy and says so',
      scaler(isTrue('AbleToScale'), isFalse('ScalingActive', 'FailedGetResourceMetric', 'no metrics')),
      'Healthy',
      'FailedGetResourceMetric',
      /no metrics/,
    ],
    [
      'an autoscaler without target progresses',
      scaler(isFalse('AbleToScale', 'FailedGetScale', 'deployments "web" not found')),
      'Progressing',
      'FailedGetScale',
      /not found/,
    ],
  ]);

  const waits = event(claim('Pending'), 'WaitForFirstConsumer', 'waiting for first consumer', { type: 'Normal' });
  const consumer = pod({ spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } });

  it('a claim that waits for its first consumer is healthy, with a note', () => {
    expect(assessObject(claim('Pending'), NOW, { events: [waits] })).toMatchObject({
      status: 'Healthy',
      reason: 'WaitForFirstConsumer',
    });
  });

  it('a claim waits on while pods use others, or one of its name elsewhere', () => {
    const volume = (claimName: string) => ({ volumes: [{ persistentVolumeClaim: { claimName } }] });
    const pods = [
      pod({ spec: volume('other') }),
      pod({ spec: volume('data'), metadata: { namespace: 'elsewhere' } }),
      pod({ spec: { volumes: [{ name: 'x' }] } }),
    ];
    const statusOf = (events: readonly KubeObject[]) => assessObject(claim('Pending'), NOW, { events, pods }).status;
    expect(statusOf([waits])).toBe('Healthy');
    expect(statusOf([event(claim('Pending'), 'ProvisioningFailed', 'no space')])).toBe('Progressing');
    const two = pod({ spec: { volumes: [{ name: 'x' }, ...volume('data').volumes] } });
    expect(assessObject(claim('Pending'), NOW, { events: [waits], pods: [two] }).status).toBe('Progressing');
  });

  it('a claim that a pod uses no longer waits: it has to be bound', () => {
    expect(assessObject(claim('Pending'), NOW, { events: [waits], pods: [consumer] })).toMatchObject({
      status: 'Progressing',
      reason: 'ClaimPending',
    });
  });
});

describe('a custom kind', () => {
  const custom = (...conditions: object[]) =>
    object('example.org/v1', 'Database', { metadata: { generation: 2 }, status: { conditions } });
  rows([
    ['without conditions is healthy when it exists', custom(), 'Healthy', 'Exists', /no readiness/],
    ['that is ready is healthy', custom(isTrue('Ready', 'Ready', 'all good')), 'Healthy', 'Ready', exact('all good')],
    [
      'that is not ready progresses with its own words',
      custom(isFalse('Ready', 'CreatingVolume', 'creating volume')),
      'Progressing',
      'CreatingVolume',
      exact('creating volume'),
    ],
    [
      'whose readiness is unknown progresses',
      custom({ type: 'Available', status: 'Unknown' }),
      'Progressing',
      'NotAvailable',
      exact('condition Available is Unknown'),
    ],
    [
      'that is ready but not healthy progresses',
      custom(isTrue('Ready'), isFalse('Healthy', 'Lagging')),
      'Progressing',
      'Lagging',
      /Lagging/,
    ],
    [
      'that was ready in an older generation progresses',
      custom({ ...isTrue('Ready'), observedGeneration: 1 }),
      'Progressing',
      'GenerationNotObserved',
      /generation 1/,
    ],
    [
      'with other conditions only is healthy when it exists',
      custom(isFalse('Paused', 'No')),
      'Healthy',
      'Exists',
      /exists/,
    ],
  ]);
});
