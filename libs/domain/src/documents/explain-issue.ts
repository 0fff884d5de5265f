import type { z } from 'zod';
import type { JsonValue } from '../fleet/index.ts';
import { suggestion } from './did-you-mean.ts';
import type { DocumentErrorReason, FieldPath } from './document-error.ts';
import { DOCUMENT_ERROR_REASONS } from './document-error.ts';
import { takeApart } from './schema/field-message.ts';

export interface FieldProblem {
  readonly path: FieldPath;
  /** Whether the field's name is wrong, rather than its value. */
  readonly on: 'key' | 'value';
  readonly reason: DocumentErrorReason;
  readonly message: string;
  readonly remedy: string;
}

type Issue = z.core.$ZodIssue;

const SHOWN = 60;

const valueAt = (root: JsonValue, path: FieldPath): JsonValue | undefined => {
  let value: unknown = root;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return value as JsonValue | undefined;
};

/** Scalars as they are, shortened; a mapping or a list only by its type: it may be large. */
const shown = (value: JsonValue | undefined): string => {
  if (typeof value === 'string') return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeName(value);
};

const typeName = (value: JsonValue | undefined): string => {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return (
    { string: 'a text', number: 'a number', boolean: 'true or false', object: 'a mapping' }[typeof value as string] ??
    '?'
  );
};

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

const wrongType = (
  issue: Issue & { code: 'invalid_type' },
  value: JsonValue | undefined,
): Omit<FieldProblem, 'path'> => {
  const wanted = EXPECTED[issue.expected] ?? issue.expected;
  if (value === undefined)
    return { on: 'value', reason: 'MissingField', message: 'is missing', remedy: `write ${wanted}` };
  const quotes = issue.expected === 'string' && typeof value !== 'object' ? '; put it in quotes' : '';
  const message = value === null ? 'is empty' : `is ${shown(value)}, not ${wanted}`;
  return { on: 'value', reason: 'InvalidValue', message, remedy: quotes === '' ? `write ${wanted}` : quotes.slice(2) };
};

const NOT_SUPPORTED_YET = {
  on: 'key',
  reason: 'NotSupportedYet',
  message: 'NotSupportedYet: this version of Breakwater does not have it',
  remedy: 'take the field out',
} as const;

const bound = (issue: Issue & { code: 'too_small' | 'too_big' }): string => {
  const unit = issue.origin === 'array' ? ' entries' : issue.origin === 'string' ? ' characters' : '';
  return issue.code === 'too_small' ? `at least ${issue.minimum}${unit}` : `at most ${issue.maximum}${unit}`;
};

const isReason = (reason: unknown): reason is DocumentErrorReason =>
  (DOCUMENT_ERROR_REASONS as readonly unknown[]).includes(reason);

/** What the schema itself says, in the two sentences of {@link takeApart}; null where it leaves the words to zod. */
const ownWords = (issue: Issue, value: JsonValue | undefined): Omit<FieldProblem, 'path'> | null => {
  const { message, remedy } = takeApart(issue.message);
  if (remedy === null) return null;
  const reason: unknown = issue.code === 'custom' ? issue.params?.['reason'] : undefined;
  const scalar = typeof value !== 'object' && value !== undefined && issue.code !== 'custom';
  const said = scalar && message.startsWith('is not ') ? `${shown(value)} ${message}` : message;
  return { on: 'value', reason: isReason(reason) ? reason : 'InvalidValue', message: said, remedy };
};

const unknownFields = (issue: Issue & { code: 'unrecognized_keys' }, path: FieldPath): FieldProblem[] => {
  const known = (takeApart(issue.message).remedy ?? '').split(' ').filter((field) => field !== '');
  return issue.keys.map((key) => ({
    path: [...path, key],
    on: 'key',
    reason: 'UnknownField',
    message: 'is not a known field',
    remedy: suggestion(key, known, 'take it out'),
  }));
};

/** One issue of a schema in our words; `root` is what was validated. */
export const explainIssue = (issue: Issue, root: JsonValue): readonly FieldProblem[] => {
  const path = issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment));
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') return unknownFields(issue, path);
  if (issue.code === 'invalid_type' && issue.expected === 'never') return [{ path, ...NOT_SUPPORTED_YET }];
  if (issue.code === 'invalid_key') {
    const inner = takeApart(issue.issues[0]?.message ?? 'is not a valid key');
    return [
      { path, on: 'key', reason: 'InvalidValue', message: inner.message, remedy: inner.remedy ?? 'write another key' },
    ];
  }
  if (value === undefined && (issue.code === 'invalid_union' || issue.code === 'invalid_value'))
    return [{ path, on: 'value', reason: 'MissingField', message: 'is missing', remedy: 'write it' }];
  const own = ownWords(issue, value);
  if (own !== null) return [{ path, ...own }];
  if (issue.code === 'invalid_type') return [{ path, ...wrongType(issue, value) }];
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String);
    const remedy = suggestion(typeof value === 'string' ? value : '', words, `write ${words.join(' or ')}`);
    return [
      {
        path,
        on: 'value',
        reason: 'InvalidValue',
        message: `${shown(value)} is not one of ${words.join(', ')}`,
        remedy,
      },
    ];
  }
  if (issue.code === 'too_small' || issue.code === 'too_big')
    return [
      {
        path,
        on: 'value',
        reason: 'InvalidValue',
        message: `${shown(value)} is out of bounds`,
        remedy: `write ${bound(issue)}`,
      },
    ];
  return [
    { path, on: 'value', reason: 'InvalidValue', message: `${shown(value)} is not valid`, remedy: 'see the reference' },
  ];
};
