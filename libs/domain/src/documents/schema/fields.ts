import { z } from 'zod';
import type { CountOrPercentage } from '../../quantity/index.ts';
import { DURATION_PATTERN, parseDuration, PERCENTAGE_PATTERN } from '../../quantity/index.ts';
import { says } from './field-message.ts';

const KNOWN_FIELDS = 'known fields';

/** A mapping whose unknown fields are errors; the message names the known ones, for the "did you mean". */
export const fields = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? says(KNOWN_FIELDS, Object.keys(shape).sort().join(' ')) : undefined,
  });

/** In the contract, and not built yet: refused, never ignored. */
export const notYet = (what: string) => z.never().optional().describe(`Not supported yet: ${what}`);

const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const isName = (text: string): boolean => NAME_PATTERN.test(text);

export const name = () =>
  z
    .string()
    .regex(
      NAME_PATTERN,
      says(
        'is not a valid name',
        'use at most 63 lower-case letters, digits and "-", with a letter or digit at both ends',
      ),
    );

const LABEL_VALUE_PATTERN = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY_PATTERN =
  /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,7}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const LABEL_VALUE_RULE = says(
  'is not a valid label value',
  'use at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends',
);
const LABEL_KEY_RULE = says('is not a valid label key', 'write it as "name" or "example.com/name"');

export const labelValue = () => z.string().regex(LABEL_VALUE_PATTERN, LABEL_VALUE_RULE);
export const labelKey = () => z.string().regex(LABEL_KEY_PATTERN, LABEL_KEY_RULE);
export const labels = () => z.record(labelKey(), labelValue());

/** Regions and failure domains: what a provider calls them. */
export const place = () => labelValue().min(1, says('is empty', 'name it as the provider does, such as eu-west-1'));

const DURATION_RULE = says('is not a duration', 'write a number and a unit: 10s, 5m, 2h or 7d, at most 366d');

/** Text such as `5m` in the document, milliseconds in the model. */
export const duration = () =>
  z
    .string({ error: (issue) => (issue.input === undefined ? undefined : DURATION_RULE) })
    .regex(DURATION_PATTERN, { error: DURATION_RULE, abort: true })
    .transform((text, context) => {
      const milliseconds = parseDuration(text);
      if (milliseconds !== null) return milliseconds;
      context.addIssue({ code: 'custom', message: DURATION_RULE });
      return z.NEVER;
    });

/** A count of at least `least`, or a whole percentage up to 100%. */
export const countOrPercentage = (least: 0 | 1) => {
  const rule = says(
    'is not a number of clusters or a percentage',
    `write a whole number from ${least}, such as 2, or a percentage from ${least}% to 100%, such as 50%`,
  );
  const pattern = least === 0 ? PERCENTAGE_PATTERN : /^(100|[1-9][0-9]?)%$/;
  return z.union(
    [
      z.int(rule).min(least, rule).max(100_000, rule),
      z
        .string(rule)
        .regex(pattern, rule)
        .transform((text) => text as CountOrPercentage & string),
    ],
    { error: rule },
  );
};

/** Values of any shape; hostile keys and what JSON cannot say were refused when the text was read. */
export const values = () => z.record(z.string(), z.unknown());

const MAX_PATH = 1024;
const hasControlCharacter = (text: string): boolean =>
  [...text].some((character) => character < ' ' || character === '\\');

/** Without `./`, doubled and trailing slashes; `` is the tree's root; null where it is absolute or leaves the tree. */
export const normalizePath = (text: string): string | null => {
  if (text === '' || text.length > MAX_PATH || text.startsWith('/') || hasControlCharacter(text)) return null;
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.includes('..') ? null : segments.join('/');
};

export const relativePath = () =>
  z.string().transform((text, context) => {
    const path = normalizePath(text);
    if (path !== null && path !== '') return path;
    const message = path === '' ? 'is the whole tree' : 'is not a path inside of the tree';
    context.addIssue({
      code: 'custom',
      message: says(message, 'write a relative path of a folder such as apps/podinfo, without ".."'),
    });
    return z.NEVER;
  });
