export type Cohort = 'updated' | 'untouched';

/** One cluster's metric, averaged over segments of equal length that are the same for all clusters; the oldest first. */
export interface ClusterSegments {
  readonly cluster: string;
  readonly cohort: Cohort;
  /** The last one is now. null: too few samples. */
  readonly values: readonly (number | null)[];
  /** So many segments, from the oldest, lie wholly before its update; for untouched clusters all but now. */
  readonly before: number;
}

/** A cluster that can be compared: the logarithms of now and of each segment of its past. */
interface Member {
  readonly now: number;
  readonly past: ReadonlyMap<number, number>;
}

export interface CohortChange {
  readonly updated: number;
  readonly untouched: number;
  /** Means of now, as measured. */
  readonly updatedMean: number;
  readonly untouchedMean: number | null;
  /** How the updated ones changed against their own past, as a factor. */
  readonly ownChange: number;
  /** The same of the untouched ones, over the same segments; null without any. */
  readonly untouchedChange: number | null;
  /** What the mean of the updated ones would be, had they changed as the untouched ones did. */
  readonly expectedMean: number;
  /** The difference of the two changes, as a logarithm; its standard error and degrees of freedom. */
  readonly effect: number;
  readonly error: number;
  readonly degrees: number;
}

/** Segments of its own past that a cluster needs. */
export const LEAST_PAST = 3;
/** So much noise there always is, as a share: a constant metric is not known with certainty. */
const LEAST_NOISE = 0.05;
/** Added to a value, as a share of its cluster's own mean and of that of all, so that a zero has a logarithm. */
const OWN_OFFSET = 0.02;
const COMMON_OFFSET = 0.005;
/** From so many untouched clusters on, how far they drifted apart until now is an estimate of the noise of its own. */
const ENOUGH_TO_SPREAD = 4;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Has it now, and enough of its own past? */
export const isComparable = (cluster: ClusterSegments): boolean =>
  cluster.values.at(-1) != null && pastOf(cluster).length >= LEAST_PAST;

/** The `past` newest segments before the update, with their index. */
const pastOf = (cluster: ClusterSegments): readonly (readonly [number, number])[] =>
  cluster.values
    .slice(0, Math.min(cluster.before, cluster.values.length - 1))
    .flatMap((value, index) => (value === null ? [] : [[index, value] as const]));

const memberOf = (cluster: ClusterSegments, keep: number, commonMean: number): Member => {
  const past = pastOf(cluster).slice(-keep);
  const own = mean(past.map(([, value]) => value));
  const offset = OWN_OFFSET * own + COMMON_OFFSET * commonMean || 1;
  const log = (value: number): number => Math.log(value + offset);
  return { now: log(cluster.values.at(-1) ?? 0), past: new Map(past.map(([index, value]) => [index, log(value)])) };
};

const centre = (member: Member): number => mean([...member.past.values()]);

/** Change of one cluster over exactly these segments of the past; null where it has none of them. */
const changeOver = (member: Member, segments: Iterable<number>): number | null => {
  const shared = [...segments].flatMap((index) => member.past.get(index) ?? []);
  return shared.length === 0 ? null : member.now - mean(shared);
};

interface Noise {
  readonly variance: number;
  readonly degrees: number;
}

/** What is left of the past when each cluster's own level, and (with untouched ones) what all share in a segment, is taken out. */
const noiseOf = (members: readonly Member[], shared: boolean): Noise => {
  const residuals = members.map((member) => {
    const level = centre(member);
    return new Map([...member.past].map(([index, value]) => [index, value - level]));
  });
  const segments = new Set(residuals.flatMap((own) => [...own.keys()]));
  let squares = 0;
  let degrees = residuals.reduce((sum, own) => sum + own.size - 1, 0);
  for (const index of segments) {
    const values = residuals.flatMap((own) => own.get(index) ?? []);
    const common = shared ? mean(values) : 0;
    squares += values.reduce((sum, value) => sum + (value - common) ** 2, 0);
  }
  if (shared) degrees -= segments.size - 1;
  return { variance: squares / Math.max(1, degrees), degrees: Math.max(1, degrees) };
};

/**
 * Difference in differences: how much more the updated clusters changed against their own past than the untouched ones did over the same
 * segments. Every cluster counts once, and the noise is taken from the data: it holds for autocorrelated and overdispersed metrics.
 * All clusters given are comparable, values are not negative, and there is at least one updated one.
 */
export const cohortChange = (clusters: readonly ClusterSegments[], keep: number): CohortChange => {
  const all = clusters.flatMap((cluster) => cluster.values.flatMap((value) => value ?? []));
  const commonMean = mean(all);
  const of = (cohort: Cohort): readonly ClusterSegments[] => clusters.filter((cluster) => cluster.cohort === cohort);
  const updated = of('updated').map((cluster) => memberOf(cluster, keep, commonMean));
  // Their whole past: each updated cluster has another part of it to be compared with.
  const untouched = of('untouched').map((cluster) => memberOf(cluster, Infinity, commonMean));

  const ownChanges: number[] = [];
  const drifts: number[] = [];
  for (const member of updated) {
    ownChanges.push(member.now - centre(member));
    const changes = untouched.flatMap((other) => changeOver(other, member.past.keys()) ?? []);
    if (changes.length > 0) drifts.push(mean(changes));
  }
  const compared = drifts.length === updated.length;
  const ownChange = mean(ownChanges);
  const drift = compared ? mean(drifts) : 0;

  const used = new Set(updated.flatMap((member) => [...member.past.keys()]));
  const noise = noiseOf(
    compared ? [...updated, ...untouched.map((member) => within(member, used))] : updated,
    compared,
  );
  const depth = 1 + 1 / mean(updated.map((member) => member.past.size));
  const spread = compared ? spreadOf(untouched, used) / depth : 0;
  const variance = Math.max(noise.variance, spread, LEAST_NOISE ** 2);
  const nowOf = (cohort: Cohort): readonly number[] => of(cohort).map((cluster) => cluster.values.at(-1) ?? 0);
  const pastMean = mean(
    of('updated').map((cluster) =>
      mean(
        pastOf(cluster)
          .slice(-keep)
          .map(([, value]) => value),
      ),
    ),
  );
  return {
    updated: updated.length,
    untouched: compared ? untouched.length : 0,
    updatedMean: mean(nowOf('updated')),
    untouchedMean: compared ? mean(nowOf('untouched')) : null,
    ownChange: Math.exp(ownChange),
    untouchedChange: compared ? Math.exp(drift) : null,
    expectedMean: pastMean * Math.exp(drift),
    effect: ownChange - drift,
    error: Math.sqrt(variance * depth * (1 / updated.length + (compared ? 1 / untouched.length : 0))),
    degrees: noise.degrees,
  };
};

const within = (member: Member, segments: ReadonlySet<number>): Member => ({
  now: member.now,
  past: new Map([...member.past].filter(([index]) => segments.has(index))),
});

/** How differently the untouched ones changed until now: slow wandering that segments next to each other do not show. */
const spreadOf = (untouched: readonly Member[], segments: ReadonlySet<number>): number => {
  const changes = untouched.flatMap((member) => changeOver(member, segments) ?? []);
  if (changes.length < ENOUGH_TO_SPREAD) return 0;
  const middle = mean(changes);
  return changes.reduce((sum, change) => sum + (change - middle) ** 2, 0) / (changes.length - 1);
};
