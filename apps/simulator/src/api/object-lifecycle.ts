import { randomBytes, randomUUID } from 'node:crypto';
import { equal } from '../object.ts';
import type { JsonObject, KubeObject, ManagedFieldsEntry, ObjectMeta } from '../object.ts';
import { sortedEntries } from '../apply/field-manager.ts';
import type { Managers } from '../apply/field-manager.ts';
import { builtinByKey } from '../schema/resource-table.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { alreadyExists, forbidden, invalid, notFound } from './status-error.ts';
import { prepareForCreate, prepareForUpdate } from './strategies.ts';
import type { Allocator } from './strategies.ts';
import { validateUpdate } from './update-validation.ts';
import { validate } from './validation.ts';

const lastStamp = { second: -1, text: '' };

/** Seconds, as timestamps of objects are written. */
export function timestamp(ms = Date.now()): string {
  const second = Math.floor(ms / 1_000);
  if (second === lastStamp.second) return lastStamp.text;
  const text = `${new Date(second * 1_000).toISOString().slice(0, 19)}Z`;
  lastStamp.second = second;
  lastStamp.text = text;
  return text;
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

export function randomSuffix(length = 5): string {
  return [...randomBytes(length)].map((byte) => suffixAlphabet[byte % suffixAlphabet.length]).join('');
}

export const namespaceResource = resourceOf('namespaces');

export function resourceOf(key: string): Resource {
  const resource = builtinByKey.get(key);
  if (!resource) throw new Error(`no built-in resource ${key}`);
  return resource;
}

/** Storing objects with everything that the server itself adds, decides and refuses. */
export class ObjectLifecycle {
  readonly store: ObjectStore;
  readonly #allocator: Allocator;

  constructor(store: ObjectStore) {
    this.store = store;
    let addresses = 1;
    let ports = 0;
    this.#allocator = {
      clusterIp: () => {
        addresses += 1;
        return `10.96.${(addresses >> 8) & 255}.${addresses & 255}`;
      },
      nodePort: () => 30_000 + (ports++ % 2_768),
    };
  }

  /**
   * Stores a new object that has its defaults already.
   * @throws StatusError 403 in a namespace that is going, 404 without the namespace, 409 when the name is taken, 422
   */
  create(resource: Resource, given: KubeObject, managers: Managers, dryRun: boolean): KubeObject {
    this.admitNamespace(resource, given);
    const uid = randomUUID();
    const prepared = prepareForCreate(this.#named(given), resource, uid, this.#allocator);
    const object = { ...prepared, metadata: createdMetadata(prepared.metadata, resource, uid, managers) };
    if (this.store.get(resource, object.metadata.namespace, object.metadata.name)) {
      throw alreadyExists(resource, object.metadata.name);
    }
    const causes = validate(object, resource);
    if (causes.length > 0) throw invalid(resource, object.metadata.name, causes);
    return dryRun ? object : this.store.create(resource, object);
  }

  admitNamespace(resource: Resource, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    if (!resource.namespaced || namespace === undefined) return;
    const found = this.store.get(namespaceResource, undefined, namespace);
    if (!found) throw notFound(namespaceResource, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    throw forbidden(
      resource,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
      [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    );
  }

  #named(object: KubeObject): KubeObject {
    const { name, generateName } = object.metadata;
    if (name !== '' || generateName === undefined || generateName === '') return object;
    return { ...object, metadata: { ...object.metadata, name: `${generateName}${randomSuffix()}` } };
  }

  /**
   * Stores a changed object that has its defaults already; an update that changes nothing writes nothing.
   * @throws StatusError 422
   */
  update(
    resource: Resource,
    live: KubeObject,
    given: KubeObject,
    managers: Managers | undefined,
    options: { readonly subresource?: string | undefined; readonly dryRun?: boolean },
  ): KubeObject {
    const prepared = prepareForUpdate(live, given, resource, options.subresource);
    const managed = managers ? sortedEntries(managers) : live.metadata.managedFields;
    if (equal(prepared, live) && equal(managed, live.metadata.managedFields)) return live;
    const object: KubeObject = { ...prepared, metadata: withManaged(prepared.metadata, managed) };
    if (options.subresource === undefined) {
      const causes = [...validate(object, resource), ...validateUpdate(live, object, resource)];
      if (causes.length > 0) throw invalid(resource, object.metadata.name, causes);
    }
    if (options.dryRun) return object;
    const gone = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    if (gone && !holdsPods(resource) && resource !== namespaceResource) return this.store.remove(resource, object);
    return this.store.update(resource, live, object);
  }

  /** Writes a part of an object from inside: what a controller does, without checks. */
  patch(resource: Resource, live: KubeObject, change: JsonObject, metadata?: Partial<ObjectMeta>): KubeObject {
    const object = { ...live, ...change, ...(metadata && { metadata: { ...live.metadata, ...metadata } }) };
    if (equal(object, live)) return live;
    return this.store.update(resource, live, object as KubeObject);
  }
}

/** Pods go when their kubelet says so, not when they have no finalizers. */
function holdsPods(resource: Resource): boolean {
  return resource.key === 'pods';
}

function withManaged(metadata: ObjectMeta, managed: readonly ManagedFieldsEntry[] | undefined): ObjectMeta {
  const { managedFields: _old, ...rest } = metadata;
  return managed && managed.length > 0 ? { ...rest, managedFields: managed } : rest;
}

function createdMetadata(metadata: ObjectMeta, resource: Resource, uid: string, managers: Managers): ObjectMeta {
  const {
    resourceVersion: _rv,
    deletionTimestamp: _dt,
    deletionGracePeriodSeconds: _grace,
    generation: _gen,
    managedFields: _mf,
    ...rest
  } = metadata;
  const entries = sortedEntries(managers);
  return {
    ...rest,
    uid,
    creationTimestamp: timestamp(),
    ...(resource.hasGeneration && { generation: 1 }),
    ...(entries.length > 0 && { managedFields: entries }),
  };
}
