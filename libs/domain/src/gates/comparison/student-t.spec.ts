import * as fc from 'fast-check';
import { studentQuantile, studentTail } from './student-t.ts';

describe("Student's t distribution", () => {
  it.each([
    // From printed tables of critical values.
    [12.706, 1, 0.025],
    [2.571, 5, 0.025],
    [3.365, 5, 0.01],
    [1.812, 10, 0.05],
    [4.144, 10, 0.001],
    [2.021, 40, 0.025],
    [1.96, 1_000_000, 0.025],
  ])('has, above %d with %d degrees of freedom, %d of its probability', (t, degrees, tail) => {
    expect(studentTail(t, degrees) / tail).toBeCloseTo(1, 2);
    expect(studentQuantile(tail, degrees) / t).toBeCloseTo(1, 2);
  });

  it('is what is known of it in closed form for few degrees of freedom', () => {
    const closed: Readonly<Record<number, (t: number) => number>> = {
      1: (t) => 1 / 2 - Math.atan(t) / Math.PI,
      2: (t) => 1 / 2 - t / (2 * Math.sqrt(2 + t * t)),
      3: (t) => 1 / 2 - (t / Math.sqrt(3) / (1 + (t * t) / 3) + Math.atan(t / Math.sqrt(3))) / Math.PI,
      4: (t) => 1 / 2 - ((3 / 8) * t * (1 - (t * t) / (12 + 3 * t * t))) / Math.sqrt(1 + (t * t) / 4),
    };
    for (const [degrees, tail] of Object.entries(closed))
      for (const t of [-30, -1, 0, 0.01, 0.5, 1, 2, 5, 100])
        expect(studentTail(t, Number(degrees))).toBeCloseTo(tail(t), 13);
  });

  it('is symmetric, falls, and has its quantile as the inverse', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 20, noNaN: true }), fc.integer({ min: 1, max: 500 }), (t, degrees) => {
        const tail = studentTail(t, degrees);
        expect(studentTail(-t, degrees)).toBeCloseTo(1 - tail, 10);
        expect(studentTail(t * 1.01, degrees)).toBeLessThan(tail);
        if (tail > 1e-12) expect(studentQuantile(tail, degrees)).toBeCloseTo(t, 4);
      }),
    );
  });

  it('has nothing above infinity', () => {
    expect(studentTail(Infinity, 3)).toBe(0);
    expect(studentTail(-Infinity, 3)).toBe(1);
  });
});
