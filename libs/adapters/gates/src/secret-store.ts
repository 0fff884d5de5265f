import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Secrets of gates by name. Callers send them, and never show them. */
export interface SecretStore {
  /** null: there is none of this name. */
  token(name: string): Promise<string | null>;
}

/** A Kubernetes name: no separator, no leading dot, so that it cannot leave the directory. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** `<name>.token` in a directory (null: there are no secrets), read anew each time: a rotated secret counts at once. */
export class DirectorySecretStore implements SecretStore {
  readonly #directory: string | null;

  constructor(directory: string | null) {
    this.#directory = directory;
  }

  async token(name: string): Promise<string | null> {
    if (this.#directory === null || !NAME.test(name) || name.includes('..')) return null;
    try {
      const text = (await readFile(join(this.#directory, `${name}.token`), 'utf8')).trim();
      return text === '' ? null : text;
    } catch (error) {
      if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export const isLoopback = (url: URL): boolean => LOOPBACK.test(url.hostname);

export type Authorisation = { readonly headers: Readonly<Record<string, string>> } | { readonly refusal: string };

/** The headers that prove who asks. A token leaves this machine over TLS only. */
export const authorise = async (
  secrets: SecretStore,
  auth: { readonly secret: string } | undefined,
  url: URL,
): Promise<Authorisation> => {
  if (auth === undefined) return { headers: {} };
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    return { refusal: `secret ${auth.secret} is sent over https only, and ${url.host} is asked over http` };
  }
  const token = await secrets.token(auth.secret).catch(() => null);
  // A line break would begin another header.
  if (token === null || !/^[\x21-\x7e]+$/.test(token)) {
    return {
      refusal: `secret ${auth.secret} is missing or unreadable: put ${auth.secret}.token into the gates' secrets`,
    };
  }
  return { headers: { authorization: `Bearer ${token}` } };
};
