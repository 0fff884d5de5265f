import {
  type BundleStore,
  createRolloutCommands,
  type GitSync,
  type GitSyncParts,
  type RecordPort,
  type RepositoryCredentialStore,
  type RepositorySpec,
  startGitSync,
  type WakeUps,
} from '@breakwater/application';
import { GitMirrors } from '@breakwater/git';
import { elapsedClock, type Log } from '@breakwater/platform';
import { createFleetReader, LocalRenderer, WorkerPool } from '@breakwater/render';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface GitSyncProgramParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
  readonly bundles: BundleStore;
  readonly log: Log;
  /** For mirrors and scratch files: may be lost, costs a fetch then. */
  readonly workDir: string;
  readonly repositories: readonly RepositorySpec[];
  readonly credentials: RepositoryCredentialStore;
  readonly pollMs: number;
  readonly retention?: GitSyncParts['retention'];
}

/** The Git sync with its real Git and its real renderer. */
export const startGitSyncProgram = async (parts: GitSyncProgramParts): Promise<GitSync> => {
  const { record, bundles, credentials, log } = parts;
  await mkdir(parts.workDir, { recursive: true, mode: 0o700 });
  const mirrors = new GitMirrors({ directory: join(parts.workDir, 'git'), credentials });
  const pool = new WorkerPool();
  const renderer = new LocalRenderer({ charts: { cacheDir: join(parts.workDir, 'charts'), credentials }, pool });
  return startGitSync({
    record,
    bundles,
    log,
    mirrors,
    retention: parts.retention,
    renderer,
    fleetReader: createFleetReader(pool),
    repositories: parts.repositories,
    commands: createRolloutCommands({ record, bundles, wakeUps: parts.wakeUps }),
    pollMs: parts.pollMs,
    random: Math.random,
    monotonic: elapsedClock(),
  });
};

/** The one fleet repository that the settings name. */
export const FLEET_REPOSITORY = 'fleet';
