import type { z } from 'zod';
import type { DocumentErrorReason } from '../document-error.ts';

/** A schema's message carries two sentences; explain-issue.ts takes them apart again. */
const BETWEEN = '\n';

export const says = (message: string, remedy: string): string => `${message}${BETWEEN}${remedy}`;

export const takeApart = (text: string): { readonly message: string; readonly remedy: string | null } => {
  const at = text.indexOf(BETWEEN);
  return at < 0
    ? { message: text, remedy: null }
    : { message: text.slice(0, at), remedy: text.slice(at + BETWEEN.length) };
};

/** For rules over more than one field. */
export const refuse = (
  context: z.RefinementCtx,
  path: readonly (string | number)[],
  message: string,
  remedy: string,
  reason: DocumentErrorReason = 'InvalidValue',
): void => {
  context.addIssue({ code: 'custom', path: [...path], message: says(message, remedy), params: { reason } });
};
