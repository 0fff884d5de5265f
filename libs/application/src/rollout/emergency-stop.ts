import { liftStop, type Rollout, type RolloutId, stop } from '@breakwater/domain';
import { EMERGENCY, type RecordPort } from '../ports/record.port.ts';
import { type Actor, type PauseResult, UseCaseError } from '../use-cases.ts';
import { type CommandParts, commandRollout } from './command-rollout.ts';
import { waitForPermits } from './freeze-acknowledgement.ts';
import { readAll } from './read-all.ts';

type Reasoned = { readonly reason?: string };

export const stopOne = (
  parts: CommandParts,
  id: RolloutId,
  { reason = '' }: Reasoned,
  actor: Actor,
): Promise<Rollout> =>
  commandRollout(parts, id, {
    verb: 'pause',
    actor,
    reason,
    decide: (_tx, rollout, now) => stop(rollout, { by: actor.name, reason }, now),
  });

/** Freezes every rollout, holds every debt back, and answers once nothing is being written any more, or names where that is not known. */
export const stopAll = async (parts: CommandParts, input: Reasoned, actor: Actor): Promise<readonly PauseResult[]> => {
  const { record } = parts;
  const { reason = '' } = input;
  await record.access.setSetting(EMERGENCY, { by: actor.name, reason }, [
    { type: 'emergency.stopped', actor: actor.name, reason, message: `${actor.name} stopped every rollout` },
  ]);
  const running = await unfinished(record);
  const stopped = await stillOpen(running.map(({ id }) => stopOne(parts, id, input, actor)));
  const known = new Map(stopped.map((rollout) => [rollout.id, rollout]));
  const others = new Set<RolloutId>();
  const left = await waitForPermits(record, async () => {
    const outstanding = await record.permits.outstandingEverywhere();
    const unheard = outstanding.map(({ rollout }) => rollout).filter((id) => !known.has(id) && !others.has(id));
    for (const id of unheard) others.add(id);
    // Their gate did not change with the stop, so nobody has told their writers.
    if (unheard.length > 0) {
      await record.transaction(async (tx) => {
        for (const id of new Set(unheard)) await tx.notify('gate', id);
      });
    }
    return outstanding;
  });
  const debts = await record.permits.unsettledDebts();
  const acknowledge = async (rollout: Rollout): Promise<PauseResult> => {
    const here = (permit: { readonly rollout: RolloutId }): boolean => permit.rollout === rollout.id;
    const outstanding = left.filter(here);
    const unsettled = new Set([
      ...[...outstanding, ...debts.filter(here)].map(({ cluster }) => cluster),
      ...(await record.permits.unsettled(rollout.id, rollout.gate.generation)),
    ]);
    return { rollout, unsettled: [...unsettled].sort(), inForce: outstanding.length === 0 };
  };
  for (const { rollout } of debts) if (!known.has(rollout)) others.add(rollout);
  const ended = (await Promise.all([...others].map((id) => record.rollouts.get(id)))).filter((found) => found !== null);
  const unsettled = (await Promise.all(ended.map(acknowledge))).filter((result) => result.unsettled.length > 0);
  return [...(await Promise.all(stopped.map(acknowledge))), ...unsettled];
};

/** Ends the stop; what a person had paused before stays paused as it was. */
export const resumeAll = async (
  parts: CommandParts,
  { reason = '' }: Reasoned,
  actor: Actor,
): Promise<readonly Rollout[]> => {
  await parts.record.access.setSetting(EMERGENCY, null, [
    { type: 'emergency.lifted', actor: actor.name, reason, message: `${actor.name} ended the emergency stop` },
  ]);
  const stopped = (await unfinished(parts.record)).filter((rollout) => rollout.paused?.emergency === true);
  return stillOpen(
    stopped.map(({ id }) =>
      commandRollout(parts, id, {
        verb: 'resume',
        actor,
        reason,
        decide: (_tx, rollout, now) => liftStop(rollout, now),
      }),
    ),
  );
};

const unfinished = (record: RecordPort): Promise<readonly Rollout[]> =>
  readAll((page) => record.rollouts.list({ unfinished: true, ...page }));

/** One that has ended since it was listed needs nothing more; any other failure is the answer, once every one has been asked. */
const stillOpen = async <T>(asked: readonly Promise<T>[]): Promise<readonly T[]> => {
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => {
    if (answer.status === 'fulfilled') return [answer.value];
    if (answer.reason instanceof UseCaseError && answer.reason.code === 'StateForbids') return [];
    throw answer.reason;
  });
};
