import { Cron, CronPattern } from 'croner';
import type { WallTime } from './zone-clock.ts';
import { DAY, MINUTE } from './zone-clock.ts';

/** When a cron expression starts, in wall time. */
export interface CompiledCron {
  /** Minutes of the day, ascending. */
  readonly minutes: readonly number[];
  /**
   * Whether a wall time that comes twice starts twice. As with crontab: only where minute or hour begin with `*`, because
   * such an expression means "again and again", and not "at that time of the day".
   */
  readonly repeats: boolean;
  /** `day` is the wall time of a midnight. */
  readonly startsOn: (day: WallTime) => boolean;
}

export interface CronProblem {
  readonly message: string;
  readonly remedy: string;
}

const FIELDS = [
  { name: 'minute', values: '0-59' },
  { name: 'hour', values: '0-23' },
  { name: 'day of the month', values: '1-31, or L for the last' },
  { name: 'month', values: '1-12 or JAN-DEC' },
  { name: 'day of the week', values: '0-7 or SUN-SAT, FRI#2 for the second, FRI#L for the last' },
] as const;

/** Not the `?`, `15W`, `+` and `@daily` of other dialects. */
const FIELD = /^[0-9A-Za-z*,/#-]{1,120}$/;
const NEAREST_WEEKDAY = /[0-9L]W/i;
const SHAPE_REMEDY = 'write minute, hour, day of the month, month and day of the week, such as "0 18 * * 5"';
/** Where searches for a first day begin: any date does, as the days repeat every 28 years. */
const REFERENCE = Date.UTC(2024, 0, 1);
/** Four years and some days: every date, a leap day too. */
const REFERENCE_DAYS = 1_500;

const attempt = <Result>(build: () => Result): Result | null => {
  try {
    return build();
  } catch {
    return null;
  }
};

const patternOf = (text: string): CronPattern => new CronPattern(text, 'UTC', { mode: '5-part' });

const split = (text: string): readonly string[] =>
  text
    .trim()
    .split(/[ \t]+/)
    .filter((field) => field !== '');

const problemWithFields = (fields: readonly string[]): CronProblem | null => {
  if (fields.length !== FIELDS.length)
    return { message: `has ${fields.length} fields, not 5`, remedy: `${SHAPE_REMEDY}; there are no seconds and years` };
  for (const [index, { name, values }] of FIELDS.entries()) {
    const field = fields[index] ?? '';
    const alone = FIELDS.map((_, at) => (at === index ? field : '*')).join(' ');
    if (!FIELD.test(field) || NEAREST_WEEKDAY.test(field) || attempt(() => patternOf(alone)) === null)
      return {
        message: `${JSON.stringify(field.slice(0, 40))} is not a ${name}`,
        remedy: `write *, or ${values}; lists 1,2, ranges 1-5 and steps */5 are fine`,
      };
  }
  return null;
};

const positions = (flags: readonly number[]): readonly number[] =>
  flags.flatMap((flag, position) => (flag === 1 ? [position] : []));

const compile = (text: string): CompiledCron => {
  const [minute = '', hour = '', ...date] = split(text);
  const times = patternOf(text);
  const days = new Cron(`0 0 ${date.join(' ')}`, { timezone: 'UTC', mode: '5-part' });
  const everyDay = date.every((field) => field === '*');
  return {
    minutes: positions(times.hour).flatMap((at) => positions(times.minute).map((past) => at * 60 + past)),
    repeats: minute.startsWith('*') || hour.startsWith('*'),
    startsOn: everyDay ? () => true : (day) => days.match(new Date(day)),
  };
};

/** Why this is not a cron expression that starts a window now and then; null where it is one. */
export const problemWithCron = (text: string): CronProblem | null => {
  const fields = split(text);
  const problem = problemWithFields(fields);
  if (problem !== null) return problem;
  const days = attempt(() => new Cron(`0 0 ${fields.slice(2).join(' ')}`, { timezone: 'UTC', mode: '5-part' }));
  if (days === null) return { message: 'is not a cron expression', remedy: SHAPE_REMEDY };
  if (days.nextRun(new Date(REFERENCE - MINUTE)) === null)
    return { message: 'never comes: there is no such day', remedy: 'name a day that the calendar has' };
  return null;
};

/** @throws {RangeError} for an expression that the schema refuses */
export const compileCron = (text: string): CompiledCron => {
  if (problemWithFields(split(text)) !== null) throw new RangeError(`${text} is not a cron expression`);
  return compile(text);
};

/** Starts of one day whose windows touch: from the first of them until the end of the last, from midnight on. */
export const runsOfDay = (
  { minutes }: CompiledCron,
  duration: number,
): readonly { readonly from: number; readonly to: number }[] => {
  const runs: { from: number; to: number }[] = [];
  for (const minute of minutes) {
    const from = minute * MINUTE;
    const last = runs.at(-1);
    if (last !== undefined && from <= last.to) last.to = from + duration;
    else runs.push({ from, to: from + duration });
  }
  return runs;
};

/** Whether each window lasts until the next one starts, so that together they never end. Changes of the clock left aside. */
export const neverEnds = (text: string, duration: number): boolean => {
  const cron = compileCron(text);
  const [run, ...others] = runsOfDay(cron, duration);
  if (run === undefined || others.length > 0) return false;
  const daysCovered = Math.floor((run.to - run.from) / DAY);
  let uncovered = 0;
  for (let day = 0; day < REFERENCE_DAYS && uncovered < daysCovered; day += 1)
    uncovered = cron.startsOn(REFERENCE + day * DAY) ? 0 : uncovered + 1;
  return uncovered < daysCovered;
};
