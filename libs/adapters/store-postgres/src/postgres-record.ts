import type { Channel, RecordPort } from '@breakwater/application';
import type { Cipher } from '@breakwater/platform';
import { sql } from 'kysely';
import { accessRecords } from './access-records.ts';
import { auditRecords } from './audit-records.ts';
import { clusterRecords } from './cluster-records.ts';
import { Database, poolConfig, type Queries } from './database.ts';
import { FleetModels } from './fleet-models.ts';
import { Listener } from './listener.ts';
import { lookRecords } from './look-records.ts';
import { migrate } from './migrate.ts';
import { claimRecords } from './claim-records.ts';
import { permitRecords } from './permit-records.ts';
import { nowOf } from './now.ts';
import { recordTransaction } from './record-transaction.ts';
import { rolloutQueries } from './rollout-queries.ts';
import { syncRecords } from './sync-records.ts';

export interface PostgresRecordOptions {
  readonly url: string;
  /** Seals before-images; bundles and credentials come sealed. */
  readonly cipher: Cipher;
  /** Connections for statements, besides the one that listens. Default 10. */
  readonly poolSize?: number;
  /** Default `breakwater`. */
  readonly schema?: string;
  /** In ms; default 15,000. */
  readonly statementTimeoutMs?: number;
  /** Lost connections and failed upkeep; the record goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

const UPKEEP_EVERY_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/** Brings the schema up to date, and opens the record. */
export const createPostgresRecord = async (options: PostgresRecordOptions): Promise<RecordPort> => {
  const { url, cipher, poolSize = 10, schema = 'breakwater', statementTimeoutMs = 15_000 } = options;
  const onError = options.onError ?? (() => undefined);
  await migrate(url, schema);
  const settings = { url, schema, poolSize, statementTimeoutMs };
  const database = new Database({ ...settings, onError });
  const {
    max: _max,
    idleTimeoutMillis: _idle,
    statement_timeout: _own,
    query_timeout: _too,
    ...single
  } = poolConfig(settings);
  const listener = new Listener(single, onError);
  const channelName = (channel: Channel): string => `${schema}_${channel}`;
  const notify = async (queries: Queries, channel: Channel, payload: string): Promise<void> => {
    await queries.rows(sql`select pg_notify(${channelName(channel)}, ${payload})`);
  };
  const notifyDue = async (keys: readonly string[]): Promise<void> => {
    if (keys.length > 0)
      await database.rows(sql`select pg_notify(${channelName('due')}, k) from unnest(${keys}::text[]) as k`);
  };
  const fleetModels = new FleetModels();
  const upkeep = setInterval(() => void tidy(database).catch(onError), UPKEEP_EVERY_MS);
  upkeep.unref();
  return {
    transaction: (work) =>
      database.transaction(async (queries) => {
        const { tx, beforeCommit } = recordTransaction({ queries, cipher, channelName, fleetModels });
        const result = await work(tx);
        await beforeCommit();
        return result;
      }),
    rollouts: rolloutQueries(database, cipher, notifyDue),
    cluster: clusterRecords(database),
    sync: syncRecords(database, notify),
    looks: lookRecords(database, notify),
    permits: permitRecords(database),
    claims: claimRecords(database),
    audit: auditRecords(database, notify),
    access: accessRecords(database),
    installation: async () => {
      const row = await database.first(
        sql<{ readonly value: string }>`select value from settings where key = 'installation'`,
      );
      if (row === null) throw new Error('the record has no installation id');
      return row.value;
    },
    now: () => nowOf(database),
    listen: (channel, handler) => listener.listen(channelName(channel), handler),
    ping: () => database.ping(),
    close: async () => {
      clearInterval(upkeep);
      await listener.close();
      await database.close();
    },
  };
};

/** Rows that nobody will ask for again. An unanswered permit is named for a day: a stopped API server may wake up that late. */
const tidy = async (database: Database): Promise<void> => {
  await database.rows(sql`delete from permits where expires_at < now_ms() - ${DAY_MS}::bigint`);
  await database.rows(sql`delete from claims where expires_at < now_ms() - ${DAY_MS}::bigint`);
  await database.rows(
    sql`delete from sync_requests where answer is not null and created_at < now_ms() - ${DAY_MS}::bigint`,
  );
  await database.rows(sql`delete from looks where created_at < now_ms() - ${UPKEEP_EVERY_MS}::bigint`);
  await database.rows(sql`delete from idempotency_keys where created_at < now_ms() - ${30 * DAY_MS}::bigint`);
};
