import { isArray, isObject } from '../object.ts';
import type { Json, JsonObject } from '../object.ts';
import type { TypeNode } from '../schema/type-schema.ts';
import { keyElement, noFields } from './field-set.ts';
import type { FieldSet } from './field-set.ts';

/** The value does not fit its type; the message is the one that the API server gives. */
export class TypedValueError extends Error {
  override readonly name = 'TypedValueError';
}

/**
 * The fields that an applied object names, and with them what its manager will own.
 * @throws TypedValueError for unknown fields and values of a wrong type
 */
export function fieldsOf(value: JsonObject, type: TypeNode): FieldSet {
  try {
    return fieldsOfMap(value, type, undefined) ?? noFields;
  } catch (error) {
    if (!(error instanceof TypedValueError)) throw error;
    // Paths are needed for the message only; most objects are right, and do without.
    return fieldsOfMap(value, type, '') ?? noFields;
  }
}

/** Where in the object a value is; undefined while nobody asks. */
type Path = string | undefined;

function below(path: Path, step: () => string): Path {
  return path === undefined ? undefined : `${path}${step()}`;
}

function fieldsOfValue(value: Json, type: TypeNode, path: Path): FieldSet | undefined {
  if (value === null) return noFields;
  switch (type.kind) {
    case 'scalar':
      checkScalar(value, type.scalar, path);
      return noFields;
    case 'any':
      return !type.atomic && isObject(value) ? fieldsOfMap(value, type, path) : noFields;
    case 'struct':
      if (!isObject(value)) throw new TypedValueError(`${path}: expected map, got ${typeName(value)}`);
      if (type.atomic) {
        fieldsOfMap(value, type, path);
        return noFields;
      }
      return fieldsOfMap(value, type, path);
    case 'map':
      if (!isObject(value)) throw new TypedValueError(`${path}: expected map, got ${typeName(value)}`);
      return fieldsOfMap(value, type, path);
    case 'list':
      checkList(value, type.item, path);
      return noFields;
    case 'set':
      return fieldsOfSet(value, path);
    case 'keyed':
      return fieldsOfKeyed(value, type, path);
  }
}

function fieldsOfMap(value: JsonObject, type: TypeNode, path: Path): FieldSet | undefined {
  const out: Record<string, Json> = {};
  let any = false;
  for (const key in value) {
    const child = value[key];
    if (child === undefined) continue;
    any = true;
    const childPath = below(path, () => `.${key}`);
    const childType = memberType(type, key);
    if (!childType) throw new TypedValueError(`${childPath}: field not declared in schema`);
    const node = fieldsOfValue(child, childType, childPath);
    const own = type.kind === 'map' || type.kind === 'any';
    if (node !== undefined) out[`f:${key}`] = own && Object.keys(node).length > 0 ? { '.': {}, ...node } : node;
    else if (own) out[`f:${key}`] = noFields;
  }
  return any ? out : noFields;
}

/** The type of a member of a map or structure; undefined where the schema has no such field. */
export function memberType(type: TypeNode, key: string): TypeNode | undefined {
  switch (type.kind) {
    case 'struct':
      return type.fields.get(key) ?? (type.open ? { kind: 'any', atomic: false } : undefined);
    case 'map':
      return type.value;
    default:
      return type;
  }
}

function fieldsOfSet(value: Json, path: Path): FieldSet | undefined {
  if (!isArray(value)) throw new TypedValueError(`${path}: expected list, got ${typeName(value)}`);
  const out: Record<string, Json> = {};
  for (const item of value) out[`v:${JSON.stringify(item)}`] = noFields;
  return value.length > 0 ? out : undefined;
}

function fieldsOfKeyed(value: Json, type: Extract<TypeNode, { kind: 'keyed' }>, path: Path): FieldSet | undefined {
  if (!isArray(value)) throw new TypedValueError(`${path}: expected list, got ${typeName(value)}`);
  const out: Record<string, Json> = {};
  for (const [index, item] of value.entries()) {
    if (!isObject(item)) throw new TypedValueError(`${path}[${index}]: expected map, got ${typeName(item)}`);
    for (const key of type.keys) {
      if (item[key] === undefined && key !== 'protocol') {
        throw new TypedValueError(
          `${path}: element ${index}: associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
        );
      }
    }
    const element = keyElement(type.keys, item);
    if (out[element] !== undefined)
      throw new TypedValueError(`${path}: duplicate entries for key ${displayKey(element)}`);
    const node =
      fieldsOfMap(
        item,
        type.item,
        below(path, () => displayKey(element)),
      ) ?? noFields;
    out[element] = { '.': {}, ...node };
  }
  return value.length > 0 ? out : undefined;
}

export function displayKey(element: string): string {
  const keys = JSON.parse(element.slice(2)) as Record<string, Json>;
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`;
}

function checkList(value: Json, item: TypeNode, path: Path): void {
  if (!isArray(value)) throw new TypedValueError(`${path}: expected list, got ${typeName(value)}`);
  for (const [index, entry] of value.entries())
    fieldsOfValue(
      entry,
      item,
      below(path, () => `[${index}]`),
    );
}

function checkScalar(value: Json, scalar: 's' | 'i' | 'n' | 'b' | 'x', path: Path): void {
  const kind = typeof value;
  switch (scalar) {
    case 's':
      if (kind !== 'string') throw new TypedValueError(`${path}: expected string, got ${typeName(value)}`);
      return;
    case 'b':
      if (kind !== 'boolean') throw new TypedValueError(`${path}: expected boolean, got ${typeName(value)}`);
      return;
    case 'i':
    case 'n':
      if (kind !== 'number')
        throw new TypedValueError(`${path}: expected numeric (int or float), got ${typeName(value)}`);
      return;
    case 'x':
      if (kind !== 'number' && kind !== 'string') {
        throw new TypedValueError(`${path}: expected string or number, got ${typeName(value)}`);
      }
  }
}

export function typeName(value: Json): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'list';
  if (isObject(value)) return 'map';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return typeof value;
}
