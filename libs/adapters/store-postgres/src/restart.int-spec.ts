import { join } from 'node:path';
import { CommitUnknown, type RecordPort } from '@breakwater/application';
import type { RolloutId } from '@breakwater/domain';
import { createAesCipher } from '@breakwater/platform';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { isConnectionLoss } from './database-errors.ts';
import { createPostgresRecord } from './postgres-record.ts';
import { temporaryHome } from './test-server.ts';

const R1 = 'r1' as RolloutId;

/** Counts in the record itself: each transaction reads and adds one, and says in the audit trail that it did. */
const countOnce = (record: RecordPort): Promise<number> =>
  record.transaction(async (tx) => {
    const epoch = await tx.nextEpoch('shop', 'c1', 0);
    await tx.audit({ type: 'test.counted', actor: 'test', reason: String(epoch), message: '' });
    return epoch;
  });

describe('a restart of PostgreSQL in mid-use', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let server: EmbeddedPostgres;
  let record: RecordPort;
  const start = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      dataDir: join(home.path, 'data'),
      log: () => undefined,
      ...(port === undefined ? {} : { port }),
    });

  beforeAll(async () => {
    home = await temporaryHome();
    server = await start();
    record = await createPostgresRecord({ url: server.url, cipher: createAesCipher(new Uint8Array(32)), poolSize: 4 });
  }, 120_000);
  afterAll(async () => {
    await record.close();
    await server.stop();
    await home.remove();
  }, 60_000);

  it('loses nothing that was answered, does nothing twice, and listens again', async () => {
    const heard: string[] = [];
    const tellMe = Promise.withResolvers<void>();
    await record.listen('due', (payload) => {
      heard.push(payload);
      if (payload === 'after') tellMe.resolve();
    });
    let answered = 0;
    let unknown = 0;
    let go = true;
    const counting = Array.from({ length: 6 }, async () => {
      while (go) {
        await countOnce(record).then(
          () => {
            answered += 1;
          },
          (error: unknown) => {
            if (error instanceof CommitUnknown) unknown += 1;
            // The server was away for longer than a caller is kept waiting: nothing was committed.
            else if (!isConnectionLoss(error)) throw error;
          },
        );
      }
    });
    for (let round = 0; round < 2; round += 1) {
      const before = answered;
      while (answered < before + 20) await record.now();
      const { port } = server;
      await server.stop();
      server = await start(port);
      const after = answered;
      while (answered < after + 20) await record.now();
    }
    go = false;
    await Promise.all(counting);
    const epoch = (await record.cluster.application('shop', 'c1'))?.epoch ?? 0;
    expect(epoch).toBeGreaterThanOrEqual(answered);
    expect(epoch).toBeLessThanOrEqual(answered + unknown);
    while ((await record.audit.seal(1_000)) > 0);
    // What was decided and what was written down about it are one.
    expect(await record.audit.last()).toBe(epoch);
    expect(await record.audit.verify()).toBeNull();

    const hint = setInterval(
      () => void record.transaction((tx) => tx.notify('due', 'after')).catch(() => undefined),
      100,
    );
    await tellMe.promise;
    clearInterval(hint);
  }, 120_000);

  it('a server that stays away is an error, not a crash, and the record comes back with it', async () => {
    const { port } = server;
    await server.stop();
    await expect(record.ping()).rejects.toThrow();
    await expect(record.rollouts.get(R1)).rejects.toThrow();
    await expect(countOnce(record)).rejects.toThrow();
    server = await start(port);
    expect(await record.rollouts.get(R1)).toBeNull();
  }, 120_000);
});
