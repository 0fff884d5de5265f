import { DateTime } from 'luxon';
import type { Instant } from '../rollout/rollout.ts';
import type { WallTime, ZoneClock } from './zone-clock.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?$/;
const HOURS = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** Midnight of a date such as 2026-12-24; null where the calendar does not have it. */
export const parseDate = (text: string): WallTime | null => {
  const date = DATE.test(text) ? DateTime.fromISO(text, { zone: 'utc' }) : null;
  return date?.isValid === true ? date.toMillis() : null;
};

/** With an offset it is one instant, without it is what a clock on some wall shows. */
export type DateAndTime =
  { readonly kind: 'instant'; readonly instant: Instant } | { readonly kind: 'local'; readonly wall: WallTime };

export const parseDateAndTime = (text: string): DateAndTime | null => {
  const match = DATE_TIME.exec(text);
  if (match === null) return null;
  const time = DateTime.fromISO(text, { zone: 'utc' });
  if (!time.isValid) return null;
  return match[2] === undefined
    ? { kind: 'local', wall: time.toMillis() }
    : { kind: 'instant', instant: time.toMillis() };
};

/** The first instant of a time that comes twice for a beginning, the last for an end: the longer of what it could mean. */
export const instantOf = (time: DateAndTime, clock: ZoneClock, end: 'from' | 'to'): Instant => {
  if (time.kind === 'instant') return time.instant;
  const instants = clock.instantsOf(time.wall);
  return end === 'from' ? instants[0] : (instants.at(-1) ?? instants[0]);
};

/** `09:00-17:00` in minutes of the day; null where it is no range, or an empty one. */
export const parseHours = (text: string): { readonly from: number; readonly to: number } | null => {
  const match = HOURS.exec(text);
  if (match === null) return null;
  const minutes = (hour: string | undefined, minute: string | undefined): number => Number(hour) * 60 + Number(minute);
  const from = minutes(match[1], match[2]);
  const to = match[3] === undefined ? 24 * 60 : minutes(match[3], match[4]);
  return from === to ? null : { from, to };
};
