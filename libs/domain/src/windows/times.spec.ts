import { compileCron, neverEnds, problemWithCron, runsOfDay } from './cron.ts';
import { instantOf, parseDate, parseDateAndTime, parseHours } from './local-time.ts';
import { clipSpans, mergeSpans } from './span.ts';
import { DAY, HOUR, isTimeZone, MINUTE, ZoneClock } from './zone-clock.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);

describe('what a clock on the wall shows, as it is written', () => {
  it('is a date of the calendar', () => {
    expect(parseDate('2026-12-24')).toBe(utc('2026-12-24T00:00'));
    expect(parseDate('2024-02-29')).toBe(utc('2024-02-29T00:00'));
    for (const text of ['2026-02-29', '2026-13-01', '2026-1-1', '2026-12-24T00:00', 'x2026-12-24', ''])
      expect(parseDate(text)).toBeNull();
  });

  it('is a local time, or an instant where it has an offset', () => {
    expect(parseDateAndTime('2026-12-24T18:00')).toEqual({ kind: 'local', wall: utc('2026-12-24T18:00') });
    expect(parseDateAndTime('2026-12-24T18:00:30')).toEqual({ kind: 'local', wall: utc('2026-12-24T18:00:30') });
    expect(parseDateAndTime('2026-12-24T18:00Z')).toEqual({ kind: 'instant', instant: utc('2026-12-24T18:00') });
    expect(parseDateAndTime('2026-12-24T18:00+02:00')).toEqual({ kind: 'instant', instant: utc('2026-12-24T16:00') });
    for (const text of ['2026-12-24', '2026-12-24T25:00', '2026-02-30T10:00', '2026-12-24 18:00', '2026-12-24T18:00+2'])
      expect(parseDateAndTime(text)).toBeNull();
  });

  it('is the longer of what it could mean where it comes twice', () => {
    const clock = new ZoneClock('Europe/Berlin');
    const twice = { kind: 'local', wall: utc('2026-10-25T02:30') } as const;
    expect(instantOf(twice, clock, 'from')).toBe(utc('2026-10-25T00:30'));
    expect(instantOf(twice, clock, 'to')).toBe(utc('2026-10-25T01:30'));
    expect(instantOf({ kind: 'instant', instant: 5 }, clock, 'to')).toBe(5);
  });

  it('is hours of the day', () => {
    expect(parseHours('09:00-17:30')).toEqual({ from: 540, to: 1050 });
    expect(parseHours('22:15-06:00')).toEqual({ from: 1335, to: 360 });
    expect(parseHours('00:00-24:00')).toEqual({ from: 0, to: 1440 });
    for (const text of ['09:00-09:00', '9:00-17:00', '24:00-01:00', '09:60-17:00', '09:00', '09:00-17:00 '])
      expect(parseHours(text)).toBeNull();
  });
});

describe('a zone', () => {
  it('has a name of the database, and no bare offset', () => {
    expect(['Europe/Berlin', 'UTC', 'Etc/GMT+3'].map(isTimeZone)).toEqual([true, true, true]);
    expect(['+02:00', 'Europe/Nowhere', '', 'Europe/Berlin '].map(isTimeZone)).toEqual([false, false, false, false]);
    expect(() => new ZoneClock('Mars/Base')).toThrow(RangeError);
  });

  it('has a steady offset where its clock does not change', () => {
    const clock = new ZoneClock('Europe/Berlin');
    const on = (date: string) => clock.steadyOffset(utc(`${date}T00:00`), utc(`${date}T00:00`) + DAY);
    expect([on('2026-01-10'), on('2026-07-10'), on('2026-03-29')]).toEqual([HOUR, 2 * HOUR, null]);
  });
});

describe('a cron expression', () => {
  it.each([
    ['0 18 * * 5', null],
    ['0 18 * * FRI#L', null],
    ['  0   18 * *\t5 ', null],
    ['0 18 * *', /^has 4 fields, not 5$/],
    ['0 0 18 * * 5', /^has 6 fields, not 5$/],
    ['60 18 * * 5', /^"60" is not a minute$/],
    ['0 24 * * 5', /^"24" is not a hour$/],
    ['0 18 32 * *', /^"32" is not a day of the month$/],
    ['0 18 15W * *', /^"15W" is not a day of the month$/],
    ['0 18 * 13 *', /^"13" is not a month$/],
    ['0 18 * * 8', /^"8" is not a day of the week$/],
    ['0 18 ? * 5', /^"\?" is not a day of the month$/],
    [`${'1,'.repeat(60)}1 * * * *`, /^"(1,){20}" is not a minute$/],
    ['0 0 30 2 *', /^never comes: /],
  ])('%s', (text, said) => {
    const problem = problemWithCron(text);
    if (said === null) expect(problem).toBeNull();
    else expect(problem?.message).toMatch(said);
  });

  it('is not compiled where it is none', () => {
    expect(() => compileCron('0 18 * *')).toThrow(RangeError);
  });

  it('starts at its minutes of its days, and again where it means every hour', () => {
    const weekly = compileCron('30,0 18,6 * * 5');
    expect(weekly.minutes).toEqual([360, 390, 1080, 1110]);
    expect(weekly.startsOn(utc('2026-01-02T00:00'))).toBe(true);
    expect(weekly.startsOn(utc('2026-01-03T00:00'))).toBe(false);
    expect(
      ['0 18 * * *', '*/30 18 * * *', '0 * * * *', '0 */2 * * *'].map((text) => compileCron(text).repeats),
    ).toEqual([false, true, true, true]);
  });

  it('has one run of windows that touch, and two where there is a gap', () => {
    const cron = compileCron('0 6,7,10 * * *');
    const at = (hour: number) => hour * HOUR;
    expect(runsOfDay(cron, HOUR)).toEqual([
      { from: at(6), to: at(8) },
      { from: at(10), to: at(11) },
    ]);
    expect(runsOfDay(cron, HOUR - MINUTE)).toHaveLength(3);
  });

  it('never ends where each window lasts until the next', () => {
    expect(neverEnds('0 0 * * *', DAY)).toBe(true);
    expect(neverEnds('0 0 * * *', DAY - MINUTE)).toBe(false);
    expect(neverEnds('0 0 * * 1', 7 * DAY)).toBe(true);
    expect(neverEnds('0 0 * * 1', 6 * DAY)).toBe(false);
    expect(neverEnds('0 * * * *', HOUR)).toBe(true);
    expect(neverEnds('0 6,18 * * *', HOUR)).toBe(false);
    expect(neverEnds('0 0 1 1 *', 366 * DAY)).toBe(true);
    expect(neverEnds('0 0 29 2 *', 366 * DAY)).toBe(false);
  });
});

describe('spans', () => {
  it('are one where they overlap or touch, and none where they are empty', () => {
    const span = (from: number, to: number) => ({ from, to });
    expect(
      mergeSpans([span(5, 9), span(1, 3), span(3, 4), span(2, 3), span(7, 8), span(20, 20), span(31, 30)]),
    ).toEqual([span(1, 4), span(5, 9)]);
    expect(clipSpans([span(0, 5), span(6, 7), span(8, 20), span(20, 30)], 3, 10)).toEqual([
      span(3, 5),
      span(6, 7),
      span(8, 10),
    ]);
  });
});
