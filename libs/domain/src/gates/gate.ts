import type { JsonObject, JsonValue } from '../fleet/json.ts';
import type { ObjectKey } from '../kubernetes/object.ts';
import type { RolloutTime } from '../rollout/time.ts';

/**
 * `before`: may this wave start? `during`: once on each target, when its workloads are ready. `after`: on the whole wave, while it
 * soaks.
 */
export const GATE_PHASES = ['before', 'during', 'after'] as const;
export type GatePhase = (typeof GATE_PHASES)[number];

/** What happens when a gate can say neither yes nor no: it waits for a person, fails, or counts as passed (and says so). */
export const INCONCLUSIVE_POLICIES = ['wait', 'fail', 'pass'] as const;
export type InconclusivePolicy = (typeof INCONCLUSIVE_POLICIES)[number];

/** How measurements add up to a verdict: the semantics that users of Argo Rollouts' analyses know. Durations in milliseconds. */
export interface GatePolicy {
  readonly initialDelay: number;
  /** Between the end of one measurement and the next. */
  readonly interval: number;
  /**
   * So many conclusive measurements decide; failures within the limit count towards it. Null (phase `after` only): it is measured until the
   * soak has passed, and once more then.
   */
  readonly count: number | null;
  /** The gate fails when there are more failures than this. */
  readonly failureLimit: number;
  /** The gate is inconclusive when there are more inconclusive measurements than this. */
  readonly inconclusiveLimit: number;
  /** The gate is inconclusive when more measurements than this fail to be made, one after another. */
  readonly consecutiveErrorLimit: number;
  /** Without a verdict for so long, the gate is inconclusive; null: it waits as long as it takes. */
  readonly timeout: number | null;
  readonly onInconclusive: InconclusivePolicy;
}

/** One gate of one wave as the plan pins it: a later change in Git does not reach it. */
export interface PlannedGate {
  readonly name: string;
  readonly kind: string;
  readonly phase: GatePhase;
  readonly policy: GatePolicy;
  /** What its kind needs to measure; has passed the kind's schema. */
  readonly spec: JsonObject;
}

export const MEASUREMENT_VERDICTS = ['Success', 'Failure', 'Inconclusive', 'Error', 'Pending'] as const;
export type MeasurementVerdict = (typeof MEASUREMENT_VERDICTS)[number];

/** What a probe saw. `Error`: it could not look (the release is not to blame). `Pending`: the answer comes later, and nothing is counted. */
export interface Measurement {
  readonly verdict: MeasurementVerdict;
  /** One sentence with the figures; never a secret. */
  readonly evidence: string;
  readonly object?: ObjectKey | null;
  /** What the probe wants back at its next measurement: the name of a Job, the token of a request. */
  readonly memo?: JsonValue;
  /** `Pending`: ask again after this; in ms. */
  readonly retryAfter?: number;
}

export const GATE_STATES = ['Waiting', 'Running', 'Passed', 'Failed', 'Inconclusive', 'Overridden'] as const;
/** `Overridden`: a person let it pass (break-glass), by name and with a reason. */
export type GateState = (typeof GATE_STATES)[number];

export interface GateTally {
  readonly successes: number;
  readonly failures: number;
  readonly inconclusive: number;
  readonly errors: number;
  readonly consecutiveErrors: number;
}

/** One gate at work: on a wave (`before`, `after`) or on a target (`during`). Times are the rollout's: they stand still in a freeze. */
export interface GateRun {
  readonly gate: string;
  readonly state: GateState;
  readonly since: RolloutTime | null;
  readonly measuredAt: RolloutTime | null;
  readonly lastVerdict: MeasurementVerdict | null;
  /** When to measure next; null: not before something happens. */
  readonly dueAt: RolloutTime | null;
  readonly tally: GateTally;
  readonly evidence: string;
  readonly object: ObjectKey | null;
  readonly memo: JsonValue;
  readonly overriddenBy: { readonly by: string; readonly reason: string } | null;
}
