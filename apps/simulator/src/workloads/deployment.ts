import { arrayAt, equal, numberAt, objectAt, stringAt } from '../object.ts';
import type { JsonObject, KubeObject } from '../object.ts';
import { resourceOf } from '../api/object-lifecycle.ts';
import {
  condition,
  isGoing,
  ownedObjects,
  ownerReference,
  podResource,
  scaled,
  templateHash,
  writeStatus,
} from './controller.ts';
import type { ControllerContext } from './controller.ts';
import { replicaSetResource } from './replica-set.ts';

export const deploymentResource = resourceOf('deployments.apps');
const revisionAnnotation = 'deployment.kubernetes.io/revision';

interface Sets {
  readonly current: KubeObject;
  readonly old: readonly KubeObject[];
}

const wantedBy = (set: KubeObject): number => numberAt(set, 'spec', 'replicas') ?? 0;
const statusCount = (set: KubeObject, field: string): number => numberAt(set, 'status', field) ?? 0;
const sum = (sets: readonly KubeObject[], count: (set: KubeObject) => number): number =>
  sets.reduce((total, set) => total + count(set), 0);
const revisionOf = (object: KubeObject): number => Number(object.metadata.annotations?.[revisionAnnotation] ?? 0);

/** Brings a Deployment one step nearer to its template, within its surge and its unavailability. */
export function reconcileDeployment(context: ControllerContext, deployment: KubeObject, key: string): void {
  if (isGoing(deployment)) return;
  const sets = setsOf(context, deployment);
  if (!sets) return;
  if (deployment['spec'] && objectAt(deployment, 'spec')?.['paused'] !== true) roll(context, deployment, sets);
  const after = setsOf(context, deployment);
  if (!after) return;
  forgetHistory(context, deployment, after.old);
  report(context, deployment, after, key);
}

function setsOf(context: ControllerContext, deployment: KubeObject): Sets | undefined {
  const template = objectAt(deployment, 'spec', 'template') ?? {};
  const hash = templateHash(template);
  const owned = ownedObjects(context, deployment, replicaSetResource).filter((set) => !isGoing(set));
  const found = owned.find((set) => set.metadata.labels?.['pod-template-hash'] === hash);
  const old = owned.filter((set) => set !== found);
  const newest = Math.max(0, ...old.map(revisionOf));
  if (found) {
    if (revisionOf(found) > newest) return { current: found, old };
    const annotations = { ...found.metadata.annotations, [revisionAnnotation]: String(newest + 1) };
    return { current: context.lifecycle.patch(replicaSetResource, found, {}, { annotations }), old };
  }
  const current = createSet(context, deployment, template, hash, newest + 1);
  return current && { current, old };
}

function createSet(
  context: ControllerContext,
  deployment: KubeObject,
  template: JsonObject,
  hash: string,
  revision: number,
): KubeObject | undefined {
  const metadata = objectAt(template, 'metadata') ?? {};
  const labels = { ...objectAt(metadata, 'labels'), 'pod-template-hash': hash } as Readonly<Record<string, string>>;
  const selector = objectAt(deployment, 'spec', 'selector') ?? {};
  const minReadySeconds = numberAt(deployment, 'spec', 'minReadySeconds');
  const set: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { [revisionAnnotation]: String(revision) },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), 'pod-template-hash': hash } },
      template: { ...template, metadata: { ...metadata, labels } },
    },
  };
  try {
    return context.lifecycle.create(replicaSetResource, set, new Map(), false);
  } catch {
    // The namespace is being deleted.
    return undefined;
  }
}

function scaleTo(context: ControllerContext, set: KubeObject, replicas: number): void {
  if (wantedBy(set) === replicas) return;
  const generation = (set.metadata.generation ?? 0) + 1;
  context.lifecycle.patch(replicaSetResource, set, { spec: { ...objectAt(set, 'spec'), replicas } }, { generation });
}

function limitsOf(deployment: KubeObject): {
  readonly desired: number;
  readonly surge: number;
  readonly unavailable: number;
} {
  const desired = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const update = objectAt(deployment, 'spec', 'strategy', 'rollingUpdate');
  const surge = scaled(update?.['maxSurge'], desired, true);
  const unavailable = scaled(update?.['maxUnavailable'], desired, false);
  return { desired, surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function roll(context: ControllerContext, deployment: KubeObject, { current, old }: Sets): void {
  const { desired, surge, unavailable } = limitsOf(deployment);
  if (stringAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') {
    for (const set of old) scaleTo(context, set, 0);
    const gone = old.every((set) => ownedObjects(context, set, podResource).length === 0);
    if (gone) scaleTo(context, current, desired);
    return;
  }
  const oldWanted = sum(old, wantedBy);
  const total = oldWanted + wantedBy(current);
  const room = desired + surge - total;
  const next =
    wantedBy(current) > desired
      ? desired
      : wantedBy(current) + Math.max(0, Math.min(room, desired - wantedBy(current)));
  scaleTo(context, current, next);
  let spare = total - (desired - unavailable) - (wantedBy(current) - statusCount(current, 'availableReplicas'));
  // Old pods that do not serve anyway go first.
  const left = new Map(old.map((set) => [set, wantedBy(set)]));
  for (const set of old) {
    const idle = Math.max(0, wantedBy(set) - statusCount(set, 'availableReplicas'));
    const take = Math.max(0, Math.min(idle, spare));
    left.set(set, wantedBy(set) - take);
    spare -= take;
  }
  const available = sum([current, ...old], (set) => statusCount(set, 'availableReplicas'));
  let free = available - (desired - unavailable);
  for (const set of old) {
    const take = Math.max(0, Math.min(left.get(set) ?? 0, free));
    left.set(set, (left.get(set) ?? 0) - take);
    free -= take;
  }
  for (const [set, replicas] of left) scaleTo(context, set, replicas);
}

function forgetHistory(context: ControllerContext, deployment: KubeObject, old: readonly KubeObject[]): void {
  const limit = numberAt(deployment, 'spec', 'revisionHistoryLimit') ?? 10;
  const idle = old
    .filter((set) => wantedBy(set) === 0 && statusCount(set, 'replicas') === 0)
    .sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const set of idle.slice(0, Math.max(0, idle.length - limit)))
    context.deletion.delete(replicaSetResource, set, {});
}

function report(context: ControllerContext, deployment: KubeObject, { current, old }: Sets, key: string): void {
  const { desired, unavailable } = limitsOf(deployment);
  const all = [current, ...old];
  const replicas = sum(all, (set) => statusCount(set, 'replicas'));
  const updated = statusCount(current, 'replicas');
  const ready = sum(all, (set) => statusCount(set, 'readyReplicas'));
  const available = sum(all, (set) => statusCount(set, 'availableReplicas'));
  const missing = Math.max(0, sum(all, wantedBy) - available);
  const counts: JsonObject = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...(replicas > 0 && { replicas }),
    ...(updated > 0 && { updatedReplicas: updated }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    ...(missing > 0 && { unavailableReplicas: missing }),
  };
  const enough = available >= desired - unavailable;
  const availability = enough
    ? condition(deployment, 'Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
    : condition(
        deployment,
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
      );
  const complete = updated === desired && replicas === desired && available === desired;
  const progress = progressOf(context, deployment, current, counts, complete, key);
  const revision = String(revisionOf(current));
  const annotations =
    deployment.metadata.annotations?.[revisionAnnotation] === revision ? undefined : { [revisionAnnotation]: revision };
  writeStatus(
    context,
    deploymentResource,
    deployment,
    { ...counts, conditions: [availability, progress] },
    annotations,
  );
}

function progressOf(
  context: ControllerContext,
  deployment: KubeObject,
  current: KubeObject,
  counts: JsonObject,
  complete: boolean,
  key: string,
): JsonObject {
  const name = `ReplicaSet "${current.metadata.name}"`;
  const make = (status: 'True' | 'False', reason: string, message: string, touched = false): JsonObject =>
    condition(deployment, 'Progressing', status, reason, message, touched);
  if (complete) return make('True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`);
  const before = arrayAt(deployment, 'status', 'conditions').find((one) => stringAt(one, 'type') === 'Progressing');
  const reason = stringAt(before, 'reason');
  const message = stringAt(before, 'message') ?? '';
  const sameSet = message.includes(name);
  // Once a template has been rolled out, pods that fall ill later are no lack of progress.
  if (sameSet && reason === 'NewReplicaSetAvailable') return make('True', reason, message);
  const { conditions: _conditions, observedGeneration: _observed, ...last } = objectAt(deployment, 'status') ?? {};
  const { observedGeneration: _seen, ...now } = counts;
  const moved = !sameSet || !equal(last, now);
  const deadlineMs = (numberAt(deployment, 'spec', 'progressDeadlineSeconds') ?? 600) * 1_000;
  const since = Date.parse(stringAt(before, 'lastUpdateTime') ?? '') || Date.now();
  if (!moved && Date.now() >= since + deadlineMs)
    return make('False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`);
  if (reason === 'ProgressDeadlineExceeded' && !moved) return make('False', reason, message);
  context.enqueue(deploymentResource, key, (moved ? deadlineMs : since + deadlineMs - Date.now()) + 1_050);
  if (sameSet && !moved) return make('True', reason ?? 'ReplicaSetUpdated', message);
  return make('True', 'ReplicaSetUpdated', `${name} is progressing.`, true);
}
