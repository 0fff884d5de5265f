import type { WakeUpQueue, WakeUpWorker } from '@breakwater/application';
import { connectPostgres, connectRedis, type QueueConnection } from './connections.ts';

export type WakeUpQueueOptions = {
  /** Lost connections and wake-ups that could not be sent; the queue goes on by itself. */
  readonly onError?: (error: unknown) => void;
} & (
  | {
      readonly redisUrl: string;
      /** Separates installations on one Redis; default `breakwater`. */ readonly prefix?: string;
    }
  | { readonly postgres: { readonly url: string; /** Default 4. */ readonly poolSize?: number } }
);

/** Longer than any answer of a queue that works; a caller has better things to do than to wait for a hint to be sent. */
const SEND_WITHIN_MS = 3_000;
const BATCH = 500;

/**
 * Wake-ups over BullMQ. Sending never throws: a wake-up is a hint, and the scan of the record finds what was not sent. Jobs that fail are gone, not tried
 * again: the record says when to look next.
 */
export const createWakeUpQueue = async (options: WakeUpQueueOptions): Promise<WakeUpQueue> => {
  const onError = options.onError ?? (() => undefined);
  const connection =
    'redisUrl' in options
      ? connectRedis(options.redisUrl, options.prefix ?? 'breakwater', onError)
      : await connectPostgres(options.postgres.url, options.postgres.poolSize ?? 4, onError);
  connection.queue.on('error', onError);
  const workers = new Set<WakeUpWorker>();
  const send = (keys: readonly string[]): Promise<void> => within(SEND_WITHIN_MS, add(connection, keys)).catch(onError);
  return {
    wake: (key) => send([key]),
    wakeAll: async (keys) => {
      for (let from = 0; from < keys.length; from += BATCH) await send(keys.slice(from, from + BATCH));
    },
    work: async (handle, concurrency) => {
      const running = connection.startWorker(oneAtATime(handle, onError), concurrency);
      running.on('error', onError);
      const worker: WakeUpWorker = {
        close: async () => {
          workers.delete(worker);
          await running.close();
        },
      };
      workers.add(worker);
      return worker;
    },
    ping: () => within(SEND_WITHIN_MS, connection.ping()),
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.close()));
      await connection.queue.close();
      await connection.close();
    },
  };
};

const add = async ({ queue }: QueueConnection, keys: readonly string[]): Promise<void> => {
  const jobs = [...new Set(keys)].map((key) => ({
    name: 'wake',
    data: { key },
    opts: {
      // Waiting already: nothing to add. Running: it runs once more, because it may have looked before what it is woken for.
      deduplication: { id: key, keepLastIfActive: true },
      removeOnComplete: true,
      removeOnFail: true,
      attempts: 1,
    },
  }));
  const [first] = jobs;
  if (first === undefined) return;
  if (jobs.length === 1) await queue.add(first.name, first.data, first.opts);
  else await queue.addBulk(jobs);
};

/**
 * A job that was taken for stalled (this process slept) is handed out again while its first run goes on: the second waits. Errors end here, because
 * for BullMQ a failed job is no different.
 */
const oneAtATime = (
  handle: (key: string) => Promise<void>,
  onError: (error: unknown) => void,
): ((key: string) => Promise<void>) => {
  const running = new Map<string, Promise<void>>();
  return async (key) => {
    while (running.has(key)) await running.get(key);
    const run = handle(key)
      .catch(onError)
      .finally(() => running.delete(key));
    running.set(key, run);
    await run;
  };
};

const within = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the queue did not answer in time')), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
