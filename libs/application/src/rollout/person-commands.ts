import {
  approveWave,
  haltingGates,
  overrideGate,
  overrideTargetGate,
  type PlannedGate,
  plannedGates,
  remeasureGate,
  resume,
  type Rollout,
  settlesDebt,
  type Target,
  TARGET_STATES,
  type Wave,
} from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { type Actor, type GateInput, type OverrideInput, UseCaseError, type WaveInput } from '../use-cases.ts';
import { type CommandParts, commandRollout } from './command-rollout.ts';
import { moveTarget } from './move-target.ts';
import { targetKey } from './wake-keys.ts';

const named = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

export const waveOf = (rollout: Rollout, name: string): Wave => {
  const wave = rollout.waves.find((candidate) => candidate.name === name);
  if (wave !== undefined) return wave;
  const message = `the rollout has no wave ${name}; it has ${named(rollout.waves.map((each) => each.name))}`;
  throw new UseCaseError('NotFound', 'WaveNotFound', message);
};

export const targetOn = async (tx: RecordTransaction, rollout: Rollout, cluster: string): Promise<Target> => {
  const target = await tx.target(rollout.id, cluster);
  if (target !== null) return target;
  throw new UseCaseError('NotFound', 'ClusterNotFound', `cluster ${cluster} is not a target of the rollout`);
};

/** However many there are. */
const EVERY = 1_000_000;

export const targetsInRegion = async (
  tx: RecordTransaction,
  rollout: Rollout,
  region: string,
): Promise<readonly Target[]> => {
  const here = (await tx.targetsInState(rollout.id, TARGET_STATES, EVERY)).filter((target) => target.region === region);
  if (here.length > 0) return here;
  throw new UseCaseError('NotFound', 'RegionNotFound', `the rollout has no cluster in region ${region}`);
};

const gateOf = (rollout: Rollout, wave: Wave, name: string): PlannedGate => {
  const gates = plannedGates(rollout, wave);
  const gate = gates.find((candidate) => candidate.name === name);
  if (gate !== undefined) return gate;
  const message =
    rollout.plan.policy.workloads.name === name
      ? `gate ${name} judges the workloads themselves: it cannot be overridden or measured anew`
      : `wave ${wave.name} has no gate ${name}; it has ${named(gates.map((each) => each.name))}`;
  throw new UseCaseError('NotFound', 'GateNotFound', message);
};

/** A gate is measured on the wave or on each of its clusters: the plan says which, and the request has to mean the same. */
const checkPlace = (gate: PlannedGate, cluster: string | undefined): void => {
  if (gate.phase === 'during' && cluster === undefined)
    throw new UseCaseError(
      'Invalid',
      'ClusterNeeded',
      `gate ${gate.name} is measured on each cluster: name the cluster`,
    );
  if (gate.phase !== 'during' && cluster !== undefined)
    throw new UseCaseError(
      'Invalid',
      'GateOfWave',
      `gate ${gate.name} is the wave's own: it has nothing of one cluster`,
    );
};

const needReason = (reason: string, what: string): void => {
  if (reason.trim() === '') throw new UseCaseError('Invalid', 'ReasonNeeded', `say why: ${what}`);
};

export const approve = (
  parts: CommandParts,
  id: string,
  { wave, reason = '' }: WaveInput,
  actor: Actor,
): Promise<Rollout> =>
  commandRollout(parts, id, {
    verb: 'approve',
    actor,
    reason,
    decide: (_tx, rollout, now) => approveWave(rollout, waveOf(rollout, wave), { by: actor.name, reason }, now),
  });

export const override = async (
  parts: CommandParts,
  id: string,
  input: OverrideInput,
  actor: Actor,
): Promise<Rollout> => {
  const { cluster, reason } = input;
  needReason(reason, 'an override lets a gate pass that the strategy asks for');
  const person = { by: actor.name, reason };
  return commandRollout(parts, id, {
    verb: 'override',
    actor,
    reason,
    decide: async (tx, rollout, now, wakes) => {
      const wave = waveOf(rollout, input.wave);
      const gate = gateOf(rollout, wave, input.gate);
      checkPlace(gate, cluster);
      if (cluster === undefined) return overrideGate(rollout, wave, gate, person, now);
      const target = await targetInWave(tx, rollout, wave, cluster);
      const decided = overrideTargetGate(rollout, target, gate, person, now);
      if ('forbidden' in decided || target.state !== 'Verifying') return decided;
      await tx.saveTarget({ ...target, dueAt: now });
      wakes.add(targetKey(rollout.id, cluster));
      return decided;
    },
  });
};

const targetInWave = async (tx: RecordTransaction, rollout: Rollout, wave: Wave, cluster: string): Promise<Target> => {
  const target = await targetOn(tx, rollout, cluster);
  if (target.wave === wave.index) return target;
  const its = rollout.waves[target.wave]?.name ?? '';
  throw new UseCaseError('NotFound', 'ClusterNotFound', `cluster ${cluster} is in wave ${its}, not in ${wave.name}`);
};

/** A gate that could not say yes or no is measured anew. */
export const retryGate = (parts: CommandParts, id: string, input: GateInput, actor: Actor): Promise<Rollout> => {
  const { cluster, reason = '' } = input;
  return commandRollout(parts, id, {
    verb: 'retry',
    actor,
    reason,
    decide: async (tx, rollout, now, wakes) => {
      const wave = waveOf(rollout, input.wave);
      const gate = gateOf(rollout, wave, input.gate);
      checkPlace(gate, cluster);
      if (cluster === undefined) return remeasureGate(rollout, wave, gate, now);
      const target = await targetInWave(tx, rollout, wave, cluster);
      const run = target.gates.find((known) => known.gate === gate.name);
      const underWay = rollout.state === 'Progressing' || settlesDebt(rollout, target);
      if (!underWay || target.state !== 'Verifying' || run?.state !== 'Inconclusive') {
        const state = run === undefined ? 'not measured yet' : run.state;
        return { forbidden: `gate ${gate.name} on cluster ${cluster} is ${state}, and the cluster is ${target.state}` };
      }
      return moveTarget(tx, rollout, target, { type: 'GateRestarted', gate: gate.name }, now, wakes);
    },
  });
};

export const resumeRollout = (
  parts: CommandParts,
  id: string,
  { reason = '' }: { readonly reason?: string },
  actor: Actor,
): Promise<Rollout> =>
  commandRollout(parts, id, {
    verb: 'resume',
    actor,
    reason,
    decide: (_tx, rollout, now) => {
      const [failed] = rollout.paused === null ? haltingGates(rollout) : [];
      if (failed !== undefined) {
        const { gate, wave } = failed;
        needReason(reason, `resuming lets gate ${gate.name} of wave ${wave.name} pass although it has failed`);
      }
      return resume(rollout, { by: actor.name, reason }, now);
    },
  });
