import { createHash } from 'node:crypto';
import { arrayAt, equal, isArray, isObject, objectAt, stringAt } from '../object.ts';
import type { Json, JsonObject, KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../object.ts';
import type { Deletion, Later } from '../api/deletion.ts';
import { randomSuffix, resourceOf, timestamp } from '../api/object-lifecycle.ts';
import type { ObjectLifecycle } from '../api/object-lifecycle.ts';
import { podSpecDefaults } from '../api/defaults.ts';
import { noFields } from '../apply/field-set.ts';
import type { FieldSet } from '../apply/field-set.ts';
import { compareMaps } from '../apply/typed-merge.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { WorkloadSettings } from './settings.ts';

export const podResource = resourceOf('pods');

/** What controllers work with: the cluster's objects, and time. */
export interface ControllerContext {
  readonly lifecycle: ObjectLifecycle;
  readonly deletion: Deletion;
  readonly later: Later;
  readonly settings: WorkloadSettings;
  /** Looks at an object again, now or after some ms. */
  readonly enqueue: (resource: Resource, key: string, ms?: number) => void;
  readonly event: (about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

export type Reconcile = (context: ControllerContext, object: KubeObject, key: string) => void;

const hashes = new WeakMap<object, string>();

/** A short name for a pod template; templates that are equal have the same. */
export function templateHash(template: JsonObject): string {
  const known = hashes.get(template);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(canonical(template)).digest('hex').slice(0, 10);
  hashes.set(template, hash);
  return hash;
}

function canonical(value: Json | undefined): string {
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}

/** Objects of one kind that a controller owns. */
export function ownedObjects(context: ControllerContext, owner: KubeObject, resource: Resource): KubeObject[] {
  const { store } = context.lifecycle;
  const out: KubeObject[] = [];
  for (const [kind, key] of store.ownedBy(owner.metadata.uid ?? '')) {
    const object = kind === resource.key ? store.byKey(kind, key) : undefined;
    if (object) out.push(object);
  }
  return out;
}

export function isGoing(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

export function ownerReference(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

/** Creates a pod from the template of its owner; a namespace that is going gets none. */
export function createPod(
  context: ControllerContext,
  owner: KubeObject,
  options: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> },
): void {
  const template = objectAt(owner, 'spec', 'template') ?? {};
  const labels = {
    ...(objectAt(template, 'metadata', 'labels') as Readonly<Record<string, string>> | undefined),
    ...options.labels,
  };
  const annotations = objectAt(template, 'metadata', 'annotations');
  const metadata: ObjectMeta = {
    name: options.name ?? `${owner.metadata.name}-${randomSuffix()}`,
    namespace: owner.metadata.namespace ?? '',
    labels,
    ...(annotations && { annotations: annotations as Readonly<Record<string, string>> }),
    ownerReferences: [ownerReference(owner)],
  };
  const spec = { ...podSpecDefaults(objectAt(template, 'spec') ?? {}), nodeName: 'simulated-node' };
  try {
    context.lifecycle.create(podResource, { apiVersion: 'v1', kind: 'Pod', metadata, spec }, new Map(), false);
  } catch {
    // The namespace is being deleted, or the name is still taken: the next look will tell.
  }
}

export function deletePod(context: ControllerContext, pod: KubeObject): void {
  if (!isGoing(pod)) context.deletion.delete(podResource, pod, {});
}

export function isReady(pod: KubeObject): boolean {
  return readySince(pod) !== undefined;
}

/** Epoch ms since which a pod is ready. */
export function readySince(pod: KubeObject): number | undefined {
  const conditions = objectAt(pod, 'status')?.['conditions'];
  if (!isArray(conditions)) return undefined;
  const ready = conditions.find((condition) => stringAt(condition, 'type') === 'Ready');
  if (stringAt(ready, 'status') !== 'True') return undefined;
  return Date.parse(stringAt(ready, 'lastTransitionTime') ?? '');
}

const statusFields = new Map<string, FieldSet>();

/** Writes a status as the controller manager does, with its entry among the managed fields. */
export function writeStatus(
  context: ControllerContext,
  resource: Resource,
  object: KubeObject,
  status: JsonObject,
  annotations?: Readonly<Record<string, string>>,
): KubeObject {
  if (!annotations && equal(object['status'], status)) return object;
  const change = annotations ? { annotations: { ...object.metadata.annotations, ...annotations } } : {};
  const managedFields = withStatusManager(object, resource, status, annotations);
  return context.lifecycle.patch(resource, object, { status }, { ...change, managedFields });
}

const manager = 'kube-controller-manager';

function withStatusManager(
  object: KubeObject,
  resource: Resource,
  status: JsonObject,
  annotations: Readonly<Record<string, string>> | undefined,
): readonly ManagedFieldsEntry[] {
  const entries = object.metadata.managedFields ?? [];
  const own = entries.find((entry) => entry.manager === manager && entry.subresource === 'status');
  const fieldsV1 = fieldsOfStatus(resource, status, annotations ?? annotationsOf(own));
  const entry: ManagedFieldsEntry = {
    manager,
    operation: 'Update',
    apiVersion: resource.apiVersion,
    time: timestamp(),
    fieldsType: 'FieldsV1',
    fieldsV1,
    subresource: 'status',
  };
  return [...entries.filter((other) => other !== own), entry];
}

function annotationsOf(entry: ManagedFieldsEntry | undefined): Readonly<Record<string, string>> | undefined {
  const fields = objectAt(entry?.fieldsV1, 'f:metadata', 'f:annotations');
  if (!fields) return undefined;
  return Object.fromEntries(
    Object.keys(fields)
      .filter((key) => key !== '.')
      .map((key) => [key.slice(2), '']),
  );
}

/** Shared between all objects whose status has the same fields. */
function fieldsOfStatus(
  resource: Resource,
  status: JsonObject,
  annotations: Readonly<Record<string, string>> | undefined,
): FieldSet {
  const names = Object.keys(annotations ?? {});
  const conditions = arrayAt(status, 'conditions').map((one) => stringAt(one, 'type') ?? '');
  const id = [resource.key, names.join(' '), Object.keys(status).join(' '), conditions.join(' ')].join('|');
  const known = statusFields.get(id);
  if (known) return known;
  const marks = Object.fromEntries(names.map((name) => [`f:${name}`, noFields]));
  const { changed } = compareMaps({ status: {} }, { status }, resource.type);
  const made: FieldSet = {
    ...(names.length > 0 && { 'f:metadata': { 'f:annotations': { '.': noFields, ...marks } } }),
    ...changed,
  };
  statusFields.set(id, made);
  return made;
}

/** A condition, keeping the time of its last change where its status is the same. */
export function condition(
  object: KubeObject,
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  touched = false,
): JsonObject {
  const conditions = objectAt(object, 'status')?.['conditions'];
  const before = isArray(conditions) ? conditions.find((one) => stringAt(one, 'type') === type) : undefined;
  const now = timestamp();
  const sameStatus = stringAt(before, 'status') === status;
  const same = sameStatus && stringAt(before, 'reason') === reason && !touched;
  return {
    type,
    status,
    lastUpdateTime: same ? (stringAt(before, 'lastUpdateTime') ?? now) : now,
    lastTransitionTime: sameStatus ? (stringAt(before, 'lastTransitionTime') ?? now) : now,
    reason,
    message,
  };
}

/** A count or percentage of a total, in the direction that the field rounds. */
export function scaled(value: Json | undefined, total: number, up: boolean): number {
  if (typeof value === 'number') return value;
  const percent = typeof value === 'string' && value.endsWith('%') ? Number(value.slice(0, -1)) : 0;
  const exact = (percent * total) / 100;
  return up ? Math.ceil(exact) : Math.floor(exact);
}
