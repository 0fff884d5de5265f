import type { KubeObject } from '@breakwater/domain';
import { groupOf } from '@breakwater/domain';

/**
 * Objects of one class are applied together, classes one after the other: whatever others need comes first, whatever can
 * refuse the others comes last.
 */
export const ORDER = {
  Namespace: 0,
  Definition: 1,
  Foundation: 2,
  Permission: 3,
  Configuration: 4,
  Network: 5,
  Workload: 6,
  Other: 7,
  Blocker: 8,
} as const;
export type OrderClass = (typeof ORDER)[keyof typeof ORDER];

const CORE: Readonly<Record<string, OrderClass>> = {
  Namespace: ORDER.Namespace,
  ServiceAccount: ORDER.Foundation,
  ResourceQuota: ORDER.Foundation,
  LimitRange: ORDER.Foundation,
  ConfigMap: ORDER.Configuration,
  Secret: ORDER.Configuration,
  PersistentVolume: ORDER.Configuration,
  PersistentVolumeClaim: ORDER.Configuration,
  Service: ORDER.Network,
  Endpoints: ORDER.Network,
  Pod: ORDER.Workload,
  PodTemplate: ORDER.Workload,
  ReplicationController: ORDER.Workload,
};

const GROUPS: Readonly<Record<string, OrderClass>> = {
  'apiextensions.k8s.io': ORDER.Definition,
  'scheduling.k8s.io': ORDER.Foundation,
  'storage.k8s.io': ORDER.Foundation,
  'node.k8s.io': ORDER.Foundation,
  'rbac.authorization.k8s.io': ORDER.Permission,
  'discovery.k8s.io': ORDER.Network,
  apps: ORDER.Workload,
  batch: ORDER.Workload,
  'admissionregistration.k8s.io': ORDER.Blocker,
  'apiregistration.k8s.io': ORDER.Blocker,
};

export const orderOf = (object: Pick<KubeObject, 'apiVersion' | 'kind'>): OrderClass => {
  const group = groupOf(object.apiVersion);
  const known = group === '' ? CORE[object.kind] : GROUPS[group];
  if (known !== undefined) return known;
  if (object.kind === 'NetworkPolicy' || object.kind === 'IngressClass') return ORDER.Foundation;
  return ORDER.Other;
};

/**
 * Inside a class: what refers comes after what it refers to. Bindings arm a policy or a role, so they come after it, and go
 * before it.
 */
export const rankInClass = (kind: string): number => (kind.endsWith('Binding') ? 1 : 0);

/** Can refuse other writes, also the fence's: a rollback takes these back before anything else. */
export const isBlocker = (object: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean =>
  orderOf(object) === ORDER.Blocker;

export interface Batch<T> {
  readonly order: OrderClass;
  readonly items: readonly T[];
}

/** In apply order. */
export const inBatches = <T>(
  items: readonly T[],
  objectOf: (item: T) => Pick<KubeObject, 'apiVersion' | 'kind'>,
): readonly Batch<T>[] => {
  const batches = new Map<number, { order: OrderClass; items: T[] }>();
  for (const item of items) {
    const object = objectOf(item);
    const order = orderOf(object);
    const position = order * 2 + rankInClass(object.kind);
    const batch = batches.get(position) ?? { order, items: [] };
    batch.items.push(item);
    batches.set(position, batch);
  }
  return [...batches.entries()].sort(([a], [b]) => a - b).map(([, batch]) => batch);
};
