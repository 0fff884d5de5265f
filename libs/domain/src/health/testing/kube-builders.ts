import type { KubeObject } from '../../kubernetes/object.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a test says about an object; everything else is as a real server writes it for a healthy object. */
export interface Given {
  readonly name?: string;
  readonly metadata?: Fields;
  readonly spec?: Fields;
  readonly status?: Fields;
}

export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const build = (apiVersion: string, kind: string, healthy: Required<Omit<Given, 'name'>>, given: Given): KubeObject => {
  const name = given.name ?? 'web';
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: 'podinfo',
      uid: `uid-${kind}-${name}`,
      creationTimestamp: ago(3600),
      ...healthy.metadata,
      ...given.metadata,
    },
    spec: { ...healthy.spec, ...given.spec },
    status: { ...healthy.status, ...given.status },
  };
};

const condition = (type: string, status: string, reason: string, message = '') => ({ type, status, reason, message });
export const isTrue = (type: string, reason = type, message = '') => condition(type, 'True', reason, message);
export const isFalse = (type: string, reason: string, message = '') => condition(type, 'False', reason, message);

export const deployment = (given: Given = {}): KubeObject =>
  build(
    'apps/v1',
    'Deployment',
    {
      metadata: { generation: 2, annotations: { 'deployment.kubernetes.io/revision': '2' } },
      spec: { replicas: 3, progressDeadlineSeconds: 600 },
      status: {
        observedGeneration: 2,
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
        conditions: [isTrue('Progressing', 'NewReplicaSetAvailable'), isTrue('Available', 'MinimumReplicasAvailable')],
      },
    },
    given,
  );

/** A rollout in which no updated pod became available; the old pods still serve. */
export const stuckDeployment = (given: Given = {}): KubeObject =>
  deployment({
    ...given,
    status: {
      replicas: 4,
      updatedReplicas: 1,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: [isTrue('Progressing', 'ReplicaSetUpdated'), isTrue('Available', 'MinimumReplicasAvailable')],
      ...given.status,
    },
  });

export const statefulSet = (given: Given = {}): KubeObject =>
  build(
    'apps/v1',
    'StatefulSet',
    {
      metadata: { generation: 2 },
      spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } },
      status: {
        observedGeneration: 2,
        replicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
        currentReplicas: 3,
        updatedReplicas: 3,
        currentRevision: 'web-b',
        updateRevision: 'web-b',
      },
    },
    given,
  );

export const daemonSet = (given: Given = {}): KubeObject =>
  build(
    'apps/v1',
    'DaemonSet',
    {
      metadata: { generation: 2, annotations: { 'deprecated.daemonset.template.generation': '2' } },
      spec: { updateStrategy: { type: 'RollingUpdate' } },
      status: {
        observedGeneration: 2,
        desiredNumberScheduled: 3,
        currentNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 3,
        numberReady: 3,
      },
    },
    given,
  );

export const replicaSet = (given: Given & { readonly revision?: string; readonly of?: string } = {}): KubeObject =>
  build(
    'apps/v1',
    'ReplicaSet',
    {
      metadata: {
        generation: 1,
        annotations: { 'deployment.kubernetes.io/revision': given.revision ?? '2' },
        ownerReferences: [ownedBy('Deployment', given.of ?? 'web')],
      },
      spec: { replicas: 3 },
      status: { observedGeneration: 1, replicas: 3, readyReplicas: 3, availableReplicas: 3, fullyLabeledReplicas: 3 },
    },
    { name: 'web-7d4f', ...given },
  );

export const job = (given: Given = {}): KubeObject =>
  build(
    'batch/v1',
    'Job',
    {
      metadata: { generation: 1 },
      spec: { completions: 1, parallelism: 1, backoffLimit: 6 },
      status: { startTime: ago(60), succeeded: 1, conditions: [isTrue('Complete', 'CompletionsReached')] },
    },
    { name: 'migrate', ...given },
  );

export const ownedBy = (kind: string, name: string) => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  uid: `uid-${kind}-${name}`,
  controller: true,
});

export const container = (state: Fields, more: Fields = {}) => ({
  name: 'web',
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
export const waiting = (reason: string, message?: string) => ({
  waiting: message === undefined ? { reason } : { reason, message },
});
export const exited = (exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error') => ({
  terminated: { exitCode, reason, message: 'password=hunter2' },
});

export const pod = (given: Given & { readonly ownedBy?: Fields } = {}): KubeObject =>
  build(
    'v1',
    'Pod',
    {
      metadata: given.ownedBy === undefined ? {} : { ownerReferences: [given.ownedBy] },
      spec: {},
      status: {
        phase: 'Running',
        conditions: [isTrue('PodScheduled'), isTrue('Ready')],
        containerStatuses: [container({ running: { startedAt: ago(60) } }, { ready: true })],
      },
    },
    { name: 'web-7d4f-x1', ...given },
  );

/** A pod of the newest ReplicaSet of `web` that is not ready. */
export const illPod = (state: Fields, given: Given & { readonly ownedBy?: Fields; readonly restarts?: number } = {}) =>
  pod({
    ownedBy: ownedBy('ReplicaSet', 'web-7d4f'),
    ...given,
    status: {
      phase: 'Pending',
      conditions: [
        isTrue('PodScheduled'),
        isFalse('Ready', 'ContainersNotReady', 'containers with unready status: [web]'),
      ],
      containerStatuses: [container(state, { restartCount: given.restarts ?? 0, lastState: exited(1) })],
      ...given.status,
    },
  });

export const imagePullBackOff = (name = 'web-7d4f-x1', owner: Fields = ownedBy('ReplicaSet', 'web-7d4f')) =>
  illPod(waiting('ImagePullBackOff', 'Back-off pulling image "web:bad"'), { name, ownedBy: owner });

export const event = (about: KubeObject, reason: string, message: string, more: Fields = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${about.metadata.name}.${reason}`, namespace: 'podinfo' },
  involvedObject: {
    kind: about.kind,
    namespace: about.metadata.namespace,
    name: about.metadata.name,
    uid: about.metadata.uid,
  },
  type: 'Warning',
  reason,
  message,
  lastTimestamp: ago(5),
  ...more,
});

export const object = (apiVersion: string, kind: string, given: Given = {}): KubeObject =>
  build(apiVersion, kind, { metadata: {}, spec: {}, status: {} }, given);
