import type { Expression, ExpressionError, ExpressionResult, StepBudget } from '../cel/index.ts';
import { compileOnce } from '../cel/index.ts';
import type { KubeObject, ObjectKey } from '../kubernetes/object.ts';
import { parseObjectKey } from '../kubernetes/object.ts';
import { failing, healthy, progressing, unknown } from './object-health.ts';
import type { HealthRule, ObjectHealth } from './object-health.ts';

/** How an installation judges objects of a kind of its own: CEL over `object`, the live object. */
export interface OwnHealthRule {
  /** The API group without its version. */
  readonly group: string;
  readonly kind: string;
  /** Gives true when the object is ready. */
  readonly ready: string;
  /** Gives true when it has failed and will not mend by itself; asked first. */
  readonly failed?: string;
  /** Gives a text for people, about any of its states. */
  readonly message?: string;
}

export interface OwnRuleProblem {
  readonly field: 'ready' | 'failed' | 'message';
  readonly error: ExpressionError;
}

export type CompiledHealthRule =
  | { readonly ok: true; readonly rule: HealthRule }
  | { readonly ok: false; readonly problems: readonly OwnRuleProblem[] };

const VARIABLES = { object: 'dyn' } as const;

/** Reason of an object that will not mend by itself. */
export const FAILED_BY_RULE = 'FailedByRule';

/**
 * All problems at once: whoever mends a rule in Git wants to commit once.
 *
 * @param budget for everything that the rule is asked about
 */
export const compileHealthRule = (own: OwnHealthRule, budget?: StepBudget): CompiledHealthRule => {
  const problems: OwnRuleProblem[] = [];
  const compiled = <R extends ExpressionResult>(
    field: OwnRuleProblem['field'],
    source: string | undefined,
    result: R,
  ): Expression<R> | null => {
    if (source === undefined) return null;
    const outcome = compileOnce(source, { variables: VARIABLES, result });
    if (outcome.ok) return outcome.expression;
    problems.push({ field, error: outcome.error });
    return null;
  };
  const ready = compiled('ready', own.ready, 'bool');
  const failed = compiled('failed', own.failed, 'bool');
  const message = compiled('message', own.message, 'string');
  if (ready === null || problems.length > 0) return { ok: false, problems };
  return { ok: true, rule: (object) => judge({ ready, failed, message }, object, budget) };
};

interface Expressions {
  readonly ready: Expression<'bool'>;
  readonly failed: Expression<'bool'> | null;
  readonly message: Expression<'string'> | null;
}

/**
 * A field that is not there yet is the normal state of a young object: it has not failed, and it is not ready. Any other error
 * leaves the object unknown, which is never healthy.
 */
const judge = ({ ready, failed, message }: Expressions, object: KubeObject, budget?: StepBudget): ObjectHealth => {
  const bindings = { object };
  const options = budget === undefined ? {} : { budget };
  const said = message?.evaluate(bindings, options);
  const text = (otherwise: string): string => (said?.ok === true && said.value.trim() !== '' ? said.value : otherwise);

  const bad = failed?.evaluate(bindings, options);
  if (bad?.ok === false && bad.error.code !== 'Missing') return broken('failed', bad.error);
  if (bad?.ok === true && bad.value) return failing(FAILED_BY_RULE, text('it has failed by the rule for its kind'));

  const good = ready.evaluate(bindings, options);
  if (!good.ok && good.error.code !== 'Missing') return broken('ready', good.error);
  if (!good.ok) return progressing('NotReadyByRule', text(`not ready by the rule for its kind: ${good.error.message}`));
  return good.value
    ? healthy('ReadyByRule', text('ready by the rule for its kind'))
    : progressing('NotReadyByRule', text('not ready by the rule for its kind'));
};

const broken = (field: string, error: ExpressionError): ObjectHealth =>
  unknown(
    'HealthRuleBroken',
    `the rule for its kind cannot be evaluated (${field}): ${error.message}; ${error.remedy}`,
  );

/** Steps for everything that rules are asked in one look at an application on a cluster: about half a second at the worst. */
const STEPS_TOGETHER = 500_000;

/**
 * The rules for the kinds of these objects, by group and kind: compiling costs more than judging, and most kinds have none. For one look;
 * the next one has steps of its own. A rule that does not compile, as it was planned by another version, leaves its objects unknown.
 */
export const ownRulesFor = (
  rules: readonly OwnHealthRule[],
  keys: readonly ObjectKey[],
): ReadonlyMap<string, HealthRule> => {
  if (rules.length === 0) return new Map();
  const kinds = new Set(keys.map(groupKindOfKey));
  const budget = { left: STEPS_TOGETHER };
  return new Map(
    rules
      .filter(({ group, kind }) => kinds.has(`${group}/${kind}`))
      .map((own) => {
        const compiled = compileHealthRule(own, budget);
        return [`${own.group}/${own.kind}`, compiled.ok ? compiled.rule : notCompiled(compiled.problems)];
      }),
  );
};

const groupKindOfKey = (key: ObjectKey): string => {
  const { group, kind } = parseObjectKey(key);
  return `${group}/${kind}`;
};

const notCompiled =
  ([first]: readonly OwnRuleProblem[]): HealthRule =>
  () =>
    first === undefined ? unknown('HealthRuleBroken', 'its rule is broken') : broken(first.field, first.error);
