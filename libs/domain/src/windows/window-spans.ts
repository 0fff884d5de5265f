import type { CronTimes, HourTimes, OnceTimes, WindowTimes } from '../fleet/index.ts';
import { WEEKDAYS } from '../fleet/index.ts';
import type { Instant } from '../rollout/rollout.ts';
import { compileCron, runsOfDay } from './cron.ts';
import { instantOf, parseDate, parseDateAndTime } from './local-time.ts';
import type { Span } from './span.ts';
import type { WallTime, ZoneClock } from './zone-clock.ts';
import { DAY, MINUTE } from './zone-clock.ts';

/** Every span that touches the time from `from` to `to`; also others, in any order, and overlapping. */
export type SpansBetween = (from: Instant, to: Instant) => readonly Span[];

const midnightOf = (wall: WallTime): WallTime => Math.floor(wall / DAY) * DAY;

/** Of the days that overlap the time on the wall, and one more on either side. */
const midnights = (clock: ZoneClock, from: Instant, to: Instant): readonly WallTime[] => {
  const first = midnightOf(clock.wallAt(from)) - DAY;
  const last = midnightOf(clock.wallAt(to)) + DAY;
  return Array.from({ length: (last - first) / DAY + 1 }, (_, index) => first + index * DAY);
};

const onceSpans = (times: OnceTimes, clock: ZoneClock): SpansBetween => {
  const [from, to] = [parseDateAndTime(times.from), parseDateAndTime(times.to)];
  if (from === null || to === null) throw new RangeError(`${times.from} to ${times.to} is not a time`);
  const span = { from: instantOf(from, clock, 'from'), to: instantOf(to, clock, 'to') };
  return () => [span];
};

const cronSpans = ({ cron: text, duration }: CronTimes, clock: ZoneClock): SpansBetween => {
  const cron = compileCron(text);
  const runs = runsOfDay(cron, duration);
  const unsteadyDay = (day: WallTime): readonly Span[] =>
    cron.minutes.flatMap((minute) => {
      const [first, ...again] = clock.instantsOf(day + minute * MINUTE);
      return [first, ...(cron.repeats ? again : [])].map((start) => ({ from: start, to: start + duration }));
    });
  const spansOn = (day: WallTime): readonly Span[] => {
    const offset = clock.steadyOffset(day, day + DAY);
    if (offset === null) return unsteadyDay(day);
    return runs.map((run) => ({ from: day + run.from - offset, to: day + run.to - offset }));
  };
  return (from, to) =>
    midnights(clock, from - duration, to)
      .filter(cron.startsOn)
      .flatMap(spansOn);
};

const hourSpans = (times: HourTimes, clock: ZoneClock): SpansBetween => {
  const except = new Set(times.exceptDates.map(parseDate));
  const starts = (day: WallTime): boolean => {
    const weekday = WEEKDAYS[new Date(day).getUTCDay()];
    return weekday !== undefined && times.days.includes(weekday) && !except.has(day);
  };
  const from = times.from * MINUTE;
  const to = times.to * MINUTE + (times.to < times.from ? DAY : 0);
  return (begin, end) =>
    midnights(clock, begin, end)
      .filter(starts)
      .flatMap((day) => clock.whileWallShows(day + from, day + to));
};

/** @throws {RangeError} for times that the schema refuses */
export const spansOf = (times: WindowTimes, clock: ZoneClock): SpansBetween => {
  switch (times.kind) {
    case 'once':
      return onceSpans(times, clock);
    case 'cron':
      return cronSpans(times, clock);
    case 'hours':
      return hourSpans(times, clock);
  }
};
