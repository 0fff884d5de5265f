import type { AuditEvent, Channel, RecordTransaction } from '@breakwater/application';
import type { Instant, Rollout, RolloutId, RolloutState } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Cipher } from '@breakwater/platform';
import type { Queries } from './database.ts';
import { applicationParts } from './application-parts.ts';
import { nowOf } from './now.ts';
import type { FleetModels } from './fleet-models.ts';
import { lockParts } from './lock-parts.ts';
import { targetParts } from './target-parts.ts';
import { insertRolloutSql, ROLLOUT, rolloutFrom, type RolloutRow, saveRolloutSql } from './rollout-rows.ts';

/** Longer ones do not fit a notification; a hint may be lost. */
const LONGEST_PAYLOAD = 7_000;

export interface TransactionContext {
  readonly queries: Queries;
  readonly cipher: Cipher;
  readonly channelName: (channel: Channel) => string;
  readonly fleetModels: FleetModels;
}

/** The port's transaction, and what is to be done right before the commit. */
export const recordTransaction = (
  context: TransactionContext,
): { readonly tx: RecordTransaction; readonly beforeCommit: () => Promise<void> } => {
  const { queries } = context;
  const due = new Map<RolloutId, Instant>();
  const notify = (channel: Channel, payload: string): Promise<unknown> =>
    payload.length > LONGEST_PAYLOAD
      ? Promise.resolve()
      : queries.rows(sql`select pg_notify(${context.channelName(channel)}, ${payload})`);
  const tx: RecordTransaction = {
    ...rolloutParts(queries, notify),
    ...targetParts(queries),
    ...lockParts(queries),
    ...applicationParts(queries, context.cipher),
    now: () => nowOf(queries),
    fleetModels: () => context.fleetModels.read(queries),
    notify: async (channel, payload) => {
      await notify(channel, payload);
    },
    dueRollout: async (id, dueAt) => {
      due.set(id, Math.min(dueAt, due.get(id) ?? dueAt));
    },
    audit: async (event: AuditEvent) => {
      await queries.rows(auditSql([event]));
    },
  };
  // Another rollout's row is held as shortly as possible, and always in one order: no dead ends between rollouts that wake each other.
  const beforeCommit = async (): Promise<void> => {
    for (const [id, at] of [...due].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await queries.rows(sql`update rollouts set due_at = least(coalesce(due_at, ${at}), ${at}) where id = ${id}`);
    }
  };
  return { tx, beforeCommit };
};

export const auditSql = (events: readonly AuditEvent[]) =>
  sql`insert into audit_pending (event) select e from unnest(${events.map((event) => JSON.stringify(event))}::json[]) as e`;

type RolloutPart = Pick<
  RecordTransaction,
  | 'lockRollout'
  | 'lockApplication'
  | 'insertRollout'
  | 'saveRollout'
  | 'nextSequence'
  | 'unfinishedRollouts'
  | 'newestStarted'
>;

const rolloutParts = (
  queries: Queries,
  notify: (channel: Channel, payload: string) => Promise<unknown>,
): RolloutPart => ({
  lockRollout: async (id) => {
    const row = await queries.first(sql<RolloutRow>`select ${ROLLOUT} from rollouts where id = ${id} for update`);
    return row === null ? null : rolloutFrom(row);
  },
  lockApplication: async (application) => {
    await queries.rows(
      sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '/application/' || ${application}, 0))`,
    );
  },
  insertRollout: async (rollout: Rollout, dueAt) => {
    await queries.rows(insertRolloutSql(rollout, dueAt));
  },
  saveRollout: async (rollout, dueAt) => {
    const saved = await queries.first(saveRolloutSql(rollout, dueAt));
    if (saved === null) throw new Error(`rollout ${rollout.id} does not exist`);
    if (saved.gate_changed) await notify('gate', rollout.id);
  },
  nextSequence: async (application) => {
    const row = await queries.first(sql<{ readonly value: number }>`insert into sequences values (${application}, 1)
      on conflict (application) do update set value = sequences.value + 1 returning value`);
    if (row === null) throw new Error('no sequence');
    return row.value;
  },
  newestStarted: async (application) => {
    const row = await queries.first(sql<{ readonly id: RolloutId }>`select id from rollouts
      where application = ${application} and started order by sequence desc limit 1`);
    return row?.id ?? null;
  },
  unfinishedRollouts: (application) =>
    queries.rows(sql<{ readonly id: RolloutId; readonly state: RolloutState }>`select id, state from rollouts
      where application = ${application} and not terminal order by sequence`),
});
