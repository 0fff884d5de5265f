import { createHash } from 'node:crypto';
import type { KubeObject } from '@breakwater/domain';
import { canonicalJson } from '@breakwater/domain';
import type { FieldPath } from './field-path.ts';
import { FIELD_MANAGER } from './kube-api.ts';

/** A `fieldsV1` tree: `f:name`, `k:{"name":"web"}`, `v:"value"`, and `.` for the thing itself. */
export interface FieldTree {
  readonly [step: string]: FieldTree;
}

export interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly apiVersion?: string;
  /** RFC 3339, in whole seconds: of the manager's last change. */
  readonly time?: string;
  readonly fieldsV1?: FieldTree;
}

export const managedFieldsOf = (object: KubeObject): readonly ManagedFields[] => {
  const fields = object.metadata['managedFields'];
  return Array.isArray(fields) ? (fields as readonly ManagedFields[]) : [];
};

/** What we own by server-side apply. */
export const ownedFields = (object: KubeObject): FieldTree | null =>
  managedFieldsOf(object).find(
    (entry) => entry.manager === FIELD_MANAGER && entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  )?.fieldsV1 ?? null;

const stepKeys = (tree: FieldTree, path: FieldPath[number]): readonly string[] => {
  if ('field' in path) return [`f:${path.field}`].filter((key) => key in tree);
  return Object.keys(tree).filter((key) => {
    if (!key.startsWith('k:')) return false;
    const values = JSON.parse(key.slice(2)) as Record<string, unknown>;
    return Object.entries(path.where).every(([name, value]) => String(values[name]) === value);
  });
};

/** Is the field at the path, or one below it, in the tree? */
export const owns = (tree: FieldTree | null, path: FieldPath): boolean => {
  if (tree === null) return false;
  const [step, ...rest] = path;
  if (step === undefined) return true;
  return stepKeys(tree, step).some((key) => owns(tree[key] ?? null, rest));
};

const without = (tree: FieldTree, path: FieldPath): FieldTree => {
  const [step, ...rest] = path;
  if (step === undefined) return tree;
  const changed: Record<string, FieldTree> = { ...tree };
  for (const key of stepKeys(tree, step)) {
    const inner = changed[key];
    if (rest.length === 0 || inner === undefined) delete changed[key];
    else changed[key] = without(inner, rest);
  }
  return changed;
};

/**
 * Digest of the fields that our field manager owns, those left to others not counted but named: what is no longer left is written again.
 * Whoever changes the value of one of them takes it out of this set, so an edit by another hand moves the digest; one that adds fields of
 * its own does not.
 */
export const fieldsDigestOf = (object: KubeObject, ignored: readonly FieldPath[]): string | null => {
  const owned = ownedFields(object);
  if (owned === null) return null;
  const counted = ignored.reduce(without, owned);
  const left = ignored.map((path) => canonicalJson(path)).sort();
  return createHash('sha256').update(canonicalJson({ counted, left })).digest('base64url').slice(0, 22);
};

/** What is in the first tree and not in the second; null when nothing is. */
export const missingFrom = (first: FieldTree, second: FieldTree | null): FieldTree | null => {
  if (second === null) return first;
  const missing: Record<string, FieldTree> = {};
  for (const [key, inner] of Object.entries(first)) {
    const other = second[key];
    if (other === undefined) {
      missing[key] = inner;
      continue;
    }
    const deeper = missingFrom(inner, other);
    if (deeper !== null) missing[key] = deeper;
  }
  return Object.keys(missing).length === 0 ? null : missing;
};

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const isLeaf = (tree: FieldTree): boolean => Object.keys(tree).every((key) => key === '.');

const itemFor = (list: readonly unknown[], key: string): number => {
  const values = JSON.parse(key.slice(2)) as Record<string, unknown>;
  return list.findIndex((item) => isMap(item) && Object.entries(values).every(([name, value]) => item[name] === value));
};

const overlayList = (target: readonly unknown[], source: readonly unknown[], tree: FieldTree): unknown[] => {
  const result = [...target];
  for (const [key, inner] of Object.entries(tree)) {
    if (key.startsWith('v:')) {
      const value: unknown = JSON.parse(key.slice(2));
      if (!result.includes(value)) result.push(value);
    }
    if (!key.startsWith('k:')) continue;
    const from = source[itemFor(source, key)];
    const at = itemFor(result, key);
    if (at < 0) result.push(from);
    else result[at] = overlay(result[at], from, inner);
  }
  return result;
};

/** A copy of `target` in which the fields of the tree have the values that they have in `source`. */
export const overlay = (target: unknown, source: unknown, tree: FieldTree): unknown => {
  if (isLeaf(tree)) return source;
  if (Array.isArray(source)) return overlayList(Array.isArray(target) ? target : [], source, tree);
  if (!isMap(source)) return source;
  const result: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [key, inner] of Object.entries(tree)) {
    if (!key.startsWith('f:')) continue;
    const name = key.slice(2);
    const value = overlay(result[name], source[name], inner);
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
  return result;
};
