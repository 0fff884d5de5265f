/**
 * - `Invalid`: it does not parse, names what does not exist, or its types do not fit; only at compile time
 * - `TooLarge`: longer, deeper or wider than is allowed, or about too much data
 * - `Missing`: a field, key or element that is not there: often only not there yet
 * - `TooExpensive`: the limit on steps is used up
 * - `Failed`: any other error of an evaluation, such as a division by zero or operands of the wrong type
 */
export type ExpressionErrorCode = 'Invalid' | 'TooLarge' | 'Missing' | 'TooExpensive' | 'Failed';

export interface ExpressionError {
  readonly code: ExpressionErrorCode;
  /** One printable line, without the position. */
  readonly message: string;
  /** Where in the source, from 1; absent where the error is not about a place. */
  readonly position?: { readonly line: number; readonly column: number };
  readonly remedy: string;
}

/** Characters of a message that are shown: it may quote the source or a live object. */
const SHOWN = 300;

/** `offset` counts characters of `source`. */
export const expressionError = (
  code: ExpressionErrorCode,
  message: string,
  remedy: string,
  at?: { readonly source: string; readonly offset: number },
): ExpressionError => {
  const printable = message.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const error = { code, message: printable.length > SHOWN ? `${printable.slice(0, SHOWN)}…` : printable, remedy };
  return at === undefined ? error : { ...error, position: positionOf(at.source, at.offset) };
};

const positionOf = (source: string, offset: number): { line: number; column: number } => {
  const before = source.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
};
