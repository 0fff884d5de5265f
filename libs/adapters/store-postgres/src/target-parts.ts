import type { Quarantine, RecordTransaction, ReturnFilter } from '@breakwater/application';
import type { RolloutId, Target, TargetState } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Queries } from './database.ts';
import { nowOf } from './now.ts';
import { insertTargetsSql, saveTargetSql, TARGET, targetFrom, type TargetRow } from './rollout-rows.ts';
import { startableSql } from './startable-targets.ts';

const ALL = 1_000_000;

type TargetPart = Pick<
  RecordTransaction,
  | 'insertTargets'
  | 'target'
  | 'saveTarget'
  | 'startableTargets'
  | 'reopenTargets'
  | 'targetsToReturn'
  | 'targetsInState'
  | 'quarantines'
  | 'clusterIsReachable'
  | 'dueTargets'
  | 'leaveTargets'
  | 'owingTargets'
>;

export const targetParts = (queries: Queries): TargetPart => ({
  insertTargets: async (targets) => {
    if (targets.length > 0) await queries.rows(insertTargetsSql(targets));
  },
  target: (rollout, cluster) => targetOf(queries, rollout, cluster),
  saveTarget: async (target: Target) => {
    const saved = await queries.first(saveTargetSql(target));
    if (saved === null) throw new Error(`target ${target.cluster} of rollout ${target.rollout} does not exist`);
  },
  startableTargets: async (query, limit) => {
    const rows = await queries.rows(startableSql(query, limit));
    return rows.map(targetFrom);
  },
  reopenTargets: async (rollout) => {
    const rows = await queries.rows(sql<TargetRow>`select ${TARGET} from targets
      where rollout = ${rollout} and doc ->> 'opensAt' is not null order by wave, position`);
    for (const row of rows) {
      const target = targetFrom(row);
      const dueAt = target.dueAt === null ? null : await nowOf(queries);
      await queries.rows(saveTargetSql({ ...target, opensAt: null, dueAt }));
    }
  },
  targetsToReturn: async (rollout, filter, limit) => {
    const rows = await queries.rows(sql<TargetRow>`select ${TARGET} from targets
      where rollout = ${rollout} and touched and state not in ('RollingBack', 'RolledBack', 'RollbackFailed') ${narrowed(filter)}
      order by wave, position limit ${limit}`);
    return rows.map(targetFrom);
  },
  targetsInState: async (rollout, states: readonly TargetState[], limit) => {
    const rows = await rowsInState(queries, rollout, states, limit);
    return rows.map(targetFrom);
  },
  quarantines: async () => {
    const rows = await queries.rows(
      sql<{ readonly name: string; readonly quarantine: Quarantine }>`
        select name, quarantine from clusters where quarantine is not null`,
    );
    return new Map(rows.map(({ name, quarantine }) => [name, quarantine]));
  },
  clusterIsReachable: async (cluster) => {
    const row = await queries.first(
      sql<{ readonly state: string }>`select state from clusters where name = ${cluster}`,
    );
    return row === null || row.state === 'Ready' || row.state === 'Unknown';
  },
  owingTargets: async (rollout) => {
    const rows = await queries.rows(sql<TargetRow>`select ${TARGET} from targets
      where rollout = ${rollout} and owes is not null order by wave, position`);
    return rows.map(targetFrom);
  },
  leaveTargets: async (rollout, reason, message) => {
    // As many as were in flight: a strategy's concurrency bounds them, not the fleet's size.
    const rows = await rowsInState(queries, rollout, ['Applying', 'Verifying', 'RollingBack'], ALL);
    for (const row of rows) await queries.rows(saveTargetSql({ ...targetFrom(row), reason, message, dueAt: null }));
  },
  dueTargets: async (rollout, states, dueAt) => {
    const rows = await queries.rows(sql<{ readonly cluster: string }>`
      update targets set due_at = ${dueAt} where rollout = ${rollout} and state = any(${states})
      ${dueAt === null ? sql`` : sql`and (state <> 'Skipped' or owes is not null)`} returning cluster`);
    return rows.map(({ cluster }) => cluster);
  },
});

const rowsInState = (queries: Queries, rollout: RolloutId, states: readonly TargetState[], limit: number) =>
  queries.rows(sql<TargetRow>`select ${TARGET} from targets
    where rollout = ${rollout} and state = any(${states}) order by wave, position limit ${limit}`);

const narrowed = (filter: ReturnFilter) => sql`
  ${filter.wave === null ? sql`` : sql`and wave = ${filter.wave}`}
  ${filter.only === 'failed' ? sql`and state = 'Failed'` : sql``}
  ${filter.region === undefined ? sql`` : sql`and region = ${filter.region}`}
  ${filter.exceptDomains === undefined ? sql`` : sql`and failure_domain <> all(${filter.exceptDomains})`}
  ${filter.clusters === null ? sql`` : sql`and cluster = any(${filter.clusters})`}`;

export const targetOf = async (queries: Queries, rollout: RolloutId, cluster: string): Promise<Target | null> => {
  const row = await queries.first(
    sql<TargetRow>`select ${TARGET} from targets where rollout = ${rollout} and cluster = ${cluster}`,
  );
  return row === null ? null : targetFrom(row);
};
