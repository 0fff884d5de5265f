import type { Alias, Document, Node, Pair } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { FieldPath, Position } from '../document-error.ts';

export type Locate = (path: FieldPath, on?: 'key' | 'value') => Position;

/** Offsets of a text to lines and columns, both from 1. */
export const lineFinder = (text: string, lineOffset: number): ((offset: number) => Position) => {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1 + lineOffset, column: offset - (starts[low] ?? 0) + 1 };
  };
};

export const keyText = (key: unknown): string => String(isScalar(key) ? key.value : key);

const resolved = (node: unknown, document: Document): unknown =>
  isAlias(node) ? (node as Alias).resolve(document) : node;

const pairOf = (node: unknown, key: string): Pair | null =>
  isMap(node) ? (node.items.findLast((pair) => keyText(pair.key) === key) ?? null) : null;

const offsetOf = (node: unknown): number | null => (node as Node | null | undefined)?.range?.[0] ?? null;

/** Where a field is written; where it is not there (or came in by a merge), its nearest surroundings. */
export const locator = (document: Document, position: (offset: number) => Position): Locate => {
  return (path, on = 'value') => {
    let node: unknown = document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const [depth, segment] of path.entries()) {
      const inside = resolved(node, document);
      if (typeof segment === 'number') {
        node = isSeq(inside) ? inside.items[segment] : undefined;
        if (node === undefined) break;
        offset = offsetOf(node) ?? offset;
        continue;
      }
      const pair = pairOf(inside, segment);
      if (pair === null) break;
      const wantsKey = on === 'key' && depth === path.length - 1;
      const key = offsetOf(pair.key) ?? offset;
      offset = wantsKey ? key : (offsetOf(pair.value) ?? key);
      node = pair.value;
    }
    return position(offset);
  };
};
