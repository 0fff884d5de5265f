import type { KubeObject } from '../kubernetes/object.ts';
import { conditionIs, conditionText } from './condition.ts';
import { counted } from './evidence-text.ts';
import { controllerOf } from './event.ts';
import { listAt, numberAt, stringAt } from './json-field.ts';
import type { JsonObject } from './json-field.ts';

/** Why a pod is not ready. Ordered by how much it explains: what does not mend by itself comes first. */
export type TroubleKind = 'stuck' | 'failed' | 'unschedulable' | 'restarting' | 'unready' | 'starting';

export const TROUBLE_KINDS: readonly TroubleKind[] = [
  'stuck',
  'failed',
  'unschedulable',
  'restarting',
  'unready',
  'starting',
];

export interface PodTrouble {
  readonly kind: TroubleKind;
  readonly reason: string;
  /** Empty when only an event can tell more. */
  readonly message: string;
}

/** Waiting reasons of the kubelet that a person or a new release has to mend. */
const STUCK_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

/** What keeps a pod from being ready; null for a pod that is ready, has succeeded or is being deleted. */
export const podTrouble = (pod: KubeObject): PodTrouble | null => {
  if (stringAt(pod, 'metadata', 'deletionTimestamp') !== undefined) return null;
  const phase = stringAt(pod, 'status', 'phase');
  if (phase === 'Succeeded') return null;
  if (phase === 'Failed') return failedPod(pod);
  if (phase === 'Running' && conditionIs(pod, 'Ready', 'True') !== undefined) return null;
  const troubles = containersOf(pod)
    .map((container) => containerTrouble(container, ownedByJob(pod)))
    .filter((trouble) => trouble !== null)
    .sort((a, b) => TROUBLE_KINDS.indexOf(a.kind) - TROUBLE_KINDS.indexOf(b.kind));
  return troubles[0] ?? schedulingTrouble(pod) ?? unready(pod, phase);
};

const ownedByJob = (pod: KubeObject): boolean => controllerOf(pod)?.kind === 'Job';

const containersOf = (pod: KubeObject): readonly JsonObject[] => [
  ...listAt(pod, 'status', 'initContainerStatuses'),
  ...listAt(pod, 'status', 'containerStatuses'),
];

const containerTrouble = (container: JsonObject, retriedByJob: boolean): PodTrouble | null => {
  const waiting = stringAt(container, 'state', 'waiting', 'reason');
  const exit = exitOf(container, 'state');
  const restarts = numberAt(container, 'restartCount') ?? 0;
  if (waiting === 'CrashLoopBackOff' || (exit !== undefined && exit.code !== 0 && restarts > 0)) {
    // A Job bounds its retries itself and then says that it has failed; until then they are what it is for.
    const kind = retriedByJob ? 'restarting' : 'stuck';
    return { kind, reason: 'CrashLoopBackOff', message: crashText(container, restarts) };
  }
  if (exit !== undefined && exit.code !== 0) {
    return { kind: 'restarting', reason: exit.reason, message: crashText(container, restarts) };
  }
  if (waiting !== undefined && STUCK_REASONS.has(waiting)) {
    return { kind: 'stuck', reason: waiting, message: stringAt(container, 'state', 'waiting', 'message') ?? '' };
  }
  return null;
};

interface ContainerExit {
  readonly code: number;
  readonly reason: string;
}

const exitOf = (container: JsonObject, field: 'state' | 'lastState'): ContainerExit | undefined => {
  const code = numberAt(container, field, 'terminated', 'exitCode');
  return code === undefined
    ? undefined
    : { code, reason: stringAt(container, field, 'terminated', 'reason') ?? 'ContainerEnded' };
};

// Not the termination message: with FallbackToLogsOnError it is the end of the container's log, secrets included.
const crashText = (container: JsonObject, restarts: number): string => {
  const name = stringAt(container, 'name') ?? 'unnamed';
  const exit = exitOf(container, 'state') ?? exitOf(container, 'lastState');
  const ended = exit === undefined ? 'keeps ending' : `exited with code ${exit.code} (${exit.reason})`;
  return `container ${name} ${ended}${restarts === 0 ? '' : `, ${counted(restarts, 'restart')}`}`;
};

const failedPod = (pod: KubeObject): PodTrouble => {
  const exited = containersOf(pod).find((container) => (exitOf(container, 'state')?.code ?? 0) !== 0);
  const reason = stringAt(pod, 'status', 'reason');
  const message = stringAt(pod, 'status', 'message');
  if (reason === undefined && exited !== undefined) {
    return { kind: 'failed', reason: exitOf(exited, 'state')?.reason ?? 'Error', message: crashText(exited, 0) };
  }
  return { kind: 'failed', reason: reason ?? 'PodFailed', message: message ?? 'the pod has failed' };
};

const schedulingTrouble = (pod: KubeObject): PodTrouble | null => {
  const unscheduled = conditionIs(pod, 'PodScheduled', 'False');
  return unscheduled === undefined
    ? null
    : {
        kind: 'unschedulable',
        reason: unscheduled.reason ?? 'Unschedulable',
        message: conditionText(unscheduled, 'no node was found for it'),
      };
};

const unready = (pod: KubeObject, phase: string | undefined): PodTrouble => {
  const notReady = conditionIs(pod, 'Ready', 'False');
  if (phase === 'Running') return { kind: 'unready', reason: 'NotReady', message: notReady?.message ?? '' };
  const waiting = containersOf(pod)
    .map((container) => stringAt(container, 'state', 'waiting', 'reason'))
    .find((reason) => reason !== undefined);
  return { kind: 'starting', reason: waiting ?? (phase === undefined ? 'NotObserved' : `Pod${phase}`), message: '' };
};
