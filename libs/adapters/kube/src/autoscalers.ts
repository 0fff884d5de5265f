import type { ApplyPolicy, KubeObject, ObjectKey } from '@breakwater/domain';
import { groupOf, keyOf, parseObjectKey } from '@breakwater/domain';
import type { ResourceMapping } from './discovery.ts';
import { Ended } from './ended.ts';
import type { FenceEntry, Inventory } from './fence.ts';
import type { KubeApi } from './kube-api.ts';
import { FIELD_MANAGER } from './kube-api.ts';
import type { StatusCause } from './kube-status.ts';
import { managedFieldsOf, owns } from './managed-fields.ts';
import { REPLICAS, scaleTarget } from './scale-target.ts';
import type { Wanted } from './wanted.ts';

const SCALABLE: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'ReplicaSet']);

/** The inventory's autoscalers that the bundle has no more, and whether the prune after this apply deletes one. */
export interface Departing {
  readonly entries: ReadonlyMap<ObjectKey, FenceEntry>;
  readonly goes: (entry: FenceEntry, live: KubeObject) => boolean;
}

export interface Scaled {
  readonly wanted: readonly Wanted[];
  /** Scale a workload of the bundle, and have to be gone before it gets its own number back. */
  readonly retired: readonly FenceEntry[];
}

export const departingFrom = (
  inventory: Inventory | undefined,
  bundle: readonly Pick<Wanted, 'key'>[],
  goes: Departing['goes'],
): Departing => {
  const kept = new Set(bundle.map(({ key }) => key));
  const entries = [...(inventory ?? [])].filter(([key]) => {
    const { group, kind } = parseObjectKey(key);
    return group === 'autoscaling' && kind === 'HorizontalPodAutoscaler' && !kept.has(key);
  });
  return { entries: new Map(entries), goes };
};

/** For what only looks, and knows no rollout whose work could be taken back. */
export const departingBy = (
  { namespace, prune }: ApplyPolicy,
  inventory: Inventory | undefined,
  objects: readonly KubeObject[],
): Departing => {
  const kept = objects.map(({ apiVersion, kind, metadata }) => ({
    key: keyOf({ group: groupOf(apiVersion), kind, namespace: metadata.namespace ?? namespace, name: metadata.name }),
  }));
  const pruned = prune.enabled && !prune.protect.includes('HorizontalPodAutoscaler');
  return departingFrom(inventory, kept, () => pruned);
};

/** Null for whoever may not see them: that gets a conflict with their scaling, if there are any: said, not overwritten. */
const readableAutoscalers = async (
  api: KubeApi,
  mapping: ResourceMapping,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | null> => {
  try {
    return (await api.list(mapping, namespace, signal)).items;
  } catch (error) {
    if (error instanceof Ended && error.end.kind === 'Refused' && error.end.reason === 'Forbidden') return null;
    throw error;
  }
};

/** Replicas belong to an autoscaler that is in the cluster, too, not only to one in the bundle; but not to one that is about to go. */
export const withLiveAutoscalers = async (
  api: KubeApi,
  wanted: readonly Wanted[],
  departing: Departing,
  signal: AbortSignal,
): Promise<Scaled> => {
  const scalable = wanted.filter(
    (item) =>
      item.place.mapping.group === 'apps' && SCALABLE.has(item.place.mapping.kind) && !item.ignored.includes(REPLICAS),
  );
  if (scalable.length === 0) return { wanted, retired: [] };
  const mapping = await api.discovery.findAnyVersion('autoscaling/v2', 'HorizontalPodAutoscaler', signal);
  if (mapping === null) return { wanted, retired: [] };
  const [targets, unscaled] = [new Set<ObjectKey>(), new Set<ObjectKey>()];
  const retired: FenceEntry[] = [];
  for (const [namespace, items] of Map.groupBy(scalable, (item) => item.place.namespace)) {
    const autoscalers = await readableAutoscalers(api, mapping, namespace, signal);
    if (autoscalers === null) continue;
    for (const hpa of autoscalers) {
      const entry = departing.entries.get(autoscalerKey(namespace, hpa.metadata.name));
      const scales = scaleTarget(hpa, namespace);
      if (entry === undefined || !departing.goes(entry, hpa)) for (const key of scales) targets.add(key);
      else if (items.some((item) => scales.includes(item.key))) retired.push(entry);
    }
    const left = [...departing.entries.keys()].some((key) => parseObjectKey(key).namespace === namespace);
    if (left) for (const { key } of items) unscaled.add(key);
  }
  const scaled = wanted.map((item) => {
    if (!scalable.includes(item)) return item;
    if (targets.has(item.key)) return { ...item, ignored: [...item.ignored, REPLICAS] };
    return unscaled.has(item.key) ? { ...item, retakesReplicas: true } : item;
  });
  return { wanted: scaled, retired };
};

const autoscalerKey = (namespace: string, name: string): ObjectKey =>
  keyOf({ group: 'autoscaling', kind: 'HorizontalPodAutoscaler', namespace, name });

/** Is all that stands against this write what an autoscaler that is gone has left? A person's `kubectl scale` is not. */
export const isLeftByAutoscaler = (
  wanted: Pick<Wanted, 'retakesReplicas'>,
  live: KubeObject | null,
  causes: readonly StatusCause[],
): boolean =>
  wanted.retakesReplicas &&
  live !== null &&
  causes.length > 0 &&
  causes.every(({ field }) => field === '.spec.replicas') &&
  managedFieldsOf(live)
    .filter(({ fieldsV1, manager }) => manager !== FIELD_MANAGER && owns(fieldsV1 ?? null, REPLICAS))
    .every(({ subresource, manager }) => subresource === 'scale' && !manager.startsWith('kubectl'));
