import type { Instant, Revision, RolloutId } from '@breakwater/domain';

export interface ClusterRecords {
  get(name: string): Promise<ClusterRecord | null>;
  list(): Promise<readonly ClusterRecord[]>;
  /** Result of the newest contact; binds the uid at the first. Two names with one uid: `DuplicateIdentity`, state Refused. */
  observe(name: string, observation: ClusterObservation): Promise<ClusterRecord>;
  /** A person accepts a replaced cluster: uid, inventory expectation, last good and debts start anew. `reason` is kept in the audit trail. */
  accept(name: string, actor: string, reason?: string): Promise<ClusterRecord | null>;
  /** A person's word, audited with it: from now on no rollout begins anything there, or (not `held`) may again. */
  setQuarantine(name: string, held: boolean, person: QuarantineOrder): Promise<ClusterRecord>;
  application(application: string, cluster: string): Promise<ApplicationOnCluster | null>;
  applicationsOn(cluster: string): Promise<readonly ApplicationOnCluster[]>;
  applicationEverywhere(application: string): Promise<readonly ApplicationOnCluster[]>;
  proven(application: string): Promise<Revision | null>;
}

export type ClusterState = 'Unknown' | 'Ready' | 'Unreachable' | 'Refused' | 'Replaced';
export interface ClusterRecord {
  readonly name: string;
  readonly uid: string | null;
  readonly version: string | null;
  readonly state: ClusterState;
  readonly reason: string;
  readonly message: string;
  readonly lastSeen: Instant | null;
  readonly quarantine: Quarantine | null;
}
export interface QuarantineOrder {
  readonly by: string;
  readonly reason: string;
}
export interface Quarantine extends QuarantineOrder {
  readonly since: Instant;
}
export type ClusterObservation =
  | { readonly kind: 'Seen'; readonly uid: string; readonly version: string }
  | { readonly kind: 'Unreachable'; readonly reason: string; readonly message: string }
  | { readonly kind: 'Refused'; readonly reason: string; readonly message: string };

export interface ApplicationOnCluster {
  readonly application: string;
  readonly cluster: string;
  readonly running: Revision | null;
  readonly lastGood: Revision | null;
  readonly owed: { readonly revision: Revision | null; readonly rollout: RolloutId } | null;
  readonly blockedBy: RolloutId | null;
  readonly epoch: number;
  readonly inventoryExpected: boolean;
}
