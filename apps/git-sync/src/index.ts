export { FLEET_REPOSITORY, startGitSyncProgram } from './git-sync-program.ts';
export type { GitSyncProgramParts } from './git-sync-program.ts';
export { syncLimits } from './sync-limits.ts';
