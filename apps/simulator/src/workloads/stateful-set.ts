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

export const statefulSetResource = resourceOf('statefulsets.apps');
const revisionLabel = 'controller-revision-hash';

/** One pod for each ordinal, created upwards and replaced downwards, one after the other. */
export function reconcileStatefulSet(context: ControllerContext, set: KubeObject, key: string): void {
  if (isGoing(set)) return;
  const { name } = set.metadata;
  const replicas = numberAt(set, 'spec', 'replicas') ?? 1;
  const revision = `${name}-${templateHash(objectAt(set, 'spec', 'template') ?? {})}`;
  const parallel = stringAt(set, 'spec', 'podManagementPolicy') === 'Parallel';
  const all = ownedObjects(context, set, podResource);
  const ordinals = new Map(all.map((pod) => [Number(pod.metadata.name.slice(name.length + 1)), pod]));
  let settled = true;
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const pod = ordinals.get(ordinal);
    if (!pod) createPod(context, set, { name: `${name}-${ordinal}`, labels: labelsOf(name, ordinal, revision) });
    if (pod && isReady(pod) && !isGoing(pod)) continue;
    settled = false;
    if (!parallel) break;
  }
  const surplus = [...ordinals].filter(([ordinal]) => ordinal >= replicas).sort(([a], [b]) => b - a);
  for (const [, pod] of parallel ? surplus : surplus.slice(0, 1)) deletePod(context, pod);
  if (surplus.length === 0) replaceOld(context, set, ordinals, replicas, revision, settled);
  report(context, set, replicas, revision, key);
}

function labelsOf(name: string, ordinal: number, revision: string): Readonly<Record<string, string>> {
  return {
    'apps.kubernetes.io/pod-index': String(ordinal),
    [revisionLabel]: revision,
    'statefulset.kubernetes.io/pod-name': `${name}-${ordinal}`,
  };
}

function replaceOld(
  context: ControllerContext,
  set: KubeObject,
  ordinals: ReadonlyMap<number, KubeObject>,
  replicas: number,
  revision: string,
  settled: boolean,
): void {
  if (stringAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  for (let ordinal = replicas - 1; ordinal >= partition; ordinal -= 1) {
    const pod = ordinals.get(ordinal);
    if (!pod || isGoing(pod)) return;
    const old = pod.metadata.labels?.[revisionLabel] !== revision;
    if (old) {
      // An old pod that does not serve may be replaced although the set is not whole.
      if (settled || !isReady(pod)) deletePod(context, pod);
      return;
    }
    if (!isReady(pod)) return;
  }
}

function report(context: ControllerContext, set: KubeObject, replicas: number, revision: string, key: string): void {
  const pods = ownedObjects(context, set, podResource).filter((pod) => !isGoing(pod));
  const ready = pods.filter(isReady);
  const updated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length;
  const { available, nextMs } = availableOf(ready, (numberAt(set, 'spec', 'minReadySeconds') ?? 0) * 1_000);
  if (nextMs !== undefined) context.enqueue(statefulSetResource, key, nextMs);
  const before = stringAt(set, 'status', 'currentRevision') ?? revision;
  const done = updated === replicas && pods.length === replicas && ready.length === replicas;
  const currentRevision = done ? revision : before;
  const current = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === currentRevision).length;
  writeStatus(context, statefulSetResource, set, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...(ready.length > 0 && { readyReplicas: ready.length }),
    ...(current > 0 && { currentReplicas: current }),
    ...(updated > 0 && { updatedReplicas: updated }),
    currentRevision,
    updateRevision: revision,
    collisionCount: 0,
    availableReplicas: available,
  });
}
