import { describeRun, hasPassed } from '../gates/gate-machine.ts';
import type { GateRun } from '../gates/gate.ts';
import { goOn, gotThrough } from './outage.ts';
import { instantAt, rolloutTime } from './rollout-clock.ts';
import { formatDuration } from '../quantity/index.ts';
import type { Evidence, Instant, Rollout, Target } from './rollout.ts';
import { slowAfter } from './slow.ts';
import { failed, rollbackFailed } from './target-endings.ts';
import { type HealthObservation, RECHECK_INTERVAL, type TargetEvent } from './target-event.ts';
import { beginTargetGates, gatesOfTarget, nextDueOf, withMeasurement } from './target-gates.ts';
import type { GateAt } from './wave-gates.ts';

export const judged = (
  rollout: Rollout,
  target: Target,
  { health, round }: Omit<Extract<TargetEvent, { readonly type: 'HealthObserved' }>, 'type'>,
  now: Instant,
): Target => {
  const time = rolloutTime(rollout, now);
  const healthy = health.verdict === 'Healthy';
  // Seen before a freeze, a halt or the last look: it shows nothing of now.
  if (healthy && round !== rollout.round) return target.dueAt === null ? target : { ...target, dueAt: now };
  const looked: Target = {
    ...target,
    excused: health.excused,
    outage: gotThrough(target.outage, 'verify', time),
    seenIn: healthy ? round : null,
  };
  if (target.state === 'Verifying' && (target.phase === 'verify' || target.phase === 'gates'))
    return verifyForward(rollout, looked, health, now);
  if (target.state === 'RollingBack' && target.phase === 'verify') return verifyReturn(rollout, looked, health, now);
  if (target.state === 'Succeeded') return watchVerified(rollout, looked, health, now);
  return target;
};

const evidenceOf = (health: HealthObservation): Evidence | null =>
  health.failFast === null ? health.worst : { object: health.failFast.object, text: health.failFast.message };

/** Earliest of the moments at which something is decided, and never later than the next regular look. */
const nextLook = (rollout: Rollout, now: Instant, times: readonly (number | null)[]): Instant => {
  const instants = times.flatMap((time) => (time === null ? [] : [instantAt(rollout, time) ?? now + RECHECK_INTERVAL]));
  return Math.max(now, Math.min(now + RECHECK_INTERVAL, ...instants));
};

const verifyForward = (rollout: Rollout, given: Target, health: HealthObservation, now: Instant): Target => {
  const { workloads: gate } = rollout.plan.policy;
  const time = rolloutTime(rollout, now);
  // Ready and then not: the workloads' time starts again, as it was not them that took so long.
  const fell = given.phase === 'gates' && health.verdict !== 'Healthy';
  const target: Target = fell ? { ...given, phase: 'verify', verifyingSince: time } : given;
  const verifyingSince = target.verifyingSince ?? time;
  if (health.verdict === 'Healthy') {
    const healthySince = target.healthySince ?? time;
    const next = { ...target, verifyingSince, healthySince, failingSince: null };
    if (target.phase === 'gates' || time - healthySince >= gate.stableFor)
      return passGates(rollout, next, beginTargetGates(rollout, next, time), now);
    return {
      ...next,
      reason: 'GatePending',
      message: `healthy, and has to stay so for ${Math.ceil((gate.stableFor - (time - healthySince)) / 1000)} s`,
      evidence: null,
      dueAt: nextLook(rollout, now, [healthySince + gate.stableFor]),
    };
  }
  const failingSince = health.failFast === null ? null : (target.failingSince ?? time);
  const evidence = evidenceOf(health);
  const message = evidence?.text ?? '';
  if (failingSince !== null && gate.failFast !== 'off' && time - failingSince >= gate.failFast) {
    return failed(target, health.failFast?.reason ?? 'GateFailed', message, evidence, now);
  }
  const limit = slowAfter(rollout.plan.policy);
  const late = time - verifyingSince >= limit;
  if (late && rollout.plan.policy.slow.then === 'fail') return failed(target, 'GateTimedOut', message, evidence, now);
  return {
    ...target,
    verifyingSince,
    healthySince: null,
    failingSince,
    slow: target.slow || late,
    reason: failingSince !== null ? 'GateFailing' : late ? 'Slow' : 'GatePending',
    message: late ? `slow, not ready after ${formatDuration(limit)}: ${message}` : message,
    evidence,
    dueAt: nextLook(rollout, now, [
      late ? null : verifyingSince + limit,
      failingSince === null || gate.failFast === 'off' ? null : failingSince + gate.failFast,
    ]),
  };
};

/** Its workloads are ready: every other gate has to pass too, while they stay so. */
const passGates = (rollout: Rollout, target: Target, gates: readonly GateRun[], now: Instant): Target => {
  const at = gatesOfTarget(rollout, { ...target, gates });
  const broken = at.find(({ run }) => run.state === 'Failed');
  const said = (gate: GateAt): string => `gate ${gate.gate.name}: ${describeRun(gate.gate, gate.run)}`;
  const evidenceAt = ({ run }: GateAt): Evidence => ({ object: run.object, text: run.evidence });
  if (broken !== undefined) return { ...failed(target, 'GateFailed', said(broken), evidenceAt(broken), now), gates };
  const open = at.filter(({ run }) => !hasPassed(run));
  const [first] = open;
  if (first === undefined) {
    const outage = goOn(target.outage, rolloutTime(rollout, now));
    return {
      ...target,
      gates,
      phase: 'finalize',
      reason: 'Finalizing',
      message: '',
      evidence: null,
      outage,
      dueAt: now,
    };
  }
  return {
    ...target,
    gates,
    phase: 'gates',
    reason: 'GatePending',
    message: open.map(said).join('; '),
    evidence: evidenceAt(first),
    dueAt: nextLook(rollout, now, [nextDueOf(at)]),
  };
};

export const gateAnswered = (
  rollout: Rollout,
  target: Target,
  event: Omit<Extract<TargetEvent, { readonly type: 'GateMeasured' }>, 'type'>,
  now: Instant,
): Target =>
  target.state === 'Verifying' && target.phase === 'gates'
    ? passGates(rollout, target, withMeasurement(rollout, target, event, now), now)
    : target;

const verifyReturn = (rollout: Rollout, target: Target, health: HealthObservation, now: Instant): Target => {
  const { workloads: gate } = rollout.plan.policy;
  const time = rolloutTime(rollout, now);
  const verifyingSince = target.verifyingSince ?? time;
  if (health.verdict === 'Healthy') {
    const healthySince = target.healthySince ?? time;
    const next = { ...target, verifyingSince, healthySince, unreachableSince: null };
    if (time - healthySince >= gate.stableFor) {
      return { ...next, phase: 'finalize', evidence: null, outage: goOn(next.outage, time), dueAt: now };
    }
    return { ...next, dueAt: nextLook(rollout, now, [healthySince + gate.stableFor]) };
  }
  const evidence = evidenceOf(health);
  if (time - verifyingSince >= gate.timeout) {
    return rollbackFailed(target, 'GateTimedOut', evidence?.text ?? '', evidence, now);
  }
  return {
    ...target,
    verifyingSince,
    healthySince: null,
    unreachableSince: null,
    evidence,
    message: evidence?.text ?? target.message,
    dueAt: nextLook(rollout, now, [verifyingSince + gate.timeout]),
  };
};

/** Rule 10: a verified target that falls ill holds the rollout at once, and fails when it does not recover. */
const watchVerified = (rollout: Rollout, target: Target, health: HealthObservation, now: Instant): Target => {
  const { workloads: gate } = rollout.plan.policy;
  const time = rolloutTime(rollout, now);
  if (health.verdict === 'Healthy') {
    if (!target.degraded) return { ...target, dueAt: now + RECHECK_INTERVAL };
    const healthySince = target.healthySince ?? time;
    const stable = time - healthySince >= gate.stableFor;
    return {
      ...target,
      degraded: !stable,
      degradedSince: stable ? null : target.degradedSince,
      failingSince: null,
      healthySince,
      evidence: null,
      reason: 'Verified',
      message: stable ? '' : 'healthy again, and has to stay so',
      dueAt: stable ? now + RECHECK_INTERVAL : nextLook(rollout, now, [healthySince + gate.stableFor]),
    };
  }
  const degradedSince = target.degradedSince ?? time;
  const failingSince = health.failFast === null ? null : (target.failingSince ?? time);
  const evidence = evidenceOf(health);
  const message = evidence?.text ?? '';
  if (failingSince !== null && gate.failFast !== 'off' && time - failingSince >= gate.failFast) {
    return failed(target, health.failFast?.reason ?? 'Regressed', `after it was verified: ${message}`, evidence, now);
  }
  if (time - degradedSince >= gate.timeout) {
    return failed(target, 'Regressed', `after it was verified: ${message}`, evidence, now);
  }
  return {
    ...target,
    degraded: true,
    degradedSince,
    failingSince,
    healthySince: null,
    reason: 'Regressing',
    message,
    evidence,
    dueAt: nextLook(rollout, now, [
      degradedSince + gate.timeout,
      failingSince === null || gate.failFast === 'off' ? null : failingSince + gate.failFast,
    ]),
  };
};
