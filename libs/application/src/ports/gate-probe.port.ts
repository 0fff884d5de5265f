import type { Instant, JsonValue, Measurement, PlannedGate, Revision, RolloutId } from '@breakwater/domain';
import type { ClusterConnection, Cutoff, Refusal, WritePermit } from './cluster.port.ts';

/** Where a cluster of the plan stands, for gates that compare. */
export interface GateMember {
  readonly cluster: string;
  readonly region: string;
  /** `updated`: at the revision and verified, or being verified. `untouched`: nothing was written. `other`: anything else. */
  readonly state: 'updated' | 'untouched' | 'other';
  /** When it got the revision; null where it did not. */
  readonly updatedAt: Instant | null;
}

/** Whoever holds the token may answer this one question. */
export interface GateCallback {
  readonly url: string;
  readonly token: string;
}

export interface MeasureRequest {
  readonly gate: PlannedGate;
  readonly rollout: {
    readonly id: RolloutId;
    readonly application: string;
    readonly fleet: string;
    readonly namespace: string;
    readonly revision: Revision;
  };
  readonly wave: string;
  /** `during`: the target's cluster alone. `before` and `after`: all clusters of the wave. */
  readonly clusters: readonly { readonly name: string; readonly region: string }[];
  /** Every cluster of the plan. */
  readonly members: () => Promise<readonly GateMember[]>;
  readonly connect: (cluster: string) => Promise<ClusterConnection | Refusal | Cutoff>;
  /** Runs `act` while writing in this cluster is allowed; null: it is not, now (frozen, halted, overtaken). For kinds that write. */
  readonly withPermit: <T>(cluster: string, act: (permit: WritePermit) => Promise<T>) => Promise<T | null>;
  /** When this gate began here. */
  readonly startedAt: Instant;
  readonly now: Instant;
  /** What the last measurement left. */
  readonly memo: JsonValue;
  /** Where, and with what, the answer may be sent later; null: nobody can be called back, or the kind knows nothing of it. */
  readonly callback: GateCallback | null;
  readonly signal: AbortSignal;
}

/**
 * Measures gates of one kind. Never throws for what the outside does: a server that is down, slow or talks nonsense is `Error` with a
 * sentence of evidence, bounded in time and bytes. Answers within {@link MEASURE_TIMEOUT}, or is cut off through `signal`.
 */
export interface GateProbe {
  readonly kind: string;
  measure(request: MeasureRequest): Promise<Measurement>;
}

/** One measurement takes at most so long; in ms. */
export const MEASURE_TIMEOUT = 30_000;
