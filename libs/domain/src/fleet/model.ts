import type { GatePhase, PlannedGate } from '../gates/gate.ts';
import type { OwnHealthRule } from '../health/own-rules.ts';
import type { CountOrPercentage } from '../quantity/index.ts';
import type { JsonList, JsonObject } from './json.ts';
import type { ClusterSelector } from './selector.ts';
import type { FreezeWindow, MaintenanceWindow, WaveHours } from './windows.ts';

/** What fleet documents say, with every default filled in. Durations are milliseconds. All of it is plain JSON. */

export const FLEET_KINDS = [
  'Cluster',
  'Fleet',
  'Strategy',
  'Gate',
  'Application',
  'FreezeWindow',
  'HealthRule',
] as const;
export type FleetKind = (typeof FLEET_KINDS)[number];

export const RISKS = ['low', 'medium', 'high'] as const;
export type Risk = (typeof RISKS)[number];

export interface ClusterCharacteristics {
  readonly provider?: string | undefined;
  readonly architecture?: string | undefined;
  /** Of the whole fleet's traffic, 0 to 1. */
  readonly trafficShare?: number | undefined;
  readonly regulated?: readonly string[] | undefined;
  readonly environment?: string | undefined;
}

export interface Cluster {
  readonly kind: 'Cluster';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly region: string;
  /** The cluster's own name where the document is silent. */
  readonly failureDomain: string;
  readonly characteristics: ClusterCharacteristics;
  readonly risk: Risk | null;
  /** A name in the credential store. */
  readonly credentials: string;
  readonly values: JsonObject;
  /** Writes only inside of one of them; empty: at any time. */
  readonly maintenanceWindows: readonly MaintenanceWindow[];
}

export interface Fleet {
  readonly kind: 'Fleet';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly clusters: ClusterSelector;
  readonly strategy: string | null;
  readonly values: JsonObject;
  readonly regions: Readonly<Record<string, { readonly values: JsonObject }>>;
}

export interface StrategyWave {
  readonly name: string;
  /** Null together with `risk`: whatever no earlier wave took. */
  readonly clusters: ClusterSelector | null;
  readonly risk: Risk | null;
  readonly maxConcurrent: CountOrPercentage;
  readonly failureBudget: CountOrPercentage;
  readonly soakMs: number;
  readonly allowEmpty: boolean;
  /** So many clusters, or such a share of the wave, have to be verified before the next wave. */
  readonly minClusters: CountOrPercentage;
  /** Targets are written to only inside of one of them; empty: at any time. */
  readonly schedule: readonly WaveHours[];
}

/** The gate that every target has: all workloads of the application are ready. */
export interface WorkloadsGate {
  readonly name: string;
  readonly timeout: number;
  readonly stableFor: number;
  readonly failFast: number | 'off';
}

export interface StrategyGate extends PlannedGate {
  /** Names of waves; null: every wave. */
  readonly waves: readonly string[] | null;
}

/** A use of a Gate document; a snapshot has put the gate itself in its place. */
export interface GateReference {
  readonly gate: string;
  /** Null: the document's name. */
  readonly name: string | null;
  readonly phase: GatePhase | null;
  readonly waves: readonly string[] | null;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** Where in the strategy it stands. */
  readonly path: readonly (string | number)[];
}

/** A gate that strategies share: its template, with `${parameter}` for what differs. */
export interface GateDocument {
  readonly kind: 'Gate';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Null: it has no default, and every use has to say it. */
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>;
  readonly template: JsonObject;
}

export interface Strategy {
  readonly kind: 'Strategy';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly waves: readonly StrategyWave[];
  readonly workloads: WorkloadsGate;
  /** The strategy's and its waves' own. */
  readonly gates: readonly StrategyGate[];
  /** Empty in a snapshot. */
  readonly gateReferences: readonly GateReference[];
  readonly failureDomains: { readonly maxInFlight: number };
  readonly unreachable: { readonly wait: number; readonly then: 'count' | 'skip' | 'halt' };
  /** `after` in ms; null: the workloads gate's time-out. */
  readonly slow: { readonly after: number | null; readonly then: 'fail' | 'wait' | 'halt' };
  readonly preflight: { readonly onFailure: 'stop' | 'leaveOut' };
  readonly onFailure: {
    readonly action: 'rollback' | 'halt';
    readonly scope: 'cluster' | 'wave' | 'rollout';
    readonly maxConcurrent: CountOrPercentage;
    readonly failureDomains: 'ignore' | 'respect';
  };
  readonly concurrency: { readonly region: number | null; readonly cluster: number | null };
  readonly failureBudgets: { readonly region: number | null; readonly rollout: number | null };
  readonly deadline: number | null;
  readonly concurrentRollouts: 'queue' | 'supersede' | 'reject';
  readonly runbook: string | null;
}

export interface ChartSource {
  readonly repository?: string | undefined;
  readonly oci?: string | undefined;
  readonly name: string;
  readonly version: string;
}

export interface ApplicationSource {
  /** In the repository, without leading `./` or trailing `/`; null for a chart from elsewhere. */
  readonly path: string | null;
  readonly chart: ChartSource | null;
  readonly helm: {
    readonly releaseName: string | null;
    readonly valuesFiles: readonly string[];
    /** For charts that ask for them; absent: none besides Helm's own. */
    readonly apiVersions?: readonly string[];
  };
  readonly substitute: boolean;
}

export interface ApplicationVariant {
  readonly clusters: ClusterSelector;
  /** Below the source's path. */
  readonly path: string | null;
  readonly values: JsonObject;
}

export interface OverrideTarget {
  readonly group?: string | undefined;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface ApplicationOverride {
  readonly clusters: ClusterSelector;
  readonly target: OverrideTarget;
  /** A JSON merge patch; exactly one of the two is there. */
  readonly patch: JsonObject | null;
  /** RFC 6902. */
  readonly jsonPatch: JsonList | null;
}

export interface IgnoreRule {
  readonly kind: string;
  readonly name?: string;
  readonly fields: readonly string[];
}

export interface Application {
  readonly kind: 'Application';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fleet: string;
  /** Null: the fleet's. */
  readonly strategy: string | null;
  readonly trigger: 'manual' | 'onCommit';
  readonly namespace: string;
  /** Further namespaces that its objects may be in. */
  readonly namespaces: readonly string[];
  readonly source: ApplicationSource;
  readonly values: JsonObject;
  readonly variants: readonly ApplicationVariant[];
  readonly overrides: readonly ApplicationOverride[];
  readonly ignore: readonly IgnoreRule[];
  readonly prune: { readonly enabled: boolean; readonly maxDeletions: number; readonly protect: readonly string[] };
  readonly conflicts: 'report' | 'force';
  readonly adopt: 'refuse' | 'unowned';
}

/** How objects of a kind of the users' own are judged, in every rollout that is planned from now on. */
export interface HealthRuleDocument {
  readonly kind: 'HealthRule';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rule: OwnHealthRule;
}

export type FleetResource = Cluster | Fleet | Strategy | GateDocument | Application | FreezeWindow | HealthRuleDocument;

/** One commit's fleet documents, each list sorted by name: the same documents in any order give the same snapshot. */
export interface FleetSnapshot {
  readonly clusters: readonly Cluster[];
  readonly fleets: readonly Fleet[];
  readonly strategies: readonly Strategy[];
  readonly applications: readonly Application[];
  readonly freezeWindows: readonly FreezeWindow[];
  readonly healthRules: readonly HealthRuleDocument[];
  /** Applications that are in Git but have errors: they are blocked, and they are not gone. Sorted. */
  readonly blockedApplications: readonly string[];
}
