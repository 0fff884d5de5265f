import { ensureFirstToken, type FirstToken, startApiProgram } from '@breakwater/api';
import { createBundleStore, type RepositoryCredentialStore, type RepositoryRecord } from '@breakwater/application';
import {
  DirectoryCredentialStore,
  DirectoryRepositoryCredentials,
  RecordCredentialStore,
} from '@breakwater/credentials';
import { FLEET_REPOSITORY, startGitSyncProgram, syncLimits } from '@breakwater/git-sync';
import { createAesCipher, createGateTokens, gateCallbacks, loadOrCreateKey, type Log } from '@breakwater/platform';
import { createWakeUpQueue } from '@breakwater/queue-bullmq';
import { startRolloutWorkerProgram } from '@breakwater/rollout-worker';
import { createPostgresRecord, createPostgresRetention, startEmbeddedPostgres } from '@breakwater/store-postgres';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StandaloneOptions } from './options.ts';
import { Shutdown } from './shutdown.ts';

export interface Standalone {
  readonly url: string;
  readonly tokenFile: string;
  readonly token: FirstToken;
  /** Resolves with what the first look at the repository found. */
  readonly firstSync: Promise<RepositoryRecord | null>;
  /** In order, and no rollout ends by it. */
  stop(): Promise<void>;
}

/** Everything in one process. The parts are the same as in the separate programs. */
export const startStandalone = async (options: StandaloneOptions, log: Log, version: string): Promise<Standalone> => {
  const shutdown = new Shutdown((err) => log.error({ err }, 'a part did not stop in order'));
  try {
    return await startParts(options, log, version, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
};

const NO_CREDENTIALS: RepositoryCredentialStore = { repositoryCredentials: async () => null };

const startParts = async (
  { config, repository, data }: StandaloneOptions,
  log: Log,
  version: string,
  shutdown: Shutdown,
): Promise<Standalone> => {
  await mkdir(data, { recursive: true, mode: 0o700 });
  // As root, PostgreSQL runs as another user, who has to get through; everything secret in here is 0600 by itself.
  await chmod(data, process.getuid?.() === 0 ? 0o711 : 0o700);
  const keyFile = config.BREAKWATER_ENCRYPTION_KEY_FILE ?? join(data, 'key');
  const key = await loadOrCreateKey(keyFile);
  const cipher = createAesCipher(key);
  const databaseUrl = config.DATABASE_URL ?? (await startDatabase(data, log, shutdown));
  const record = await createPostgresRecord({
    url: databaseUrl,
    cipher,
    onError: (err) => shutdown.running || log.warn({ err }, 'the record was interrupted'),
  });
  shutdown.add(() => record.close());
  const queue = await createWakeUpQueue({
    ...(config.REDIS_URL === undefined ? { postgres: { url: databaseUrl } } : { redisUrl: config.REDIS_URL }),
    onError: (err) => shutdown.running || log.warn({ err }, 'the queue was interrupted'),
  });
  shutdown.add(() => queue.close());
  const tokenFile = config.BREAKWATER_ADMIN_TOKEN_FILE ?? join(data, 'admin.token');
  const token = await ensureFirstToken(record, tokenFile);
  const parts = { record, queue, wakeUps: queue, bundles: createBundleStore(record, cipher), log, version };

  // The API first: it says that the rest is not ready yet.
  const ready = { workers: false, sync: false };
  const api = await startApiProgram({
    ...parts,
    host: config.BREAKWATER_HOST,
    port: config.BREAKWATER_PORT,
    hookSecret: await hookSecret(config.BREAKWATER_HOOK_SECRET_FILE),
    gateTokens: createGateTokens(key),
    readiness: async () => ({
      ok: ready.workers && ready.sync,
      checks: { workers: { ok: ready.workers }, sync: { ok: ready.sync } },
    }),
  });
  let apiStopped: Promise<void> | null = null;
  const stopApi = (): Promise<void> => (apiStopped ??= api.stop());
  shutdown.add(stopApi);
  const directory = config.BREAKWATER_CREDENTIALS;
  const stored = new RecordCredentialStore(record, cipher);
  const worker = await startRolloutWorkerProgram({
    ...parts,
    credentials: directory === undefined ? [stored] : [new DirectoryCredentialStore(directory), stored],
    allowFiles: config.BREAKWATER_ALLOW_KUBECONFIG_FILES,
    gates: { allowedHosts: config.BREAKWATER_GATE_HOSTS, secretsDirectory: config.BREAKWATER_GATE_SECRETS ?? null },
    callbacks: gateCallbacks(config.BREAKWATER_PUBLIC_URL, key),
  });
  shutdown.add(() => worker.stop());
  const retention = createPostgresRetention({
    url: databaseUrl,
    onError: (err) => shutdown.running || log.warn({ err }, 'the record was interrupted'),
  });
  shutdown.add(() => retention.close());
  const sync = await startGitSyncProgram({
    ...parts,
    workDir: join(data, 'sync'),
    repositories: [
      {
        name: FLEET_REPOSITORY,
        url: repository,
        ref: config.BREAKWATER_REF,
        credentials: config.BREAKWATER_REPOSITORY_CREDENTIALS,
      },
    ],
    credentials: directory === undefined ? NO_CREDENTIALS : new DirectoryRepositoryCredentials(directory),
    pollMs: config.BREAKWATER_POLL,
    limits: syncLimits(config),
    retention: { records: retention, keepReleases: config.BREAKWATER_KEEP_RELEASES },
  });
  shutdown.add(() => sync.stop());
  // Stopped first: whoever asks gets an answer from a whole Breakwater, or none.
  shutdown.add(stopApi);
  ready.workers = true;
  const firstSync = sync.firstSyncTried.then(() => {
    ready.sync = true;
    return record.sync.repository(FLEET_REPOSITORY);
  });
  firstSync.catch((err: unknown) => log.error({ err }, 'the repository cannot be read from the record'));
  const host = config.BREAKWATER_HOST.includes(':') ? `[${config.BREAKWATER_HOST}]` : config.BREAKWATER_HOST;
  log.info({ host: config.BREAKWATER_HOST, port: api.port }, 'API is listening');
  return { url: `http://${host}:${api.port}`, tokenFile, token, firstSync, stop: () => shutdown.run() };
};

const startDatabase = async (data: string, log: Log, shutdown: Shutdown): Promise<string> => {
  const postgres = await startEmbeddedPostgres({
    dataDir: join(data, 'postgres'),
    log: (message, fields) => log.info(fields ?? {}, message),
  });
  shutdown.add(() => postgres.stop());
  return postgres.url;
};

const hookSecret = async (file: string | undefined): Promise<string | null> => {
  const secret = file === undefined ? '' : (await readFile(file, 'utf8')).trim();
  return secret === '' ? null : secret;
};
