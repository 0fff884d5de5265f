import { InvalidCursor } from './record.port.ts';
import type { Page } from './rollout-queries.port.ts';

/** A page of rows of which one more than `limit` was asked for; the cursor is the place of the last that is shown. */
export const pageOf = <Row, T>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => T,
  cursor: (row: Row) => string,
): Page<T> => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    nextCursor: rows.length > shown.length && last !== undefined ? cursor(last) : null,
  };
};

export const cursorNumber = (cursor: string): number => {
  if (!/^\d{1,15}$/.test(cursor)) throw new InvalidCursor('this cursor was not given out here');
  return Number(cursor);
};

export const cursorPair = (cursor: string): readonly [number, number] => {
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(cursor);
  if (match === null) throw new InvalidCursor('this cursor was not given out here');
  return [Number(match[1]), Number(match[2])];
};
