import { DateTime } from 'luxon';
import type { CronTimes, HourTimes, InFlight, WindowTimes } from '../fleet/index.ts';
import { WEEKDAYS } from '../fleet/index.ts';
import type { Instant } from '../rollout/rollout.ts';
import { Timeline } from './timeline.ts';
import { spansOf } from './window-spans.ts';
import type { WindowRule } from './window-state.ts';
import { MINUTE, ZoneClock } from './zone-clock.ts';

export const instant = (iso: string): Instant => DateTime.fromISO(iso, { setZone: true }).toMillis();

export const cronTimes = (timeZone: string, cron: string, minutes: number): CronTimes => ({
  kind: 'cron',
  timeZone,
  cron,
  duration: minutes * MINUTE,
});

export const timelineOf = (...times: readonly WindowTimes[]): Timeline =>
  new Timeline(times.map((one) => spansOf(one, new ZoneClock(one.timeZone))));

export const rule = (
  kind: WindowRule['kind'],
  name: string,
  windows: readonly { readonly times: WindowTimes; readonly inFlight?: InFlight }[],
): WindowRule => ({
  kind,
  name,
  reason: null,
  override: { users: [], roles: [] },
  timeline: timelineOf(...windows.map(({ times }) => times)),
  closedWhileCovered: kind === 'FreezeWindow',
  windows: windows.map(({ times, inFlight }) => ({ timeline: timelineOf(times), inFlight: inFlight ?? 'finish' })),
});

/** Each covered time as the zone's clock shows it, with its offset. */
export const shown = (timeline: Timeline, zone: string, from: string, to: string): readonly string[] => {
  const text = (at: Instant): string => DateTime.fromMillis(at, { zone }).toFormat("MM-dd'T'HH:mmZZ");
  const spans: string[] = [];
  for (let at: Instant | null = instant(from); at !== null; at = timeline.changeAfter(at, instant(to)))
    if (timeline.covers(at)) spans.push(`${text(at)} to ${text(timeline.changeAfter(at, instant(to)) ?? instant(to))}`);
  return spans;
};

/** What a cron expression means, from its own fields and minute by minute: nothing of the code under test is in it. */
export interface PlainCron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly weekdays: readonly number[];
  readonly everyHour: boolean;
}

export const cronText = ({ minutes, hours, weekdays, everyHour }: PlainCron): string =>
  `${minutes.join(',')} ${everyHour ? '*' : hours.join(',')} * * ${weekdays.join(',')}`;

/** A minute, and what Luxon says that the clock shows then, as minutes since 1970. */
interface Shown {
  readonly at: Instant;
  readonly wall: number;
}

const tables = new Map<string, readonly Shown[]>();
const OFFSET_STEP = 30;

/** Every minute of four days before until two days after; clocks change at full and half hours only. */
export const minutesAround = (zone: string, date: string): readonly Shown[] => {
  const known = tables.get(`${zone} ${date}`);
  if (known !== undefined) return known;
  const first = instant(`${date}T00:00Z`) - 4 * 1440 * MINUTE;
  const table = Array.from({ length: (6 * 1440) / OFFSET_STEP }, (_, step) => {
    const start = first + step * OFFSET_STEP * MINUTE;
    const { offset } = DateTime.fromMillis(start, { zone });
    return Array.from({ length: OFFSET_STEP }, (__, index) => {
      const at = start + index * MINUTE;
      return { at, wall: at / MINUTE + offset };
    });
  }).flat();
  tables.set(`${zone} ${date}`, table);
  return table;
};

const matches = (cron: PlainCron, wall: number): boolean => {
  const date = new Date(wall * MINUTE);
  return (
    cron.minutes.includes(date.getUTCMinutes()) &&
    (cron.everyHour || cron.hours.includes(date.getUTCHours())) &&
    cron.weekdays.includes(date.getUTCDay())
  );
};

/** Starts, minute by minute. */
export const plainStarts = (cron: PlainCron, minutes: readonly Shown[]): readonly Instant[] => {
  const starts: Instant[] = [];
  let highest = (minutes[0]?.wall ?? 0) - 1;
  for (const { at, wall } of minutes) {
    const jumpedOver = Array.from({ length: Math.max(0, wall - highest - 1) }, (_, index) => highest + 1 + index);
    const again = wall <= highest && !cron.everyHour;
    if ((!again && matches(cron, wall)) || jumpedOver.some((missed) => matches(cron, missed))) starts.push(at);
    highest = Math.max(highest, wall);
  }
  return starts;
};

export const plainHours = (times: HourTimes, { wall }: Shown): boolean => {
  const minute = wall % 1440;
  const begins = (midnight: number): boolean => {
    const date = new Date(midnight * MINUTE);
    return (
      times.days.some((day) => day === WEEKDAYS[date.getUTCDay()]) &&
      !times.exceptDates.includes(date.toISOString().slice(0, 10))
    );
  };
  const today = wall - minute;
  if (times.from < times.to) return begins(today) && minute >= times.from && minute < times.to;
  return (begins(today) && minute >= times.from) || (begins(today - 1440) && minute < times.to);
};
