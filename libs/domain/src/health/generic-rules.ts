import type { KubeObject } from '../kubernetes/object.ts';
import { conditionIs, conditionsOf, conditionText } from './condition.ts';
import { numberAt, stringAt, valueAt } from './json-field.ts';
import { failing, healthy, progressing, terminating } from './object-health.ts';
import type { ObjectHealth } from './object-health.ts';

/** Rules of kstatus that hold for every kind, in order; null: ask the kind's own rule. */
export const assessGenerically = (object: KubeObject): ObjectHealth | null =>
  assessObservation(object) ?? assessStandardConditions(object);

/** What no rule of a user may overlook: an object that goes, and a status that is about another object than this one. */
export const assessObservation = (object: KubeObject): ObjectHealth | null =>
  assessDeletion(object) ?? assessGeneration(object);

const assessDeletion = (object: KubeObject): ObjectHealth | null => {
  if (stringAt(object, 'metadata', 'deletionTimestamp') === undefined) return null;
  const listed = valueAt(object, 'metadata', 'finalizers');
  const finalizers = Array.isArray(listed) ? listed.filter((entry) => typeof entry === 'string') : [];
  const waits = finalizers.length === 0 ? '' : `; finalizers left: ${finalizers.join(', ')}`;
  return terminating('Terminating', `is being deleted${waits}`);
};

/** What the status says is about an older generation of the object: it proves nothing about this one. */
export const isStale = (object: KubeObject): boolean => {
  const generation = numberAt(object, 'metadata', 'generation');
  const observed = numberAt(object, 'status', 'observedGeneration');
  return generation !== undefined && observed !== undefined && generation !== observed;
};

const assessGeneration = (object: KubeObject): ObjectHealth | null =>
  isStale(object)
    ? progressing(
        'GenerationNotObserved',
        `generation ${numberAt(object, 'metadata', 'generation')} has not been observed yet, only ${numberAt(object, 'status', 'observedGeneration')}`,
      )
    : null;

const assessStandardConditions = (object: KubeObject): ObjectHealth | null => {
  const stalled = conditionIs(object, 'Stalled', 'True');
  if (stalled !== undefined) return failing(stalled.reason ?? 'Stalled', conditionText(stalled, 'is stalled'));
  const reconciling = conditionIs(object, 'Reconciling', 'True');
  if (reconciling !== undefined) {
    return progressing(reconciling.reason ?? 'Reconciling', conditionText(reconciling, 'is being reconciled'));
  }
  return null;
};

/**
 * For kinds whose controller always writes `observedGeneration`: without it the controller has not seen the object, and a
 * status full of zeros would pass for a workload that was scaled to 0.
 */
export const awaitFirstObservation = (object: KubeObject): ObjectHealth | null =>
  numberAt(object, 'status', 'observedGeneration') === undefined
    ? progressing('NotObserved', 'its controller has not observed it yet')
    : null;

const READINESS_CONDITIONS = ['Ready', 'Available', 'Healthy'];

/** The fallback for custom kinds: each readiness condition that is there must be true, and about this generation. */
export const assessByConditions = (object: KubeObject): ObjectHealth => {
  const conditions = conditionsOf(object).filter(({ type }) => READINESS_CONDITIONS.includes(type));
  const generation = numberAt(object, 'metadata', 'generation');
  for (const condition of conditions) {
    const { type, status, observedGeneration } = condition;
    if (generation !== undefined && observedGeneration !== undefined && observedGeneration < generation) {
      return progressing('GenerationNotObserved', `condition ${type} is about generation ${observedGeneration}`);
    }
    if (status !== 'True') {
      return progressing(condition.reason ?? `Not${type}`, conditionText(condition, `condition ${type} is ${status}`));
    }
  }
  const [first] = conditions;
  if (first === undefined) return healthy('Exists', 'exists; it reports no readiness');
  return healthy(first.reason ?? first.type, conditionText(first, `condition ${first.type} is True`));
};
