import { canonicalJson } from '@breakwater/domain';

/** A patch that cannot be applied; the message says which operation and why. */
export class PatchError extends Error {}

type JsonMap = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386: null takes a member away, maps are merged, everything else replaces. Returns a new value. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isMap(patch)) return patch;
  const members = new Map(Object.entries(isMap(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, mergePatch(members.get(key), value));
  }
  // fromEntries defines members: a key such as `__proto__` stays a key.
  return Object.fromEntries(members);
};

type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string[]; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string[] }
  | { readonly op: 'move' | 'copy'; readonly path: string[]; readonly from: string[] };

const pointer = (text: unknown): string[] => {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')))
    throw new PatchError('a path begins with a slash');
  if (/~(?![01])/.test(text)) throw new PatchError(`the path ${text} has a ~ that is neither ~0 nor ~1`);
  return text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
};

const readOperation = (operation: unknown): Operation => {
  if (!isMap(operation)) throw new PatchError('an operation is a map with op and path');
  const { op } = operation;
  const path = pointer(operation['path']);
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(operation, 'value')) throw new PatchError(`${op} needs a value`);
      return { op, path, value: operation['value'] };
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      return { op, path, from: pointer(operation['from']) };
    default:
      throw new PatchError(`there is no operation ${JSON.stringify(op)}`);
  }
};

const show = (path: readonly string[]): string => path.map((part) => `/${part}`).join('') || '(the whole object)';
const nothingThere = (path: readonly string[]): PatchError => new PatchError(`there is nothing at ${show(path)}`);

const indexOf = (part: string, length: number, path: readonly string[]): number => {
  if (!/^(?:0|[1-9]\d*)$/.test(part) || Number(part) > length) throw nothingThere(path);
  return Number(part);
};

const get = (value: unknown, path: readonly string[]): unknown => {
  let at = value;
  for (const part of path) {
    if (Array.isArray(at)) {
      const index = indexOf(part, at.length - 1, path);
      at = at[index];
    } else if (isMap(at) && Object.hasOwn(at, part)) at = at[part];
    else throw nothingThere(path);
  }
  return at;
};

/** Rebuilds what lies on the way to a place; `change` makes the new parent of it. */
const update = (
  value: unknown,
  path: readonly string[],
  change: (parent: unknown, last: string) => unknown,
  full: readonly string[] = path,
): unknown => {
  const [part = '', ...rest] = path;
  if (rest.length === 0) return change(value, part);
  const inner = update(get(value, [part]), rest, change, full);
  return setMember(value, part, inner, full);
};

const setMember = (parent: unknown, part: string, value: unknown, path: readonly string[]): unknown => {
  if (Array.isArray(parent)) return parent.with(indexOf(part, parent.length - 1, path), value);
  if (isMap(parent)) return Object.fromEntries([...new Map(Object.entries(parent)).set(part, value)]);
  throw nothingThere(path);
};

const add = (target: unknown, path: readonly string[], value: unknown): unknown =>
  path.length === 0
    ? value
    : update(target, path, (parent, last) => {
        if (!Array.isArray(parent)) return setMember(parent, last, value, path);
        return parent.toSpliced(last === '-' ? parent.length : indexOf(last, parent.length, path), 0, value);
      });

const remove = (target: unknown, path: readonly string[]): unknown => {
  get(target, path);
  if (path.length === 0) throw new PatchError('the whole object cannot be removed');
  return update(target, path, (parent, last) =>
    Array.isArray(parent)
      ? parent.toSpliced(Number(last), 1)
      : Object.fromEntries(Object.entries(parent as JsonMap).filter(([key]) => key !== last)),
  );
};

const apply = (target: unknown, operation: Operation): unknown => {
  switch (operation.op) {
    case 'add':
      return add(target, operation.path, operation.value);
    case 'remove':
      return remove(target, operation.path);
    case 'replace':
      get(target, operation.path);
      if (operation.path.length === 0) return operation.value;
      return update(target, operation.path, (parent, last) => setMember(parent, last, operation.value, operation.path));
    case 'move': {
      const inside = operation.from.every((part, index) => operation.path[index] === part);
      if (inside && operation.path.length > operation.from.length)
        throw new PatchError('a value cannot move into itself');
      return add(remove(target, operation.from), operation.path, get(target, operation.from));
    }
    case 'copy':
      return add(target, operation.path, get(target, operation.from));
    case 'test':
      if (canonicalJson(get(target, operation.path)) === canonicalJson(operation.value)) return target;
      throw new PatchError(`the test at ${show(operation.path)} does not hold`);
  }
};

/** RFC 6902. Returns a new value; throws PatchError, and then nothing has changed. */
export const jsonPatch = (target: unknown, operations: readonly unknown[]): unknown =>
  operations.reduce((value: unknown, operation) => apply(value, readOperation(operation)), target);
