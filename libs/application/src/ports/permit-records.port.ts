import type { Instant, RolloutId } from '@breakwater/domain';

/** A worker's claim on one target's work: speed and order only; the fence keeps the rule. */
export interface ClaimRecords {
  /** True: ours until `leaseMs` from now. `token` differs for each claim. */
  claim(rollout: RolloutId, cluster: string, worker: string, token: string, leaseMs: number): Promise<boolean>;
  /** Renews all of a worker's claims in one statement; returns those that are still its own. */
  renew(worker: string, leaseMs: number): Promise<readonly string[]>;
  /** Renews this claim; false: it is somebody else's by now. */
  renewOne(token: string, leaseMs: number): Promise<boolean>;
  /** Given back: the work is done, or can wait until it is due. */
  release(token: string): Promise<void>;
  /** Given up in the middle of it, as when a watch over a cluster ends with its worker: the next one has it at once, due or not. */
  abandon(token: string): Promise<void>;
  /** All that a worker still holds. */
  abandonAll(worker: string): Promise<void>;
}

/**
 * Write permits (correctness.md, "Freeze and halt"): a row for each target that may be writing.
 * `direction` owed: a settled debt after the rollout's end.
 */
export interface PermitRecords {
  /**
   * Granted when the rollout's gate is open in this direction (for a debt: while nothing is stopped) and the claim token is still current.
   * `sentAt` is judged by the caller's clock. Asked again with the same id (an answer was lost), it is the same permit; refused, none is left.
   */
  acquire(request: PermitRequest, lifeMs: number): Promise<PermitGrant | null>;
  /** Renews permits of a worker in one statement; the answer holds those still valid (generation unchanged, gate open, claim current). */
  renew(worker: string, lifeMs: number): Promise<readonly string[]>;
  /** The writer has stopped; `unanswered` when a request of it never got its answer (the row then stays until its expiry, and is named). */
  release(permit: string, unanswered: boolean): Promise<void>;
  /** Permits of older generations of this rollout that have not been given back and have not expired. */
  outstanding(
    rollout: RolloutId,
    generation: number,
  ): Promise<readonly { readonly cluster: string; readonly expiresAt: Instant }[]>;
  /** Clusters with a permit of an older generation that expired or was released without its request's answer. */
  unsettled(rollout: RolloutId, generation: number): Promise<readonly string[]>;
  /** Outstanding ones of all rollouts, those for debts whatever their generation: what may still write once everything is stopped. */
  outstandingEverywhere(): Promise<readonly { readonly rollout: RolloutId; readonly cluster: string }[]>;
  /** Clusters that are still owed a revision, where a permit for it expired or was released without its request's answer. */
  unsettledDebts(): Promise<readonly { readonly rollout: RolloutId; readonly cluster: string }[]>;
}

export interface PermitRequest {
  readonly permit: string;
  readonly rollout: RolloutId;
  readonly cluster: string;
  readonly worker: string;
  readonly claim: string;
  readonly direction: 'forward' | 'backward' | 'owed';
}

export interface PermitGrant {
  readonly generation: number;
}
