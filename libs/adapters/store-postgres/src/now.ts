import type { Instant } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Queries } from './database.ts';

export const nowOf = async (queries: Queries): Promise<Instant> => {
  const row = await queries.first(sql<{ readonly now: number }>`select now_ms() as now`);
  if (row === null) throw new Error('the database has no clock');
  return row.now;
};
