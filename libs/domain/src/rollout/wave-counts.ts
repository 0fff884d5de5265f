import { RESTORED_BUT_JOBS, type Rollout, type Target, type Wave, type WaveCounts } from './rollout.ts';

export const NO_COUNTS: WaveCounts = {
  pending: 0,
  inFlight: 0,
  succeeded: 0,
  failed: 0,
  unreachable: 0,
  skipped: 0,
  rollingBack: 0,
  rolledBack: 0,
  rollbackFailed: 0,
  everFailed: 0,
  degraded: 0,
  confirmed: 0,
  unreachableCounted: 0,
  unreachableWaiting: 0,
  toReturn: 0,
  rollingBackCutOff: 0,
  failedToReturn: 0,
  slow: 0,
  leftOut: 0,
  rolledBackButJobs: 0,
};

const COUNT_NAMES = Object.keys(NO_COUNTS) as (keyof WaveCounts)[];

const STATE_COUNT = {
  Pending: 'pending',
  Prefetching: 'pending',
  Applying: 'inFlight',
  Verifying: 'inFlight',
  Succeeded: 'succeeded',
  Failed: 'failed',
  Unreachable: 'unreachable',
  Skipped: 'skipped',
  RollingBack: 'rollingBack',
  RolledBack: 'rolledBack',
  RollbackFailed: 'rollbackFailed',
} as const satisfies Record<Target['state'], keyof WaveCounts>;

/** Carries (or may carry) the new revision, wholly or in part, and nobody is taking it back yet. */
export const needsReturn = (target: Target): boolean =>
  target.touched &&
  (target.state === 'Pending' ||
    target.state === 'Applying' ||
    target.state === 'Verifying' ||
    target.state === 'Succeeded' ||
    target.state === 'Failed' ||
    target.state === 'Unreachable' ||
    target.state === 'Skipped');

/** Verified, and seen healthy in the rollout's `round`. */
export const isConfirmed = ({ state, degraded, seenIn }: Target, round: number): boolean =>
  state === 'Succeeded' && !degraded && seenIn === round;

/** What one target contributes to its wave's counts in the rollout's `round`. */
export const countsOf = (target: Target, round: number): WaveCounts => {
  const one = (condition: boolean): number => (condition ? 1 : 0);
  return {
    ...NO_COUNTS,
    [STATE_COUNT[target.state]]: 1,
    everFailed: one(target.everFailed),
    degraded: one(target.degraded && target.state === 'Succeeded'),
    confirmed: one(isConfirmed(target, round)),
    unreachableCounted: one(target.state === 'Unreachable' && target.unreachableSettled),
    unreachableWaiting: one(target.state === 'Unreachable' && !target.unreachableSettled),
    toReturn: one(needsReturn(target)),
    rollingBackCutOff: one(target.state === 'RollingBack' && target.unreachableSince !== null),
    failedToReturn: one(target.state === 'Failed' && target.touched),
    slow: one(target.slow),
    leftOut: one(target.state === 'Skipped' && target.skippedBy !== null),
    rolledBackButJobs: one(target.state === 'RolledBack' && target.reason === RESTORED_BUT_JOBS),
  };
};

/** `counts` after a target of the wave changed from `before` to `after`, in the rollout's `round`. */
export const recount = (counts: WaveCounts, before: Target | null, after: Target, round: number): WaveCounts => {
  const minus = before === null ? NO_COUNTS : countsOf(before, round);
  const plus = countsOf(after, round);
  const next: Record<keyof WaveCounts, number> = { ...counts };
  for (const name of COUNT_NAMES) next[name] = counts[name] - minus[name] + plus[name];
  return next;
};

export const addCounts = (left: WaveCounts, right: WaveCounts): WaveCounts => {
  const next: Record<keyof WaveCounts, number> = { ...left };
  for (const name of COUNT_NAMES) next[name] = left[name] + right[name];
  return next;
};

export const totalCounts = (rollout: Pick<Rollout, 'waves'>): WaveCounts =>
  rollout.waves.reduce((sum, wave) => addCounts(sum, wave.counts), NO_COUNTS);

/** The number of failures that is held against the wave's budget. */
export const failuresOf = (wave: Pick<Wave, 'counts'>): number =>
  wave.counts.everFailed + wave.counts.unreachableCounted;
