import fc from 'fast-check';
import type { HourTimes } from '../fleet/index.ts';
import { WEEKDAYS } from '../fleet/index.ts';
import type { PlainCron } from './windows.testing.ts';
import {
  cronText,
  cronTimes,
  instant,
  minutesAround,
  plainHours,
  plainStarts,
  shown,
  timelineOf,
} from './windows.testing.ts';
import { DAY, MINUTE, ZoneClock } from './zone-clock.ts';

const RUNS = 40;

describe('a start at a local time', () => {
  it.each([
    [
      'that the clock jumps over is at the moment of the jump, and lasts as long as ever',
      'Europe/Berlin',
      '30 2 * * *',
      ['03-28T02:30+01:00 to 03-28T03:30+01:00', '03-29T03:00+02:00 to 03-29T04:00+02:00'],
      '2026-03-28T00:00Z',
      2,
    ],
    [
      'that comes twice is at the first of them',
      'Europe/Berlin',
      '30 2 * * *',
      ['10-25T02:30+02:00 to 10-25T02:30+01:00', '10-26T02:30+01:00 to 10-26T03:30+01:00'],
      '2026-10-24T22:00Z',
      2,
    ],
    [
      'that comes twice is at both where it means every hour',
      'Europe/Berlin',
      '30 */2 * * 0',
      [
        '10-25T00:30+02:00 to 10-25T01:30+02:00',
        '10-25T02:30+02:00 to 10-25T03:30+01:00',
        '10-25T04:30+01:00 to 10-25T05:30+01:00',
      ],
      '2026-10-24T22:00Z',
      0.3,
    ],
    [
      'that the clock jumps over, in America',
      'America/New_York',
      '0,30 2 * * *',
      ['03-08T03:00-04:00 to 03-08T04:00-04:00', '03-09T02:00-04:00 to 03-09T03:30-04:00'],
      '2026-03-08T00:00-05:00',
      2,
    ],
    [
      'that comes twice, in America',
      'America/New_York',
      '30 1 * * *',
      ['11-01T01:30-04:00 to 11-01T01:30-05:00', '11-02T01:30-05:00 to 11-02T02:30-05:00'],
      '2026-11-01T00:00-04:00',
      2,
    ],
    [
      'within the half hour that Lord Howe jumps over',
      'Australia/Lord_Howe',
      '15 2 * * *',
      ['10-04T02:30+11:00 to 10-04T03:30+11:00', '10-05T02:15+11:00 to 10-05T03:15+11:00'],
      '2026-10-04T00:00+10:30',
      2,
    ],
    [
      'within the half hour that comes twice on Lord Howe',
      'Australia/Lord_Howe',
      '45 1 * * *',
      ['04-05T01:45+11:00 to 04-05T02:15+10:30', '04-06T01:45+10:30 to 04-06T02:45+10:30'],
      '2026-04-05T00:00+11:00',
      2,
    ],
    [
      'on the day that Samoa left out is at the midnight after it',
      'Pacific/Apia',
      '0 12 30 12 *',
      ['12-31T00:00+14:00 to 12-31T01:00+14:00'],
      '2011-12-29T00:00Z',
      3,
    ],
    [
      'in a zone that never changes its clock',
      'Asia/Kolkata',
      '30 2 * * *',
      ['03-29T02:30+05:30 to 03-29T03:30+05:30', '03-30T02:30+05:30 to 03-30T03:30+05:30'],
      '2026-03-28T19:00Z',
      2,
    ],
  ])('%s', (_, zone, cron, expected, from, days) => {
    const end = new Date(instant(from) + days * DAY).toISOString();
    expect(shown(timelineOf(cronTimes(zone, cron, 60)), zone, from, end)).toEqual(expected);
  });

  it('lasts for elapsed time over a change of the clock', () => {
    const weekend = timelineOf(cronTimes('Europe/Berlin', '0 18 * * 5', 62 * 60));
    expect(shown(weekend, 'Europe/Berlin', '2026-03-27T00:00Z', '2026-03-31T00:00Z')).toEqual([
      '03-27T18:00+01:00 to 03-30T09:00+02:00',
    ]);
    expect(shown(weekend, 'Europe/Berlin', '2026-10-23T00:00Z', '2026-10-28T00:00Z')).toEqual([
      '10-23T18:00+02:00 to 10-26T07:00+01:00',
    ]);
  });
});

describe('hours of the day', () => {
  const hours = (timeZone: string, from: number, to: number, parts: Partial<HourTimes> = {}): HourTimes => ({
    kind: 'hours',
    timeZone,
    days: WEEKDAYS,
    from,
    to,
    exceptDates: [],
    ...parts,
  });

  it.each([
    [
      'stay what the wall shows',
      'Europe/Berlin',
      540,
      1020,
      '03-28T09:00+01:00 to 03-28T17:00+01:00',
      '2026-03-28T00:00Z',
    ],
    ['after the change too', 'Europe/Berlin', 540, 1020, '03-29T09:00+02:00 to 03-29T17:00+02:00', '2026-03-29T00:00Z'],
    [
      'are short in a night with a jump',
      'Europe/Berlin',
      60,
      240,
      '03-29T01:00+01:00 to 03-29T04:00+02:00',
      '2026-03-28T23:00Z',
    ],
    [
      'begin after a jump over their beginning',
      'Europe/Berlin',
      150,
      240,
      '03-29T03:00+02:00 to 03-29T04:00+02:00',
      '2026-03-28T23:00Z',
    ],
    ['do not exist where the clock jumps over all of them', 'Europe/Berlin', 125, 175, undefined, '2026-03-28T23:00Z'],
  ])('%s', (_, zone, from, to, expected, begin) => {
    const end = new Date(instant(begin) + DAY * 0.8).toISOString();
    expect(shown(timelineOf(hours(zone, from, to)), zone, begin, end)[0]).toBe(expected);
  });

  it('come twice where the wall shows them twice', () => {
    const times = hours('America/New_York', 75, 105);
    expect(shown(timelineOf(times), 'America/New_York', '2026-11-01T00:00-04:00', '2026-11-01T12:00-05:00')).toEqual([
      '11-01T01:15-04:00 to 11-01T01:45-04:00',
      '11-01T01:15-05:00 to 11-01T01:45-05:00',
    ]);
  });

  it('over midnight belong to the day on which they begin', () => {
    const times = hours('Europe/Berlin', 1320, 360, { days: ['Fri', 'Sat'], exceptDates: ['2026-06-06'] });
    expect(shown(timelineOf(times), 'Europe/Berlin', '2026-06-01T00:00Z', '2026-06-14T12:00Z')).toEqual([
      '06-05T22:00+02:00 to 06-06T06:00+02:00',
      '06-12T22:00+02:00 to 06-13T06:00+02:00',
      '06-13T22:00+02:00 to 06-14T06:00+02:00',
    ]);
  });

  const place = fc.constantFrom(
    { zone: 'Europe/Berlin', around: '2026-03-29' },
    { zone: 'Europe/Berlin', around: '2026-10-25' },
    { zone: 'America/New_York', around: '2026-03-08' },
    { zone: 'America/New_York', around: '2026-11-01' },
    { zone: 'Australia/Lord_Howe', around: '2026-04-05' },
    { zone: 'Australia/Lord_Howe', around: '2026-10-04' },
    { zone: 'Asia/Kolkata', around: '2026-03-29' },
    { zone: 'Pacific/Apia', around: '2011-12-30' },
  );
  const utc = ({ at }: { readonly at: number }): string => new Date(at).toISOString();

  it('are what the wall shows, minute by minute', () => {
    fc.assert(
      fc.property(
        place,
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 1440 }),
        fc.subarray([...WEEKDAYS], { minLength: 1 }),
        fc.boolean(),
        ({ zone, around }, from, to, days, except) => {
          fc.pre(from !== to);
          const times = hours(zone, from, to, { days, exceptDates: except ? [around] : [] });
          const timeline = timelineOf(times);
          const minutes = minutesAround(zone, around);
          const wrong = minutes.filter((minute) => timeline.covers(minute.at) !== plainHours(times, minute));
          expect(wrong.map(utc)).toEqual([]);
        },
      ),
      { numRuns: RUNS },
    );
  });

  const plainCron: fc.Arbitrary<PlainCron> = fc.record({
    minutes: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 4 }),
    hours: fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 6 }),
    weekdays: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 7 }),
    everyHour: fc.boolean(),
  });

  it('and windows of cron expressions are what an oracle says, minute by minute', () => {
    fc.assert(
      fc.property(place, plainCron, fc.integer({ min: 1, max: 600 }), ({ zone, around }, cron, minutes) => {
        const timeline = timelineOf(cronTimes(zone, cronText(cron), minutes));
        const all = minutesAround(zone, around);
        const starts = plainStarts(cron, all);
        const expected = new Set(
          starts.flatMap((start) => Array.from({ length: minutes }, (_, index) => start + index * MINUTE)),
        );
        // Starts before the first minute are not in the table.
        const judged = all.slice(minutes);
        expect(judged.filter(({ at }) => timeline.covers(at) !== expected.has(at)).map(utc)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a zone clock', () => {
  it('gives instants that show what was asked', () => {
    const clock = new ZoneClock('Australia/Lord_Howe');
    fc.assert(
      fc.property(fc.integer({ min: instant('2026-01-01T00:00Z'), max: instant('2027-01-01T00:00Z') }), (at) => {
        expect(clock.instantsOf(clock.wallAt(at))).toContain(at);
      }),
    );
  });

  it.each(['', 'Mars/Olympus', '+02:00', 'Europe/Berlin ', '../UTC', 'UTC+2'])('refuses %j', (zone) => {
    expect(() => new ZoneClock(zone)).toThrow(RangeError);
  });
});
