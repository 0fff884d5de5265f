import type { RecordTransaction, ReleaseRecord } from '@breakwater/application';
import type { Cipher } from '@breakwater/platform';
import type { Revision } from '@breakwater/domain';
import { type RawBuilder, sql } from 'kysely';
import type { Queries } from './database.ts';
import { targetFrom, type TargetRow } from './rollout-rows.ts';

type ApplicationPart = Pick<
  RecordTransaction,
  | 'nextEpoch'
  | 'lastGood'
  | 'setLastGood'
  | 'promoteLastGood'
  | 'setProven'
  | 'setRunning'
  | 'setInventoryExpected'
  | 'followDebt'
  | 'setReleaseState'
  | 'release'
  | 'setBaseline'
  | 'addBeforeImages'
  | 'usedBefore'
  | 'idempotent'
>;

export const applicationParts = (queries: Queries, cipher: Cipher): ApplicationPart => ({
  nextEpoch: async (application, cluster, atLeast) => {
    const row = await queries.first(sql<{
      readonly epoch: number;
    }>`insert into application_on_cluster as a (application, cluster, epoch)
      values (${application}, ${cluster}, ${atLeast}::bigint + 1)
      on conflict (application, cluster) do update set epoch = greatest(a.epoch + 1, excluded.epoch) returning epoch`);
    if (row === null) throw new Error('no epoch');
    return row.epoch;
  },
  lastGood: async (application, cluster) => {
    const row = await queries.first(sql<{
      readonly last_good: Revision | null;
    }>`select last_good from application_on_cluster
      where application = ${application} and cluster = ${cluster}`);
    return row?.last_good ?? null;
  },
  setLastGood: async (application, cluster, revision) => {
    await queries.rows(setColumn(application, cluster, 'last_good', json(revision)));
  },
  promoteLastGood: async (rollout) => {
    const row = await queries.first(sql<{ readonly promoted: number }>`with good as (
        insert into application_on_cluster (application, cluster, last_good)
        select r.application, t.cluster, t.revision from targets t join rollouts r on r.id = t.rollout
        where t.rollout = ${rollout} and t.state = 'Succeeded' and not t.degraded order by t.cluster
        on conflict (application, cluster) do update set last_good = excluded.last_good returning 1)
      select count(*) as promoted from good`);
    return row?.promoted ?? 0;
  },
  setProven: async (application, revision) => {
    await queries.rows(sql`insert into proven values (${application}, ${JSON.stringify(revision)})
      on conflict (application) do update set revision = excluded.revision`);
  },
  setRunning: async (application, cluster, revision) => {
    await queries.rows(setColumn(application, cluster, 'running', json(revision)));
  },
  setInventoryExpected: async (application, cluster, expected) => {
    await queries.rows(setColumn(application, cluster, 'inventory_expected', expected));
  },
  followDebt: async (application, cluster) => {
    // Held before the targets are read: of two rollouts that settle and owe at the same time, the second sees what the first has done.
    await queries.rows(sql`insert into application_on_cluster (application, cluster) values (${application}, ${cluster})
      on conflict (application, cluster) do update set application = excluded.application`);
    const newest =
      await queries.first(sql<TargetRow>`select t.doc, t.due_at from targets t join rollouts r on r.id = t.rollout
      where t.cluster = ${cluster} and t.owes is not null and r.application = ${application} order by r.sequence desc limit 1`);
    const debtor = newest === null ? null : targetFrom(newest);
    const revision = debtor?.owes === 'back' ? debtor.previous : (debtor?.revision ?? null);
    await queries.rows(sql`update application_on_cluster set owed_revision = ${json(revision)}, owed_rollout = ${debtor?.rollout ?? null}
      where application = ${application} and cluster = ${cluster}`);
  },
  setReleaseState: async (application, commit, state, reason) => {
    await queries.rows(
      sql`update releases set state = ${state}, reason = ${reason} where application = ${application} and commit = ${commit}`,
    );
  },
  release: (application, commit) => releaseOf(queries, application, commit),
  setBaseline: async (rollout, cluster, baseline) => {
    // Captured once, before the first write: a second look would see our own.
    await queries.rows(
      sql`insert into baselines values (${rollout}, ${cluster}, ${JSON.stringify(baseline)}) on conflict do nothing`,
    );
  },
  addBeforeImages: async (rollout, cluster, images) => {
    for (const image of images) {
      const sealed = Buffer.from(cipher.seal(Buffer.from(JSON.stringify(image), 'utf8')));
      await queries.rows(sql`insert into before_images (rollout, cluster, key, sealed)
        values (${rollout}, ${cluster}, ${image.key}, ${sealed}) on conflict do nothing`);
    }
  },
  usedBefore: (key, actor, bodyDigest) => usedBefore(queries, key, actor, bodyDigest),
  idempotent: async (key, actor, bodyDigest, result) => {
    const fresh = await queries.first(sql`insert into idempotency_keys (actor, key, body_digest, result)
      values (${actor}, ${key}, ${bodyDigest}, ${result}) on conflict do nothing returning key`);
    if (fresh !== null) return { fresh: true, result };
    const used = await usedBefore(queries, key, actor, bodyDigest);
    return used === null || used === 'reused' ? 'reused' : { fresh: false, result: used.result };
  },
});

const usedBefore = async (
  queries: Queries,
  key: string,
  actor: string,
  bodyDigest: string,
): Promise<{ readonly result: string } | 'reused' | null> => {
  const stored = await queries.first(sql<{ readonly body_digest: string; readonly result: string }>`
    select body_digest, result from idempotency_keys where actor = ${actor} and key = ${key}`);
  if (stored === null) return null;
  return stored.body_digest === bodyDigest ? { result: stored.result } : 'reused';
};

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

const setColumn = (
  application: string,
  cluster: string,
  column: 'last_good' | 'running' | 'inventory_expected',
  value: string | boolean | null,
): RawBuilder<unknown> => {
  const name = sql.ref(column);
  return sql`insert into application_on_cluster (application, cluster, ${name}) values (${application}, ${cluster}, ${value})
    on conflict (application, cluster) do update set ${name} = excluded.${name}`;
};

export interface ReleaseRow {
  readonly application: string;
  readonly commit: string;
  readonly digest: string;
  readonly bundles: Readonly<Record<string, string>>;
  readonly spec: unknown;
  readonly state: ReleaseRecord['state'];
  readonly reason: string;
  readonly errors: readonly unknown[];
  readonly created_at: number;
  readonly sequence: number;
}

export const RELEASE = sql.raw(
  'application, commit, digest, bundles, spec, state, reason, errors, created_at, sequence',
);

export const releaseFrom = ({ created_at, ...row }: ReleaseRow): ReleaseRecord => ({ ...row, createdAt: created_at });

export const releaseOf = async (
  queries: Queries,
  application: string,
  commit: string,
): Promise<ReleaseRecord | null> => {
  const row = await queries.first(
    sql<ReleaseRow>`select ${RELEASE} from releases where application = ${application} and commit = ${commit}`,
  );
  return row === null ? null : releaseFrom(row);
};
