import type { RolloutTime } from '../rollout/rollout.ts';
import type { GateRun, GateTally, Measurement, PlannedGate } from './gate.ts';

const NO_TALLY: GateTally = { successes: 0, failures: 0, inconclusive: 0, errors: 0, consecutiveErrors: 0 };
/** How soon a pending measurement is asked for again when its probe does not say; in ms. */
const PENDING_INTERVAL = 2_000;
/** A lost or failed measurement is made again at least this soon; in ms. */
const ERROR_INTERVAL = 1_000;

export const waitingRun = (gate: Pick<PlannedGate, 'name'>): GateRun => ({
  gate: gate.name,
  state: 'Waiting',
  since: null,
  measuredAt: null,
  lastVerdict: null,
  dueAt: null,
  tally: NO_TALLY,
  evidence: '',
  object: null,
  memo: null,
  overriddenBy: null,
});

export const isDecided = (run: GateRun): boolean => run.state !== 'Waiting' && run.state !== 'Running';
export const hasPassed = (run: GateRun): boolean => run.state === 'Passed' || run.state === 'Overridden';

/** From now on it is measured. A run that has begun stays as it is. */
export const beginRun = (gate: PlannedGate, run: GateRun, time: RolloutTime): GateRun =>
  run.state !== 'Waiting'
    ? run
    : { ...run, state: 'Running', since: time, dueAt: time + gate.policy.initialDelay, evidence: 'not measured yet' };

const countIn = (tally: GateTally, measurement: Measurement): GateTally => {
  switch (measurement.verdict) {
    case 'Success':
      return { ...tally, successes: tally.successes + 1, consecutiveErrors: 0 };
    case 'Failure':
      return { ...tally, failures: tally.failures + 1, consecutiveErrors: 0 };
    case 'Inconclusive':
      return { ...tally, inconclusive: tally.inconclusive + 1, consecutiveErrors: 0 };
    case 'Error':
      return { ...tally, errors: tally.errors + 1, consecutiveErrors: tally.consecutiveErrors + 1 };
    case 'Pending':
      return tally;
  }
};

const decided = (run: GateRun, state: 'Passed' | 'Failed' | 'Inconclusive'): GateRun => ({
  ...run,
  state,
  dueAt: null,
});

/** No verdict is possible: the strategy says what that means. */
const undecided = (gate: PlannedGate, run: GateRun, why: string): GateRun => {
  const said = { ...run, evidence: run.evidence === '' ? why : `${why}: ${run.evidence}` };
  switch (gate.policy.onInconclusive) {
    case 'wait':
      return decided(said, 'Inconclusive');
    case 'fail':
      return decided(said, 'Failed');
    case 'pass':
      return decided({ ...said, evidence: `let through although ${said.evidence}` }, 'Passed');
  }
};

const nextDue = (gate: PlannedGate, measurement: Measurement, time: RolloutTime): RolloutTime => {
  if (measurement.verdict === 'Pending') return time + Math.max(100, measurement.retryAfter ?? PENDING_INTERVAL);
  if (measurement.verdict === 'Error') return time + Math.max(ERROR_INTERVAL, gate.policy.interval);
  return time + gate.policy.interval;
};

/** The run after a measurement. One that comes after the verdict (late, doubled) changes nothing. */
export const measured = (gate: PlannedGate, run: GateRun, measurement: Measurement, time: RolloutTime): GateRun => {
  if (run.state !== 'Running') return run;
  const { policy } = gate;
  const tally = countIn(run.tally, measurement);
  const next: GateRun = {
    ...run,
    tally,
    measuredAt: time,
    lastVerdict: measurement.verdict,
    evidence: measurement.evidence,
    object: measurement.object ?? null,
    memo: measurement.memo === undefined ? run.memo : measurement.memo,
    dueAt: nextDue(gate, measurement, time),
  };
  if (tally.failures > policy.failureLimit) return decided(next, 'Failed');
  if (tally.inconclusive > policy.inconclusiveLimit) return undecided(gate, next, 'inconclusive');
  if (tally.consecutiveErrors > policy.consecutiveErrorLimit) return undecided(gate, next, 'it could not be measured');
  // A failure within the limit is a measurement too; an inconclusive one says nothing, and is made up for.
  if (policy.count !== null && conclusive(tally) >= policy.count) return decided(next, 'Passed');
  return overdue(gate, next, time);
};

const conclusive = (tally: GateTally): number => tally.successes + tally.failures;

/** A gate without a count has held until `end`: its newest measurement is of that time or later, and was a conclusive one. */
export const heldUntil = (gate: PlannedGate, run: GateRun, end: RolloutTime): GateRun => {
  if (run.state !== 'Running' || gate.policy.count !== null) return run;
  const covered = run.measuredAt !== null && run.measuredAt >= end;
  if (covered && run.lastVerdict === 'Success') return decided(run, 'Passed');
  return covered ? run : { ...run, dueAt: Math.min(run.dueAt ?? end, end) };
};

/** Time passed: without a verdict within its time-out it is inconclusive. */
export const overdue = (gate: PlannedGate, run: GateRun, time: RolloutTime): GateRun => {
  const { timeout } = gate.policy;
  if (run.state !== 'Running' || run.since === null || timeout === null || time - run.since < timeout) return run;
  return undecided(gate, run, 'no verdict within its time-out');
};

/** A person lets it pass: loud, by name and with a reason. */
export const overridden = (run: GateRun, by: string, reason: string): GateRun => ({
  ...run,
  state: 'Overridden',
  dueAt: null,
  overriddenBy: { by, reason },
});

/** A person has it measured anew. */
export const restarted = (gate: PlannedGate, time: RolloutTime): GateRun => beginRun(gate, waitingRun(gate), time);

/** When time alone changes something: the next measurement, or its time-out. */
export const dueOf = (gate: PlannedGate, run: GateRun): RolloutTime | null => {
  if (run.state !== 'Running') return null;
  const end = gate.policy.timeout === null || run.since === null ? null : run.since + gate.policy.timeout;
  if (run.dueAt === null) return end;
  return end === null ? run.dueAt : Math.min(run.dueAt, end);
};

export const isDue = (run: GateRun, time: RolloutTime): boolean =>
  run.state === 'Running' && run.dueAt !== null && run.dueAt <= time;

/** `2 of 5 measurements, 1 failed: …`. */
export const describeRun = (gate: PlannedGate, run: GateRun): string => {
  const { successes, failures, inconclusive, errors } = run.tally;
  const made = successes + failures;
  const parts = [gate.policy.count === null ? `${made} measurements` : `${made} of ${gate.policy.count} measurements`];
  if (failures > 0) parts.push(`${failures} failed`);
  if (inconclusive > 0) parts.push(`${inconclusive} inconclusive`);
  if (errors > 0) parts.push(`${errors} could not be made`);
  return run.evidence === '' ? parts.join(', ') : `${parts.join(', ')}: ${run.evidence}`;
};
