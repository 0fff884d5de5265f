import {
  hasBegun,
  TERMINAL_STATES,
  type Instant,
  type Rollout,
  type RolloutPlan,
  type Target,
} from '@breakwater/domain';
import { type RawBuilder, sql } from 'kysely';

export interface RolloutRow {
  readonly plan: RolloutPlan;
  readonly doc: Omit<Rollout, 'plan'>;
}

/** The plan is immutable and apart: saving a rollout does not write it again. */
export const rolloutFrom = ({ plan, doc }: RolloutRow): Rollout => ({ ...doc, plan });

export const ROLLOUT = sql.raw('plan, doc');

export const insertRolloutSql = (rollout: Rollout, dueAt: Instant | null): RawBuilder<unknown> => {
  const { plan, ...doc } = rollout;
  const { generation, forward, backward } = rollout.gate;
  return sql`insert into rollouts (id, application, sequence, state, terminal, started, gate_generation, gate_forward, gate_backward, due_at, plan, doc)
    values (${rollout.id}, ${rollout.application}, ${rollout.sequence}, ${rollout.state}, ${TERMINAL_STATES.has(rollout.state)}, ${hasBegun(rollout)},
      ${generation}, ${forward}, ${backward}, ${dueAt}, ${JSON.stringify(plan)}, ${JSON.stringify(doc)})`;
};

/** Answers with the gate as it was before; the caller holds the row. */
export const saveRolloutSql = (
  rollout: Rollout,
  dueAt: Instant | null,
): RawBuilder<{ readonly gate_changed: boolean }> => {
  const { plan: _plan, ...doc } = rollout;
  const { generation, forward, backward } = rollout.gate;
  return sql`with before as materialized (
      select id, gate_generation, gate_forward, gate_backward from rollouts where id = ${rollout.id} for update)
    update rollouts r set state = ${rollout.state}, terminal = ${TERMINAL_STATES.has(rollout.state)}, started = ${hasBegun(rollout)}, gate_generation = ${generation},
      gate_forward = ${forward}, gate_backward = ${backward}, due_at = ${dueAt}, doc = ${JSON.stringify(doc)}
    from before where r.id = before.id
    returning (before.gate_generation, before.gate_forward, before.gate_backward) is distinct from
      (r.gate_generation, r.gate_forward, r.gate_backward) as gate_changed`;
};

export interface TargetRow {
  readonly doc: Target;
  readonly due_at: Instant | null;
}

/** `due_at` is also changed for many targets in one statement: the column is the truth. */
export const targetFrom = ({ doc, due_at }: TargetRow): Target => ({ ...doc, dueAt: due_at });

export const TARGET = sql.raw('doc, due_at');

/** The server reads fields of it, and refuses NUL and lone surrogates where it reads. */
const searchableJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, '\\ufffd');

/** Targets in one statement, however many: one document with all of them, taken apart by the server. */
export const insertTargetsSql = (targets: readonly Target[]): RawBuilder<unknown> =>
  sql`insert into targets (rollout, cluster, region, failure_domain, wave, position, state, touched, degraded, owes, cut_off, due_at, revision, doc)
    select t.doc ->> 'rollout', t.doc ->> 'cluster', t.doc ->> 'region', t.doc ->> 'failureDomain', (t.doc ->> 'wave')::integer,
      (t.doc ->> 'position')::integer, t.doc ->> 'state', (t.doc ->> 'touched')::boolean, (t.doc ->> 'degraded')::boolean, t.doc ->> 'owes', t.doc ->> 'unreachableSince' is not null,
      (t.doc ->> 'dueAt')::bigint, t.doc -> 'revision', t.doc
    from unnest(${targets.map(searchableJson)}::json[]) as t(doc)`;

export const saveTargetSql = (target: Target): RawBuilder<{ readonly cluster: string }> =>
  sql`update targets set state = ${target.state}, touched = ${target.touched}, degraded = ${target.degraded}, owes = ${target.owes},
      cut_off = ${target.unreachableSince !== null}, due_at = ${target.dueAt}, revision = ${JSON.stringify(target.revision)},
      doc = ${JSON.stringify(target)}
    where rollout = ${target.rollout} and cluster = ${target.cluster} returning cluster`;
