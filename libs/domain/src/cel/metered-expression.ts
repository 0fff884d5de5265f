import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { BadBinding, celValue } from './binding.ts';
import type { VariableType } from './binding.ts';
import { expressionError } from './expression-error.ts';
import type { ExpressionError } from './expression-error.ts';
import { unbounded } from './functions.ts';
import type { Meter } from './meter.ts';
import type { SourceTree } from './source-tree.ts';

export interface ExpressionResults {
  readonly bool: boolean;
  readonly number: number;
  readonly string: string;
}

export type ExpressionResult = keyof ExpressionResults;

export type EvaluatedExpression<R extends ExpressionResult> =
  { readonly ok: true; readonly value: ExpressionResults[R] } | { readonly ok: false; readonly error: ExpressionError };

export interface EvaluationOptions {
  /** Steps; one is about an operator or a field. */
  readonly limit?: number;
  /** Of several evaluations together: each takes off what it has used. */
  readonly budget?: StepBudget;
}

export interface StepBudget {
  left: number;
}

export interface Expression<R extends ExpressionResult> {
  readonly source: string;
  /**
   * Never throws. Bindings are data as JSON has it, one for every variable.
   * The same bindings and limit give the same answer, on every machine.
   */
  evaluate(bindings: Readonly<Record<string, unknown>>, options?: EvaluationOptions): EvaluatedExpression<R>;
}

/** About a tenth of a second at the worst. */
export const EXPRESSION_STEPS = 100_000;

/** Digits that a conversion is given: longer ones cost more than one pass. */
const DIGITS = 64;

const STEPS_OF_AN_ERROR = 100;

/** The part of the evaluator that its documented macros are handed. */
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
}

interface Node {
  evaluate(evaluator: Evaluator, node: ASTNode, context: unknown): unknown;
}

interface Parts<R extends ExpressionResult> {
  readonly source: string;
  readonly environment: Environment;
  readonly parsed: ParseResult;
  readonly tree: SourceTree;
  readonly meter: Meter;
  readonly variables: Readonly<Record<string, VariableType>>;
  readonly result: R;
}

export class MeteredExpression<R extends ExpressionResult> implements Expression<R> {
  readonly source: string;
  readonly #parts: Parts<R>;
  readonly #entry: ParseResult;

  constructor(parts: Parts<R>) {
    this.source = parts.source;
    this.#parts = parts;
    this.#entry = meteredEntry(parts);
  }

  evaluate(
    bindings: Readonly<Record<string, unknown>>,
    { limit = EXPRESSION_STEPS, budget = { left: limit } }: EvaluationOptions = {},
  ): EvaluatedExpression<R> {
    const { meter, result, variables } = this.#parts;
    const values: Record<string, unknown> = {};
    for (const [name, type] of Object.entries(variables)) {
      try {
        values[name] = celValue(Object.hasOwn(bindings, name) ? bindings[name] : null, type);
      } catch (cause) {
        if (!(cause instanceof BadBinding)) throw cause;
        const message = `${name} ${cause.message}`;
        return refused(
          cause.tooLarge
            ? expressionError('TooLarge', message, 'Evaluate it over less data.')
            : expressionError('Failed', message, `Give ${name} a value of type ${type}.`),
        );
      }
    }
    const steps = Math.min(limit, budget.left);
    meter.start(steps);
    const outcome = this.#run(values);
    budget.left -= meter.used;
    if (meter.usedUp && steps < limit) {
      const message = 'other evaluations have used up the steps that all of them may take together';
      return refused(expressionError('TooExpensive', message, 'Write them so that they look at fewer elements.'));
    }
    if (meter.usedUp) {
      const remedy = 'Look at fewer elements: filter first, and write no loops within loops over the same list.';
      return refused(expressionError('TooExpensive', `the expression needs more than ${limit} steps`, remedy));
    }
    if ('cause' in outcome) return refused(evaluationError(outcome.cause, this.source));
    return typed(outcome.value, result);
  }

  #run(values: Record<string, unknown>): { readonly value: unknown } | { readonly cause: unknown } {
    try {
      return { value: this.#entry(values) };
    } catch (cause) {
      return { cause };
    }
  }
}

/**
 * The evaluator has no limit on steps, but hands itself to macros, and evaluates every node through its `run`: a macro that
 * stands around the whole expression puts the meter there.
 */
const meteredEntry = <R extends ExpressionResult>({ environment, parsed, tree, meter }: Parts<R>): ParseResult => {
  const pay = (node: ASTNode, value: unknown): void => {
    const reading = tree.readingOf(node);
    if (reading === 'all') return meter.spendOnAll(value);
    if (typeof value === 'string') {
      if (reading === 'digits' && value.length > DIGITS) {
        throw new EvaluationError({ code: 'text_too_long', message: `only ${DIGITS} characters can be converted` });
      }
      return meter.spendOnText(value.length);
    }
    if (reading !== 'entries') return;
    if (Array.isArray(value)) meter.spend(value.length);
    else if (value instanceof Map) meter.spend(value.size);
  };
  let paid: unknown;
  const attempt = (node: ASTNode, evaluator: Evaluator, context: unknown): unknown => {
    try {
      return (node as unknown as Node).evaluate(evaluator, node, context);
    } catch (cause) {
      // `exists` and `||` go on after an error, and making one costs far more than a step.
      if (cause !== paid && !meter.usedUp) meter.spend(STEPS_OF_AN_ERROR);
      paid = cause;
      throw cause;
    }
  };
  const metered = new WeakSet<Evaluator>();
  const meterOf = (evaluator: Evaluator): Evaluator => {
    if (metered.has(evaluator)) return evaluator;
    metered.add(evaluator);
    evaluator.run = (node, context) => {
      meter.spend(1);
      const value = attempt(node, evaluator, context);
      pay(node, value);
      return value;
    };
    return evaluator;
  };
  environment.registerFunction('metered(ast): dyn', () => ({
    typeCheck: (checker: { getType(name: string): unknown }) => checker.getType('dyn'),
    evaluate: (evaluator: Evaluator, _macro: unknown, context: unknown) => meterOf(evaluator).run(parsed.ast, context),
    async: false,
  }));
  return environment.parse('metered(true)');
};

const typed = <R extends ExpressionResult>(value: unknown, result: R): EvaluatedExpression<R> => {
  const number = result === 'number' && typeof value === 'bigint' ? Number(value) : value;
  const wanted = { bool: 'boolean', number: 'number', string: 'string' }[result];
  if (typeof number === wanted) return { ok: true, value: number as ExpressionResults[R] };
  return refused(
    expressionError(
      'Failed',
      `the expression did not give a ${result}`,
      `Write one that gives a ${result} every time.`,
    ),
  );
};

const refused = (error: ExpressionError): { ok: false; error: ExpressionError } => ({ ok: false, error });

const MISSING: ReadonlySet<string> = new Set(['no_such_key', 'index_out_of_bounds', 'index_out_of_range']);

const evaluationError = (cause: unknown, source: string): ExpressionError => {
  if (!(cause instanceof EvaluationError || cause instanceof CelTypeError || cause instanceof ParseError)) {
    return expressionError('Failed', 'the evaluation failed', 'Write it more simply.');
  }
  const offset = cause.node?.pos ?? cause.range?.start;
  const at = offset === undefined ? undefined : { source, offset };
  if (MISSING.has(cause.code)) {
    const remedy =
      'Ask first, with has(a.b) or "key" in a, as in `has(object.status.phase) && object.status.phase == "Ready"`.';
    return expressionError('Missing', unbounded(cause.summary), remedy, at);
  }
  return expressionError(
    'Failed',
    unbounded(cause.summary),
    'Check what the values can be, and convert them where needed.',
    at,
  );
};
