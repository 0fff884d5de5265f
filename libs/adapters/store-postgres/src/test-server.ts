import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAesCipher } from '@breakwater/platform';
import type { RecordUnderTest } from '@breakwater/testing';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { createPostgresRecord } from './postgres-record.ts';

/** A directory that the user whom the server runs as can enter, also when the tests run as root. */
export const temporaryHome = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), 'breakwater-pg-'));
  await chmod(path, 0o711);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};

export const temporaryServer = async (): Promise<EmbeddedPostgres> => {
  const home = await temporaryHome();
  const server = await startEmbeddedPostgres({ dataDir: join(home.path, 'data'), log: () => undefined });
  return {
    ...server,
    stop: async () => {
      await server.stop();
      await home.remove();
    },
  };
};

let schemas = 0;

/** An empty record in a schema of its own. */
export const temporaryRecord = async (url: string): Promise<RecordUnderTest> => {
  schemas += 1;
  const schema = `test_${process.pid}_${schemas}`;
  const record = await createPostgresRecord({ url, schema, cipher: createAesCipher(new Uint8Array(32).fill(1)) });
  const directly = async (statement: string, values: readonly unknown[] = []): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement, [...values]);
    await client.end();
  };
  return {
    record,
    // The database's clock is real.
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    tamper: (sequence, message) =>
      directly(
        `update ${schema}.audit_events set event = jsonb_set(event::jsonb, '{message}', to_jsonb($2::text))::json where sequence = $1`,
        [sequence, message],
      ),
    stop: async () => {
      await record.close();
      await directly(`drop schema ${schema} cascade`);
    },
  };
};
