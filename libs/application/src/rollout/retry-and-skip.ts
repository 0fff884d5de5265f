import { acceptFailures, mayRetry, maySkip, QUARANTINED, type Rollout, SKIPPED_BY_PERSON } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { type Actor, type RetryInput, type SkipInput, UseCaseError } from '../use-cases.ts';
import { type CommandParts, commandRollout, findRollout } from './command-rollout.ts';
import { moveTarget } from './move-target.ts';
import { retryGate, targetOn, targetsInRegion } from './person-commands.ts';
import { rollBack } from './roll-back.ts';
import { startReturns } from './rollout-engine.ts';

const usage = (message: string): UseCaseError => new UseCaseError('Invalid', 'NothingNamed', message);

/** One cluster, or one gate, is tried anew. */
export const retry = async (
  parts: CommandParts,
  id: string,
  { cluster, wave, gate, reason = '' }: RetryInput,
  actor: Actor,
): Promise<Rollout> => {
  if (gate !== undefined) {
    if (wave === undefined) throw usage('name the wave of the gate');
    const place = cluster === undefined ? {} : { cluster };
    return retryGate(parts, id, { wave, gate, reason, ...place }, actor);
  }
  if (cluster === undefined) throw usage('name the cluster to try anew, or a wave and its gate');
  if (wave !== undefined) throw usage('a wave is named with its gate: a cluster is in one wave only');
  const before = await findRollout(parts.record, id);
  const failedReturn = before.state === 'RollbackFailed' || before.state === 'RollingBack';
  if (failedReturn) return retryReturn(parts, before, cluster, reason, actor);
  return commandRollout(parts, before.id, {
    verb: 'retry',
    actor,
    reason,
    decide: async (tx, rollout, now, wakes) => {
      const target = await targetOn(tx, rollout, cluster);
      const forbidden = mayRetry(rollout, target);
      if (forbidden !== null) return forbidden;
      await refuseQuarantined(tx, cluster);
      if (target.state === 'RollbackFailed') return { rollout: await startReturns(tx, rollout, [target], now, wakes) };
      const accepted = acceptFailures(rollout, target.wave);
      return moveTarget(tx, accepted, target, { type: 'Retried', person: { by: actor.name, reason } }, now, wakes);
    },
  });
};

/** A return that could not be made is tried again; of a rollout that has ended, with whatever else could not be restored. */
const retryReturn = (
  parts: CommandParts,
  before: Rollout,
  cluster: string,
  reason: string,
  actor: Actor,
): Promise<Rollout> => {
  if (before.state === 'RollbackFailed')
    return rollBack(parts, before.id, { scope: 'cluster', cluster, reason }, actor);
  return commandRollout(parts, before.id, {
    verb: 'retry',
    actor,
    reason,
    decide: async (tx, rollout, now, wakes) => {
      const target = await targetOn(tx, rollout, cluster);
      if (rollout.state !== 'RollingBack' || target.state !== 'RollbackFailed')
        return { forbidden: `the rollout is ${rollout.state}, and cluster ${cluster} is ${target.state}` };
      await refuseQuarantined(tx, cluster);
      return { rollout: await startReturns(tx, rollout, [target], now, wakes) };
    },
  });
};

const refuseQuarantined = async (tx: RecordTransaction, cluster: string): Promise<void> => {
  const quarantine = (await tx.quarantines()).get(cluster);
  if (quarantine === undefined) return;
  const message = `cluster ${cluster} is quarantined by ${quarantine.by}: no rollout touches it until it is released`;
  throw new UseCaseError('Conflict', 'ClusterQuarantined', message);
};

/** What has not begun there is left out; the rollout will say so, and ends Incomplete. */
export const skip = async (parts: CommandParts, id: string, input: SkipInput, actor: Actor): Promise<Rollout> => {
  const { cluster, region, reason = '' } = input;
  if ((cluster === undefined) === (region === undefined)) throw usage('name a cluster or a region to skip');
  const event = { type: 'LeftOut', reason: SKIPPED_BY_PERSON, person: { by: actor.name, reason } } as const;
  return commandRollout(parts, id, {
    verb: 'skip',
    actor,
    reason,
    decide: async (tx, given, now, wakes) => {
      const named =
        cluster === undefined ? await targetsInRegion(tx, given, region ?? '') : [await targetOn(tx, given, cluster)];
      const refusals = named.map((target) => maySkip(given, target));
      const free = named.filter((_, index) => refusals[index] === null);
      const [refused] = refusals.filter((refusal) => refusal !== null);
      // Of a region, what has begun goes on: a request that only came too late for some of it is still wanted for the rest.
      if (free.length === 0 && refused !== undefined) return refused;
      let rollout = given;
      for (const target of free) {
        // A quarantine says more than a skip.
        if (target.state === 'Skipped' && (target.skippedBy === actor.name || target.reason === QUARANTINED)) continue;
        rollout = (await moveTarget(tx, rollout, target, event, now, wakes)).rollout;
      }
      return { rollout };
    },
  });
};
