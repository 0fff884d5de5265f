import type { ObjectKey } from '../kubernetes/object.ts';
import { beganAt, cutOffIn, goOn, gotThrough, standStill, workOf } from './outage.ts';
import { leftOutByPreflight } from './preflight.ts';
import { rolloutTime } from './rollout-clock.ts';
import { type Finding, type Instant, type Revision, type Rollout, type Target, TERMINAL_STATES } from './rollout.ts';
import { gateRestarted, leftOut, retried } from './target-commands.ts';
import { failed, finalized, isForward, notVerified, rollbackFailed, settled } from './target-endings.ts';
import { PROBE_INTERVAL, type TargetEvent } from './target-event.ts';
import { gateAnswered, judged } from './target-verification.ts';
import { heldByWindow } from './target-windows.ts';

/** Events that a rollout gives its targets, rather than what was seen of them. */
const ORDERS: ReadonlySet<TargetEvent['type']> = new Set(['ReturnStarted', 'DebtVoided', 'DebtPassed', 'Left']);

/** After the end only debts are still worked on. */
const isLeft = (rollout: Rollout, target: Target): boolean =>
  TERMINAL_STATES.has(rollout.state) && target.owes === null;

/**
 * The target after an event. Events that no longer fit its state (a late answer, a wake-up twice) leave it as it is, so that every
 * message may be dropped, delayed or doubled.
 */
export const transition = (rollout: Rollout, target: Target, event: TargetEvent, now: Instant): Target => {
  if (isLeft(rollout, target) && !ORDERS.has(event.type))
    return target.dueAt === null ? target : { ...target, dueAt: null };
  switch (event.type) {
    case 'Started':
      return target.state === 'Pending' ? start(rollout, target, event.previous, now) : target;
    case 'Touching':
      return target.state === 'Applying' && !target.touched ? { ...target, touched: true } : target;
    case 'Applied':
      return applied(rollout, target, event.irreversible ?? [], now);
    case 'Refused':
      return refused(rollout, target, event, now);
    case 'CutOff':
      return cutOff(rollout, target, event, now);
    case 'Reached':
      return reached(rollout, target, now);
    case 'HealthObserved':
      return judged(rollout, target, event, now);
    case 'WindowClosed':
      return heldByWindow(target, event.closure, event.until, now);
    case 'GateMeasured':
      return gateAnswered(rollout, target, event, now);
    case 'Finalized':
      return finalized(rollout, target, event, now);
    case 'ReturnStarted':
      return startReturn(rollout, target, event.reason, now);
    case 'DebtVoided':
      return voided(target, event.takenBack);
    case 'DebtPassed':
      return { ...target, owes: null, dueAt: null, message: `rollout ${event.to} owes this cluster its revision now` };
    case 'Retried':
      return retried(rollout, target, event.person, now);
    case 'LeftOut':
      return leftOut(target, event.reason, event.person, now);
    case 'PreflightAnswered':
      return target.state === 'Pending' ? { ...target, preflight: event.preflight } : target;
    case 'LeftOutByPreflight':
      return leftOutByPreflight(target, now);
    case 'GateRestarted':
      return gateRestarted(rollout, target, event.gate, now);
    case 'Left':
      return { ...target, ...settled, reason: event.reason, message: event.message };
    case 'Looked':
      return waited(rollout, target, now);
    case 'Held':
      return held(rollout, target, event.why, now);
  }
};

/** Behind a closed gate it is not due: whoever opens the gate makes it due again. */
const held = (rollout: Rollout, target: Target, why: string | undefined, now: Instant): Target => {
  if (TERMINAL_STATES.has(rollout.state))
    return { ...target, message: why ?? target.message, dueAt: now + PROBE_INTERVAL };
  const open = target.state === 'RollingBack' ? rollout.gate.backward : rollout.gate.forward;
  return open ? target : { ...target, dueAt: null };
};

const start = (rollout: Rollout, target: Target, previous: Revision | null, now: Instant): Target => ({
  ...target,
  ...notVerified,
  state: 'Applying',
  phase: 'apply',
  reason: 'Applying',
  message: '',
  evidence: null,
  previous: target.touched ? target.previous : previous,
  gates: [],
  opensAt: null,
  unreachableSince: null,
  outage: goOn(target.outage, rolloutTime(rollout, now)),
  unreachableSettled: false,
  attempt: target.attempt + 1,
  startedAt: target.startedAt ?? now,
  finishedAt: null,
  dueAt: now,
});

const startReturn = (rollout: Rollout, target: Target, reason: string, now: Instant): Target => ({
  ...target,
  ...notVerified,
  state: 'RollingBack',
  phase: 'apply',
  reason,
  message: target.previous === null ? 'returning to nothing' : `returning to ${target.previous.commit.slice(0, 12)}`,
  unreachableSince: null,
  outage: null,
  unreachableSettled: false,
  // After the rollout's end the return itself is the debt: it keeps the lock and may write.
  owes: TERMINAL_STATES.has(rollout.state) && target.owes !== null ? 'back' : null,
  attempt: target.attempt + 1,
  finishedAt: null,
  dueAt: now,
});

const applied = (rollout: Rollout, target: Target, irreversible: readonly Finding[], now: Instant): Target => {
  const time = rolloutTime(rollout, now);
  const back = target.state === 'RollingBack' && target.phase === 'apply';
  if (target.state !== 'Applying' && !back) return target;
  const outage = gotThrough(target.outage, 'apply', time);
  const next: Target = { ...target, phase: 'verify', verifyingSince: time, outage, dueAt: now };
  return back
    ? { ...next, unreachableSince: null }
    : { ...next, state: 'Verifying', reason: 'GatePending', irreversible, opensAt: null };
};

/** Says nothing of the release or of the return: it is Breakwater that is not let in, until somebody mends its credentials. */
const NOT_LET_IN: ReadonlySet<string> = new Set([
  'CredentialsRefused',
  'CredentialsNotFound',
  'ExecNotAllowed',
  'FileReferenceNotAllowed',
  'Unauthorized',
]);

const refused = (
  rollout: Rollout,
  target: Target,
  event: { readonly reason: string; readonly message: string; readonly object: ObjectKey | null },
  now: Instant,
): Target => {
  const evidence = { object: event.object, text: event.message };
  const watched = target.state === 'RollingBack' || target.state === 'Succeeded';
  if (watched && NOT_LET_IN.has(event.reason)) return cutOff(rollout, target, event, now);
  if (target.state === 'RollingBack') return rollbackFailed(target, event.reason, event.message, evidence, now);
  if (isForward(target) || target.state === 'Succeeded')
    return failed(target, event.reason, event.message, evidence, now);
  // Credentials that are refused by now are one more way of being away: the strategy's wait goes on.
  if (target.state === 'Unreachable' || target.owes !== null) return waited(rollout, target, now);
  return target;
};

const cutOff = (
  rollout: Rollout,
  target: Target,
  event: { readonly reason: string; readonly message: string },
  now: Instant,
): Target => {
  const time = rolloutTime(rollout, now);
  const since = target.unreachableSince ?? beganAt(target.outage, time);
  // A verified target is only looked at.
  const work = target.state === 'Succeeded' ? 'verify' : workOf(target.phase);
  const outage = cutOffIn(target.outage, work, since);
  if (isForward(target) || target.state === 'Succeeded') {
    const next: Target = {
      ...target,
      ...notVerified,
      state: 'Unreachable',
      reason: 'ClusterUnreachable',
      message: event.message,
      evidence: { object: null, text: event.message },
      unreachableSince: since,
      outage,
      opensAt: null,
      finishedAt: null,
    };
    return waited(rollout, next, now);
  }
  if (target.state === 'RollingBack') {
    const next = { ...target, message: event.message, unreachableSince: since, outage, healthySince: null };
    return waited(rollout, next, now);
  }
  // A target that waits for an older rollout's debt to be settled on a cluster that is away.
  if (target.state === 'Pending') {
    return {
      ...target,
      state: 'Unreachable',
      reason: 'ClusterUnreachable',
      message: event.message,
      opensAt: null,
      unreachableSince: since,
      outage,
      dueAt: now + PROBE_INTERVAL,
    };
  }
  if (target.state === 'Unreachable' || target.owes !== null) return waited(rollout, target, now);
  return target;
};

/** Time passed: the strategy's wait for an unreachable cluster may be over. */
const waited = (rollout: Rollout, target: Target, now: Instant): Target => {
  if (target.unreachableSince === null) {
    return target.owes === null ? target : { ...target, dueAt: now + PROBE_INTERVAL };
  }
  const { wait, then } = rollout.plan.policy.unreachable;
  const probing = { ...target, dueAt: now + PROBE_INTERVAL };
  if (rolloutTime(rollout, now) - target.unreachableSince < wait) return probing;
  if (target.state === 'RollingBack') {
    const message = `unreachable for longer than the strategy's wait: ${target.message}`;
    return {
      ...rollbackFailed(target, 'ClusterUnreachable', message, null, now),
      owes: 'back',
      dueAt: now + PROBE_INTERVAL,
    };
  }
  if (target.state !== 'Unreachable' || target.unreachableSettled) return probing;
  if (then === 'skip') {
    return {
      ...probing,
      state: 'Skipped',
      reason: 'ClusterUnreachable',
      owes: 'forward',
      unreachableSettled: true,
      finishedAt: now,
    };
  }
  return { ...probing, unreachableSettled: true, owes: 'forward' };
};

/** The cluster answers again. In an unfinished rollout it queues for a place in its wave; afterwards its debt is settled at once. */
const reached = (rollout: Rollout, target: Target, now: Instant): Target => {
  if (target.state === 'RollingBack') {
    return target.unreachableSince === null
      ? target
      : { ...target, unreachableSince: null, message: 'the cluster answers again' };
  }
  if (TERMINAL_STATES.has(rollout.state)) return settle(rollout, target, now);
  const back = target.state === 'Unreachable' || (target.state === 'Skipped' && target.owes === 'forward');
  if (!back || rollout.state !== 'Progressing') return target;
  return {
    ...target,
    ...notVerified,
    state: 'Pending',
    reason: 'ClusterBack',
    message: 'the cluster answers again',
    opensAt: null,
    evidence: null,
    unreachableSince: null,
    outage: standStill(target.outage, rolloutTime(rollout, now)),
    unreachableSettled: false,
    owes: null,
    finishedAt: null,
    dueAt: null,
  };
};

const voided = (target: Target, takenBack: boolean): Target => {
  if (target.owes !== 'forward') return takenBack ? target : { ...target, owes: null, dueAt: null };
  if (!takenBack || !target.touched) return { ...target, owes: null, dueAt: null };
  // A settlement that was on its way goes no further: what is owed now is the way back, once the cluster answers.
  return isForward(target) ? { ...target, state: 'Unreachable', owes: 'back' } : { ...target, owes: 'back' };
};

const settle = (rollout: Rollout, target: Target, now: Instant): Target => {
  if (isForward(target)) return target;
  if (target.owes === 'back') return startReturn(rollout, target, 'SettlingDebt', now);
  // A debt has no wait to run out: each of its attempts stands for itself.
  const pending: Target = { ...target, state: 'Pending', outage: null };
  return { ...start(rollout, pending, target.previous, now), reason: 'SettlingDebt', owes: 'forward' };
};
