import {
  type Evidence,
  type Instant,
  RESTORED_BUT_JOBS,
  type Rollout,
  type Target,
  TERMINAL_STATES,
} from './rollout.ts';
import { RECHECK_INTERVAL, type TargetEvent } from './target-event.ts';

/** What a target that is done for now carries no longer. */
export const settled = {
  opensAt: null,
  evidence: null,
  failingSince: null,
  degraded: false,
  degradedSince: null,
  outage: null,
  dueAt: null,
} as const;

/** Nothing is known of its health. */
export const notVerified = {
  verifyingSince: null,
  healthySince: null,
  failingSince: null,
  degraded: false,
  degradedSince: null,
  seenIn: null,
  suspects: [],
} as const;

export const isForward = (target: Target): boolean => target.state === 'Applying' || target.state === 'Verifying';

export const failed = (
  target: Target,
  reason: string,
  message: string,
  evidence: Evidence | null,
  now: Instant,
): Target => ({
  ...target,
  ...settled,
  state: 'Failed',
  reason,
  message,
  evidence,
  everFailed: true,
  // A debt that the cluster turned down before anything was written is over: held on to, it would block the cluster for good.
  owes: target.touched ? target.owes : null,
  finishedAt: now,
});

export const rollbackFailed = (
  target: Target,
  reason: string,
  message: string,
  evidence: Evidence | null,
  now: Instant,
): Target => ({
  ...target,
  ...settled,
  state: 'RollbackFailed',
  reason,
  message,
  evidence,
  owes: null,
  finishedAt: now,
});

export const finalized = (
  rollout: Rollout,
  target: Target,
  { kept, jobsNotRunAgain: jobs, suspects }: Extract<TargetEvent, { readonly type: 'Finalized' }>,
  now: Instant,
): Target => {
  if (target.phase !== 'finalize') return target;
  if (target.state === 'Succeeded') return target.suspects.length === 0 ? target : { ...target, suspects };
  const message = [
    ...(jobs.length === 0 ? [] : [`${jobs.join(', ')} ${jobs.length === 1 ? 'was' : 'were'} not run again`]),
    ...(kept.length === 0 ? [] : [`kept: ${kept.join(', ')}`]),
  ].join('; ');
  if (target.state === 'Verifying') {
    const watched = !TERMINAL_STATES.has(rollout.state);
    return {
      ...target,
      ...settled,
      state: 'Succeeded',
      reason: 'Verified',
      message,
      suspects,
      owes: null,
      finishedAt: now,
      dueAt: !watched ? null : target.seenIn === rollout.round ? now + RECHECK_INTERVAL : now,
    };
  }
  if (target.state === 'RollingBack') {
    const reason = jobs.length === 0 ? 'Restored' : RESTORED_BUT_JOBS;
    return { ...target, ...settled, state: 'RolledBack', reason, message, suspects, owes: null, finishedAt: now };
  }
  return target;
};
