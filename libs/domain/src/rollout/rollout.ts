import type { WaveHours } from '../fleet/windows.ts';
import type { GateRun, PlannedGate } from '../gates/gate.ts';
import type { OwnHealthRule } from '../health/own-rules.ts';
import type { ObjectKey } from '../kubernetes/object.ts';
import type { Outage } from './outage.ts';
import type { TargetPhase } from './target-phase.ts';
import type { TargetPreflight } from './target-preflight.ts';
import type { Instant, RolloutTime } from './time.ts';

export type { Instant, RolloutTime };

export type RolloutId = string & { readonly __brand: 'RolloutId' };

export const ROLLOUT_STATES = [
  'Queued',
  'Planned',
  'Preflight',
  'Progressing',
  'Succeeded',
  'Incomplete',
  'Halted',
  'RollingBack',
  'RolledBack',
  'RollbackFailed',
  'Aborted',
  'Superseded',
  'Rejected',
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

export const TERMINAL_STATES: ReadonlySet<RolloutState> = new Set<RolloutState>([
  'Succeeded',
  'Incomplete',
  'RolledBack',
  'RollbackFailed',
  'Aborted',
  'Superseded',
  'Rejected',
]);

export const WAVE_STATES = [
  'Pending',
  'Progressing',
  'Soaking',
  'AwaitingApproval',
  'Succeeded',
  'Failed',
  'RolledBack',
] as const;
export type WaveState = (typeof WAVE_STATES)[number];

export const TARGET_STATES = [
  'Pending',
  'Prefetching',
  'Applying',
  'Verifying',
  'Succeeded',
  'Failed',
  'Unreachable',
  'Skipped',
  'RollingBack',
  'RolledBack',
  'RollbackFailed',
] as const;
export type TargetState = (typeof TARGET_STATES)[number];

/** What a release is: a commit, and the digest of what it renders to (of one cluster's bundle for a target). */
export interface Revision {
  readonly commit: string;
  readonly digest: string;
}

export type PauseMode = 'freeze' | 'drain';
export interface Pause {
  readonly mode: PauseMode;
  readonly by: string;
  readonly reason: string;
  readonly since: Instant;
  /** Set by the emergency stop, which holds every rollout at once. */
  readonly emergency: boolean;
  /** A person's own pause under an emergency stop: it comes into force again when the stop is lifted. */
  readonly under?: PersonsPause;
}
export type PersonsPause = Omit<Pause, 'emergency' | 'under'>;

export type RollbackScope = 'cluster' | 'wave' | 'rollout';

/** The strategy with every default filled in, as the plan pins it. Durations in milliseconds. */
export interface RolloutPolicy {
  readonly workloads: {
    readonly name: string;
    readonly timeout: number;
    readonly stableFor: number;
    readonly failFast: number | 'off';
  };
  readonly failureDomains: { readonly maxInFlight: number } | null;
  readonly unreachable: { readonly wait: number; readonly then: 'count' | 'skip' | 'halt' };
  /** Of clusters that are neither ready nor failing; `after`: null: the workloads gate's time-out. */
  readonly slow: { readonly after: number | null; readonly then: 'fail' | 'wait' | 'halt' };
  /** A cluster that would refuse the release holds everything, or is left out. */
  readonly preflight: { readonly onFailure: 'stop' | 'leaveOut' };
  readonly onFailure: {
    readonly action: 'rollback' | 'halt';
    readonly scope: RollbackScope;
    /** Number of targets, or a percentage of the wave. */
    readonly maxConcurrent: number | `${number}%`;
    readonly failureDomains: 'ignore' | 'respect';
  };
  /**
   * Beside each wave's own limit: clusters of one region in flight at once, and rollouts in flight on one cluster, those of other
   * applications too; null: no limit.
   */
  readonly concurrency: { readonly region: number | null; readonly cluster: number | null };
  /** Beside each wave's own; null: none. */
  readonly failureBudgets: { readonly region: number | null; readonly rollout: number | null };
  /** Of the rollout's own time, after which it halts and asks; null: none. In ms. */
  readonly deadline: number | null;
  readonly concurrentRollouts: 'queue' | 'supersede' | 'reject';
  readonly runbook: string | null;
}

/** How the application's objects are applied; pinned by the plan. */
export interface ApplyPolicy {
  readonly namespace: string;
  readonly conflicts: 'report' | 'force';
  readonly adopt: 'refuse' | 'unowned';
  readonly ignore: readonly { readonly kind: string; readonly name?: string; readonly fields: readonly string[] }[];
  readonly prune: { readonly enabled: boolean; readonly maxDeletions: number; readonly protect: readonly string[] };
}

/** Immutable: what was decided when the rollout was planned (rule 9). Its members are the rollout's targets. */
export interface RolloutPlan {
  readonly strategy: string;
  readonly policy: RolloutPolicy;
  readonly apply: ApplyPolicy;
  /** For kinds of the users' own, in whatever rollouts judge. */
  readonly healthRules: readonly OwnHealthRule[];
  readonly snapshot: { readonly id: string; readonly commit: string };
  readonly waves: readonly {
    readonly name: string;
    readonly maxConcurrent: number;
    readonly failureBudget: number;
    readonly soakMs: number;
    readonly size: number;
    /** So many clusters have to be verified before the next wave. */
    readonly minClusters: number;
    /** The strategy's and the wave's own, `workloads` aside. */
    readonly gates: readonly PlannedGate[];
    /** Business hours, outside of which nothing new begins; empty: at any time. */
    readonly schedule: readonly WaveHours[];
  }[];
}

/**
 * Counted by each target's transition, in its transaction: advancing a wave never reads its targets (cost rule).
 * The first group partitions the wave; the second group are marks that a target in any state can carry.
 */
export interface WaveCounts {
  readonly pending: number;
  readonly inFlight: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unreachable: number;
  readonly skipped: number;
  readonly rollingBack: number;
  readonly rolledBack: number;
  readonly rollbackFailed: number;
  /** Targets that ever failed, returned ones too. */
  readonly everFailed: number;
  /** Succeeded, but not healthy at its last look. */
  readonly degraded: number;
  /** Succeeded, and seen healthy in the rollout's present round. */
  readonly confirmed: number;
  /** Unreachable for longer than the strategy's wait, and counted against the budget. */
  readonly unreachableCounted: number;
  /** Unreachable, and still within the strategy's wait. */
  readonly unreachableWaiting: number;
  /** Touched by this rollout, and neither returned nor being returned. */
  readonly toReturn: number;
  /** In RollingBack but cut off, so that earlier waves need not wait for it. */
  readonly rollingBackCutOff: number;
  /** Failed after it was touched, and not yet being returned. */
  readonly failedToReturn: number;
  /** Took longer than the strategy's `slow.after`, whatever became of them. */
  readonly slow: number;
  /** Skipped by a person, or quarantined. */
  readonly leftOut: number;
  /** Rolled back, but for Jobs. */
  readonly rolledBackButJobs: number;
}

export interface RegionCounts {
  readonly inFlight: number;
  readonly failures: number;
  readonly acceptedFailures: number;
}

/** One person's yes to a wave. */
export interface Approval {
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

export interface WindowOverride {
  /** `FreezeWindow/christmas`, `MaintenanceWindow/<cluster>` or `WaveSchedule/<wave>`. */
  readonly window: string;
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

/** A gate that a person has let pass (break-glass). */
export interface GateOverride {
  readonly wave: string;
  readonly gate: string;
  /** Of a gate on each cluster: the cluster; null: of a gate on the wave. */
  readonly cluster: string | null;
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

export interface Wave {
  readonly index: number;
  readonly name: string;
  readonly state: WaveState;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly soakingSince: RolloutTime | null;
  /** Failures that a person has accepted by resuming a halted rollout. */
  readonly acceptedFailures: number;
  /** Slow clusters that a person has accepted by resuming. */
  readonly acceptedSlow: number;
  /** A person has resumed although nothing in the wave was verified. */
  readonly acceptedUnverified: boolean;
  /** `before` and `after`; in the plan's order. */
  readonly gates: readonly GateRun[];
  readonly approvals: readonly Approval[];
  readonly counts: WaveCounts;
}

/** Which writes are allowed: each change closes every permit of the generation before. */
export interface WriteGateState {
  readonly generation: number;
  readonly forward: boolean;
  readonly backward: boolean;
}

export interface RollbackOrder {
  readonly scope: RollbackScope;
  /** For scope `wave`: its index. */
  readonly wave: number | null;
  /** For scope `cluster`: the clusters. */
  readonly clusters: readonly string[];
  readonly automatic: boolean;
  readonly by: string;
  readonly reason: string;
  readonly startedAt: Instant;
}

/** An object of the revision before that could not be put back over what was applied. */
export interface Finding {
  readonly object: ObjectKey;
  readonly why: string;
}

/** Found right after the apply on `cluster`, the first that had it. */
export interface Irreversible extends Finding {
  readonly cluster: string;
  /** A person has resumed the rollout that halted over it. */
  readonly accepted: boolean;
}

export interface Rollout {
  readonly id: RolloutId;
  readonly kind: 'Release';
  readonly application: string;
  readonly fleet: string;
  readonly revision: Revision;
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  readonly reason: string;
  readonly message: string;
  readonly paused: Pause | null;
  /** `ran` up to `since`; running when `since` is set. */
  readonly clock: { readonly ran: number; readonly since: Instant | null };
  readonly gate: WriteGateState;
  /**
   * That a cluster is healthy counts only in the round in which it was seen. A new one begins when what was seen before shows nothing of
   * now: after a freeze or a halt, and with the last look before the end.
   */
  readonly round: number;
  /** The round of the last look; null: it has not begun, or something has been on its way since. */
  readonly lastLook: number | null;
  readonly rollback: RollbackOrder | null;
  /** Windows that a person has set aside for this rollout. */
  readonly windowOverrides: readonly WindowOverride[];
  /** Gates that a person has let pass, in the order in which it was done. */
  readonly gateOverrides: readonly GateOverride[];
  /** One for an object. */
  readonly irreversible: readonly Irreversible[];
  /** A person has let prunes over the application's limit through. */
  readonly deletionsApproved: boolean;
  readonly waves: readonly Wave[];
  /** By name of the region; one without anything to count may be absent. */
  readonly regions: Readonly<Record<string, RegionCounts>>;
  /** A person has resumed after the deadline. */
  readonly deadlineAccepted: boolean;
  readonly createdBy: string;
  readonly createdReason: string;
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /**
   * Rollouts right before this one that were superseded or aborted, newest first: what they adopted, forced and created was never settled,
   * and is this one's to take back.
   */
  readonly lineage: readonly RolloutId[];
  /** Monotonic per application: the newest rollout has the highest. */
  readonly sequence: number;
}

export type { TargetPhase };

/** Reason of a restored target without the Jobs that the release had replaced or taken out: they are not run again. */
export const RESTORED_BUT_JOBS = 'RestoredButJobs';

export interface Evidence {
  readonly object: ObjectKey | null;
  readonly text: string;
}

export interface Target {
  readonly rollout: RolloutId;
  readonly cluster: string;
  readonly region: string;
  readonly failureDomain: string;
  readonly wave: number;
  /** Place inside the wave. */
  readonly position: number;
  readonly placement: string;
  readonly state: TargetState;
  readonly phase: TargetPhase;
  readonly reason: string;
  readonly message: string;
  readonly evidence: Evidence | null;
  readonly revision: Revision;
  /** Last known good before this rollout; null: nothing. Known once the target has started. */
  readonly previous: Revision | null;
  /** What its last apply has made of objects for good. */
  readonly irreversible: readonly Finding[];
  /** Null: not asked yet. */
  readonly preflight: TargetPreflight | null;
  /** Set before the first write, in the record (write-ahead). */
  readonly touched: boolean;
  readonly everFailed: boolean;
  readonly degraded: boolean;
  /** Was not ready when the strategy's `slow.after` had passed, and is not failed for it. */
  readonly slow: boolean;
  /** Cut off from its cluster since. */
  readonly unreachableSince: RolloutTime | null;
  /** Not over before work gets through again, also while the cluster answers. */
  readonly outage: Outage | null;
  /** The strategy's wait has passed and its policy was applied. */
  readonly unreachableSettled: boolean;
  /** What the cluster should have and could not be given: survives the rollout's end. */
  readonly owes: 'forward' | 'back' | null;
  readonly verifyingSince: RolloutTime | null;
  readonly healthySince: RolloutTime | null;
  /** The rollout's round in which it was last seen healthy; null: it was not, or is not any more. */
  readonly seenIn: number | null;
  /** In a state that does not mend by itself since. */
  readonly failingSince: RolloutTime | null;
  /** A succeeded target that is not healthy since. */
  readonly degradedSince: RolloutTime | null;
  /** A window closes its cluster: nothing begins there before this; null: none does. */
  readonly opensAt: Instant | null;
  /** `during`; in the plan's order. */
  readonly gates: readonly GateRun[];
  /** Not there when it was finished, and may still come: creates of a worker that was overtaken. Each later look takes away what has come. */
  readonly suspects: readonly ObjectKey[];
  /** Workloads that were already ill before this rollout: reported, not blamed. */
  readonly excused: readonly string[];
  /** Skipped by a person: not owed. */
  readonly skippedBy: string | null;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /** When to look at it again; null: nothing to do. */
  readonly dueAt: Instant | null;
  /** Grows by one with each started apply or return: part of the worker's claim. */
  readonly attempt: number;
}
