import { equal, isObject, without } from '../object.ts';
import type { JsonObject, KubeObject, ManagedFieldsEntry, ObjectMeta } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import { differenceOf, fieldNode, intersectionOf, isEmptySet, noFields, pathsOf, unionOf } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldsOf } from './typed-fields.ts';
import { compareMaps, mergeMaps, removeFields } from './typed-merge.ts';

export interface FieldConflict {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string | undefined;
  readonly apiVersion: string;
  readonly time: string | undefined;
  readonly path: string;
}

export type ApplyResult =
  | { readonly applied: true; readonly object: KubeObject; readonly managers: Managers }
  | { readonly applied: false; readonly conflicts: readonly FieldConflict[] };

/** Who owns what, by {@link managerKey}; the order is that of the object. */
export type Managers = ReadonlyMap<string, ManagedFieldsEntry>;

export interface Writer {
  readonly manager: string;
  readonly subresource: string | undefined;
  readonly time: string;
}

/** Metadata that the server fills, and that nobody owns. */
const unownedMetadata = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'selfLink',
  'managedFields',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

function managerKey(entry: Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'subresource'>): string {
  return `${entry.operation} ${entry.subresource ?? ''} ${entry.manager}`;
}

function managersOf(object: KubeObject | undefined): Map<string, ManagedFieldsEntry> {
  return new Map((object?.metadata.managedFields ?? []).map((entry) => [managerKey(entry), entry]));
}

/** The object with only what can be owned. */
function ownable(object: KubeObject): JsonObject {
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const key of unownedMetadata) delete metadata[key];
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = object;
  return Object.keys(metadata).length > 0 ? { ...rest, metadata: metadata as JsonObject } : rest;
}

/** Fields that a request to this endpoint may not set are neither merged nor owned. */
function resetForEndpoint(fields: JsonObject, resource: Resource, subresource: string | undefined): JsonObject {
  if (subresource === 'status') {
    const status = fields['status'];
    return status === undefined ? {} : { status };
  }
  return resource.hasStatus ? without(fields, 'status') : fields;
}

/**
 * Server-side apply: merges, takes away what the manager applied before and does not any more, and finds conflicts.
 * @param live undefined when the object is to be created
 * @throws TypedValueError when the applied object does not fit the schema
 */
export function applyFields(
  live: KubeObject | undefined,
  applied: KubeObject,
  resource: Resource,
  writer: Writer,
  force: boolean,
): ApplyResult {
  const wanted = resetForEndpoint(ownable(applied), resource, writer.subresource);
  const fields = fieldsOf(wanted, resource.type);
  const managers = managersOf(live);
  const key = managerKey({ ...writer, operation: 'Apply' } as ManagedFieldsEntry);
  const before = managers.get(key);
  const base = live ?? createdFrom(applied);
  let merged = mergeMaps(base, wanted, resource.type);
  const others = [...managers].filter(([name]) => name !== key);
  if (before) {
    const dropped = differenceOf(before.fieldsV1, fields);
    if (!isEmptySet(dropped)) {
      const kept = others.reduce<FieldSet>((all, [, entry]) => unionOf(all, entry.fieldsV1), fields);
      merged = removeFields(merged, dropped, resource.type, kept);
    }
  }
  const object = merged as KubeObject;
  const next = new Map(managers);
  if (live && object !== live) {
    const conflicts = settleOthers(live, object, resource, others, next);
    if (conflicts.length > 0 && !force) return { applied: false, conflicts };
  }
  if (isEmptySet(fields)) next.delete(key);
  else if (!before || !equal(before.fieldsV1, fields)) next.set(key, entryOf(writer, 'Apply', resource, fields));
  return { applied: true, object, managers: next };
}

function createdFrom(applied: KubeObject): KubeObject {
  const { name, namespace, uid, generateName } = applied.metadata;
  const metadata: ObjectMeta = {
    name,
    ...(generateName !== undefined && { generateName }),
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
  };
  return { apiVersion: applied.apiVersion, kind: applied.kind, metadata };
}

/** Takes from the other managers what changed hands, and says what they had of it. */
function settleOthers(
  live: KubeObject,
  object: KubeObject,
  resource: Resource,
  others: readonly (readonly [string, ManagedFieldsEntry])[],
  next: Map<string, ManagedFieldsEntry>,
): FieldConflict[] {
  const comparison = compareMaps(ownable(live), ownable(object), resource.type);
  const conflicts: FieldConflict[] = [];
  for (const [name, entry] of others) {
    const contested = intersectionOf(entry.fieldsV1, comparison.changed);
    const lost = unionOf(contested, comparison.removed);
    for (const path of pathsOf(contested)) {
      const { manager, operation, subresource, apiVersion, time } = entry;
      conflicts.push({ manager, operation, subresource, apiVersion, time, path });
    }
    const left = differenceOf(entry.fieldsV1, lost);
    if (isEmptySet(left)) next.delete(name);
    else if (!equal(left, entry.fieldsV1)) next.set(name, { ...entry, fieldsV1: left });
  }
  return conflicts;
}

/** Ownership after a create, update or patch: the writer owns what it changed. */
export function updateFields(
  live: KubeObject | undefined,
  object: KubeObject,
  resource: Resource,
  writer: Writer,
): Managers {
  // A created object is compared with an empty one of its kind, whose structures are there.
  const from = live
    ? ownable(live)
    : { metadata: {}, spec: {}, ...(resource.key === 'secrets' && { data: undefined }) };
  const comparison = compareMaps(from, resetForEndpoint(ownable(object), resource, writer.subresource), resource.type);
  const next = managersOf(live);
  if (live && writer.subresource === undefined && isObject(live['status']) && resource.hasStatus) {
    return updateOwners(next, withoutStatus(comparison.changed), withoutStatus(comparison.removed), resource, writer);
  }
  return updateOwners(next, comparison.changed, comparison.removed, resource, writer);
}

function withoutStatus(fields: FieldSet): FieldSet {
  return without(fields, 'f:status');
}

function updateOwners(
  managers: Map<string, ManagedFieldsEntry>,
  changed: FieldSet,
  removed: FieldSet,
  resource: Resource,
  writer: Writer,
): Managers {
  if (isEmptySet(changed) && isEmptySet(removed)) return managers;
  const key = managerKey({ ...writer, operation: 'Update' } as ManagedFieldsEntry);
  const lost = unionOf(changed, removed);
  for (const [name, entry] of managers) {
    if (name === key) continue;
    const left = differenceOf(entry.fieldsV1, lost);
    if (isEmptySet(left)) managers.delete(name);
    else if (!equal(left, entry.fieldsV1)) managers.set(name, { ...entry, fieldsV1: left });
  }
  const own = unionOf(differenceOf(managers.get(key)?.fieldsV1 ?? noFields, removed), trimRoots(changed));
  if (isEmptySet(own)) managers.delete(key);
  else managers.set(key, entryOf(writer, 'Update', resource, own));
  return managers;
}

/** Top-level structures are there in every object, so that nobody owns them as such. */
function trimRoots(fields: FieldSet): FieldSet {
  const out: Record<string, FieldSet> = {};
  for (const key in fields) {
    const node = fieldNode(fields, key) ?? noFields;
    const root = key === 'f:spec' || key === 'f:status' || key === 'f:metadata';
    out[key] = root ? without(node, '.') : node;
  }
  return out;
}

function entryOf(
  writer: Writer,
  operation: 'Apply' | 'Update',
  resource: Resource,
  fieldsV1: FieldSet,
): ManagedFieldsEntry {
  return {
    manager: writer.manager,
    operation,
    apiVersion: resource.apiVersion,
    time: writer.time,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(writer.subresource !== undefined && { subresource: writer.subresource }),
  };
}

/** The entries in the order in which the API server writes them. */
export function sortedEntries(managers: Managers): readonly ManagedFieldsEntry[] {
  return [...managers.values()].sort(
    (a, b) =>
      a.operation.localeCompare(b.operation) ||
      (a.time ?? '').localeCompare(b.time ?? '') ||
      a.manager.localeCompare(b.manager) ||
      (a.subresource ?? '').localeCompare(b.subresource ?? ''),
  );
}
