import { numberAt, objectAt, stringAt } from '../object.ts';
import type { KubeObject } from '../object.ts';
import { resourceOf } from '../api/object-lifecycle.ts';
import {
  createPod,
  deletePod,
  isGoing,
  isReady,
  ownedObjects,
  podResource,
  templateHash,
  writeStatus,
} from './controller.ts';
import type { ControllerContext } from './controller.ts';
import { availableOf } from './replica-set.ts';

export const daemonSetResource = resourceOf('daemonsets.apps');
const revisionLabel = 'controller-revision-hash';

/** One pod on the one simulated node. */
export function reconcileDaemonSet(context: ControllerContext, set: KubeObject, key: string): void {
  if (isGoing(set)) return;
  const revision = templateHash(objectAt(set, 'spec', 'template') ?? {});
  const pods = ownedObjects(context, set, podResource);
  const onDelete = stringAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  for (const pod of pods) if (!onDelete && pod.metadata.labels?.[revisionLabel] !== revision) deletePod(context, pod);
  if (ownedObjects(context, set, podResource).length === 0)
    createPod(context, set, { labels: { [revisionLabel]: revision } });
  const now = ownedObjects(context, set, podResource).filter((pod) => !isGoing(pod));
  const ready = now.filter(isReady);
  const updated = now.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length;
  const { available, nextMs } = availableOf(ready, (numberAt(set, 'spec', 'minReadySeconds') ?? 0) * 1_000);
  if (nextMs !== undefined) context.enqueue(daemonSetResource, key, nextMs);
  writeStatus(context, daemonSetResource, set, {
    currentNumberScheduled: Math.min(1, now.length),
    numberMisscheduled: 0,
    desiredNumberScheduled: 1,
    numberReady: ready.length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated > 0 && { updatedNumberScheduled: updated }),
    ...(available > 0 && { numberAvailable: available }),
    ...(available < 1 && { numberUnavailable: 1 - available }),
  });
}
