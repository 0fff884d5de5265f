import type { Application, Strategy } from '../fleet/index.ts';
import type { ApplyPolicy, RolloutPolicy } from '../rollout/rollout.ts';

/** The strategy as a plan pins it. */
export const rolloutPolicyOf = (strategy: Strategy): RolloutPolicy => ({
  workloads: strategy.workloads,
  failureDomains: strategy.failureDomains,
  unreachable: strategy.unreachable,
  slow: strategy.slow,
  preflight: strategy.preflight,
  onFailure: strategy.onFailure,
  concurrency: strategy.concurrency,
  failureBudgets: strategy.failureBudgets,
  deadline: strategy.deadline,
  concurrentRollouts: strategy.concurrentRollouts,
  runbook: strategy.runbook,
});

export const applyPolicyOf = (application: Application): ApplyPolicy => ({
  namespace: application.namespace,
  conflicts: application.conflicts,
  adopt: application.adopt,
  ignore: application.ignore,
  prune: application.prune,
});
