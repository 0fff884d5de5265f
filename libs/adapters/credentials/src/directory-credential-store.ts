import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type CredentialStore, CredentialUnreadable } from '@breakwater/application';

/** A Kubernetes name: no separator, no leading dot, so that it cannot leave the directory. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const MAX_BYTES = 1024 * 1024;
/** What is wrong with the file itself; a machine that is out of file descriptors says nothing about it. */
const OF_THE_FILE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ELOOP', 'ENXIO', 'ENODEV', 'EISDIR', 'ENOTDIR']);

interface Cached {
  readonly stamp: string;
  readonly kubeconfig: string;
  readonly version: string;
}

/**
 * A directory of `<name>.kubeconfig`: how a mounted Secret looks. Symbolic links are followed, because a mounted Secret is made of
 * them; whoever may write the directory is trusted with its content. Throws CredentialUnreadable when a file is there and cannot be read.
 */
export class DirectoryCredentialStore implements CredentialStore {
  readonly #directory: string;
  readonly #cache = new Map<string, Cached>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(name: string): Promise<{ readonly kubeconfig: string; readonly version: string } | null> {
    if (!NAME.test(name) || name.includes('..')) return null;
    const file = await openIfThere(join(this.#directory, `${name}.kubeconfig`));
    if (file === null) {
      this.#cache.delete(name);
      return null;
    }
    try {
      const entry = await this.#load(name, file);
      return { kubeconfig: entry.kubeconfig, version: entry.version };
    } finally {
      await file.close();
    }
  }

  /** Read again when the file's identity, size or time differ; the version is the content's, so rewriting the same changes nothing. */
  async #load(name: string, file: FileHandle): Promise<Cached> {
    const { isFile, dev, ino, size, mtimeNs } = await statOf(file);
    if (!isFile) throw new CredentialUnreadable('it is not a file');
    if (size > MAX_BYTES) throw new CredentialUnreadable(`it is larger than ${MAX_BYTES} bytes`);
    const stamp = `${dev}:${ino}:${size}:${mtimeNs}`;
    const cached = this.#cache.get(name);
    if (cached?.stamp === stamp) return cached;
    const kubeconfig = await file.readFile('utf8');
    const entry = { stamp, kubeconfig, version: createHash('sha256').update(kubeconfig).digest('base64url') };
    this.#cache.set(name, entry);
    return entry;
  }
}

const openIfThere = async (path: string): Promise<FileHandle | null> => {
  try {
    // Not blocking: a FIFO put there must not hang the worker.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code !== undefined && OF_THE_FILE.has(code)) throw new CredentialUnreadable(code, { cause: error });
    throw error;
  }
};

const statOf = async (
  file: FileHandle,
): Promise<{
  readonly isFile: boolean;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: number;
  readonly mtimeNs: bigint;
}> => {
  const stat = await file.stat({ bigint: true });
  return { isFile: stat.isFile(), dev: stat.dev, ino: stat.ino, size: Number(stat.size), mtimeNs: stat.mtimeNs };
};
