import { dueOf, hasPassed } from '../gates/gate-machine.ts';
import type { PlannedGate } from '../gates/gate.ts';
import { approveWave, overrideGate } from './gate-commands.ts';
import { instantAt } from './rollout-clock.ts';
import type { Commanded, Person } from './commanded.ts';
import { liftStop, orderRollback, resume } from './rollout-commands.ts';
import { type Advance, advance, isTerminal } from './rollout-machine.ts';
import type { Instant, Rollout, RolloutState, RolloutTime, Target, Wave } from './rollout.ts';
import { leftOut, maySkip, SKIPPED_BY_PERSON } from './target-commands.ts';
import type { HealthObservation, TargetEvent } from './target-event.ts';
import { gatesOfTarget } from './target-gates.ts';
import { transition } from './target-machine.ts';
import { slowAfter } from './slow.ts';
import { totalCounts } from './wave-counts.ts';
import { gatesOf } from './wave-gates.ts';
import { withTarget } from './with-target.ts';

export const WHAT_IF_ACTIONS = [
  'wait',
  'resume',
  'rollback',
  'approve',
  'approve-deletions',
  'override',
  'skip',
] as const;
export type WhatIfAction = (typeof WHAT_IF_ACTIONS)[number];

/** What follows from an answer to what holds a rollout. */
export interface WhatIf {
  readonly action: WhatIfAction;
  /** As typed; null for `wait`. */
  readonly command: string | null;
  readonly outcome: string;
  /** The rollout's state once it has been done, or once that much time has passed. */
  readonly state: RolloutState;
  /** For `wait`: when it comes to that if nothing changes; null: never by itself. */
  readonly at: Instant | null;
}

const SOMEBODY: Person = { by: 'somebody', reason: '' };

/**
 * What would happen if somebody approved, skipped, resumed …, or if everybody waited and nothing changed. It is not a second opinion:
 * the state machine itself is asked, and its answer thrown away. `first`: the target that the first blocker names, where it names one.
 */
export const whatIf = (rollout: Rollout, first: Target | null, now: Instant): readonly WhatIf[] => {
  if (isTerminal(rollout)) return [];
  if (rollout.paused !== null) return ifPaused(rollout, now);
  switch (rollout.state) {
    case 'Halted':
      return ifHalted(rollout, now);
    case 'Preflight':
      return rollout.reason === 'TooManyDeletions' ? ifTooManyDeletions(rollout) : [];
    case 'Progressing':
    case 'RollingBack':
      return first === null ? ifWaveWaits(rollout, now) : ifTargetWaits(rollout, first, now);
    default:
      return [];
  }
};

const commandOf = (rollout: Rollout, verb: string, ...flags: readonly string[]): string =>
  ['breakwater rollout', verb, rollout.id, ...flags].join(' ');

const nothing = (rollout: Rollout, outcome: string): WhatIf => ({
  action: 'wait',
  command: null,
  outcome,
  state: rollout.state,
  at: null,
});

/** Of a command that the machine forbids there is nothing to say. */
const answered = (
  rollout: Rollout,
  action: WhatIfAction,
  command: string,
  decided: Commanded,
  now: Instant,
): readonly WhatIf[] => {
  if ('forbidden' in decided) return [];
  const after = advance(decided.rollout, now);
  const outcome = [...consequences(rollout, after), ...stillAsked(decided.rollout, after)].join('; ');
  return [{ action, command, outcome, state: after.rollout.state, at: null }];
};

const ifPaused = (rollout: Rollout, now: Instant): readonly WhatIf[] => {
  const wait = nothing(
    rollout,
    rollout.paused?.mode === 'freeze'
      ? 'nothing is written, and its clocks stand still'
      : 'what is under way finishes, and nothing new begins',
  );
  if (rollout.paused?.emergency === true) {
    return [...answered(rollout, 'resume', 'breakwater resume-all', liftStop(rollout, now), now), wait];
  }
  const command = commandOf(rollout, 'resume');
  return [...answered(rollout, 'resume', command, resume(rollout, SOMEBODY, now), now), wait];
};

const ifHalted = (rollout: Rollout, now: Instant): readonly WhatIf[] => {
  const order = { scope: 'rollout', wave: null, clusters: [], ...SOMEBODY } as const;
  return [
    ...answered(rollout, 'resume', commandOf(rollout, 'resume'), resume(rollout, SOMEBODY, now), now),
    ...answered(rollout, 'rollback', commandOf(rollout, 'rollback'), orderRollback(rollout, order, now), now),
    nothing(rollout, 'it stays halted: nothing more is written, and nothing is taken back'),
  ];
};

const ifTooManyDeletions = (rollout: Rollout): readonly WhatIf[] => [
  {
    action: 'approve-deletions',
    command: commandOf(rollout, 'approve', '--deletions'),
    outcome: 'the objects are deleted where the release reaches, and the first wave begins',
    state: 'Progressing',
    at: null,
  },
  nothing(rollout, 'nothing is written'),
];

const waveUnderWay = (rollout: Rollout): Wave | undefined => rollout.waves.find((wave) => wave.state !== 'Succeeded');

/** Its gates hold the wave, or its soak does. */
const ifWaveWaits = (rollout: Rollout, now: Instant): readonly WhatIf[] => {
  const wave = waveUnderWay(rollout);
  if (wave === undefined || rollout.state !== 'Progressing') return [];
  const open = gatesOf(rollout, wave, wave.startedAt === null ? 'before' : 'after').filter(
    ({ run }) => !hasPassed(run),
  );
  const approvals = open.filter(({ gate }) => gate.kind === 'approval');
  const measured = open.filter(({ gate }) => gate.kind !== 'approval');
  const approve = commandOf(rollout, 'approve', '--wave', wave.name);
  return [
    ...(approvals.length === 0
      ? []
      : answered(rollout, 'approve', approve, approveWave(rollout, wave, SOMEBODY, now), now)),
    ...measured.flatMap(({ gate }) => ifOverridden(rollout, wave, gate, now)),
    ...ifEverybodyWaits(rollout, wave, now),
  ];
};

const ifOverridden = (rollout: Rollout, wave: Wave, gate: PlannedGate, now: Instant): readonly WhatIf[] => {
  const command = commandOf(rollout, 'override', '--wave', wave.name, '--gate', gate.name, '--reason …');
  return answered(rollout, 'override', command, overrideGate(rollout, wave, gate, SOMEBODY, now), now);
};

const ifEverybodyWaits = (rollout: Rollout, wave: Wave, now: Instant): readonly WhatIf[] => {
  const { plan, soakingSince } = { plan: rollout.plan.waves[wave.index], soakingSince: wave.soakingSince };
  const soaked = soakingSince === null ? null : instantAt(rollout, soakingSince + (plan?.soakMs ?? 0));
  const times = gatesOf(rollout, wave, wave.startedAt === null ? 'before' : 'after').flatMap(({ gate, run }) => {
    const end = run.since === null || gate.policy.timeout === null ? null : run.since + gate.policy.timeout;
    return run.state !== 'Running' || end === null ? [] : [instantAt(rollout, end) ?? now];
  });
  const at = [...times, ...(soaked === null || soaked <= now ? [] : [soaked])].toSorted((a, b) => a - b)[0];
  if (at === undefined) return wave.startedAt === null ? [nothing(rollout, 'the wave does not start')] : [];
  const after = advance(rollout, at);
  return [
    {
      action: 'wait',
      command: null,
      outcome: told(consequences(rollout, after), after),
      state: after.rollout.state,
      at,
    },
  ];
};

/** The target as it is then if it stays as it is now; what is wrong with it needs no second telling. */
const lastSeen = ({ failingSince, healthySince, reason, message, excused }: Target): HealthObservation => ({
  verdict: healthySince === null ? 'Progressing' : 'Healthy',
  failFast: failingSince === null ? null : { object: null, reason, message },
  worst: null,
  excused,
});

/** The rollout's own time at which something is decided about the target, if nothing changes. */
const decisionOf = (rollout: Rollout, target: Target): RolloutTime | null => {
  const { workloads, unreachable } = rollout.plan.policy;
  if (target.unreachableSince !== null) {
    return target.unreachableSettled ? null : target.unreachableSince + unreachable.wait;
  }
  if (target.state === 'Verifying' && target.phase === 'gates') return firstVerdict(rollout, target);
  const begun = target.state === 'Succeeded' ? target.degradedSince : target.verifyingSince;
  if (begun === null) return null;
  if (target.healthySince !== null) return target.healthySince + workloads.stableFor;
  const failing =
    target.failingSince === null || workloads.failFast === 'off' || target.state === 'RollingBack'
      ? Number.POSITIVE_INFINITY
      : target.failingSince + workloads.failFast;
  const limit = begun + (target.state === 'Verifying' ? slowAfter(rollout.plan.policy) : workloads.timeout);
  const decided = Math.min(failing, target.state === 'Verifying' && target.slow ? Number.POSITIVE_INFINITY : limit);
  return Number.isFinite(decided) ? decided : null;
};

const firstVerdict = (rollout: Rollout, target: Target): RolloutTime | null => {
  const ends = gatesOfTarget(rollout, target).flatMap(({ gate, run }) =>
    dueOf(gate, run) === null || run.since === null || gate.policy.timeout === null
      ? []
      : [run.since + gate.policy.timeout],
  );
  return ends.length === 0 ? null : Math.min(...ends);
};

const ifTargetWaits = (rollout: Rollout, target: Target, now: Instant): readonly WhatIf[] => [
  ...ifSkipped(rollout, target, now),
  ...ifNothingChanges(rollout, target, now),
];

const ifSkipped = (rollout: Rollout, target: Target, now: Instant): readonly WhatIf[] => {
  if (maySkip(rollout, target) !== null) return [];
  const without = withTarget(rollout, target, leftOut(target, SKIPPED_BY_PERSON, SOMEBODY, now));
  const command = commandOf(rollout, 'skip', '--cluster', target.cluster);
  return answered(rollout, 'skip', command, { rollout: without }, now).map((row) => ({
    ...row,
    outcome: `${target.cluster} does not get the release; ${row.outcome}`,
  }));
};

const ifNothingChanges = (rollout: Rollout, target: Target, now: Instant): readonly WhatIf[] => {
  if (target.opensAt !== null && target.state === 'Pending') {
    const outcome = `${target.cluster} may begin, unless another window has closed by then`;
    return [{ action: 'wait', command: null, outcome, state: rollout.state, at: target.opensAt }];
  }
  const time = decisionOf(rollout, target);
  const instant = time === null ? null : instantAt(rollout, time);
  if (instant === null) return [];
  const at = Math.max(now, instant);
  const event: TargetEvent =
    target.unreachableSince === null
      ? { type: 'HealthObserved', health: lastSeen(target), round: rollout.round }
      : { type: 'Looked' };
  const then = transition(rollout, target, event, at);
  const after = advance(withTarget(rollout, target, then), at);
  const moved = then.state === target.state ? [] : [`${target.cluster} is ${then.state}${because(then)}`];
  const outcome = told([...moved, ...consequences(rollout, after)], after);
  return [{ action: 'wait', command: null, outcome, state: after.rollout.state, at }];
};

const because = (target: Target): string => (target.reason === '' ? '' : ` (${target.reason})`);

/** After an answer that was not enough: what is asked for next. */
const stillAsked = (before: Rollout, after: Advance): readonly string[] =>
  after.rollout.state === before.state && consequences(before, after).length === 0 ? [stays(after)] : [];

const stays = ({ rollout }: Advance): string =>
  rollout.message === '' ? `it is ${rollout.state}` : `then: ${rollout.message}`;

const told = (parts: readonly string[], after: Advance): string =>
  parts.length === 0 ? stays(after) : parts.join('; ');

const clusters = (count: number): string => `${count} ${count === 1 ? 'cluster' : 'clusters'}`;

/** Without its pause a halted rollout is still halted. */
const goesOn = ({ state }: Rollout): string =>
  state === 'Halted' ? 'the pause ends, and the rollout is still halted' : `the rollout goes on (${state})`;

/** What changes for the rollout and its waves, in words; empty: nothing yet. */
const consequences = (before: Rollout, { rollout, orders }: Advance): readonly string[] => {
  if (rollout.state === 'RollingBack' && before.state !== 'RollingBack') {
    const { toReturn, rollingBack } = totalCounts(rollout);
    const halts =
      before.state === 'Progressing' ? 'the rollout halts and is rolled back' : 'the rollout is rolled back';
    const count = toReturn + rollingBack;
    const back = count === 1 ? '1 cluster returns to what it had' : `${count} clusters return to what they had`;
    return [`${halts}: ${back} (${rollout.rollback?.reason ?? ''})`];
  }
  if (rollout.state === 'Halted' && before.state !== 'Halted') return [`the rollout halts: ${rollout.message}`];
  if (isTerminal(rollout)) return [`the rollout ends ${rollout.state}: ${rollout.message}`];
  const resumed = before.state !== rollout.state || (before.paused !== null && rollout.paused === null);
  const parts: string[] = resumed ? [goesOn(rollout)] : [];
  for (const wave of rollout.waves) {
    const was = before.waves[wave.index];
    const limit = orders.reduce(
      (sum, order) => (order.type === 'Start' && order.wave === wave.index ? order.limit : sum),
      0,
    );
    if (wave.state === 'Succeeded' && was?.state !== 'Succeeded') parts.push(`wave ${wave.name} has passed`);
    if (wave.startedAt !== null && was?.startedAt === null)
      parts.push(
        `wave ${wave.name} starts: ${limit} of its ${clusters(rollout.plan.waves[wave.index]?.size ?? 0)} at once`,
      );
    else if (limit > 0) parts.push(`up to ${clusters(limit)} of wave ${wave.name} may begin`);
  }
  return parts;
};
