import type { Session } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { objectKey } from '@breakwater/domain';
import { APPLICATION_LABEL } from './apply-body.ts';
import type { ResourceMapping } from './discovery.ts';
import { cutOff, refused } from './ended.ts';
import { checkFence } from './fence.ts';
import type { KubeApi } from './kube-api.ts';
import { READS_AT_ONCE } from './live-objects.ts';
import { inParallel } from './parallel.ts';

/** Computed on demand, or about other objects: never anybody's belongings. */
const TRANSIENT_GROUPS: ReadonlySet<string> = new Set([
  'events.k8s.io',
  'metrics.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
]);

/** One mapping for each kind: several versions show the same objects. */
const listable = async (api: KubeApi, signal: AbortSignal): Promise<readonly ResourceMapping[]> => {
  const { mappings, stale } = await api.discovery.catalogue(signal);
  // Unknown is not empty: a failed or partial read never deletes.
  if (stale.size > 0)
    throw cutOff(
      'ServerError',
      `the API servers of ${[...stale].join(', ')} do not answer: what they hold is not known`,
    );
  const kinds = new Map<string, ResourceMapping>();
  for (const mapping of mappings) {
    const kind = `${mapping.group}/${mapping.plural}`;
    const transient = TRANSIENT_GROUPS.has(mapping.group) || kind === '/events';
    if (mapping.listable && !transient && !kinds.has(kind)) kinds.set(kind, mapping);
  }
  return [...kinds.values()];
};

/** What Kubernetes itself puts into every namespace. */
const isDefault = (object: KubeObject): boolean => {
  const { name, annotations } = object.metadata;
  if (object.kind === 'ServiceAccount') return name === 'default';
  if (object.kind === 'ConfigMap') return name === 'kube-root-ca.crt';
  return object.kind === 'Secret' && annotations?.['kubernetes.io/service-account.name'] === 'default';
};

/** Everything in a namespace but Kubernetes' own defaults, a few of each kind. Throws when any kind cannot be read. */
export const leftoversIn = async (
  api: KubeApi,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> => {
  const kinds = (await listable(api, signal)).filter((mapping) => mapping.namespaced);
  const lists = await inParallel(kinds, READS_AT_ONCE, (mapping) =>
    api.list(mapping, namespace, signal, { limit: 10 }),
  );
  return lists.flatMap(({ items }) => items).filter((object) => !isDefault(object));
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
  const kinds = await listable(api, session.signal);
  const query = { labelSelector: `${APPLICATION_LABEL}=${session.application}` };
  const lists = await inParallel(kinds, READS_AT_ONCE, (mapping) =>
    api.list(mapping, '', session.signal, { query, limit: 10 }),
  );
  // What others own (ReplicaSets copy no label of ours, but people's controllers may) is not an inventory's object.
  const ours = lists.flatMap(({ items }) => items).filter((object) => !isLeaving(object));
  const [first] = ours;
  if (first === undefined) return;
  checkFence(null, session);
  throw refused('InventoryLost', `${objectKey(first)} is still there`, objectKey(first));
};
