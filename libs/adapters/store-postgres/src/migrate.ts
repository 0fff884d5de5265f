import pg from 'pg';
import { MIGRATIONS } from './migrations.ts';
import { checkedSchema } from './database.ts';

/** The database is of a newer Breakwater; going back would lose what the newer one wrote. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
  readonly code = 'SchemaTooNew';
}

/** Brings the schema to this program's version. Programs that start together wait for the first; `true` when something was applied. */
export const migrate = async (url: string, schema: string): Promise<boolean> => {
  const name = checkedSchema(schema);
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'breakwater',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`breakwater/migrations/${name}`]);
    await prepare(client, name);
    const applied = await client.query<{ version: number }>('select version from migrations order by version');
    const known = new Set(applied.rows.map(({ version }) => version));
    refuseNewer(known);
    const missing = MIGRATIONS.filter(({ version }) => !known.has(version));
    for (const migration of missing) await apply(client, migration.version, migration.name, migration.sql);
    return missing.length > 0;
  } finally {
    await client.end().catch(() => undefined);
  }
};

const prepare = async (client: pg.Client, schema: string): Promise<void> => {
  const exists = await client.query('select 1 from pg_namespace where nspname = $1', [schema]);
  if (exists.rowCount === 0) await client.query(`create schema ${schema}`);
  await client.query(`set search_path to ${schema}`);
  const table = await client.query(`select to_regclass('${schema}.migrations') is not null as there`);
  if (table.rows[0]?.there === true) return;
  await client.query(
    'create table migrations (version integer primary key, name text not null, applied_at timestamptz not null default now())',
  );
};

const refuseNewer = (applied: ReadonlySet<number>): void => {
  const newest = Math.max(...MIGRATIONS.map(({ version }) => version));
  const found = Math.max(0, ...applied);
  if (found > newest) {
    throw new SchemaTooNew(
      `the database is at schema version ${found}, and this Breakwater knows versions up to ${newest}: start the newer Breakwater, or restore an older backup`,
    );
  }
};

const apply = async (client: pg.Client, version: number, name: string, sql: string): Promise<void> => {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into migrations (version, name) values ($1, $2)', [version, name]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};
