import type { KubeObject } from '../kubernetes/object.ts';
import { conditionIs, conditionOf, conditionText } from './condition.ts';
import { counted } from './evidence-text.ts';
import { awaitFirstObservation } from './generic-rules.ts';
import { numberAt, stringAt, valueAt } from './json-field.ts';
import { failing, healthy, progressing } from './object-health.ts';
import type { HealthRule, ObjectHealth } from './object-health.ts';

const statusCount = (object: KubeObject, name: string): number => numberAt(object, 'status', name) ?? 0;
const wantedReplicas = (object: KubeObject): number => numberAt(object, 'spec', 'replicas') ?? 1;
const verb = (count: number): string => (count === 1 ? 'is' : 'are');
const of = (count: number, wanted: number, noun: string): string =>
  `${count} of ${counted(wanted, noun)} ${verb(wanted)}`;

/** A replica that cannot be created (quota, admission) explains every count that is too small. */
const becauseOfReplicaFailure = (object: KubeObject, shortfall: ObjectHealth | null): ObjectHealth | null => {
  const failure = conditionIs(object, 'ReplicaFailure', 'True');
  if (shortfall === null || failure === undefined) return shortfall;
  return progressing('ReplicaFailure', `${shortfall.message}: ${conditionText(failure, 'replicas cannot be created')}`);
};

const deploymentShortfall = (object: KubeObject): ObjectHealth | null => {
  const wanted = wantedReplicas(object);
  const total = statusCount(object, 'replicas');
  const updated = statusCount(object, 'updatedReplicas');
  const available = statusCount(object, 'availableReplicas');
  const ready = statusCount(object, 'readyReplicas');
  if (updated < wanted) return progressing('ReplicasNotUpdated', `${of(updated, wanted, 'replica')} updated`);
  if (available < wanted) {
    return progressing('ReplicasNotAvailable', `${of(available, wanted, 'updated replica')} available`);
  }
  if (total > updated) {
    const old = total - updated;
    // How many of the available ones are new, the status does not say.
    const among = `${of(available, total, 'replica')} available`;
    return progressing('OldReplicasRemain', `${counted(old, 'old replica')} ${verb(old)} left; ${among}`);
  }
  if (total > wanted) {
    return progressing('ExtraReplicas', `${counted(total - wanted, 'replica')} too many, waiting to end`);
  }
  if (ready < wanted) return progressing('ReplicasNotReady', `${of(ready, wanted, 'updated replica')} ready`);
  return null;
};

export const assessDeployment: HealthRule = (object) => {
  const unobserved = awaitFirstObservation(object);
  if (unobserved !== null) return unobserved;
  const shortfall = becauseOfReplicaFailure(object, deploymentShortfall(object));
  const paused = valueAt(object, 'spec', 'paused') === true;
  const progress = conditionOf(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') {
    const deadline = numberAt(object, 'spec', 'progressDeadlineSeconds');
    const state = shortfall === null ? '' : `; ${shortfall.message}`;
    return failing(
      'ProgressDeadlineExceeded',
      `no progress within ${deadline === undefined ? 'its deadline' : `${deadline} s`}${state}${paused ? '; paused' : ''}`,
    );
  }
  if (shortfall !== null) {
    return paused
      ? progressing('Paused', `the Deployment is paused${notRolledOut(object)}; ${shortfall.message}`)
      : shortfall;
  }
  // The controller says so itself once the newest ReplicaSet is complete; while paused it says nothing about progress.
  if (progress?.status === 'True' && progress.reason !== 'NewReplicaSetAvailable' && !paused) {
    return progressing('NewReplicaSetNotAvailable', conditionText(progress, 'the newest ReplicaSet is not complete'));
  }
  const unavailable = conditionIs(object, 'Available', 'False');
  if (unavailable !== undefined) {
    return progressing('Unavailable', conditionText(unavailable, 'the Deployment is not available'));
  }
  const health = available(object, wantedReplicas(object), 'updated replica');
  return paused ? healthy(health.reason, `${health.message}; paused`) : health;
};

/** Only a person or a release that resumes it ends this wait, which is not one for pods. */
const notRolledOut = (object: KubeObject): string =>
  statusCount(object, 'updatedReplicas') < wantedReplicas(object) ? ', its template was not rolled out' : '';

const available = (object: KubeObject, wanted: number, noun: string): ObjectHealth =>
  wanted === 0
    ? healthy('ScaledToZero', `the ${stringAt(object, 'kind') ?? 'object'} is scaled to 0`)
    : healthy('Available', `${of(wanted, wanted, noun)} available`);

/** ReplicaSet and ReplicationController, whose status has one form. */
export const assessReplicaSet: HealthRule = (object) => {
  const unobserved = awaitFirstObservation(object);
  if (unobserved !== null) return unobserved;
  const wanted = wantedReplicas(object);
  return becauseOfReplicaFailure(object, replicaSetShortfall(object, wanted)) ?? available(object, wanted, 'replica');
};

const replicaSetShortfall = (object: KubeObject, wanted: number): ObjectHealth | null => {
  const total = statusCount(object, 'replicas');
  const availableNow = statusCount(object, 'availableReplicas');
  const ready = statusCount(object, 'readyReplicas');
  if (availableNow < wanted) {
    return progressing('ReplicasNotAvailable', `${of(availableNow, wanted, 'replica')} available`);
  }
  if (ready < wanted) return progressing('ReplicasNotReady', `${of(ready, wanted, 'replica')} ready`);
  if (total > wanted) {
    return progressing('ExtraReplicas', `${counted(total - wanted, 'replica')} too many, waiting to end`);
  }
  return null;
};

const statefulSetShortfall = (object: KubeObject, wanted: number): ObjectHealth | null => {
  const total = statusCount(object, 'replicas');
  const ready = statusCount(object, 'readyReplicas');
  // Servers before 1.24 have no such field, and without minReadySeconds available means ready.
  const availableNow = numberAt(object, 'status', 'availableReplicas') ?? ready;
  if (total < wanted) return progressing('ReplicasNotCreated', `${of(total, wanted, 'replica')} created`);
  if (ready < wanted) return progressing('ReplicasNotReady', `${of(ready, wanted, 'replica')} ready`);
  if (availableNow < wanted) {
    return progressing('ReplicasNotAvailable', `${of(availableNow, wanted, 'replica')} available`);
  }
  if (total > wanted) {
    return progressing('ExtraReplicas', `${counted(total - wanted, 'replica')} too many, waiting to end`);
  }
  return null;
};

export const assessStatefulSet: HealthRule = (object) => {
  const unobserved = awaitFirstObservation(object);
  if (unobserved !== null) return unobserved;
  const wanted = wantedReplicas(object);
  const updated = statusCount(object, 'updatedReplicas');
  const shortfall = statefulSetShortfall(object, wanted);
  if (stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return (
      shortfall ?? (wanted === 0 ? available(object, 0, 'replica') : onDelete(wanted, Math.max(0, wanted - updated)))
    );
  }
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const toUpdate = Math.max(0, wanted - Math.max(0, partition));
  const settled = stringAt(object, 'status', 'currentRevision') === stringAt(object, 'status', 'updateRevision');
  if (updated < toUpdate) {
    const notReady = shortfall === null ? '' : `; ${shortfall.message}`;
    return progressing('ReplicasNotUpdated', `${of(updated, toUpdate, 'replica')} updated${notReady}`);
  }
  if (shortfall !== null) return shortfall;
  if (partition > 0 && !settled) {
    return healthy('PartitionUpdated', `${of(updated, wanted, 'replica')} updated, as the partition ${partition} asks`);
  }
  if (!settled) return progressing('RevisionNotCurrent', 'the updated revision is not the current one yet');
  return available(object, wanted, 'replica');
};

/** Pods are replaced when a person deletes them: ready is all that the object can become, and the message says what is old. */
const onDelete = (wanted: number, old: number): ObjectHealth =>
  healthy(
    'OnDelete',
    old === 0
      ? `${of(wanted, wanted, 'replica')} ready`
      : `${of(wanted, wanted, 'replica')} ready; ${old} keep${old === 1 ? 's' : ''} the old revision until deleted by hand (OnDelete)`,
  );

export const assessDaemonSet: HealthRule = (object) => {
  const unobserved = awaitFirstObservation(object);
  if (unobserved !== null) return unobserved;
  const wanted = statusCount(object, 'desiredNumberScheduled');
  const current = statusCount(object, 'currentNumberScheduled');
  const updated = statusCount(object, 'updatedNumberScheduled');
  const availableNow = statusCount(object, 'numberAvailable');
  const ready = statusCount(object, 'numberReady');
  const byHand = stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (current < wanted) return progressing('PodsNotScheduled', `${of(current, wanted, 'pod')} scheduled`);
  if (updated < wanted && !byHand) return progressing('PodsNotUpdated', `${of(updated, wanted, 'pod')} updated`);
  const noun = byHand ? 'pod' : 'updated pod';
  if (availableNow < wanted) return progressing('PodsNotAvailable', `${of(availableNow, wanted, noun)} available`);
  if (ready < wanted) return progressing('PodsNotReady', `${of(ready, wanted, noun)} ready`);
  if (wanted === 0) return healthy('NoNodes', 'no node is selected');
  if (byHand && updated < wanted) return onDelete(wanted, wanted - updated);
  return healthy('Available', `${of(wanted, wanted, noun)} available`);
};
