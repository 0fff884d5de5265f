import { type ClusterSegments, cohortChange, type CohortChange, isComparable } from './cohorts.ts';

const updated = (values: ClusterSegments['values'], before: number): ClusterSegments => ({
  cluster: `new-${values.join()}`,
  cohort: 'updated',
  values,
  before,
});
const untouched = (...values: ClusterSegments['values']): ClusterSegments => ({
  cluster: `old-${values.join()}`,
  cohort: 'untouched',
  values,
  before: values.length - 1,
});
const close = (change: CohortChange): unknown =>
  Object.fromEntries(
    Object.entries(change).map(([name, figure]: [string, number | null]) => [
      name,
      figure === null ? null : Number(figure.toFixed(9)),
    ]),
  );

describe('the change of a cohort against another one', () => {
  const news = [updated([3, 5, 4, 8, 6, null, 12], 6), updated([10, 14, null, 9, 12, 99, 30], 4)];
  const olds = [
    untouched(2, 3, 2, 4, 3, 3, 2),
    untouched(20, 22, null, 26, 19, 24, 23),
    untouched(7, 5, 8, 6, 9, 7, 8),
    untouched(1, 2, 1, 3, 2, 1, 4),
  ];

  // The figures were reckoned apart from this code, from what the comments of cohorts.ts say.
  it('leaves out what is missing, what came after the update, and what is older than is kept', () => {
    expect(close(cohortChange([...news, ...olds.slice(0, 3)], 4))).toEqual({
      updated: 2,
      untouched: 3,
      updatedMean: 21,
      untouchedMean: 11,
      ownChange: 2.404689427,
      untouchedChange: 0.9656738,
      expectedMean: 8.087518074,
      effect: 0.912349942,
      error: 0.253040822,
      degrees: 12,
    });
  });

  it('is as uncertain as four untouched clusters have drifted apart', () => {
    expect(close(cohortChange([...olds, ...news], 4))).toEqual({
      updated: 2,
      untouched: 4,
      updatedMean: 21,
      untouchedMean: 9.25,
      ownChange: 2.406533953,
      untouchedChange: 1.174100625,
      expectedMean: 9.833092732,
      effect: 0.71768509,
      error: 0.41472055,
      degrees: 16,
    });
  });

  it('is one against the own past alone where no cluster is untouched', () => {
    expect(close(cohortChange(news, 4))).toEqual({
      updated: 2,
      untouched: 0,
      updatedMean: 21,
      untouchedMean: null,
      ownChange: 2.400309938,
      untouchedChange: null,
      expectedMean: 8.375,
      effect: 0.87559787,
      error: 0.209392232,
      degrees: 5,
    });
  });

  it('is one against the own past alone, too, where nobody else was seen in that past', () => {
    const later = untouched(null, null, null, 5, 6, 7, 8);
    const early = updated([1, 2, 3, null, null, null, 4], 3);
    expect(cohortChange([early, later], 6)).toMatchObject({ untouched: 0, untouchedChange: null, degrees: 2 });
  });

  it('is never known with certainty, however calm a metric was', () => {
    const calm = [updated([5, 5, 5, 5], 3), untouched(7, 7, 7, 7), untouched(9, 9, 9, 9)];
    const { effect, error, degrees } = cohortChange(calm, 6);
    expect(effect).toBeCloseTo(0, 12);
    expect(error).toBeCloseTo(0.05 * Math.sqrt((1 + 1 / 3) * (1 + 1 / 2)), 12);
    expect(degrees).toBe(4);
  });
});

describe('a cluster that can be compared', () => {
  it('has a value now, and three before its update', () => {
    expect(isComparable(updated([1, 2, 3, 4], 3))).toBe(true);
    expect(isComparable(updated([1, 2, 3, 4], 9))).toBe(true);
    expect(isComparable(updated([1, 2, 3, 4], 2))).toBe(false);
    expect(isComparable(updated([1, 2, 3], 9))).toBe(false);
    expect(isComparable(updated([1, null, 3, 4], 3))).toBe(false);
    expect(isComparable(updated([1, 2, 3, null], 3))).toBe(false);
    expect(isComparable(updated([], 3))).toBe(false);
  });
});
