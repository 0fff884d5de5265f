import type { TargetPhase } from './target-phase.ts';
import type { RolloutTime } from './time.ts';

/** Applying and finalizing write; everything between them only looks. */
type Work = 'apply' | 'verify' | 'finalize';

/**
 * How long a cluster has let no work through, from the first cut until the same kind of work is done: an API server that answers and
 * keeps failing writes would else begin a new outage with each attempt, and never be away for long. What else the target does in
 * between (queueing for its place, verifying) is no part of it.
 */
export interface Outage {
  /** The work that was cut off, and that has to be done before the outage is over. */
  readonly work: Work;
  /** Null: it stands still, at `lasted`. */
  readonly since: RolloutTime | null;
  readonly lasted: number;
}

const ORDER: Readonly<Record<Work, number>> = { apply: 0, verify: 1, finalize: 2 };

export const workOf = (phase: TargetPhase): Work => (phase === 'apply' || phase === 'finalize' ? phase : 'verify');

/** Where an outage that is found out about at `time` has begun: the one before it was not over. */
export const beganAt = (outage: Outage | null, time: RolloutTime): RolloutTime =>
  outage === null ? time : (outage.since ?? time - outage.lasted);

export const cutOffIn = (outage: Outage | null, work: Work, since: RolloutTime): Outage => ({
  work: outage !== null && ORDER[outage.work] > ORDER[work] ? outage.work : work,
  since,
  lasted: 0,
});

export const standStill = (outage: Outage | null, time: RolloutTime): Outage | null =>
  outage?.since == null ? outage : { ...outage, since: null, lasted: time - outage.since };

export const goOn = (outage: Outage | null, time: RolloutTime): Outage | null =>
  outage === null ? null : { ...outage, since: beganAt(outage, time), lasted: 0 };

/** This work has been done. */
export const gotThrough = (outage: Outage | null, work: Work, time: RolloutTime): Outage | null =>
  outage === null || ORDER[outage.work] <= ORDER[work] ? null : standStill(outage, time);
