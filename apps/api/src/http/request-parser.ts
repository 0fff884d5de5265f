import { nearest, Problem } from '@breakwater/platform';
import type { RouteDefinition } from '@breakwater/platform';
import type { z } from 'zod';

interface FieldError {
  readonly field: string | null;
  readonly message: string;
}

/** Fields of later versions of the contract: refused by name, never ignored. */
const LATER: Readonly<Record<string, string>> = {
  plan: 'starting from a stored plan',
  past: 'going back past an irreversible hook',
};

const describe = (issue: z.core.$ZodIssue, known: readonly string[]): FieldError[] => {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return [{ field: path === '' ? null : path, message: issue.message }];
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    return { field: key, message: `is not a field${meant === null ? '' : `; did you mean "${meant}"?`}` };
  });
};

const parsePart = (part: string, schema: z.ZodObject | undefined, value: unknown): object => {
  if (schema === undefined) {
    const [first] = Object.keys(value as object);
    if (first === undefined) return {};
    throw new Problem(400, 'InvalidRequest', `the ${part} must be empty`, {
      members: { errors: [{ field: first, message: 'is not a field' }] },
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) => describe(issue, Object.keys(schema.shape)));
  const later = errors.find(({ field }) => field !== null && Object.hasOwn(LATER, field));
  if (later !== undefined && later.field !== null)
    throw new Problem(422, 'NotSupportedYet', `${LATER[later.field]} is not supported yet`, {
      members: { errors: [later] },
    });
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new Problem(
    400,
    'InvalidRequest',
    `the ${part} is not right: ${first?.field == null ? '' : `${first.field}: `}${first?.message ?? ''}${more}`,
    { members: { errors } },
  );
};

/** Parses a request by its route's schemas. @throws {Problem} 400 that lists every bad field, 422 `NotSupportedYet` */
export const parseRequest = (
  definition: RouteDefinition,
  request: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
): { readonly params: object; readonly query: object; readonly body: object } => ({
  params: parsePart('path', definition.params, request.params),
  query: parsePart('query', definition.query, request.query),
  body: definition.rawBody === true ? {} : parsePart('body', definition.body, request.body),
});
