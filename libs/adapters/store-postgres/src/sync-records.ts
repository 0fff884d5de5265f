import {
  type AuditEvent,
  type Channel,
  cursorNumber,
  pageOf,
  type RepositoryRecord,
  type SnapshotRecord,
  type SyncRecords,
  type SyncRequest,
} from '@breakwater/application';
import { sql } from 'kysely';
import { RELEASE, releaseFrom, releaseOf, type ReleaseRow } from './application-parts.ts';
import type { Database, Queries } from './database.ts';
import { auditSql } from './record-transaction.ts';

type Notify = (queries: Queries, channel: Channel, payload: string) => Promise<void>;

export const syncRecords = (database: Database, notify: Notify): SyncRecords => ({
  ...repositoryParts(database),
  ...releaseParts(database),
  putBundle: async (digest, sealed) => {
    await database.rows(sql`insert into bundles values (${digest}, ${Buffer.from(sealed)}) on conflict do nothing`);
  },
  hasBundles: async (digests) => {
    const rows = await database.rows(
      sql<{ readonly digest: string }>`select digest from bundles where digest = any(${digests})`,
    );
    return new Set(rows.map(({ digest }) => digest));
  },
  bundle: async (digest) => {
    const row = await database.first(
      sql<{ readonly sealed: Buffer }>`select sealed from bundles where digest = ${digest}`,
    );
    return row?.sealed ?? null;
  },
  lease: async (name, worker, leaseMs) => {
    const row =
      await database.first(sql`insert into leases as l values (${name}, ${worker}, now_ms() + ${leaseMs}::bigint)
      on conflict (name) do update set worker = excluded.worker, expires_at = excluded.expires_at
      where l.worker = excluded.worker or l.expires_at <= now_ms() returning name`);
    return row !== null;
  },
  ask: (request) =>
    database.transaction(async (queries) => {
      await queries.rows(sql`insert into sync_requests (id, doc) values (${request.id}, ${JSON.stringify(request)})`);
      await notify(queries, 'sync', request.id);
    }),
  openRequests: async () => {
    const rows = await database.rows(
      sql<RequestRow>`select doc, answer from sync_requests where answer is null order by ordinal`,
    );
    return rows.map(requestFrom);
  },
  answer: (id, answer) =>
    database.transaction(async (queries) => {
      const answered = await queries.first(
        sql`update sync_requests set answer = ${JSON.stringify(answer)} where id = ${id} and answer is null returning id`,
      );
      if (answered !== null) await notify(queries, 'sync', id);
    }),
  request: async (id) => {
    const row = await database.first(sql<RequestRow>`select doc, answer from sync_requests where id = ${id}`);
    return row === null ? null : requestFrom(row);
  },
});

type RepositoryPart = Pick<
  SyncRecords,
  'repositories' | 'repository' | 'saveRepository' | 'snapshot' | 'snapshots' | 'saveSnapshot'
>;

const repositoryParts = (database: Database): RepositoryPart => ({
  repositories: async () =>
    docs(await database.rows(sql<{ readonly doc: RepositoryRecord }>`select doc from repositories order by name`)),
  repository: async (name) =>
    (await database.first(sql<{ readonly doc: RepositoryRecord }>`select doc from repositories where name = ${name}`))
      ?.doc ?? null,
  saveRepository: (record, events) =>
    database.transaction(async (queries) => {
      await queries.rows(sql`insert into repositories values (${record.name}, ${JSON.stringify(record)})
        on conflict (name) do update set doc = excluded.doc`);
      await addAll(queries, events);
    }),
  snapshot: async (repository) =>
    (
      await database.first(
        sql<{ readonly doc: SnapshotRecord }>`select doc from snapshots where repository = ${repository}`,
      )
    )?.doc ?? null,
  snapshots: async () =>
    docs(await database.rows(sql<{ readonly doc: SnapshotRecord }>`select doc from snapshots order by repository`)),
  saveSnapshot: (snapshot, events) =>
    database.transaction(async (queries) => {
      await queries.rows(sql`insert into snapshots values (${snapshot.repository}, ${JSON.stringify(snapshot)})
        on conflict (repository) do update set doc = excluded.doc`);
      await addAll(queries, events);
    }),
});

type ReleasePart = Pick<SyncRecords, 'saveRelease' | 'release' | 'releases' | 'newestRelease'>;

const releaseParts = (database: Database): ReleasePart => ({
  saveRelease: (release, events) =>
    database.transaction(async (queries) => {
      // What a rollout found out about a release is not forgotten because Git was read again; nor does it become the newest by that.
      const row = await queries.first(sql<ReleaseRow>`insert into releases as r (${RELEASE})
        values (${release.application}, ${release.commit}, ${release.digest}, ${JSON.stringify(release.bundles)},
          ${JSON.stringify(release.spec ?? null)}, ${release.state}, ${release.reason}, ${JSON.stringify(release.errors)},
          now_ms(), nextval('release_sequence'))
        on conflict (application, commit) do update set digest = excluded.digest, bundles = excluded.bundles, spec = excluded.spec,
          errors = excluded.errors,
          state = case when r.state = 'Bad' and r.digest = excluded.digest then r.state else excluded.state end,
          reason = case when r.state = 'Bad' and r.digest = excluded.digest then r.reason else excluded.reason end
        returning ${RELEASE}`);
      await addAll(queries, events);
      if (row === null) throw new Error('the release was not saved');
      return releaseFrom(row);
    }),
  release: (application, commit) => releaseOf(database, application, commit),
  releases: async ({ application, cursor, limit }) => {
    const rows = await database.rows(sql<ReleaseRow>`select ${RELEASE} from releases
      where true ${application === undefined ? sql`` : sql`and application = ${application}`}
        ${cursor == null ? sql`` : sql`and sequence < ${cursorNumber(cursor)}`} order by sequence desc limit ${limit + 1}`);
    return pageOf(rows, limit, releaseFrom, ({ sequence }) => String(sequence));
  },
  newestRelease: async (application) => {
    const row = await database.first(sql<ReleaseRow>`select ${RELEASE} from releases
      where application = ${application} and state <> 'Invalid' order by sequence desc limit 1`);
    return row === null ? null : releaseFrom(row);
  },
});

interface RequestRow {
  readonly doc: Omit<SyncRequest, 'answer'>;
  readonly answer: SyncRequest['answer'];
}

const requestFrom = ({ doc, answer }: RequestRow): SyncRequest => ({ ...doc, answer });

const docs = <T>(rows: readonly { readonly doc: T }[]): readonly T[] => rows.map(({ doc }) => doc);

const addAll = async (queries: Queries, events: readonly AuditEvent[]): Promise<void> => {
  if (events.length > 0) await queries.rows(auditSql(events));
};
