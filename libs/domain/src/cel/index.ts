export type { CompiledExpression, ExpressionOptions } from './compile-expression.ts';
export { compileExpression, EXPRESSION_LENGTH } from './compile-expression.ts';
export { compileOnce } from './compile-once.ts';
export type { VariableType } from './binding.ts';
export type { ExpressionError, ExpressionErrorCode } from './expression-error.ts';
export type {
  EvaluatedExpression,
  EvaluationOptions,
  Expression,
  ExpressionResult,
  ExpressionResults,
  StepBudget,
} from './metered-expression.ts';
export { EXPRESSION_STEPS } from './metered-expression.ts';
