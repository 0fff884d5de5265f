import type { StartableQuery } from '@breakwater/application';
import { type RawBuilder, sql } from 'kysely';
import { TARGET, type TargetRow } from './rollout-rows.ts';

/**
 * Number of targets, of any rollouts, that are being written to or verified on the cluster. What a rollout left in flight at its end is worked
 * on by nobody, unless it is owed something.
 */
export const inFlightOn = (cluster: RawBuilder<unknown>): RawBuilder<unknown> => sql`(select count(*) from targets busy
  where busy.cluster = ${cluster} and busy.state in ('Applying', 'Verifying', 'RollingBack')
    and (busy.owes is not null or not (select r.terminal from rollouts r where r.id = busy.rollout)))`;

/** A value, not a join: a join reads all locks of the application for each target that is started. */
const holderOf = (
  rollout: StartableQuery['rollout'],
): RawBuilder<unknown> => sql`coalesce((select l.rollout from locks l
  where l.application = (select application from rollouts where id = ${rollout}) and l.cluster = t.cluster), t.rollout)`;

/** Pending, and its cluster not held by another rollout; of one that does not answer there is something to say all the same. */
const waiting = ({ rollout, wave, exceptRegions, maxOnCluster }: StartableQuery): RawBuilder<unknown> => sql`
  t.rollout = ${rollout} and t.wave = ${wave} and t.state = 'Pending' and t.region <> all(${exceptRegions})
  and ${maxOnCluster === null ? sql`true` : sql`${inFlightOn(sql`t.cluster`)} < ${maxOnCluster}`}
  and coalesce((t.doc ->> 'opensAt')::bigint, 0) <= now_ms() and (${holderOf(rollout)} = t.rollout
    or exists (select 1 from clusters c where c.name = t.cluster and c.state not in ('Ready', 'Unknown')))`;

/**
 * Steps from one failure domain to the next through the index, and into those that have a free slot: what waits in full ones is not read,
 * however much it is.
 */
export const startableSql = (query: StartableQuery, limit: number): RawBuilder<TargetRow> => {
  const { rollout, wave, maxInFlight } = query;
  if (maxInFlight === null) {
    return sql<TargetRow>`select ${TARGET} from targets t where ${waiting(query)} order by position limit ${limit}`;
  }
  const pending = sql`p.rollout = ${rollout} and p.wave = ${wave} and p.state = 'Pending'`;
  return sql<TargetRow>`with recursive domains (name) as (
      (select p.failure_domain from targets p where ${pending} order by p.failure_domain limit 1)
      union all
      select (select p.failure_domain from targets p where ${pending} and p.failure_domain > domains.name order by p.failure_domain limit 1)
      from domains where domains.name is not null),
    rooms as materialized (
      select name, ${maxInFlight}::bigint - (select count(*) from domain_slots s where s.domain = name) as slots
      from domains where name is not null)
    select free.doc, free.due_at from rooms cross join lateral (
      select t.doc, t.due_at, t.position from targets t where ${waiting(query)} and t.failure_domain = rooms.name
      order by t.position limit greatest(0, least(rooms.slots, ${limit}::bigint))) as free
    where rooms.slots > 0 order by free.position limit ${limit}`;
};
