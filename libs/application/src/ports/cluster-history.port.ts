import type { Instant, NodeChange, ObjectKey } from '@breakwater/domain';
import type { Cutoff, Refusal } from './cluster-answers.port.ts';

export interface HistoryRequest {
  /** Whose inventories are gone through. */
  readonly applications: readonly string[];
  /** By the cluster's own clock. */
  readonly since: Instant;
  /** In ms; what could not be read by then is named. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** What another hand did to an object of an inventory. */
export interface ForeignEdit {
  readonly application: string;
  readonly object: ObjectKey;
  /** Null: nobody can tell when: the object is gone, or Kubernetes noted no time. */
  readonly at: Instant | null;
  /** In words, without values. */
  readonly what: string;
  /** The field manager; empty where the cluster does not tell. */
  readonly manager: string;
}

/** A part of what was asked for, and why nothing is known of it. */
export interface NotLookedAt {
  readonly what: string;
  readonly reason: string;
}

export interface Looked {
  readonly kind: 'Looked';
  readonly edits: readonly ForeignEdit[];
  readonly nodes: readonly NodeChange[];
  readonly notLookedAt: readonly NotLookedAt[];
}

/** What a cluster itself still tells of its past; nothing in here writes, or reads values of objects. */
export interface ClusterHistory {
  history(request: HistoryRequest): Promise<Looked | Refusal | Cutoff>;
}
