export { assessObject, hasBuiltInRule } from './assess-object.ts';
export type { OwnRules } from './assess-object.ts';
export { assessWorkloads, baselineOf } from './assess-workloads.ts';
export type {
  AssessedObject,
  HealthBaseline,
  HealthReport,
  HealthVerdict,
  ObservedWorkloads,
} from './assess-workloads.ts';
export { evidenceKinds } from './evidence-kinds.ts';
export type { EvidenceKinds } from './evidence-kinds.ts';
export { explainPod, failFastReason } from './explain-pod.ts';
export type { FailFast, PodExplanation } from './explain-pod.ts';
export type { HealthRule, HealthStatus, ObjectHealth } from './object-health.ts';
export type { MissingObject } from './observed-key.ts';
export { compileHealthRule, ownRulesFor } from './own-rules.ts';
export type { CompiledHealthRule, OwnHealthRule, OwnRuleProblem } from './own-rules.ts';
export type { TroubleKind } from './pod-trouble.ts';
