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
import type { SyncLimits } from './sync-limits.ts';

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
  /** Absent: those of Git, reader and renderer themselves. */
  readonly limits?: SyncLimits | undefined;
  readonly retention?: GitSyncParts['retention'];
}

/** The Git sync with its real Git and its real renderer. */
export const startGitSyncProgram = async (parts: GitSyncProgramParts): Promise<GitSync> => {
  const { record, bundles, credentials, log, limits } = parts;
  await mkdir(parts.workDir, { recursive: true, mode: 0o700 });
  const mirrors = new GitMirrors({
    directory: join(parts.workDir, 'git'),
    credentials,
    maxFiles: limits?.files,
    maxBytes: limits?.repositoryBytes,
  });
  const pool = new WorkerPool();
  const renderer = new LocalRenderer({
    charts: { cacheDir: join(parts.workDir, 'charts'), credentials },
    pool,
    ...(limits === undefined ? {} : { limits: { ...limits, sourceFiles: limits.files } }),
  });
  return startGitSync({
    record,
    bundles,
    log,
    mirrors,
    retention: parts.retention,
    renderer,
    fleetReader: createFleetReader(
      pool,
      limits && { maxDocumentBytes: limits.documentBytes, maxAliases: limits.aliases, maxDepth: limits.depth },
    ),
    repositories: parts.repositories,
    commands: createRolloutCommands({ record, bundles, wakeUps: parts.wakeUps }),
    pollMs: parts.pollMs,
    random: Math.random,
    monotonic: elapsedClock(),
  });
};

/** The one fleet repository that the settings name. */
export const FLEET_REPOSITORY = 'fleet';
