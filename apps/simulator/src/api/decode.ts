import { parse as parseYaml } from 'yaml';
import { isArray, isObject } from '../object.ts';
import type { Json, JsonObject, KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { TypeNode } from '../schema/type-schema.ts';
import { typeName } from '../apply/typed-fields.ts';
import type { StatusError } from './status-error.ts';
import { badRequest } from './status-error.ts';

/** @throws StatusError 400 when the body is neither JSON nor YAML */
export function parseBody(body: Buffer, contentType: string): Json {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (!contentType.includes('yaml')) {
      throw badRequest(
        `the object provided is unrecognized: couldn't get version/kind; json parse error: ${String(error)}`,
      );
    }
  }
  try {
    return parseYaml(text, { maxAliasCount: 100 }) as Json;
  } catch (error) {
    throw badRequest(`error decoding YAML: ${String(error)}`);
  }
}

/** An object of the kind that the path names. */
export function asObject(
  value: Json,
  resource: Resource,
  version = resource.apiVersion,
  kind = resource.kind,
): KubeObject {
  if (!isObject(value)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  const metadata = isObject(value['metadata']) ? value['metadata'] : {};
  if (value['kind'] !== undefined && value['kind'] !== kind) {
    throw badRequest(
      `${String(value['kind'])} in version ${JSON.stringify(resource.version)} cannot be handled as a ${kind}: converting (${String(value['kind'])}) to (${kind}): unknown conversion`,
    );
  }
  if (value['apiVersion'] !== undefined && value['apiVersion'] !== version) {
    throw badRequest(
      `the API version in the data (${String(value['apiVersion'])}) does not match the expected API version (${version})`,
    );
  }
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : '';
  const { labels, annotations } = metadata;
  for (const map of [labels, annotations]) {
    if (!isObject(map)) continue;
    for (const text of Object.values(map)) {
      if (typeof text !== 'string')
        throw wrongType(resource, kind, typeName(text ?? null), 'ObjectMeta.metadata', 'string');
    }
  }
  return { ...value, apiVersion: version, kind, metadata: { ...metadata, name } };
}

function wrongType(resource: Resource, kind: string, got: string, path: string, wanted: string): StatusError {
  return badRequest(
    `${kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${kind}: json: cannot unmarshal ${got} into Go struct field ${path} of type ${wanted}`,
  );
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/**
 * The object with only the fields that its type knows, as a server decodes it; nulls are dropped.
 * @throws StatusError 400 for values of a wrong type
 */
export function conformed(object: KubeObject, resource: Resource, unknown: string[]): KubeObject {
  return prune(object, resource.type, '', resource, unknown) as KubeObject;
}

const goTypes = { s: 'string', i: 'int32', n: 'float64', b: 'bool', x: 'string' } as const;

function prune(value: Json, type: TypeNode, path: string, resource: Resource, unknown: string[]): Json {
  switch (type.kind) {
    case 'struct': {
      if (!isObject(value)) throw wrongType(resource, resource.kind, goName(value), path, 'struct');
      return pruneMembers(value, type, path, resource, unknown);
    }
    case 'map': {
      if (!isObject(value)) throw wrongType(resource, resource.kind, goName(value), path, 'map');
      return pruneMembers(value, type, path, resource, unknown);
    }
    case 'list':
    case 'set':
    case 'keyed': {
      if (!isArray(value)) throw wrongType(resource, resource.kind, goName(value), path, 'slice');
      let out: Json[] | undefined;
      for (const [index, item] of value.entries()) {
        const kept = prune(item, type.item, `${path}[${index}]`, resource, unknown);
        if (kept !== item) (out ??= [...value])[index] = kept;
      }
      return out ?? value;
    }
    case 'scalar': {
      const fits =
        type.scalar === 's'
          ? typeof value === 'string'
          : type.scalar === 'b'
            ? typeof value === 'boolean'
            : type.scalar === 'x'
              ? typeof value === 'string' || typeof value === 'number'
              : typeof value === 'number';
      if (!fits) throw wrongType(resource, resource.kind, goName(value), path, goTypes[type.scalar]);
      return value;
    }
    case 'any':
      return value;
  }
}

function pruneMembers(
  value: JsonObject,
  type: Extract<TypeNode, { kind: 'struct' | 'map' }>,
  path: string,
  resource: Resource,
  unknown: string[],
): JsonObject {
  let out: Record<string, Json | undefined> | undefined;
  for (const key in value) {
    const child = value[key];
    if (child === undefined) continue;
    const childPath = path === '' ? key : `${path}.${key}`;
    const childType = type.kind === 'map' ? type.value : (type.fields.get(key) ?? (type.open ? anything : undefined));
    if (!childType || child === null || key === '__proto__') {
      if (!childType) unknown.push(childPath);
      out ??= { ...value };
      delete out[key];
      continue;
    }
    const kept = prune(child, childType, childPath, resource, unknown);
    if (kept !== child) (out ??= { ...value })[key] = kept;
  }
  return out ?? value;
}

const anything: TypeNode = { kind: 'any', atomic: false };

function goName(value: Json): string {
  if (isArray(value)) return 'array';
  if (isObject(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** @throws StatusError 400 under `Strict`; otherwise the warnings to send along */
export function judgeUnknown(unknown: readonly string[], validation: FieldValidation, resource: Resource): string[] {
  if (unknown.length === 0 || validation === 'Ignore') return [];
  const lines = unknown.map((field) => `unknown field ${JSON.stringify(field)}`);
  if (validation === 'Warn') return lines;
  throw badRequest(
    `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: strict decoding error: ${lines.join(', ')}`,
  );
}
