import type { RepositoryCredentials, RepositoryCredentialStore } from '@breakwater/application';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A Kubernetes name: no separator, no leading dot, so that it cannot leave the directory. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * Credentials for Git and chart repositories in a directory: `<name>.token`; `<name>.basic` with `user:password`; or `<name>.ssh` with a
 * private key beside `<name>.known_hosts`. Read anew each time: a rotated secret counts at once. Throws when a file cannot be read.
 */
export class DirectoryRepositoryCredentials implements RepositoryCredentialStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async repositoryCredentials(name: string): Promise<RepositoryCredentials | null> {
    if (!NAME.test(name) || name.includes('..')) return null;
    const token = await this.#read(`${name}.token`);
    if (token !== null) return { type: 'token', token: token.trim() };
    const basic = await this.#read(`${name}.basic`);
    if (basic !== null) {
      const [username = '', ...password] = basic.trim().split(':');
      return { type: 'basic', username, password: password.join(':') };
    }
    const [privateKey, knownHosts] = await Promise.all([this.#read(`${name}.ssh`), this.#read(`${name}.known_hosts`)]);
    return privateKey === null ? null : { type: 'ssh', privateKey, knownHosts: knownHosts ?? '' };
  }

  async #read(file: string): Promise<string | null> {
    try {
      return await readFile(join(this.#directory, file), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }
}
