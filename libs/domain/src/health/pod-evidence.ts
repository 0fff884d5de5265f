import type { KubeObject } from '../kubernetes/object.ts';
import { controllerOf, indexEvents, newestWarning } from './event.ts';
import type { EventIndex } from './event.ts';
import { explainPodByIndex, explanationLine, failFastReason } from './explain-pod.ts';
import type { FailFast, PodExplanation } from './explain-pod.ts';
import { isStale } from './generic-rules.ts';
import { stringAt, timeAt } from './json-field.ts';
import { groupKindOf, observedKey } from './observed-key.ts';
import { TROUBLE_KINDS } from './pod-trouble.ts';

/** Pods, ReplicaSets and events beside the judged objects, indexed once: an explanation costs what the workload has. */
export interface EvidenceIndex {
  readonly podsByOwner: ReadonlyMap<string, readonly KubeObject[]>;
  readonly replicaSetsByOwner: ReadonlyMap<string, readonly KubeObject[]>;
  readonly events: EventIndex;
}

export const indexEvidence = (
  pods: readonly KubeObject[],
  replicaSets: readonly KubeObject[],
  events: readonly KubeObject[],
): EvidenceIndex => ({
  podsByOwner: byOwner(pods),
  replicaSetsByOwner: byOwner(replicaSets),
  events: indexEvents(events),
});

const byOwner = (objects: readonly KubeObject[]): ReadonlyMap<string, readonly KubeObject[]> =>
  Map.groupBy(
    objects.filter((object) => controllerOf(object) !== undefined),
    (object) => controllerOf(object)?.uid ?? '',
  );

/** What explains an object that is not healthy: one line for people, and the state that does not mend by itself. */
export interface ObjectEvidence {
  readonly line: string | null;
  readonly failFast: FailFast | null;
}

export const evidenceFor = (object: KubeObject, index: EvidenceIndex): ObjectEvidence => {
  // The pods that are there belong to an older generation; blaming the new one for them would stop a release that mends.
  if (isStale(object)) return { line: null, failFast: null };
  const isPod = groupKindOf(object) === 'Pod';
  const { pods, creators } = isPod ? { pods: [object], creators: [] } : currentPods(object, index);
  const [telling] = pods
    .flatMap((pod) => {
      const explanation = explainPodByIndex(pod, index.events);
      return explanation === null ? [] : [{ explanation, failFast: failFastReason(pod) }];
    })
    .sort((a, b) => byWeight(a.explanation, b.explanation));
  const key = observedKey(object);
  return {
    line: telling?.explanation.line ?? ownWarning([...creators, object], index.events),
    failFast: telling?.failFast
      ? { object: key, reason: telling.failFast.reason, message: telling.explanation.line }
      : failFastReason(object),
  };
};

/** The same pod is named on every look, as long as it is among the worst: a story that jumps between pods reads as news. */
const byWeight = (a: PodExplanation, b: PodExplanation): number =>
  TROUBLE_KINDS.indexOf(a.kind) - TROUBLE_KINDS.indexOf(b.kind) || compareText(a.object, b.object);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const ownWarning = (objects: readonly KubeObject[], events: EventIndex): string | null => {
  for (const object of objects) {
    const event = newestWarning(object, events);
    if (event !== undefined) return explanationLine(event.reason, object, event.message);
  }
  return null;
};

interface PodSources {
  readonly pods: readonly KubeObject[];
  /** Objects between the workload and its pods, which get the events when pods cannot be created. */
  readonly creators: readonly KubeObject[];
}

/** Only pods of the newest template are evidence for the release that brought it. */
const currentPods = (workload: KubeObject, index: EvidenceIndex): PodSources => {
  const uid = stringAt(workload, 'metadata', 'uid');
  const owned = (uid === undefined ? undefined : index.podsByOwner.get(uid)) ?? [];
  switch (groupKindOf(workload)) {
    case 'apps/Deployment': {
      const replicaSet = newestReplicaSet(workload, index);
      const replicaSetUid = stringAt(replicaSet, 'metadata', 'uid');
      const pods = (replicaSetUid === undefined ? undefined : index.podsByOwner.get(replicaSetUid)) ?? [];
      return { pods: [...pods, ...owned], creators: replicaSet === undefined ? [] : [replicaSet] };
    }
    case 'apps/StatefulSet': {
      const revision = stringAt(workload, 'status', 'updateRevision');
      return {
        pods: revision === undefined ? owned : owned.filter((pod) => revisionOf(pod) === revision),
        creators: [],
      };
    }
    case 'apps/DaemonSet':
      return { pods: currentDaemonPods(workload, owned), creators: [] };
    default:
      return { pods: owned, creators: [] };
  }
};

const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';

/**
 * The Deployment names its newest revision by the same annotation as the ReplicaSet. When none fits, the ReplicaSets were
 * read before it was made, and the others prove nothing about it.
 */
const newestReplicaSet = (deployment: KubeObject, { replicaSetsByOwner }: EvidenceIndex): KubeObject | undefined => {
  const owned = replicaSetsByOwner.get(stringAt(deployment, 'metadata', 'uid') ?? '') ?? [];
  const revision = annotation(deployment, REVISION_ANNOTATION);
  if (revision !== undefined) return owned.find((set) => annotation(set, REVISION_ANNOTATION) === revision);
  return newest(owned, (set) => Number(annotation(set, REVISION_ANNOTATION) ?? 0) || 0);
};

const annotation = (object: KubeObject, name: string): string | undefined =>
  stringAt(object, 'metadata', 'annotations', name);

const revisionOf = (pod: KubeObject): string | undefined =>
  stringAt(pod, 'metadata', 'labels', 'controller-revision-hash');

const newest = (objects: readonly KubeObject[], rank: (object: KubeObject) => number): KubeObject | undefined =>
  [...objects].sort((a, b) => rank(b) - rank(a) || createdAt(b) - createdAt(a))[0];

const createdAt = (object: KubeObject): number => timeAt(object, 'metadata', 'creationTimestamp') ?? 0;

/** The status of a DaemonSet does not name its newest revision; its template generation does, and else the newest pod. */
const currentDaemonPods = (daemonSet: KubeObject, pods: readonly KubeObject[]): readonly KubeObject[] => {
  const generation = annotation(daemonSet, 'deprecated.daemonset.template.generation');
  const labelled = (pod: KubeObject) => stringAt(pod, 'metadata', 'labels', 'pod-template-generation');
  if (generation !== undefined && pods.some((pod) => labelled(pod) !== undefined)) {
    return pods.filter((pod) => labelled(pod) === generation);
  }
  const revision = revisionOf(newest(pods, () => 0) ?? daemonSet);
  return revision === undefined ? pods : pods.filter((pod) => revisionOf(pod) === revision);
};
