import type { GateRun, Measurement } from '../gates/gate.ts';
import type { ObjectKey } from '../kubernetes/object.ts';
import type { WindowClosure } from '../windows/window-state.ts';
import type { TargetPreflight } from './target-preflight.ts';
import type { Person } from './commanded.ts';
import type { Evidence, Finding, Instant, Revision } from './rollout.ts';

/** Verified targets are looked at again this often until the rollout ends (rule 10); in ms. */
export const RECHECK_INTERVAL = 30_000;
/** How often a cut-off cluster is tried again; in ms. */
export const PROBE_INTERVAL = 2_000;

/** A fresh look at a target's objects. */
export interface HealthObservation {
  readonly verdict: 'Healthy' | 'Progressing' | 'Failing';
  /** A state that does not mend by itself, when there is one. */
  readonly failFast: { readonly object: ObjectKey | null; readonly reason: string; readonly message: string } | null;
  readonly worst: Evidence | null;
  readonly excused: readonly string[];
}

/** What happened to one target: seen by the worker that holds it, or due by the clock. */
export type TargetEvent =
  | { readonly type: 'Started'; readonly previous: Revision | null }
  | { readonly type: 'Touching' }
  /** `irreversible`: found by trying to put the revision before back over it. */
  | { readonly type: 'Applied'; readonly irreversible?: readonly Finding[] }
  | { readonly type: 'Refused'; readonly reason: string; readonly message: string; readonly object: ObjectKey | null }
  | { readonly type: 'CutOff'; readonly reason: string; readonly message: string }
  | { readonly type: 'Reached' }
  /** `round`: the rollout's, as it was before the cluster was looked at. */
  | { readonly type: 'HealthObserved'; readonly health: HealthObservation; readonly round: number }
  /** Found when it was to be started, or to be written to. */
  | { readonly type: 'WindowClosed'; readonly closure: WindowClosure; readonly until: Instant }
  /** `asked`: the run that it is about; an answer that came from elsewhere meanwhile stands. */
  | {
      readonly type: 'GateMeasured';
      readonly gate: string;
      readonly measurement: Measurement;
      readonly asked?: Pick<GateRun, 'since' | 'measuredAt'>;
    }
  | {
      readonly type: 'Finalized';
      readonly kept: readonly string[];
      /** Jobs of the former revision that this rollout has deleted: gone, for Jobs never run twice. */
      readonly jobsNotRunAgain: readonly ObjectKey[];
      /** See {@link Target.suspects}. */
      readonly suspects: readonly ObjectKey[];
    }
  | { readonly type: 'ReturnStarted'; readonly reason: string }
  | { readonly type: 'DebtVoided'; readonly takenBack: boolean }
  | { readonly type: 'DebtPassed'; readonly to: string }
  /** By a person; `GateRestarted` too. */
  | { readonly type: 'Retried'; readonly person: Person }
  | { readonly type: 'LeftOut'; readonly reason: string; readonly person: Person }
  | { readonly type: 'GateRestarted'; readonly gate: string }
  | { readonly type: 'PreflightAnswered'; readonly preflight: TargetPreflight }
  /** As the strategy says of a cluster that would refuse the release. */
  | { readonly type: 'LeftOutByPreflight' }
  | { readonly type: 'Left'; readonly reason: string; readonly message: string }
  | { readonly type: 'Looked' }
  /** Its next step would write, and there was no permit for it; or the settlement of its debt has to wait, and for what. */
  | { readonly type: 'Held'; readonly why?: string };
