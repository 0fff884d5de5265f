export { startRolloutWorkerProgram } from './rollout-worker-program.ts';
export type { RolloutWorkerProgramParts } from './rollout-worker-program.ts';
