import type { Commanded, Forbidden, Person } from './commanded.ts';
import { overrideHaltingGates } from './gate-commands.ts';
import { acceptRegions } from './budgets.ts';
import { acceptFindings } from './irreversible.ts';
import { startClock, stopClock } from './rollout-clock.ts';
import { beginRollback, isTerminal } from './rollout-machine.ts';
import type { Instant, Pause, PauseMode, PersonsPause, RollbackOrder, Rollout, RolloutState } from './rollout.ts';
import { failuresOf } from './wave-counts.ts';
import { withGate } from './write-gate.ts';

const forbid = (rollout: Rollout, verb: string): Forbidden => ({
  forbidden: `a rollout that is ${rollout.state} cannot be ${verb}`,
});

/** Asked for again, it takes force again: a drain holds what runs by now, a rollback that began in between too. */
export const pause = (rollout: Rollout, mode: PauseMode, person: Person, now: Instant): Commanded => {
  if (isTerminal(rollout)) return forbid(rollout, 'paused');
  const asked: PersonsPause = { mode, by: person.by, reason: person.reason, since: now };
  // The emergency stop is lifted for all rollouts at once, and not by a weaker pause of one of them.
  if (rollout.paused?.emergency === true)
    return { rollout: { ...rollout, paused: { ...rollout.paused, under: asked } } };
  return { rollout: withPause(rollout, { ...asked, emergency: false }, now) };
};

/** Holds the rollout as a freeze does, and remembers the pause that a person had asked for before. */
export const stop = (rollout: Rollout, person: Person, now: Instant): Commanded => {
  if (isTerminal(rollout)) return forbid(rollout, 'stopped');
  const under = rollout.paused?.emergency === true ? rollout.paused.under : personsPause(rollout.paused);
  const stopped: Pause = { mode: 'freeze', by: person.by, reason: person.reason, since: now, emergency: true };
  return { rollout: withPause(rollout, under === undefined ? stopped : { ...stopped, under }, now) };
};

/** The end of the emergency stop: each rollout is as paused as a person has asked for. */
export const liftStop = (rollout: Rollout, now: Instant): Commanded => {
  if (isTerminal(rollout)) return forbid(rollout, 'resumed');
  if (rollout.paused?.emergency !== true) return { forbidden: 'the rollout is not held by the emergency stop' };
  const { under } = rollout.paused;
  return { rollout: withPause(rollout, under === undefined ? null : { ...under, emergency: false }, now) };
};

const personsPause = (paused: Pause | null): PersonsPause | undefined =>
  paused === null ? undefined : { mode: paused.mode, by: paused.by, reason: paused.reason, since: paused.since };

const withPause = (rollout: Rollout, paused: Pause | null, now: Instant): Rollout => {
  const runs = paused?.mode !== 'freeze' && rollout.startedAt !== null && rollout.state !== 'Halted';
  return withGate({ ...rollout, paused, clock: runs ? startClock(rollout, now) : stopClock(rollout, now) });
};

/** Lifts a pause; a halted rollout goes on, its failures so far accepted, and gates that had halted it overridden by this person. */
export const resume = (given: Rollout, person: Person, now: Instant): Commanded => {
  if (isTerminal(given)) return forbid(given, 'resumed');
  if (given.paused !== null) return { rollout: withPause(given, null, now) };
  if (given.state !== 'Halted') return { forbidden: `the rollout is ${given.state} and neither paused nor halted` };
  const decided = overrideHaltingGates(given, person, now);
  if ('forbidden' in decided) return decided;
  // Only what the halt was about: what else was found meanwhile halts again.
  const rollout = decided.rollout.reason === 'RollbackImpossible' ? acceptFindings(decided.rollout) : decided.rollout;
  const deadlineAccepted = rollout.deadlineAccepted || rollout.reason === 'DeadlineExceeded';
  const waves = rollout.waves.map((wave) => {
    const accepted = { ...wave, acceptedFailures: failuresOf(wave), acceptedSlow: wave.counts.slow };
    return wave.state === 'Failed'
      ? { ...accepted, state: 'Progressing' as const, finishedAt: null, acceptedUnverified: true }
      : accepted;
  });
  return {
    rollout: withGate({
      ...rollout,
      clock: startClock(rollout, now),
      waves,
      regions: acceptRegions(rollout.regions),
      deadlineAccepted,
      state: 'Progressing',
      reason: 'ResumedByPerson',
      message: '',
    }),
  };
};

/** Stops for good and leaves touched clusters as they are. */
export const abort = (rollout: Rollout, person: Person, now: Instant): Commanded => {
  if (isTerminal(rollout)) return forbid(rollout, 'aborted');
  const message = `aborted by ${person.by}${person.reason === '' ? '' : `: ${person.reason}`}`;
  return { rollout: endBy(rollout, 'Aborted', 'AbortedByPerson', message, now) };
};

/** Another rollout of the application takes over its clusters. */
export const supersede = (rollout: Rollout, by: string, now: Instant): Commanded => {
  if (isTerminal(rollout)) return forbid(rollout, 'superseded');
  return { rollout: endBy(rollout, 'Superseded', 'Superseded', `superseded by rollout ${by}`, now) };
};

const endBy = (rollout: Rollout, state: RolloutState, reason: string, message: string, now: Instant): Rollout =>
  withGate({ ...rollout, state, reason, message, paused: null, clock: stopClock(rollout, now), finishedAt: now });

const MAY_ROLL_BACK: ReadonlySet<RolloutState> = new Set<RolloutState>([
  'Progressing',
  'Halted',
  'RollingBack',
  'Succeeded',
  'Incomplete',
  'Aborted',
  'RollbackFailed',
]);

/** Starts (or widens) a rollback that a person asked for. Whether the rollout is still the newest on its clusters, the caller has checked. */
export const orderRollback = (
  rollout: Rollout,
  order: Omit<RollbackOrder, 'automatic' | 'startedAt'>,
  now: Instant,
): Commanded => {
  if (!MAY_ROLL_BACK.has(rollout.state)) return forbid(rollout, 'rolled back');
  if (rollout.state === 'RollingBack' && order.scope !== 'rollout') {
    return { forbidden: 'the rollout is rolling back already; only its whole scope can be asked for now' };
  }
  return { rollout: beginRollback(rollout, { ...order, automatic: false, startedAt: now }, now) };
};
