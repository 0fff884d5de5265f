import { acceptRegions, fullRegions, overdrawn, recountRegions } from './budgets.ts';
import type { RolloutPolicy } from './rollout.ts';
import { type GivenWave, rolloutWith, targetWith } from './testing/rollout-builders.ts';

const region = (inFlight: number, failures = 0, acceptedFailures = 0) => ({ inFlight, failures, acceptedFailures });
const budgets = (changes: Partial<RolloutPolicy['failureBudgets']>) => ({
  failureBudgets: { region: null, rollout: null, ...changes },
});

describe('the counters of a region', () => {
  it('move with each of its targets, from nothing', () => {
    expect(recountRegions({}, null, targetWith({ state: 'Applying' }))).toEqual({ eu: region(1) });
    expect(recountRegions({ us: region(2) }, null, targetWith({ state: 'RollingBack' }))).toEqual({
      us: region(2),
      eu: region(1),
    });
  });

  it('count what is in flight or on its way back, and what has failed or is away for too long', () => {
    const before = targetWith({ state: 'Applying' });
    const failed = targetWith({ state: 'Failed', everFailed: true });
    expect(recountRegions({ eu: region(3, 1, 1) }, before, failed)).toEqual({ eu: region(2, 2, 1) });
    expect(
      recountRegions({ eu: region(2, 2) }, failed, targetWith({ state: 'RollingBack', everFailed: true })),
    ).toEqual({
      eu: region(3, 2),
    });
    const away = targetWith({ state: 'Unreachable', unreachableSettled: true });
    expect(recountRegions({ eu: region(1) }, before, away)).toEqual({ eu: region(0, 1) });
    expect(recountRegions({ eu: region(0, 1) }, away, targetWith({ state: 'Pending' }))).toEqual({ eu: region(0) });
  });

  it('have accepted no more failures than there are', () => {
    const away = targetWith({ state: 'Unreachable', unreachableSettled: true });
    const back = recountRegions({ eu: region(0, 2, 2) }, away, targetWith({ state: 'Pending' }));
    expect(back).toEqual({ eu: region(0, 1, 1) });
    expect(recountRegions(back, targetWith({ state: 'Pending' }), away)).toEqual({ eu: region(0, 2, 1) });
  });

  it('are the same object while nothing of that changes', () => {
    const regions = { eu: region(1) };
    expect(recountRegions(regions, targetWith({ state: 'Applying' }), targetWith({ state: 'Verifying' }))).toBe(
      regions,
    );
    expect(recountRegions(regions, null, targetWith({ state: 'Pending' }))).toBe(regions);
  });

  it('say where no more may begin', () => {
    const regions = { eu: region(2), us: region(1), ap: region(3) };
    const full = (limit: number | null) =>
      fullRegions(rolloutWith([{}], { regions }, { concurrency: { region: limit } as RolloutPolicy['concurrency'] }));
    expect(full(2)).toEqual(['eu', 'ap']);
    expect(full(9)).toEqual([]);
    expect(full(null)).toEqual([]);
  });

  it('hold failures so far against nobody once a person has accepted them', () => {
    expect(acceptRegions({ eu: region(1, 2, 1), us: region(0) })).toEqual({ eu: region(1, 2, 2), us: region(0) });
  });
});

describe('a failure budget that is used up', () => {
  const failing = (everFailed: number, given: GivenWave = {}): GivenWave => ({
    ...given,
    counts: { everFailed, ...given.counts },
  });

  it('is a wave’s own, with what was failed and what was away', () => {
    const away = failing(1, { counts: { unreachableCounted: 2 }, plan: { failureBudget: 2 } });
    const found = overdrawn(rolloutWith([failing(0), away]));
    expect(found?.message).toBe('wave w1: 1 failed, 2 unreachable, and its failure budget is 2');
    expect(found?.wave.index).toBe(1);
    expect(overdrawn(rolloutWith([failing(3, { plan: { failureBudget: 2 } })]))?.message).toBe(
      'wave w0: 3 failed, and its failure budget is 2',
    );
    expect(overdrawn(rolloutWith([failing(2, { plan: { failureBudget: 2 } })]))).toBeNull();
  });

  it('bears as many as a person has accepted', () => {
    expect(overdrawn(rolloutWith([failing(3, { wave: { acceptedFailures: 3 } })]))).toBeNull();
    expect(overdrawn(rolloutWith([failing(4, { wave: { acceptedFailures: 3 } })]))).not.toBeNull();
  });

  const wide = { plan: { failureBudget: 9 } };

  it('is a region’s, and blamed on the last wave with failures', () => {
    const waves = [failing(1, wide), failing(2, wide), failing(0, wide)];
    const found = (regions: object, limit: number | null = 1) =>
      overdrawn(rolloutWith(waves, { regions: regions as never }, budgets({ region: limit })));
    expect(found({ eu: region(0, 1), us: region(0, 2) })).toMatchObject({
      wave: { index: 1 },
      message: 'region us: 2 failed or unreachable, and its failure budget is 1',
    });
    expect(found({ eu: region(0, 1) })).toBeNull();
    expect(found({ eu: region(0, 2, 2) })).toBeNull();
    expect(found({ eu: region(0, 9) }, null)).toBeNull();
  });

  it('is the rollout’s, over all waves', () => {
    const found = (limit: number | null, first: GivenWave = failing(1, wide)) =>
      overdrawn(rolloutWith([first, failing(2, wide), failing(0, wide)], {}, budgets({ rollout: limit })));
    expect(found(2)).toMatchObject({
      wave: { index: 1 },
      message: "3 failed or unreachable in all, and the rollout's failure budget is 2",
    });
    expect(found(3)).toBeNull();
    expect(found(null)).toBeNull();
    const accepted = { ...wide, wave: { acceptedFailures: 1 } };
    const both = (limit: number, second: number) =>
      overdrawn(
        rolloutWith(
          [failing(1, accepted), failing(second, { ...wide, wave: { acceptedFailures: 2 } })],
          {},
          budgets({ rollout: limit }),
        ),
      );
    expect(both(0, 2)).toBeNull();
    expect(both(0, 3)).not.toBeNull();
  });

  it('is nobody’s in particular where no wave has failures by now: the last one is named', () => {
    const found = overdrawn(rolloutWith([{}, {}, {}], { regions: { eu: region(0, 1) } }, budgets({ region: 0 })));
    expect(found?.wave.index).toBe(2);
    expect(overdrawn(rolloutWith([], { regions: { eu: region(0, 1) } }, budgets({ region: 0 })))).toBeNull();
  });
});
