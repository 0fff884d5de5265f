import { createHash } from 'node:crypto';
import type { KubeObject } from './object.ts';
import { objectKey } from './object.ts';

/**
 * JSON with sorted keys and without white space: one text for one value, on every machine. Keys are sorted by UTF-16
 * code units (not by locale); undefined members are left out, as JSON.stringify does. Throws TypeError for what JSON cannot
 * say (NaN, infinities, functions, bigint, cycles).
 */
export const canonicalJson = (value: unknown): string => write(value, new Set());

const write = (value: unknown, above: Set<object>): string => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} has no JSON form`);
  if (above.has(value)) throw new TypeError('a cycle has no JSON form');
  above.add(value);
  const text = Array.isArray(value) ? writeList(value, above) : writeMap(value, above);
  above.delete(value);
  return text;
};

const writeList = (list: readonly unknown[], above: Set<object>): string =>
  `[${list.map((item) => (item === undefined ? 'null' : write(item, above))).join(',')}]`;

const writeMap = (map: object, above: Set<object>): string => {
  const members: string[] = [];
  for (const key of Object.keys(map).sort()) {
    const member = (map as Record<string, unknown>)[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${write(member, above)}`);
  }
  return `{${members.join(',')}}`;
};

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;

/** `sha256:<hex>` of the canonical form. */
export const objectDigest = (object: KubeObject): string => sha256(canonicalJson(object));

/** `sha256:<hex>` over the pairs of object key and digest, sorted: the order of the objects does not matter. */
export const bundleDigest = (objects: readonly KubeObject[]): string =>
  sha256(canonicalJson(objects.map((object) => [objectKey(object), objectDigest(object)].join(' ')).sort()));
