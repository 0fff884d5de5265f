/** Follows the cursors of a list to its end, or to `most` items. */
export const allPages = async <T>(
  page: (cursor: string | undefined) => Promise<{ readonly items: readonly T[]; readonly nextCursor: string | null }>,
  most = Number.POSITIVE_INFINITY,
): Promise<T[]> => {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    items.push(...next.items);
    cursor = next.nextCursor ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items.length > most ? items.slice(0, most) : items;
};
