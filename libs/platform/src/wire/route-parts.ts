import { z } from 'zod';
import { named } from './registry.ts';
import { cursor, limit, name, reason } from './text.ts';

export const byName = z.strictObject({ name });
export const page = { cursor: cursor.optional(), limit: limit.default(100) };
export const paged = z.strictObject(page);
export const reasonBody = named('ReasonRequest', z.strictObject({ reason: reason.optional() }));
