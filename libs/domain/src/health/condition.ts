import { listAt, numberAt, stringAt } from './json-field.ts';

/** An entry of `status.conditions`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly observedGeneration: number | undefined;
}

export const conditionsOf = (object: unknown): readonly Condition[] =>
  listAt(object, 'status', 'conditions').flatMap((entry) => {
    const type = stringAt(entry, 'type');
    const status = stringAt(entry, 'status');
    if (type === undefined || status === undefined) return [];
    return [
      {
        type,
        status,
        reason: stringAt(entry, 'reason'),
        message: stringAt(entry, 'message'),
        observedGeneration: numberAt(entry, 'observedGeneration'),
      },
    ];
  });

export const conditionOf = (object: unknown, type: string): Condition | undefined =>
  conditionsOf(object).find((condition) => condition.type === type);

/** The condition of this type when it has this status. */
export const conditionIs = (object: unknown, type: string, status: 'True' | 'False'): Condition | undefined => {
  const condition = conditionOf(object, type);
  return condition?.status === status ? condition : undefined;
};

/** `message`, else the reason, else words of our own: conditions often leave one of them out. */
export const conditionText = (condition: Condition, otherwise: string): string =>
  condition.message ?? condition.reason ?? otherwise;
