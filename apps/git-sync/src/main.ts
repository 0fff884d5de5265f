import { createBundleStore, type RepositoryCredentialStore } from '@breakwater/application';
import { DirectoryRepositoryCredentials } from '@breakwater/credentials';
import {
  createAesCipher,
  createLog,
  existingDirectory,
  loadConfiguration,
  loadOrCreateKey,
  runProgram,
  settings,
  UsageError,
} from '@breakwater/platform';
import { createWakeUpQueue } from '@breakwater/queue-bullmq';
import { createPostgresRecord, createPostgresRetention } from '@breakwater/store-postgres';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLEET_REPOSITORY, startGitSyncProgram } from './git-sync-program.ts';
import { LIMIT_SETTINGS, syncLimits } from './sync-limits.ts';

const schema = settings
  .pick({
    BREAKWATER_DATA: true,
    BREAKWATER_LOG_LEVEL: true,
    REDIS_URL: true,
    BREAKWATER_CREDENTIALS: true,
    BREAKWATER_REF: true,
    BREAKWATER_REPOSITORY_CREDENTIALS: true,
    BREAKWATER_POLL: true,
    BREAKWATER_KEEP_RELEASES: true,
    ...LIMIT_SETTINGS,
  })
  .extend({
    DATABASE_URL: settings.shape.DATABASE_URL.unwrap(),
    BREAKWATER_ENCRYPTION_KEY_FILE: settings.shape.BREAKWATER_ENCRYPTION_KEY_FILE.unwrap(),
    BREAKWATER_REPOSITORY: settings.shape.BREAKWATER_REPOSITORY.unwrap(),
  });

const NONE: RepositoryCredentialStore = { repositoryCredentials: async () => null };

runProgram('breakwater-git-sync', async () => {
  if (process.argv.length > 2) throw new UsageError('git-sync takes no arguments, only environment variables');
  const config = loadConfiguration(schema, process.env);
  const credentialsIn = config.BREAKWATER_CREDENTIALS;
  const credentials =
    credentialsIn === undefined
      ? NONE
      : new DirectoryRepositoryCredentials(existingDirectory('BREAKWATER_CREDENTIALS', credentialsIn));
  const log = createLog({ app: 'git-sync', level: config.BREAKWATER_LOG_LEVEL });
  const cipher = createAesCipher(await loadOrCreateKey(config.BREAKWATER_ENCRYPTION_KEY_FILE));
  const record = await createPostgresRecord({
    url: config.DATABASE_URL,
    cipher,
    onError: (err) => log.warn({ err }, 'the record was interrupted'),
  });
  const queue = await createWakeUpQueue({
    ...(config.REDIS_URL === undefined ? { postgres: { url: config.DATABASE_URL } } : { redisUrl: config.REDIS_URL }),
    onError: (err) => log.warn({ err }, 'the queue was interrupted'),
  });
  const retention = createPostgresRetention({
    url: config.DATABASE_URL,
    onError: (err) => log.warn({ err }, 'the record was interrupted'),
  });
  const sync = await startGitSyncProgram({
    record,
    wakeUps: queue,
    bundles: createBundleStore(record, cipher),
    log,
    workDir: config.BREAKWATER_DATA ?? join(tmpdir(), 'breakwater-git-sync'),
    repositories: [
      {
        name: FLEET_REPOSITORY,
        url: config.BREAKWATER_REPOSITORY,
        ref: config.BREAKWATER_REF,
        credentials: config.BREAKWATER_REPOSITORY_CREDENTIALS,
      },
    ],
    credentials,
    pollMs: config.BREAKWATER_POLL,
    limits: syncLimits(config),
    retention: { records: retention, keepReleases: config.BREAKWATER_KEEP_RELEASES },
  });
  return {
    stop: async () => {
      await sync.stop();
      await retention.close();
      await queue.close();
      await record.close();
    },
  };
});
