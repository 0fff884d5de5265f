import { isObject } from '../object.ts';
import type { Json, JsonObject } from '../object.ts';

/**
 * A set of fields in the form of `fieldsV1`: a tree of path elements (`f:name`, `k:{keys}`, `v:value`). An element
 * belongs to the set when its node is empty or holds `.`. The root itself is never a member.
 */
export type FieldSet = JsonObject;

export const noFields: FieldSet = Object.freeze({});

export function isEmptySet(set: FieldSet): boolean {
  for (const key in set) if (key !== '.') return false;
  return true;
}

function isMember(node: FieldSet): boolean {
  for (const key in node) {
    if (key === '.') return true;
    return node['.'] !== undefined;
  }
  return true;
}

function nodeAt(set: FieldSet, key: string): FieldSet | undefined {
  const node = set[key];
  return isObject(node) ? node : undefined;
}

/** A node from its children and membership; undefined when nothing is left of it. */
function nodeOf(children: Record<string, Json>, member: boolean): FieldSet | undefined {
  for (const _key in children) return member ? { '.': {}, ...children } : children;
  return member ? noFields : undefined;
}

export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  return unionChildren(a, b);
}

function unionChildren(a: FieldSet, b: FieldSet): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const key in a) {
    if (key === '.') continue;
    const left = nodeAt(a, key) ?? noFields;
    const right = nodeAt(b, key);
    out[key] = right && right !== left ? unionNode(left, right) : left;
  }
  for (const key in b) if (key !== '.' && out[key] === undefined) out[key] = b[key] ?? {};
  return out;
}

function unionNode(a: FieldSet, b: FieldSet): FieldSet {
  return nodeOf(unionChildren(a, b), isMember(a) || isMember(b)) ?? noFields;
}

/** The members of `a` that are not members of `b`. */
export function differenceOf(a: FieldSet, b: FieldSet): FieldSet {
  return isEmptySet(b) ? a : differenceChildren(a, b);
}

function differenceChildren(a: FieldSet, b: FieldSet): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const key in a) {
    if (key === '.') continue;
    const left = nodeAt(a, key) ?? noFields;
    const right = nodeAt(b, key);
    if (!right) {
      out[key] = left;
      continue;
    }
    const node = nodeOf(differenceChildren(left, right), isMember(left) && !isMember(right));
    if (node) out[key] = node;
  }
  return out;
}

export function intersectionOf(a: FieldSet, b: FieldSet): FieldSet {
  return intersectionChildren(a, b);
}

function intersectionChildren(a: FieldSet, b: FieldSet): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const key in a) {
    if (key === '.') continue;
    const left = nodeAt(a, key) ?? noFields;
    const right = nodeAt(b, key);
    if (!right) continue;
    const node = nodeOf(intersectionChildren(left, right), isMember(left) && isMember(right));
    if (node) out[key] = node;
  }
  return out;
}

/** Whether the node, or anything below it, belongs to the set. */
export function hasBelow(set: FieldSet | undefined, key: string): boolean {
  return set !== undefined && set[key] !== undefined;
}

export { isMember as isFieldMember, nodeAt as fieldNode };

const sortedKeys = new WeakMap<readonly string[], readonly string[]>();

function inOrder(keys: readonly string[]): readonly string[] {
  const known = sortedKeys.get(keys);
  if (known) return known;
  const sorted = [...keys].sort();
  sortedKeys.set(keys, sorted);
  return sorted;
}

/** A list item that is told apart by its keys, in the canonical spelling of `fieldsV1`. */
export function keyElement(keys: readonly string[], item: JsonObject): string {
  let text = '';
  for (const key of inOrder(keys)) {
    const value = item[key] ?? keyDefault(key);
    if (value !== undefined) text += `${text === '' ? '' : ','}"${key}":${JSON.stringify(value)}`;
  }
  return `k:{${text}}`;
}

/** The only default that a merge key has in the built-in types. */
function keyDefault(key: string): Json | undefined {
  return key === 'protocol' ? 'TCP' : undefined;
}

/** Paths of the members as messages show them: `.spec.containers[name="c"].image`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const out: string[] = [];
  for (const key of Object.keys(set)) {
    if (key === '.') continue;
    const node = nodeAt(set, key) ?? noFields;
    const path = `${prefix}${displayElement(key)}`;
    if (isMember(node)) out.push(path);
    out.push(...pathsOf(node, path));
  }
  return out;
}

function displayElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  const keys = JSON.parse(text) as Record<string, Json>;
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`;
}
