import { createBundleStore } from '@breakwater/application';
import {
  createAesCipher,
  createGateTokens,
  createLog,
  loadConfiguration,
  loadOrCreateKey,
  runProgram,
  settings,
  UsageError,
  VERSION,
} from '@breakwater/platform';
import { createWakeUpQueue } from '@breakwater/queue-bullmq';
import { createPostgresRecord } from '@breakwater/store-postgres';
import { readFile } from 'node:fs/promises';
import { ensureFirstToken } from './access/first-token.ts';
import { startApiProgram } from './api-program.ts';

const schema = settings
  .pick({
    BREAKWATER_HOST: true,
    BREAKWATER_PORT: true,
    BREAKWATER_LOG_LEVEL: true,
    REDIS_URL: true,
    BREAKWATER_HOOK_SECRET_FILE: true,
    BREAKWATER_ADMIN_TOKEN_FILE: true,
  })
  .extend({
    DATABASE_URL: settings.shape.DATABASE_URL.unwrap(),
    BREAKWATER_ENCRYPTION_KEY_FILE: settings.shape.BREAKWATER_ENCRYPTION_KEY_FILE.unwrap(),
  });

runProgram('breakwater-api', async () => {
  if (process.argv.length > 2) throw new UsageError('api takes no arguments, only environment variables');
  const config = loadConfiguration(schema, process.env);
  const log = createLog({ app: 'api', level: config.BREAKWATER_LOG_LEVEL });
  const key = await loadOrCreateKey(config.BREAKWATER_ENCRYPTION_KEY_FILE);
  const cipher = createAesCipher(key);
  const hookSecretFile = config.BREAKWATER_HOOK_SECRET_FILE;
  const hookSecret = hookSecretFile === undefined ? null : (await readFile(hookSecretFile, 'utf8')).trim();
  const record = await createPostgresRecord({
    url: config.DATABASE_URL,
    cipher,
    onError: (err) => log.warn({ err }, 'the record was interrupted'),
  });
  if (config.BREAKWATER_ADMIN_TOKEN_FILE !== undefined)
    await ensureFirstToken(record, config.BREAKWATER_ADMIN_TOKEN_FILE);
  const queue = await createWakeUpQueue({
    ...(config.REDIS_URL === undefined ? { postgres: { url: config.DATABASE_URL } } : { redisUrl: config.REDIS_URL }),
    onError: (err) => log.warn({ err }, 'the queue was interrupted'),
  });
  const api = await startApiProgram({
    record,
    wakeUps: queue,
    bundles: createBundleStore(record, cipher),
    log,
    version: VERSION,
    host: config.BREAKWATER_HOST,
    port: config.BREAKWATER_PORT,
    hookSecret: hookSecret === '' ? null : hookSecret,
    gateTokens: createGateTokens(key),
  });
  log.info({ host: config.BREAKWATER_HOST, port: api.port }, 'API is listening');
  return {
    stop: async () => {
      await api.stop();
      await queue.close();
      await record.close();
    },
  };
});
