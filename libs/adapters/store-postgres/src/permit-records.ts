import { EMERGENCY, type PermitRecords } from '@breakwater/application';
import type { Instant, RolloutId } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Database } from './database.ts';

/**
 * Granting and renewing hold a share of the rollout's row: they come wholly before a pause (which then finds the permit outstanding), or
 * wholly after it (and see its gate). Without that, a permit could be written down from a gate that was read before the pause, and committed
 * after the pause had looked for permits and found none.
 */
export const permitRecords = (database: Database): PermitRecords => ({
  acquire: async (request, lifeMs) => {
    const { permit, rollout, cluster, worker, claim, direction } = request;
    const row = await database.first(sql<{ readonly generation: number }>`
      insert into permits as p (permit, rollout, cluster, worker, claim, direction, generation, expires_at)
      select ${permit}, r.id, c.cluster, ${worker}, c.token, ${direction}, r.gate_generation, now_ms() + ${lifeMs}::bigint
      from rollouts r join claims c on c.rollout = r.id
      where r.id = ${rollout} and c.cluster = ${cluster} and c.token = ${claim} and c.expires_at > now_ms()
        and case ${direction} when 'forward' then r.gate_forward when 'backward' then r.gate_backward
          else r.terminal and ${NOT_STOPPED} and exists (
            select 1 from targets t where t.rollout = r.id and t.cluster = c.cluster and t.owes is not null) end
      for share of r, c
      on conflict (permit) do update set expires_at = excluded.expires_at
        where (p.rollout, p.cluster, p.worker, p.claim, p.direction, p.generation, p.unanswered) =
          (excluded.rollout, excluded.cluster, excluded.worker, excluded.claim, excluded.direction, excluded.generation, false)
      returning p.generation`);
    if (row !== null) return { generation: row.generation };
    // It may stand from a first try whose answer was lost: nobody will ever write under it.
    await database.rows(sql`delete from permits where permit = ${permit} and rollout = ${rollout} and cluster = ${cluster}
      and worker = ${worker} and claim = ${claim} and not unanswered`);
    return null;
  },
  renew: async (worker, lifeMs) => {
    const rows = await database.rows(sql<{ readonly permit: string }>`with gates as materialized (
        select id, gate_generation, gate_forward, gate_backward, terminal from rollouts
        where id in (select rollout from permits where worker = ${worker} and not unanswered)
        order by id for share)
      update permits p set expires_at = now_ms() + ${lifeMs}::bigint
      from gates r, claims c
      where p.worker = ${worker} and not p.unanswered and p.expires_at > now_ms()
        and r.id = p.rollout and r.gate_generation = p.generation
        and c.rollout = p.rollout and c.cluster = p.cluster and c.token = p.claim and c.expires_at > now_ms()
        and case p.direction when 'forward' then r.gate_forward when 'backward' then r.gate_backward
          else r.terminal and ${NOT_STOPPED} and exists (
            select 1 from targets t where t.rollout = p.rollout and t.cluster = p.cluster and t.owes is not null) end
      returning p.permit`);
    return rows.map(({ permit }) => permit);
  },
  release: async (permit, unanswered) => {
    // What nobody answered is kept and named: the request may still land when a hung API server wakes up.
    if (unanswered) await database.rows(sql`update permits set unanswered = true where permit = ${permit}`);
    else await database.rows(sql`delete from permits where permit = ${permit}`);
  },
  outstanding: async (rollout, generation) => {
    const rows = await database.rows(sql<{ readonly cluster: string; readonly expires_at: Instant }>`
      select cluster, expires_at from permits
      where rollout = ${rollout} and generation < ${generation} and not unanswered and expires_at > now_ms() order by cluster`);
    return rows.map(({ cluster, expires_at }) => ({ cluster, expiresAt: expires_at }));
  },
  unsettled: async (rollout, generation) => {
    const rows = await database.rows(sql<{ readonly cluster: string }>`select distinct cluster from permits
      where rollout = ${rollout} and generation < ${generation} and (unanswered or expires_at <= now_ms()) order by cluster`);
    return rows.map(({ cluster }) => cluster);
  },
  outstandingEverywhere: () =>
    database.rows(sql<{ readonly rollout: RolloutId; readonly cluster: string }>`select p.rollout, p.cluster
      from permits p join rollouts r on r.id = p.rollout
      where (p.generation < r.gate_generation or p.direction = 'owed') and not p.unanswered and p.expires_at > now_ms()
      order by p.rollout, p.cluster`),
  unsettledDebts: () =>
    database.rows(sql<{ readonly rollout: RolloutId; readonly cluster: string }>`select distinct p.rollout, p.cluster
      from permits p join targets t on t.rollout = p.rollout and t.cluster = p.cluster
      where p.direction = 'owed' and t.owes is not null and (p.unanswered or p.expires_at <= now_ms())
      order by p.rollout, p.cluster`),
});

/** The row's share is held for the same reason as the rollout's: stopping everything comes wholly before the permit, or wholly after it. */
const NOT_STOPPED = sql`exists (select 1 from settings where key = ${EMERGENCY} and value::text = 'null' for share)`;
