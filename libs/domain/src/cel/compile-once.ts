import { type CompiledExpression, compileExpression, type ExpressionOptions } from './compile-expression.ts';
import type { ExpressionResult } from './metered-expression.ts';

/** Those that were asked for last; each is some kilobytes. */
const KEPT = 500;
const known = new Map<string, CompiledExpression<ExpressionResult>>();

/**
 * As `compileExpression`, for what is evaluated again and again from its source: conditions of gates and health rules. Reading one costs
 * ten times as much as evaluating it.
 */
export const compileOnce = <R extends ExpressionResult>(
  source: string,
  options: ExpressionOptions<R>,
): CompiledExpression<R> => {
  const key = JSON.stringify([source, options.result, options.variables]);
  // The result is part of the key.
  const compiled = (known.get(key) as CompiledExpression<R> | undefined) ?? compileExpression(source, options);
  known.delete(key);
  known.set(key, compiled);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  return compiled;
};
