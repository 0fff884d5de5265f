import type { PruneRequest } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { keyOf, parseObjectKey } from '@breakwater/domain';
import { APPLICATION_LABEL } from './apply-body.ts';
import { isOurObject } from './decision.ts';
import type { Ended } from './ended.ts';
import { refused } from './ended.ts';
import type { FenceEntry } from './fence.ts';
import type { Place } from './kube-api.ts';
import { isOfSession } from './inventory.ts';

export type PruneVerdict =
  | { readonly kind: 'Delete'; readonly counts: boolean }
  /** Stays in the cluster and in the inventory. */
  | { readonly kind: 'Keep'; readonly reason: string }
  /** Stays in the cluster, leaves the inventory; `marked`: our marks are to be taken off it. */
  | { readonly kind: 'Release'; readonly reason: string; readonly marked: boolean }
  /** Not in the cluster: leaves the inventory. */
  | { readonly kind: 'Forget' };

export interface Candidate {
  readonly entry: FenceEntry;
  readonly place: Place | null;
  readonly live: KubeObject | null;
  readonly verdict: PruneVerdict;
}

/** How long a predecessor's create may still be on its way: API servers give up a request after a minute. */
const SUSPECT_MS = 3_600_000;

/**
 * Keys to keep may have been written without knowing a kind's scope (a namespace too many or too few), so both readings are kept. A
 * namespace stays as long as something that stays lives in it.
 */
export const isKept = (key: ObjectKey, keep: ReadonlySet<string>): boolean => {
  if (keep.has(key)) return true;
  const reference = parseObjectKey(key);
  if (keep.has(keyOf({ ...reference, namespace: '' }))) return true;
  for (const other of keep) {
    const kept = parseObjectKey(other);
    if (reference.kind === 'Namespace' && reference.group === '' && kept.namespace === reference.name) return true;
    if (
      reference.namespace === '' &&
      kept.kind === reference.kind &&
      kept.group === reference.group &&
      kept.name === reference.name
    )
      return true;
  }
  return false;
};

type Request = Pick<PruneRequest, 'application' | 'mode' | 'policy' | 'removeAll' | 'rollout' | 'lineage'>;

export const verdictOn = (entry: FenceEntry, live: KubeObject | null, request: Request, now: number): PruneVerdict => {
  const { kind } = parseObjectKey(entry.key);
  if (live === null) {
    const awaited = entry.suspectSince !== null && now - entry.suspectSince < SUSPECT_MS && !request.removeAll;
    return awaited ? { kind: 'Keep', reason: 'Suspect' } : { kind: 'Forget' };
  }
  if (!isOurObject(live, entry, request.application)) return { kind: 'Release', reason: 'NotOurs', marked: false };
  const owner = live.metadata.labels?.[APPLICATION_LABEL];
  if (owner !== undefined && owner !== request.application)
    return { kind: 'Release', reason: 'OwnedByAnotherApplication', marked: false };
  if (request.policy.prune.protect.includes(kind)) return { kind: 'Keep', reason: 'Protected' };
  const madeHere = entry.origin === 'created' && isOfSession(entry, request);
  if (request.mode === 'rollback' && entry.origin === 'adopted') {
    return request.removeAll
      ? { kind: 'Release', reason: 'Adopted', marked: true }
      : { kind: 'Keep', reason: 'Adopted' };
  }
  const takenBack = request.mode === 'rollback' && madeHere;
  if (!request.policy.prune.enabled && !takenBack) return { kind: 'Keep', reason: 'PruneDisabled' };
  // Taking a namespace over makes nothing that is in it, or will be, ours.
  if (kind === 'Namespace' && entry.origin !== 'created') return { kind: 'Release', reason: 'Adopted', marked: true };
  return { kind: 'Delete', counts: !takenBack };
};

export const tooManyDeletions = (keys: readonly ObjectKey[], limit: number): Ended => {
  const named = keys.slice(0, 20).join(', ');
  const more = keys.length > 20 ? `, and ${keys.length - 20} more` : '';
  return refused(
    'TooManyDeletions',
    `${keys.length} objects would be deleted, the limit is ${limit}: ${named}${more}`,
    keys[0] ?? null,
  );
};
