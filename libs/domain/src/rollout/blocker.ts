import type { Instant } from './rollout.ts';

export const WAITING_REASONS = [
  'Queued',
  'Concurrency',
  'FailureDomain',
  'ClusterBusy',
  'GatePending',
  'GateFailing',
  'Soaking',
  'AwaitingApproval',
  'ClusterUnreachable',
  'FreezeWindow',
  'MaintenanceWindow',
  'Paused',
  'EmergencyStop',
  'TooManyDeletions',
  'IrreversibleStep',
] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];

/** Why a rollout is not further: one row of `waiting` and of `explain`. */
export interface Blocker {
  readonly reason: WaitingReason;
  readonly wave: string | null;
  readonly cluster: string | null;
  readonly gate: string | null;
  readonly object: string | null;
  readonly evidence: string;
  readonly since: Instant | null;
  /** At the latest then something happens by itself; null: it waits for somebody or something outside. */
  readonly until: Instant | null;
}
