import type { RolloutId } from '@breakwater/domain';
import { createHash } from 'node:crypto';
import type { RecordPort, RecordTransaction } from '../ports/record.port.ts';
import { type Actor, type StartRolloutInput, UseCaseError } from '../use-cases.ts';

const bodyDigest = ({ idempotencyKey: _key, ...body }: StartRolloutInput): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(body).sort()))
    .digest('hex');

const reused = (): UseCaseError =>
  new UseCaseError('Invalid', 'IdempotencyKeyReused', 'this idempotency key was used for another request');

/** The rollout that a repeated request has made, whatever has become of its application or revision since; null: nobody asked before. */
export const askedBefore = async (
  record: RecordPort,
  input: StartRolloutInput,
  actor: Actor,
): Promise<RolloutId | null> => {
  const { idempotencyKey } = input;
  if (idempotencyKey === undefined) return null;
  const used = await record.transaction((tx) => tx.usedBefore(idempotencyKey, actor.name, bodyDigest(input)));
  if (used === 'reused') throw reused();
  return used === null ? null : (used.result as RolloutId);
};

/** Ties the key to the rollout that is being made; of two requests at once, the later gets the other's rollout. */
export const claimKey = async (
  tx: RecordTransaction,
  input: StartRolloutInput,
  actor: Actor,
  id: RolloutId,
): Promise<RolloutId | null> => {
  if (input.idempotencyKey === undefined) return null;
  const stored = await tx.idempotent(input.idempotencyKey, actor.name, bodyDigest(input), id);
  if (stored === 'reused') throw reused();
  return stored.fresh ? null : (stored.result as RolloutId);
};
