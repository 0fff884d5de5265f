import { equal, isArray, isObject } from '../object.ts';
import type { Json, JsonObject } from '../object.ts';
import type { TypeNode } from '../schema/type-schema.ts';
import { fieldNode, isFieldMember, keyElement, noFields } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { memberType } from './typed-fields.ts';

/**
 * The live value with the applied one laid over it. Parts that do not change keep their identity, so an apply that
 * changes nothing returns `live` itself.
 */
export function mergeMaps(live: JsonObject, applied: JsonObject, type: TypeNode): JsonObject {
  let out: Record<string, Json | undefined> | undefined;
  for (const key in applied) {
    const value = applied[key];
    if (value === undefined || key === '__proto__') continue;
    const before = live[key];
    const merged = mergeValue(before, value, memberType(type, key) ?? type);
    if (merged !== before) {
      out ??= { ...live };
      out[key] = merged;
    }
  }
  return out ?? live;
}

function mergeValue(live: Json | undefined, applied: Json, type: TypeNode): Json {
  if (live === undefined) return applied;
  switch (type.kind) {
    case 'struct':
    case 'map':
    case 'any':
      if (isObject(live) && isObject(applied) && !('atomic' in type && type.atomic))
        return mergeMaps(live, applied, type);
      return equal(live, applied) ? live : applied;
    case 'keyed':
      return isArray(live) && isArray(applied)
        ? mergeLists(live, applied, (item) => itemKey(item, type.keys), type.item)
        : applied;
    case 'set':
      return isArray(live) && isArray(applied) ? mergeLists(live, applied, JSON.stringify, type.item) : applied;
    default:
      return equal(live, applied) ? live : applied;
  }
}

function itemKey(item: Json, keys: readonly string[]): string {
  return isObject(item) ? keyElement(keys, item) : JSON.stringify(item);
}

/** Applied items in their order; items that only live has stay in front of the shared item that they stood before. */
function mergeLists(
  live: readonly Json[],
  applied: readonly Json[],
  keyOf: (item: Json) => string,
  type: TypeNode,
): readonly Json[] {
  const places = new Map<string, number>();
  for (const [index, item] of live.entries()) places.set(keyOf(item), index);
  const wanted = new Set(applied.map(keyOf));
  const out: Json[] = [];
  let next = 0;
  const takeLiveOnly = (end: number): void => {
    for (; next < end; next += 1) {
      const item = live[next];
      if (item !== undefined && !wanted.has(keyOf(item))) out.push(item);
    }
  };
  for (const item of applied) {
    const place = places.get(keyOf(item));
    const before = place === undefined ? undefined : live[place];
    if (place !== undefined) takeLiveOnly(place);
    out.push(
      before !== undefined && isObject(before) && isObject(item) ? mergeMaps(before, item, type) : (before ?? item),
    );
  }
  takeLiveOnly(live.length);
  return out.length === live.length && out.every((item, index) => item === live[index]) ? live : out;
}

export interface Comparison {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

interface Changes {
  changed: Record<string, Json> | undefined;
  removed: Record<string, Json> | undefined;
}

/** Which fields were added or modified between two objects, and which were removed. */
export function compareMaps(before: JsonObject, after: JsonObject, type: TypeNode): Comparison {
  const changes = compareMembers(before, after, type);
  return { changed: changes.changed ?? noFields, removed: changes.removed ?? noFields };
}

function compareMembers(before: JsonObject, after: JsonObject, type: TypeNode): Changes {
  const changes: Changes = { changed: undefined, removed: undefined };
  for (const key in after) {
    const value = after[key];
    if (value === undefined || value === before[key]) continue;
    record(changes, `f:${key}`, before[key], value, memberType(type, key) ?? type);
  }
  for (const key in before) {
    const value = before[key];
    if (value !== undefined && after[key] === undefined)
      record(changes, `f:${key}`, value, undefined, memberType(type, key) ?? type);
  }
  return changes;
}

function record(
  changes: Changes,
  element: string,
  before: Json | undefined,
  after: Json | undefined,
  type: TypeNode,
): void {
  if (before === undefined) {
    if (after !== undefined) (changes.changed ??= {})[element] = wholeOf(after, type);
    return;
  }
  if (after === undefined) {
    (changes.removed ??= {})[element] = wholeOf(before, type);
    return;
  }
  const nested = compareValues(before, after, type);
  if (nested === 'modified') (changes.changed ??= {})[element] = noFields;
  else if (nested) {
    if (nested.changed) (changes.changed ??= {})[element] = nested.changed;
    if (nested.removed) (changes.removed ??= {})[element] = nested.removed;
  }
}

function compareValues(before: Json, after: Json, type: TypeNode): Changes | 'modified' | undefined {
  if (before === after) return undefined;
  const granular = type.kind === 'map' || ((type.kind === 'struct' || type.kind === 'any') && !type.atomic);
  if (granular && isObject(before) && isObject(after)) return compareMembers(before, after, type);
  if ((type.kind === 'keyed' || type.kind === 'set') && isArray(before) && isArray(after)) {
    return compareLists(before, after, type);
  }
  return equal(before, after) ? undefined : 'modified';
}

function compareLists(
  before: readonly Json[],
  after: readonly Json[],
  type: Extract<TypeNode, { kind: 'keyed' | 'set' }>,
): Changes {
  const changes: Changes = { changed: undefined, removed: undefined };
  const old = new Map(before.map((item) => [listElement(item, type), item]));
  for (const item of after) {
    const element = listElement(item, type);
    record(changes, element, old.get(element), item, type.item);
    old.delete(element);
  }
  for (const [element, item] of old) record(changes, element, item, undefined, type.item);
  return changes;
}

export function listElement(item: Json, type: Extract<TypeNode, { kind: 'keyed' | 'set' }>): string {
  return type.kind === 'keyed' && isObject(item) ? keyElement(type.keys, item) : `v:${JSON.stringify(item)}`;
}

/** The value and everything in it, as fields. */
function wholeOf(value: Json, type: TypeNode): FieldSet {
  const out: Record<string, Json> = { '.': noFields };
  let any = false;
  if (isObject(value) && (type.kind === 'map' || ((type.kind === 'struct' || type.kind === 'any') && !type.atomic))) {
    for (const key in value) {
      const child = value[key];
      if (child === undefined) continue;
      out[`f:${key}`] = wholeOf(child, memberType(type, key) ?? type);
      any = true;
    }
  } else if (isArray(value) && (type.kind === 'keyed' || type.kind === 'set')) {
    for (const item of value) out[listElement(item, type)] = wholeOf(item, type.item);
    any = value.length > 0;
  }
  return any ? out : noFields;
}

/** The value without the fields of the set; what becomes empty by it goes too. */
export function removeFields(value: JsonObject, fields: FieldSet, type: TypeNode, kept: FieldSet): JsonObject {
  const out: Record<string, Json | undefined> = { ...value };
  for (const element in fields) {
    if (!element.startsWith('f:')) continue;
    const key = element.slice(2);
    const child = out[key];
    const node = fieldNode(fields, element);
    if (child === undefined || !node) continue;
    const left = removeFrom(child, node, memberType(type, key) ?? type, fieldNode(kept, element));
    if (left === undefined) delete out[key];
    else out[key] = left;
  }
  return out;
}

function removeFrom(value: Json, fields: FieldSet, type: TypeNode, kept: FieldSet | undefined): Json | undefined {
  if (isFieldMember(fields) && !kept) return undefined;
  if (isObject(value)) {
    const left = removeFields(value, fields, type, kept ?? noFields);
    for (const _key in left) return left;
    return kept ? left : undefined;
  }
  if (isArray(value) && (type.kind === 'keyed' || type.kind === 'set')) {
    const left: Json[] = [];
    for (const item of value) {
      const element = listElement(item, type);
      const node = fieldNode(fields, element);
      const rest = node ? removeFrom(item, node, type.item, kept && fieldNode(kept, element)) : item;
      if (rest !== undefined) left.push(rest);
    }
    return left.length > 0 || kept ? left : undefined;
  }
  return value;
}
