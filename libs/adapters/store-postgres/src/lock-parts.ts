import type { RecordTransaction } from '@breakwater/application';
import type { RolloutId } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Queries } from './database.ts';
import { inFlightOn } from './startable-targets.ts';

type LockPart = Pick<
  RecordTransaction,
  | 'acquireLock'
  | 'acquireLocks'
  | 'releaseLock'
  | 'releaseLocks'
  | 'hasRoomOn'
  | 'takeDomainSlot'
  | 'freeDomainSlot'
  | 'freeDomainSlots'
>;

/** A slot or lock that was taken and given back between two statements is tried for again; this often. */
const ROUNDS = 20;

export const lockParts = (queries: Queries): LockPart => ({
  acquireLock: async (application, cluster, rollout) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await queries.rows(sql`insert into locks values (${application}, ${cluster}, ${rollout}) on conflict do nothing`);
      const holder = await queries.first(
        sql<{
          readonly rollout: RolloutId;
        }>`select rollout from locks where application = ${application} and cluster = ${cluster}`,
      );
      if (holder !== null) return holder.rollout;
    }
    throw new Error('the lock changed hands too often');
  },
  acquireLocks: async (application, rollout) => {
    await queries.rows(sql`insert into locks select ${application}, cluster, ${rollout} from targets
      where rollout = ${rollout} order by cluster on conflict do nothing`);
    const row = await queries.first(sql<{ readonly held: number }>`select count(*) as held from targets t
      join locks l on l.application = ${application} and l.cluster = t.cluster
      where t.rollout = ${rollout} and l.rollout <> ${rollout}`);
    return row?.held ?? 0;
  },
  releaseLock: async (application, cluster, rollout) => {
    await queries.rows(
      sql`delete from locks where application = ${application} and cluster = ${cluster} and rollout = ${rollout}`,
    );
  },
  releaseLocks: async (rollout) => {
    await queries.rows(sql`delete from locks l where l.rollout = ${rollout}
      and not exists (select 1 from targets t where t.rollout = l.rollout and t.cluster = l.cluster and t.owes is not null)`);
  },
  hasRoomOn: async (cluster, max) => {
    await queries.rows(
      sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '/cluster/' || ${cluster}, 0))`,
    );
    const row = await queries.first(sql<{ readonly count: number }>`select ${inFlightOn(sql`${cluster}`)} as count`);
    return (row?.count ?? 0) < max;
  },
  takeDomainSlot: async (domain, max, rollout, cluster) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const held = await queries.first(
        sql<{
          readonly domain: string;
        }>`select domain from domain_slots where rollout = ${rollout} and cluster = ${cluster}`,
      );
      if (held !== null) return held.domain === domain;
      const taken = await queries.first(
        sql<{ readonly count: number }>`select count(*) as count from domain_slots where domain = ${domain}`,
      );
      if ((taken?.count ?? 0) >= max) return false;
      // The primary key is the rule: two that want the same slot wait for each other here, and one of them looks again.
      const slot = await queries.first(sql`insert into domain_slots
        select ${domain}, s, ${rollout}, ${cluster} from generate_series(0, ${max}::integer - 1) as s
        where not exists (select 1 from domain_slots d where d.domain = ${domain} and d.slot = s)
        order by s limit 1 on conflict do nothing returning slot`);
      if (slot !== null) return true;
    }
    return false;
  },
  freeDomainSlot: async (rollout, cluster) => {
    await queries.rows(sql`delete from domain_slots where rollout = ${rollout} and cluster = ${cluster}`);
  },
  freeDomainSlots: async (rollout) => {
    await queries.rows(sql`delete from domain_slots where rollout = ${rollout}`);
  },
});
