import type { KubeObject } from '@breakwater/domain';
import { parseObjectKey } from '@breakwater/domain';
import { EPOCH_ANNOTATION } from './apply-body.ts';
import { isOurObject } from './decision.ts';
import type { FenceEntry, Inventory } from './fence.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { objectPath, placeOf } from './kube-api.ts';
import { endOf } from './kube-status.ts';
import type { LiveObjects } from './live-objects.ts';
import { inParallel } from './parallel.ts';
import type { SessionWriter } from './session-writer.ts';

const ANNOTATING_AT_ONCE = 4;
const ATTEMPTS = 5;
const FENCE_MANAGER = 'breakwater-fence';

/** Where an object of the inventory is; null when its kind is not served any more, and it went with it. */
export const placeOfEntry = async (
  api: KubeApi,
  entry: Pick<FenceEntry, 'key' | 'apiVersion'>,
  signal: AbortSignal,
): Promise<Place | null> => {
  const { kind, namespace, name } = parseObjectKey(entry.key);
  const mapping = await api.discovery.findAnyVersion(entry.apiVersion, kind, signal);
  return mapping === null ? null : placeOf(mapping, namespace, name);
};

/**
 * Writes the new epoch on every object of the inventory, unchanged ones too. That moves every resourceVersion that a predecessor
 * who stopped in the middle may still hold, so nothing that it decided earlier can land. To be called after the fence has been taken.
 * Returns the objects as they are then.
 */
export const moveEveryObject = async (
  api: KubeApi,
  writer: SessionWriter,
  inventory: Inventory,
  session: { readonly application: string; readonly epoch: number; readonly signal: AbortSignal },
): Promise<LiveObjects> => {
  const live: LiveObjects = new Map();
  await inParallel([...inventory.values()], ANNOTATING_AT_ONCE, async (entry) => {
    const place = await placeOfEntry(api, entry, session.signal);
    live.set(entry.key, place === null ? null : await moveOne(api, writer, entry, place, session));
  });
  return live;
};

const moveOne = async (
  api: KubeApi,
  writer: SessionWriter,
  entry: FenceEntry,
  place: Place,
  session: { readonly application: string; readonly epoch: number; readonly signal: AbortSignal },
): Promise<KubeObject | null> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const live = await api.get(place, session.signal);
    // What is not ours was not the predecessor's to write either.
    if (live === null || !isOurObject(live, entry, session.application)) return live;
    const { uid, resourceVersion } = live.metadata;
    const result = await writer.write({
      method: 'PATCH',
      path: `${objectPath(place)}?fieldManager=${FENCE_MANAGER}`,
      body: JSON.stringify({
        metadata: { uid, resourceVersion, annotations: { [EPOCH_ANNOTATION]: String(session.epoch) } },
      }),
      contentType: 'application/merge-patch+json',
      key: entry.key,
      name: place.name,
      existing: true,
    });
    if (result.kind === 'Written') return result.object;
    if (result.kind !== 'Stale' && result.kind !== 'Absent' && result.kind !== 'NamespaceAbsent') {
      throw endOf(result, entry.key, `marking ${entry.key}`);
    }
  }
  throw endOf({ kind: 'Stale' }, entry.key, `marking ${entry.key}`);
};
