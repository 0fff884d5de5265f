import type { Page } from '../ports/record.port.ts';

const PAGE = 500;

/** Every item of a list that is given out in pages. */
export const readAll = async <T>(
  read: (page: { readonly cursor: string | null; readonly limit: number }) => Promise<Page<T>>,
): Promise<readonly T[]> => {
  const all: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read({ cursor, limit: PAGE });
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
};
