import { arrayAt, numberAt, objectAt, stringAt } from '../object.ts';
import type { JsonObject, KubeObject } from '../object.ts';
import { resourceOf, timestamp } from '../api/object-lifecycle.ts';
import {
  condition,
  createPod,
  deletePod,
  isGoing,
  isReady,
  ownedObjects,
  podResource,
  writeStatus,
} from './controller.ts';
import type { ControllerContext } from './controller.ts';

export const jobResource = resourceOf('jobs.batch');

const phaseOf = (pod: KubeObject): string => stringAt(pod, 'status', 'phase') ?? 'Pending';

/** Runs pods until enough have succeeded, or more have failed than the back-off limit allows. */
export function reconcileJob(context: ControllerContext, job: KubeObject): void {
  const ended = arrayAt(job, 'status', 'conditions').some((one) => {
    const type = stringAt(one, 'type');
    return (type === 'Complete' || type === 'Failed') && stringAt(one, 'status') === 'True';
  });
  if (isGoing(job) || ended || objectAt(job, 'spec')?.['suspend'] === true) return;
  const completions = numberAt(job, 'spec', 'completions') ?? 1;
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 1;
  const limit = numberAt(job, 'spec', 'backoffLimit') ?? 6;
  const pods = ownedObjects(context, job, podResource).filter((pod) => !isGoing(pod));
  const succeeded = pods.filter((pod) => phaseOf(pod) === 'Succeeded').length;
  const failed = pods.filter((pod) => phaseOf(pod) === 'Failed').length;
  const active = pods.filter((pod) => phaseOf(pod) !== 'Succeeded' && phaseOf(pod) !== 'Failed');
  const startTime = stringAt(job, 'status', 'startTime') ?? timestamp();
  const counts: JsonObject = {
    startTime,
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    uncountedTerminatedPods: {},
  };
  if (succeeded >= completions) {
    return end(context, job, { ...counts, completionTime: timestamp(), ready: 0, terminating: 0 }, [
      condition(job, 'SuccessCriteriaMet', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods'),
      condition(job, 'Complete', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods'),
    ]);
  }
  if (failed > limit) {
    for (const pod of active) deletePod(context, pod);
    return end(context, job, { ...counts, ready: 0, terminating: 0 }, [
      condition(job, 'FailureTarget', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
      condition(job, 'Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
    ]);
  }
  const wanted = Math.min(parallelism, completions - succeeded);
  for (let missing = wanted - active.length; missing > 0; missing -= 1) createPod(context, job, {});
  const ready = active.filter(isReady).length;
  writeStatus(context, jobResource, job, { ...counts, active: wanted, ready, terminating: 0 });
}

function end(context: ControllerContext, job: KubeObject, status: JsonObject, conditions: readonly JsonObject[]): void {
  const probed = conditions.map(({ lastUpdateTime, ...one }) => ({
    ...one,
    lastProbeTime: lastUpdateTime ?? timestamp(),
  }));
  writeStatus(context, jobResource, job, { ...status, conditions: probed });
}
