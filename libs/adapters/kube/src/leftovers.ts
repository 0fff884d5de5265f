import type { Session } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { objectKey } from '@breakwater/domain';
import { APPLICATION_LABEL } from './apply-body.ts';
import type { ResourceMapping } from './discovery.ts';
import { cutOff, isNotServed, refused } from './ended.ts';
import { checkFence } from './fence.ts';
import type { KubeApi } from './kube-api.ts';
import { READS_AT_ONCE } from './live-objects.ts';
import { isDefault } from './namespace-defaults.ts';
import { inParallel } from './parallel.ts';

/** Computed on demand, or about other objects: never anybody's belongings. */
const TRANSIENT_GROUPS: ReadonlySet<string> = new Set([
  'events.k8s.io',
  'metrics.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
]);

interface Listable {
  readonly kinds: readonly ResourceMapping[];
  /** Groups whose API servers do not answer: what they hold is not known. */
  readonly unknown: readonly string[];
}

/** One mapping for each kind: several versions show the same objects. Asked anew: kinds come and go while we are connected. */
const listable = async (api: KubeApi, signal: AbortSignal): Promise<Listable> => {
  api.discovery.forget();
  const { mappings, stale } = await api.discovery.catalogue(signal);
  const kinds = new Map<string, ResourceMapping>();
  for (const mapping of mappings) {
    const kind = `${mapping.group}/${mapping.plural}`;
    const transient = TRANSIENT_GROUPS.has(mapping.group) || kind === '/events';
    if (mapping.listable && !transient && !kinds.has(kind)) kinds.set(kind, mapping);
  }
  return { kinds: [...kinds.values()], unknown: [...stale].filter((group) => !TRANSIENT_GROUPS.has(group)).sort() };
};

/** A few of a kind; none when its definition went meanwhile. */
const fewOf = async (
  api: KubeApi,
  mapping: ResourceMapping,
  namespace: string,
  signal: AbortSignal,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly KubeObject[]> => {
  try {
    return (await api.list(mapping, namespace, signal, { query, limit: 10 })).items;
  } catch (error) {
    if (!isNotServed(error)) throw error;
    const { mappings, stale } = await api.discovery.catalogue(signal);
    const { group, plural } = mapping;
    if (!stale.has(group) && !mappings.some((it) => it.group === group && it.plural === plural)) return [];
    throw cutOff('ServerError', `${plural} of ${group} can be listed at one moment, and not at the next`);
  }
};

export interface Leftovers {
  readonly objects: readonly KubeObject[];
  /** Groups of which nobody can say what they hold there: unknown is not empty. */
  readonly unknown: readonly string[];
}

/** Everything in a namespace but Kubernetes' own defaults, a few of each kind. Throws when any kind cannot be read. */
export const leftoversIn = async (api: KubeApi, namespace: string, signal: AbortSignal): Promise<Leftovers> => {
  const { kinds, unknown } = await listable(api, signal);
  const inside = kinds.filter((mapping) => mapping.namespaced);
  const lists = await inParallel(inside, READS_AT_ONCE, (mapping) => fewOf(api, mapping, namespace, signal));
  return { objects: lists.flat().filter((object) => !isDefault(object)), unknown };
};

/** Leaves by itself: on its way out, or garbage of an owner that is gone. */
export const isLeaving = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined || (object.metadata.ownerReferences?.length ?? 0) > 0;

/**
 * For a session that takes everything back and finds no fence although the record expects one: either an earlier attempt has come to
 * its end, or the inventory is lost. Told apart by looking for our label on everything. Throws `InventoryLost`.
 */
export const checkNothingIsLeft = async (api: KubeApi, session: Session): Promise<void> => {
  if (!session.expectInventory) return;
  const { kinds, unknown } = await listable(api, session.signal);
  // A partial read proves nothing.
  if (unknown.length > 0)
    throw cutOff('ServerError', `the API servers of ${unknown.join(', ')} do not answer: what they hold is not known`);
  const query = { labelSelector: `${APPLICATION_LABEL}=${session.application}` };
  const lists = await inParallel(kinds, READS_AT_ONCE, (mapping) => fewOf(api, mapping, '', session.signal, query));
  // What others own (ReplicaSets copy no label of ours, but people's controllers may) is not an inventory's object.
  const ours = lists.flat().filter((object) => !isLeaving(object));
  const [first] = ours;
  if (first === undefined) return;
  checkFence(null, session);
  throw refused('InventoryLost', `${objectKey(first)} is still there`, objectKey(first));
};
