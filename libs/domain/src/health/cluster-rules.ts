import { conditionIs, conditionOf, conditionText } from './condition.ts';
import { awaitFirstObservation } from './generic-rules.ts';
import { numberAt, stringAt, valueAt } from './json-field.ts';
import { failing, healthy, progressing, terminating } from './object-health.ts';
import type { HealthRule } from './object-health.ts';

export const assessExisting: HealthRule = () => healthy('Exists', 'exists');

export const assessNamespace: HealthRule = (namespace) =>
  stringAt(namespace, 'status', 'phase') === 'Terminating'
    ? terminating('Terminating', 'is being deleted')
    : healthy('Active', 'the namespace is active');

export const assessCustomResourceDefinition: HealthRule = (definition) => {
  const refused = conditionIs(definition, 'NamesAccepted', 'False');
  if (refused !== undefined) {
    return failing(refused.reason ?? 'NamesNotAccepted', conditionText(refused, 'its names are taken'));
  }
  const established = conditionOf(definition, 'Established');
  if (established?.status === 'True') return healthy('Established', 'the definition is established');
  if (established?.status === 'False' && established.reason !== 'Installing') {
    return failing(established.reason ?? 'NotEstablished', conditionText(established, 'it is not established'));
  }
  return progressing('Installing', 'the definition is being installed');
};

export const assessApiService: HealthRule = (service) => {
  const available = conditionOf(service, 'Available');
  if (available?.status === 'True') return healthy('Available', 'the API is served');
  if (available === undefined) return progressing('NotObserved', 'the API has not been looked at yet');
  return progressing(available.reason ?? 'Unavailable', conditionText(available, 'the API is not served'));
};

export const assessNode: HealthRule = (node) => {
  const ready = conditionOf(node, 'Ready');
  if (ready === undefined) return progressing('NotObserved', 'the node has not reported yet');
  if (ready.status !== 'True')
    return failing('NodeNotReady', conditionText(ready, `condition Ready is ${ready.status}`));
  const cordoned = valueAt(node, 'spec', 'unschedulable') === true;
  return healthy('Ready', cordoned ? 'the node is ready, and cordoned' : 'the node is ready');
};

/** A budget that is not met says something about the pods, which their workloads answer for; it stops a drain, not a release. */
export const assessPodDisruptionBudget: HealthRule = (budget) => {
  const uncounted = conditionIs(budget, 'DisruptionAllowed', 'False');
  // The controller writes no observed generation with this one.
  if (uncounted?.reason === 'SyncFailed') {
    const why = conditionText(uncounted, 'no reason given');
    return healthy('SyncFailed', `its pods cannot be counted, and none may be disrupted: ${why}`);
  }
  const unobserved = awaitFirstObservation(budget);
  if (unobserved !== null) return unobserved;
  const allowed = numberAt(budget, 'status', 'disruptionsAllowed') ?? 0;
  if (allowed > 0) return healthy('Observed', `${allowed} more ${allowed === 1 ? 'pod' : 'pods'} may be disrupted`);
  const now = numberAt(budget, 'status', 'currentHealthy') ?? 0;
  const desired = numberAt(budget, 'status', 'desiredHealthy') ?? 0;
  return healthy('NoDisruptionAllowed', `no pod may be disrupted: ${now} healthy, ${desired} desired`);
};

/**
 * Missing metrics are normal while pods start, and for ever in clusters without a metrics server: they are told, not
 * failed; so is a controller that has not looked yet. A target that does not exist leaves the autoscaler without effect.
 */
export const assessHorizontalPodAutoscaler: HealthRule = (autoscaler) => {
  // The first version of the API has no conditions, and its counts are 0 before and after.
  if (stringAt(autoscaler, 'apiVersion') === 'autoscaling/v1') return healthy('Exists', 'the autoscaler exists');
  const unable = conditionIs(autoscaler, 'AbleToScale', 'False');
  if (unable !== undefined && unable.reason !== 'BackoffBoth' && unable.reason !== 'BackoffDownscale') {
    return progressing(unable.reason ?? 'UnableToScale', conditionText(unable, 'the target cannot be scaled'));
  }
  const inactive = conditionIs(autoscaler, 'ScalingActive', 'False');
  if (inactive !== undefined) {
    return healthy(inactive.reason ?? 'ScalingInactive', `not scaling: ${conditionText(inactive, 'no reason given')}`);
  }
  const limited = conditionIs(autoscaler, 'ScalingLimited', 'True');
  if (limited !== undefined) return healthy(limited.reason ?? 'ScalingLimited', conditionText(limited, 'at its limit'));
  return conditionOf(autoscaler, 'AbleToScale') === undefined
    ? healthy('NotObserved', 'exists; its controller has not reported on it yet')
    : healthy('ScalingActive', 'the autoscaler is active');
};
