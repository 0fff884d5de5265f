import type {
  FleetSnapshot,
  Instant,
  Revision,
  Rollout,
  RolloutId,
  RolloutState,
  Target,
  TargetState,
} from '@breakwater/domain';
import type { AccessRecords, AuditEvent, AuditRecords } from './audit-records.port.ts';
import type { Baseline, BeforeImage } from './cluster.port.ts';
import type { ClusterLooks } from './cluster-looks.port.ts';
import type { ClusterRecords, Quarantine } from './cluster-records.port.ts';
import type { ClaimRecords, PermitRecords } from './permit-records.port.ts';
import type { ReturnFilter, RolloutQueries } from './rollout-queries.port.ts';
import type { ReleaseRecord, ReleaseState, SyncRecords } from './sync-records.port.ts';

export type { AccessRecords, AuditEvent, AuditRecords, Role, StoredAuditEvent } from './audit-records.port.ts';
export type { ClusterLook, ClusterLooks, LookAnswer } from './cluster-looks.port.ts';
export type {
  ApplicationOnCluster,
  ClusterObservation,
  ClusterRecord,
  ClusterRecords,
  ClusterState,
  Quarantine,
  QuarantineOrder,
} from './cluster-records.port.ts';
export type { ClaimRecords, PermitGrant, PermitRecords, PermitRequest } from './permit-records.port.ts';
export type { DomainSlot, Page, ReturnFilter, RolloutQueries } from './rollout-queries.port.ts';
export type {
  ReleaseRecord,
  ReleaseState,
  RepositoryRecord,
  SnapshotRecord,
  SyncRecords,
  SyncRequest,
} from './sync-records.port.ts';

/** Setting of the record: who stopped everything, or null. Permits for debts are granted only while it is null. */
export const EMERGENCY = 'emergency-stop';

/**
 * The record: PostgreSQL. Every change of state is one transaction that holds the rollout's row lock, and carries its audit events.
 * All times are the database's `clock_timestamp()` in epoch milliseconds.
 */
export interface RecordPort {
  /** Runs `work` in one transaction; serialisation failures and lost connections before the commit are tried again a few times. */
  transaction<T>(work: (tx: RecordTransaction) => Promise<T>): Promise<T>;
  readonly rollouts: RolloutQueries;
  readonly cluster: ClusterRecords;
  readonly sync: SyncRecords;
  readonly looks: ClusterLooks;
  readonly permits: PermitRecords;
  readonly claims: ClaimRecords;
  readonly audit: AuditRecords;
  readonly access: AccessRecords;
  /** This installation's id, made once; fences carry it. */
  installation(): Promise<string>;
  now(): Promise<Instant>;
  /** Live wake-up inside and between processes (LISTEN/NOTIFY): a hint, lost without harm. */
  listen(channel: Channel, handler: (payload: string) => void): Promise<() => Promise<void>>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `gate`: a rollout id whose write gate changed, or whose targets are to be looked at. `due`: a key that became due. `event`: an audit
 * sequence. `sync`, `look`: a request.
 */
export type Channel = 'gate' | 'due' | 'event' | 'sync' | 'look';

export interface StartableQuery {
  readonly rollout: RolloutId;
  readonly wave: number;
  readonly maxInFlight: number | null;
  /** Rollouts in flight on one cluster, whatever their application. */
  readonly maxOnCluster: number | null;
  /** Those in which enough is in flight. */
  readonly exceptRegions: readonly string[];
}

export interface RecordTransaction {
  now(): Promise<Instant>;
  /** Sends after the commit. */
  notify(channel: Channel, payload: string): Promise<void>;

  /** Locks the rollout's row until the commit: everything that belongs to one rollout is decided one at a time. */
  lockRollout(id: RolloutId): Promise<Rollout | null>;
  /** Serialises starting, queueing and ending of one application's rollouts. */
  lockApplication(application: string): Promise<void>;
  insertRollout(rollout: Rollout, dueAt: Instant | null): Promise<void>;
  /** Header, waves and due time. A changed write gate is notified on `gate`. */
  saveRollout(rollout: Rollout, dueAt: Instant | null): Promise<void>;
  /** The newest rollout of the application (by sequence) that has started, or inherited what it is to take back ({@link hasBegun}). */
  newestStarted(application: string): Promise<RolloutId | null>;
  /** Targets that are owed a revision (`owes` is set). Few: clusters that were away. */
  owingTargets(rollout: RolloutId): Promise<readonly Target[]>;
  /** Targets in Applying, Verifying and RollingBack keep their state, carry this reason, and are not due any more. */
  leaveTargets(rollout: RolloutId, reason: string, message: string): Promise<void>;
  nextSequence(application: string): Promise<number>;
  /** Unfinished rollouts of the application, oldest first. */
  unfinishedRollouts(application: string): Promise<readonly { readonly id: RolloutId; readonly state: RolloutState }[]>;

  insertTargets(targets: readonly Target[]): Promise<void>;
  target(rollout: RolloutId, cluster: string): Promise<Target | null>;
  saveTarget(target: Target): Promise<void>;
  /**
   * Pending targets of the wave that need not wait, in its order: their failure domain has a free slot of `maxInFlight` (null: no limit), and
   * no other rollout holds their cluster, or it does not answer, and no window closes them. However many wait, they are not read.
   */
  startableTargets(query: StartableQuery, limit: number): Promise<readonly Target[]>;
  /** The newest snapshot of every repository: the same object for as long as it is in force. */
  fleetModels(): Promise<readonly FleetSnapshot[]>;
  /** Targets that a window closes are looked at again now. */
  reopenTargets(rollout: RolloutId): Promise<void>;
  /** Touched, and neither returned nor being returned (wave counts' `toReturn`). */
  targetsToReturn(rollout: RolloutId, filter: ReturnFilter, limit: number): Promise<readonly Target[]>;
  targetsInState(rollout: RolloutId, states: readonly TargetState[], limit: number): Promise<readonly Target[]>;
  /** Looks at a rollout at this time, without holding its row. */
  dueRollout(id: RolloutId, dueAt: Instant): Promise<void>;
  /** Quarantined clusters by name: few. */
  quarantines(): Promise<ReadonlyMap<string, Quarantine>>;
  /** False when the newest contact with the cluster failed (unreachable, refused or replaced); true when nothing is known. */
  clusterIsReachable(cluster: string): Promise<boolean>;
  /**
   * Sets `dueAt` of every target in these states (a pause, a resume, an abort wakes them in one statement), and returns their clusters;
   * nothing is ever due of one that was skipped and is owed nothing.
   */
  dueTargets(rollout: RolloutId, states: readonly TargetState[], dueAt: Instant | null): Promise<readonly string[]>;

  /** Lock of (application, cluster). Returns the holder after the call: it is ours when it equals `rollout`. */
  acquireLock(application: string, cluster: string, rollout: RolloutId): Promise<RolloutId>;
  releaseLock(application: string, cluster: string, rollout: RolloutId): Promise<void>;
  /** Takes the locks of all of the rollout's clusters that nobody holds; returns how many are held by others. */
  acquireLocks(application: string, rollout: RolloutId): Promise<number>;
  /** All locks of the rollout but those of clusters that it still owes something. */
  releaseLocks(rollout: RolloutId): Promise<void>;

  /** Fewer than `max` targets of any rollouts are in flight on the cluster. Until the commit nobody else is told so of the same place. */
  hasRoomOn(cluster: string, max: number): Promise<boolean>;
  /** One of `max` slots of the failure domain, across rollouts. False: none free. Taking again what one holds is true. */
  takeDomainSlot(domain: string, max: number, rollout: RolloutId, cluster: string): Promise<boolean>;
  freeDomainSlot(rollout: RolloutId, cluster: string): Promise<void>;
  freeDomainSlots(rollout: RolloutId): Promise<void>;

  /** The next epoch of (application, cluster): above every one given out, and above `atLeast`. Marks the inventory as expected once `written`. */
  nextEpoch(application: string, cluster: string, atLeast: number): Promise<number>;
  lastGood(application: string, cluster: string): Promise<Revision | null>;
  setLastGood(application: string, cluster: string, revision: Revision | null): Promise<void>;
  /** For every target of the rollout that is Succeeded and not degraded: last good becomes its revision. */
  promoteLastGood(rollout: RolloutId): Promise<number>;
  setProven(application: string, revision: Revision): Promise<void>;
  setRunning(application: string, cluster: string, revision: Revision | null): Promise<void>;
  setInventoryExpected(application: string, cluster: string, expected: boolean): Promise<void>;
  /** What a cluster is owed follows from its targets: the debt of the newest rollout that has one there, or none. */
  followDebt(application: string, cluster: string): Promise<void>;

  setReleaseState(application: string, commit: string, state: ReleaseState, reason: string): Promise<void>;
  release(application: string, commit: string): Promise<ReleaseRecord | null>;

  setBaseline(rollout: RolloutId, cluster: string, baseline: Baseline): Promise<void>;
  addBeforeImages(rollout: RolloutId, cluster: string, images: readonly BeforeImage[]): Promise<void>;

  audit(event: AuditEvent): Promise<void>;
  /** What a key was used for first, as {@link idempotent} says it; null: it was not. Stores nothing. */
  usedBefore(key: string, actor: string, bodyDigest: string): Promise<{ readonly result: string } | 'reused' | null>;
  /** First use of a key stores what `create` made; a later one returns it (`fresh: false`). A different `bodyDigest`: 'reused'. */
  idempotent(
    key: string,
    actor: string,
    bodyDigest: string,
    result: string,
  ): Promise<{ readonly fresh: boolean; readonly result: string } | 'reused'>;
}

/**
 * The connection was lost after COMMIT was sent: the transaction may or may not have happened. Callers read the record again, and decide anew.
 */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
  readonly code = 'CommitUnknown';
}

/** A cursor that this record has not given out. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
  readonly code = 'InvalidCursor';
}
