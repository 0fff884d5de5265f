import type { KubeObject } from '../kubernetes/object.ts';
import { assessObject } from './assess-object.ts';
import {
  ago,
  daemonSet,
  deployment,
  isFalse,
  isTrue,
  job,
  NOW,
  object,
  replicaSet,
  statefulSet,
} from './testing/kube-builders.ts';

type Row = readonly [sentence: string, object: KubeObject, said: string];

/** `said` is the whole answer: `Status Reason: message`. */
const rows = (table: readonly Row[]) => {
  it.each(table)('%s', (_sentence, given, said) => {
    const { status, reason, message } = assessObject(given, NOW);
    expect(`${status} ${reason}: ${message}`).toBe(said);
  });
};
const withConditions = (apiVersion: string, kind: string, ...conditions: readonly object[]) =>
  object(apiVersion, kind, { status: { conditions } });

describe('kinds of the cluster', () => {
  const node = (...conditions: readonly object[]) => withConditions('v1', 'Node', ...conditions);
  const definition = (...conditions: readonly object[]) =>
    withConditions('apiextensions.k8s.io/v1', 'CustomResourceDefinition', ...conditions);
  const api = (...conditions: readonly object[]) =>
    withConditions('apiregistration.k8s.io/v1', 'APIService', ...conditions);
  const budget = (disruptionsAllowed: number) =>
    object('policy/v1', 'PodDisruptionBudget', { status: { observedGeneration: 1, disruptionsAllowed } });

  rows([
    ['a namespace', object('v1', 'Namespace'), 'Healthy Active: the namespace is active'],
    [
      'a namespace that goes',
      object('v1', 'Namespace', { status: { phase: 'Terminating' } }),
      'Terminating Terminating: is being deleted',
    ],
    ['a definition that is new', definition(), 'Progressing Installing: the definition is being installed'],
    [
      'a definition that is being installed',
      definition(isFalse('Established', 'Installing')),
      'Progressing Installing: the definition is being installed',
    ],
    [
      'a definition that is refused',
      definition(isFalse('Established', 'NotAccepted', 'no')),
      'Failing NotAccepted: no',
    ],
    [
      'a definition that is refused without a word',
      definition({ type: 'Established', status: 'False' }),
      'Failing NotEstablished: it is not established',
    ],
    ['an API that nobody has looked at', api(), 'Progressing NotObserved: the API has not been looked at yet'],
    ['an API that is served', api(isTrue('Available')), 'Healthy Available: the API is served'],
    [
      'an API that is not served',
      api({ type: 'Available', status: 'False' }),
      'Progressing Unavailable: the API is not served',
    ],
    ['a node that is new', node(), 'Progressing NotObserved: the node has not reported yet'],
    ['a node that is ready', node(isTrue('Ready')), 'Healthy Ready: the node is ready'],
    [
      'a node that is cordoned',
      object('v1', 'Node', { spec: { unschedulable: true }, status: { conditions: [isTrue('Ready')] } }),
      'Healthy Ready: the node is ready, and cordoned',
    ],
    ['a budget of one', budget(1), 'Healthy Observed: 1 more pod may be disrupted'],
    ['a budget of two', budget(2), 'Healthy Observed: 2 more pods may be disrupted'],
    [
      'an autoscaler that waits before it scales down again',
      withConditions('autoscaling/v2', 'HorizontalPodAutoscaler', isFalse('AbleToScale', 'BackoffDownscale')),
      'Healthy ScalingActive: the autoscaler is active',
    ],
  ]);
});

describe('kinds with work', () => {
  const cronJob = (active: number) =>
    object('batch/v1', 'CronJob', { spec: { suspend: true }, status: { active: Array(active).fill({}) } });
  const failed = (condition: object) =>
    job({ status: { conditions: [{ type: 'Failed', status: 'True', ...condition }] } });

  rows([
    [
      'a Job in the middle of its completions',
      job({ spec: { completions: 3 }, status: { succeeded: 2, failed: 2, conditions: [] } }),
      'Progressing JobRunning: 2 of 3 completions reached; 2 pods failed',
    ],
    [
      'a Job that says nothing of completions',
      job({ spec: { completions: undefined }, status: { succeeded: undefined, conditions: [] } }),
      'Progressing JobRunning: 0 of 1 completion reached',
    ],
    [
      'a Job that has failed, with a reason and words',
      failed({ reason: 'BackoffLimitExceeded', message: 'too many' }),
      'Failing JobFailed: the Job has failed: BackoffLimitExceeded: too many',
    ],
    [
      'a Job that has failed, with words',
      failed({ message: 'too many' }),
      'Failing JobFailed: the Job has failed: too many',
    ],
    ['a Job that has failed, with a reason', failed({ reason: 'Late' }), 'Failing JobFailed: the Job has failed: Late'],
    ['a Job that has failed', failed({}), 'Failing JobFailed: the Job has failed: no reason given'],
    ['a CronJob with a Job', cronJob(1), 'Healthy Suspended: the CronJob is suspended; 1 Job of it still runs'],
    ['a CronJob with two', cronJob(2), 'Healthy Suspended: the CronJob is suspended; 2 Jobs of it still run'],
    [
      'a StatefulSet with a pod too many',
      statefulSet({ status: { replicas: 4 } }),
      'Progressing ExtraReplicas: 1 replica too many, waiting to end',
    ],
  ]);
});

describe('workloads, by one count after another', () => {
  const onDelete = { updateStrategy: { type: 'OnDelete' } };
  const noDaemons = {
    desiredNumberScheduled: 0,
    currentNumberScheduled: 0,
    updatedNumberScheduled: 0,
    numberAvailable: 0,
    numberReady: 0,
  };
  const none = { replicas: 0, readyReplicas: 0, availableReplicas: 0 };
  const late = [isFalse('Progressing', 'ProgressDeadlineExceeded')];

  rows([
    [
      'a Deployment with a pod that is available, and no longer ready',
      deployment({ status: { readyReplicas: 2 } }),
      'Progressing ReplicasNotReady: 2 of 3 updated replicas are ready',
    ],
    [
      'a Deployment that was late, by a deadline that nobody says',
      deployment({ spec: { progressDeadlineSeconds: undefined }, status: { conditions: late } }),
      'Failing ProgressDeadlineExceeded: no progress within its deadline',
    ],
    [
      'a ReplicaSet that nobody has looked at',
      replicaSet({ status: { observedGeneration: undefined } }),
      'Progressing NotObserved: its controller has not observed it yet',
    ],
    [
      'a ReplicaSet with a pod that is not ready',
      replicaSet({ status: { readyReplicas: 2 } }),
      'Progressing ReplicasNotReady: 2 of 3 replicas are ready',
    ],
    [
      'a ReplicaSet with a pod too many',
      replicaSet({ status: { replicas: 4 } }),
      'Progressing ExtraReplicas: 1 replica too many, waiting to end',
    ],
    [
      'a ReplicaSet that is scaled to 0',
      replicaSet({ spec: { replicas: 0 }, status: none }),
      'Healthy ScaledToZero: the ReplicaSet is scaled to 0',
    ],
    [
      'a StatefulSet that nobody has looked at',
      statefulSet({ status: { observedGeneration: undefined } }),
      'Progressing NotObserved: its controller has not observed it yet',
    ],
    [
      'a StatefulSet without its last pod',
      statefulSet({ status: { replicas: 2, readyReplicas: 2, availableReplicas: 2 } }),
      'Progressing ReplicasNotCreated: 2 of 3 replicas are created',
    ],
    [
      'a StatefulSet whose revision is not the current one yet',
      statefulSet({ status: { currentRevision: 'web-a' } }),
      'Progressing RevisionNotCurrent: the updated revision is not the current one yet',
    ],
    [
      'a StatefulSet with a partition, and nothing to update',
      statefulSet({ spec: { updateStrategy: { rollingUpdate: { partition: 1 } } } }),
      'Healthy Available: 3 of 3 replicas are available',
    ],
    [
      'a StatefulSet that is updated by hand, and was',
      statefulSet({ spec: onDelete }),
      'Healthy OnDelete: 3 of 3 replicas are ready',
    ],
    [
      'a DaemonSet without one of its pods',
      daemonSet({ status: { currentNumberScheduled: 2 } }),
      'Progressing PodsNotScheduled: 2 of 3 pods are scheduled',
    ],
    [
      'a DaemonSet with a pod that is not ready',
      daemonSet({ status: { numberReady: 2 } }),
      'Progressing PodsNotReady: 2 of 3 updated pods are ready',
    ],
    ['a DaemonSet without nodes', daemonSet({ status: noDaemons }), 'Healthy NoNodes: no node is selected'],
    [
      'a DaemonSet that is updated by hand, and was',
      daemonSet({ spec: onDelete }),
      'Healthy Available: 3 of 3 pods are available',
    ],
  ]);
});

describe('volumes and addresses', () => {
  const volume = (phase?: string) => object('v1', 'PersistentVolume', { status: phase === undefined ? {} : { phase } });
  const service = (spec: object, status: object = {}) =>
    object('v1', 'Service', { spec: { type: 'LoadBalancer', ...spec }, status: { ...status } });
  const at = (...ingress: readonly object[]) => ({ loadBalancer: { ingress } });

  rows([
    ['a volume that is bound', volume('Bound'), 'Healthy Bound: the volume is bound'],
    ['a volume that is released', volume('Released'), 'Healthy Released: the volume is released'],
    ['a volume that is available', volume('Available'), 'Healthy Available: the volume is available'],
    ['a volume that is pending', volume('Pending'), 'Progressing VolumePending: the volume is not available yet'],
    ['a volume that is new', volume(), 'Progressing VolumePending: the volume is not available yet'],
    ['a volume in a phase of its own', volume('Odd'), 'Unknown UnknownPhase: unknown phase Odd'],
    [
      'a load balancer without an address',
      service({ externalIPs: [] }),
      'Progressing LoadBalancerPending: the load balancer has no address yet',
    ],
    [
      'a load balancer of a class',
      service({ loadBalancerClass: 'cloud' }),
      'Progressing LoadBalancerPending: the load balancer has no address yet; its class is cloud',
    ],
    [
      'a load balancer of the network around it',
      service({ externalIPs: ['10.0.0.1'] }),
      'Healthy Exists: the Service has external addresses',
    ],
    [
      'a load balancer with all of its ports',
      service({}, at({ ip: '10.0.0.1', ports: [{ port: 80 }, { port: 443 }] })),
      "Healthy LoadBalancerReady: the load balancer's address is 10.0.0.1",
    ],
    [
      'a load balancer without one of its ports',
      service({}, at({ hostname: 'lb.example' }, { ports: [{ port: 80 }, { port: 443, error: 'Taken' }] })),
      'Progressing LoadBalancerPortError: port 443 of the load balancer: Taken',
    ],
    ['an ingress', object('networking.k8s.io/v1', 'Ingress'), 'Healthy Exists: exists; no address is assigned'],
    [
      'an ingress with an address',
      object('networking.k8s.io/v1', 'Ingress', { status: at({ hostname: 'lb.example' }) }),
      'Healthy Exists: its address is lb.example',
    ],
  ]);
});

describe('kinds of users', () => {
  const own = (conditions: readonly object[], generation?: number) =>
    object('example.org/v1', 'Database', {
      metadata: generation === undefined ? {} : { generation },
      status: { conditions },
    });
  const ready = { type: 'Ready', status: 'True' };
  const going = (finalizers: unknown) =>
    object('example.org/v1', 'Database', { metadata: { deletionTimestamp: ago(3), finalizers } });

  rows([
    ['one that reports nothing', own([]), 'Healthy Exists: exists; it reports no readiness'],
    ['one that is ready', own([ready]), 'Healthy Ready: condition Ready is True'],
    ['one that is ready for a reason', own([{ ...ready, reason: 'AllGood' }]), 'Healthy AllGood: AllGood'],
    [
      'one that is ready as of an older generation',
      own([{ ...ready, observedGeneration: 2 }], 3),
      'Progressing GenerationNotObserved: condition Ready is about generation 2',
    ],
    [
      'one that is ready as of this generation',
      own([{ ...ready, observedGeneration: 3 }], 3),
      'Healthy Ready: condition Ready is True',
    ],
    ['one that does not say as of which', own([ready], 3), 'Healthy Ready: condition Ready is True'],
    ['one without a generation', own([{ ...ready, observedGeneration: 3 }]), 'Healthy Ready: condition Ready is True'],
    [
      'one that is available, and not ready',
      own([
        { type: 'Available', status: 'True' },
        { type: 'Ready', status: 'False' },
      ]),
      'Progressing NotReady: condition Ready is False',
    ],
    [
      'one that reconciles for a reason',
      own([{ type: 'Reconciling', status: 'True', reason: 'Waiting' }, ready]),
      'Progressing Waiting: Waiting',
    ],
    [
      'one that reconciles',
      own([{ type: 'Reconciling', status: 'True' }]),
      'Progressing Reconciling: is being reconciled',
    ],
    ['one that goes', going(undefined), 'Terminating Terminating: is being deleted'],
    [
      'one that goes, and is held',
      going([7, 'a/b', null, 'c']),
      'Terminating Terminating: is being deleted; finalizers left: a/b, c',
    ],
  ]);
});
