export type { KubeMetadata, KubeObject, KubeOwnerReference, ObjectKey, ObjectReference } from './kubernetes/object.ts';
export { groupOf, keyOf, objectKey, parseObjectKey } from './kubernetes/object.ts';
export type { GateAt, GatesVerdict } from './rollout/wave-gates.ts';
export { gateMeasured, gatesOf } from './rollout/wave-gates.ts';
export { fullRegions } from './rollout/budgets.ts';
export { gatesOfTarget } from './rollout/target-gates.ts';
export type {
  GatePhase,
  GatePolicy,
  GateRun,
  GateState,
  GateTally,
  InconclusivePolicy,
  Measurement,
  MeasurementVerdict,
  PlannedGate,
} from './gates/gate.ts';
export { GATE_PHASES, GATE_STATES, INCONCLUSIVE_POLICIES, MEASUREMENT_VERDICTS } from './gates/gate.ts';
export type { GateKind, GateSurroundings } from './gates/gate-kind.ts';
export { plannedGate } from './gates/planned-gate.ts';
export { GATE_KINDS, gateKind } from './gates/gate-kinds.ts';
export type { CelObject, CelSpec } from './gates/kinds/cel.ts';
export { celName, celVariables } from './gates/kinds/cel.ts';
export type { HttpSpec, StatusRange } from './gates/kinds/http.ts';
export { bodyMatches } from './gates/kinds/http.ts';
export type { JobSpec } from './gates/kinds/job.ts';
export type { WebhookSpec, WebhookVerdict } from './gates/kinds/webhook.ts';
export { WEBHOOK_VERDICTS, webhookMeasurement } from './gates/kinds/webhook.ts';
export type { PrometheusSpec } from './gates/kinds/prometheus.ts';
export { METRIC_VARIABLES } from './gates/kinds/prometheus.ts';
export type { AlertsSpec } from './gates/kinds/alerts.ts';
export type { ComparisonSpec } from './gates/kinds/comparison.ts';
export type { ClusterSegments, Cohort } from './gates/comparison/cohorts.ts';
export { compareCohorts, lookNumber } from './gates/comparison/compare.ts';
export {
  beginRun,
  describeRun,
  dueOf,
  hasPassed,
  heldUntil,
  isDecided,
  isDue,
  measured,
  overdue,
  overridden,
  restarted,
  waitingRun,
} from './gates/gate-machine.ts';
export type {
  ApplyPolicy,
  Approval,
  Evidence,
  Finding,
  GateOverride,
  Instant,
  Irreversible,
  Pause,
  PauseMode,
  Revision,
  RollbackOrder,
  RollbackScope,
  Rollout,
  RolloutId,
  RolloutPlan,
  RolloutPolicy,
  RolloutState,
  RolloutTime,
  Target,
  TargetPhase,
  TargetState,
  Wave,
  WaveCounts,
  WaveState,
  WriteGateState,
} from './rollout/rollout.ts';
export { ROLLOUT_STATES, TARGET_STATES, TERMINAL_STATES, WAVE_STATES } from './rollout/rollout.ts';
export type { Blocker, WaitingReason } from './rollout/blocker.ts';
export { WAITING_REASONS } from './rollout/blocker.ts';
export { bundleDigest, canonicalJson, objectDigest } from './kubernetes/canonical.ts';
export type { CountOrPercentage } from './quantity/index.ts';
export { concurrencyOf, countOf, formatDuration, parseDuration, parsePercentage } from './quantity/index.ts';
export type {
  Application,
  ApplicationContext,
  ApplicationOverride,
  ApplicationSource,
  ApplicationVariant,
  ChartSource,
  Cluster,
  ClusterCharacteristics,
  ClusterSelector,
  CronTimes,
  Destination,
  DestinationContext,
  Fleet,
  FleetKind,
  FleetResource,
  FleetSnapshot,
  FreezeOverride,
  FreezeScope,
  FreezeWindow,
  GateDocument,
  GateReference,
  HealthRuleDocument,
  HourTimes,
  IgnoreRule,
  InFlight,
  JsonList,
  JsonObject,
  JsonValue,
  LabelExpression,
  MaintenanceWindow,
  NameDiff,
  OnceTimes,
  OverrideRole,
  OverrideTarget,
  Risk,
  Selectable,
  SnapshotDiff,
  Strategy,
  StrategyGate,
  StrategyWave,
  WaveHours,
  Weekday,
  WindowTimes,
  WorkloadsGate,
} from './fleet/index.ts';
export {
  applicationContext,
  clustersOf,
  describeSelector,
  destinationContext,
  diffSnapshots,
  FLEET_KINDS,
  HOSTILE_KEYS,
  HostileKeyError,
  isJsonObject,
  mergeValues,
  RISKS,
  SELECTOR_OPERATORS,
  selects,
} from './fleet/index.ts';
export type {
  PlanError,
  PlanErrorReason,
  PlanInput,
  PlannedMember,
  PlannedWave,
  RenderInputs,
  RenderScope,
  WavePlan,
} from './planner/index.ts';
export {
  applyPolicyOf,
  effectiveValues,
  interleaveFailureDomains,
  planWaves,
  renderInputsFor,
  rolloutPolicyOf,
  variantFor,
} from './planner/index.ts';
export { describePreflight, judgePreflight, needsPreflight, PREFLIGHT_FAILED } from './rollout/preflight.ts';
export type { PreflightVerdict } from './rollout/preflight.ts';
export type { PreflightFinding, TargetPreflight } from './rollout/target-preflight.ts';
export { abort, liftStop, orderRollback, pause, resume, stop, supersede } from './rollout/rollout-commands.ts';
export type { Commanded, Forbidden, Person } from './rollout/commanded.ts';
export {
  approveWave,
  haltingGates,
  overrideGate,
  overrideTargetGate,
  plannedGates,
  remeasureGate,
} from './rollout/gate-commands.ts';
export {
  acceptFailures,
  mayRetry,
  maySkip,
  QUARANTINED,
  quarantineLeavesOut,
  SKIPPED_BY_PERSON,
} from './rollout/target-commands.ts';
export {
  advance,
  beginProgress,
  beginRollback,
  hasBegun,
  isFrozen,
  isTerminal,
  returnConcurrency,
  settlesDebt,
} from './rollout/rollout-machine.ts';
export type { Advance, Order } from './rollout/rollout-machine.ts';
export { instantAt, rolloutTime } from './rollout/rollout-clock.ts';
export { describeEnd, describeProgress } from './rollout/headline.ts';
export { withTarget } from './rollout/with-target.ts';
export { transition } from './rollout/target-machine.ts';
export type { HealthObservation, TargetEvent } from './rollout/target-event.ts';
export { PROBE_INTERVAL, RECHECK_INTERVAL } from './rollout/target-event.ts';
export { countsOf, failuresOf, needsReturn, NO_COUNTS, recount, totalCounts } from './rollout/wave-counts.ts';
export { withGate } from './rollout/write-gate.ts';
export {
  assessObject,
  assessWorkloads,
  baselineOf,
  evidenceKinds,
  explainPod,
  failFastReason,
} from './health/index.ts';
export type {
  AssessedObject,
  EvidenceKinds,
  FailFast,
  HealthBaseline,
  HealthReport,
  HealthStatus,
  HealthVerdict,
  MissingObject,
  ObjectHealth,
  ObservedWorkloads,
  PodExplanation,
  TroubleKind,
} from './health/index.ts';
export type {
  Blocks,
  DocumentError,
  DocumentErrorReason,
  FieldPath,
  FleetFile,
  LocatedDocument,
  Position,
  ReadOptions,
  ReadResult,
  SnapshotOptions,
  SnapshotResult,
} from './documents/index.ts';
export {
  API_VERSION,
  buildSnapshot,
  DOCUMENT_ERROR_REASONS,
  errorAt,
  fieldText,
  fleetDocumentSchemas,
  fleetJsonSchema,
  formatDocumentError,
  readFleetDocuments,
  selectFleetFiles,
  sortErrors,
  suggestion,
} from './documents/index.ts';
export type { WindowChange, WindowClosure, WindowRuleKind, WindowState, WindowSubject } from './windows/index.ts';
export { LOOK_AHEAD_DAYS, mayOverride, WINDOW_RULE_KINDS, WindowCalendar } from './windows/index.ts';
export type { Holder, Holders } from './rollout/explain.ts';
export type { GateAnswer, GateAnswered, GateQuestion } from './rollout/gate-answers.ts';
export { answerQuestion, questionOf } from './rollout/gate-answers.ts';
export { blockersOf, isUnseen, nextOf, nextWaveToReturn } from './rollout/explain.ts';
export { allConfirmed } from './rollout/look-round.ts';
export type { WhatIf, WhatIfAction } from './rollout/what-if.ts';
export { WHAT_IF_ACTIONS, whatIf } from './rollout/what-if.ts';
export { durationsOf, expectedEnd } from './rollout/expected-end.ts';
export type { ExpectedEnd, ExpectedEndInput, Measured } from './rollout/expected-end.ts';
export type {
  CompiledExpression,
  EvaluatedExpression,
  EvaluationOptions,
  Expression,
  ExpressionError,
  ExpressionErrorCode,
  ExpressionOptions,
  ExpressionResult,
  ExpressionResults,
  VariableType,
} from './cel/index.ts';
export { compileExpression, compileOnce, EXPRESSION_LENGTH, EXPRESSION_STEPS } from './cel/index.ts';
export type { CompiledHealthRule, HealthRule, OwnHealthRule, OwnRuleProblem, OwnRules } from './health/index.ts';
export { compileHealthRule, hasBuiltInRule, ownRulesFor } from './health/index.ts';
export type { Change, ChangeKind, Signal, SignalKind } from './changes/change.ts';
export { CHANGE_KINDS, SIGNAL_KINDS } from './changes/change.ts';
export type { ChangeRelation, RankedChange, Ranking } from './changes/rank-changes.ts';
export { CHANGE_RELATIONS, rankChanges } from './changes/rank-changes.ts';
export type { NodeChange } from './changes/node-changes.ts';
export { nodeChanges } from './changes/node-changes.ts';
