import type { RolloutPolicy } from './rollout.ts';

/** How long a cluster may take before the strategy's `slow.then` applies to it; in ms of the rollout's own time. */
export const slowAfter = ({ slow, workloads }: Pick<RolloutPolicy, 'slow' | 'workloads'>): number =>
  slow.after ?? workloads.timeout;
