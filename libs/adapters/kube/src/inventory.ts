import type { ApplyRequest } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import type { Decision } from './decision.ts';
import type { FenceEntry, Inventory } from './fence.ts';
import type { LiveObjects } from './live-objects.ts';
import { isJobKey } from './job-key.ts';
import { fieldsDigestOf } from './managed-fields.ts';
import type { Applied } from './object-writer.ts';
import type { Wanted } from './wanted.ts';

/** One object of the bundle: what is live, and what is to be done. */
export interface Planned {
  readonly wanted: Wanted;
  readonly live: KubeObject | null;
  readonly decision: Decision;
}

/** The union of what was there and what is about to be: written ahead, each with the uid that was seen, or none. */
export const openingInventory = (
  former: Inventory,
  plan: readonly Planned[],
  session: Pick<ApplyRequest, 'rollout' | 'mode'>,
): ReadonlyMap<ObjectKey, FenceEntry> => {
  const inventory = new Map(former);
  for (const { wanted, live, decision } of plan) {
    if (!isOwned(decision)) continue;
    const entry = inventory.get(wanted.key);
    if (entry !== undefined) {
      // It went, and is about to be made again: like a new one, its create cannot be tied to what was read.
      if (live === null && decision.kind === 'Create')
        inventory.set(wanted.key, { ...entry, uid: null, fieldsDigest: null });
      if (decision.kind === 'ReplaceJob') inventory.set(wanted.key, { ...entry, removedBy: session.rollout });
      continue;
    }
    inventory.set(wanted.key, {
      key: wanted.key,
      origin: decision.kind === 'Update' && decision.adopts ? 'adopted' : 'created',
      uid: live?.metadata.uid ?? null,
      rollout: session.rollout,
      apiVersion: wanted.object.apiVersion,
      objectDigest: null,
      fieldsDigest: null,
      suspectSince: null,
      // The former revision has it, and the inventory does not: pruned since.
      removedBy: session.mode === 'rollback' && decision.kind === 'HasRun' ? session.rollout : null,
    });
  }
  return inventory;
};

const isOwned = (decision: Decision): boolean =>
  decision.kind !== 'Used' &&
  decision.kind !== 'Foreign' &&
  decision.kind !== 'NotAdopted' &&
  decision.kind !== 'Terminating';

/** What a predecessor wrote ahead and had not made when it was overtaken: its create may still be on its way. */
export const withSuspects = (
  inventory: Inventory,
  live: LiveObjects,
  now: number,
): ReadonlyMap<ObjectKey, FenceEntry> =>
  new Map(
    [...inventory].map(([key, entry]) => {
      const announced = entry.uid === null && (entry.objectDigest === null || !isJobKey(key));
      const suspect = announced && live.get(key) === null && entry.suspectSince === null;
      return [key, suspect ? { ...entry, suspectSince: now } : entry];
    }),
  );

/** With what is known after the writes. */
export const closingInventory = (
  opened: Inventory,
  plan: readonly Planned[],
  applied: ReadonlyMap<ObjectKey, Applied>,
  session: Pick<ApplyRequest, 'rollout'>,
): Map<ObjectKey, FenceEntry> => {
  const inventory = new Map(opened);
  for (const { wanted, live, decision } of plan) {
    const entry = inventory.get(wanted.key);
    const result = applied.get(wanted.key) ?? { decision, object: live, wrote: false };
    if (entry === undefined || !isOwned(result.decision)) continue;
    const object = result.object;
    // It may have come between the look at it and our create: written ahead as ours, and somebody else's.
    const adopts = result.decision.kind === 'Update' && result.decision.adopts;
    inventory.set(wanted.key, {
      ...entry,
      ...(adopts ? { origin: 'adopted' as const, rollout: session.rollout } : {}),
      uid: object?.metadata.uid ?? null,
      apiVersion: wanted.object.apiVersion,
      objectDigest: wanted.digest,
      fieldsDigest: object === null ? null : fieldsDigestOf(object, wanted.ignored),
      suspectSince: null,
    });
  }
  return inventory;
};

export const sameKeys = (a: Inventory, b: Inventory): boolean =>
  a.size === b.size && [...a.keys()].every((key) => b.has(key));

/** Written by the session's rollout, or by one whose unsettled work it took over. */
export const isOfSession = (
  entry: Pick<FenceEntry, 'rollout'>,
  session: { readonly rollout: string; readonly lineage: readonly string[] },
): boolean => entry.rollout === session.rollout || session.lineage.includes(entry.rollout);

/** Jobs that this session's rollout deleted, and that its rollback leaves as they are: gone. */
export const jobsNotRunAgain = (
  inventory: Inventory,
  session: { readonly rollout: string; readonly lineage: readonly string[] },
): readonly ObjectKey[] =>
  [...inventory.values()]
    .filter(({ uid, removedBy }) => uid === null && removedBy !== null && isOfSession({ rollout: removedBy }, session))
    .map(({ key }) => key);
