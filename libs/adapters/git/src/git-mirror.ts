import type {
  FetchedCommit,
  RepositoryCommit,
  RepositoryCredentialStore,
  RepositoryFile,
  RepositoryMirror,
  RepositorySpec,
  RepositoryTree,
} from '@breakwater/application';
import { RepositoryError } from '@breakwater/application';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SimpleGit } from 'simple-git';
import { GitError, simpleGit } from 'simple-git';
import type { GitPlaces } from './git-environment.ts';
import { localEnvironment, remoteAccess } from './git-environment.ts';
import { explainFailure } from './git-failure.ts';
import type { GitProcess } from './git-process.ts';
import { aborted, listTree, mebibytes, readBlobs, timedOut, tooLarge } from './git-process.ts';
import type { RepositoryAddress } from './repository-url.ts';
import { followLinks } from './tree-layout.ts';
import type { TreeStore } from './tree-store.ts';
import { writeTree } from './tree-store.ts';

export interface MirrorSettings {
  readonly files: number;
  readonly bytes: number;
  readonly timeoutMs: number;
  readonly now: () => number;
}

export interface MirrorParts {
  readonly spec: RepositorySpec;
  readonly address: RepositoryAddress;
  /** The bare repository. */
  readonly directory: string;
  readonly scratch: string;
  readonly places: GitPlaces;
  readonly trees: TreeStore;
  /** Fetches of one mirror follow each other: two at once would fight over Git's lock files. */
  readonly queue: { last: Promise<unknown> };
  readonly credentials: RepositoryCredentialStore;
  readonly settings: MirrorSettings;
}

const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
const PACKS_BEFORE_REPACK = 50;
const WATCH_MS = 200;
const SEEN = 20;

/** One name of a commit, tag or branch; never an option, a range, a path or another expression of Git's revision language. */
const PLAIN_NAME = /^(?![-/.])(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)))[^\s~^:?*[\\\p{Cc}]+(?<![/.])$/u;

/** Every variable that the environments of this library may set, which simple-git would else take for a caller's mistake. */
const guarded = (environment: Record<string, string>): string[] =>
  Object.keys(environment).filter((name) => /^(git_|ssh_askpass$)/i.test(name));

const openGit = (directory: string, environment: Record<string, string>, signal?: AbortSignal): SimpleGit =>
  simpleGit({
    baseDir: directory,
    ...(signal === undefined ? {} : { abort: signal }),
    allowEnvironment: guarded(environment),
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeSshCommand: true,
    },
  }).env(environment);

export class GitMirror implements RepositoryMirror {
  readonly spec: RepositorySpec;
  private readonly parts: MirrorParts;
  private readonly local: Record<string, string>;
  private readonly git: SimpleGit;
  private readonly listings = new Map<string, Promise<readonly RepositoryFile[]>>();

  constructor(parts: MirrorParts) {
    this.spec = parts.spec;
    this.parts = parts;
    this.local = localEnvironment(parts.places);
    this.git = openGit(parts.directory, this.local);
  }

  fetch(signal?: AbortSignal): Promise<FetchedCommit> {
    const { queue } = this.parts;
    const run = queue.last.then(() => this.fetchNow(signal));
    queue.last = run.catch(() => undefined);
    return run;
  }

  private async fetchNow(signal: AbortSignal | undefined): Promise<FetchedCommit> {
    await this.checkLocalPath();
    const { spec, address, settings } = this.parts;
    const credentials = spec.credentials === undefined ? null : await this.readCredentials(spec.credentials);
    const access = await remoteAccess(address, credentials, { ...this.parts.places, scratch: this.parts.scratch });
    const stop = new AbortController();
    const reason: { error: RepositoryError | null } = { error: null };
    const end = (error: RepositoryError): void => {
      reason.error ??= error;
      stop.abort();
    };
    const onAbort = (): void => end(aborted());
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const timer = setTimeout(() => end(timedOut(settings.timeoutMs)), settings.timeoutMs);
    const watch = setInterval(() => void this.checkSize().catch(end), WATCH_MS);
    try {
      if (reason.error !== null) throw reason.error;
      await openGit(this.parts.directory, access.environment, stop.signal).raw([
        'fetch',
        '--prune',
        '--no-tags',
        '--no-recurse-submodules',
        '--no-write-fetch-head',
        '--force',
        '--',
        address.url,
        ...REFSPECS,
      ]);
      await this.checkSize();
    } catch (error) {
      const known = reason.error ?? (error instanceof RepositoryError ? error : null);
      if (known?.code === 'TooLarge') await this.dropPartialPacks();
      throw known ?? explainFailure(error instanceof Error ? error.message : '', scrub(error));
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener('abort', onAbort);
      await access.dispose();
    }
    const commit = await this.resolve(spec.ref);
    if (commit === null) {
      throw new RepositoryError(
        'RevisionNotFound',
        `the repository has no branch, tag or commit ${JSON.stringify(spec.ref)}`,
        {
          remedy: 'check the ref that the repository is followed at',
        },
      );
    }
    await this.remember(commit.commit);
    await this.repack();
    return { ...commit, at: settings.now() };
  }

  async resolve(revision: string): Promise<RepositoryCommit | null> {
    if (!PLAIN_NAME.test(revision) || revision.length > 255) return null;
    if (/^[0-9a-f]{40}$/.test(revision)) return this.describe(revision);
    const found = new Set<string>();
    const names = revision.startsWith('refs/')
      ? /^refs\/(heads|tags)\//.test(revision)
        ? [revision]
        : []
      : [`refs/heads/${revision}`, `refs/tags/${revision}`];
    for (const name of names) {
      const commit = await this.quiet(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
      if (commit !== '') found.add(commit);
    }
    for (const commit of await this.abbreviated(revision)) found.add(commit);
    if (found.size > 1) {
      throw new RepositoryError(
        'RevisionAmbiguous',
        `${JSON.stringify(revision)} names ${found.size} commits: ${[...found].slice(0, 5).join(', ')}`,
        { remedy: 'give the full commit, or refs/heads/… or refs/tags/…' },
      );
    }
    const [commit] = found;
    return commit === undefined ? null : this.describe(commit);
  }

  private async abbreviated(revision: string): Promise<string[]> {
    if (!/^[0-9a-f]{4,39}$/.test(revision)) return [];
    const ids = (await this.quiet(['rev-parse', `--disambiguate=${revision}`])).split('\n').filter((id) => id !== '');
    const commits: string[] = [];
    for (const id of ids.slice(0, 100)) {
      if ((await this.quiet(['cat-file', '-t', id])) === 'commit') commits.push(id);
    }
    return commits;
  }

  private async describe(id: string): Promise<RepositoryCommit | null> {
    const format = '--format=%H%x00%ct%x00%an%x00%s';
    const line = await this.quiet([
      'log',
      '-1',
      '--no-show-signature',
      format,
      '--end-of-options',
      `${id}^{commit}`,
      '--',
    ]);
    const [commit = '', seconds = '', author = '', subject = ''] = line.split('\0');
    if (!/^[0-9a-f]{40}$/.test(commit)) return null;
    return { commit, committedAt: Number(seconds) * 1000, author, subject };
  }

  /** Git's answer without the final line break; empty where Git says no. */
  private async quiet(args: string[]): Promise<string> {
    try {
      return (await this.git.raw(args)).replace(/\n$/, '');
    } catch (error) {
      if (error instanceof GitError) return '';
      throw error;
    }
  }

  files(commit: string): Promise<readonly RepositoryFile[]> {
    requireCommit(commit);
    const known = this.listings.get(commit);
    if (known !== undefined) return known;
    const listing = listTree(this.process(), commit, this.parts.settings);
    this.listings.set(commit, listing);
    listing.catch(() => this.listings.delete(commit));
    if (this.listings.size > 8) this.listings.delete(this.listings.keys().next().value ?? '');
    return listing;
  }

  async read(commit: string, paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const files = new Map((await this.files(commit)).map((file) => [file.path, file]));
    const links = paths.some((path) => files.get(path)?.type !== 'file')
      ? await this.links(commit)
      : new Map<string, string>();
    const ids = paths.map((path) => {
      const target = followLinks(links, path);
      const file = target.kind === 'inside' ? files.get(target.path) : undefined;
      if (file === undefined || file.type === 'submodule') throw fileNotFound(path, target.kind);
      return file.id;
    });
    const contents = new Map<string, Uint8Array>();
    await readBlobs(this.process(), ids, (index, content) => {
      contents.set(paths[index] ?? '', Uint8Array.from(content));
    });
    return contents;
  }

  private async links(commit: string): Promise<Map<string, string>> {
    const symlinks = (await this.files(commit)).filter(({ type }) => type === 'symlink');
    const links = new Map<string, string>();
    await readBlobs(
      this.process(),
      symlinks.map(({ id }) => id),
      (index, content) => links.set(symlinks[index]?.path ?? '', content.toString('utf8')),
    );
    return links;
  }

  tree(commit: string, signal?: AbortSignal): Promise<RepositoryTree> {
    requireCommit(commit);
    return this.parts.trees.take(commit, async (into) =>
      writeTree(this.process(signal), await this.files(commit), into),
    );
  }

  async keep(commit: string): Promise<void> {
    requireCommit(commit);
    if ((await this.describe(commit)) === null) throw unknownCommit(commit);
    await this.git.raw(['update-ref', `refs/breakwater/keep/${commit}`, commit]);
  }

  async forget(commit: string): Promise<void> {
    requireCommit(commit);
    await this.quiet(['update-ref', '-d', `refs/breakwater/keep/${commit}`]);
  }

  /** The last few commits that a fetch returned stay without being asked for, so that a caller has time to keep them. */
  private async remember(commit: string): Promise<void> {
    const prefix = 'refs/breakwater/seen/';
    const seen = (await this.git.raw(['for-each-ref', '--sort=refname', '--format=%(refname)', prefix]))
      .split('\n')
      .filter((name) => name !== '');
    if (seen.at(-1)?.endsWith(commit) !== true) {
      const time = String(this.parts.settings.now()).padStart(16, '0');
      await this.git.raw(['update-ref', `${prefix}${time}-${commit}`, commit]);
    }
    for (const name of seen.slice(0, -SEEN)) await this.git.raw(['update-ref', '-d', name]);
  }

  private process(signal?: AbortSignal): GitProcess {
    return {
      directory: this.parts.directory,
      environment: this.local,
      timeoutMs: this.parts.settings.timeoutMs,
      signal,
    };
  }

  private async readCredentials(
    name: string,
  ): Promise<NonNullable<Awaited<ReturnType<RepositoryCredentialStore['repositoryCredentials']>>>> {
    const credentials = await this.parts.credentials.repositoryCredentials(name);
    if (credentials !== null) return credentials;
    throw new RepositoryError('AuthFailed', `the credential store has nothing called ${JSON.stringify(name)}`, {
      remedy: 'store the credentials under that name, or name others',
    });
  }

  /** Git's own words for a missing directory are hard to read, and it would look for a repository above it. */
  private async checkLocalPath(): Promise<void> {
    const { path } = this.parts.address;
    if (path === undefined) return;
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory() === true) return;
    throw new RepositoryError('Unreachable', `there is no repository at ${path}`, {
      remedy: 'put the directory back, or change the address; it is tried again',
      disposition: 'retry',
    });
  }

  private async checkSize(): Promise<void> {
    const { bytes } = this.parts.settings;
    if ((await this.packedBytes()) > bytes) throw tooLarge(`is larger than ${mebibytes(bytes)}`);
  }

  private packDirectory(): string {
    return join(this.parts.directory, 'objects', 'pack');
  }

  private async packedBytes(): Promise<number> {
    let sum = 0;
    for (const name of await readdir(this.packDirectory()).catch(() => [])) {
      sum += (await stat(join(this.packDirectory(), name)).catch(() => null))?.size ?? 0;
    }
    return sum;
  }

  private async dropPartialPacks(): Promise<void> {
    for (const name of await readdir(this.packDirectory()).catch(() => [])) {
      if (name.startsWith('tmp_')) await rm(join(this.packDirectory(), name), { force: true });
    }
  }

  /** Objects that no branch, tag or kept commit reaches go away here and only here. */
  private async repack(): Promise<void> {
    const packs = (await readdir(this.packDirectory())).filter((name) => name.endsWith('.pack'));
    if (packs.length > PACKS_BEFORE_REPACK) await this.git.raw(['repack', '-a', '-d', '-q', '--no-write-bitmap-index']);
  }
}

const requireCommit = (commit: string): void => {
  if (!/^[0-9a-f]{40}$/.test(commit)) throw unknownCommit(commit);
};

const unknownCommit = (commit: string): RepositoryError =>
  new RepositoryError('RevisionNotFound', `the repository has no commit ${JSON.stringify(commit.slice(0, 64))}`, {
    remedy: 'fetch first, or ask for a commit that the repository has',
  });

const fileNotFound = (path: string, kind: 'inside' | 'outside' | 'loop'): RepositoryError => {
  if (kind === 'inside') {
    return new RepositoryError('FileNotFound', `the commit has no file ${JSON.stringify(path)}`, {
      remedy: 'check the path',
    });
  }
  const says = kind === 'loop' ? 'is a link that leads back to itself' : 'is a link that leaves the repository';
  return new RepositoryError('HostileTree', `${JSON.stringify(path)} ${says}`, {
    remedy: 'replace the link by the file itself',
  });
};

/** A GitError carries the whole task; only its text is kept. */
const scrub = (error: unknown): Error => new Error(error instanceof Error ? error.message : String(error));
