import * as fc from 'fast-check';
import type { ClusterSegments, Cohort } from './cohorts.ts';
import type { ComparisonRules } from './compare.ts';
import { compareCohorts, describeChange, lookNumber, shareOfLook } from './compare.ts';

const RULES: ComparisonRules = {
  direction: 'higher-is-worse',
  tolerance: 1.5,
  negligible: 0,
  falseAlarms: 0.005,
  without: 'past',
  past: 6,
};

/** Six segments around `level`, then `now`. */
const cluster = (name: string, cohort: Cohort, level: number, now: number): ClusterSegments => ({
  cluster: name,
  cohort,
  values: [1.02, 0.97, 1.01, 0.99, 1.03, 0.98]
    .map((noise, index) => level * (index % 2 === 0 ? noise : 1 / noise))
    .concat(now),
  before: 6,
});

const dark = (name: string): ClusterSegments => ({
  cluster: name,
  cohort: 'updated',
  values: [null, null, null, null, null, null, null],
  before: 6,
});

const untouched = [1, 2, 3, 4].map((index) => cluster(`old-${index}`, 'untouched', 0.01 * index, 0.01 * index));
const judge = (
  clusters: readonly ClusterSegments[],
  rules: Partial<ComparisonRules> = {},
  rest: { sparse?: readonly string[]; look?: number } = {},
): ReturnType<typeof compareCohorts> =>
  compareCohorts({ clusters, sparse: new Set(rest.sparse ?? []), look: rest.look ?? 1 }, { ...RULES, ...rules });

describe('comparing cohorts', () => {
  it('fails a metric that doubled on the updated clusters alone, with the figures', () => {
    const said = judge([cluster('new', 'updated', 0.02, 0.04), ...untouched]);
    expect(said.verdict).toBe('Failure');
    expect(said.evidence).toBe(
      '0.04 on 1 updated cluster, 1.94x their own past; 0.025 on 4 untouched clusters, 0.981x (one-sided t-test of the changes, p < 0.0001)',
    );
  });

  it('passes what doubled everywhere', () => {
    const doubled = untouched.map((other) => ({
      ...other,
      values: [...other.values.slice(0, 6), (other.values[0] ?? 0) * 2],
    }));
    expect(judge([cluster('new', 'updated', 0.02, 0.04), ...doubled]).verdict).toBe('Success');
  });

  it('passes a cluster that always was worse than the others', () => {
    expect(judge([cluster('new', 'updated', 0.2, 0.2), ...untouched]).verdict).toBe('Success');
  });

  it('fails what did not follow when all others got better', () => {
    const halved = untouched.map((other) => ({
      ...other,
      values: [...other.values.slice(0, 6), (other.values[0] ?? 0) / 2],
    }));
    expect(judge([cluster('new', 'updated', 0.02, 0.02), ...halved]).verdict).toBe('Failure');
  });

  it('knows metrics that are good when they are high', () => {
    const rules = { direction: 'lower-is-worse' } as const;
    expect(judge([cluster('new', 'updated', 100, 50), ...untouched], rules).verdict).toBe('Failure');
    expect(judge([cluster('new', 'updated', 100, 200), ...untouched], rules).verdict).toBe('Success');
  });

  it('says nothing without data: no past, no now, no cluster, or a part of them', () => {
    const good = cluster('new', 'updated', 0.02, 0.02);
    expect(judge([]).verdict).toBe('Inconclusive');
    expect(judge([...untouched, dark('new')]).evidence).toBe('no data: too few samples of new');
    expect(judge([...untouched, good, dark('other')])).toMatchObject({ verdict: 'Inconclusive' });
    expect(judge([...untouched, { ...good, before: 2 }]).verdict).toBe('Inconclusive');
    expect(judge(untouched).evidence).toBe('no cluster of this wave is updated');
    expect(judge([...untouched, good, dark('other')]).evidence).toMatch(
      /^no data: too few samples of other; of the others: 0\.02 on 1 updated cluster, /,
    );
    const names = (count: number) => Array.from({ length: count }, (_, index) => dark(`c${index}`));
    expect(judge(names(5)).evidence).toBe('no data: too few samples of c0, c1, c2, c3, c4');
    expect(judge(names(7)).evidence).toBe('no data: too few samples of c0, c1, c2, c3, c4 and 2 more');
  });

  it('does not miss an untouched cluster without data, as long as there is another one', () => {
    const gone = { ...dark('old'), cohort: 'untouched' } as const;
    expect(judge([cluster('new', 'updated', 0.02, 0.02), ...untouched, gone]).verdict).toBe('Success');
  });

  it('fails what is bad for certain, whoever else has no data', () => {
    expect(judge([...untouched, cluster('new', 'updated', 0.02, 0.06), dark('other')]).verdict).toBe('Failure');
  });

  it('compares with the own past when none is untouched, or says nothing, as the rules have it', () => {
    const alone = [cluster('new', 'updated', 0.02, 0.06)];
    expect(judge(alone).verdict).toBe('Failure');
    expect(judge(alone).evidence).toContain('no untouched cluster to compare with');
    expect(judge(alone, { without: 'inconclusive' })).toEqual({
      verdict: 'Inconclusive',
      evidence: 'no untouched cluster with data is left to compare with',
    });
    expect(judge([...alone, ...untouched], { without: 'inconclusive' }).verdict).toBe('Failure');
  });

  it('does not fail on zeros with a few events among them', () => {
    const quiet = (name: string, cohort: Cohort, now: number): ClusterSegments => ({
      cluster: name,
      cohort,
      values: [0, 0, 0, 0, 0, 0, now],
      before: 6,
    });
    const others = ['a', 'b', 'c'].map((name) => quiet(name, 'untouched', 0));
    expect(judge([quiet('new', 'updated', 0), ...others]).verdict).toBe('Success');
    const event = quiet('new', 'updated', 0.001);
    expect(judge([event, ...others], {}, { sparse: ['new'] })).toMatchObject({
      verdict: 'Inconclusive',
      evidence: expect.stringMatching(/, but most of its samples are zero$/),
    });
    const two = [event, quiet('other', 'updated', 0.001), ...others];
    expect(judge(two, {}, { sparse: ['new'] }).verdict).toBe('Failure');
    expect(judge(two, {}, { sparse: ['new', 'other'] }).verdict).toBe('Inconclusive');
    expect(judge([quiet('new', 'updated', 0.001), ...others]).verdict).toBe('Failure');
    expect(judge([quiet('new', 'updated', 0.001), ...others], { negligible: 0.01 }).verdict).toBe('Success');
  });

  it('refuses negative values', () => {
    const negative = { verdict: 'Inconclusive', evidence: expect.stringContaining('negative values') as string };
    expect(judge([cluster('new', 'updated', 1, -1), ...untouched])).toEqual(negative);
    const before = { ...cluster('old', 'untouched', 1, 1), values: [1, -1, 1, 1, 1, 1, 1] };
    expect(judge([cluster('new', 'updated', 1, 1), before])).toEqual(negative);
    expect(judge([cluster('new', 'updated', 1, 0), ...untouched]).verdict).toBe('Success');
  });

  it('takes what is worse by less than is negligible for nothing, to the bound', () => {
    const by = (negligible: number) =>
      judge([cluster('new', 'updated', 0.02, 0.04), ...untouched], { negligible }).verdict;
    // As the others changed, 0.02002 was to be expected of it: it is worse by 0.01998.
    expect(by(0.0199)).toBe('Failure');
    expect(by(0.0201)).toBe('Success');
    const lower = { direction: 'lower-is-worse' } as const;
    const half = [cluster('new', 'updated', 100, 50), ...untouched];
    expect(judge(half, { ...lower, negligible: 40 }).verdict).toBe('Failure');
    expect(judge(half, { ...lower, negligible: 60 }).verdict).toBe('Success');
  });

  it('fails what is worse by the tolerated factor, and nothing that is worse by less', () => {
    const worse = [cluster('new', 'updated', 0.02, 0.04), ...untouched];
    // It changed by 1.94, the others by 0.981: worse by 1.98.
    expect(judge(worse, { tolerance: 1.9 }).verdict).toBe('Failure');
    expect(judge(worse, { tolerance: 2 }).verdict).toBe('Success');
  });

  it('asks for more certainty with every look', () => {
    const worse = [cluster('new', 'updated', 0.02, 0.034), ...untouched];
    const verdicts = [1, 2, 10, 100_000].map((look) => judge(worse, {}, { look }).verdict);
    expect(verdicts).toEqual(['Failure', 'Failure', 'Failure', 'Inconclusive']);
  });

  it('says that it may be chance when noise is as large, unless all clusters share it', () => {
    const noise = [1, 3, 0.5, 2.5, 0.7, 2];
    const noisy = (name: string, cohort: Cohort, now: number, turn: number): ClusterSegments => ({
      cluster: name,
      cohort,
      values: [...noise.slice(turn), ...noise.slice(0, turn), now],
      before: 6,
    });
    const others = (turn: number): readonly ClusterSegments[] =>
      ['a', 'b', 'c'].map((name, index) => noisy(name, 'untouched', 1.5, turn * (index + 1)));
    expect(judge([noisy('new', 'updated', 4, 0), ...others(1)])).toMatchObject({
      verdict: 'Inconclusive',
      evidence: expect.stringMatching(/that may be chance$/),
    });
    expect(judge([noisy('new', 'updated', 4, 0), ...others(0)]).verdict).toBe('Failure');
  });

  it('does not pass what is too noisy to rule out twice the tolerated change', () => {
    const restless = (name: string, cohort: Cohort, turn: number): ClusterSegments => {
      const noise = [1, 3, 0.5, 2.5, 0.7, 2];
      return { cluster: name, cohort, values: [...noise.slice(turn), ...noise.slice(0, turn), 1.5], before: 6 };
    };
    const said = judge([
      restless('new', 'updated', 0),
      ...[1, 2, 3].map((turn) => restless(`c${turn}`, 'untouched', turn)),
    ]);
    expect(said).toMatchObject({
      verdict: 'Inconclusive',
      evidence: expect.stringMatching(/too noisy to rule out 2x, it may be up to [\d.]+x$/),
    });
  });

  it('takes it for chance when untouched clusters drifted as far, however calm their past was', () => {
    const drifted = [0.3, 0.6, 1, 1.8, 3].map((factor, index) =>
      cluster(`old-${index}`, 'untouched', 0.01, 0.01 * factor),
    );
    expect(judge([cluster('new', 'updated', 0.01, 0.022), ...drifted]).verdict).toBe('Inconclusive');
    expect(judge([cluster('new', 'updated', 0.01, 0.022), ...untouched]).verdict).toBe('Failure');
  });

  it('spends its false alarms once, however often it looks', () => {
    let spent = 0;
    for (let look = 1; look <= 10_000; look += 1) spent += shareOfLook(look);
    expect(spent).toBeLessThanOrEqual(1);
    expect(lookNumber(0, 60_000)).toBe(1);
    expect(lookNumber(60_000, 60_000)).toBe(4);
    expect([19_999, 20_000, 39_999, 40_000].map((elapsed) => lookNumber(elapsed, 60_000))).toEqual([1, 2, 2, 3]);
    expect([1, 2, 3].map((look) => 1 / shareOfLook(look)).map(Math.round)).toEqual([2, 6, 12]);
    expect(lookNumber(-5, 60_000)).toBe(1);
  });

  it('shows three digits of what it saw', () => {
    const change = {
      updated: 2,
      untouched: 9,
      updatedMean: 0.0412345,
      untouchedMean: 0.0192345,
      ownChange: 2.1,
      untouchedChange: 1.0234,
      expectedMean: 0.02,
      effect: 0.7,
      error: 0.1,
      degrees: 20,
    };
    expect(describeChange(change, 0.00023456)).toBe(
      '0.0412 on 2 updated clusters, 2.1x their own past; 0.0192 on 9 untouched clusters, 1.02x (one-sided t-test of the changes, p = 0.000235)',
    );
    expect(describeChange(change, 0.0001)).toContain('p = 0.0001)');
    expect(describeChange({ ...change, untouched: 1 }, 0.00009)).toMatch(
      /on 1 untouched cluster, 1\.02x .* p < 0\.0001\)$/,
    );
  });

  const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
  const value = fc.option(fc.oneof(positive, fc.constant(0)), { nil: null, freq: 8 });
  const anyCluster = fc.record({
    cohort: fc.constantFrom<Cohort>('updated', 'untouched'),
    values: fc.array(value, { minLength: 7, maxLength: 7 }),
    before: fc.integer({ min: 0, max: 7 }),
  });
  const anyClusters = fc
    .array(anyCluster, { maxLength: 12 })
    .map((all) => all.map((one, index): ClusterSegments => ({ ...one, cluster: `c${index}` })));

  it('answers whatever it is given, without NaN, in any order and unit', () => {
    fc.assert(
      fc.property(anyClusters, fc.integer({ min: 1, max: 50 }), (clusters, look) => {
        const said = judge(clusters, {}, { look });
        expect(said.evidence).not.toMatch(/NaN|undefined|null/);
        expect(judge([...clusters].reverse(), {}, { look }).verdict).toBe(said.verdict);
        const scaled = clusters.map((one) => ({
          ...one,
          values: one.values.map((each) => (each === null ? null : each * 1024)),
        }));
        expect(judge(scaled, {}, { look }).verdict).toBe(said.verdict);
      }),
      { numRuns: 300 },
    );
  });

  it('never fails what got better, and never passes an updated cluster without data', () => {
    fc.assert(
      fc.property(anyClusters, (clusters) => {
        const better = clusters.map((one) => ({
          ...one,
          values: one.cohort === 'updated' ? [...one.values.slice(0, 6), 0] : [...one.values.slice(0, 6), 1e7],
        }));
        expect(judge(better).verdict).not.toBe('Failure');
        expect(judge([...clusters, dark('dark')]).verdict).not.toBe('Success');
      }),
      { numRuns: 300 },
    );
  });
});
