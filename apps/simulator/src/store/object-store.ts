import { randomUUID } from 'node:crypto';
import type { KubeObject, OwnerReference } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import { EventHistory } from './event-history.ts';
import type { StoreEvent } from './event-history.ts';

export type StoreListener = (event: StoreEvent) => void;

/** `namespace/name`, or `/name` for cluster-wide kinds: sorted, it is the order of a list. */
export function objectKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/**
 * The objects of one cluster with one counter of resource versions, as etcd gives it. Objects are immutable:
 * a write replaces one, whoever read the old one keeps it.
 */
export class ObjectStore {
  readonly #collections = new Map<string, Map<string, KubeObject>>();
  readonly #owned = new Map<string, Set<string>>();
  readonly #listeners = new Set<StoreListener>();
  readonly history = new EventHistory();
  #revision = 1;

  get revision(): number {
    return this.#revision;
  }

  get(resource: Pick<Resource, 'key'>, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#collections.get(resource.key)?.get(objectKey(namespace, name));
  }

  /** Every object of a kind, in no particular order. */
  all(resource: Pick<Resource, 'key'>): Iterable<KubeObject> {
    return this.#collections.get(resource.key)?.values() ?? [];
  }

  /** Objects of a kind in list order: by namespace, then name. */
  list(resource: Pick<Resource, 'key'>, namespace: string | undefined): KubeObject[] {
    const collection = this.#collections.get(resource.key);
    if (!collection) return [];
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    return [...collection]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  /** Kinds that have objects now. */
  kinds(): string[] {
    return [...this.#collections].filter(([, objects]) => objects.size > 0).map(([key]) => key);
  }

  create(resource: Resource, object: KubeObject): KubeObject {
    return this.#write(resource, undefined, this.#stamped(object, object.metadata.uid ?? randomUUID()));
  }

  update(resource: Resource, previous: KubeObject, object: KubeObject): KubeObject {
    return this.#write(resource, previous, this.#stamped(object, previous.metadata.uid));
  }

  remove(resource: Resource, object: KubeObject): KubeObject {
    const removed = this.#stamped(object, object.metadata.uid);
    this.#collections.get(resource.key)?.delete(objectKey(object.metadata.namespace, object.metadata.name));
    this.#indexOwners(resource, object, undefined);
    this.#publish({ revision: this.#revision, type: 'DELETED', resource, object: removed, previous: object });
    return removed;
  }

  /** `[resource key, namespace/name]` of the objects that name this uid as an owner. */
  ownedBy(uid: string): (readonly [string, string])[] {
    return [...(this.#owned.get(uid) ?? [])].map((entry) => {
      const space = entry.indexOf(' ');
      return [entry.slice(0, space), entry.slice(space + 1)] as const;
    });
  }

  byKey(resource: string, key: string): KubeObject | undefined {
    return this.#collections.get(resource)?.get(key);
  }

  subscribe(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #stamped(object: KubeObject, uid: string | undefined): KubeObject {
    this.#revision += 1;
    const metadata = { ...object.metadata, ...(uid !== undefined && { uid }), resourceVersion: String(this.#revision) };
    return { ...object, metadata };
  }

  #write(resource: Resource, previous: KubeObject | undefined, object: KubeObject): KubeObject {
    let collection = this.#collections.get(resource.key);
    if (!collection) this.#collections.set(resource.key, (collection = new Map()));
    collection.set(objectKey(object.metadata.namespace, object.metadata.name), object);
    if (previous?.metadata.ownerReferences !== object.metadata.ownerReferences) {
      this.#indexOwners(resource, previous, object);
    }
    const type = previous ? 'MODIFIED' : 'ADDED';
    this.#publish({ revision: this.#revision, type, resource, object, previous });
    return object;
  }

  #indexOwners(resource: Resource, previous: KubeObject | undefined, object: KubeObject | undefined): void {
    const entry = (of: KubeObject): string => `${resource.key} ${objectKey(of.metadata.namespace, of.metadata.name)}`;
    const owners = (of: KubeObject | undefined): readonly OwnerReference[] => of?.metadata.ownerReferences ?? [];
    for (const owner of owners(previous)) {
      const owned = this.#owned.get(owner.uid);
      if (previous && owned?.delete(entry(previous)) && owned.size === 0) this.#owned.delete(owner.uid);
    }
    for (const owner of owners(object)) {
      let owned = this.#owned.get(owner.uid);
      if (!owned) this.#owned.set(owner.uid, (owned = new Set()));
      if (object) owned.add(entry(object));
    }
  }

  #publish(event: StoreEvent): void {
    this.history.add(event);
    for (const listener of this.#listeners) listener(event);
  }
}
