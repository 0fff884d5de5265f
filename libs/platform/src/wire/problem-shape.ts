import { z } from 'zod';
import { named } from './registry.ts';

/** Problem details (RFC 9457). `code` is stable; other members belong to the code. */
export const problemShape = named(
  'Problem',
  z.looseObject({
    type: z.string().describe('`urn:breakwater:problem:` and the code'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().describe('Stable, in UpperCamelCase'),
    remedy: z.string().optional(),
    errors: z.array(z.looseObject({ field: z.string().nullable().optional(), message: z.string() })).optional(),
  }),
);
export type WireProblem = z.infer<typeof problemShape>;
