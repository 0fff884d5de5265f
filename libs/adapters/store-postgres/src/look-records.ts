import {
  type Channel,
  type ClusterLook,
  type ClusterLooks,
  LOOK_LIFE,
  type LookAnswer,
  OPEN_LOOKS,
} from '@breakwater/application';
import { sql } from 'kysely';
import type { Database, Queries } from './database.ts';

const OPEN = sql`answer is null and created_at > now_ms() - ${LOOK_LIFE}::bigint`;

export const lookRecords = (
  database: Database,
  notify: (queries: Queries, channel: Channel, payload: string) => Promise<void>,
): ClusterLooks => ({
  ask: ({ id, cluster, since }) =>
    database.transaction(async (queries) => {
      const asked = await queries.first(sql`insert into looks (id, cluster, since)
        select ${id}, ${cluster}, ${since}::bigint where (select count(*) from looks where ${OPEN}) < ${OPEN_LOOKS} returning id`);
      if (asked !== null) await notify(queries, 'look', id);
      return asked !== null;
    }),
  take: (limit, leaseMs) =>
    database.transaction((queries) =>
      queries.rows(sql<ClusterLook>`update looks set taken_until = now_ms() + ${leaseMs}::bigint
        where id in (select id from looks where ${OPEN} and taken_until <= now_ms()
          order by created_at, id limit ${limit} for update skip locked)
        returning id, cluster, since`),
    ),
  answer: (id, answer) =>
    database.transaction(async (queries) => {
      const answered = await queries.first(
        sql`update looks set answer = ${JSON.stringify(answer)} where id = ${id} and answer is null returning id`,
      );
      if (answered !== null) await notify(queries, 'look', id);
    }),
  answerTo: async (id) => {
    const row = await database.first(
      sql<{ readonly answer: LookAnswer | null }>`select answer from looks where id = ${id}`,
    );
    return row?.answer ?? null;
  },
});
