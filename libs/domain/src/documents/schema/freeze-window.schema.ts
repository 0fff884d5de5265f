import { z } from 'zod';
import { OVERRIDE_ROLES } from '../../fleet/index.ts';
import { instantOf, isTimeZone, parseDateAndTime, ZoneClock } from '../../windows/index.ts';
import { documentSchema } from './document.schema.ts';
import { refuse, says } from './field-message.ts';
import { fields, name } from './fields.ts';
import { clusterSelectorWithNames } from './selector.schema.ts';
import { cron, inFlight, refuseEndless, timeZone, windowDuration } from './window.schema.ts';

const EMPTY_REMEDY = 'name at least one, or leave the field out';

const dateAndTime = () =>
  z
    .string()
    .refine(
      (text) => parseDateAndTime(text) !== null,
      says(
        'is not a date and time',
        'write 2026-12-20T18:00 by the clock of the time zone, or 2026-12-20T18:00+01:00 with an offset',
      ),
    );

const once = () =>
  fields({
    from: dateAndTime().describe('Such as 2026-12-20T18:00, by the clock of the time zone, or with an offset.'),
    to: dateAndTime().describe('In the same form; the freeze ends at this moment.'),
  });

const override = () =>
  fields({
    users: z
      .array(z.string().min(1, says('is empty', 'name a user')).max(253))
      .min(1, says('is empty', EMPTY_REMEDY))
      .optional()
      .describe('Names of people.'),
    roles: z
      .array(z.enum(OVERRIDE_ROLES))
      .min(1, says('is empty', EMPTY_REMEDY))
      .optional()
      .describe('Roles; an admin may do what an operator may.'),
  })
    .superRefine((value, context) => {
      if (value.users === undefined && value.roles === undefined)
        refuse(
          context,
          [],
          'names nobody',
          'name users or roles, or leave the field out so that nobody may override it',
        );
    })
    .transform(({ users, roles }) => ({ users: users ?? [], roles: roles ?? [] }));

const raw = () =>
  fields({
    fleets: z
      .array(name())
      .min(1, says('is empty', EMPTY_REMEDY))
      .optional()
      .describe("Only for rollouts of these fleets' applications. Default: of every fleet."),
    clusters: clusterSelectorWithNames()
      .optional()
      .describe('Only on these clusters; `fleets` or `clusters` is needed, and both must hold where both are given.'),
    timeZone: timeZone(),
    once: once().optional().describe('One freeze; or `cron` with `duration`.'),
    cron: cron().optional(),
    duration: windowDuration().optional(),
    inFlight: inFlight('the freeze begins'),
    reason: z
      .string()
      .regex(/\S/, says('is empty', 'say why, for those who have to wait'))
      .max(1024)
      .describe('Shown to everyone who waits.'),
    override: override().optional().describe('Who may write in spite of it. Default: nobody.'),
  });

type Raw = z.output<ReturnType<typeof raw>>;

const refuseWithoutScope = (value: Raw, context: z.RefinementCtx): void => {
  if (value.fleets === undefined && value.clusters === undefined)
    refuse(
      context,
      [],
      'does not say what is frozen',
      'name fleets or clusters; clusters: { all: true } is everything',
    );
};

const refuseBackwards = (value: Raw, context: z.RefinementCtx): void => {
  const from = parseDateAndTime(value.once?.from ?? '');
  const to = parseDateAndTime(value.once?.to ?? '');
  if (from === null || to === null || !isTimeZone(value.timeZone)) return;
  const clock = new ZoneClock(value.timeZone);
  if (instantOf(from, clock, 'from') >= instantOf(to, clock, 'to'))
    refuse(context, ['once', 'to'], 'is not after from', 'write the end after the beginning');
};

const refuseUnclearTimes = (value: Raw, context: z.RefinementCtx): void => {
  const recurring = value.cron !== undefined || value.duration !== undefined;
  if ((value.once !== undefined) === recurring)
    refuse(context, [], 'needs once, or cron with duration, and only one of them', 'say when the freeze is');
  else if (recurring && value.cron === undefined)
    refuse(context, ['cron'], 'is missing', 'say when each freeze starts, such as "0 18 * * 5"', 'MissingField');
  else if (recurring && value.duration === undefined)
    refuse(context, ['duration'], 'is missing', 'say how long each freeze lasts, such as 62h', 'MissingField');
  else if (value.cron !== undefined && value.duration !== undefined)
    refuseEndless({ cron: value.cron, duration: value.duration }, context, 'make it shorter, or write once');
};

const timesOf = ({ timeZone: zone, once: span, cron: text, duration: length }: Raw) =>
  span === undefined
    ? { kind: 'cron' as const, timeZone: zone, cron: text ?? '', duration: length ?? 0 }
    : { kind: 'once' as const, timeZone: zone, ...span };

const spec = raw()
  .superRefine(refuseWithoutScope)
  .superRefine(refuseUnclearTimes)
  .superRefine(refuseBackwards)
  .transform((value) => ({
    scope: {
      fleets: value.fleets ?? [],
      clusters: value.clusters?.names ?? [],
      selector: value.clusters?.selector ?? null,
    },
    times: timesOf(value),
    inFlight: value.inFlight,
    reason: value.reason,
    override: value.override ?? { users: [], roles: [] },
  }));

export const freezeWindowSchema = documentSchema('FreezeWindow', spec).describe(
  'A time in which nothing is written to some clusters.',
);
