export { createAesCipher, loadOrCreateKey, SealBroken } from './cipher.ts';
export type { Cipher } from './cipher.ts';
export { ConfigurationError, loadConfiguration, settings } from './configuration.ts';
export type { Settings } from './configuration.ts';
export { createGateTokens, gateCallbacks } from './gate-tokens.ts';
export type { GateTokens } from './gate-tokens.ts';
export { createLog, LOG_LEVELS, scrub } from './log.ts';
export type { Log, LogLevel } from './log.ts';
export { nearest } from './nearest.ts';
export { Problem, problemDetails } from './problem.ts';
export type { ProblemDetails } from './problem.ts';
export { API_PREFIX, openApiDocument } from './wire/openapi.ts';
export type { WireChanges } from './wire/changes-shapes.ts';
export type {
  WireApplication,
  WireCluster,
  WireDocumentError,
  WireFleet,
  WireRelease,
  WireRepository,
  WireStrategy,
  WireToken,
} from './wire/fleet-shapes.ts';
export type { WireProblem } from './wire/problem-shape.ts';
export type {
  WireAuditEvent,
  WireBlocker,
  WireExplanation,
  WirePlan,
  WireReport,
  WireRollout,
  WireSettledRollout,
  WireTarget,
} from './wire/rollout-shapes.ts';
export type { RouteAnswer, RouteDefinition, RouteInput, WireRole } from './wire/route.ts';
export { routes } from './wire/routes.ts';
export type { RouteName, Routes } from './wire/routes.ts';
export { reportMarkdown } from './report/report-markdown.ts';
export { runProgram, UsageError } from './run-program.ts';
export type { Running } from './run-program.ts';
export { VERSION } from './version.ts';
export { existingDirectory } from './existing-directory.ts';
export { elapsedClock } from './elapsed-clock.ts';
