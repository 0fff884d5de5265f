import {
  acceptCluster,
  type ApplicationOnCluster,
  auditOfCluster,
  auditOfQuarantine,
  type ClusterIdentity,
  type ClusterRecord,
  type ClusterRecords,
  observeCluster,
  quarantineCluster,
  unknownCluster,
} from '@breakwater/application';
import type { Instant, Revision, RolloutId } from '@breakwater/domain';
import { type RawBuilder, sql } from 'kysely';
import type { Database, Queries } from './database.ts';
import { nowOf } from './now.ts';
import { auditSql } from './record-transaction.ts';

export const clusterRecords = (database: Database): ClusterRecords => ({
  get: async (name) => {
    const row = await identityOf(database, name);
    return row === null ? null : shown(row);
  },
  list: async () =>
    (await database.rows(sql<ClusterRow>`select * from clusters order by name`)).map(identity).map(shown),
  observe: async (name, observation) => {
    if (observation.kind === 'Seen') {
      const same = await database.first(sql<ClusterRow>`update clusters set last_seen = now_ms()
        where name = ${name} and state = 'Ready' and uid = ${observation.uid} and version = ${observation.version} returning *`);
      if (same !== null) return shown(identity(same));
    }
    return database.transaction(async (queries) => {
      await lockIdentities(queries);
      const before = (await identityOf(queries, name)) ?? unknownCluster(name);
      const twin = observation.kind === 'Seen' ? await twinOf(queries, name, observation.uid) : null;
      const after = observeCluster(before, observation, twin, await nowOf(queries));
      await save(queries, before, after, 'system');
      return shown(after);
    });
  },
  accept: (name, actor, reason) =>
    database.transaction(async (queries) => {
      await lockIdentities(queries);
      const before = await identityOf(queries, name);
      if (before === null) return null;
      const after = acceptCluster(before, before.seenUid === null ? null : await twinOf(queries, name, before.seenUid));
      if (after === null) return shown(before);
      await save(queries, before, after, actor, reason);
      // Epochs go on: a fence of the old cluster may come back with it.
      await queries.rows(sql`update application_on_cluster set running = null, last_good = null, owed_revision = null,
        owed_rollout = null, inventory_expected = false where cluster = ${name}`);
      return shown(after);
    }),
  setQuarantine: (name, held, person) =>
    database.transaction(async (queries) => {
      await lockIdentities(queries);
      const before = (await identityOf(queries, name)) ?? unknownCluster(name);
      const after = quarantineCluster(before, held, person, await nowOf(queries));
      await save(queries, before, after, person.by);
      await queries.rows(auditSql([auditOfQuarantine(after, person)]));
      return shown(after);
    }),
  application: async (application, cluster) =>
    (await onClusters(database, sql`application = ${application} and cluster = ${cluster}`))[0] ?? null,
  applicationsOn: (cluster) => onClusters(database, sql`cluster = ${cluster}`),
  applicationEverywhere: (application) => onClusters(database, sql`application = ${application}`),
  proven: async (application) => {
    const row = await database.first(
      sql<{ readonly revision: Revision }>`select revision from proven where application = ${application}`,
    );
    return row?.revision ?? null;
  },
});

interface ClusterRow extends Omit<ClusterIdentity, 'seenUid' | 'lastSeen'> {
  readonly seen_uid: string | null;
  readonly last_seen: Instant | null;
}

const identity = ({ seen_uid, last_seen, ...row }: ClusterRow): ClusterIdentity => ({
  ...row,
  seenUid: seen_uid,
  lastSeen: last_seen,
});

const shown = ({ seenUid: _seenUid, ...record }: ClusterIdentity): ClusterRecord => record;

/** Contacts that change something are few; one after the other, no two names can bind one uid. */
const lockIdentities = (queries: Queries): Promise<unknown> =>
  queries.rows(sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '/cluster-identities', 0))`);

const identityOf = async (queries: Queries, name: string): Promise<ClusterIdentity | null> => {
  const row = await queries.first(sql<ClusterRow>`select * from clusters where name = ${name}`);
  return row === null ? null : identity(row);
};

const twinOf = async (queries: Queries, name: string, uid: string): Promise<string | null> => {
  const row = await queries.first(
    sql<{ readonly name: string }>`select name from clusters where uid = ${uid} and name <> ${name}`,
  );
  return row?.name ?? null;
};

const save = async (
  queries: Queries,
  before: ClusterIdentity,
  after: ClusterIdentity,
  actor: string,
  reason?: string,
): Promise<void> => {
  await queries.rows(sql`insert into clusters (name, uid, seen_uid, version, state, reason, message, last_seen, quarantine)
    values (${after.name}, ${after.uid}, ${after.seenUid}, ${after.version}, ${after.state}, ${after.reason}, ${after.message},
      ${after.lastSeen}, ${after.quarantine === null ? null : JSON.stringify(after.quarantine)})
    on conflict (name) do update set uid = excluded.uid, seen_uid = excluded.seen_uid, version = excluded.version,
      state = excluded.state, reason = excluded.reason, message = excluded.message, last_seen = excluded.last_seen,
      quarantine = excluded.quarantine`);
  const event = auditOfCluster(before, after, actor, reason);
  if (event !== null) await queries.rows(auditSql([event]));
};

interface OnClusterRow {
  readonly application: string;
  readonly cluster: string;
  readonly running: Revision | null;
  readonly last_good: Revision | null;
  readonly owed_revision: Revision | null;
  readonly owed_rollout: RolloutId | null;
  readonly epoch: number | null;
  readonly inventory_expected: boolean | null;
  readonly blocked_by: RolloutId | null;
}

/** What is known of an application on a cluster, and who holds its lock; a lock alone is known too. */
const onClusters = async (queries: Queries, where: RawBuilder<unknown>): Promise<readonly ApplicationOnCluster[]> => {
  const rows =
    await queries.rows(sql<OnClusterRow>`select application, cluster, a.running, a.last_good, a.owed_revision,
      a.owed_rollout, a.epoch, a.inventory_expected, l.rollout as blocked_by
    from (select * from application_on_cluster where ${where}) a
      full join (select * from locks where ${where}) l using (application, cluster)
    order by application, cluster`);
  return rows.map((row) => ({
    application: row.application,
    cluster: row.cluster,
    running: row.running,
    lastGood: row.last_good,
    owed: row.owed_rollout === null ? null : { revision: row.owed_revision, rollout: row.owed_rollout },
    blockedBy: row.blocked_by,
    epoch: row.epoch ?? 0,
    inventoryExpected: row.inventory_expected ?? false,
  }));
};
