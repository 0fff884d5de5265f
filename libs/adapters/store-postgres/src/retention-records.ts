import type { RetentionRecords } from '@breakwater/application';
import { sql } from 'kysely';
import { Database, type Queries } from './database.ts';

export interface RetentionOptions {
  readonly url: string;
  /** Default `breakwater`; must be up to date, see createPostgresRecord. */
  readonly schema?: string;
  readonly onError?: (error: unknown) => void;
}

/** So many rollouts of each application may still be rolled back by request, whatever became of them. */
const ROLLOUTS_KEPT = 10;
const MARKS = 'retention/unreferenced-bundles';
const STATEMENT_TIMEOUT_MS = 60_000;

/** Whatever the documents look like: every digest and commit that is written in one of them counts as a reference. */
const KEPT_TEXTS = sql`
  kept_rollouts as (
    select id from (
      select id, terminal, row_number() over (partition by application order by sequence desc) as age from rollouts
    ) as aged
    where not terminal or age <= ${ROLLOUTS_KEPT}
    union select owed_rollout from application_on_cluster where owed_rollout is not null
    union select rollout from locks
  ),
  kept_texts as (
    select concat_ws(' ', running::text, last_good::text, owed_revision::text) as text from application_on_cluster
    union all select revision::text from proven
    union all select concat_ws(' ', revision::text, doc::text) from targets where rollout in (select id from kept_rollouts)
    union all select concat_ws(' ', plan::text, doc::text) from rollouts where id in (select id from kept_rollouts)
    union all select doc::text from snapshots
  )`;

const DIGEST = 'sha256:[0-9a-f]{64}';
const COMMIT = '\\m[0-9a-f]{40}\\M';

export const createPostgresRetention = (options: RetentionOptions): RetentionRecords => {
  const database = new Database({
    url: options.url,
    schema: options.schema ?? 'breakwater',
    poolSize: 1,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onError: options.onError ?? (() => undefined),
  });
  return {
    collect: (keep, graceMs) =>
      database.transaction(async (queries) => {
        // Nobody saves a release meanwhile: one that is saved later looks whether its bundles are still there.
        await queries.rows(sql`lock table releases in share row exclusive mode`);
        const { releases, commits } = await forgetReleases(queries, keep, graceMs);
        return { releases, commits, bundles: await dropBundles(queries, graceMs) };
      }),
    close: () => database.close(),
  };
};

const forgetReleases = async (
  queries: Queries,
  keep: number,
  graceMs: number,
): Promise<{ readonly releases: number; readonly commits: readonly string[] }> => {
  const forgotten = await queries.rows(sql<{ readonly commit: string }>`with ${KEPT_TEXTS},
    kept_commits as (select distinct found[1] as commit from kept_texts, regexp_matches(text, ${COMMIT}, 'g') as found),
    aged as (
      select application, commit, row_number() over (partition by application, state = 'Invalid' order by sequence desc) as age
      from releases
    )
    delete from releases r using aged a
    where r.application = a.application and r.commit = a.commit and a.age > ${keep}::int and r.state <> 'Bad'
      and r.created_at <= now_ms() - ${graceMs}::bigint and r.commit not in (select commit from kept_commits)
    returning r.commit`);
  const candidates = [...new Set(forgotten.map(({ commit }) => commit))];
  const named = await queries.rows(
    sql<{ readonly commit: string }>`select distinct commit from releases where commit = any(${candidates})`,
  );
  const still = new Set(named.map(({ commit }) => commit));
  return { releases: forgotten.length, commits: candidates.filter((commit) => !still.has(commit)) };
};

const dropBundles = async (queries: Queries, graceMs: number): Promise<number> => {
  const unreferenced = await queries.rows(sql<{ readonly digest: string; readonly now: string }>`with ${KEPT_TEXTS},
    every_text as (select text from kept_texts union all select bundles::text from releases)
    select digest, now_ms() as now from bundles where digest not in (
      select found[1] from every_text, regexp_matches(text, ${DIGEST}, 'g') as found)`);
  const stored = await queries.first(
    sql<{ readonly value: Readonly<Record<string, number>> }>`select value from settings where key = ${MARKS}`,
  );
  const since = (digest: string, now: number): number => stored?.value[digest] ?? now;
  const marks = unreferenced.map(({ digest, now }) => ({ digest, now: Number(now), at: since(digest, Number(now)) }));
  const gone = marks.filter(({ digest, now, at }) => stored?.value[digest] !== undefined && now - at >= graceMs);
  const left = Object.fromEntries(marks.filter((mark) => !gone.includes(mark)).map(({ digest, at }) => [digest, at]));
  await queries.rows(sql`delete from bundles where digest = any(${gone.map(({ digest }) => digest)})`);
  await queries.rows(sql`insert into settings values (${MARKS}, ${JSON.stringify(left)})
    on conflict (key) do update set value = excluded.value`);
  return gone.length;
};
