import { beganAt, cutOffIn, goOn, gotThrough, standStill, workOf } from './outage.ts';

const running = (work: 'apply' | 'verify' | 'finalize') => ({ work, since: 10, lasted: 0 }) as const;
const standing = { work: 'apply', since: null, lasted: 7 } as const;

describe('an outage', () => {
  it('is one of writing, of looking, or of finishing', () => {
    expect((['apply', 'verify', 'gates', 'finalize'] as const).map(workOf)).toEqual([
      'apply',
      'verify',
      'verify',
      'finalize',
    ]);
  });

  it('began when the one before it did, if that was not over', () => {
    expect(beganAt(null, 50)).toBe(50);
    expect(beganAt(running('apply'), 50)).toBe(10);
    expect(beganAt(standing, 50)).toBe(43);
  });

  it('is over only after the furthest work that it has cut off', () => {
    expect(cutOffIn(null, 'apply', 5)).toEqual({ work: 'apply', since: 5, lasted: 0 });
    expect(cutOffIn(running('finalize'), 'apply', 5)).toEqual({ work: 'finalize', since: 5, lasted: 0 });
    expect(cutOffIn(running('apply'), 'verify', 5).work).toBe('verify');
    expect(cutOffIn(standing, 'apply', 5)).toEqual({ work: 'apply', since: 5, lasted: 0 });
  });

  it('stands still while the target does something else, and goes on where it was', () => {
    expect(standStill(running('apply'), 30)).toEqual({ work: 'apply', since: null, lasted: 20 });
    expect(standStill(standing, 30)).toBe(standing);
    expect(standStill(null, 30)).toBeNull();
    expect(goOn(standing, 30)).toEqual({ work: 'apply', since: 23, lasted: 0 });
    expect(goOn(running('apply'), 30)).toEqual(running('apply'));
    expect(goOn(null, 30)).toBeNull();
  });

  it('ends with the same kind of work, or one that comes after it', () => {
    expect(gotThrough(running('apply'), 'apply', 30)).toBeNull();
    expect(gotThrough(running('apply'), 'verify', 30)).toBeNull();
    expect(gotThrough(running('finalize'), 'verify', 30)).toEqual({ work: 'finalize', since: null, lasted: 20 });
    expect(gotThrough(null, 'verify', 30)).toBeNull();
  });
});
