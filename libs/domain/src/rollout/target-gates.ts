import { beginRun, dueOf, hasPassed, measured, overdue, overridden, waitingRun } from '../gates/gate-machine.ts';
import type { GateRun, Measurement } from '../gates/gate.ts';
import { rolloutTime } from './rollout-clock.ts';
import type { GateOverride, Instant, Rollout, RolloutTime, Target } from './rollout.ts';
import type { GateAt } from './wave-gates.ts';

const overrideOf = (
  rollout: Pick<Rollout, 'plan' | 'gateOverrides'>,
  target: Pick<Target, 'wave' | 'cluster'>,
  gate: string,
): GateOverride | undefined => {
  const wave = rollout.plan.waves[target.wave]?.name;
  return rollout.gateOverrides.find(
    (each) => each.cluster === target.cluster && each.gate === gate && each.wave === wave,
  );
};

export const isOverridden = (
  rollout: Pick<Rollout, 'plan' | 'gateOverrides'>,
  target: Pick<Target, 'wave' | 'cluster'>,
  gate: string,
): boolean => overrideOf(rollout, target, gate) !== undefined;

/** The gates that a target has beside its workloads, with their runs, in the plan's order. */
export const gatesOfTarget = (
  rollout: Pick<Rollout, 'plan' | 'gateOverrides'>,
  target: Pick<Target, 'wave' | 'cluster' | 'gates'>,
): readonly GateAt[] =>
  (rollout.plan.waves[target.wave]?.gates ?? [])
    .filter((gate) => gate.phase === 'during')
    .map((gate) => {
      const run = target.gates.find((known) => known.gate === gate.name) ?? waitingRun(gate);
      const override = hasPassed(run) ? undefined : overrideOf(rollout, target, gate.name);
      return { gate, run: override === undefined ? run : overridden(run, override.by, override.reason) };
    });

export const beginTargetGates = (rollout: Rollout, target: Target, time: RolloutTime): readonly GateRun[] =>
  gatesOfTarget(rollout, target).map(({ gate, run }) => overdue(gate, beginRun(gate, run, time), time));

/** What a probe saw on this target; an answer to a question that has another answer meanwhile, or is not asked any more, changes nothing. */
export const withMeasurement = (
  rollout: Rollout,
  target: Target,
  seen: { readonly gate: string; readonly measurement: Measurement; readonly asked?: AskedRun },
  now: Instant,
): readonly GateRun[] => {
  const time = rolloutTime(rollout, now);
  return gatesOfTarget(rollout, target).map(({ gate, run }) =>
    gate.name === seen.gate && isStill(run, seen.asked)
      ? measured(gate, run, seen.measurement, time)
      : overdue(gate, run, time),
  );
};

type AskedRun = Pick<GateRun, 'since' | 'measuredAt'>;

const isStill = (run: GateRun, asked: AskedRun | undefined): boolean =>
  asked === undefined || (run.since === asked.since && run.measuredAt === asked.measuredAt);

/** When the first of them is to be measured, or times out. */
export const nextDueOf = (gates: readonly GateAt[]): RolloutTime | null => {
  const times = gates.flatMap(({ gate, run }) => dueOf(gate, run) ?? []);
  return times.length === 0 ? null : Math.min(...times);
};
