import type { ClusterSegments, Cohort } from '../cohorts.ts';

// Jest looks globals up anew each time, slowly.
const { cos, exp, imul, log, max, min, PI, round, sin, sqrt } = Math;

/** Marsaglia's and Vigna's splitmix32: the same history from the same seed. */
export const generator = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 4294967296;
  };
};

const normal = (random: () => number): number => sqrt(-2 * log(1 - random())) * cos(2 * PI * random());

const poisson = (expected: number, random: () => number): number => {
  if (expected > 50) return max(0, round(expected + sqrt(expected) * normal(random)));
  const limit = exp(-expected);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
};

export interface Noise {
  /** Middle of the clusters' requests per second, and how far they differ (standard deviation of the logarithm). */
  readonly requests: number;
  readonly requestsSpread: number;
  /** The same of their error rates. */
  readonly errors: number;
  readonly errorsSpread: number;
  /** Fast (minutes) and slow (an hour) wandering of each cluster's own error rate, as standard deviations of the logarithm. */
  readonly fast: number;
  readonly slow: number;
  /** From one scrape to the next, without memory. */
  readonly jitter: number;
  /** Swing of the day and of all clusters together. */
  readonly diurnal: number;
}

export const REALISTIC: Noise = {
  requests: 100,
  requestsSpread: 0.7,
  errors: 0.01,
  errorsSpread: 0.6,
  fast: 0.15,
  slow: 0.1,
  jitter: 0.2,
  diurnal: 0.4,
};

export interface SimulatedHistory {
  readonly seed: number;
  readonly updated: number;
  readonly untouched: number;
  /** What the update does to the error rate. */
  readonly factor: number;
  readonly noise: Noise;
}

const STEP = 15;
/** The metric is a rate over this, as `rate(errors[1m])` is: neighbouring samples share most of their events; in steps. */
const RATE = 4;

const wander = (minutes: number, deviation: number, random: () => number): (() => number) => {
  const keep = exp(-STEP / 60 / minutes);
  let value = deviation * normal(random);
  return () => {
    value = keep * value + deviation * sqrt(1 - keep * keep) * normal(random);
    return value;
  };
};

/** Error ratios of all clusters at each scrape; the update is at step `update`. */
export const simulate = (
  history: SimulatedHistory,
  steps: number,
  update: number,
): readonly { readonly cohort: Cohort; readonly samples: readonly number[] }[] => {
  const random = generator(history.seed);
  const { noise } = history;
  const phase = 2 * PI * random();
  const together = wander(10, 0.1, random);
  const common = Array.from(
    { length: steps },
    (_, step) => noise.diurnal * sin(phase + (2 * PI * step * STEP) / 86_400) + together(),
  );
  return Array.from({ length: history.updated + history.untouched }, (_, index) => {
    const cohort: Cohort = index < history.updated ? 'updated' : 'untouched';
    const rate = noise.requests * exp(noise.requestsSpread * normal(random));
    const level = log(noise.errors) + noise.errorsSpread * normal(random);
    const fast = wander(2, noise.fast, random);
    const slow = wander(60, noise.slow, random);
    const errors: number[] = [];
    const requests: number[] = [];
    for (let step = 0; step < steps; step += 1) {
      const shared = common[step] ?? 0;
      const worse = cohort === 'updated' && step >= update ? history.factor : 1;
      const ratio = exp(level + 0.5 * shared + fast() + slow() + noise.jitter * normal(random)) * worse;
      const asked = max(1, poisson(rate * STEP * exp(shared), random));
      requests.push(asked);
      errors.push(poisson(asked * min(1, ratio), random));
    }
    const sum = (values: readonly number[], end: number): number => {
      let total = 0;
      for (let step = max(0, end - RATE + 1); step <= end; step += 1) total += values[step] ?? 0;
      return total;
    };
    return { cohort, samples: errors.map((_error, step) => sum(errors, step) / sum(requests, step)) };
  });
};

/** What a look at `now` (a step) sees: means over segments of `length` steps that end there. */
export const segmentsAt = (
  series: ReturnType<typeof simulate>,
  now: number,
  update: number,
  length: number,
  count: number,
): { readonly clusters: readonly ClusterSegments[]; readonly sparse: ReadonlySet<string> } => {
  const starts = Array.from({ length: count }, (_, index) => now - (count - index) * length).filter((at) => at >= 0);
  const before = starts.filter((start) => start + length <= update).length;
  const sparse = new Set<string>();
  const clusters = series.map(({ cohort, samples }, index) => {
    const last = samples.slice(now - length, now);
    if (last.filter((value) => value === 0).length * 2 > last.length) sparse.add(`c${index}`);
    const values = starts.map((start) => {
      let total = 0;
      for (let step = start; step < start + length; step += 1) total += samples[step] ?? 0;
      return total / length;
    });
    return { cluster: `c${index}`, cohort, values, before };
  });
  return { clusters, sparse };
};
