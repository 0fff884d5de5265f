import { z } from 'zod';
import { IN_FLIGHT, WEEKDAYS } from '../../fleet/index.ts';
import { isTimeZone, neverEnds, parseDate, parseHours, problemWithCron } from '../../windows/index.ts';
import { suggestion } from '../did-you-mean.ts';
import { refuse, says } from './field-message.ts';
import { duration, fields } from './fields.ts';

const MOST_WINDOWS = 50;
const MOST_DATES = 1_000;

export const timeZone = () =>
  z
    .string()
    .superRefine((text, context) => {
      if (isTimeZone(text)) return;
      const remedy = suggestion(
        text,
        Intl.supportedValuesOf('timeZone'),
        'name one of IANA, such as Europe/Berlin or UTC',
      );
      refuse(context, [], `${JSON.stringify(text.slice(0, 60))} is not a time zone`, remedy);
    })
    .describe('Of the IANA database, such as Europe/Berlin or UTC. There is no default.');

export const cron = () =>
  z
    .string()
    .max(200, says('has more than 200 characters', 'write several windows instead'))
    .superRefine((text, context) => {
      const problem = problemWithCron(text);
      if (problem !== null) refuse(context, [], problem.message, problem.remedy);
    })
    .describe(
      'When it starts, in the time zone: minute, hour, day of the month, month, day of the week, such as "0 18 * * 5".',
    );

export const windowDuration = () =>
  duration()
    .refine((milliseconds) => milliseconds > 0, says('is no time at all', 'write at least 1s'))
    .describe('How long each start lasts, in elapsed time, such as 62h; at most 366d.');

export const inFlight = (otherwise: string) =>
  z
    .enum(IN_FLIGHT)
    .default('finish')
    .describe(`What targets in flight do when ${otherwise}: finish their change, or stand still where they are.`);

/** Windows that never end leave nothing to wait for: what was meant is something else. */
export const refuseEndless = (
  times: { readonly cron: string; readonly duration: number },
  context: z.RefinementCtx,
  remedy: string,
): void => {
  if (problemWithCron(times.cron) === null && neverEnds(times.cron, times.duration))
    refuse(context, ['duration'], 'is so long that each window lasts until the next one starts: it never ends', remedy);
};

const maintenanceWindow = () =>
  fields({
    timeZone: timeZone(),
    cron: cron(),
    duration: windowDuration(),
    inFlight: inFlight('it closes'),
  })
    .superRefine((value, context) => {
      refuseEndless(value, context, 'make it shorter, or leave maintenanceWindows out: writes are then always allowed');
    })
    .transform(({ timeZone: zone, cron: text, duration: length, inFlight: then }) => ({
      times: { kind: 'cron' as const, timeZone: zone, cron: text, duration: length },
      inFlight: then,
    }));

const EMPTY = says('is empty', 'name at least one window, or leave the field out');
const TOO_MANY = says(`has more than ${MOST_WINDOWS} entries`, 'put several of them into one cron expression');

export const maintenanceWindows = () => z.array(maintenanceWindow()).min(1, EMPTY).max(MOST_WINDOWS, TOO_MANY);

const HOURS_REMEDY =
  'write it as "09:00-17:00", with two digits each; "22:00-06:00" goes over midnight, and "00:00-24:00" is the day';

const hours = () =>
  z.string().transform((text, context) => {
    const parsed = parseHours(text);
    if (parsed !== null) return parsed;
    refuse(context, [], `${JSON.stringify(text.slice(0, 60))} is not a range of hours`, HOURS_REMEDY);
    return z.NEVER;
  });

const exceptDate = () =>
  z.string().refine((text) => parseDate(text) !== null, says('is not a date', 'write it as 2026-12-24'));

const ALL_WEEK = WEEKDAYS.length;

const waveHours = () =>
  fields({
    timeZone: timeZone(),
    days: z
      .array(z.enum(WEEKDAYS))
      .min(1, says('is empty', 'name at least one day, such as Mon'))
      .refine((days) => new Set(days).size === days.length, says('names a day twice', 'name each day once'))
      .describe('On which a range of hours begins.'),
    hours: hours().describe(
      'By the clock on the wall, such as "09:00-17:00"; "22:00-06:00" goes over midnight. The end is not in it.',
    ),
    exceptDates: z
      .array(exceptDate())
      .max(MOST_DATES, says(`has more than ${MOST_DATES} dates`, 'take out those that are over'))
      .default([])
      .describe('On which no range of hours begins, such as 2026-12-24.'),
    inFlight: inFlight('it closes'),
  })
    .superRefine((value, context) => {
      const wholeDay = value.hours.from === 0 && value.hours.to === 24 * 60;
      if (wholeDay && value.days.length === ALL_WEEK && value.exceptDates.length === 0)
        refuse(context, ['hours'], 'is every hour of every day', 'leave the schedule out');
    })
    .transform(({ timeZone: zone, days, hours: range, exceptDates, inFlight: then }) => ({
      times: { kind: 'hours' as const, timeZone: zone, days, ...range, exceptDates },
      inFlight: then,
    }));

export const waveSchedule = () => z.array(waveHours()).min(1, EMPTY).max(MOST_WINDOWS, TOO_MANY);
