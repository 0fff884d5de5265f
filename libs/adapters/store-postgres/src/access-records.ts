import type { AccessRecords, Role } from '@breakwater/application';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { auditSql } from './record-transaction.ts';

export const accessRecords = (database: Database): AccessRecords => ({
  addToken: async ({ name, hash, role }) => {
    await database.rows(sql`insert into tokens (hash, name, role) values (${hash}, ${name}, ${role})
      on conflict (hash) do update set name = excluded.name, role = excluded.role`);
  },
  findToken: (hash) =>
    database.first(
      sql<{ readonly name: string; readonly role: Role }>`select name, role from tokens where hash = ${hash}`,
    ),
  hasTokens: async () => (await database.first(sql`select 1 from tokens limit 1`)) !== null,
  putCredential: async (name, sealed) => {
    await database.rows(sql`insert into credentials values (${name}, ${Buffer.from(sealed)}, nextval('credential_version'))
      on conflict (name) do update set sealed = excluded.sealed, version = excluded.version`);
  },
  credential: async (name) => {
    const row = await database.first(
      sql<{
        readonly sealed: Buffer;
        readonly version: number;
      }>`select sealed, version from credentials where name = ${name}`,
    );
    return row === null ? null : { sealed: row.sealed, version: String(row.version) };
  },
  setting: async (key) => {
    const row = await database.first(sql<{ readonly value: unknown }>`select value from settings where key = ${key}`);
    return row?.value ?? null;
  },
  setSetting: (key, value, events = []) =>
    database.transaction(async (queries) => {
      await queries.rows(sql`insert into settings values (${key}, ${JSON.stringify(value ?? null)})
        on conflict (key) do update set value = excluded.value`);
      if (events.length > 0) await queries.rows(auditSql(events));
    }),
});
