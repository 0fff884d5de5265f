import { InvalidCursor } from '@breakwater/application';

/** A page of a list that is sorted by name; the cursor names the last item, so that a changed list skips nothing. */
export const pageByName = <T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): { readonly items: readonly T[]; readonly nextCursor: string | null } => {
  let after = '';
  if (cursor !== undefined) {
    const bytes = Buffer.from(cursor, 'base64url');
    after = bytes.toString('utf8');
    if (bytes.toString('base64url') !== cursor || after === '') throw new InvalidCursor('not a cursor of this list');
  }
  const rest = items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const more = rest.length > page.length && last !== undefined;
  return { items: page, nextCursor: more ? Buffer.from(nameOf(last), 'utf8').toString('base64url') : null };
};
