import { createBundleStore } from '@breakwater/application';
import { DirectoryCredentialStore, RecordCredentialStore } from '@breakwater/credentials';
import {
  createAesCipher,
  createLog,
  existingDirectory,
  gateCallbacks,
  loadConfiguration,
  loadOrCreateKey,
  runProgram,
  settings,
  UsageError,
  VERSION,
} from '@breakwater/platform';
import { createWakeUpQueue } from '@breakwater/queue-bullmq';
import { createPostgresRecord } from '@breakwater/store-postgres';
import { startRolloutWorkerProgram } from './rollout-worker-program.ts';

const schema = settings
  .pick({
    BREAKWATER_LOG_LEVEL: true,
    REDIS_URL: true,
    BREAKWATER_CREDENTIALS: true,
    BREAKWATER_ALLOW_KUBECONFIG_FILES: true,
    BREAKWATER_GATE_HOSTS: true,
    BREAKWATER_GATE_SECRETS: true,
    BREAKWATER_PUBLIC_URL: true,
  })
  .extend({
    DATABASE_URL: settings.shape.DATABASE_URL.unwrap(),
    BREAKWATER_ENCRYPTION_KEY_FILE: settings.shape.BREAKWATER_ENCRYPTION_KEY_FILE.unwrap(),
  });

runProgram('breakwater-rollout-worker', async () => {
  if (process.argv.length > 2) throw new UsageError('rollout-worker takes no arguments, only environment variables');
  const config = loadConfiguration(schema, process.env);
  for (const setting of ['BREAKWATER_CREDENTIALS', 'BREAKWATER_GATE_SECRETS'] as const) {
    if (config[setting] !== undefined) existingDirectory(setting, config[setting]);
  }
  const log = createLog({ app: 'rollout-worker', level: config.BREAKWATER_LOG_LEVEL });
  const key = await loadOrCreateKey(config.BREAKWATER_ENCRYPTION_KEY_FILE);
  const cipher = createAesCipher(key);
  const record = await createPostgresRecord({
    url: config.DATABASE_URL,
    cipher,
    onError: (err) => log.warn({ err }, 'the record was interrupted'),
  });
  const queue = await createWakeUpQueue({
    ...(config.REDIS_URL === undefined ? { postgres: { url: config.DATABASE_URL } } : { redisUrl: config.REDIS_URL }),
    onError: (err) => log.warn({ err }, 'the queue was interrupted'),
  });
  const stored = new RecordCredentialStore(record, cipher);
  const directory = config.BREAKWATER_CREDENTIALS;
  const worker = await startRolloutWorkerProgram({
    record,
    queue,
    bundles: createBundleStore(record, cipher),
    log,
    credentials: directory === undefined ? [stored] : [new DirectoryCredentialStore(directory), stored],
    allowFiles: config.BREAKWATER_ALLOW_KUBECONFIG_FILES,
    gates: { allowedHosts: config.BREAKWATER_GATE_HOSTS, secretsDirectory: config.BREAKWATER_GATE_SECRETS ?? null },
    callbacks: gateCallbacks(config.BREAKWATER_PUBLIC_URL, key),
    version: VERSION,
  });
  return {
    stop: async () => {
      await worker.stop();
      await queue.close();
      await record.close();
    },
  };
});
