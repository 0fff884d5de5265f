export { createApi } from './api.ts';
export type { Api, ApiOptions } from './api.ts';
export { hashToken, newToken } from './access/bearer-token.ts';
export { ensureFirstToken } from './access/first-token.ts';
export type { FirstToken } from './access/first-token.ts';
export type { Readiness } from './operations/operations.controller.ts';
export type { RepositoryHooks } from './hooks/hooks.controller.ts';
export { startApiProgram } from './api-program.ts';
export type { ApiProgram, ApiProgramParts } from './api-program.ts';
