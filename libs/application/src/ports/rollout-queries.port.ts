import type { Instant, Rollout, RolloutId, Target, TargetState } from '@breakwater/domain';
import type { Baseline, BeforeImage } from './cluster.port.ts';

/** `only: failed`: those in state Failed. `clusters`: none but these; null: any. `wave` null: any. `exceptDomains`: failure domains. */
export interface ReturnFilter {
  readonly wave: number | null;
  readonly only: 'failed' | 'all';
  readonly clusters: readonly string[] | null;
  readonly region?: string;
  readonly exceptDomains?: readonly string[];
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** One of the places that a failure domain has for clusters in flight, and who has taken it. */
export interface DomainSlot {
  readonly domain: string;
  readonly rollout: RolloutId;
  readonly cluster: string;
}

export interface RolloutQueries {
  get(id: RolloutId): Promise<Rollout | null>;
  newestOf(application: string): Promise<Rollout | null>;
  list(query: {
    readonly application?: string;
    readonly unfinished?: boolean;
    readonly cursor?: string | null;
    readonly limit: number;
  }): Promise<Page<Rollout>>;
  targets(
    id: RolloutId,
    query: {
      readonly states?: readonly TargetState[];
      readonly wave?: number;
      readonly cursor?: string | null;
      readonly limit: number;
    },
  ): Promise<Page<Target>>;
  target(id: RolloutId, cluster: string): Promise<Target | null>;
  baseline(id: RolloutId, cluster: string): Promise<Baseline>;
  /** What is taken in these failure domains, by any rollout; ordered by domain and cluster. */
  slotsIn(domains: readonly string[]): Promise<readonly DomainSlot[]>;
  beforeImages(id: RolloutId, cluster: string): Promise<readonly BeforeImage[]>;
  /** Due rollouts, oldest first: each is pushed `leaseMs` into the future while claimed (FOR UPDATE SKIP LOCKED). */
  claimDueRollouts(limit: number, leaseMs: number): Promise<readonly RolloutId[]>;
  /**
   * Targets that nobody holds a claim on, and that are due; after them those whose claim was abandoned, or has run out because its worker
   * died: nobody watches their clusters any more. What waits for nothing (`dueAt` null) is never among them.
   */
  dueTargets(limit: number): Promise<readonly { readonly rollout: RolloutId; readonly cluster: string }[]>;
  /** Wakes what waits for a cluster that is back. */
  wakeCluster(cluster: string): Promise<void>;
  nextDue(): Promise<Instant | null>;
}
