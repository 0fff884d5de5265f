import { stringAt, timeAt } from './json-field.ts';
import { failing, healthy, progressing, unknown } from './object-health.ts';
import type { HealthRule } from './object-health.ts';
import { podTrouble } from './pod-trouble.ts';

/** How long the scheduler may take before a pod is called unschedulable; kstatus has the same window. */
const SCHEDULING_MS = 15_000;

/**
 * A pod that the release itself carries; those of workloads are evidence for their workload. Unlike kstatus, which only looks
 * whether it still moves, a pod that ended badly has failed.
 */
export const assessPod: HealthRule = (pod, { now }) => {
  const phase = stringAt(pod, 'status', 'phase');
  if (phase === 'Unknown') return unknown('PodUnknown', 'the node of the pod does not answer');
  const trouble = podTrouble(pod);
  if (trouble === null) {
    return phase === 'Succeeded' ? healthy('Succeeded', 'the pod has succeeded') : healthy('Ready', 'the pod is ready');
  }
  const text = trouble.message === '' ? `the pod is not ready (${phase ?? 'no phase yet'})` : trouble.message;
  switch (trouble.kind) {
    case 'stuck':
    case 'failed':
      return failing(trouble.reason, text);
    case 'unschedulable': {
      const created = timeAt(pod, 'metadata', 'creationTimestamp');
      // Progressing even then: a node that comes, or an autoscaler, mends it.
      return created !== undefined && now - created < SCHEDULING_MS
        ? progressing('PodNotScheduled', 'the pod has not been scheduled yet')
        : progressing(trouble.reason, text);
    }
    case 'restarting':
    case 'unready':
    case 'starting':
      return progressing(trouble.reason, text);
  }
};
