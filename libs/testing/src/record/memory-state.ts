import type {
  ApplicationOnCluster,
  AuditEvent,
  Baseline,
  BeforeImage,
  Channel,
  ClusterIdentity,
  ClusterLook,
  LookAnswer,
  PermitRequest,
  ReleaseRecord,
  RepositoryRecord,
  Role,
  SnapshotRecord,
  StoredAuditEvent,
  SyncRequest,
} from '@breakwater/application';
import type { Instant, Revision, Rollout, RolloutId, Target } from '@breakwater/domain';
import { Journal, Table } from './table.ts';

export const pair = (first: string, second: string): string => `${first}\u0000${second}`;

export interface RolloutRow {
  readonly rollout: Rollout;
  readonly dueAt: Instant | null;
  readonly ordinal: number;
}

export interface LockRow {
  readonly application: string;
  readonly cluster: string;
  readonly rollout: RolloutId;
}

export interface SlotRow {
  readonly domain: string;
  readonly slot: number;
  readonly rollout: RolloutId;
  readonly cluster: string;
}

export interface ClaimRow {
  readonly rollout: RolloutId;
  readonly cluster: string;
  readonly worker: string;
  readonly token: string;
  readonly expiresAt: Instant;
}

export interface PermitRow extends PermitRequest {
  readonly generation: number;
  readonly expiresAt: Instant;
  readonly unanswered: boolean;
}

export type OnCluster = Omit<ApplicationOnCluster, 'blockedBy'>;

export interface PendingEvent {
  readonly id: number;
  readonly at: Instant;
  readonly event: AuditEvent;
}

export interface LookRow {
  readonly look: ClusterLook;
  readonly answer: LookAnswer | null;
  readonly askedAt: Instant;
  readonly takenUntil: Instant;
}

/** Every table of the record, as maps; see the migrations of the PostgreSQL record for what each holds. */
export class MemoryState {
  readonly journal = new Journal();
  readonly rollouts = this.#table<RolloutId, RolloutRow>();
  readonly sequences = this.#table<string, number>();
  readonly targets = this.#table<string, Target>();
  /** Clusters of a rollout by wave and position. */
  readonly members = this.#table<RolloutId, readonly string[]>();
  readonly locks = this.#table<string, LockRow>();
  readonly slots = this.#table<string, SlotRow>();
  readonly onCluster = this.#table<string, OnCluster>();
  readonly proven = this.#table<string, Revision>();
  readonly releases = this.#table<string, ReleaseRecord>();
  readonly baselines = this.#table<string, Baseline>();
  readonly beforeImages = this.#table<string, readonly BeforeImage[]>();
  readonly claims = this.#table<string, ClaimRow>();
  readonly permits = this.#table<string, PermitRow>();
  readonly clusters = this.#table<string, ClusterIdentity>();
  readonly repositories = this.#table<string, RepositoryRecord>();
  readonly snapshots = this.#table<string, SnapshotRecord>();
  readonly bundles = this.#table<string, Uint8Array>();
  readonly leases = this.#table<string, { readonly worker: string; readonly expiresAt: Instant }>();
  readonly requests = this.#table<string, SyncRequest>();
  readonly looks = this.#table<string, LookRow>();
  readonly pendingEvents = this.#table<number, PendingEvent>();
  readonly events = this.#table<number, StoredAuditEvent>();
  readonly tokens = this.#table<string, { readonly name: string; readonly role: Role }>();
  readonly credentials = this.#table<string, { readonly sealed: Uint8Array; readonly version: string }>();
  readonly settings = this.#table<string, unknown>();
  readonly idempotency = this.#table<string, { readonly bodyDigest: string; readonly result: string }>();
  readonly now: () => Instant;
  /** Sent after the commit, forgotten by a roll-back. */
  outbox: { readonly channel: Channel; readonly payload: string }[] = [];
  #ordinal = 0;

  constructor(now: () => Instant) {
    this.now = now;
  }

  /** Grows by one; like a sequence of a database, it does not go back with a roll-back. */
  nextOrdinal(): number {
    this.#ordinal += 1;
    return this.#ordinal;
  }

  rolloutOf(id: RolloutId): Rollout | null {
    return this.rollouts.get(id)?.rollout ?? null;
  }

  target(rollout: RolloutId, cluster: string): Target | null {
    return this.targets.get(pair(rollout, cluster)) ?? null;
  }

  /** Targets of a rollout by wave and position. */
  targetsOf(rollout: RolloutId): Target[] {
    const found: Target[] = [];
    for (const cluster of this.members.get(rollout) ?? []) {
      const target = this.target(rollout, cluster);
      if (target !== null) found.push(target);
    }
    return found;
  }

  onClusterOf(application: string, cluster: string): OnCluster {
    return (
      this.onCluster.get(pair(application, cluster)) ?? {
        application,
        cluster,
        running: null,
        lastGood: null,
        owed: null,
        epoch: 0,
        inventoryExpected: false,
      }
    );
  }

  changeOnCluster(application: string, cluster: string, change: Partial<OnCluster>): void {
    this.onCluster.set(pair(application, cluster), { ...this.onClusterOf(application, cluster), ...change });
  }

  addEvent(event: AuditEvent): void {
    const id = this.nextOrdinal();
    this.pendingEvents.set(id, { id, at: this.now(), event });
  }

  notify(channel: Channel, payload: string): void {
    this.outbox.push({ channel, payload });
  }

  #table<K, V>(): Table<K, V> {
    return new Table<K, V>(this.journal);
  }
}
