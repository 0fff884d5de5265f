import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWakeUpQueue } from '@breakwater/queue-bullmq';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@breakwater/store-postgres';
import { describeWakeUpConformance } from '@breakwater/testing';
import pg from 'pg';

describe('with the embedded PostgreSQL', () => {
  let home = '';
  let server: EmbeddedPostgres;
  const start = async (port?: number): Promise<void> => {
    server = await startEmbeddedPostgres({
      dataDir: join(home, 'data'),
      log: () => undefined,
      ...(port === undefined ? {} : { port }),
    });
  };
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'breakwater-queue-'));
    // The server runs as another user when the tests run as root.
    await chmod(home, 0o711);
    await start();
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  const wipe = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query('delete from bullmq.job; delete from bullmq.dedup; delete from bullmq.dedup_next');
    await client.end();
  };
  describeWakeUpConformance('on PostgreSQL', async () => {
    const queue = await createWakeUpQueue({ postgres: { url: server.url } });
    await wipe();
    return {
      queue,
      another: () => createWakeUpQueue({ postgres: { url: server.url } }),
      wipe,
      restart: async () => {
        const { port } = server;
        await server.stop();
        await start(port);
      },
      stop: () => queue.close(),
    };
  });
});
