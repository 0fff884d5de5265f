import type { FreezeWindow } from '../fleet/index.ts';
import type { Tree } from './documents.testing.ts';
import { document, linesOf, VALID } from './documents.testing.ts';
import { buildSnapshot, readFleetDocuments } from './index.ts';

const read = (tree: Tree) => readFleetDocuments(Object.entries(tree).map(([path, text]) => ({ path, text })));
const lines = (kind: string, spec: string): readonly string[] =>
  linesOf(read({ 'f.yaml': document(kind, 'x', spec) }).errors);
const freeze = (fields: string): string => `{ fleets: [shop], timeZone: Europe/Berlin, reason: sale, ${fields} }`;
const maintenance = (fields: string): string => `{ region: eu, maintenanceWindows: [ { ${fields} } ] }`;
const schedule = (fields: string): string => `{ waves: [ { name: a, schedule: [ { timeZone: UTC, ${fields} } ] } ] }`;
const NIGHTLY = 'timeZone: UTC, cron: "0 22 * * *", duration: 4h';

describe('windows are read', () => {
  it('as freezes', () => {
    const spec =
      '{ fleets: [shop], clusters: { names: [a], regions: [eu] }, timeZone: Europe/Berlin, cron: "0 18 * * 5", duration: 62h, inFlight: freeze, reason: weekend, override: { users: [ann], roles: [admin] } }';
    const { documents, errors } = read({ 'f.yaml': document('FreezeWindow', 'w', spec) });
    expect(linesOf(errors)).toEqual([]);
    expect(documents[0]?.resource).toEqual({
      kind: 'FreezeWindow',
      name: 'w',
      labels: {},
      scope: {
        fleets: ['shop'],
        clusters: ['a'],
        selector: { all: false, matchLabels: {}, matchExpressions: [], regions: ['eu'] },
      },
      times: { kind: 'cron', timeZone: 'Europe/Berlin', cron: '0 18 * * 5', duration: 62 * 3_600_000 },
      inFlight: 'freeze',
      reason: 'weekend',
      override: { users: ['ann'], roles: ['admin'] },
    } satisfies FreezeWindow);
  });

  it('with the careful defaults', () => {
    const once = freeze('once: { from: 2026-12-20T18:00, to: 2026-12-27T06:00:00+01:00 }');
    expect(read({ 'f.yaml': document('FreezeWindow', 'w', once) }).documents[0]?.resource).toMatchObject({
      scope: { clusters: [], selector: null },
      inFlight: 'finish',
      override: { users: [], roles: [] },
    });
    expect(read({ 'f.yaml': document('Cluster', 'a', maintenance(NIGHTLY)) }).documents[0]?.resource).toMatchObject({
      maintenanceWindows: [{ times: { cron: '0 22 * * *', duration: 14_400_000 }, inFlight: 'finish' }],
    });
    expect(
      read({ 'f.yaml': document('Strategy', 's', schedule('days: [Mon, Fri], hours: "22:00-06:00"')) }).documents[0]
        ?.resource,
    ).toMatchObject({
      waves: [{ schedule: [{ times: { days: ['Mon', 'Fri'], from: 1320, to: 360, exceptDates: [] } }] }],
    });
  });
});

describe('nonsense is refused', () => {
  it.each([
    ['6 fields', '"0 0 18 * * 5"', 'has 6 fields, not 5; write minute, hour'],
    ['a nickname', '"@daily"', 'has 1 fields, not 5'],
    ['a minute too many', '"60 18 * * 5"', '"60" is not a minute; write *, or 0-59'],
    ['an hour too many', '"0 24 * * 5"', '"24" is not a hour'],
    ['a day too many', '"0 0 32 * *"', '"32" is not a day of the month'],
    ['a month too many', '"0 0 1 13 *"', '"13" is not a month'],
    ['a weekday too many', '"0 0 * * 8"', '"8" is not a day of the week'],
    ['a word', '"0 0 * * FRYDAY"', '"FRYDAY" is not a day of the week'],
    ['the nearest weekday', '"0 0 15W * *"', '"15W" is not a day of the month'],
    ['the intersection of days', '"0 0 13 * +5"', '"+5" is not a day of the week'],
    ['a backward range', '"0 0 * * FRI-MON"', '"FRI-MON" is not a day of the week'],
    ['a step of nothing', '"*/0 * * * *"', '"*/0" is not a minute'],
    ['30 February', '"0 0 30 2 *"', 'never comes: there is no such day; name a day that the calendar has'],
    ['31 April and June', '"0 0 31 4,6 *"', 'never comes'],
  ])('cron with %s', (_, cron, said) => {
    for (const [kind, spec, field] of [
      ['FreezeWindow', freeze(`cron: ${cron}, duration: 1h`), 'spec.cron'],
      ['Cluster', maintenance(`timeZone: UTC, cron: ${cron}, duration: 1h`), 'spec.maintenanceWindows[0].cron'],
    ] as const) {
      const found = lines(kind, spec);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`^f\\.yaml:4:\\d+ ${kind}/x ${field.replaceAll(/[[\].]/g, '\\$&')}: `));
      expect(found[0]).toContain(said);
    }
  });

  it.each(['"0 0 29 2 *"', '"*/10 8-18 1,15 JAN-MAR MON-FRI"', '"0 0 L * *"', '"0 0 * * FRI#2"', '"0 0 * * WED"'])(
    'and cron %s is not',
    (cron) => {
      expect(lines('Cluster', maintenance(`timeZone: UTC, cron: ${cron}, duration: 5m`))).toEqual([]);
    },
  );

  const ONCE = 'once: { from: 2026-12-20T18:00, to: 2026-12-27T06:00 }';
  it.each([
    [
      'FreezeWindow',
      `{ fleets: [shop], timeZone: Europe/Berln, reason: x, ${ONCE} }`,
      'spec.timeZone: "Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?',
    ],
    ['FreezeWindow', `{ fleets: [shop], timeZone: "+01:00", reason: x, ${ONCE} }`, 'is not a time zone'],
    ['FreezeWindow', `{ fleets: [shop], reason: x, ${ONCE} }`, 'spec.timeZone: is missing'],
    ['FreezeWindow', `{ fleets: [shop], timeZone: UTC, ${ONCE} }`, 'spec.reason: is missing'],
    ['FreezeWindow', `{ fleets: [shop], timeZone: UTC, reason: " ", ${ONCE} }`, 'spec.reason: '],
    [
      'FreezeWindow',
      `{ timeZone: UTC, reason: x, ${ONCE} }`,
      'spec: does not say what is frozen; name fleets or clusters',
    ],
    ['FreezeWindow', `{ clusters: {}, timeZone: UTC, reason: x, ${ONCE} }`, 'spec.clusters: is an empty selector'],
    [
      'FreezeWindow',
      `{ clusters: { all: true, names: [a] }, timeZone: UTC, reason: x, ${ONCE} }`,
      'spec.clusters.all: excludes',
    ],
    [
      'FreezeWindow',
      freeze('once: { from: 2026-12-27T06:00, to: 2026-12-20T18:00 }'),
      'spec.once.to: is not after from',
    ],
    [
      'FreezeWindow',
      freeze('once: { from: 2026-12-27T06:00, to: 2026-12-27T05:00Z }'),
      'spec.once.to: is not after from',
    ],
    [
      'FreezeWindow',
      freeze('once: { from: 2026-02-30T06:00, to: 2026-12-20T18:00 }'),
      'spec.once.from: is not a date and time',
    ],
    ['FreezeWindow', freeze('once: { from: 06:00, to: 2026-12-20T18:00 }'), 'spec.once.from: '],
    ['FreezeWindow', freeze('once: { from: 2026-12-27T06:00 }'), 'spec.once.to: is missing'],
    [
      'FreezeWindow',
      freeze(`${ONCE}, cron: "0 0 * * *", duration: 1h`),
      'spec: needs once, or cron with duration, and only one of them',
    ],
    ['FreezeWindow', freeze('inFlight: finish'), 'spec: needs once, or cron with duration'],
    ['FreezeWindow', freeze('cron: "0 0 * * *"'), 'spec.duration: is missing'],
    ['FreezeWindow', freeze('duration: 1h'), 'spec.cron: is missing'],
    ['FreezeWindow', freeze('cron: "0 0 * * *", duration: 0s'), 'spec.duration: is no time at all'],
    ['FreezeWindow', freeze('cron: "0 0 * * *", duration: 367d'), 'spec.duration: is not a duration'],
    [
      'FreezeWindow',
      freeze('cron: "0 0 * * *", duration: 24h'),
      'spec.duration: is so long that each window lasts until the next one starts',
    ],
    ['FreezeWindow', freeze('cron: "0 0 * * 1", duration: 7d'), 'it never ends; make it shorter, or write once'],
    ['FreezeWindow', freeze('cron: "*/5 * * * *", duration: 5m'), 'it never ends'],
    ['FreezeWindow', freeze('cron: "0 0 1 1 *", duration: 366d'), 'it never ends'],
    ['FreezeWindow', freeze(`${ONCE}, override: {}`), 'spec.override: names nobody'],
    [
      'FreezeWindow',
      freeze(`${ONCE}, override: { roles: [viewer] }`),
      'spec.override.roles[0]: "viewer" is not one of operator, admin',
    ],
    [
      'FreezeWindow',
      freeze(`${ONCE}, inflight: freeze`),
      'spec.inflight: is not a known field; did you mean "inFlight"?',
    ],
    [
      'Cluster',
      '{ region: eu, maintenanceWindows: [] }',
      'spec.maintenanceWindows: is empty; name at least one window',
    ],
    [
      'Cluster',
      maintenance('timeZone: UTC, cron: "0 0 * * *", duration: 1d'),
      'spec.maintenanceWindows[0].duration: is so long',
    ],
    ['Cluster', maintenance('cron: "0 0 * * *", duration: 1h'), 'spec.maintenanceWindows[0].timeZone: is missing'],
    [
      'Strategy',
      schedule('days: [Mon], hours: "9-17"'),
      'spec.waves[0].schedule[0].hours: "9-17" is not a range of hours',
    ],
    ['Strategy', schedule('days: [Mon], hours: "09:00-25:00"'), 'is not a range of hours'],
    ['Strategy', schedule('days: [Mon], hours: "09:00-09:00"'), 'is not a range of hours'],
    ['Strategy', schedule('days: [], hours: "09:00-17:00"'), 'spec.waves[0].schedule[0].days: is empty'],
    [
      'Strategy',
      schedule('days: [Monday], hours: "09:00-17:00"'),
      'spec.waves[0].schedule[0].days[0]: "Monday" is not one of',
    ],
    ['Strategy', schedule('days: [Mon, Mon], hours: "09:00-17:00"'), 'names a day twice'],
    [
      'Strategy',
      schedule('days: [Mon], hours: "09:00-17:00", exceptDates: [2026-02-29]'),
      'exceptDates[0]: is not a date',
    ],
    [
      'Strategy',
      schedule('days: [Sun, Mon, Tue, Wed, Thu, Fri, Sat], hours: "00:00-24:00"'),
      'hours: is every hour of every day',
    ],
  ])('%s %s', (kind, spec, said) => {
    const found = lines(kind, spec);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });
});

describe('a freeze between the other documents', () => {
  const ONCE = 'timeZone: UTC, reason: x, once: { from: 2026-12-20T18:00, to: 2026-12-27T06:00 }';
  const snapshot = (spec: string) => buildSnapshot(read({ ...VALID, 'w.yaml': document('FreezeWindow', 'w', spec) }));

  it('is in the snapshot', () => {
    const { snapshot: built, errors } = snapshot(`{ fleets: [shop], clusters: { names: [a] }, ${ONCE} }`);
    expect(linesOf(errors)).toEqual([]);
    expect(built?.freezeWindows.map(({ name }) => name)).toEqual(['w']);
    expect(JSON.parse(JSON.stringify(built))).toEqual(built);
  });

  it.each([
    ['{ fleets: [shopp],', 'spec.fleets[0]: there is no fleet "shopp"; did you mean "shop"?'],
    ['{ clusters: { names: [c] },', 'spec.clusters.names[0]: there is no cluster "c"; did you mean "a"?'],
    ['{ clusters: { regions: [asia] },', 'spec.clusters.regions[0]: no cluster is in region "asia"; known: eu, us'],
    ['{ clusters: { matchLabels: { tier: prod } },', 'spec.clusters: freezes nothing: it selects no cluster'],
    ['{ clusters: { names: [a], regions: [us] },', 'spec.clusters: freezes nothing: it selects no cluster'],
  ])('%s is refused', (scope, said) => {
    const { snapshot: built, errors } = snapshot(`${scope} ${ONCE} }`);
    expect(built).toBeNull();
    expect(linesOf(errors).join('\n')).toContain(said);
  });
});
