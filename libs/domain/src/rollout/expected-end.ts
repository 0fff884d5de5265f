import { slowAfter } from './slow.ts';
import type { PlannedGate } from '../gates/gate.ts';
import { hasPassed } from '../gates/gate-machine.ts';
import { rolloutTime } from './rollout-clock.ts';
import type { Instant, Rollout, Target, Wave } from './rollout.ts';
import { gatesOf, type GateAt } from './wave-gates.ts';

/** How long clusters took to be verified, in ms; ordered. */
export interface Measured {
  readonly rollout: 'this' | 'previous';
  readonly durations: readonly number[];
}

export interface ExpectedEnd {
  readonly earliest: Instant;
  readonly latest: Instant;
  /** What it was reckoned from, in a phrase. */
  readonly basis: string;
}

export interface ExpectedEndInput {
  readonly rollout: Rollout;
  readonly measured: Measured;
  /** Targets in flight, and those of the wave under way that a window closes; a page of them is enough. */
  readonly current: readonly Target[];
  /** A sample of those that have not started, of each wave: how they crowd in regions and failure domains. */
  readonly pending: readonly Target[];
  readonly now: Instant;
}

interface Span {
  readonly earliest: number;
  readonly latest: number;
}

const NOTHING: Span = { earliest: 0, latest: 0 };
const plus = (left: Span, right: Span): Span => ({
  earliest: left.earliest + right.earliest,
  latest: left.latest + right.latest,
});
const longest = (spans: readonly Span[]): Span => ({
  earliest: Math.max(0, ...spans.map(({ earliest }) => earliest)),
  latest: Math.max(0, ...spans.map(({ latest }) => latest)),
});

/** Targets that were verified in one go: how long each took. */
export const durationsOf = (targets: readonly Target[]): readonly number[] =>
  targets
    .flatMap(({ state, startedAt, finishedAt }) =>
      state === 'Succeeded' && startedAt !== null && finishedAt !== null ? [Math.max(0, finishedAt - startedAt)] : [],
    )
    .toSorted((left, right) => left - right);

/**
 * When a rollout ends if nothing fails: every cluster as fast, or as slow, as the fastest or slowest that was measured. Null where nothing
 * is known of that, or where it waits for a person or for something without an end.
 */
export const expectedEnd = (input: ExpectedEndInput): ExpectedEnd | null => {
  const { rollout, measured, now } = input;
  const shortest = measured.durations[0];
  const slowest = measured.durations.at(-1);
  if (shortest === undefined || slowest === undefined || !runsByItself(rollout)) return null;
  const perTarget: Span = { earliest: shortest, latest: slowest };
  let total: Span = NOTHING;
  for (const wave of rollout.waves) {
    if (wave.state === 'Succeeded') continue;
    const span = waveSpan(input, wave, perTarget);
    if (span === null) return null;
    total = plus(total, span);
  }
  return { earliest: now + total.earliest, latest: now + total.latest, basis: basisOf(measured) };
};

/** A halt, a pause, a return, a cluster that does not answer: how that ends, and when, no measurement says. */
const runsByItself = (rollout: Rollout): boolean =>
  rollout.state === 'Progressing' &&
  rollout.paused === null &&
  rollout.clock.since !== null &&
  rollout.waves.every(({ state, counts }) => {
    if (state === 'AwaitingApproval' || state === 'Failed' || state === 'RolledBack') return false;
    return counts.unreachableWaiting === 0 && counts.degraded === 0 && counts.rollingBack === 0;
  });

/** Null: it has no end that is known. */
const waveSpan = (input: ExpectedEndInput, wave: Wave, perTarget: Span): Span | null => {
  const { rollout } = input;
  const plan = rollout.plan.waves[wave.index];
  if (plan === undefined) return null;
  const begun = wave.startedAt !== null;
  if (!begun && plan.schedule.length > 0) return null;
  const outside = plan.gates.filter(({ phase }) => phase === 'during');
  if (wave.counts.pending + wave.counts.inFlight > 0 && outside.some(hasNoEnd)) return null;
  const before = begun ? NOTHING : gatesSpan(rollout, gatesOf(rollout, wave, 'before'), input.now);
  const after = gatesSpan(rollout, gatesOf(rollout, wave, 'after'), input.now);
  const work = workSpan(input, wave, perTarget);
  if (before === null || after === null || work === null) return null;
  return plus(before, plus(work, longest([soakSpan(input, wave, plan.soakMs), after])));
};

const hasNoEnd = ({ kind, policy }: PlannedGate): boolean =>
  kind === 'approval' || (kind === 'webhook' && policy.timeout === null);

/** Gates are measured side by side. Null: one waits for a person, or for an answer without an end. */
const gatesSpan = (rollout: Rollout, gates: readonly GateAt[], now: Instant): Span | null => {
  const spans: Span[] = [];
  for (const { gate, run } of gates) {
    if (hasPassed(run)) continue;
    if (hasNoEnd(gate) || run.state === 'Failed' || run.state === 'Inconclusive') return null;
    const ran = run.since === null ? 0 : rolloutTime(rollout, now) - run.since;
    const { earliest, latest } = gateSpan(gate);
    spans.push({ earliest: Math.max(0, earliest - ran), latest: Math.max(0, latest - ran) });
  }
  return longest(spans);
};

/** At best every measurement counts; at worst it uses up all of its limits. A gate without a count lasts as long as the soak does. */
const gateSpan = ({ policy }: PlannedGate): Span => {
  const { initialDelay, interval, count, failureLimit, inconclusiveLimit, timeout } = policy;
  if (count === null) return { earliest: 0, latest: 0 };
  const best = initialDelay + (count - 1) * interval;
  return { earliest: best, latest: timeout ?? best + (failureLimit + inconclusiveLimit) * interval };
};

const soakSpan = ({ rollout, now }: ExpectedEndInput, wave: Wave, soakMs: number): Span => {
  const soaked = wave.soakingSince === null ? 0 : rolloutTime(rollout, now) - wave.soakingSince;
  const left = Math.max(0, soakMs - soaked);
  return { earliest: left, latest: left };
};

/** Null: nothing moves although clusters are left, because others hold them. */
const workSpan = (input: ExpectedEndInput, wave: Wave, perTarget: Span): Span | null => {
  const { pending, inFlight } = wave.counts;
  const current = input.current.filter((target) => target.wave === wave.index);
  const closed = current.filter(({ opensAt }) => opensAt !== null);
  if (wave.startedAt !== null && pending > 0 && inFlight === 0 && closed.length === 0) return null;
  const opens = Math.max(0, ...closed.map(({ opensAt }) => (opensAt ?? 0) - input.now));
  const rounds = roundsOf(input, wave);
  const flight = longest(current.flatMap((target) => remainingOf(input, target, perTarget)));
  const rest: Span = { earliest: opens + rounds * perTarget.earliest, latest: opens + rounds * perTarget.latest };
  // At best those in flight end while the next are at work; at worst the last slot is free only after the slowest of them.
  return { earliest: Math.max(flight.earliest, rest.earliest), latest: flight.latest + rest.latest };
};

/** How many clusters come one after another, in the narrowest of the wave, a region and a failure domain. */
const roundsOf = ({ rollout, pending }: ExpectedEndInput, wave: Wave): number => {
  const left = wave.counts.pending;
  const { concurrency, failureDomains } = rollout.plan.policy;
  const sample = pending.filter((target) => target.wave === wave.index);
  const crowded = (limit: number | null | undefined, nameOf: (target: Target) => string): number =>
    limit == null ? 0 : Math.ceil((left * largestShare(sample, nameOf)) / limit);
  return Math.max(
    Math.ceil(left / Math.max(1, rollout.plan.waves[wave.index]?.maxConcurrent ?? 1)),
    crowded(concurrency.region, (target) => target.region),
    crowded(failureDomains?.maxInFlight, (target) => target.failureDomain),
  );
};

const largestShare = (sample: readonly Target[], nameOf: (target: Target) => string): number => {
  const sizes = new Map<string, number>();
  for (const target of sample) sizes.set(nameOf(target), (sizes.get(nameOf(target)) ?? 0) + 1);
  return sample.length === 0 ? 0 : Math.max(...sizes.values()) / sample.length;
};

/** One that is slower than any measured one has until its workloads gate gives up on it. */
const remainingOf = ({ rollout, now }: ExpectedEndInput, target: Target, perTarget: Span): readonly Span[] => {
  if (target.startedAt === null || (target.state !== 'Applying' && target.state !== 'Verifying')) return [];
  const ran = now - target.startedAt;
  const latest = ran > perTarget.latest ? perTarget.latest + slowAfter(rollout.plan.policy) : perTarget.latest;
  return [{ earliest: Math.max(0, perTarget.earliest - ran), latest: Math.max(0, latest - ran) }];
};

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

const basisOf = ({ rollout, durations }: Measured): string => {
  const count = durations.length;
  const from = `from ${count} measured cluster${count === 1 ? '' : 's'}${rollout === 'this' ? '' : ' of the rollout before'}`;
  const [shortest = 0, middle = 0, slowest = 0] = [durations[0], durations[Math.floor(count / 2)], durations.at(-1)];
  return shortest === slowest
    ? `${from}: ${seconds(shortest)} each`
    : `${from}: ${seconds(shortest)} to ${seconds(slowest)} each, half of them within ${seconds(middle)}`;
};
