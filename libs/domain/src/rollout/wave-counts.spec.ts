import { type Target, TARGET_STATES, type TargetState } from './rollout.ts';
import { rolloutWith, targetWith } from './testing/rollout-builders.ts';
import { addCounts, countsOf, NO_COUNTS, needsReturn, recount, totalCounts } from './wave-counts.ts';
import { withTarget } from './with-target.ts';

describe('what a target counts as', () => {
  it.each([
    ['Pending', 'pending'],
    ['Prefetching', 'pending'],
    ['Applying', 'inFlight'],
    ['Verifying', 'inFlight'],
    ['Succeeded', 'succeeded'],
    ['Failed', 'failed'],
    ['Skipped', 'skipped'],
    ['RollingBack', 'rollingBack'],
    ['RolledBack', 'rolledBack'],
    ['RollbackFailed', 'rollbackFailed'],
  ] as const)('%s: %s, and nothing else', (state, count) => {
    expect(countsOf(targetWith({ state }), 1)).toEqual({ ...NO_COUNTS, [count]: 1 });
  });

  it('one that is away is waited for until the strategy’s wait is over, and counted then', () => {
    const away = { ...NO_COUNTS, unreachable: 1 };
    expect(countsOf(targetWith({ state: 'Unreachable' }), 1)).toEqual({ ...away, unreachableWaiting: 1 });
    expect(countsOf(targetWith({ state: 'Unreachable', unreachableSettled: true }), 1)).toEqual({
      ...away,
      unreachableCounted: 1,
    });
    expect(countsOf(targetWith({ state: 'Skipped', unreachableSettled: true }), 1)).toEqual({
      ...NO_COUNTS,
      skipped: 1,
    });
  });

  it('what was written on a cluster is to be returned, unless somebody is at it or it is done', () => {
    const returned = new Set<TargetState>(['Prefetching', 'RollingBack', 'RolledBack', 'RollbackFailed']);
    for (const state of TARGET_STATES) {
      expect([state, needsReturn(targetWith({ state, touched: true }))]).toEqual([state, !returned.has(state)]);
      expect(needsReturn(targetWith({ state }))).toBe(false);
    }
    expect(countsOf(targetWith({ state: 'Succeeded', touched: true }), 1).toReturn).toBe(1);
  });

  it('a verified one is confirmed where it was seen healthy in the round', () => {
    const confirmed = (target: Partial<Target>): number => countsOf(targetWith({ seenIn: 3, ...target }), 3).confirmed;
    expect(confirmed({ state: 'Succeeded' })).toBe(1);
    expect(confirmed({ state: 'Succeeded', seenIn: 2 })).toBe(0);
    expect(confirmed({ state: 'Succeeded', degraded: true })).toBe(0);
    expect(confirmed({ state: 'Verifying' })).toBe(0);
  });

  it('marks belong to one state each', () => {
    const marked = {
      everFailed: true,
      degraded: true,
      unreachableSince: 5,
      skippedBy: 'mara',
      reason: 'RestoredButJobs',
      touched: true,
    } as const;
    const marks = (state: TargetState) => {
      const { everFailed, degraded, rollingBackCutOff, failedToReturn, leftOut, rolledBackButJobs } = countsOf(
        targetWith({ ...marked, state }),
        1,
      );
      return { everFailed, degraded, rollingBackCutOff, failedToReturn, leftOut, rolledBackButJobs };
    };
    const none = {
      everFailed: 1,
      degraded: 0,
      rollingBackCutOff: 0,
      failedToReturn: 0,
      leftOut: 0,
      rolledBackButJobs: 0,
    };
    expect(marks('Verifying')).toEqual(none);
    expect(marks('Succeeded')).toEqual({ ...none, degraded: 1 });
    expect(marks('RollingBack')).toEqual({ ...none, rollingBackCutOff: 1 });
    expect(marks('Failed')).toEqual({ ...none, failedToReturn: 1 });
    expect(marks('Skipped')).toEqual({ ...none, leftOut: 1 });
    expect(marks('RolledBack')).toEqual({ ...none, rolledBackButJobs: 1 });
  });
});

describe('the counts of a wave', () => {
  it('move with one target’s transition, and all the others stay', () => {
    const counts = { ...NO_COUNTS, pending: 3, succeeded: 5 };
    const pending = targetWith({ state: 'Pending' });
    expect(recount(counts, pending, targetWith({ state: 'Applying', touched: true }), 1)).toEqual({
      ...NO_COUNTS,
      pending: 2,
      inFlight: 1,
      succeeded: 5,
      toReturn: 1,
    });
    expect(recount(counts, null, pending, 1)).toEqual({ ...counts, pending: 4 });
  });

  it('are added up over all waves', () => {
    expect(addCounts({ ...NO_COUNTS, pending: 1 }, { ...NO_COUNTS, pending: 2, failed: 1 })).toEqual({
      ...NO_COUNTS,
      pending: 3,
      failed: 1,
    });
    const rollout = rolloutWith([{ counts: { pending: 1 } }, { counts: { pending: 2 } }]);
    expect(totalCounts(rollout)).toEqual({ ...NO_COUNTS, pending: 3 });
  });

  it('leave no more failures accepted than there are: one that comes after others went away was accepted by nobody', () => {
    const away = targetWith({ state: 'Unreachable', unreachableSettled: true });
    const counts = { unreachable: 1, unreachableCounted: 1, everFailed: 1 };
    const rollout = rolloutWith([{ counts, wave: { acceptedFailures: 2 } }]);
    const back = withTarget(rollout, away, targetWith({ state: 'Pending' }));
    expect(back.waves[0]?.acceptedFailures).toBe(1);
    expect(withTarget(back, targetWith({ state: 'Pending' }), away).waves[0]?.acceptedFailures).toBe(1);
  });

  it('are those of the target’s own wave', () => {
    const rollout = rolloutWith([{ counts: { pending: 1 } }, { counts: { pending: 1 } }]);
    const irreversible = [{ object: 'Job/web/x' as never, why: 'gone' }];
    const next = withTarget(rollout, targetWith({ wave: 1 }), targetWith({ wave: 1, state: 'Applying', irreversible }));
    expect(next.waves.map(({ counts }) => counts)).toEqual([
      { ...NO_COUNTS, pending: 1 },
      { ...NO_COUNTS, inFlight: 1 },
    ]);
    expect(next.regions).toEqual({ eu: { inFlight: 1, failures: 0, acceptedFailures: 0 } });
    expect(next.irreversible).toEqual([{ object: 'Job/web/x', why: 'gone', cluster: 'c1', accepted: false }]);
  });
});
