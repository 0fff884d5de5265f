import { jest } from '@jest/globals';
import pg from 'pg';
import type { EmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { migrate } from './migrate.ts';
import { createPostgresRetention } from './retention-records.ts';
import { temporaryServer } from './test-server.ts';

jest.setTimeout(120_000);

const digest = (n: number): string => `sha256:${String(n).padStart(64, '0')}`;
const commit = (n: number): string => String(n).padStart(40, 'a');
const revision = (n: number): string => JSON.stringify({ commit: commit(n), digest: digest(n), bundle: digest(n) });

describe('Retention', () => {
  let server: EmbeddedPostgres;
  let client: pg.Client;
  let retention: ReturnType<typeof createPostgresRetention>;
  beforeAll(async () => {
    server = await temporaryServer();
    await migrate(server.url, 'kept');
    client = new pg.Client({ connectionString: server.url, options: '-c search_path=kept' });
    await client.connect();
    retention = createPostgresRetention({ url: server.url, schema: 'kept' });
  });
  afterAll(async () => {
    await retention.close();
    await client.end();
    await server.stop();
  });
  beforeEach(async () => {
    await client.query(
      'truncate rollouts, targets, releases, bundles, application_on_cluster, proven, snapshots, locks',
    );
    await client.query("delete from settings where key like 'retention/%'");
  });

  const release = async (n: number, state = 'Good'): Promise<void> => {
    await client.query('insert into bundles (digest, sealed) values ($1, $2)', [digest(n), Buffer.from('x')]);
    await client.query(
      `insert into releases (application, commit, digest, bundles, spec, state, reason, errors, created_at, sequence)
       values ('web', $1, $2, $3, '{}', $4, '', '[]', 0, $5)`,
      [commit(n), digest(n), JSON.stringify({ eu: digest(n) }), state, n],
    );
  };
  const rollout = async (n: number, terminal: boolean): Promise<void> => {
    await client.query(
      `insert into rollouts (id, application, sequence, state, terminal, started, gate_generation, gate_forward, gate_backward, plan, doc)
       values ($1, 'web', $2, 'Any', $3, true, 1, true, true, '{}', '{}')`,
      [`r${n}`, n, terminal],
    );
    await client.query(
      `insert into targets (rollout, cluster, region, wave, position, state, touched, degraded, owes, cut_off, due_at, revision, doc)
       values ($1, 'eu', 'eu', 0, 0, 'Any', true, false, null, false, null, $2, '{}')`,
      [`r${n}`, revision(n)],
    );
  };
  const left = async (table: 'releases' | 'bundles'): Promise<readonly number[]> => {
    const { rows } = await client.query<{ readonly digest: string }>(`select digest from ${table} order by digest`);
    return rows.map((row) => Number(row.digest.slice('sha256:'.length)));
  };

  it('forgets all but the newest releases, and their bundles at the second look', async () => {
    for (let n = 1; n <= 5; n++) await release(n);
    expect(await retention.collect(2, 0)).toEqual({ releases: 3, bundles: 0, commits: [1, 2, 3].map(commit) });
    expect(await left('bundles')).toEqual([1, 2, 3, 4, 5]);
    expect(await retention.collect(2, 0)).toEqual({ releases: 0, bundles: 3, commits: [] });
    expect([await left('releases'), await left('bundles')]).toEqual([
      [4, 5],
      [4, 5],
    ]);
  });

  it('lets everything be that is younger than the grace', async () => {
    for (let n = 1; n <= 3; n++) await release(n);
    await retention.collect(1, 0);
    await retention.collect(1, 86_400_000);
    await retention.collect(1, 86_400_000);
    expect(await left('bundles')).toEqual([1, 2, 3]);
  });

  it('starts anew with a bundle that was referenced in between', async () => {
    await release(1);
    await release(2);
    await retention.collect(1, 0);
    await client.query("insert into proven values ('web', $1)", [revision(1)]);
    await retention.collect(1, 0);
    await client.query('delete from proven');
    expect(await retention.collect(1, 0)).toMatchObject({ bundles: 0 });
    expect(await retention.collect(1, 0)).toMatchObject({ bundles: 1 });
  });

  const references: readonly [string, () => Promise<unknown>][] = [
    ['what a cluster runs', () => reference('running')],
    ['what is last known good', () => reference('last_good')],
    ['what is owed', () => reference('owed_revision')],
    ['what is proven', () => client.query("insert into proven values ('web', $1)", [revision(1)])],
    ['the newest rollout of an application', () => rollout(1, true)],
    [
      'an unfinished rollout, however old',
      async () => {
        await rollout(1, false);
        for (let n = 100; n < 112; n++) await rollout(n, true);
      },
    ],
    [
      'a rollout that holds a lock',
      async () => {
        await rollout(1, true);
        for (let n = 100; n < 112; n++) await rollout(n, true);
        await client.query("insert into locks values ('web', 'eu', 'r1')");
      },
    ],
    ['the commit in force', () => client.query("insert into snapshots values ('fleet', $1)", [revision(1)])],
    ['what was rolled back', () => client.query("update releases set state = 'Bad' where sequence = 1")],
  ];
  const reference = (column: string): Promise<unknown> =>
    client.query(`insert into application_on_cluster (application, cluster, ${column}) values ('web', 'eu', $1)`, [
      revision(1),
    ]);

  it.each(references)('never takes %s', async (_, refer) => {
    for (let n = 1; n <= 4; n++) await release(n);
    await refer();
    for (let times = 0; times < 3; times++) await retention.collect(1, 0);
    expect([await left('releases'), await left('bundles')]).toEqual([
      [1, 4],
      [1, 4],
    ]);
  });
});
