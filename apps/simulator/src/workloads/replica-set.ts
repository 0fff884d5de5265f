import { numberAt } from '../object.ts';
import type { KubeObject } from '../object.ts';
import { resourceOf } from '../api/object-lifecycle.ts';
import {
  createPod,
  deletePod,
  isGoing,
  isReady,
  ownedObjects,
  podResource,
  readySince,
  writeStatus,
} from './controller.ts';
import type { ControllerContext } from './controller.ts';

export const replicaSetResource = resourceOf('replicasets.apps');

/** Keeps as many pods as the ReplicaSet wants; the unready ones go first. */
export function reconcileReplicaSet(context: ControllerContext, set: KubeObject, key: string): void {
  const pods = ownedObjects(context, set, podResource).filter((pod) => !isGoing(pod));
  const wanted = isGoing(set) ? pods.length : (numberAt(set, 'spec', 'replicas') ?? 1);
  for (let missing = wanted - pods.length; missing > 0; missing -= 1) createPod(context, set, {});
  if (pods.length > wanted) {
    const order = [...pods].sort((a, b) => Number(isReady(a)) - Number(isReady(b)));
    for (const pod of order.slice(0, pods.length - wanted)) deletePod(context, pod);
  }
  const now = ownedObjects(context, set, podResource).filter((pod) => !isGoing(pod));
  const ready = now.filter(isReady);
  const minReadyMs = (numberAt(set, 'spec', 'minReadySeconds') ?? 0) * 1_000;
  const { available, nextMs } = availableOf(ready, minReadyMs);
  if (nextMs !== undefined) context.enqueue(replicaSetResource, key, nextMs);
  writeStatus(context, replicaSetResource, set, {
    replicas: now.length,
    ...(now.length > 0 && { fullyLabeledReplicas: now.length }),
    ...(ready.length > 0 && { readyReplicas: ready.length }),
    ...(available > 0 && { availableReplicas: available }),
    observedGeneration: set.metadata.generation ?? 0,
  });
}

/** How many pods have been ready for long enough, and when the next one will have been. */
export function availableOf(
  ready: readonly KubeObject[],
  minReadyMs: number,
): { readonly available: number; readonly nextMs: number | undefined } {
  if (minReadyMs === 0) return { available: ready.length, nextMs: undefined };
  const now = Date.now();
  const waits = ready.map((pod) => (readySince(pod) ?? now) + minReadyMs - now);
  const pending = waits.filter((ms) => ms > 0);
  return {
    available: waits.length - pending.length,
    nextMs: pending.length > 0 ? Math.min(...pending) + 10 : undefined,
  };
}
