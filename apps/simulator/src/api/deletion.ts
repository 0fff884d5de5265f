import { arrayAt, objectAt } from '../object.ts';
import type { KubeObject, ObjectMeta } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import { objectKey } from '../store/object-store.ts';
import { namespaceResource, resourceOf, timestamp } from './object-lifecycle.ts';
import type { ObjectLifecycle } from './object-lifecycle.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import { preconditionFailed } from './status-error.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** Runs work later, after so many milliseconds, on the cluster's own time. */
export type Later = (work: () => void, ms?: number) => void;

/** How often a deletion looks again at what it waits for. */
const retryMs = 10;

export interface DeleteRequest {
  readonly propagation?: Propagation | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly dryRun?: boolean;
}

const foreground = 'foregroundDeletion';
const pods = resourceOf('pods');
const claims = resourceOf('persistentvolumeclaims');
const definitions = resourceOf('customresourcedefinitions.apiextensions.k8s.io');

/** Deletes objects and, later and as the garbage collector does, what they own and contain. */
export class Deletion {
  readonly #lifecycle: ObjectLifecycle;
  readonly #registry: ResourceRegistry;
  readonly #later: Later;

  constructor(lifecycle: ObjectLifecycle, registry: ResourceRegistry, later: Later) {
    this.#lifecycle = lifecycle;
    this.#registry = registry;
    this.#later = later;
    lifecycle.store.subscribe((event) => {
      if (event.type !== 'DELETED') return;
      if (event.resource === definitions) registry.forget(event.object);
      const uid = event.object.metadata.uid ?? '';
      if (lifecycle.store.ownedBy(uid).length > 0) later(() => void this.#deleteOwned(uid, 'Background'));
    });
  }

  /**
   * @returns the object as it is afterwards, and whether it is gone
   * @throws StatusError 409 when a precondition does not hold
   */
  delete(
    resource: Resource,
    object: KubeObject,
    request: DeleteRequest,
  ): { readonly object: KubeObject; readonly gone: boolean } {
    const { uid, resourceVersion, name, deletionTimestamp } = object.metadata;
    if (request.uid !== undefined && request.uid !== uid) {
      const why = `the UID in the precondition (${request.uid}) does not match the UID in record (${String(uid)}). The object might have been deleted and then recreated`;
      throw preconditionFailed(resource, name, why);
    }
    if (request.resourceVersion !== undefined && request.resourceVersion !== resourceVersion) {
      const why = `the ResourceVersion in the precondition (${request.resourceVersion}) does not match the ResourceVersion in record (${String(resourceVersion)}). The object might have been modified`;
      throw preconditionFailed(resource, name, why);
    }
    const waits = this.#waitsFor(resource, object, request.propagation);
    if (request.dryRun) return { object, gone: waits.length === 0 && !this.#isGradual(resource) };
    if (waits.length === 0 && !this.#isGradual(resource))
      return { object: this.#remove(resource, object, request.propagation), gone: true };
    const marked = deletionTimestamp === undefined ? this.#mark(resource, object, waits) : object;
    this.#later(() => this.#proceed(resource, objectKey(object.metadata.namespace, name), request.propagation));
    return { object: marked, gone: false };
  }

  #isGradual(resource: Resource): boolean {
    return resource === namespaceResource || resource === pods || resource === definitions;
  }

  #waitsFor(resource: Resource, object: KubeObject, propagation: Propagation | undefined): readonly string[] {
    const finalizers = object.metadata.finalizers ?? [];
    if (propagation !== 'Foreground' || finalizers.includes(foreground) || resource === namespaceResource)
      return finalizers;
    return [...finalizers, foreground];
  }

  #mark(resource: Resource, object: KubeObject, finalizers: readonly string[]): KubeObject {
    const change: Partial<ObjectMeta> = {
      deletionTimestamp: timestamp(),
      ...(resource !== namespaceResource && { deletionGracePeriodSeconds: resource === pods ? 30 : 0 }),
      ...(finalizers.length > 0 && { finalizers }),
      ...(resource.hasGeneration && { generation: (object.metadata.generation ?? 0) + 1 }),
    };
    const status =
      resource === namespaceResource ? { status: { ...objectAt(object, 'status'), phase: 'Terminating' } } : {};
    return this.#lifecycle.patch(resource, object, status, change);
  }

  /** One step of a deletion that takes time. */
  #proceed(resource: Resource, key: string, propagation: Propagation | undefined): void {
    const object = this.#lifecycle.store.byKey(resource.key, key);
    if (object?.metadata.deletionTimestamp === undefined) return;
    const again = (): void => this.#later(() => this.#proceed(resource, key, propagation), retryMs);
    if (resource === namespaceResource && !this.#emptiedNamespace(object.metadata.name)) return again();
    if (resource === definitions) this.#emptyDefinition(object);
    const finalizers = object.metadata.finalizers ?? [];
    if (finalizers.includes(foreground)) {
      if (this.#deleteOwned(object.metadata.uid ?? '', 'Foreground')) return again();
    }
    const left = finalizers.filter(
      (name) => name !== foreground && !(resource === claims && name === 'kubernetes.io/pvc-protection'),
    );
    if (left.length === 0) this.#remove(resource, object, propagation);
    else if (left.length < finalizers.length) this.#lifecycle.patch(resource, object, {}, { finalizers: left });
  }

  #emptiedNamespace(namespace: string): boolean {
    let left = 0;
    for (const kind of this.#lifecycle.store.kinds()) {
      const resource = this.#registry.byKey(kind);
      if (!resource?.namespaced) continue;
      for (const object of this.#lifecycle.store.list(resource, namespace)) this.#drop(resource, object);
      left += this.#lifecycle.store.list(resource, namespace).length;
    }
    return left === 0;
  }

  #emptyDefinition(definition: KubeObject): void {
    const resource = this.#registry.byKey(definition.metadata.name);
    if (!resource) return;
    for (const object of [...this.#lifecycle.store.all(resource)]) this.#drop(resource, object);
  }

  #drop(resource: Resource, object: KubeObject): void {
    const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== 'kubernetes.io/pvc-protection');
    if (finalizers.length === 0) this.#remove(resource, object, 'Background');
    else if (object.metadata.deletionTimestamp === undefined) this.#mark(resource, object, finalizers);
  }

  /** Takes an object out of the store; what it owned follows. */
  #remove(resource: Resource, object: KubeObject, propagation: Propagation | undefined): KubeObject {
    if (propagation === 'Orphan') this.#orphan(object);
    return this.#lifecycle.store.remove(resource, object);
  }

  /** @returns whether something that the owner owned is still there */
  #deleteOwned(uid: string, propagation: Propagation): boolean {
    for (const [kind, key] of this.#lifecycle.store.ownedBy(uid)) {
      const resource = this.#registry.byKey(kind);
      const object = this.#lifecycle.store.byKey(kind, key);
      if (!resource || !object) continue;
      const others = arrayAt(object, 'metadata', 'ownerReferences').length > 1;
      if (others) this.#disown(resource, object, uid);
      else if (object.metadata.deletionTimestamp === undefined) this.delete(resource, object, { propagation });
    }
    return this.#lifecycle.store.ownedBy(uid).length > 0;
  }

  #orphan(owner: KubeObject): void {
    for (const [kind, key] of this.#lifecycle.store.ownedBy(owner.metadata.uid ?? '')) {
      const resource = this.#registry.byKey(kind);
      const object = this.#lifecycle.store.byKey(kind, key);
      if (resource && object) this.#disown(resource, object, owner.metadata.uid ?? '');
    }
  }

  #disown(resource: Resource, object: KubeObject, uid: string): void {
    const left = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
    const { ownerReferences: _old, ...metadata } = object.metadata;
    this.#lifecycle.patch(resource, object, {
      metadata: left.length > 0 ? { ...metadata, ownerReferences: left } : metadata,
    });
  }
}
