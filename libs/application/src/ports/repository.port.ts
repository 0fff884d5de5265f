/** Where a fleet repository is and how to sign in to it. `credentials` is a name in the credential store, never a secret. */
export interface RepositorySpec {
  readonly name: string;
  /** A local path, `file://`, `https://`, `ssh://` or the short form `user@host:path`. */
  readonly url: string;
  /** The branch, tag or commit that is followed. */
  readonly ref: string;
  readonly credentials?: string | undefined;
}

export interface RepositoryCommit {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** When it was committed (epoch milliseconds), as its author's machine says. */
  readonly committedAt: number;
  readonly author: string;
  readonly subject: string;
}

export interface FetchedCommit extends RepositoryCommit {
  /** When the remote was read (epoch milliseconds). */
  readonly at: number;
}

/** Submodules are named, never followed. A symlink's `size` is the length of its target. */
export interface RepositoryFile {
  readonly path: string;
  readonly type: 'file' | 'executable' | 'symlink' | 'submodule';
  /** The blob's id: the same content has the same id in every commit. */
  readonly id: string;
  readonly size: number;
}

/**
 * A commit's files on disk, shared and read-only. Links that leave the tree are there as dangling links whose target
 * begins with {@link REFUSED_LINK}, so that nothing can follow them and a reader can say what was wrong.
 */
export interface RepositoryTree {
  readonly commit: string;
  readonly dir: string;
  readonly refusedLinks: readonly { readonly path: string; readonly target: string }[];
  readonly submodules: readonly string[];
  /** The directory may be removed once everybody who asked for it has released it. */
  release(): void;
}

/** What a symlink that leaves the tree points at instead: below a device, so that it can never exist. */
export const REFUSED_LINK = '/dev/null/outside-the-tree/';

export type RepositoryErrorCode =
  | 'InvalidRepository'
  | 'NotAllowed'
  | 'Unreachable'
  | 'AuthFailed'
  | 'HostKeyUnknown'
  | 'RevisionNotFound'
  | 'RevisionAmbiguous'
  | 'TooLarge'
  | 'TimedOut'
  | 'Aborted'
  | 'HostileTree'
  | 'FileNotFound';

/** `retry`: it may mend by itself. `fix`: a person has to change something. */
export type RepositoryDisposition = 'retry' | 'fix';

export class RepositoryError extends Error {
  readonly code: RepositoryErrorCode;
  readonly disposition: RepositoryDisposition;
  readonly remedy: string;

  constructor(
    code: RepositoryErrorCode,
    message: string,
    options: { remedy: string; disposition?: RepositoryDisposition; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'RepositoryError';
    this.code = code;
    this.disposition = options.disposition ?? 'fix';
    this.remedy = options.remedy;
  }
}

/** A local mirror of one repository. Every method throws {@link RepositoryError} for what can be expected to go wrong. */
export interface RepositoryMirror {
  readonly spec: RepositorySpec;
  /** Reads the remote and returns the commit that `spec.ref` names now. That commit is kept as by {@link keep}. */
  fetch(signal?: AbortSignal): Promise<FetchedCommit>;
  /** A full or abbreviated commit, a tag or a branch, as of the last fetch; null when there is none. Ambiguous: error. */
  resolve(revision: string): Promise<RepositoryCommit | null>;
  files(commit: string): Promise<readonly RepositoryFile[]>;
  /** The content of the named files; links inside the tree are followed. */
  read(commit: string, paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  tree(commit: string, signal?: AbortSignal): Promise<RepositoryTree>;
  /** A kept commit survives a force-push that drops it. */
  keep(commit: string): Promise<void>;
  forget(commit: string): Promise<void>;
}

export interface RepositoryMirrors {
  /** Checks the address, makes the mirror's directory; does not talk to the remote. */
  open(spec: RepositorySpec): Promise<RepositoryMirror>;
}

/** What a name in the credential store holds for Git and for chart repositories. */
export type RepositoryCredentials =
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'ssh'; readonly privateKey: string; readonly knownHosts: string };

export interface RepositoryCredentialStore {
  repositoryCredentials(name: string): Promise<RepositoryCredentials | null>;
}
