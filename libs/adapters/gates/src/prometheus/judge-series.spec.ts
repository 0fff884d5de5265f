import type { Series } from './prometheus-api.ts';
import { judgeSeries } from './prometheus.probe.ts';

const series = (...values: readonly number[]): readonly Series[] =>
  values.map((value, index) => ({ labels: { cluster: `c${index}` }, points: [[1, value]] }));

describe('conditions of the prometheus gate', () => {
  it.each([
    // As Argo Rollouts documents them.
    ['success alone, met', { success: 'result < 5.0' }, [1], 'Success'],
    ['success alone, not met', { success: 'result < 5.0' }, [9], 'Failure'],
    ['failure alone, met', { failure: 'result > 5.0' }, [9], 'Failure'],
    ['failure alone, not met', { failure: 'result > 5.0' }, [1], 'Success'],
    ['both, success met', { success: 'result < 2.0', failure: 'result > 5.0' }, [1], 'Success'],
    ['both, failure met', { success: 'result < 2.0', failure: 'result > 5.0' }, [9], 'Failure'],
    ['both, neither met', { success: 'result < 2.0', failure: 'result > 5.0' }, [3], 'Inconclusive'],
    ['both, both met', { success: 'result < 9.0', failure: 'result > 5.0' }, [7], 'Failure'],
    ['no data', { failure: 'result > 5.0' }, [], 'Inconclusive'],
    ['no data, whatever the condition', { success: 'size(results) == 0' }, [], 'Inconclusive'],
    ['NaN', { failure: 'result > 5.0' }, [NaN], 'Inconclusive'],
    ['an infinity', { success: 'result > 5.0' }, [Infinity], 'Inconclusive'],
    ['one NaN of two', { failure: 'results.exists(r, r.value > 5.0)' }, [1, NaN], 'Inconclusive'],
    ['result of two series', { success: 'result < 5.0' }, [1, 1], 'Inconclusive'],
    ['results of two series', { success: 'results.all(r, r.value < 5.0)' }, [1, 1], 'Success'],
    [
      'results whose labels are hostile',
      { success: 'results.all(r, r.labels.constructor == "x")' },
      [1],
      'Inconclusive',
    ],
  ] as const)('%s', (_name, spec, values, verdict) => {
    expect(judgeSeries(spec, series(...values)).verdict).toBe(verdict);
  });

  it('say what was seen, and no more than a line of it', () => {
    const many = judgeSeries({ success: 'size(results) == 1' }, series(...Array.from({ length: 900 }, () => 1)));
    expect(many.evidence).toBe(
      '1 (cluster=c0), 1 (cluster=c1), 1 (cluster=c2) and 897 more series: does not meet success size(results) == 1',
    );
  });
});
