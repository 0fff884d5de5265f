import { cursorNumber, cursorPair, pageOf } from '@breakwater/application';
import type { Baseline, BeforeImage, DomainSlot, RolloutQueries } from '@breakwater/application';
import type { Instant, Rollout, RolloutId } from '@breakwater/domain';
import type { Cipher } from '@breakwater/platform';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { ROLLOUT, rolloutFrom, type RolloutRow, TARGET, targetFrom, type TargetRow } from './rollout-rows.ts';
import { targetOf } from './target-parts.ts';

export const rolloutQueries = (
  database: Database,
  cipher: Cipher,
  notifyDue: (keys: readonly string[]) => Promise<void>,
): RolloutQueries => ({
  get: async (id) => one(await database.first(sql<RolloutRow>`select ${ROLLOUT} from rollouts where id = ${id}`)),
  newestOf: async (application) =>
    one(
      await database.first(
        sql<RolloutRow>`select ${ROLLOUT} from rollouts where application = ${application} order by sequence desc limit 1`,
      ),
    ),
  list: async ({ application, unfinished, cursor, limit }) => {
    const rows = await database.rows(sql<
      RolloutRow & { readonly ordinal: number }
    >`select ordinal, ${ROLLOUT} from rollouts
      where true ${cursor == null ? sql`` : sql`and ordinal < ${cursorNumber(cursor)}`}
        ${application === undefined ? sql`` : sql`and application = ${application}`}
        ${unfinished === true ? sql`and not terminal` : sql``}
      order by ordinal desc limit ${limit + 1}`);
    return pageOf(rows, limit, rolloutFrom, ({ ordinal }) => String(ordinal));
  },
  targets: async (id, { states, wave, cursor, limit }) => {
    const [afterWave, afterPosition] = cursor == null ? [-1, -1] : cursorPair(cursor);
    const rows = await database.rows(sql<TargetRow & { readonly wave: number; readonly position: number }>`
      select wave, position, ${TARGET} from targets
      where rollout = ${id} and (wave, position) > (${afterWave}::integer, ${afterPosition}::integer)
        ${states === undefined ? sql`` : sql`and state = any(${states})`}
        ${wave === undefined ? sql`` : sql`and wave = ${wave}`}
      order by wave, position limit ${limit + 1}`);
    return pageOf(rows, limit, targetFrom, (row) => `${row.wave}.${row.position}`);
  },
  target: (id, cluster) => targetOf(database, id, cluster),
  baseline: async (id, cluster) => {
    const row = await database.first(sql<{ readonly baseline: Baseline }>`
      select baseline from baselines where rollout = ${id} and cluster = ${cluster}`);
    return row?.baseline ?? {};
  },
  beforeImages: async (id, cluster) => {
    const rows = await database.rows(sql<{ readonly sealed: Buffer }>`
      select sealed from before_images where rollout = ${id} and cluster = ${cluster} order by ordinal`);
    return rows.map(({ sealed }) => JSON.parse(Buffer.from(cipher.open(sealed)).toString('utf8')) as BeforeImage);
  },
  claimDueRollouts: async (limit, leaseMs) => {
    const rows = await database.rows(sql<{ readonly id: RolloutId }>`with due as materialized (
        select id, due_at from rollouts where due_at <= (select now_ms()) order by due_at limit ${limit} for update skip locked),
      claimed as (
        update rollouts r set due_at = now_ms() + ${leaseMs}::bigint from due where r.id = due.id returning r.id)
      select due.id from due join claimed on claimed.id = due.id order by due.due_at`);
    return rows.map(({ id }) => id);
  },
  slotsIn: (domains) =>
    database.rows(
      sql<DomainSlot>`select domain, rollout, cluster from domain_slots where domain = any(${domains}) order by domain, cluster`,
    ),
  dueTargets: (limit) =>
    database.rows(sql<{
      readonly rollout: RolloutId;
      readonly cluster: string;
    }>`select rollout, cluster from (
        (select t.rollout, t.cluster, t.due_at from targets t
          where t.due_at <= (select now_ms()) and not exists (
            select 1 from claims c where c.rollout = t.rollout and c.cluster = t.cluster and c.expires_at > now_ms())
          order by t.due_at limit ${limit})
        union all
        (select t.rollout, t.cluster, t.due_at from claims c join targets t on t.rollout = c.rollout and t.cluster = c.cluster
          where c.expires_at <= (select now_ms()) and t.due_at > (select now_ms())
          order by t.due_at limit ${limit})) as found
      order by due_at limit ${limit}`),
  wakeCluster: async (cluster) => {
    const woken = await database.rows(sql<{ readonly rollout: string }>`update targets
      set due_at = least(coalesce(due_at, now_ms()), now_ms())
      where cluster = ${cluster} and (state <> 'Skipped' or owes is not null) and (owes is not null or cut_off
        or state in ('Prefetching', 'Applying', 'Verifying', 'Unreachable', 'RollingBack'))
      returning rollout`);
    await notifyDue(woken.map(({ rollout }) => `target/${rollout}/${cluster}`));
  },
  nextDue: async () => {
    const row = await database.first(sql<{ readonly next: Instant | null }>`select least(
      (select min(due_at) from rollouts),
      (select min(greatest(soon.due_at, soon.claimed)) from (
        select t.due_at, coalesce((select c.expires_at from claims c where c.rollout = t.rollout and c.cluster = t.cluster), 0) as claimed
        from targets t where t.due_at is not null order by t.due_at limit ${SOON}) as soon)) as next`);
    return row?.next ?? null;
  },
});

/** More than all workers together hold claims on: behind these, the first free target cannot be missed for long. */
const SOON = 2_000;

const one = (row: RolloutRow | null): Rollout | null => (row === null ? null : rolloutFrom(row));
