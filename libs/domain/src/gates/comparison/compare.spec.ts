import * as fc from 'fast-check';
import type { ClusterSegments, Cohort } from './cohorts.ts';
import type { ComparisonRules } from './compare.ts';
import { compareCohorts, lookNumber, shareOfLook } from './compare.ts';

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
  });

  it('fails what is bad for certain, whoever else has no data', () => {
    expect(judge([...untouched, cluster('new', 'updated', 0.02, 0.06), dark('other')]).verdict).toBe('Failure');
  });

  it('compares with the own past when none is untouched, or says nothing, as the rules have it', () => {
    const alone = [cluster('new', 'updated', 0.02, 0.06)];
    expect(judge(alone).verdict).toBe('Failure');
    expect(judge(alone).evidence).toContain('no untouched cluster to compare with');
    expect(judge(alone, { without: 'inconclusive' }).verdict).toBe('Inconclusive');
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
    expect(judge([quiet('new', 'updated', 0.001), ...others], {}, { sparse: ['new'] }).verdict).toBe('Inconclusive');
    expect(judge([quiet('new', 'updated', 0.001), ...others]).verdict).toBe('Failure');
    expect(judge([quiet('new', 'updated', 0.001), ...others], { negligible: 0.01 }).verdict).toBe('Success');
  });

  it('refuses negative values', () => {
    expect(judge([cluster('new', 'updated', 1, -1), ...untouched]).verdict).toBe('Inconclusive');
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
    expect(lookNumber(-5, 60_000)).toBe(1);
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
