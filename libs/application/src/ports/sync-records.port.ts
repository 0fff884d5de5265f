import type { Instant } from '@breakwater/domain';
import type { AuditEvent } from './audit-records.port.ts';
import type { Page } from './rollout-queries.port.ts';

export type ReleaseState = 'Good' | 'Invalid' | 'Bad';
export interface ReleaseRecord {
  readonly application: string;
  readonly commit: string;
  /** Covers the sorted pairs of cluster and bundle digest. */
  readonly digest: string;
  readonly bundles: Readonly<Record<string, string>>;
  /** A `ReleaseSpec`, as JSON: how this revision is applied, pinned with it. */
  readonly spec: unknown;
  readonly state: ReleaseState;
  readonly reason: string;
  readonly errors: readonly unknown[];
  readonly createdAt: Instant;
  /** Order in which the repository brought it: the newest good commit has the highest. */
  readonly sequence: number;
}

export interface RepositoryRecord {
  readonly name: string;
  readonly url: string;
  readonly ref: string;
  readonly state: 'Pending' | 'Synced' | 'Invalid' | 'Unreachable' | 'Held';
  readonly message: string;
  readonly observed: { readonly commit: string; readonly at: Instant } | null;
  readonly good: { readonly commit: string; readonly at: Instant } | null;
  readonly errors: readonly unknown[];
  readonly triedAt: Instant | null;
}

export interface SnapshotRecord {
  readonly id: string;
  readonly repository: string;
  readonly commit: string;
  /** A `FleetSnapshot` of the domain, as JSON. */
  readonly model: unknown;
  readonly at: Instant;
}

/** A question to the Git sync worker, answered through the record: any replica may ask, any may answer. */
export interface SyncRequest {
  readonly id: string;
  readonly repository: string;
  readonly kind: 'sync' | 'release' | 'approve';
  /** For `release`: which application and revision (commit, branch or tag). */
  readonly application: string | null;
  readonly revision: string | null;
  readonly answer: {
    readonly ok: boolean;
    readonly code: string;
    readonly message: string;
    readonly commit: string | null;
    readonly errors: readonly unknown[];
  } | null;
}

export interface SyncRecords {
  repositories(): Promise<readonly RepositoryRecord[]>;
  repository(name: string): Promise<RepositoryRecord | null>;
  saveRepository(record: RepositoryRecord, events: readonly AuditEvent[]): Promise<void>;
  /** The newest snapshot in force of each repository. */
  snapshot(repository: string): Promise<SnapshotRecord | null>;
  snapshots(): Promise<readonly SnapshotRecord[]>;
  saveSnapshot(snapshot: SnapshotRecord, events: readonly AuditEvent[]): Promise<void>;
  saveRelease(
    release: Omit<ReleaseRecord, 'createdAt' | 'sequence'>,
    events: readonly AuditEvent[],
  ): Promise<ReleaseRecord>;
  release(application: string, commit: string): Promise<ReleaseRecord | null>;
  /** Newest first; without an application: those of all. */
  releases(query: {
    readonly application?: string;
    readonly cursor?: string | null;
    readonly limit: number;
  }): Promise<Page<ReleaseRecord>>;
  newestRelease(application: string): Promise<ReleaseRecord | null>;
  /** Stored once by content digest, encrypted by the caller's cipher. */
  putBundle(digest: string, sealed: Uint8Array): Promise<void>;
  hasBundles(digests: readonly string[]): Promise<ReadonlySet<string>>;
  bundle(digest: string): Promise<Uint8Array | null>;
  /** Which worker may sync: one at a time, by lease. */
  lease(name: string, worker: string, leaseMs: number): Promise<boolean>;
  ask(request: Omit<SyncRequest, 'answer'>): Promise<void>;
  openRequests(): Promise<readonly SyncRequest[]>;
  answer(id: string, answer: NonNullable<SyncRequest['answer']>): Promise<void>;
  request(id: string): Promise<SyncRequest | null>;
}
