import type { ClaimRecords } from '@breakwater/application';
import { sql } from 'kysely';
import type { Database } from './database.ts';

export const claimRecords = (database: Database): ClaimRecords => ({
  claim: async (rollout, cluster, worker, token, leaseMs) => {
    const row = await database.first(sql`insert into claims as c (rollout, cluster, worker, token, expires_at)
      values (${rollout}, ${cluster}, ${worker}, ${token}, now_ms() + ${leaseMs}::bigint)
      on conflict (rollout, cluster) do update
        set worker = excluded.worker, token = excluded.token, expires_at = now_ms() + ${leaseMs}::bigint
        where c.expires_at <= now_ms() or c.token = excluded.token
      returning token`);
    return row !== null;
  },
  renew: async (worker, leaseMs) => {
    const rows = await database.rows(sql<{ readonly token: string }>`
      update claims set expires_at = now_ms() + ${leaseMs}::bigint where worker = ${worker} returning token`);
    return rows.map(({ token }) => token);
  },
  renewOne: async (token, leaseMs) => {
    const row = await database.first(
      sql`update claims set expires_at = now_ms() + ${leaseMs}::bigint where token = ${token} returning token`,
    );
    return row !== null;
  },
  release: async (token) => {
    await database.rows(sql`delete from claims where token = ${token}`);
  },
  abandon: async (token) => {
    await database.rows(sql`update claims set expires_at = least(expires_at, now_ms()) where token = ${token}`);
  },
  abandonAll: async (worker) => {
    await database.rows(sql`update claims set expires_at = least(expires_at, now_ms()) where worker = ${worker}`);
  },
});
