import type { Instant } from '@breakwater/domain';
import type { Looked, NotLookedAt } from './cluster-history.port.ts';

/** What a worker found, or why it could not look; times by the record's clock. */
export type LookAnswer =
  (Omit<Looked, 'kind'> & { readonly notes: readonly string[] }) | { readonly refused: NotLookedAt['reason'] };

/**
 * A question to a worker about what a cluster tells of its past, answered through the record: whoever asks need not hold the keys of
 * clusters.
 */
export interface ClusterLook {
  readonly id: string;
  readonly cluster: string;
  readonly since: Instant;
}

export interface ClusterLooks {
  /** False: so many questions wait already that this one is not taken. Told on the channel `look`. */
  ask(look: ClusterLook): Promise<boolean>;
  /** Takes open questions for `leaseMs`, oldest first: no two workers take one at a time. One that nobody took in a minute is given up. */
  take(limit: number, leaseMs: number): Promise<readonly ClusterLook[]>;
  /** The first answer counts. Told on the channel `look`. */
  answer(id: string, answer: LookAnswer): Promise<void>;
  /** Null: not yet. */
  answerTo(id: string): Promise<LookAnswer | null>;
}

/** Questions that wait at once, over all clusters. */
export const OPEN_LOOKS = 32;
/** In ms: whoever has asked is gone by then. */
export const LOOK_LIFE = 60_000;
