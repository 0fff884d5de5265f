import type { KubeObject } from '../kubernetes/object.ts';
import { conditionIs, conditionText } from './condition.ts';
import { counted } from './evidence-text.ts';
import { listAt, numberAt, stringAt, valueAt } from './json-field.ts';
import { failing, healthy, progressing } from './object-health.ts';
import type { HealthRule } from './object-health.ts';
import type { Condition } from './condition.ts';

/** `FailureTarget` comes first, while pods still end: the verdict stands from there on. */
export const jobFailure = (job: KubeObject): Condition | undefined =>
  conditionIs(job, 'Failed', 'True') ?? conditionIs(job, 'FailureTarget', 'True');

/**
 * kstatus calls a running Job current. Here it has to complete: a Job in a release is a migration or a test, and a gate
 * that passes while it runs would say "done" of something that may still fail.
 */
export const assessJob: HealthRule = (job) => {
  const wanted = numberAt(job, 'spec', 'completions') ?? 1;
  const succeeded = numberAt(job, 'status', 'succeeded') ?? 0;
  const failed = numberAt(job, 'status', 'failed') ?? 0;
  if (conditionIs(job, 'Complete', 'True') !== undefined) {
    return healthy('Complete', `completed; ${counted(succeeded, 'pod')} succeeded`);
  }
  const failure = jobFailure(job);
  if (failure !== undefined) {
    return failing('JobFailed', `the Job has failed: ${failureText(failure)}`);
  }
  const reached = `${succeeded} of ${counted(wanted, 'completion')} reached`;
  // By the spec: the condition of a Job that may go on stays until its controller looks again.
  if (valueAt(job, 'spec', 'suspend') === true) {
    const active = numberAt(job, 'status', 'active') ?? 0;
    return active > 0
      ? progressing('JobSuspending', `the Job is suspended, and ${counted(active, 'pod')} of it still end`)
      : healthy('Suspended', `the Job is suspended; ${reached}`);
  }
  if (stringAt(job, 'status', 'startTime') === undefined)
    return progressing('JobNotStarted', 'the Job has not started');
  const attempts = failed === 0 ? '' : `; ${counted(failed, 'pod')} failed`;
  const idle = numberAt(job, 'spec', 'parallelism') === 0 ? '; parallelism is 0, so that no pod is started' : '';
  return progressing('JobRunning', `${reached}${attempts}${idle}`);
};

const failureText = (failure: Condition): string =>
  failure.reason === undefined || failure.message === undefined
    ? conditionText(failure, 'no reason given')
    : `${failure.reason}: ${failure.message}`;

/** It has no state of its own: what its Jobs come to is not the release's. */
export const assessCronJob: HealthRule = (cronJob) => {
  if (valueAt(cronJob, 'spec', 'suspend') !== true) {
    return healthy('Scheduled', `scheduled: ${stringAt(cronJob, 'spec', 'schedule') ?? 'no schedule'}`);
  }
  const active = listAt(cronJob, 'status', 'active').length;
  const left = active === 0 ? '' : `; ${counted(active, 'Job')} of it still ${active === 1 ? 'runs' : 'run'}`;
  return healthy('Suspended', `the CronJob is suspended${left}`);
};
