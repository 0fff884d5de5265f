import { formatDuration } from '../quantity/index.ts';
import { overdrawn } from './budgets.ts';
import { instantAt, rolloutTime, startClock, stopClock } from './rollout-clock.ts';
import { describeEnd, describeProgress } from './headline.ts';
import { describeFindings, openFindings } from './irreversible.ts';
import { allConfirmed, inNewRound } from './look-round.ts';
import {
  type Instant,
  type Rollout,
  type RollbackOrder,
  type RolloutTime,
  type Target,
  TERMINAL_STATES,
  type Wave,
  type WaveCounts,
} from './rollout.ts';
import { failuresOf, totalCounts } from './wave-counts.ts';
import { describeGate, gatesOf, lookAtGates, nextMeasurements, verdictOf } from './wave-gates.ts';
import { slowAfter } from './slow.ts';
import { withGate } from './write-gate.ts';

/** What has to be done to targets, in the same transaction; counts change with each, so `advance` is asked again afterwards. */
export type Order =
  | { readonly type: 'Start'; readonly wave: number; readonly limit: number }
  | { readonly type: 'Return'; readonly wave: number; readonly limit: number; readonly only: 'failed' | 'all' }
  /** A probe is to be asked: nothing changes until it answers. */
  | { readonly type: 'Measure'; readonly wave: number; readonly gate: string }
  /** Every verified target is to be looked at now. */
  | { readonly type: 'Look' }
  | { readonly type: 'Ended' };

export interface Advance {
  readonly rollout: Rollout;
  readonly orders: readonly Order[];
  /** When time alone will change something; null: only an event does. */
  readonly dueAt: Instant | null;
}

const still = (rollout: Rollout): Advance => ({ rollout, orders: [], dueAt: null });

export const isTerminal = (rollout: Pick<Rollout, 'state'>): boolean => TERMINAL_STATES.has(rollout.state);
/** Its rollout has ended, and it is still to get the revision that it is owed. */
export const settlesDebt = (rollout: Pick<Rollout, 'state'>, target: Pick<Target, 'owes'>): boolean =>
  isTerminal(rollout) && target.owes === 'forward';

/** It may have changed something, or is to take back what its predecessors have: clusters follow the newest of these. */
export const hasBegun = (rollout: Pick<Rollout, 'startedAt' | 'waves'>): boolean =>
  rollout.startedAt !== null || totalCounts(rollout).toReturn > 0;
export const isFrozen = (rollout: Pick<Rollout, 'paused'>): boolean => rollout.paused?.mode === 'freeze';

/** `maxConcurrent` of a rollback for a wave of `size`: rounded down, at least one. */
export const returnConcurrency = (value: number | `${number}%`, size: number): number =>
  typeof value === 'number' ? Math.max(1, value) : Math.max(1, Math.floor((Number.parseFloat(value) / 100) * size));

/**
 * One look at a rollout: what it becomes, and what to do next. Counts tell everything, so a look costs the same for ten targets and
 * for ten thousand.
 */
export const advance = (rollout: Rollout, now: Instant): Advance => {
  if (isFrozen(rollout)) return still(rollout);
  switch (rollout.state) {
    case 'Progressing':
      return mindingDeadline(progress(rollout, now));
    case 'RollingBack':
      return rollBack(rollout, now);
    case 'RollbackFailed':
      return settleRollback(rollout);
    case 'Incomplete':
      return { rollout: withTrueHeadline(rollout), orders: returnsOfFailed(rollout.waves), dueAt: null };
    case 'RolledBack':
      return reopenRollback(rollout);
    case 'Halted':
      // Its headline names all that resuming will accept.
      return still(rollout.reason === 'RollbackImpossible' ? (haltOverFindings(rollout, now) ?? rollout) : rollout);
    case 'Queued':
    case 'Planned':
    case 'Preflight':
    case 'Succeeded':
    case 'Aborted':
    case 'Superseded':
    case 'Rejected':
      return still(rollout);
  }
};

/** Preflight has passed: the clocks start, and the first wave may. */
export const beginProgress = (rollout: Rollout, now: Instant): Rollout =>
  withGate({
    ...rollout,
    state: 'Progressing',
    reason: 'WaveInProgress',
    message: describeProgress(rollout),
    clock: rollout.paused?.mode === 'freeze' ? rollout.clock : startClock(rollout, now),
    startedAt: rollout.startedAt ?? now,
  });

/** Whatever the budget is: taking it back is what is not possible, so nothing is taken back by itself. */
const haltOverFindings = (rollout: Rollout, now: Instant): Rollout | null => {
  const open = openFindings(rollout);
  if (open.length === 0) return null;
  const clock = stopClock(rollout, now);
  return withGate({
    ...rollout,
    clock,
    state: 'Halted',
    reason: 'RollbackImpossible',
    message: describeFindings(open),
  });
};

const progress = (rollout: Rollout, now: Instant): Advance => {
  const exposed = haltOverFindings(rollout, now);
  if (exposed !== null) return still(exposed);
  const cutOff = rollout.waves.find((wave) => asksAboutUnreachable(rollout, wave));
  if (cutOff !== undefined) {
    const message = `wave ${cutOff.name}: ${cutOff.counts.unreachableCounted} unreachable for longer than the strategy's wait`;
    return { rollout: halted(rollout, cutOff, 'ClusterUnreachable', message, now), orders: [], dueAt: null };
  }
  const slow = rollout.waves.find((wave) => asksAboutSlow(rollout, wave));
  if (slow !== undefined) {
    const message = `wave ${slow.name}: ${slow.counts.slow} not ready after ${formatDuration(slowAfter(rollout.plan.policy))}`;
    return { rollout: halted(rollout, slow, 'TargetsSlow', message, now), orders: [], dueAt: null };
  }
  const broken = overdrawn(rollout);
  if (broken !== null) return halt(rollout, broken.wave, 'FailureBudgetExceeded', broken.message, now);
  const late = overdue(rollout, now);
  if (late !== null) return late;

  const currentIndex = rollout.waves.findIndex((wave) => wave.state !== 'Succeeded');
  const reachedWaves = currentIndex < 0 ? rollout.waves : rollout.waves.slice(0, currentIndex + 1);
  const orders = returnsOfFailed(reachedWaves);
  const current = rollout.waves[currentIndex];
  const open = current === undefined || current.startedAt !== null ? { rollout } : enterWave(rollout, current, now);
  const held = rollout.paused !== null || rollout.waves.some((wave) => wave.counts.degraded > 0);
  const starts = (waves: readonly Wave[]): Order[] => (held ? [] : waves.flatMap((wave) => startOrders(rollout, wave)));
  if ('advance' in open) {
    // Its gates have stopped the rollout: a return ordered beside its end would be finished by nobody.
    if (open.advance.rollout.state !== 'Progressing') return open.advance;
    // What is tried anew in a wave that has passed does not wait for the next one, which waits for its gates.
    orders.push(...starts(rollout.waves.slice(0, currentIndex)));
    return { ...open.advance, orders: [...orders, ...open.advance.orders] };
  }
  const entered = open.rollout;
  orders.push(...starts(reachedWaves));
  const wave = entered.waves[currentIndex];
  if (wave === undefined) return finish(entered, orders, now);
  return advanceWave(entered, wave, orders, now);
};

type Entry = { readonly rollout: Rollout } | { readonly advance: Advance };

/** May this wave start? Nothing of it is touched before its gates have said so. */
const enterWave = (rollout: Rollout, given: Wave, now: Instant): Entry => {
  const wave = lookAtGates(rollout, given, 'before', now);
  const gates = gatesOf(rollout, wave, 'before');
  const verdict = verdictOf(gates);
  if (verdict.kind === 'Failed') {
    const message = `wave ${wave.name} may not start: ${describeGate(verdict.failed)}`;
    return { advance: halt(rollout, wave, 'GateFailed', message, now) };
  }
  if (verdict.kind === 'Passed') {
    const started: Wave = { ...wave, state: 'Progressing', startedAt: now };
    return { rollout: replaceWave(rollout, started) };
  }
  const asksPeople = verdict.open.every(({ gate }) => gate.kind === 'approval');
  const waiting = replaceWave(rollout, { ...wave, state: asksPeople ? 'AwaitingApproval' : 'Pending' });
  const { due, dueAt } = nextMeasurements(rollout, gates, now);
  return {
    advance: {
      rollout: {
        ...waiting,
        reason: asksPeople ? 'AwaitingApproval' : 'GatePending',
        message: `wave ${wave.name} has not started: ${verdict.open.map(describeGate).join('; ')}`,
      },
      orders: due.map((gate) => ({ type: 'Measure', wave: wave.index, gate })),
      dueAt,
    },
  };
};

/** A target that failed within the budget is itself returned; so is one whose debt was settled after the end, and failed. */
const returnsOfFailed = (waves: readonly Wave[]): Order[] =>
  waves
    .filter((wave) => wave.counts.failedToReturn > 0)
    .map((wave) => ({ type: 'Return', wave: wave.index, limit: wave.counts.failedToReturn, only: 'failed' }));

/** `unreachable.then: halt` stops and asks; it is no verdict on the release, so nothing is taken back by itself. */
const asksAboutUnreachable = (rollout: Rollout, wave: Wave): boolean =>
  rollout.plan.policy.unreachable.then === 'halt' &&
  wave.counts.unreachableCounted > 0 &&
  failuresOf(wave) > wave.acceptedFailures;

/** `slow.then: halt`: that a cluster takes its time is no verdict on the release either. */
const asksAboutSlow = (rollout: Rollout, wave: Wave): boolean =>
  rollout.plan.policy.slow.then === 'halt' && wave.counts.slow > wave.acceptedSlow;

/** Null: there is none, a person has let it pass, or no wave is left that it could stop. */
const deadlineOf = ({ plan, deadlineAccepted, waves }: Rollout): RolloutTime | null =>
  deadlineAccepted || waves.every((wave) => wave.state === 'Succeeded') ? null : plan.policy.deadline;

/** Past its deadline a rollout stops and asks: that it is slow is no verdict on the release, so nothing is taken back by itself. */
const overdue = (rollout: Rollout, now: Instant): Advance | null => {
  const deadline = deadlineOf(rollout);
  const wave = rollout.waves.find((candidate) => candidate.state !== 'Succeeded');
  if (deadline === null || wave === undefined || rolloutTime(rollout, now) < deadline) return null;
  const message = `wave ${wave.name}: the rollout has run for longer than its deadline of ${formatDuration(deadline)}`;
  return { rollout: halted(rollout, wave, 'DeadlineExceeded', message, now), orders: [], dueAt: null };
};

/** The deadline is looked at when it passes, whatever the rollout waits for then. */
const mindingDeadline = (looked: Advance): Advance => {
  const deadline = deadlineOf(looked.rollout);
  if (looked.rollout.state !== 'Progressing' || deadline === null) return looked;
  return { ...looked, dueAt: earliest(looked.dueAt, instantAt(looked.rollout, deadline)) };
};

const startOrders = (rollout: Rollout, wave: Wave): Order[] => {
  const planned = rollout.plan.waves[wave.index];
  if (planned === undefined || wave.counts.pending === 0) return [];
  const free = planned.maxConcurrent - wave.counts.inFlight - wave.counts.rollingBack - wave.counts.failedToReturn;
  return free <= 0 ? [] : [{ type: 'Start', wave: wave.index, limit: Math.min(free, wave.counts.pending) }];
};

/** Nothing in the wave is on its way or could still change by waiting. */
const isSettled = (wave: Wave): boolean =>
  wave.counts.pending === 0 &&
  wave.counts.inFlight === 0 &&
  wave.counts.unreachableWaiting === 0 &&
  wave.counts.rollingBack === 0 &&
  wave.counts.failedToReturn === 0;

/** People have taken every cluster out of it: that they knew it was not verified goes without saying. */
const isLeftOut = (rollout: Rollout, wave: Wave): boolean =>
  wave.counts.leftOut > 0 && wave.counts.leftOut === rollout.plan.waves[wave.index]?.size;

const replaceWave = (rollout: Rollout, wave: Wave): Rollout => ({
  ...rollout,
  waves: rollout.waves.map((other) => (other.index === wave.index ? wave : other)),
});

const advanceWave = (rollout: Rollout, wave: Wave, orders: readonly Order[], now: Instant): Advance => {
  const done = isSettled(wave);
  const least = rollout.plan.waves[wave.index]?.minClusters ?? 0;
  if (done && wave.counts.succeeded > 0 && wave.counts.succeeded < least && !wave.acceptedUnverified) {
    const message = `wave ${wave.name}: ${wave.counts.succeeded} of its clusters verified, and at least ${least} have to be`;
    return halt(rollout, wave, 'TooFewVerified', message, now);
  }
  if (done && wave.counts.succeeded === 0 && !wave.acceptedUnverified && !isLeftOut(rollout, wave)) {
    const message = `wave ${wave.name}: none of its clusters could be verified, so nothing shows that the release is good`;
    return halt(rollout, wave, 'NothingVerified', message, now);
  }
  const soaking =
    done && wave.soakingSince === null
      ? { ...wave, state: 'Soaking' as const, soakingSince: rolloutTime(rollout, now) }
      : wave;
  if (soaking.soakingSince !== null) return soak(rollout, soaking, soaking.soakingSince, done, orders, now);
  return {
    rollout: { ...rollout, reason: 'WaveInProgress', message: describeProgress(rollout) },
    orders,
    dueAt: null,
  };
};

/** The wave is watched: it passes when the soak is over, everything was seen healthy in this round, and the gates after it have passed. */
const soak = (
  rollout: Rollout,
  given: Wave,
  since: RolloutTime,
  done: boolean,
  orders: readonly Order[],
  now: Instant,
): Advance => {
  const end = since + (rollout.plan.waves[given.index]?.soakMs ?? 0);
  const wave = lookAtGates(rollout, given, 'after', now, end);
  const looked = replaceWave(rollout, wave);
  const gates = gatesOf(looked, wave, 'after');
  const verdict = verdictOf(gates);
  if (verdict.kind === 'Failed') {
    return halt(looked, wave, 'GateFailed', `wave ${wave.name}: ${describeGate(verdict.failed)}`, now);
  }
  const soaked = rolloutTime(rollout, now) >= end;
  const healthy = allConfirmed(looked);
  if (done && soaked && healthy && verdict.kind === 'Passed') {
    // A drain lets no new target start, but a wave that is done is done.
    return progress(replaceWave(looked, { ...wave, state: 'Succeeded', finishedAt: now }), now);
  }
  const { due, dueAt } = nextMeasurements(looked, gates, now);
  const waitsForGates = soaked && healthy && verdict.kind === 'Open';
  return {
    rollout: {
      ...looked,
      reason: waitsForGates ? 'GatePending' : 'Soaking',
      message: waitsForGates
        ? `wave ${wave.name}: ${verdict.open.map(describeGate).join('; ')}`
        : describeProgress(looked),
    },
    orders: [...orders, ...due.map((gate) => ({ type: 'Measure' as const, wave: wave.index, gate }))],
    dueAt: earliest(soaked ? null : instantAt(rollout, end), dueAt),
  };
};

const earliest = (left: Instant | null, right: Instant | null): Instant | null =>
  left === null || right === null ? (left ?? right) : Math.min(left, right);

/** All waves have passed; the rollout ends when nothing is on its way any more and a last look has found everything verified healthy. */
const finish = (rollout: Rollout, orders: readonly Order[], now: Instant): Advance => {
  const total = totalCounts(rollout);
  const settled = rollout.waves.every(isSettled) && total.degraded === 0;
  if (!settled) {
    return { rollout: { ...rollout, lastLook: null, message: describeProgress(rollout) }, orders, dueAt: null };
  }
  if (total.succeeded > 0 && rollout.lastLook !== rollout.round) return lookAgain(rollout, total.succeeded);
  if (!allConfirmed(rollout)) {
    return { rollout: { ...rollout, message: lastLook(total) }, orders, dueAt: null };
  }
  const size = rollout.plan.waves.reduce((sum, wave) => sum + wave.size, 0);
  const complete = total.succeeded === size;
  const ended: Rollout = {
    ...rollout,
    state: complete ? 'Succeeded' : 'Incomplete',
    reason: complete ? 'AllVerified' : 'TargetsMissing',
    finishedAt: now,
  };
  return { rollout: withGate({ ...ended, message: describeEnd(ended) }), orders: [{ type: 'Ended' }], dueAt: null };
};

const lastLook = ({ confirmed, succeeded }: Pick<WaveCounts, 'confirmed' | 'succeeded'>): string =>
  `last look: ${confirmed} of ${succeeded} verified clusters seen healthy`;

/** Verified targets are looked at now and then only: `Succeeded` must not be said of one that fell ill in between (rule 5). */
const lookAgain = (rollout: Rollout, succeeded: number): Advance => {
  const next = inNewRound(rollout);
  return {
    rollout: { ...next, lastLook: next.round, reason: 'LastLook', message: lastLook({ confirmed: 0, succeeded }) },
    orders: [{ type: 'Look' }],
    dueAt: null,
  };
};

const halted = (rollout: Rollout, wave: Wave, reason: string, message: string, now: Instant): Rollout =>
  withGate({
    ...replaceWave(rollout, { ...wave, state: 'Failed', finishedAt: now }),
    // Nobody looks while it is halted: a soak that went on would pass by time alone.
    clock: stopClock(rollout, now),
    state: 'Halted',
    reason,
    message,
  });

/** Forward writes stop everywhere at once; then the strategy's answer to a failure begins. */
const halt = (rollout: Rollout, wave: Wave, reason: string, message: string, now: Instant): Advance => {
  const stopped = halted(rollout, wave, reason, message, now);
  const { onFailure } = rollout.plan.policy;
  if (onFailure.action === 'halt') return { rollout: stopped, orders: [], dueAt: null };
  const order: RollbackOrder = {
    scope: onFailure.scope,
    wave: onFailure.scope === 'wave' ? wave.index : null,
    clusters: [],
    automatic: true,
    by: 'breakwater',
    reason: message,
    startedAt: now,
  };
  return rollBack(beginRollback(stopped, order, now), now);
};

/** Enters RollingBack; from now on only returns are written. */
export const beginRollback = (rollout: Rollout, order: RollbackOrder, now: Instant): Rollout =>
  withGate({
    ...rollout,
    state: 'RollingBack',
    reason: order.automatic ? rollout.reason : 'RequestedByPerson',
    message: order.reason,
    rollback: order,
    clock: isFrozen(rollout) ? rollout.clock : startClock(rollout, now),
    startedAt: rollout.startedAt ?? now,
    finishedAt: null,
  });

/** Highest wave first: what was exposed last is taken back first, and a wave waits until the ones after it are done. */
const rollBack = (rollout: Rollout, now: Instant): Advance => {
  const { rollback } = rollout;
  if (rollback === null) return still(rollout);
  const held = rollout.paused !== null && rollout.paused.since >= rollback.startedAt;
  const waves = wavesOf(rollout, rollback).toReversed();
  for (const wave of waves) {
    const moving = wave.counts.rollingBack - wave.counts.rollingBackCutOff;
    const remaining = remainingIn(rollback, wave);
    if (remaining === 0 && moving === 0) continue;
    const size = rollout.plan.waves[wave.index]?.size ?? 1;
    const free = returnConcurrency(rollout.plan.policy.onFailure.maxConcurrent, size) - moving;
    const orders: Order[] =
      held || remaining === 0 || free <= 0
        ? []
        : [
            {
              type: 'Return',
              wave: wave.index,
              limit: Math.min(free, remaining),
              only: rollback.automatic && rollback.scope === 'cluster' ? 'failed' : 'all',
            },
          ];
    return { rollout: { ...rollout, message: rollbackMessage(rollout, rollback) }, orders, dueAt: null };
  }
  // Of any wave: what is on its way back when the rollout ends would be finished by nobody.
  if (totalCounts(rollout).rollingBack > 0) return still(rollout);
  return endRollback(rollout, now);
};

const wavesOf = (rollout: Rollout, order: RollbackOrder): readonly Wave[] =>
  order.scope === 'wave' ? rollout.waves.filter((wave) => wave.index === order.wave) : rollout.waves;

/** Scope `cluster` asked by a person: its returns were started with the request, so only those under way remain. */
const remainingIn = (order: RollbackOrder, wave: Wave): number => {
  if (order.scope !== 'cluster') return wave.counts.toReturn;
  return order.automatic ? wave.counts.failedToReturn : 0;
};

const rollbackMessage = (rollout: Rollout, order: RollbackOrder): string => {
  const total = totalCounts(rollout);
  return `${order.reason}; rolling back: ${total.rolledBack} restored, ${total.rollingBack + total.toReturn} to go`;
};

const waveAfterRollback = (wave: Wave): Wave => {
  if (wave.counts.rollbackFailed > 0) return { ...wave, state: 'Failed' };
  return wave.counts.rolledBack > 0 ? { ...wave, state: 'RolledBack' } : wave;
};

const endRollback = (rollout: Rollout, now: Instant): Advance => {
  const failed = totalCounts(rollout).rollbackFailed > 0;
  const ended: Rollout = {
    ...rollout,
    state: failed ? 'RollbackFailed' : 'RolledBack',
    reason: failed ? 'RollbackFailed' : rollout.reason,
    waves: rollout.waves.map(waveAfterRollback),
    finishedAt: now,
  };
  return { rollout: withGate({ ...ended, message: describeEnd(ended) }), orders: [{ type: 'Ended' }], dueAt: null };
};

/**
 * A debt that was settled after the end changes what the headline has to say; it names clusters only as of the end. So does a gate that a person
 * has let pass for one.
 */
const withTrueHeadline = (rollout: Rollout): Rollout => {
  const headline = describeEnd(rollout);
  if (rollout.message.startsWith(headline)) return rollout;
  const outcome = describeEnd({ ...rollout, gateOverrides: [], windowOverrides: [] });
  const [, named] = rollout.message.split(outcome);
  return { ...rollout, message: `${headline}${named ?? ' (debts settled after the end)'}` };
};

/** A debt that was settled after the end could not be restored: the end was not what it seemed. */
const reopenRollback = (rollout: Rollout): Advance => {
  if (totalCounts(rollout).rollbackFailed === 0) return still(rollout);
  const failed: Rollout = { ...rollout, state: 'RollbackFailed', reason: 'RollbackFailed' };
  return { rollout: { ...failed, message: describeEnd(failed) }, orders: [], dueAt: null };
};

/** The last debt of a failed rollback has been settled: every cluster is back where it was. */
const settleRollback = (rollout: Rollout): Advance => {
  const total = totalCounts(rollout);
  if (total.rollbackFailed > 0 || total.rollingBack > 0) return still(rollout);
  const ended: Rollout = {
    ...rollout,
    state: 'RolledBack',
    reason: 'DebtsSettled',
    waves: rollout.waves.map(waveAfterRollback),
  };
  return { rollout: { ...ended, message: describeEnd(ended) }, orders: [{ type: 'Ended' }], dueAt: null };
};
