import type { RolloutId } from '@breakwater/domain';
import pg from 'pg';
import { compiler } from './database.ts';
import type { EmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { migrate } from './migrate.ts';
import { startableSql } from './startable-targets.ts';
import { temporaryServer } from './test-server.ts';

/** A rollout with this many targets: two hundred to start, ten to return, five due. */
const fill = (size: number): string => `
  insert into rollouts (id, application, sequence, state, terminal, started, gate_generation, gate_forward, gate_backward, plan, doc)
    values ('r${size}', 'shop-${size}', ${size}, 'Progressing', false, true, 1, true, true, '{}', '{}');
  insert into targets (rollout, cluster, region, wave, position, state, touched, degraded, owes, cut_off, due_at, revision, doc)
    select 'r${size}', 'c' || n, 'eu', 0, n,
      case when n > ${size} - 200 then 'Pending' when n % (${size} / 10) = 0 then 'Failed' else 'Succeeded' end,
      n <= ${size} - 200, false, null, false, case when n <= 5 then n end, '{}', '{}'::json
    from generate_series(1, ${size}) n;
  insert into locks select 'shop-${size}', cluster, rollout from targets where rollout = 'r${size}';
  vacuum analyze targets`;

/** A rollout with so many targets that all have to wait: their few failure domains are full. */
const fillWaiting = (size: number): string => `
  insert into rollouts (id, application, sequence, state, terminal, started, gate_generation, gate_forward, gate_backward, plan, doc)
    values ('w${size}', 'wait-${size}', ${size + 1}, 'Progressing', false, true, 1, true, true, '{}', '{}');
  insert into targets (rollout, cluster, region, failure_domain, wave, position, state, touched, degraded, owes, cut_off, due_at, revision, doc)
    select 'w${size}', 'c' || n, 'eu', 'w${size}-' || n % 5, 0, n, 'Pending', false, false, null, false, null, '{}', '{}'::json
    from generate_series(1, ${size}) n;
  insert into domain_slots select 'w${size}-' || n, 0, 'x${size}', 'c' || n from generate_series(0, 4) n;
  vacuum analyze targets`;

/** What the record asks while it starts, returns and finishes targets; see record-transaction.ts and rollout-queries.ts. */
const questions = (rollout: string): readonly string[] => [
  `select doc from targets where rollout = '${rollout}' and wave = 0 and state = 'Pending' order by position limit 10`,
  `select doc from targets where rollout = '${rollout}' and touched and state not in ('RollingBack', 'RolledBack', 'RollbackFailed')
    and state = 'Failed' order by wave, position limit 5`,
  `select doc from targets where rollout = '${rollout}' and touched and state not in ('RollingBack', 'RolledBack', 'RollbackFailed')
    and wave = 0 order by wave, position limit 5`,
  `select doc from targets where rollout = '${rollout}' and state = any('{Applying,Verifying}') order by wave, position limit 10`,
  `select rollout, cluster from targets t where t.due_at <= (select now_ms()) order by t.due_at limit 10`,
  `update targets set due_at = 1 where rollout = '${rollout}' and cluster = 'c7'`,
];

describe('what one target costs', () => {
  let server: EmbeddedPostgres;
  let client: pg.Client;
  beforeAll(async () => {
    server = await temporaryServer();
    await migrate(server.url, 'cost');
    client = new pg.Client({ connectionString: server.url, options: '-c search_path=cost' });
    await client.connect();
  }, 120_000);
  afterAll(async () => {
    await client.end();
    await server.stop();
  }, 60_000);

  const buffers = async (question: string, parameters: readonly unknown[] = []): Promise<number> => {
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: Record<string, number> }[] }>(
      `explain (analyze, buffers, format json) ${question}`,
      [...parameters],
    );
    const plan = rows[0]!['QUERY PLAN'][0]!.Plan;
    return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!;
  };

  it('is flat in the number of targets of its rollout', async () => {
    const costs = new Map<number, number[]>();
    for (const size of [1_000, 20_000]) {
      for (const statement of [...fill(size).split(';'), ...fillWaiting(size).split(';')]) {
        await client.query(statement);
      }
      const found: number[] = [];
      const waiting = { rollout: `w${size}` as RolloutId, wave: 0, maxInFlight: 1, maxOnCluster: 2, exceptRegions: [] };
      const free = { ...waiting, rollout: `r${size}` as RolloutId, maxInFlight: 100 };
      for (const query of [waiting, free, { ...free, maxInFlight: null }]) {
        const startable = startableSql(query, 10).compile(compiler);
        found.push(await buffers(startable.sql, startable.parameters));
      }
      for (const question of questions(`r${size}`)) found.push(await buffers(question));
      costs.set(size, found);
    }
    const small = costs.get(1_000)!;
    const large = costs.get(20_000)!;
    const grown = large.map((blocks, n) => ({ blocks, before: small[n]!, limit: small[n]! * 2 + 20 }));
    expect(grown.filter(({ blocks, limit }) => blocks > limit)).toEqual([]);
  }, 120_000);
});
