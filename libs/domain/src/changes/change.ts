import type { ObjectKey } from '../kubernetes/object.ts';
import type { Instant, Revision, RolloutId } from '../rollout/rollout.ts';

/**
 * `edit`, `release` and `node` are changes of the cluster itself. `configuration`, `override` and `command` are words about it, which write
 * nothing there by themselves: what they lead to is a change of its own. In the order in which those of one moment are told.
 */
export const CHANGE_KINDS = ['edit', 'release', 'node', 'configuration', 'override', 'command'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface Change {
  /** Null: it has happened, and nobody can tell when. */
  readonly at: Instant | null;
  readonly kind: ChangeKind;
  readonly what: string;
  /** A person, a field manager, or `breakwater`; empty where the cluster does not tell. */
  readonly by: string;
  /** As the person gave it; may be empty. */
  readonly reason: string;
  readonly object: ObjectKey | null;
  readonly application: string | null;
  readonly rollout: RolloutId | null;
  readonly revision: Revision | null;
}

export const SIGNAL_KINDS = [
  'TargetFailing',
  'TargetRegressed',
  'TargetFailed',
  'TargetUnreachable',
  'ClusterUnreachable',
  'ClusterRefused',
  'ClusterReplaced',
] as const;
export type SignalKind = (typeof SIGNAL_KINDS)[number];

/** Something broke. */
export interface Signal {
  readonly at: Instant;
  readonly kind: SignalKind;
  readonly message: string;
  readonly application: string | null;
  readonly rollout: RolloutId | null;
}
