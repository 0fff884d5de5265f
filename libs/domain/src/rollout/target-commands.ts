import { restarted } from '../gates/gate-machine.ts';
import { rolloutTime } from './rollout-clock.ts';
import { isTerminal, settlesDebt } from './rollout-machine.ts';
import { PREFLIGHT_FAILED } from './preflight.ts';
import type { Forbidden, Person } from './commanded.ts';
import type { Instant, Rollout, Target } from './rollout.ts';
import { isForward } from './target-endings.ts';
import { gatesOfTarget } from './target-gates.ts';
import { failuresOf } from './wave-counts.ts';

/** Reason of a target that is left out because its cluster is quarantined. */
export const QUARANTINED = 'Quarantined';
export const SKIPPED_BY_PERSON = 'SkippedByPerson';

const saying = ({ by, reason }: Person): string => (reason === '' ? by : `${by}: ${reason}`);

const nothingHeld = {
  evidence: null,
  opensAt: null,
  verifyingSince: null,
  healthySince: null,
  failingSince: null,
  degraded: false,
  degradedSince: null,
  unreachableSince: null,
  unreachableSettled: false,
  outage: null,
  owes: null,
  dueAt: null,
} as const;

/** Restored as it was: nothing of this rollout is on it any more. */
const stillTouched = (target: Target): boolean => target.touched && target.state !== 'RolledBack';

/** It queues for a place in its wave again; after the end, for its cluster to answer. That it has failed before stays true. */
export const retried = (rollout: Rollout, target: Target, person: Person, now: Instant): Target => ({
  ...target,
  ...nothingHeld,
  ...(settlesDebt(rollout, target) ? { owes: 'forward', dueAt: now } : {}),
  state: 'Pending',
  phase: 'apply',
  reason: 'RetriedByPerson',
  message: `tried anew by ${saying(person)}`,
  // What it refused counts no longer: the first write asks it again, by dry run.
  preflight: target.preflight?.state === 'Failed' ? null : target.preflight,
  touched: stillTouched(target),
  skippedBy: null,
  finishedAt: null,
});

/** Left out by a person: not owed the revision. */
export const leftOut = (target: Target, reason: string, person: Person, now: Instant): Target => ({
  ...target,
  ...nothingHeld,
  state: 'Skipped',
  reason,
  message: reason === QUARANTINED ? `quarantined by ${saying(person)}` : `skipped by ${saying(person)}`,
  touched: stillTouched(target),
  skippedBy: person.by,
  finishedAt: now,
});

/** Its gate is measured anew, at once. */
export const gateRestarted = (rollout: Rollout, target: Target, name: string, now: Instant): Target => {
  if (target.state !== 'Verifying') return target;
  const time = rolloutTime(rollout, now);
  const gates = gatesOfTarget(rollout, target).map(({ gate, run }) =>
    gate.name === name ? restarted(gate, time) : run,
  );
  return { ...target, gates, dueAt: now };
};

const IN_FLIGHT = new Set<Target['state']>(['Prefetching', 'Applying', 'Verifying', 'RollingBack']);

/** Null: it may be tried anew. */
export const mayRetry = (rollout: Rollout, target: Target): Forbidden | null => {
  const { cluster, state } = target;
  if (settlesDebt(rollout, target)) {
    if (isForward(target)) return null;
    return { forbidden: `cluster ${cluster} is ${state}: it is tried again by itself as soon as it answers` };
  }
  if (rollout.state !== 'Progressing' && rollout.state !== 'Halted') {
    return { forbidden: `the rollout is ${rollout.state}: none of its clusters is tried anew` };
  }
  if (state === 'RollbackFailed' && rollout.state === 'Halted') {
    return { forbidden: `the rollout is Halted: resume it or roll it back, and the return of ${cluster} can be tried` };
  }
  if (state === 'Failed' || state === 'RolledBack' || state === 'RollbackFailed') return null;
  if (state === 'Skipped' && (target.skippedBy !== null || target.reason === PREFLIGHT_FAILED)) return null;
  const why =
    state === 'Unreachable' || state === 'Skipped'
      ? 'it is tried again by itself as soon as it answers'
      : 'only one that has failed, was returned or was skipped by a person is tried anew';
  return { forbidden: `cluster ${cluster} is ${state}: ${why}` };
};

/** Failures so far are accepted with the retry: it does not halt the rollout again, and allows no further one. */
export const acceptFailures = (rollout: Rollout, waveIndex: number): Rollout => ({
  ...rollout,
  waves: rollout.waves.map((wave) =>
    wave.index === waveIndex ? { ...wave, acceptedFailures: Math.max(wave.acceptedFailures, failuresOf(wave)) } : wave,
  ),
});

/** Null: it may be left out. */
export const maySkip = (rollout: Rollout, target: Target): Forbidden | null => {
  const { cluster, state } = target;
  // Given up as it is: what may have been written there can still be taken back.
  if (settlesDebt(rollout, target) && state !== 'Failed') return null;
  if (isTerminal(rollout) || rollout.state === 'RollingBack') {
    return { forbidden: `the rollout is ${rollout.state}: none of its clusters can be skipped` };
  }
  if (state === 'Pending' || state === 'Unreachable' || state === 'RolledBack' || state === 'Skipped') return null;
  if (state === 'Failed' && !target.touched) return null;
  if (IN_FLIGHT.has(state) || (state === 'Failed' && target.touched)) {
    return {
      forbidden: `cluster ${cluster} is ${state}, and the release is on its way there; roll that cluster back instead`,
    };
  }
  return { forbidden: `cluster ${cluster} is ${state}: there is nothing left to skip` };
};

/** A quarantine leaves alone what is in flight, and everything that is done. */
export const quarantineLeavesOut = ({ state }: Pick<Target, 'state'>): boolean =>
  state === 'Pending' || state === 'Unreachable';
