import fc from 'fast-check';
import { concurrencyOf, countOf, formatDuration, parseDuration } from './index.ts';

describe('durations', () => {
  it.each([
    ['0s', 0],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['366d', 31_622_400_000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '10', 's', '1h30m', '-1s', '1.5h', '10 s', '10S', '367d', '9999999999s', '１s'])(
    '%j is no duration',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  it('writes what it reads', () => {
    fc.assert(
      fc.property(fc.nat({ max: 31_622_400 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
  });

  it('uses the largest exact unit', () => {
    expect(['0s', '90s', '5m', '25h', '7d'].map((text) => formatDuration(parseDuration(text)!))).toEqual([
      '0s',
      '90s',
      '5m',
      '25h',
      '7d',
    ]);
  });
});

describe('counts and percentages', () => {
  it.each([
    [1, 4, 1],
    [10, 4, 4],
    ['50%', 5, 2],
    ['25%', 3, 0],
    ['100%', 7, 7],
    ['0%', 7, 0],
    ['29%', 100, 29],
  ] as const)('%s of %d is %d', (value, size, count) => {
    expect(countOf(value, size)).toBe(count);
  });

  it('never lets a concurrency be 0', () => {
    expect(concurrencyOf('25%', 3)).toBe(1);
    expect(concurrencyOf(1, 0)).toBe(1);
  });

  it.each(['101%', '-1%', '1.5%', '%'] as const)('refuses %s', (value) => {
    expect(() => countOf(value as `${number}%`, 10)).toThrow(RangeError);
  });

  it('refuses half a cluster', () => {
    expect(() => countOf(1.5, 10)).toThrow(RangeError);
  });
});
