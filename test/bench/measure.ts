import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What some work cost this process; milliseconds. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export const NO_COST: Cost = { wallMs: 0, cpuMs: 0 };

export const plus = (a: Cost, b: Cost): Cost => ({ wallMs: a.wallMs + b.wallMs, cpuMs: a.cpuMs + b.cpuMs });

/** User and system time of this process, its garbage collector and its threads included. */
export const cpuNow = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export const costOf = async (work: () => Promise<unknown>): Promise<Cost> => {
  const cpu = cpuNow();
  const start = performance.now();
  await work();
  return { wallMs: performance.now() - start, cpuMs: cpuNow() - cpu };
};

/** Nearest rank; NaN of nothing. */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 50);

/** At most `limit` at once; the first error ends it. */
export const eachOf = async <T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: Math.min(limit, items.length) }, async () => {
      for (const item of rest) await work(item);
    }),
  );
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until there is an answer; throws with `what` when none comes in time. */
export const until = async <T>(
  what: string,
  ask: () => Promise<T | null>,
  { timeoutMs = 300_000, everyMs = 100 } = {},
): Promise<T> => {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await pause(everyMs);
  }
};

export interface Memory {
  readonly residentBytes: number;
  /** Live objects and buffers: what is resident comes and goes with the heap's pages, this does not. */
  readonly liveBytes: number;
}

/** After everything that can be collected has been, and V8 has given pages back. */
export const memoryNow = async (): Promise<Memory> => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 12; round += 1) {
    collect();
    await pause(250);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, liveBytes: heapUsed + external };
};
