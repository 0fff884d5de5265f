import type { ObjectKey } from '../kubernetes/object.ts';
import type { Instant } from './time.ts';

export interface PreflightFinding {
  readonly reason: string;
  readonly object: ObjectKey | null;
  readonly message: string;
}

/** What one cluster said of the release before anything was written. */
export interface TargetPreflight {
  /** `Skipped`: it could not be asked; what the strategy says of unreachable clusters decides. */
  readonly state: 'Passed' | 'Failed' | 'Skipped';
  /** Why it would refuse, or the one reason why it could not be asked. */
  readonly findings: readonly PreflightFinding[];
  /** Nothing that stops it: deprecated API versions, above all. */
  readonly warnings: readonly PreflightFinding[];
  /** Objects whose namespace or kind the release itself brings, and those that cannot be tried without acting. */
  readonly notDryRun: readonly ObjectKey[];
  readonly at: Instant;
}
