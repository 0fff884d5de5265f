export { applyPolicyOf, rolloutPolicyOf } from './policies.ts';
export type { RenderInputs, RenderScope } from './render-inputs.ts';
export { effectiveValues, renderInputsFor, variantFor } from './render-inputs.ts';
export type { PlanError, PlanErrorReason, PlanInput, PlannedMember, PlannedWave, WavePlan } from './wave-planner.ts';
export { checkWaves, interleaveFailureDomains, planWaves } from './wave-planner.ts';
