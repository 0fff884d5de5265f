import type {
  RepositoryCredentialStore,
  RepositoryMirror,
  RepositoryMirrors,
  RepositorySpec,
} from '@breakwater/application';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleGit } from 'simple-git';
import { gitConfig, localEnvironment } from './git-environment.ts';
import type { MirrorParts } from './git-mirror.ts';
import { GitMirror } from './git-mirror.ts';
import type { RepositoryAddress, RepositoryProtocol } from './repository-url.ts';
import { parseRepositoryUrl } from './repository-url.ts';
import { TreeStore } from './tree-store.ts';

export interface GitMirrorsOptions {
  /** A directory of this program's alone; made where absent. Mirrors, trees and scratch files go below it. */
  readonly directory: string;
  readonly credentials?: RepositoryCredentialStore | undefined;
  /** Default: file, https, ssh. `http` sends everything readable, credentials too: for test servers. */
  readonly protocols?: readonly RepositoryProtocol[] | undefined;
  /** A local repository whose directory belongs to another user is refused unless this says so. */
  readonly allowForeignOwner?: boolean | undefined;
  /** PEM file of the authorities that https repositories may be signed by, instead of the machine's. */
  readonly caFile?: string | undefined;
  readonly maxFiles?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** How many written-out commits stay when nobody uses them. */
  readonly spareTrees?: number | undefined;
  readonly now?: (() => number) | undefined;
}

type MirrorBase = Pick<MirrorParts, 'directory' | 'scratch' | 'places' | 'trees' | 'queue'>;

const NO_CREDENTIALS: RepositoryCredentialStore = { repositoryCredentials: async () => null };

/** Mirrors of Git repositories below one directory. */
export class GitMirrors implements RepositoryMirrors {
  private readonly options: GitMirrorsOptions;
  private readonly bases = new Map<string, Promise<MirrorBase>>();

  constructor(options: GitMirrorsOptions) {
    this.options = options;
  }

  async open(spec: RepositorySpec): Promise<RepositoryMirror> {
    const { options } = this;
    const address = parseRepositoryUrl(spec.url, options.protocols ?? ['file', 'https', 'ssh']);
    return new GitMirror({
      spec,
      address,
      ...(await this.base(spec.name, address)),
      credentials: options.credentials ?? NO_CREDENTIALS,
      settings: {
        files: options.maxFiles ?? 10_000,
        bytes: options.maxBytes ?? 256 * 2 ** 20,
        timeoutMs: options.timeoutMs ?? 300_000,
        now: options.now ?? Date.now,
      },
    });
  }

  /** Another ref or other credentials of the same repository share its directory; made ready once in a process. */
  private base(name: string, address: RepositoryAddress): Promise<MirrorBase> {
    const id = createHash('sha256')
      .update(JSON.stringify([name, address.url]))
      .digest('hex')
      .slice(0, 32);
    const known = this.bases.get(id);
    if (known !== undefined) return known;
    const making = this.makeBase(join(this.options.directory, id), address);
    this.bases.set(id, making);
    making.catch(() => this.bases.delete(id));
    return making;
  }

  private async makeBase(base: string, address: RepositoryAddress): Promise<MirrorBase> {
    const { options } = this;
    const directory = join(base, 'mirror.git');
    const places = { config: join(base, 'gitconfig'), home: join(base, 'home'), caFile: options.caFile };
    const scratch = join(base, 'scratch');
    await rm(scratch, { recursive: true, force: true });
    for (const path of [base, directory, places.home, scratch]) await mkdir(path, { recursive: true, mode: 0o700 });
    const trusted =
      options.allowForeignOwner === true && address.path !== undefined
        ? [address.path, join(address.path, '.git')]
        : [];
    await writeFile(places.config, gitConfig({ trustedDirectories: [directory, ...trusted] }), { mode: 0o600 });
    await initialise(directory, localEnvironment(places));
    const trees = new TreeStore(join(base, 'trees'), options.spareTrees ?? 4);
    await trees.clear();
    return { directory, scratch, places, trees, queue: { last: Promise.resolve() } };
  }
}

/** Makes the bare repository where absent, and clears away what a killed Git left: its locks would block every later fetch. */
const initialise = async (directory: string, environment: Record<string, string>): Promise<void> => {
  const complete = (await stat(join(directory, 'HEAD')).catch(() => null)) !== null;
  if (complete) {
    await removeLeftovers(directory);
    return;
  }
  const allowEnvironment = Object.keys(environment).filter((name) => /^(git_|ssh_askpass$)/i.test(name));
  await simpleGit({
    baseDir: directory,
    allowEnvironment,
    unsafe: { allowUnsafeAskPass: true, allowUnsafeConfigPaths: true, allowUnsafeTemplateDir: true },
  })
    .env(environment)
    .raw(['init', '--bare', '--quiet', '--template=', '--initial-branch=breakwater-none', '.']);
};

const removeLeftovers = async (directory: string): Promise<void> => {
  for (const entry of await readdir(directory, { recursive: true })) {
    if (!entry.endsWith('.lock') && !/(^|\/)tmp_[^/]+$/.test(entry)) continue;
    const path = join(directory, entry);
    if ((await lstat(path).catch(() => null))?.isFile() === true) await rm(path, { force: true });
  }
};
