import {
  createPostgresBackend,
  type JobsOptions,
  Queue,
  type PgPool,
  runMigrations,
  Worker,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

/** The part of a BullMQ queue and worker that is used here, whatever carries them. */
export interface QueueConnection {
  readonly queue: {
    add(name: string, data: unknown, options: JobsOptions): Promise<unknown>;
    addBulk(jobs: { name: string; data: unknown; opts: JobsOptions }[]): Promise<unknown>;
    on(event: 'error', handler: (error: Error) => void): unknown;
    close(): Promise<void>;
  };
  readonly startWorker: (
    run: (key: string) => Promise<void>,
    concurrency: number,
  ) => {
    on(event: 'error', handler: (error: Error) => void): unknown;
    close(): Promise<void>;
  };
  readonly ping: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const NAME = 'wake-ups';

/**
 * A job whose worker died is found after `lockDuration` and a `stalledInterval`, and its key wakes nobody until then. However often that happens, it
 * is run again: giving up is not the queue's to decide.
 */
const STALLED = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000_000 } as const;

/** Events of the queue are not read by anybody. */
const STREAMS = { streams: { events: { maxLen: 100 } } } as const;

const keyOf = (data: unknown): string => {
  const key: unknown = typeof data === 'object' && data !== null && 'key' in data ? data.key : null;
  return typeof key === 'string' ? key : '';
};

export const connectRedis = (url: string, prefix: string, onError: (error: unknown) => void): QueueConnection => {
  const producer = openRedis(url, 1, onError);
  const queue = new Queue(NAME, { connection: producer.client, prefix, ...STREAMS });
  return {
    queue,
    startWorker: (run, concurrency) => {
      const { client, giveUp } = openRedis(url, null, onError);
      const running = new Set<Promise<void>>();
      const tracked = (key: string): Promise<void> => {
        const job = run(key).finally(() => running.delete(job));
        running.add(job);
        return job;
      };
      const options = { connection: client, prefix, concurrency, ...STALLED };
      const worker = new Worker(NAME, (job) => tracked(keyOf(job.data)), options);
      return {
        on: (event, handler) => worker.on(event, handler),
        close: async () => {
          giveUp();
          // Without Redis there is nobody to say goodbye to: what runs is finished, and the rest is dropped.
          if (client.status === 'ready') await Promise.race([worker.close(), lost(client)]);
          else await worker.close(true);
          await Promise.allSettled(running);
          client.disconnect();
        },
      };
    },
    ping: async () => {
      await producer.client.ping();
    },
    close: async () => {
      producer.giveUp();
      producer.client.disconnect();
    },
  };
};

const lost = (client: Redis): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()));

/**
 * `giveUp`: a lost connection is not made again. BullMQ says goodbye to Redis when a worker closes, on a connection of its own that it copies from this
 * one, and would wait for a Redis that is away until it returns.
 */
const openRedis = (
  url: string,
  retries: number | null,
  onError: (error: unknown) => void,
): { readonly client: Redis; readonly giveUp: () => void } => {
  let closing = false;
  const client = new Redis(url, {
    maxRetriesPerRequest: retries,
    connectTimeout: 5_000,
    keepAlive: 5_000,
    retryStrategy: (attempt) => (closing ? null : Math.min(attempt * 100, 2_000)),
  });
  client.on('error', onError);
  const giveUp = (): void => {
    closing = true;
  };
  return { client, giveUp };
};

/** BullMQ checks a pool that it is given against this schema, and takes no other. */
const SCHEMA = 'bullmq';
const MIGRATION_ATTEMPTS = 5;

export const connectPostgres = async (
  url: string,
  poolSize: number,
  onError: (error: unknown) => void,
): Promise<QueueConnection> => {
  const pools: pg.Pool[] = [];
  const open = (max: number): pg.Pool => {
    const pool = new pg.Pool({
      connectionString: url,
      max,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      application_name: 'breakwater-queue',
      // A wake-up that a crash of the server swallows costs time, never truth: only here may a commit not wait for the disk.
      options: `-c search_path=${SCHEMA} -c synchronous_commit=off`,
    });
    pool.on('error', onError);
    pools.push(pool);
    return pool;
  };
  const producer = open(poolSize);
  await migrate(producer);
  const onPostgres = withBackend(createPostgresBackend);
  const queue = new onPostgres.Queue(NAME, { connection: asBullPool(producer), ...STREAMS });
  return {
    queue,
    startWorker: (run, concurrency) =>
      // One connection more than it needs to fetch and to finish jobs: one listens.
      new onPostgres.Worker(NAME, (job) => run(keyOf(job.data)), {
        connection: asBullPool(open(poolSize + 1)),
        concurrency,
        ...STALLED,
      }),
    ping: async () => {
      await producer.query('select 1');
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
};

/** It is one; its overloads are only written down in another order. */
const asBullPool = (pool: pg.Pool): PgPool => pool as unknown as PgPool;

/** Programs that start together both want to make the schema; PostgreSQL lets one of them fail now and then. */
const migrate = async (pool: pg.Pool): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    const client = await pool.connect();
    try {
      await runMigrations(client, SCHEMA);
      return;
    } catch (error) {
      if (attempt === MIGRATION_ATTEMPTS) throw error;
    } finally {
      client.release(true);
    }
  }
};
