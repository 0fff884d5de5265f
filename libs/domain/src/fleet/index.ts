export type { JsonList, JsonObject, JsonValue } from './json.ts';
export { HOSTILE_KEYS, HostileKeyError, isJsonObject, mergeValues } from './json.ts';
export type {
  Application,
  ApplicationOverride,
  ApplicationSource,
  ApplicationVariant,
  ChartSource,
  Cluster,
  ClusterCharacteristics,
  Fleet,
  FleetKind,
  FleetResource,
  FleetSnapshot,
  GateDocument,
  GateReference,
  HealthRuleDocument,
  IgnoreRule,
  OverrideTarget,
  Risk,
  Strategy,
  StrategyGate,
  StrategyWave,
  WorkloadsGate,
} from './model.ts';
export { FLEET_KINDS, RISKS } from './model.ts';
export type { ClusterSelector, LabelExpression, Selectable } from './selector.ts';
export { describeSelector, SELECTOR_OPERATORS, selects } from './selector.ts';
export type { NameDiff, SnapshotDiff } from './snapshot-diff.ts';
export { diffSnapshots } from './snapshot-diff.ts';
export type { ApplicationContext, Destination, DestinationContext } from './snapshot-lookup.ts';
export { applicationContext, clustersOf, destinationContext } from './snapshot-lookup.ts';
export type {
  CronTimes,
  FreezeOverride,
  FreezeScope,
  FreezeWindow,
  HourTimes,
  InFlight,
  MaintenanceWindow,
  OnceTimes,
  OverrideRole,
  WaveHours,
  Weekday,
  WindowTimes,
} from './windows.ts';
export { IN_FLIGHT, OVERRIDE_ROLES, WEEKDAYS } from './windows.ts';
