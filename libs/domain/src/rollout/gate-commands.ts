import { hasPassed, overridden, restarted, waitingRun } from '../gates/gate-machine.ts';
import type { GateRun, PlannedGate } from '../gates/gate.ts';
import { standing } from '../gates/kinds/approval.ts';
import { rolloutTime } from './rollout-clock.ts';
import { isTerminal, settlesDebt } from './rollout-machine.ts';
import type { Commanded, Forbidden, Person } from './commanded.ts';
import type { GateOverride, Instant, Rollout, Target, Wave } from './rollout.ts';
import { isOverridden } from './target-gates.ts';
import { withRun } from './wave-gates.ts';

/** A starter has no say over the approval of what they started. */
const FOUR_EYES = 'FourEyes';

const forbid = (forbidden: string, code?: string): Forbidden =>
  code === undefined ? { forbidden } : { forbidden, code };

/** The strategy wants a second person, and this one has started the rollout. */
const isOwn = (rollout: Rollout, gate: PlannedGate, by: string): boolean =>
  gate.kind === 'approval' && gate.spec['fourEyes'] === true && rollout.createdBy === by;

const notOwn = (rollout: Rollout, by: string): Forbidden =>
  forbid(`${by} has started rollout ${rollout.id}, and its strategy wants the approval of somebody else`, FOUR_EYES);

export const plannedGates = (rollout: Pick<Rollout, 'plan'>, wave: Pick<Wave, 'index'>): readonly PlannedGate[] =>
  rollout.plan.waves[wave.index]?.gates ?? [];

/** The wave that is under way or is to be started next. */
const currentWave = (rollout: Rollout): Wave | undefined => rollout.waves.find((wave) => wave.state !== 'Succeeded');

const withWave = (rollout: Rollout, wave: Wave): Rollout => ({
  ...rollout,
  waves: rollout.waves.map((other) => (other.index === wave.index ? wave : other)),
});

/** One person's yes to a wave that has not started, also ahead of its turn. Said again it counts once; an expired one is renewed. */
export const approveWave = (rollout: Rollout, wave: Wave, person: Person, now: Instant): Commanded => {
  if (isTerminal(rollout) || rollout.state === 'RollingBack')
    return forbid(`the rollout is ${rollout.state}, and nothing waits for an approval any more`);
  const asking = plannedGates(rollout, wave).filter((gate) => gate.kind === 'approval');
  if (asking.length === 0) return forbid(`wave ${wave.name} asks for no approval`);
  if (wave.startedAt !== null || wave.finishedAt !== null)
    return forbid(`wave ${wave.name} is ${wave.state}: an approval comes too late for it`);
  if (asking.every((gate) => isOwn(rollout, gate, person.by))) return notOwn(rollout, person.by);
  const counts = asking.every(({ spec }) => {
    const expires = typeof spec['expires'] === 'number' ? { expires: spec['expires'] } : {};
    return standing({ ...expires, fourEyes: false }, wave.approvals, rollout.createdBy, now).some(
      ({ by }) => by === person.by,
    );
  });
  if (counts) return { rollout };
  const others = wave.approvals.filter(({ by }) => by !== person.by);
  return { rollout: withWave(rollout, { ...wave, approvals: [...others, { ...person, at: now }] }) };
};

const runOf = (wave: Wave, gate: PlannedGate): GateRun =>
  wave.gates.find((run) => run.gate === gate.name) ?? waitingRun(gate);

const withOverride = (rollout: Rollout, override: GateOverride): Rollout => ({
  ...rollout,
  gateOverrides: [...rollout.gateOverrides, override],
});

const notUnderWay = (rollout: Rollout, verb: string): Forbidden | null =>
  rollout.state === 'Progressing' || rollout.state === 'Halted'
    ? null
    : forbid(`the rollout is ${rollout.state}: none of its gates can be ${verb}`);

/** Only the gates of the wave that is under way hold anything. */
const notReached = (rollout: Rollout, wave: Wave): Forbidden | null => {
  const current = currentWave(rollout);
  if (current?.index === wave.index) return null;
  return forbid(
    current === undefined || wave.index < current.index
      ? `wave ${wave.name} has passed: its gates hold nothing any more`
      : `wave ${wave.name} has not been reached; wave ${current.name} is under way`,
  );
};

/** Break-glass: a person lets a gate of the wave under way pass. In a halted rollout it counts once somebody resumes it. */
export const overrideGate = (
  rollout: Rollout,
  wave: Wave,
  gate: PlannedGate,
  person: Person,
  now: Instant,
): Commanded => {
  const refused = notUnderWay(rollout, 'overridden') ?? notReached(rollout, wave);
  if (refused !== null) return refused;
  if (isOwn(rollout, gate, person.by)) return notOwn(rollout, person.by);
  const run = runOf(wave, gate);
  if (run.state === 'Overridden') return { rollout };
  if (hasPassed(run)) return forbid(`gate ${gate.name} of wave ${wave.name} has passed already`);
  const passed = withRun(wave, overridden(run, person.by, person.reason));
  const override = { wave: wave.name, gate: gate.name, cluster: null, ...person, at: now };
  return { rollout: withOverride(withWave(rollout, passed), override) };
};

/** As `overrideGate`, of one cluster's gate: it lasts for every attempt of this rollout there. */
export const overrideTargetGate = (
  rollout: Rollout,
  target: Target,
  gate: PlannedGate,
  person: Person,
  now: Instant,
): Commanded => {
  const refused = settlesDebt(rollout, target) ? null : notUnderWay(rollout, 'overridden');
  if (refused !== null) return refused;
  if (target.state === 'Succeeded' || target.state === 'Skipped')
    return forbid(`cluster ${target.cluster} is ${target.state}: its gates hold nothing`);
  if (isOverridden(rollout, target, gate.name)) return { rollout };
  if (target.gates.some((run) => run.gate === gate.name && run.state === 'Passed'))
    return forbid(`gate ${gate.name} has passed already on cluster ${target.cluster}`);
  const wave = rollout.plan.waves[target.wave]?.name ?? '';
  return { rollout: withOverride(rollout, { wave, gate: gate.name, cluster: target.cluster, ...person, at: now }) };
};

export interface FailedGate {
  readonly wave: Wave;
  readonly gate: PlannedGate;
}

/** Gates that have halted the rollout, and would halt it again at once. */
export const haltingGates = (rollout: Rollout): readonly FailedGate[] =>
  rollout.state !== 'Halted'
    ? []
    : rollout.waves.flatMap((wave) =>
        wave.state !== 'Failed'
          ? []
          : plannedGates(rollout, wave)
              .filter((gate) => runOf(wave, gate).state === 'Failed')
              .map((gate) => ({ wave, gate })),
      );

/** Whoever resumes a rollout that gates have halted lets these gates pass, by name. */
export const overrideHaltingGates = (rollout: Rollout, person: Person, now: Instant): Commanded => {
  let next = rollout;
  for (const { wave, gate } of haltingGates(rollout)) {
    const decided = overrideGate(next, next.waves[wave.index] ?? wave, gate, person, now);
    if ('forbidden' in decided) return decided;
    next = decided.rollout;
  }
  return { rollout: next };
};

/** A person has a gate of the wave under way measured anew: one that could not say, or the one that has halted the rollout. */
export const remeasureGate = (rollout: Rollout, wave: Wave, gate: PlannedGate, now: Instant): Commanded => {
  const refused = notUnderWay(rollout, 'measured anew') ?? notReached(rollout, wave);
  if (refused !== null) return refused;
  const run = runOf(wave, gate);
  if (run.state !== 'Inconclusive' && run.state !== 'Failed')
    return forbid(
      `gate ${gate.name} of wave ${wave.name} is ${run.state}: only one without an answer is measured anew`,
    );
  // While the rollout is halted nothing is measured: it begins when somebody resumes it.
  const anew = rollout.state === 'Halted' ? waitingRun(gate) : restarted(gate, rolloutTime(rollout, now));
  return { rollout: withWave(rollout, withRun(wave, anew)) };
};
