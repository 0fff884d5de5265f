import { equal, isArray, isObject } from '../object.ts';
import type { Json, JsonObject } from '../object.ts';
import type { TypeNode } from '../schema/type-schema.ts';
import { listElement } from '../apply/typed-merge.ts';
import { memberType } from '../apply/typed-fields.ts';
import { StatusError, badRequest } from './status-error.ts';

/** RFC 7386. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const out: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const key in patch) {
    const value = patch[key];
    if (value === undefined || key === '__proto__') continue;
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

/** Strategic merge without its directives but `$patch: delete`: lists with keys are merged, others replaced. */
export function strategicPatch(target: Json | undefined, patch: Json, type: TypeNode): Json {
  if (isArray(patch) && (type.kind === 'keyed' || type.kind === 'set')) {
    const out = isArray(target) ? [...target] : [];
    for (const item of patch) {
      const element = listElement(item, type);
      const place = out.findIndex((existing) => listElement(existing, type) === element);
      const existing = out[place];
      if (isObject(item) && item['$patch'] === 'delete') {
        if (place >= 0) out.splice(place, 1);
      } else if (place >= 0 && existing !== undefined) out[place] = strategicPatch(existing, item, type.item);
      else out.push(item);
    }
    return out;
  }
  if (!isObject(patch)) return patch;
  const out: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const key in patch) {
    const value = patch[key];
    if (value === undefined || key === '__proto__' || key.startsWith('$')) continue;
    if (value === null) delete out[key];
    else out[key] = strategicPatch(out[key], value, memberType(type, key) ?? type);
  }
  return out;
}

/**
 * RFC 6902.
 * @throws StatusError 400 for a patch that cannot be read, 422 for one that does not fit the object
 */
export function jsonPatch(target: JsonObject, patch: Json): Json {
  if (!isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list');
  let document: Json = target;
  for (const operation of patch) {
    if (!isObject(operation)) throw badRequest('error decoding patch: an operation is an object');
    const path = pointer(operation['path']);
    const value = operation['value'] ?? null;
    switch (operation['op']) {
      case 'add':
        document = edited(document, path, () => value, true);
        break;
      case 'replace':
        document = edited(document, path, () => value, false);
        break;
      case 'remove':
        document = edited(document, path, () => undefined, false);
        break;
      case 'test':
        if (!equal(lookedUp(document, path), value)) throw unprocessable('testing path failed');
        break;
      case 'move':
      case 'copy': {
        const from = pointer(operation['from']);
        const moved = lookedUp(document, from);
        if (moved === undefined) throw unprocessable('the path to copy from does not exist');
        if (operation['op'] === 'move') document = edited(document, from, () => undefined, false);
        document = edited(document, path, () => moved, true);
        break;
      }
      default:
        throw badRequest('error decoding patch: unknown operation');
    }
  }
  return document;
}

function unprocessable(message: string): StatusError {
  return new StatusError(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`);
}

function pointer(path: Json | undefined): string[] {
  if (typeof path !== 'string') throw badRequest('error decoding patch: a path is missing');
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function lookedUp(document: Json, path: readonly string[]): Json | undefined {
  let current: Json | undefined = document;
  for (const part of path) {
    current = isArray(current) ? current[Number(part)] : isObject(current) ? current[part] : undefined;
  }
  return current;
}

function edited(value: Json, path: readonly string[], change: () => Json | undefined, adding: boolean): Json {
  const [part, ...rest] = path;
  if (part === undefined) return change() ?? null;
  if (isArray(value)) {
    const out = [...value];
    const index = part === '-' ? out.length : Number(part);
    const item = out[index];
    if (rest.length > 0) {
      if (item === undefined) throw unprocessable(`the path ${part} does not exist`);
      out[index] = edited(item, rest, change, adding);
      return out;
    }
    const next = change();
    if (next === undefined) out.splice(index, 1);
    else if (adding) out.splice(index, 0, next);
    else out[index] = next;
    return out;
  }
  if (!isObject(value) || part === '__proto__') throw unprocessable(`the path ${part} does not exist`);
  const child = value[part];
  if (child === undefined && (rest.length > 0 || !adding)) throw unprocessable(`the path ${part} does not exist`);
  const next = rest.length > 0 && child !== undefined ? edited(child, rest, change, adding) : change();
  const { [part]: _old, ...others } = value;
  return next === undefined ? others : { ...value, [part]: next };
}
