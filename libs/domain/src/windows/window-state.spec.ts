import fc from 'fast-check';
import type { Cluster, FreezeWindow, WaveHours } from '../fleet/index.ts';
import { WEEKDAYS } from '../fleet/index.ts';
import { mayOverride } from './override.ts';
import { mergeSpans } from './span.ts';
import { WindowCalendar } from './window-calendar.ts';
import { sameUntil, windowStateAt } from './window-state.ts';
import { cronTimes, instant, rule, timelineOf } from './windows.testing.ts';
import { DAY, HOUR, MINUTE } from './zone-clock.ts';

const BERLIN = 'Europe/Berlin';
const at = (iso: string) => ({ kind: 'at', at: instant(iso) });
const once = (from: string, to: string) => ({ kind: 'once' as const, timeZone: BERLIN, from, to });

describe('the state of windows', () => {
  it('is open for ever without any', () => {
    const state = windowStateAt([], instant('2026-06-01T12:00Z'));
    expect(state).toMatchObject({ open: true, closedBy: [], inFlight: null, until: { kind: 'beyond' } });
    expect(state.until.at).toBe(instant('2026-06-01T00:00Z') + 400 * DAY);
  });

  it('names each freeze, and ends with the last of those that overlap or adjoin', () => {
    const rules = [
      rule('FreezeWindow', 'a', [{ times: once('2026-12-20T18:00', '2026-12-27T06:00') }]),
      rule('FreezeWindow', 'b', [{ times: once('2026-12-26T00:00', '2026-12-31T00:00+01:00'), inFlight: 'freeze' }]),
      rule('FreezeWindow', 'c', [{ times: once('2026-12-31T00:00', '2027-01-02T00:00') }]),
    ];
    expect(windowStateAt(rules, instant('2026-12-26T12:00Z'))).toMatchObject({
      open: false,
      since: at('2026-12-20T18:00+01:00'),
      until: at('2027-01-02T00:00+01:00'),
      closedBy: [
        { name: 'a', since: at('2026-12-20T18:00+01:00'), until: at('2026-12-27T06:00+01:00'), inFlight: 'finish' },
        { name: 'b', since: at('2026-12-26T00:00+01:00'), until: at('2026-12-31T00:00+01:00'), inFlight: 'freeze' },
      ],
      inFlight: 'freeze',
    });
  });

  it('is open from the first instant of a window until just before its end', () => {
    const rules = [rule('MaintenanceWindow', 'c', [{ times: cronTimes(BERLIN, '0 22 * * *', 120) }])];
    const open = ['21:59:59.999', '22:00:00.000', '23:59:59.999'].map(
      (time) => windowStateAt(rules, instant(`2026-06-01T${time}+02:00`)).open,
    );
    expect(open).toEqual([false, true, true]);
    expect(windowStateAt(rules, instant('2026-06-02T00:00+02:00'))).toMatchObject({
      open: false,
      since: at('2026-06-02T00:00+02:00'),
      until: at('2026-06-02T22:00+02:00'),
    });
  });

  it('says that no opening was found, and up to when, where rules are never open together', () => {
    const rules = [
      rule('MaintenanceWindow', 'c', [{ times: cronTimes(BERLIN, '0 22 * * *', 60) }]),
      rule('FreezeWindow', 'nightly', [{ times: cronTimes(BERLIN, '0 21 * * *', 180) }]),
    ];
    const state = windowStateAt(rules, instant('2026-06-01T12:00Z'));
    expect(state.until).toEqual({ kind: 'beyond', at: instant('2026-06-01T00:00Z') + 400 * DAY });
    expect(state.since).toEqual({ kind: 'beyond', at: instant('2026-06-01T00:00Z') - 400 * DAY });
  });

  it('asks the maintenance windows that closed last what targets in flight do', () => {
    const rules = [
      rule('MaintenanceWindow', 'c', [
        { times: cronTimes(BERLIN, '0 6 * * *', 60), inFlight: 'finish' },
        { times: cronTimes(BERLIN, '0 22 * * *', 60), inFlight: 'freeze' },
      ]),
    ];
    expect(windowStateAt(rules, instant('2026-06-01T12:00+02:00')).inFlight).toBe('finish');
    expect(windowStateAt(rules, instant('2026-06-01T23:30+02:00')).inFlight).toBe('freeze');
  });

  const window = fc.record({
    zone: fc.constantFrom(BERLIN, 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'),
    minute: fc.integer({ min: 0, max: 59 }),
    hour: fc.integer({ min: 0, max: 23 }),
    day: fc.constantFrom('*', '1-5', '0,6', '3'),
    minutes: fc.integer({ min: 1, max: 2_000 }),
    inFlight: fc.constantFrom('finish' as const, 'freeze' as const),
  });
  const rules = fc
    .array(
      fc.tuple(
        fc.constantFrom('FreezeWindow' as const, 'MaintenanceWindow' as const),
        fc.array(window, { minLength: 1, maxLength: 3 }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((list) =>
      list.map(([kind, windows], index) =>
        rule(
          kind,
          `r${index}`,
          windows.map(({ zone, minute, hour, day, minutes, inFlight }) => ({
            times: cronTimes(zone, `${minute} ${hour} * * ${day}`, minutes),
            inFlight,
          })),
        ),
      ),
    );
  const now = fc
    .constantFrom('2026-03-27', '2026-10-24', '2026-11-01', '2026-04-04', '2026-07-01')
    .chain((date) => fc.integer({ min: 0, max: 2_880 }).map((minute) => instant(`${date}T00:00Z`) + minute * MINUTE));

  it('changes at until, at since, and never between: minute by minute', () => {
    fc.assert(
      fc.property(rules, now, (list, start) => {
        const openAt = (time: number): boolean =>
          list.every((one) => one.timeline.covers(time) !== one.closedWhileCovered);
        const state = windowStateAt(list, start);
        expect(state.open).toBe(openAt(start));
        expect(state.closedBy.length === 0).toBe(state.open);
        const end = Math.min(state.until.at, start + 3 * DAY);
        for (let time = start; time < end; time += MINUTE) expect(openAt(time)).toBe(state.open);
        if (state.until.kind === 'at') expect(openAt(state.until.at)).toBe(!state.open);
        const begin = Math.max(state.since.at, start - 3 * DAY);
        for (let time = start; time >= begin; time -= MINUTE) expect(openAt(time)).toBe(state.open);
        if (state.since.kind === 'at') expect(openAt(state.since.at - 1)).toBe(!state.open);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('says the same until it says that it changes', () => {
    fc.assert(
      fc.property(rules, now, (list, start) => {
        const state = windowStateAt(list, start);
        const end = sameUntil(list, start);
        expect(end).toBeGreaterThan(start);
        expect(windowStateAt(list, end - 1)).toEqual(state);
        expect(windowStateAt(list, Math.floor((start + end) / 2))).toEqual(state);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('a union', () => {
  const span = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 })).map(([from, length]) => ({
    from,
    to: from + length,
  }));
  it('covers what one of its spans covers, in any order, once or twice', () => {
    fc.assert(
      fc.property(fc.array(span), (spans) => {
        const merged = mergeSpans(spans);
        for (let point = -1; point < 90; point += 1)
          expect(merged.filter(({ from, to }) => from <= point && point < to)).toHaveLength(
            spans.some(({ from, to }) => from <= point && point < to) ? 1 : 0,
          );
        expect(mergeSpans([...spans].reverse())).toEqual(merged);
        expect(mergeSpans([...merged, ...spans])).toEqual(merged);
        for (const [index, one] of merged.entries())
          expect(one.from).toBeGreaterThan(merged[index - 1]?.to ?? -Infinity);
      }),
    );
  });

  it('of two schedules covers what one of them covers', () => {
    const [a, b] = [cronTimes(BERLIN, '0 22 * * 5', 600), cronTimes('America/New_York', '0 9 * * 1-5', 500)];
    const [both, left, right] = [timelineOf(a, b), timelineOf(a), timelineOf(b)];
    for (let time = instant('2026-10-20T00:00Z'); time < instant('2026-11-05T00:00Z'); time += 7 * MINUTE)
      expect(both.covers(time)).toBe(left.covers(time) || right.covers(time));
  });
});

describe('a calendar', () => {
  const cluster = (name: string, parts: Partial<Cluster> = {}): Cluster => ({
    kind: 'Cluster',
    name,
    labels: {},
    region: 'eu',
    failureDomain: name,
    characteristics: {},
    risk: null,
    credentials: name,
    values: {},
    maintenanceWindows: [],
    ...parts,
  });
  const freeze = (name: string, scope: Partial<FreezeWindow['scope']>): FreezeWindow => ({
    kind: 'FreezeWindow',
    name,
    labels: {},
    scope: { fleets: [], clusters: [], selector: null, ...scope },
    times: once('2026-12-20T00:00', '2026-12-27T00:00'),
    inFlight: 'finish',
    reason: 'Christmas',
    override: { users: ['ann'], roles: [] },
  });
  const christmas = instant('2026-12-24T12:00Z');
  const eu = { all: false, matchLabels: {}, matchExpressions: [], regions: ['eu'] };

  it('freezes what a scope selects, where every part of it holds', () => {
    const calendar = new WindowCalendar([
      freeze('fleet-in-eu', { fleets: ['shop'], selector: eu }),
      freeze('by-name', { clusters: ['b'] }),
    ]);
    const names = (one: Cluster, fleet: string): readonly string[] =>
      calendar.stateOf({ cluster: one, fleet, wave: null }, christmas).closedBy.map(({ name }) => name);
    expect(names(cluster('a'), 'shop')).toEqual(['fleet-in-eu']);
    expect(names(cluster('a'), 'other')).toEqual([]);
    expect(names(cluster('a', { region: 'us' }), 'shop')).toEqual([]);
    expect(names(cluster('b'), 'shop')).toEqual(['fleet-in-eu', 'by-name']);
    expect(names(cluster('b', { region: 'us' }), 'other')).toEqual(['by-name']);
  });

  it('closes by the cluster and by the wave, with what each says', () => {
    const nightly = { times: cronTimes(BERLIN, '0 22 * * *', 120), inFlight: 'freeze' as const };
    const office: WaveHours = {
      times: { kind: 'hours', timeZone: BERLIN, days: WEEKDAYS, from: 9 * 60, to: 23 * 60, exceptDates: [] },
      inFlight: 'finish',
    };
    const calendar = new WindowCalendar([]);
    const subject = {
      cluster: cluster('a', { maintenanceWindows: [nightly] }),
      fleet: 'shop',
      wave: { name: 'rest', schedule: [office] },
    };
    const kinds = (time: string): readonly string[] =>
      calendar
        .stateOf(subject, instant(`2026-06-01T${time}+02:00`))
        .closedBy.map(({ kind, name }) => `${kind} ${name}`);
    expect(kinds('12:00')).toEqual(['MaintenanceWindow a']);
    expect(kinds('22:30')).toEqual([]);
    expect(kinds('23:30')).toEqual(['WaveSchedule rest']);
    expect(kinds('05:00')).toEqual(['MaintenanceWindow a', 'WaveSchedule rest']);
    expect(calendar.stateOf(subject, instant('2026-06-01T05:00+02:00'))).toMatchObject({
      until: at('2026-06-01T22:00+02:00'),
      inFlight: 'freeze',
    });
  });

  it('answers the same whatever it was asked before', () => {
    const weekly = { times: cronTimes(BERLIN, '0 18 * * 5', 62 * 60), inFlight: 'finish' as const };
    const subject = { cluster: cluster('a', { maintenanceWindows: [weekly] }), fleet: 'shop', wave: null };
    const used = new WindowCalendar([freeze('f', { fleets: ['shop'] })]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 * 24 * 60 }), { maxLength: 10 }), (minutes) => {
        for (const minute of minutes) {
          const time = instant('2026-06-01T00:00Z') + minute * MINUTE;
          const fresh = new WindowCalendar([freeze('f', { fleets: ['shop'] })]);
          expect(used.stateOf(subject, time)).toEqual(fresh.stateOf(subject, time));
        }
      }),
      { numRuns: 10 },
    );
  });

  it('reaches as far as the longest window', () => {
    const yearly = timelineOf(cronTimes('UTC', '0 0 29 2 *', (366 * DAY) / MINUTE));
    expect(yearly.covers(instant('2025-02-27T23:00Z'))).toBe(true);
    expect(yearly.covers(instant('2025-03-01T00:00Z'))).toBe(false);
    expect(yearly.changeBefore(instant('2025-02-01T00:00Z'), 0)).toBe(instant('2024-02-29T00:00Z'));
    expect(yearly.changeAfter(instant('2024-12-01T00:00Z'), instant('2026-01-01T00:00Z'))).toBe(
      instant('2024-02-29T00:00Z') + 366 * 24 * HOUR,
    );
  });
});

describe('overriding a freeze', () => {
  it.each([
    ['nobody where nobody is named', { users: [], roles: [] }, { name: 'ann', role: 'admin' }, false],
    ['by name', { users: ['ann'], roles: [] }, { name: 'ann', role: 'operator' }, true],
    ['not by a name in other case', { users: ['ann'], roles: [] }, { name: 'Ann', role: 'operator' }, false],
    ['by role', { users: [], roles: ['operator'] }, { name: 'bob', role: 'operator' }, true],
    ['by a role above', { users: [], roles: ['operator'] }, { name: 'bob', role: 'admin' }, true],
    ['not by a role below', { users: [], roles: ['admin'] }, { name: 'bob', role: 'operator' }, false],
    ['not by a role without power', { users: [], roles: ['operator'] }, { name: 'bob', role: 'viewer' }, false],
  ] as const)('%s', (_, override, person, expected) => {
    expect(mayOverride(override, person)).toBe(expected);
  });
});
