import {
  AUDIT_GENESIS,
  type AuditEvent,
  auditHash,
  type AuditRecords,
  type Channel,
  firstBrokenLink,
  plainEvent,
  type StoredAuditEvent,
} from '@breakwater/application';
import type { Instant } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Database, Queries } from './database.ts';
import { auditSql } from './record-transaction.ts';

const PAGE = 1_000;

export const auditRecords = (
  database: Database,
  notify: (queries: Queries, channel: Channel, payload: string) => Promise<void>,
): AuditRecords => ({
  append: async (events) => {
    if (events.length > 0) await database.transaction((queries) => queries.rows(auditSql(events)));
  },
  seal: (limit) =>
    database.transaction(async (queries) => {
      const ours = await queries.first(sql<{ readonly got: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/sealer', 0)) as got`);
      if (ours?.got !== true) return 0;
      const sealed = chained(await headOf(queries), await takePending(queries, limit));
      const last = sealed.at(-1);
      if (last === undefined) return 0;
      await store(queries, sealed);
      await queries.rows(sql`insert into audit_head (sequence, hash) values (${last.sequence}, ${last.hash})
        on conflict (one) do update set sequence = excluded.sequence, hash = excluded.hash`);
      await notify(queries, 'event', String(last.sequence));
      return sealed.length;
    }),
  after: (sequence, limit, filter = {}) => eventsAfter(database, sequence, limit, filter),
  last: async () => (await headOf(database)).sequence,
  verify: async () => {
    const head = await headOf(database);
    let before = { sequence: 0, hash: AUDIT_GENESIS };
    while (before.sequence < head.sequence) {
      const events = await eventsAfter(database, before.sequence, Math.min(PAGE, head.sequence - before.sequence), {});
      const broken = firstBrokenLink(events, before);
      if (broken !== null) return broken;
      const last = events.at(-1);
      // The head knows of more than there is: the end was cut off.
      if (last === undefined) return before.sequence + 1;
      before = last;
    }
    return before.hash === head.hash ? null : head.sequence;
  },
});

interface Link {
  readonly sequence: number;
  readonly hash: string;
}

interface Pending {
  readonly id: number;
  readonly at: Instant;
  readonly event: AuditEvent;
}

const headOf = async (queries: Queries): Promise<Link> =>
  (await queries.first(sql<Link>`select sequence, hash from audit_head`)) ?? { sequence: 0, hash: AUDIT_GENESIS };

const takePending = async (queries: Queries, limit: number): Promise<readonly Pending[]> => {
  const rows = await queries.rows(sql<Pending>`delete from audit_pending
    where id in (select id from audit_pending order by id limit ${limit}) returning id, at, event`);
  return rows.toSorted((a, b) => a.id - b.id);
};

const chained = (head: Link, pending: readonly Pending[]): readonly StoredAuditEvent[] => {
  let previous = head;
  return pending.map((row) => {
    const event = plainEvent(row.event);
    const sequence = previous.sequence + 1;
    previous = { sequence, hash: auditHash(previous.hash, sequence, row.at, event) };
    return { ...event, ...previous, at: row.at };
  });
};

const store = (queries: Queries, events: readonly StoredAuditEvent[]): Promise<unknown> =>
  queries.rows(sql`insert into audit_events (sequence, at, actor, rollout, cluster, hash, event)
    select * from unnest(${events.map(({ sequence }) => sequence)}::bigint[], ${events.map(({ at }) => at)}::bigint[],
      ${events.map(({ actor }) => plainText(actor))}::text[], ${events.map(({ rollout }) => rollout ?? null)}::text[],
      ${events.map(({ cluster }) => cluster ?? null)}::text[], ${events.map(({ hash }) => hash)}::text[],
      ${events.map((event) => JSON.stringify(plainEvent(event)))}::json[])`);

const plainText = (text: string): string => text.replaceAll('\u0000', '\uFFFD');

interface EventRow extends Link {
  readonly at: Instant;
  readonly event: AuditEvent;
}

const eventsAfter = async (
  queries: Queries,
  sequence: number,
  limit: number,
  { rollout, cluster, actor, since }: NonNullable<Parameters<AuditRecords['after']>[2]>,
): Promise<readonly StoredAuditEvent[]> => {
  const rows = await queries.rows(sql<EventRow>`select sequence, at, hash, event from audit_events
    where sequence > ${sequence}
      ${rollout === undefined ? sql`` : sql`and rollout = ${rollout}`}
      ${cluster === undefined ? sql`` : cluster === null ? sql`and cluster is null` : sql`and cluster = ${cluster}`}
      ${actor === undefined ? sql`` : sql`and actor = ${actor}`}
      ${since === undefined ? sql`` : sql`and at >= ${since}`}
    order by sequence limit ${limit}`);
  return rows.map(({ event, ...link }) => ({ ...event, ...link }));
};
