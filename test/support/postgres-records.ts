import type { RecordPort } from '@breakwater/application';
import { createAesCipher } from '@breakwater/platform';
import { createPostgresRecord, startEmbeddedPostgres } from '@breakwater/store-postgres';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One PostgreSQL for a file of tests, and an empty record in it for each of them. */
export interface PostgresRecords {
  fresh(): Promise<RecordPort>;
  /** Closes the records, too. */
  stop(): Promise<void>;
}

export const startPostgresRecords = async (): Promise<PostgresRecords> => {
  const home = await mkdtemp(join(tmpdir(), 'breakwater-records-'));
  // The server may run as another user than the tests.
  await chmod(home, 0o711);
  const server = await startEmbeddedPostgres({ dataDir: join(home, 'data'), log: () => undefined });
  const cipher = createAesCipher(new Uint8Array(32).fill(1));
  const records: RecordPort[] = [];
  return {
    fresh: async () => {
      const record = await createPostgresRecord({ url: server.url, schema: `record_${records.length}`, cipher });
      records.push(record);
      return record;
    },
    stop: async () => {
      for (const record of records) await record.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
};
