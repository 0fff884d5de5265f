import type { Commanded, Instant, Rollout, RolloutId } from '@breakwater/domain';
import type { RecordPort, RecordTransaction } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import { type Actor, UseCaseError } from '../use-cases.ts';
import { drive } from './rollout-engine.ts';
import { rolloutKey, type Wakes } from './wake-keys.ts';

export interface CommandParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
}

export interface RolloutCommand {
  readonly verb: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly decide: (
    tx: RecordTransaction,
    rollout: Rollout,
    now: Instant,
    wakes: Wakes,
  ) => Promise<Commanded> | Commanded;
}

/** `idOrApplication`: an application's name stands for its newest rollout. */
export const findRollout = async (record: RecordPort, idOrApplication: string): Promise<Rollout> => {
  const found =
    (await record.rollouts.get(idOrApplication as RolloutId)) ?? (await record.rollouts.newestOf(idOrApplication));
  if (found === null) {
    throw new UseCaseError(
      'NotFound',
      'RolloutNotFound',
      `there is no rollout ${idOrApplication}, and no application of that name has one`,
    );
  }
  return found;
};

/** One command on one rollout in one transaction: decide, audit who asked, follow up, save. */
export const commandRollout = async (
  { record, wakeUps }: CommandParts,
  idOrApplication: string,
  { verb, actor, reason, decide }: RolloutCommand,
): Promise<Rollout> => {
  const { id } = await findRollout(record, idOrApplication);
  const wakes: Wakes = new Set();
  const after = await record.transaction(async (tx) => {
    wakes.clear();
    const rollout = await tx.lockRollout(id);
    if (rollout === null) throw new UseCaseError('NotFound', 'RolloutNotFound', `there is no rollout ${id}`);
    const now = await tx.now();
    const decided = await decide(tx, rollout, now, wakes);
    if ('forbidden' in decided)
      throw new UseCaseError('Conflict', decided.code ?? 'StateForbids', decided.forbidden, { state: rollout.state });
    await tx.audit({
      type: `rollout.${verb}`,
      actor: actor.name,
      reason,
      message: `${actor.name} asked to ${verb} the rollout`,
      rollout: id,
      application: rollout.application,
    });
    const driven = await drive(tx, rollout, decided.rollout, now, wakes);
    wakes.add(rolloutKey(id));
    return driven;
  });
  await wakeUps.wakeAll([...wakes]);
  return after;
};
