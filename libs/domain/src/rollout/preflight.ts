import type { Instant, Rollout, Target } from './rollout.ts';

/** Reason of a rollout that waits for clusters which would refuse it, and of a target that is left out for it. */
export const PREFLIGHT_FAILED = 'PreflightFailed';

/** How long an answer holds while the rollout still waits for others; in ms. */
const GOOD_FOR = 600_000;
/** What was refused, or did not answer, is asked again after this; in ms. */
const ASK_AGAIN = 5_000;

export const needsPreflight = ({ state, preflight }: Pick<Target, 'state' | 'preflight'>, now: Instant): boolean => {
  if (state !== 'Pending') return false;
  if (preflight === null) return true;
  return now - preflight.at >= (preflight.state === 'Passed' ? GOOD_FOR : ASK_AGAIN);
};

/** It gets the revision by a person's retry, or by a later rollout. */
export const leftOutByPreflight = (target: Target, now: Instant): Target => {
  if (target.state !== 'Pending') return target;
  const message = describePreflight(target);
  return {
    ...target,
    state: 'Skipped',
    reason: PREFLIGHT_FAILED,
    message,
    evidence: { object: target.preflight?.findings[0]?.object ?? null, text: message },
    finishedAt: now,
    dueAt: null,
  };
};

const SAID = 3;

export const describePreflight = ({ preflight }: Pick<Target, 'preflight'>): string => {
  const findings = preflight?.findings ?? [];
  const said = findings.slice(0, SAID).map(({ message }) => message);
  return [...said, ...(findings.length > SAID ? [`and ${findings.length - SAID} more`] : [])].join('; ');
};

export type PreflightVerdict =
  | { readonly kind: 'Go'; readonly leaveOut: readonly Target[] }
  | { readonly kind: 'Wait'; readonly reason: string; readonly message: string };

const NAMED = 8;

/** All have been asked: does the rollout begin? Where every cluster would refuse, there is nothing to leave them out from. */
export const judgePreflight = (rollout: Pick<Rollout, 'plan'>, targets: readonly Target[]): PreflightVerdict => {
  const asked = targets.filter(({ state }) => state === 'Pending');
  const failed = asked.filter(({ preflight }) => preflight?.state === 'Failed');
  const leave = rollout.plan.policy.preflight.onFailure === 'leaveOut' && failed.length < asked.length;
  if (failed.length === 0 || leave) return { kind: 'Go', leaveOut: failed };
  const said = failed.slice(0, NAMED).map((target) => `cluster ${target.cluster}: ${describePreflight(target)}`);
  const more = failed.length > NAMED ? [`and ${failed.length - NAMED} more clusters`] : [];
  return { kind: 'Wait', reason: PREFLIGHT_FAILED, message: [...said, ...more].join(' | ') };
};
