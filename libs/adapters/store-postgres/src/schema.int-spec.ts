import { createAesCipher } from '@breakwater/platform';
import type { RolloutId } from '@breakwater/domain';
import pg from 'pg';
import type { EmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { migrate, SchemaTooNew } from './migrate.ts';
import { createPostgresRecord } from './postgres-record.ts';
import { temporaryServer } from './test-server.ts';

describe('the schema', () => {
  let server: EmbeddedPostgres;
  const client = async <T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> => {
    const connection = new pg.Client({ connectionString: server.url });
    await connection.connect();
    try {
      return (await connection.query<T>(text, [...values])).rows;
    } finally {
      await connection.end();
    }
  };
  beforeAll(async () => {
    server = await temporaryServer();
  }, 120_000);
  afterAll(() => server.stop(), 60_000);

  it('is made once by programs that start together', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(server.url, 'together')));
    expect(applied.filter((did) => did)).toHaveLength(1);
    expect(await migrate(server.url, 'together')).toBe(false);
  }, 60_000);

  it('of a newer Breakwater is left alone', async () => {
    await migrate(server.url, 'newer');
    await client(`insert into newer.migrations (version, name) values (9999, 'from the future')`);
    await expect(migrate(server.url, 'newer')).rejects.toThrow(SchemaTooNew);
  }, 60_000);

  it('refuses a name that is not one', async () => {
    await expect(migrate(server.url, 'x; drop schema public')).rejects.toThrow('schema');
  });

  it('holds no before-image that could be read without the key', async () => {
    const cipher = createAesCipher(new Uint8Array(32).fill(3));
    const record = await createPostgresRecord({ url: server.url, schema: 'sealed', cipher });
    const image = { key: 'Secret/shop/db', object: { kind: 'Secret', stringData: { password: 'hunter2' } } } as never;
    await record.transaction((tx) => tx.addBeforeImages('r1' as RolloutId, 'c1', [image]));
    const rows = await client<{ sealed: Buffer }>('select sealed from sealed.before_images');
    expect(rows).toHaveLength(1);
    expect(rows[0]!.sealed.includes('hunter2')).toBe(false);
    expect(await record.rollouts.beforeImages('r1' as RolloutId, 'c1')).toEqual([image]);
    await record.close();
  }, 60_000);

  it('notices a trail whose end was cut off, or that was written anew without its head', async () => {
    const record = await createPostgresRecord({
      url: server.url,
      schema: 'trail',
      cipher: createAesCipher(new Uint8Array(32)),
    });
    await record.audit.append(
      ['one', 'two', 'three'].map((message) => ({ type: 't', actor: 'a', reason: '', message })),
    );
    await record.audit.seal(10);
    await client('delete from trail.audit_events where sequence = 3');
    expect(await record.audit.verify()).toBe(3);
    await client(`update trail.audit_head set sequence = 2`);
    expect(await record.audit.verify()).toBe(2);
    await record.close();
  }, 60_000);
});
