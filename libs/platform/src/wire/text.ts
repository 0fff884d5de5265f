import { z } from 'zod';

/** ISO 8601 in UTC, with milliseconds. */
export const time = z.iso.datetime({ offset: true }).describe('ISO 8601');

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
export const name = z
  .string()
  .max(253)
  .regex(NAME, 'must be lower-case letters, digits, "-" and ".", and begin and end with a letter or digit');

const ID = /^[A-Za-z0-9][-A-Za-z0-9_.]*$/;
/** A rollout's id, or an application's name, which stands for its newest rollout. */
export const rolloutReference = z
  .string()
  .max(253)
  .regex(ID, 'must be a rollout id or the name of an application')
  .describe('A rollout id, or the name of an application, which stands for its newest rollout');

/** What people write for other people: one line of text that a terminal can print safely. */
export const reason = z
  .string()
  .max(1000)
  // eslint-disable-next-line no-control-regex -- control characters are what is refused here
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must not contain control characters or line breaks')
  .describe('Why; it is kept in the audit trail');

/** Where Breakwater does not go on without one. */
export const neededReason = reason.regex(/\S/, 'must say why');

/** A commit, a branch or a tag: never something that Git would read as an option or an expression. */
export const revisionName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^(?!-)(?!.*(?:\.\.|@\{))[A-Za-z0-9._/@+-]+$/, 'must be a commit, a branch or a tag')
  .describe('A commit, branch or tag');

export const cursor = z.string().min(1).max(500).describe('`nextCursor` of the page before');
export const limit = z.coerce.number().int().min(1).max(500).describe('Items on a page');

/** A query flag: `?unfinished=true`. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
