import type { KubeObject, ObjectKey } from '../kubernetes/object.ts';
import { jobFailure } from './batch-rules.ts';
import { conditionOf, conditionText } from './condition.ts';
import { oneLine, upperCamelCase } from './evidence-text.ts';
import { controllerOf, eventsOf, indexEvents } from './event.ts';
import type { EventIndex, ObservedEvent } from './event.ts';
import { isStale } from './generic-rules.ts';
import { stringAt } from './json-field.ts';
import { groupKindOf, observedKey } from './observed-key.ts';
import { podTrouble } from './pod-trouble.ts';
import type { PodTrouble, TroubleKind } from './pod-trouble.ts';

export interface PodExplanation {
  readonly kind: TroubleKind;
  readonly reason: string;
  readonly object: ObjectKey;
  readonly message: string;
  /** `ImagePullBackOff on web-7d4f: Back-off pulling image "web:bad"`. */
  readonly line: string;
}

/** A state that does not mend by itself. */
export interface FailFast {
  readonly object: ObjectKey;
  readonly reason: string;
  readonly message: string;
}

/** Why a pod is not ready, by its own state and its newest fitting Warning event; null when it is ready or has ended well. */
export const explainPod = (pod: KubeObject, events: readonly KubeObject[]): PodExplanation | null =>
  explainPodByIndex(pod, indexEvents(events));

export const explainPodByIndex = (pod: KubeObject, events: EventIndex): PodExplanation | null => {
  const trouble = podTrouble(pod);
  if (trouble === null || stringAt(pod, 'metadata', 'name') === undefined) return null;
  const { reason, message } = withEvent(trouble, pod, events);
  return {
    kind: trouble.kind,
    reason: upperCamelCase(reason, 'NotReady'),
    object: observedKey(pod),
    message: oneLine(message),
    line: explanationLine(reason, pod, message),
  };
};

export const explanationLine = (reason: string, object: KubeObject, message: string): string => {
  const what = `${upperCamelCase(reason, 'NotReady')} on ${stringAt(object, 'metadata', 'name') ?? 'unnamed'}`;
  return oneLine(message === '' ? what : `${what}: ${message}`);
};

/** The pod's own words first; an event only where the pod has none, and only one about the phase that it is in. */
const withEvent = (trouble: PodTrouble, pod: KubeObject, events: EventIndex) => {
  if (trouble.message !== '' && trouble.kind !== 'unready') return trouble;
  const event = eventsOf(pod, events).find((candidate) => candidate.warning && fits(trouble, candidate));
  if (event === undefined) return trouble;
  return trouble.kind === 'stuck' ? { reason: trouble.reason, message: event.message } : event;
};

const BEFORE_PLACEMENT = new Set(['FailedScheduling']);
const BEFORE_START = new Set(['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox', 'FailedMapVolume']);

/** Events outlive what they tell of: a volume that could not be mounted at first does not explain a running pod. */
const fits = (trouble: PodTrouble, event: ObservedEvent): boolean => {
  if (BEFORE_PLACEMENT.has(event.reason)) return trouble.kind === 'unschedulable' || trouble.reason === 'PodPending';
  if (BEFORE_START.has(event.reason)) return trouble.kind === 'starting';
  return true;
};

/**
 * A state that does not mend by itself, of a Pod, Deployment or Job; null otherwise. A pod alternates between reasons
 * (`ErrImagePull`, `ImagePullBackOff`): whoever measures how long it lasts, measures how long this is not null.
 */
export const failFastReason = (object: KubeObject): FailFast | null => {
  if (
    stringAt(object, 'metadata', 'name') === undefined ||
    stringAt(object, 'metadata', 'deletionTimestamp') !== undefined
  )
    return null;
  switch (groupKindOf(object)) {
    case 'Pod':
      return stuckPod(object);
    case 'apps/Deployment':
      return deadlineExceeded(object);
    case 'batch/Job':
      return failedJob(object);
    default:
      return null;
  }
};

const stuckPod = (pod: KubeObject): FailFast | null => {
  const trouble = podTrouble(pod);
  // Nobody replaces a failed pod that has no controller.
  const final = trouble?.kind === 'failed' && controllerOf(pod) === undefined;
  if (trouble === null || !(final || trouble.kind === 'stuck')) return null;
  return { object: observedKey(pod), reason: trouble.reason, message: oneLine(trouble.message) };
};

const deadlineExceeded = (deployment: KubeObject): FailFast | null => {
  const progress = conditionOf(deployment, 'Progressing');
  if (progress?.reason !== 'ProgressDeadlineExceeded' || isStale(deployment)) return null;
  return {
    object: observedKey(deployment),
    reason: 'ProgressDeadlineExceeded',
    message: oneLine(conditionText(progress, 'the progress deadline has passed')),
  };
};

const failedJob = (job: KubeObject): FailFast | null => {
  const failure = jobFailure(job);
  if (failure === undefined) return null;
  return {
    object: observedKey(job),
    reason: 'JobFailed',
    message: oneLine(conditionText(failure, 'the Job has failed')),
  };
};
