import { SimulatedErrorRatio } from './error-ratio.ts';

const START = Date.UTC(2026, 0, 1);
const ORDINARY = ['registry.example/podinfo:1.0.0'];
const WRONG = ['registry.example/podinfo:1.1.0-errors-3x'];

describe('the simulated share of errors', () => {
  let ratio: SimulatedErrorRatio;
  let undisturbed: SimulatedErrorRatio;
  const times = (at: number): number => (ratio.at(at) ?? NaN) / (undisturbed.at(at) ?? NaN);

  beforeEach(() => {
    ratio = new SimulatedErrorRatio('one');
    undisturbed = new SimulatedErrorRatio('one');
  });

  it('has a past from before anything was seen, the same each time, around one percent', () => {
    for (let at = START - 3_600_000; at < START; at += 1_000) {
      expect(ratio.at(at)).toBe(undisturbed.at(at));
      expect(ratio.at(at)).toBeGreaterThan(0.005);
      expect(ratio.at(at)).toBeLessThan(0.02);
    }
  });

  it('follows the images that serve, from when they were seen on', () => {
    ratio.see(START, ORDINARY);
    ratio.see(START + 5_000, [...ORDINARY, ...WRONG]);
    ratio.see(START + 6_000, WRONG);
    ratio.see(START + 9_000, ORDINARY);
    expect([0, 4_999, 5_000, 6_000, 8_999, 9_000].map((after) => times(START + after))).toEqual([1, 1, 2, 3, 3, 1]);
  });

  it('is unknown while nothing serves and where nobody could look, and only then', () => {
    ratio.see(START, []);
    expect(ratio.at(START)).not.toBeNull();
    ratio.see(START + 1_000, ORDINARY);
    ratio.see(START + 2_000, []);
    ratio.see(START + 3_000, null);
    ratio.see(START + 4_000, ORDINARY);
    const known = [500, 1_500, 2_500, 3_500, 4_500].map((after) => ratio.at(START + after) !== null);
    expect(known).toEqual([true, true, false, false, true]);
  });

  it('differs from cluster to cluster', () => {
    const levels = new Set(['a', 'b', 'c', 'd'].map((name) => new SimulatedErrorRatio(name).at(START)));
    expect(levels.size).toBe(4);
  });
});
