import type { InventoryEntry, Session } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import type { Ended } from './ended.ts';
import { fenced, refused } from './ended.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { CONFIG_MAPS, NAMESPACES, placeOf } from './kube-api.ts';

export const SYSTEM_NAMESPACE = 'breakwater-system';
export const FENCE_LABEL = 'breakwater.dev/fence';
/** On `breakwater-system`, when Breakwater made it: moved after a fence was created in it, see {@link Fence}. */
export const TOUCHED_ANNOTATION = 'breakwater.dev/touched';
export const SYSTEM_PLACE: Place = placeOf(NAMESPACES, '', SYSTEM_NAMESPACE);

/** What the fence keeps of an object beyond the port's entry. */
export interface FenceEntry extends InventoryEntry {
  /** A predecessor that never closed its epoch may still create it: epoch milliseconds of when that was found out. */
  readonly suspectSince: number | null;
  /** Of a Job: the rollout that deleted it, to replace or to prune it. A rollback does not run it again, and says so. */
  readonly removedBy: string | null;
}

export type Inventory = ReadonlyMap<ObjectKey, FenceEntry>;

/**
 * One ConfigMap per application and cluster: who may write, and what was (or is about to be) written. Open from before a session's
 * first write to after its last one.
 */
export interface Fence {
  readonly installation: string;
  readonly application: string;
  readonly rollout: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly closed: boolean;
  readonly inventory: Inventory;
}

/** A fence as it was read: the next write of it is a compare-and-set against these. */
export interface HeldFence extends Fence {
  readonly uid: string;
  readonly resourceVersion: string;
}

export const fencePlace = (application: string): Place => placeOf(CONFIG_MAPS, SYSTEM_NAMESPACE, application);

const unreadable = (application: string, what: string): Ended =>
  refused(
    'InventoryLost',
    `the fence ConfigMap ${SYSTEM_NAMESPACE}/${application} cannot be read: ${what}; restore it, nothing is written until then`,
  );

type StoredEntry = Omit<FenceEntry, 'key' | 'suspectSince' | 'removedBy'> & {
  readonly suspectSince?: number;
  readonly removedBy?: string;
};

const parseInventory = (application: string, text: string): Inventory => {
  try {
    const stored = JSON.parse(text) as Record<string, StoredEntry>;
    return new Map(
      Object.entries(stored).map(([key, entry]) => [
        key as ObjectKey,
        {
          ...entry,
          key: key as ObjectKey,
          suspectSince: entry.suspectSince ?? null,
          removedBy: entry.removedBy ?? null,
        },
      ]),
    );
  } catch {
    throw unreadable(application, 'its inventory is not JSON');
  }
};

const parseFence = (application: string, object: KubeObject): HeldFence => {
  const data = (object['data'] ?? {}) as Readonly<Record<string, string | undefined>>;
  const { installation, epoch, nonce, state, inventory } = data;
  // A damaged fence is never taken for none: "nothing was there" would let a rollback delete, or a stranger write.
  if (installation === undefined || nonce === undefined || inventory === undefined)
    throw unreadable(application, 'fields are missing');
  if (epoch === undefined || !/^\d{1,15}$/.test(epoch)) throw unreadable(application, 'its epoch is not a number');
  return {
    installation,
    application,
    rollout: data['rollout'] ?? '',
    epoch: Number(epoch),
    nonce,
    closed: state === 'closed',
    inventory: parseInventory(application, inventory),
    uid: object.metadata.uid ?? '',
    resourceVersion: object.metadata.resourceVersion ?? '',
  };
};

export const readFence = async (api: KubeApi, application: string, signal: AbortSignal): Promise<HeldFence | null> => {
  const object = await api.get(fencePlace(application), signal);
  return object === null ? null : parseFence(application, object);
};

export const heldFence = (fence: Fence, written: KubeObject): HeldFence => ({
  ...fence,
  uid: written.metadata.uid ?? '',
  resourceVersion: written.metadata.resourceVersion ?? '',
});

/** The ConfigMap to be written over `held` (created when null). */
export const fenceBody = (fence: Fence, held: HeldFence | null): KubeObject => {
  const inventory: Record<string, StoredEntry> = {};
  for (const [key, { key: _key, suspectSince, removedBy, ...entry }] of fence.inventory) {
    inventory[key] = {
      ...entry,
      ...(suspectSince === null ? {} : { suspectSince }),
      ...(removedBy === null ? {} : { removedBy }),
    };
  }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: fence.application,
      namespace: SYSTEM_NAMESPACE,
      labels: { [FENCE_LABEL]: 'true', 'app.kubernetes.io/managed-by': 'breakwater' },
      ...(held === null ? {} : { uid: held.uid, resourceVersion: held.resourceVersion }),
    },
    data: {
      installation: fence.installation,
      rollout: fence.rollout,
      epoch: String(fence.epoch),
      nonce: fence.nonce,
      state: fence.closed ? 'closed' : 'open',
      inventory: JSON.stringify(inventory),
    },
  };
};

type Claim = Pick<Session, 'application' | 'installation' | 'epoch' | 'nonce' | 'expectInventory'>;

/** May this session write at all? Throws what stops it. */
export const checkFence = (fence: HeldFence | null, session: Claim): void => {
  if (fence === null) {
    if (!session.expectInventory) return;
    throw refused(
      'InventoryLost',
      `the record says that ${session.application} is on this cluster, but its inventory ${SYSTEM_NAMESPACE}/${session.application} is gone; nothing is written until a person decides`,
    );
  }
  if (fence.installation !== session.installation) {
    throw refused(
      'ForeignInstallation',
      `${session.application} on this cluster belongs to another installation of Breakwater`,
    );
  }
  if (fence.epoch > session.epoch || (fence.epoch === session.epoch && fence.nonce !== session.nonce))
    throw fenced(fence.epoch);
};

export const isOurs = (fence: Pick<Fence, 'epoch' | 'nonce' | 'installation'>, session: Claim): boolean =>
  fence.installation === session.installation && fence.epoch === session.epoch && fence.nonce === session.nonce;

/** A predecessor stopped in the middle: what it has sent may still land. */
export const isAbandoned = (fence: HeldFence | null, session: Claim): boolean =>
  fence !== null && !fence.closed && !isOurs(fence, session);
