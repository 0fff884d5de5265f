import type { GatePhase, GateRun, Measurement, PlannedGate } from '../gates/gate.ts';
import { gateKind } from '../gates/gate-kinds.ts';
import {
  beginRun,
  describeRun,
  dueOf,
  hasPassed,
  heldUntil,
  isDue,
  measured,
  overdue,
  waitingRun,
} from '../gates/gate-machine.ts';
import { instantAt, rolloutTime } from './rollout-clock.ts';
import type { Instant, Rollout, RolloutTime, Wave } from './rollout.ts';

/** A probe that was asked and has not answered (its wake-up may be lost) is asked again after this; in ms. */
const ASK_AGAIN = 5_000;

export interface GateAt {
  readonly gate: PlannedGate;
  readonly run: GateRun;
}

/** The wave's gates of one phase with their runs, in the plan's order. */
export const gatesOf = (rollout: Pick<Rollout, 'plan'>, wave: Wave, phase: GatePhase): readonly GateAt[] =>
  (rollout.plan.waves[wave.index]?.gates ?? [])
    .filter((gate) => gate.phase === phase)
    .map((gate) => ({ gate, run: wave.gates.find((run) => run.gate === gate.name) ?? waitingRun(gate) }));

export const withRun = (wave: Wave, run: GateRun): Wave => {
  const known = wave.gates.some((other) => other.gate === run.gate);
  return known
    ? { ...wave, gates: wave.gates.map((other) => (other.gate === run.gate ? run : other)) }
    : { ...wave, gates: [...wave.gates, run] };
};

/** The wave with its gates of this phase begun, judged where nothing from outside is needed, and timed out where it is time. */
export const lookAtGates = (
  rollout: Rollout,
  given: Wave,
  phase: GatePhase,
  now: Instant,
  soakEnd: RolloutTime | null = null,
): Wave => {
  const time = rolloutTime(rollout, now);
  return gatesOf(rollout, given, phase).reduce((wave, { gate, run }) => {
    const begun = beginRun(gate, run, time);
    const judged = judgeInside(rollout, wave, gate, begun, now);
    const timed = overdue(gate, judged, time);
    const next = soakEnd !== null && time >= soakEnd ? heldUntil(gate, timed, soakEnd) : timed;
    return next === run && wave.gates.includes(run) ? wave : withRun(wave, next);
  }, given);
};

const judgeInside = (rollout: Rollout, wave: Wave, gate: PlannedGate, run: GateRun, now: Instant): GateRun => {
  const judge = gateKind(gate.kind)?.judge;
  if (judge === undefined || run.state !== 'Running') return run;
  return measured(gate, run, judge(gate.spec, { rollout, wave, now }), rolloutTime(rollout, now));
};

export type GatesVerdict =
  | { readonly kind: 'Passed' }
  | { readonly kind: 'Failed'; readonly failed: GateAt }
  | { readonly kind: 'Open'; readonly open: readonly GateAt[] };

export const verdictOf = (gates: readonly GateAt[]): GatesVerdict => {
  const failed = gates.find(({ run }) => run.state === 'Failed');
  if (failed !== undefined) return { kind: 'Failed', failed };
  const open = gates.filter(({ run }) => !hasPassed(run));
  return open.length === 0 ? { kind: 'Passed' } : { kind: 'Open', open };
};

/** Which gates a probe has to be asked about now, and when to look again. */
export const nextMeasurements = (
  rollout: Rollout,
  gates: readonly GateAt[],
  now: Instant,
): { readonly due: readonly string[]; readonly dueAt: Instant | null } => {
  const time = rolloutTime(rollout, now);
  const outside = gates.filter(({ gate }) => gateKind(gate.kind)?.judge === undefined);
  const due = outside.filter(({ run }) => isDue(run, time)).map(({ gate }) => gate.name);
  const times = gates.flatMap(({ gate, run }) => {
    const at = due.includes(gate.name) ? time + ASK_AGAIN : dueOf(gate, run);
    return at === null ? [] : [instantAt(rollout, at) ?? now + ASK_AGAIN];
  });
  return { due, dueAt: times.length === 0 ? null : Math.max(now, Math.min(...times)) };
};

/** A probe's answer; null: it comes too late, or for a gate that has begun anew since it was asked. */
export const gateMeasured = (
  rollout: Rollout,
  waveIndex: number,
  name: string,
  asked: GateRun,
  measurement: Measurement,
  now: Instant,
): Rollout | null => {
  const wave = rollout.waves[waveIndex];
  const gate = rollout.plan.waves[waveIndex]?.gates.find((candidate) => candidate.name === name);
  const run = wave?.gates.find((candidate) => candidate.gate === name);
  if (wave === undefined || gate === undefined || run?.state !== 'Running') return null;
  if (rollout.state !== 'Progressing' || run.since !== asked.since || run.measuredAt !== asked.measuredAt) return null;
  const next = withRun(wave, measured(gate, run, measurement, rolloutTime(rollout, now)));
  return { ...rollout, waves: rollout.waves.map((other) => (other.index === waveIndex ? next : other)) };
};

export const describeGate = ({ gate, run }: GateAt): string => `gate ${gate.name}: ${describeRun(gate, run)}`;
