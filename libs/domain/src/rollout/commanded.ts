import type { Rollout } from './rollout.ts';

/** What a person asked for is not possible in this state; `message` says why, in words. */
export interface Forbidden {
  readonly forbidden: string;
  /** Stable, for scripts; without it the state alone forbids it. */
  readonly code?: string;
}
export type Commanded = { readonly rollout: Rollout } | Forbidden;

export interface Person {
  readonly by: string;
  readonly reason: string;
}
