import { z } from 'zod';
import type { JsonValue } from '../fleet/index.ts';
import { type DocumentError, fieldText, formatDocumentError, sortErrors } from './document-error.ts';
import { explainIssue } from './explain-issue.ts';

const explained = (schema: z.ZodType, value: JsonValue | undefined) => {
  const { issues } = schema.safeParse({ a: value }).error ?? { issues: [] };
  return issues.flatMap((issue) => explainIssue(issue, (value === undefined ? {} : { a: value }) as JsonValue));
};
const a = (schema: z.ZodType) => z.object({ a: schema });

describe('what a schema refuses is said in our words', () => {
  it.each<[string, z.ZodType, JsonValue | undefined, string]>([
    ['a number for a text', z.string(), 7, 'is 7, not a text; put it in quotes'],
    ['true for a text', z.string(), true, 'is true, not a text; put it in quotes'],
    ['nothing for a text', z.string(), null, 'is empty; write a text'],
    ['a list for a text', z.string(), [1], 'is a list, not a text; write a text'],
    ['a mapping for a text', z.string(), { b: 1 }, 'is a mapping, not a text; write a text'],
    ['a text for a number', z.number(), 'b', 'is "b", not a number; write a number'],
    ['a fraction for a whole number', z.int(), 1.5, 'is 1.5, not a whole number; write a whole number'],
    ['a text for a truth', z.boolean(), 'yes', 'is "yes", not true or false; write true or false'],
    ['a text for a list', z.array(z.string()), 'b', 'is "b", not a list; write a list'],
    ['a text for a mapping', z.object({}), 'b', 'is "b", not a mapping; write a mapping'],
    ['a text for labels', z.record(z.string(), z.string()), 'b', 'is "b", not a mapping; write a mapping'],
    ['60 letters', z.number(), 'x'.repeat(60), `is "${'x'.repeat(60)}", not a number; write a number`],
    ['61 letters', z.number(), 'x'.repeat(61), `is "${'x'.repeat(60)}…", not a number; write a number`],
    ['what is missing', z.string(), undefined, 'is missing; write a text'],
    ['a word that is missing', z.enum(['wave', 'ring']), undefined, 'is missing; write it'],
    ['one of several that is missing', z.union([z.string(), z.number()]), undefined, 'is missing; write it'],
    ['a word', z.enum(['wave', 'ring']), 'wav', '"wav" is not one of wave, ring; did you mean "wave"?'],
    ['no word', z.enum(['wave', 'ring']), 7, '7 is not one of wave, ring; known: ring, wave'],
    ['less than the least', z.number().min(1), 0, '0 is out of bounds; write at least 1'],
    ['more than the most', z.number().max(9), 10, '10 is out of bounds; write at most 9'],
    ['a long list', z.array(z.number()).max(2), [1, 2, 3], 'a list is out of bounds; write at most 2 entries'],
    ['a short text', z.string().min(2), 'b', '"b" is out of bounds; write at least 2 characters'],
    ['what has no words', z.string().regex(/x/), 'b', '"b" is not valid; see the reference'],
  ])('%s', (_, schema, value, said) => {
    const [problem, ...others] = explained(a(schema), value);
    expect(others).toEqual([]);
    expect(`${problem?.message}; ${problem?.remedy}`).toBe(said);
    expect(problem).toMatchObject({
      path: ['a'],
      on: 'value',
      reason: said.startsWith('is missing') ? 'MissingField' : 'InvalidValue',
    });
  });

  it('names each field that nobody knows, at its key', () => {
    const issues = z.strictObject({ a: z.number() }).safeParse({ a: 1, b: 2, c: 3 }).error?.issues ?? [];
    expect(issues.flatMap((issue) => explainIssue(issue, { a: 1, b: 2, c: 3 }))).toEqual(
      ['b', 'c'].map((key) => ({
        path: [key],
        on: 'key',
        reason: 'UnknownField',
        message: 'is not a known field',
        remedy: 'take it out',
      })),
    );
  });

  it('refuses what is not built yet, and keys that may not be', () => {
    expect(explained(a(z.never()), 1)).toMatchObject([{ path: ['a'], on: 'key', reason: 'NotSupportedYet' }]);
    expect(explained(a(z.record(z.string().regex(/x/), z.number())), { b: 1 })).toMatchObject([
      { path: ['a', 'b'], on: 'key', reason: 'InvalidValue', remedy: 'write another key' },
    ]);
  });
});

describe('an error in a document', () => {
  const error = (changes: Partial<DocumentError> = {}): DocumentError => ({
    file: 'a.yaml',
    line: 1,
    column: 2,
    kind: 'Fleet',
    name: 'shop',
    field: 'spec',
    reason: 'InvalidValue',
    message: 'is wrong',
    remedy: 'mend it',
    blocks: 'snapshot',
    ...changes,
  });

  it('names its field as it is written', () => {
    expect(fieldText(['spec', 'waves', 0, 'soak'])).toBe('spec.waves[0].soak');
    expect(fieldText(['a b', 'c'])).toBe('["a b"].c');
    expect(fieldText(['labels', 'a/b', '9', 'x y'])).toBe('labels["a/b"]["9"]["x y"]');
    expect(fieldText([])).toBe('');
  });

  it('is one line, with as much of its place as is known', () => {
    expect(formatDocumentError(error())).toBe('a.yaml:1:2 Fleet/shop spec: is wrong; mend it');
    expect(formatDocumentError(error({ kind: '' }))).toBe('a.yaml:1:2 ?/shop spec: is wrong; mend it');
    expect(formatDocumentError(error({ name: '', field: '' }))).toBe('a.yaml:1:2 Fleet/?: is wrong; mend it');
    expect(formatDocumentError(error({ kind: '', name: '' }))).toBe('a.yaml:1:2 spec: is wrong; mend it');
  });

  it('stands where it is in its file, and then by its field and its words', () => {
    const sorted = [
      error({ line: 1 }),
      error({ line: 2, column: 1 }),
      error({ line: 2, column: 10, field: 'a', message: 'a' }),
      error({ line: 2, column: 10, field: 'a', message: 'b' }),
      error({ line: 2, column: 10, field: 'b', message: 'a' }),
      error({ line: 10, column: 1 }),
      error({ file: 'b.yaml' }),
    ];
    expect(sortErrors([...sorted].reverse())).toEqual(sorted);
    expect(sortErrors([3, 0, 6, 2, 5, 1, 4].flatMap((index) => sorted[index] ?? []))).toEqual(sorted);
  });
});
