import type { RepositoryFile, RepositoryTree } from '@breakwater/application';
import { REFUSED_LINK } from '@breakwater/application';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GitProcess } from './git-process.ts';
import { readBlobs } from './git-process.ts';
import { checkPaths, followLinks } from './tree-layout.ts';

interface StoredTree {
  readonly dir: string;
  readonly refusedLinks: readonly { path: string; target: string }[];
  readonly submodules: readonly string[];
  users: number;
}

/** Commits written out to disk, one directory each; the few that were used last stay. */
export class TreeStore {
  private readonly root: string;
  private readonly spare: number;
  private readonly stored = new Map<string, Promise<StoredTree>>();
  private readonly idle: string[] = [];

  constructor(root: string, spare: number) {
    this.root = root;
    this.spare = spare;
  }

  /** Removes what an earlier process left: it may be half written. */
  async clear(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    await mkdir(this.root, { recursive: true, mode: 0o700 });
  }

  async take(
    commit: string,
    write: (into: string) => Promise<Omit<StoredTree, 'dir' | 'users'>>,
  ): Promise<RepositoryTree> {
    const pending = this.stored.get(commit) ?? this.store(commit, write);
    const tree = await pending;
    tree.users += 1;
    const waiting = this.idle.indexOf(commit);
    if (waiting >= 0) this.idle.splice(waiting, 1);
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      tree.users -= 1;
      if (tree.users === 0) this.retire(commit);
    };
    return { commit, dir: tree.dir, refusedLinks: tree.refusedLinks, submodules: tree.submodules, release };
  }

  private store(
    commit: string,
    write: (into: string) => Promise<Omit<StoredTree, 'dir' | 'users'>>,
  ): Promise<StoredTree> {
    const make = async (): Promise<StoredTree> => {
      const into = await mkdtemp(join(this.root, 'new-'));
      try {
        const written = await write(into);
        const dir = join(this.root, commit);
        await rename(into, dir);
        return { ...written, dir, users: 0 };
      } catch (error) {
        await rm(into, { recursive: true, force: true });
        throw error;
      }
    };
    const pending = make();
    this.stored.set(commit, pending);
    pending.catch(() => this.stored.delete(commit));
    return pending;
  }

  private retire(commit: string): void {
    this.idle.push(commit);
    while (this.idle.length > this.spare) {
      const oldest = this.idle.shift();
      if (oldest === undefined) return;
      this.stored.delete(oldest);
      // Renamed first: a new user of the commit may write it again while the old directory goes away.
      const grave = join(this.root, `old-${oldest}-${this.graves++}`);
      void rename(join(this.root, oldest), grave)
        .then(() => rm(grave, { recursive: true, force: true }))
        .catch(() => undefined);
    }
  }

  private graves = 0;

  async size(): Promise<number> {
    return (await readdir(this.root)).length;
  }
}

/** Writes a commit's files into an empty directory: plain files of mode 0644, links that stay inside, nothing else. */
export const writeTree = async (
  git: GitProcess,
  files: readonly RepositoryFile[],
  into: string,
): Promise<Pick<RepositoryTree, 'refusedLinks' | 'submodules'>> => {
  checkPaths(files);
  const blobs = files.filter(({ type }) => type !== 'submodule');
  const links = new Map<string, string>();
  const made = new Set<string>([into]);
  await readBlobs(
    git,
    blobs.map(({ id }) => id),
    (index, content) => {
      const file = blobs[index];
      if (file === undefined) return;
      if (file.type === 'symlink') {
        links.set(file.path, content.toString('utf8'));
        return;
      }
      const path = join(into, file.path);
      const parent = dirname(path);
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      // Synchronous on purpose: order and back-pressure come for free. `wx`: never through something that is there already.
      writeFileSync(path, content, { flag: 'wx', mode: 0o644 });
    },
  );
  const refusedLinks: { path: string; target: string }[] = [];
  // Links come last, when nothing is written below any path any more.
  for (const [path, target] of links) {
    const inside = !target.includes('\0') && target !== '' && followLinks(links, path).kind === 'inside';
    if (!inside) refusedLinks.push({ path, target });
    await mkdir(dirname(join(into, path)), { recursive: true });
    await symlink(inside ? target : `${REFUSED_LINK}${encodeURIComponent(target)}`.slice(0, 1000), join(into, path));
  }
  return { refusedLinks, submodules: files.filter(({ type }) => type === 'submodule').map(({ path }) => path) };
};
