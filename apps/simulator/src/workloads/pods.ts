import { arrayAt, isObject, objectAt, stringAt } from '../object.ts';
import type { JsonObject, KubeObject } from '../object.ts';
import { containersOf } from '../api/defaults.ts';
import { timestamp } from '../api/object-lifecycle.ts';
import { behaviourOf } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { isGoing, podResource } from './controller.ts';
import type { ControllerContext } from './controller.ts';

/** Starts the life of a pod as its kubelet would lead it. */
export function startPod(context: ControllerContext, pod: KubeObject): void {
  const behaviour = behaviourOf(pod);
  const { settings } = context;
  const go = (ms: number, step: (current: KubeObject) => void): void =>
    context.later(() => withPod(context, pod, step), ms);
  go(behaviour.readyAfterMs ?? settings.podReadyMs, (current) => {
    switch (behaviour.kind) {
      case 'broken':
        return cannotPull(context, current, behaviour);
      case 'crashloop':
        return crashes(context, current, 1);
      case 'unready':
        runs(context, current, false);
        return context.event(current, 'Warning', 'Unhealthy', 'Readiness probe failed: simulated');
      case 'flaky':
      case 'degrades':
        runs(context, current, true);
        return go(behaviour.unreadyAfterMs ?? settings.degradeAfterMs, (later) => {
          context.event(later, 'Warning', 'Unhealthy', 'Readiness probe failed: simulated');
          runs(context, later, false);
        });
      case 'fails':
      case 'ready': {
        runs(context, current, true);
        const ms = behaviour.completeAfterMs ?? settings.jobMs;
        if (isOfJob(current)) go(ms, (later) => ends(context, later, behaviour.kind === 'fails'));
      }
    }
  });
}

/** The kubelet lets go of a pod that is to be deleted. */
export function stopPod(context: ControllerContext, pod: KubeObject): void {
  context.later(() => {
    const { store } = context.lifecycle;
    const current = store.get(podResource, pod.metadata.namespace, pod.metadata.name);
    if (
      current?.metadata.uid === pod.metadata.uid &&
      current &&
      isGoing(current) &&
      (current.metadata.finalizers ?? []).length === 0
    ) {
      store.remove(podResource, current);
    }
  }, context.settings.podGoneMs);
}

function isOfJob(pod: KubeObject): boolean {
  return (pod.metadata.ownerReferences ?? []).some((owner) => owner.kind === 'Job');
}

function withPod(context: ControllerContext, pod: KubeObject, step: (current: KubeObject) => void): void {
  const current = context.lifecycle.store.get(podResource, pod.metadata.namespace, pod.metadata.name);
  if (current && current.metadata.uid === pod.metadata.uid && !isGoing(current)) step(current);
}

function writePod(
  context: ControllerContext,
  pod: KubeObject,
  phase: string,
  ready: boolean,
  containers: readonly JsonObject[],
  reason?: string,
): void {
  const now = timestamp();
  const because = reason === undefined ? {} : { reason };
  const one = (type: string, status: boolean, why: JsonObject): JsonObject => {
    const before = arrayAt(pod, 'status', 'conditions').find((entry) => stringAt(entry, 'type') === type);
    const text = status ? 'True' : 'False';
    const since = stringAt(before, 'status') === text ? (stringAt(before, 'lastTransitionTime') ?? now) : now;
    return { type, status: text, lastProbeTime: null, lastTransitionTime: since, ...(status ? {} : why) };
  };
  const status: JsonObject = {
    ...objectAt(pod, 'status'),
    phase,
    conditions: [
      one('PodReadyToStartContainers', true, {}),
      one('Initialized', true, {}),
      one('Ready', ready, because),
      one('ContainersReady', ready, because),
      one('PodScheduled', true, {}),
    ],
    hostIP: '192.0.2.1',
    podIP: '192.0.2.1',
    startTime: stringAt(pod, 'status', 'startTime') ?? now,
    containerStatuses: containers,
  };
  context.lifecycle.patch(podResource, pod, { status });
}

function containerStatuses(
  pod: KubeObject,
  ready: boolean,
  state: (image: string) => JsonObject,
  restarts = 0,
): JsonObject[] {
  return containersOf(objectAt(pod, 'spec') ?? {})
    .filter(isObject)
    .map((container) => {
      const image = stringAt(container, 'image') ?? '';
      return {
        name: stringAt(container, 'name') ?? '',
        image,
        imageID: '',
        ready,
        started: ready,
        restartCount: restarts,
        state: state(image),
      };
    });
}

function runs(context: ControllerContext, pod: KubeObject, ready: boolean): void {
  const running = { running: { startedAt: stringAt(pod, 'status', 'startTime') ?? timestamp() } };
  writePod(
    context,
    pod,
    'Running',
    ready,
    containerStatuses(pod, ready, () => running),
    'ContainersNotReady',
  );
}

function cannotPull(context: ControllerContext, pod: KubeObject, behaviour: Behaviour): void {
  const waiting = (image: string): JsonObject => ({
    waiting: {
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "${image}": simulated: the image cannot be pulled`,
    },
  });
  writePod(context, pod, 'Pending', false, containerStatuses(pod, false, waiting), 'ContainersNotReady');
  context.event(pod, 'Warning', 'Failed', `Failed to pull image "${behaviour.image}": simulated: not found`);
  context.event(pod, 'Warning', 'Failed', 'Error: ImagePullBackOff');
}

const restartMs = 2_000;
const mostRestarts = 6;

function crashes(context: ControllerContext, pod: KubeObject, restarts: number): void {
  const state = {
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container: simulated' },
  };
  const lastState = { terminated: { exitCode: 1, reason: 'Error', finishedAt: timestamp() } };
  const containers = containerStatuses(pod, false, () => state, restarts).map((status) => ({ ...status, lastState }));
  writePod(context, pod, 'Running', false, containers, 'ContainersNotReady');
  if (restarts === 1) context.event(pod, 'Warning', 'BackOff', 'Back-off restarting failed container: simulated');
  if (restarts >= mostRestarts) return;
  context.later(() => withPod(context, pod, (later) => crashes(context, later, restarts + 1)), restartMs);
}

function ends(context: ControllerContext, pod: KubeObject, failed: boolean): void {
  const state = {
    terminated: { exitCode: failed ? 1 : 0, reason: failed ? 'Error' : 'Completed', finishedAt: timestamp() },
  };
  writePod(
    context,
    pod,
    failed ? 'Failed' : 'Succeeded',
    false,
    containerStatuses(pod, false, () => state),
    failed ? 'PodFailed' : 'PodCompleted',
  );
}
