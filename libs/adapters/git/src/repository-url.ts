import { RepositoryError } from '@breakwater/application';
import { isAbsolute, resolve } from 'node:path';

export type RepositoryProtocol = 'file' | 'https' | 'http' | 'ssh';

export interface RepositoryAddress {
  readonly protocol: RepositoryProtocol;
  /** What Git is given; never begins with a dash, never holds a password. */
  readonly url: string;
  /** The directory, for `file`. */
  readonly path?: string;
}

const invalid = (message: string, remedy: string): RepositoryError =>
  new RepositoryError('InvalidRepository', message, { remedy });

const FORMS = 'use a path, file:///path, https://host/path or ssh://user@host/path';

/** `user@host:path`, the short form of ssh; a host of one letter would be a drive on Windows and is left out. */
const SCP_FORM = /^(?:(?<user>[A-Za-z0-9._][\w.-]*)@)?(?<host>[A-Za-z0-9][\w.-]+):(?!\/\/)(?<path>[^-].*)$/;

/**
 * Reads a repository's address. Throws InvalidRepository for what looks like an option, a remote helper (`ext::sh -c …`) or
 * carries a password, NotAllowed for a protocol that the administrator did not allow.
 */
export const parseRepositoryUrl = (url: string, allowed: readonly RepositoryProtocol[]): RepositoryAddress => {
  const address = readAddress(url);
  if (!allowed.includes(address.protocol)) {
    throw new RepositoryError('NotAllowed', `repositories by ${address.protocol} are not allowed`, {
      remedy: `use one of: ${allowed.join(', ')}; an administrator can allow more`,
    });
  }
  return address;
};

const hasControlCharacter = (text: string): boolean => [...text].some((char) => char < ' ' || char === '\u007f');

const readAddress = (url: string): RepositoryAddress => {
  if (url.trim() === '' || hasControlCharacter(url))
    throw invalid('the repository address is not a line of text', FORMS);
  if (url.startsWith('-')) throw invalid('the repository address looks like an option', FORMS);
  if (/^[\w+.-]*::/.test(url)) {
    throw new RepositoryError('NotAllowed', 'remote helpers (`name::address`) are not allowed', { remedy: FORMS });
  }
  const scheme = /^([a-z][\w+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined) return readUrl(scheme, url);
  const short = isAbsolute(url) || url.startsWith('.') ? null : SCP_FORM.exec(url);
  if (short?.groups !== undefined && short.groups['host'] !== undefined) return { protocol: 'ssh', url };
  const path = resolve(url);
  return { protocol: 'file', url: path, path };
};

const readUrl = (scheme: string, url: string): RepositoryAddress => {
  if (scheme !== 'file' && scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh') {
    throw new RepositoryError('NotAllowed', `repositories by ${scheme} are not allowed`, { remedy: FORMS });
  }
  if (!URL.canParse(url)) throw invalid('the repository address is not a valid URL', FORMS);
  const parsed = new URL(url);
  if (parsed.password !== '' || (scheme !== 'ssh' && parsed.username !== '')) {
    throw invalid(
      'the repository address carries a user name or a password',
      'put them in the credential store and name them',
    );
  }
  if (scheme === 'file') {
    if (parsed.hostname !== '') throw invalid('a file:// address has three slashes and no host', FORMS);
    const path = decodeURIComponent(parsed.pathname);
    return { protocol: 'file', url: path, path };
  }
  // Git hands host, user and path to ssh: one that begins with a dash would be an option there.
  for (const part of [parsed.hostname, parsed.username, decodeURIComponent(parsed.pathname).replace(/^\/+/, '')]) {
    if (part.startsWith('-')) throw invalid('a part of the repository address looks like an option', FORMS);
  }
  return { protocol: scheme, url };
};
