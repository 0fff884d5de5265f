export type {
  ApplyOutcome,
  ApplyRequest,
  AssessOutcome,
  Baseline,
  BeforeImage,
  ClusterConnection,
  ClusterConnector,
  CredentialStore,
  Cutoff,
  DryRunOutcome,
  DryRunRequest,
  FenceRefusal,
  IdentifyOutcome,
  InventoryEntry,
  PreflightOutcome,
  PreflightRequest,
  PruneOutcome,
  PruneRequest,
  Refusal,
  Session,
  WritePermit,
} from './ports/cluster.port.ts';
export { CredentialUnreadable, PermitLost } from './ports/cluster.port.ts';
export type {
  ClusterJobs,
  ClusterProbing,
  JobDeletion,
  JobLogs,
  JobOutcome,
  JobPlace,
  ReadOutcome,
  ReadRequest,
  ServiceOutcome,
  ServiceRequest,
} from './ports/cluster-probing.port.ts';
export type { ClusterHistory, ForeignEdit, HistoryRequest, Looked, NotLookedAt } from './ports/cluster-history.port.ts';
export type {
  AccessRecords,
  ApplicationOnCluster,
  AuditEvent,
  AuditRecords,
  Channel,
  ClaimRecords,
  ClusterLook,
  ClusterLooks,
  ClusterObservation,
  ClusterRecord,
  ClusterRecords,
  ClusterState,
  DomainSlot,
  LookAnswer,
  Page,
  PermitGrant,
  PermitRecords,
  PermitRequest,
  Quarantine,
  QuarantineOrder,
  RecordPort,
  RecordTransaction,
  ReleaseRecord,
  ReleaseState,
  RepositoryRecord,
  ReturnFilter,
  StartableQuery,
  Role,
  RolloutQueries,
  SnapshotRecord,
  StoredAuditEvent,
  SyncRecords,
  SyncRequest,
} from './ports/record.port.ts';
export type { WakeUpQueue, WakeUps, WakeUpWorker } from './ports/wake-ups.port.ts';
export type {
  Actor,
  ClusterChanges,
  Explanation,
  FleetCommands,
  GateInput,
  OverrideInput,
  WindowInput,
  PauseResult,
  PlanPreview,
  RetryInput,
  RollbackInput,
  RolloutCommands,
  SkipInput,
  StartRolloutInput,
  WaveInput,
} from './use-cases.ts';
export { UseCaseError } from './use-cases.ts';
export type { GateCallback, GateMember, GateProbe, MeasureRequest } from './ports/gate-probe.port.ts';
export type { GateCallbacks, GateTokens } from './ports/gate-callbacks.port.ts';
export { MEASURE_TIMEOUT } from './ports/gate-probe.port.ts';
export type { FleetDocument, FleetReader, FleetReading } from './ports/fleet-reader.port.ts';
export type { Collected, RetentionRecords } from './ports/retention.port.ts';
export type {
  ChartReference,
  RenderedBundle,
  Renderer,
  RenderError,
  RenderErrorCode,
  RenderLimits,
  RenderOverride,
  RenderRequest,
  RenderResult,
  RenderValues,
} from './ports/renderer.port.ts';
export type {
  FetchedCommit,
  RepositoryCommit,
  RepositoryCredentials,
  RepositoryCredentialStore,
  RepositoryDisposition,
  RepositoryErrorCode,
  RepositoryFile,
  RepositoryMirror,
  RepositoryMirrors,
  RepositorySpec,
  RepositoryTree,
} from './ports/repository.port.ts';
export { REFUSED_LINK, RepositoryError } from './ports/repository.port.ts';
export { CommitUnknown, EMERGENCY, InvalidCursor } from './ports/record.port.ts';
export { LOOK_LIFE, OPEN_LOOKS } from './ports/cluster-looks.port.ts';
export { cursorNumber, cursorPair, pageOf } from './ports/paging.ts';
export { AUDIT_GENESIS, auditHash, firstBrokenLink, plainEvent } from './audit/audit-chain.ts';
export type { ClusterIdentity } from './cluster/cluster-identity.ts';
export {
  acceptCluster,
  auditOfCluster,
  auditOfQuarantine,
  observeCluster,
  quarantineCluster,
  unknownCluster,
} from './cluster/cluster-identity.ts';
export type { BundleStore, Cipher } from './releases/bundle-store.ts';
export { BundleMissing, createBundleStore } from './releases/bundle-store.ts';
export { ask } from './releases/find-release.ts';
export type { NewestFleet } from './releases/newest-fleet.ts';
export { newestFleet } from './releases/newest-fleet.ts';
export type { AnsweredGate, GateAnswers, GateAnswersParts } from './rollout/answer-gate.ts';
export { createGateAnswers } from './rollout/answer-gate.ts';
export { moveTarget } from './rollout/move-target.ts';
export { drive, RESYNC_INTERVAL } from './rollout/rollout-engine.ts';
export type { ReportedGate, ReportFigures, ReportInput, RolloutReport } from './rollout/report/report-model.ts';
export { reportOf } from './rollout/report/report-model.ts';
export { readReport } from './rollout/report/read-report.ts';
export type { RolloutCommandsParts } from './rollout/rollout-commands.service.ts';
export { createRolloutCommands } from './rollout/rollout-commands.service.ts';
export type { ReconcileParts } from './rollout/reconcile-rollout.ts';
export { runPreflight } from './rollout/preflight/run-preflight.ts';
export { reconcileRollout } from './rollout/reconcile-rollout.ts';
export { parseWakeKey, rolloutKey, targetKey } from './rollout/wake-keys.ts';
export { pauseFor, repeat } from './worker/periodic.ts';
export type { WorkerLog } from './worker/periodic.ts';
export type { PermitKeeper } from './worker/permit-keeper.ts';
export { createPermitKeeper, PERMIT_LIFE } from './worker/permit-keeper.ts';
export type { RolloutWorker, RolloutWorkerParts } from './worker/rollout-worker.ts';
export { startRolloutWorker } from './worker/rollout-worker.ts';
export { quarantineEvent } from './worker/target-quarantine.ts';
export { CLAIM_LEASE } from './worker/target-visit.ts';
export { visitGate } from './worker/gate-runner.ts';
export { reachedEvent } from './rollout/reached-event.ts';
export { tellTarget } from './rollout/tell-target.ts';
export { CHANGES_PERIOD } from './changes/changes-on-cluster.ts';
export { createFleetCommands } from './fleet-commands.service.ts';
export type { GitSync, GitSyncParts } from './sync/git-sync-worker.ts';
export { startGitSync, wakeRepository } from './sync/git-sync-worker.ts';
export type { Judgement } from './sync/judge-commit.ts';
export type { RepositorySync, RepositorySyncParts } from './sync/repository-sync.ts';
export { createRepositorySync } from './sync/repository-sync.ts';
export type { SyncError } from './sync/sync-error.ts';
