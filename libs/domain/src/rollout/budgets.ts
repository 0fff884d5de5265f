import type { RegionCounts, Rollout, Target, Wave } from './rollout.ts';
import { countsOf, failuresOf } from './wave-counts.ts';

/** Budgets do not ask when a cluster was seen. */
const ANY_ROUND = 0;
const NONE: RegionCounts = { inFlight: 0, failures: 0, acceptedFailures: 0 };

const contribution = (target: Target | null): { readonly inFlight: number; readonly failures: number } => {
  if (target === null) return { inFlight: 0, failures: 0 };
  const counts = countsOf(target, ANY_ROUND);
  return { inFlight: counts.inFlight + counts.rollingBack, failures: counts.everFailed + counts.unreachableCounted };
};

/** The regions' counters moved by one target's transition: like the waves', they are never counted anew. */
export const recountRegions = (
  regions: Rollout['regions'],
  before: Target | null,
  after: Target,
): Rollout['regions'] => {
  const minus = contribution(before);
  const plus = contribution(after);
  if (minus.inFlight === plus.inFlight && minus.failures === plus.failures) return regions;
  const region = regions[after.region] ?? NONE;
  const failures = region.failures + plus.failures - minus.failures;
  const next = {
    inFlight: region.inFlight + plus.inFlight - minus.inFlight,
    failures,
    acceptedFailures: Math.min(region.acceptedFailures, failures),
  };
  return { ...regions, [after.region]: next };
};

/** Regions in which nothing more may be in flight. */
export const fullRegions = (rollout: Rollout): readonly string[] => {
  const limit = rollout.plan.policy.concurrency.region;
  if (limit === null) return [];
  return Object.entries(rollout.regions).flatMap(([region, counts]) => (counts.inFlight >= limit ? [region] : []));
};

export interface Overdrawn {
  readonly wave: Wave;
  readonly message: string;
}

const overdrawnWave = (rollout: Rollout): Overdrawn | null => {
  const wave = rollout.waves.find((candidate) => failuresOf(candidate) > allowedIn(rollout, candidate));
  if (wave === undefined) return null;
  const budget = rollout.plan.waves[wave.index]?.failureBudget ?? 0;
  const parts = [`${wave.counts.everFailed} failed`];
  if (wave.counts.unreachableCounted > 0) parts.push(`${wave.counts.unreachableCounted} unreachable`);
  return { wave, message: `wave ${wave.name}: ${parts.join(', ')}, and its failure budget is ${budget}` };
};

const allowedIn = (rollout: Rollout, wave: Wave): number =>
  Math.max(rollout.plan.waves[wave.index]?.failureBudget ?? 0, wave.acceptedFailures);

/** The wave that is blamed when a budget of more than one wave is used up: the last one with failures. */
const lastWithFailures = (rollout: Rollout): Wave | undefined =>
  rollout.waves.findLast((wave) => failuresOf(wave) > 0) ?? rollout.waves.at(-1);

const overdrawnRegion = (rollout: Rollout): Overdrawn | null => {
  const budget = rollout.plan.policy.failureBudgets.region;
  if (budget === null) return null;
  const found = Object.entries(rollout.regions).find(
    ([, counts]) => counts.failures > Math.max(budget, counts.acceptedFailures),
  );
  const wave = lastWithFailures(rollout);
  if (found === undefined || wave === undefined) return null;
  const message = `region ${found[0]}: ${found[1].failures} failed or unreachable, and its failure budget is ${budget}`;
  return { wave, message };
};

const overdrawnRollout = (rollout: Rollout): Overdrawn | null => {
  const budget = rollout.plan.policy.failureBudgets.rollout;
  if (budget === null) return null;
  const failures = rollout.waves.reduce((sum, wave) => sum + failuresOf(wave), 0);
  const accepted = rollout.waves.reduce((sum, wave) => sum + wave.acceptedFailures, 0);
  const wave = lastWithFailures(rollout);
  if (failures <= Math.max(budget, accepted) || wave === undefined) return null;
  return { wave, message: `${failures} failed or unreachable in all, and the rollout's failure budget is ${budget}` };
};

/** The first failure budget that is used up: of a wave, of a region, of the rollout as a whole. */
export const overdrawn = (rollout: Rollout): Overdrawn | null =>
  overdrawnWave(rollout) ?? overdrawnRegion(rollout) ?? overdrawnRollout(rollout);

/** A person has resumed: failures so far are accepted, and further ones are not. */
export const acceptRegions = (regions: Rollout['regions']): Rollout['regions'] =>
  Object.fromEntries(
    Object.entries(regions).map(([region, counts]) => [region, { ...counts, acceptedFailures: counts.failures }]),
  );
