import {
  isTerminal,
  orderRollback,
  type Rollout,
  type RolloutId,
  stop,
  type Target,
  type Wave,
} from '@breakwater/domain';
import { EMERGENCY, type RecordTransaction } from '../ports/record.port.ts';
import { type Actor, type RollbackInput, UseCaseError } from '../use-cases.ts';
import { type CommandParts, commandRollout, findRollout, type RolloutCommand } from './command-rollout.ts';
import { stopOne } from './emergency-stop.ts';
import { targetOn, targetsInRegion, waveOf } from './person-commands.ts';
import { scopeOf } from './rollback-scope.ts';
import { startReturns } from './rollout-engine.ts';

/** A person's rollback of a region is all of the region. */
const EVERY = 1_000_000;

export const rollBack = async (
  parts: CommandParts,
  idOrApplication: string,
  input: RollbackInput,
  actor: Actor,
): Promise<Rollout> => {
  const { access } = parts.record;
  const before = await findRollout(parts.record, idOrApplication);
  const stopped = isTerminal(before) && (await access.setting(EMERGENCY)) != null;
  const rollout = await orderReturn(parts, before.id, input, actor, stopped);
  if (rollout.state !== 'RollingBack' || rollout.paused !== null || !isTerminal(before)) return rollout;
  // Everything may have been stopped in between: the stop did not find this rollout among the unfinished ones.
  if ((await access.setting(EMERGENCY)) == null) return rollout;
  return stopOne(parts, rollout.id, { reason: 'emergency stop' }, actor);
};

const orderReturn = (
  parts: CommandParts,
  id: RolloutId,
  input: RollbackInput,
  actor: Actor,
  stopped: boolean,
): Promise<Rollout> => {
  const reason = input.reason ?? '';
  const scope = scopeOf(input);
  const decide: RolloutCommand['decide'] = async (tx, rollout, now, wakes) => {
    const wave = scope === 'wave' ? waveToReturn(rollout, input.wave) : null;
    await claimForRollback(tx, rollout);
    const chosen = scope === 'cluster' ? await namedToReturn(tx, rollout, input) : [];
    const message = reason === '' ? `rollback asked for by ${actor.name}` : reason;
    if (scope === 'cluster' && rollout.state === 'Progressing') {
      return { rollout: await startReturns(tx, rollout, chosen, now, wakes) };
    }
    // While everything is stopped, a finished rollout is taken up again as a new one is born: frozen.
    const frozen = stopped
      ? stop({ ...rollout, state: 'RollingBack' }, { by: actor.name, reason: 'emergency stop' }, now)
      : { rollout };
    if ('forbidden' in frozen) return frozen;
    const decided = orderRollback(
      { ...frozen.rollout, state: rollout.state },
      {
        scope,
        wave: wave?.index ?? null,
        clusters: chosen.map((target) => target.cluster),
        by: actor.name,
        reason: message,
      },
      now,
    );
    if ('forbidden' in decided) return decided;
    // What could not be restored before is tried again with the rest.
    const failed =
      rollout.state === 'RollbackFailed' ? await tx.targetsInState(rollout.id, ['RollbackFailed'], EVERY) : [];
    return { rollout: await startReturns(tx, decided.rollout, [...chosen, ...failed], now, wakes) };
  };
  return commandRollout(parts, id, { verb: 'rollback', actor, reason, decide });
};

const nothingThere = (): UseCaseError =>
  new UseCaseError('Conflict', 'NothingToRollBack', 'this rollout has changed nothing there that is still in place');

/** Without a name: the last that has something to take back, which is the one that was exposed last. */
const waveToReturn = (rollout: Rollout, name: string | undefined): Wave => {
  if (name !== undefined) return waveOf(rollout, name);
  const last = rollout.waves.findLast(({ counts }) => counts.toReturn + counts.rollbackFailed > 0);
  if (last === undefined) throw nothingThere();
  return last;
};

/** A name that is no target's is a mistake, not a cluster on which nothing was changed. */
const namedToReturn = async (
  tx: RecordTransaction,
  rollout: Rollout,
  { cluster, region }: RollbackInput,
): Promise<readonly Target[]> => {
  if (cluster !== undefined) await targetOn(tx, rollout, cluster);
  if (region !== undefined) await targetsInRegion(tx, rollout, region);
  const filter = { wave: null, only: 'all', clusters: cluster === undefined ? null : [cluster] } as const;
  const chosen = await tx.targetsToReturn(rollout.id, region === undefined ? filter : { ...filter, region }, EVERY);
  if (chosen.length === 0 && rollout.state !== 'RollbackFailed') throw nothingThere();
  return chosen;
};

/** A finished rollout is rolled back only while it is the newest on its clusters, and holds their locks again while it does. */
const claimForRollback = async (tx: RecordTransaction, rollout: Rollout): Promise<void> => {
  await tx.lockApplication(rollout.application);
  const others = (await tx.unfinishedRollouts(rollout.application)).filter((other) => other.id !== rollout.id);
  const newest = await tx.newestStarted(rollout.application);
  if (
    rollout.finishedAt !== null &&
    (others.some((other) => other.state !== 'Queued') || (newest !== null && newest !== rollout.id))
  ) {
    throw new UseCaseError(
      'Conflict',
      'NotTheNewest',
      'a newer rollout of the application has changed these clusters since; roll that one back',
    );
  }
  await tx.acquireLocks(rollout.application, rollout.id);
};
