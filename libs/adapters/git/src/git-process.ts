import { RepositoryError } from '@breakwater/application';
import { spawn } from 'node:child_process';
import type { RepositoryFile } from '@breakwater/application';

export interface GitProcess {
  readonly directory: string;
  readonly environment: Record<string, string>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs Git and hands its output over piece by piece: for output that may be larger than memory or of hostile size, which
 * simple-git would collect first. `onData` may throw; Git is then ended and the error comes out here.
 */
export const streamGit = async (
  git: GitProcess,
  args: readonly string[],
  input: Iterable<string> | null,
  onData: (chunk: Buffer) => void,
): Promise<void> => {
  const child = spawn('git', args, {
    cwd: git.directory,
    env: git.environment,
    stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const failure: { error: unknown } = { error: undefined };
  const stop = (error: unknown): void => {
    failure.error ??= error;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => stop(timedOut(git.timeoutMs)), git.timeoutMs);
  const onAbort = (): void => stop(aborted());
  git.signal?.addEventListener('abort', onAbort, { once: true });
  if (git.signal?.aborted === true) onAbort();
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString('utf8');
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    if (failure.error !== undefined) return;
    try {
      onData(chunk);
    } catch (error) {
      stop(error);
    }
  });
  if (child.stdin !== null) {
    child.stdin.on('error', () => undefined);
    child.stdin.end([...(input ?? [])].join(''));
  }
  try {
    const status = await new Promise<number | null>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code));
    });
    if (failure.error !== undefined) throw failure.error;
    if (status !== 0) {
      throw new RepositoryError('RevisionNotFound', `git ${args[0]} failed: ${stderr.trim().slice(0, 300)}`, {
        remedy: 'ask for a commit that the repository has',
      });
    }
  } finally {
    clearTimeout(timer);
    git.signal?.removeEventListener('abort', onAbort);
  }
};

export const timedOut = (milliseconds: number): RepositoryError =>
  new RepositoryError('TimedOut', `the repository did not answer within ${Math.round(milliseconds / 1000)} s`, {
    remedy: 'check the server and the network; it is tried again',
    disposition: 'retry',
  });

export const aborted = (): RepositoryError =>
  new RepositoryError('Aborted', 'reading the repository was stopped', { remedy: 'try again', disposition: 'retry' });

export interface TreeLimits {
  readonly files: number;
  readonly bytes: number;
}

const TYPES: Readonly<Record<string, RepositoryFile['type']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'submodule',
};

/** Lists a commit's files; stops Git as soon as a limit is passed (a tree of a few kilobytes can name billions of files). */
export const listTree = async (git: GitProcess, commit: string, limits: TreeLimits): Promise<RepositoryFile[]> => {
  const files: RepositoryFile[] = [];
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  const take = (record: string): void => {
    const match = /^(\d{6}) (\w+) ([0-9a-f]{40,64}) +(-|\d+)\t([\s\S]+)$/.exec(record);
    const [, mode = '', , id = '', size = '-', path = ''] = match ?? [];
    const type = TYPES[mode];
    if (type === undefined) {
      throw new RepositoryError('HostileTree', `the tree has an entry of an unknown kind: ${record.slice(0, 80)}`, {
        remedy: 'remove the entry from the repository',
      });
    }
    const length = size === '-' ? 0 : Number(size);
    bytes += length;
    files.push({ path, type, id, size: length });
    if (files.length > limits.files) throw tooLarge(`has more than ${limits.files} files`);
    if (bytes > limits.bytes) throw tooLarge(`has more than ${mebibytes(limits.bytes)} of files`);
  };
  await streamGit(git, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit], null, (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(0, from); end >= 0; end = rest.indexOf(0, from)) {
      take(rest.toString('utf8', from, end));
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > 1 << 16) throw tooLarge('has a path longer than 64 KiB');
  });
  return files;
};

export const mebibytes = (bytes: number): string => `${Math.round((bytes / (1 << 20)) * 10) / 10} MiB`;

export const tooLarge = (what: string): RepositoryError =>
  new RepositoryError('TooLarge', `the repository ${what}`, {
    remedy: 'use a repository of its own for the fleet, or let an administrator raise the limit',
  });

/** Reads blobs by their ids, in the order asked for; `onBlob` is called once for each. Blobs come as they are: no filters, no smudging. */
export const readBlobs = async (
  git: GitProcess,
  ids: readonly string[],
  onBlob: (index: number, content: Buffer) => void,
): Promise<void> => {
  if (ids.length === 0) return;
  let index = 0;
  let wanted = -1;
  let pieces: Buffer[] = [];
  let have = 0;
  const lines = function* (): Iterable<string> {
    for (const id of ids) yield `${id}\n`;
  };
  await streamGit(git, ['cat-file', '--batch'], lines(), (chunk) => {
    pieces.push(chunk);
    have += chunk.length;
    // Joining only when a whole part is there keeps a large blob from being copied once per chunk.
    while (wanted < 0 || have > wanted) {
      const all = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
      pieces = [all];
      if (wanted < 0) {
        const end = all.indexOf(10);
        if (end < 0) return;
        const header = /^[0-9a-f]+ blob (\d+)$/.exec(all.toString('utf8', 0, end));
        if (header?.[1] === undefined) throw missingBlob(ids[index] ?? '');
        wanted = Number(header[1]);
        pieces = [all.subarray(end + 1)];
      } else {
        onBlob(index, all.subarray(0, wanted));
        pieces = [all.subarray(wanted + 1)];
        index += 1;
        wanted = -1;
      }
      have = pieces[0]?.length ?? 0;
    }
  });
  if (index !== ids.length) throw missingBlob(ids[index] ?? '');
};

const missingBlob = (id: string): RepositoryError =>
  new RepositoryError('Unreachable', `the repository lacks the object ${id}`, {
    remedy: 'repair the repository; it is tried again',
    disposition: 'retry',
  });
