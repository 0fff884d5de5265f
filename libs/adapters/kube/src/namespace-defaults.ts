import type { KubeObject } from '@breakwater/domain';
import { parseObjectKey } from '@breakwater/domain';
import type { Inventory } from './fence.ts';
import { isOfSession } from './inventory.ts';

/** What Kubernetes itself puts into every namespace. */
export const isDefault = (object: KubeObject): boolean => {
  const { name, annotations } = object.metadata;
  if (object.kind === 'ServiceAccount') return name === 'default';
  if (object.kind === 'ConfigMap') return name === 'kube-root-ca.crt';
  return object.kind === 'Secret' && annotations?.['kubernetes.io/service-account.name'] === 'default';
};

/** Namespaces that the session's rollout made: what Kubernetes puts there by itself is nobody else's. */
export const namespacesMade = (inventory: Inventory, session: Parameters<typeof isOfSession>[1]): ReadonlySet<string> =>
  new Set(
    [...inventory.values()]
      .filter((entry) => entry.key.startsWith('Namespace/') && entry.origin === 'created')
      .filter((entry) => isOfSession(entry, session))
      .map(({ key }) => parseObjectKey(key).name),
  );
