import type { RecordPort } from '@breakwater/application';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hashToken, newToken } from './bearer-token.ts';

/** `written`: made just now. `valid`: the file's token works. `other`: there are tokens, and the file holds none of them. */
export type FirstToken = 'written' | 'valid' | 'other';

/** Writes the first administrator's token to `file` (mode 0600) when the record has no token at all. Never replaces one that works. */
export const ensureFirstToken = async (record: Pick<RecordPort, 'access'>, file: string): Promise<FirstToken> => {
  const known = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (known !== '' && (await record.access.findToken(hashToken(known))) !== null) return 'valid';
  if (await record.access.hasTokens()) return 'other';
  const token = newToken();
  const fresh = `${file}.${process.pid}.new`;
  await rm(fresh, { force: true });
  // The file first: a token that is only in the record could never be used.
  await writeFile(fresh, `${token}\n`, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
  await record.access.addToken({ name: 'admin', hash: hashToken(token), role: 'admin' });
  return 'written';
};
