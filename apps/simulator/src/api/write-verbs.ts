import { applyFields, updateFields } from '../apply/field-manager.ts';
import type { FieldConflict, Writer } from '../apply/field-manager.ts';
import { TypedValueError } from '../apply/typed-fields.ts';
import { isObject, objectAt, stringAt } from '../object.ts';
import type { Json, JsonObject, KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { asObject, conformed, judgeUnknown, parseBody } from './decode.ts';
import type { FieldValidation } from './decode.ts';
import { withDefaults } from './defaults.ts';
import type { Deletion, Propagation } from './deletion.ts';
import { timestamp } from './object-lifecycle.ts';
import type { ObjectLifecycle } from './object-lifecycle.ts';
import { jsonPatch, mergePatch, strategicPatch } from './patches.ts';
import {
  StatusError,
  badRequest,
  conflict,
  deletedStatus,
  invalid,
  invalidValue,
  modified,
  notFound,
  required,
} from './status-error.ts';

/** Where a write goes. */
export interface Target {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string | undefined;
}

/** Kinds whose deletion answers with the object that was there. */
const answersWithObject = new Set([
  'services',
  'pods',
  'persistentvolumeclaims',
  'persistentvolumes',
  'serviceaccounts',
  'resourcequotas',
  'podtemplates',
]);

/** The verbs that change a cluster: create, update, patch in all its forms, delete. */
export class WriteVerbs {
  readonly #lifecycle: ObjectLifecycle;
  readonly #deletion: Deletion;

  constructor(lifecycle: ObjectLifecycle, deletion: Deletion) {
    this.#lifecycle = lifecycle;
    this.#deletion = deletion;
  }

  create(target: Target, request: ApiRequest): ApiAnswer {
    const { resource } = target;
    const unknown: string[] = [];
    const given = this.#addressed(asObject(parseBody(request.body, request.contentType), resource), target);
    if (given.metadata.name === '' && (given.metadata.generateName ?? '') === '') {
      throw invalid(resource, '', [required('metadata.name', 'name or generateName is required')]);
    }
    const object = withDefaults(conformed(given, resource, unknown), resource);
    const warnings = judgeUnknown(unknown, fieldValidation(request), resource);
    const managers = updateFields(undefined, object, resource, writerOf(target, request));
    return { code: 201, body: this.#lifecycle.create(resource, object, managers, isDryRun(request)), warnings };
  }

  update(target: Target, request: ApiRequest): ApiAnswer {
    const { resource, name } = target;
    const unknown: string[] = [];
    const given = this.#addressed(asObject(parseBody(request.body, request.contentType), resource), target);
    const live = this.#live(target);
    if (!live) throw notFound(resource, name);
    const { resourceVersion, uid } = given.metadata;
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw modified(resource, name);
    if (uid !== undefined && uid !== live.metadata.uid) throw uidConflict(resource, name, uid, live);
    const object = conformed(given, resource, unknown);
    const warnings = judgeUnknown(unknown, fieldValidation(request), resource);
    return { code: 200, body: this.#changed(target, request, live, object), warnings };
  }

  patch(target: Target, request: ApiRequest): ApiAnswer {
    const type = request.contentType.split(';')[0]?.trim();
    if (type === 'application/apply-patch+yaml' || type === 'application/apply-patch+json')
      return this.#apply(target, request);
    const patch = parseBody(request.body, request.contentType);
    const live = this.#live(target);
    if (!live) throw notFound(target.resource, target.name);
    const patched = this.#patched(live, patch, type, target.resource);
    if (!isObject(patched) || !isObject(patched['metadata'])) throw badRequest('the patch leaves no object');
    const object = conformed(asObject(patched, target.resource), target.resource, []);
    const { resourceVersion, uid } = object.metadata;
    if (resourceVersion !== live.metadata.resourceVersion) throw modified(target.resource, target.name);
    if (uid !== live.metadata.uid) {
      throw invalid(target.resource, target.name, [invalidValue('metadata.uid', uid, 'field is immutable')]);
    }
    return { code: 200, body: this.#changed(target, request, live, object) };
  }

  #patched(live: KubeObject, patch: Json, type: string | undefined, resource: Resource): Json {
    switch (type) {
      case 'application/merge-patch+json':
        return mergePatch(live, patch);
      case 'application/strategic-merge-patch+json':
        if (!resource.custom) return strategicPatch(live, patch, resource.type);
        break;
      case 'application/json-patch+json':
        return jsonPatch(live, patch);
      default:
        break;
    }
    throw new StatusError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }

  #apply(target: Target, request: ApiRequest): ApiAnswer {
    const { resource, name } = target;
    const manager = request.query.get('fieldManager') ?? '';
    if (manager === '') {
      const options = { kind: 'PatchOptions', group: 'meta.k8s.io' };
      throw invalid(options, '', [required('fieldManager', 'is required for apply patch')]);
    }
    const sent = asObject(parseBody(request.body, 'yaml'), resource);
    const applied = this.#addressed(sent, target);
    if ('managedFields' in applied.metadata && applied.metadata.managedFields !== undefined) {
      throw badRequest('metadata.managedFields must be nil');
    }
    const live = this.#live(target);
    const { uid, resourceVersion } = applied.metadata;
    if (!live && target.subresource !== undefined) throw notFound(resource, name);
    if (!live && uid !== undefined) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(resource, name, why);
    }
    if (!live) this.#lifecycle.admitNamespace(resource, applied);
    if (live && resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw modified(resource, name);
    const writer = { ...writerOf(target, request), manager };
    const result = typed(sent, resource, () =>
      applyFields(live, applied, resource, writer, request.query.get('force') === 'true'),
    );
    if (!result.applied) throw managerConflict(result.conflicts);
    if (live && uid !== undefined && uid !== live.metadata.uid) {
      throw invalid(resource, name, [invalidValue('metadata.uid', uid, 'field is immutable')]);
    }
    const object = withDefaults(result.object, resource);
    const dryRun = isDryRun(request);
    if (!live) return { code: 201, body: this.#lifecycle.create(resource, object, result.managers, dryRun) };
    const { subresource } = target;
    return {
      code: 200,
      body: this.#lifecycle.update(resource, live, object, result.managers, { subresource, dryRun }),
    };
  }

  delete(target: Target, request: ApiRequest): ApiAnswer {
    const live = this.#live(target);
    if (!live) throw notFound(target.resource, target.name);
    return this.#deleted(target.resource, live, request);
  }

  deleteAll(objects: readonly KubeObject[], resource: Resource, request: ApiRequest): void {
    for (const object of objects) this.#deleted(resource, object, request);
  }

  #deleted(resource: Resource, live: KubeObject, request: ApiRequest): ApiAnswer {
    const body = request.body.length > 0 ? parseBody(request.body, request.contentType) : {};
    const propagation = stringAt(body, 'propagationPolicy') ?? request.query.get('propagationPolicy') ?? undefined;
    const dryRun =
      isDryRun(request) || (isObject(body) && Array.isArray(body['dryRun']) && body['dryRun'].includes('All'));
    const result = this.#deletion.delete(resource, live, {
      propagation: propagation as Propagation | undefined,
      uid: stringAt(body, 'preconditions', 'uid'),
      resourceVersion: stringAt(body, 'preconditions', 'resourceVersion'),
      dryRun,
    });
    const whole = !result.gone || answersWithObject.has(resource.key);
    return { code: 200, body: whole ? result.object : deletedStatus(resource, result.object) };
  }

  /** Runs the object that a PUT or a patch leads to through defaults, ownership and the store. */
  #changed(target: Target, request: ApiRequest, live: KubeObject, object: KubeObject): KubeObject {
    const { resource, subresource } = target;
    const next = subresource === undefined ? withDefaults(object, resource) : object;
    const managers = updateFields(live, next, resource, writerOf(target, request));
    return this.#lifecycle.update(resource, live, next, managers, { subresource, dryRun: isDryRun(request) });
  }

  #live(target: Target): KubeObject | undefined {
    return this.#lifecycle.store.get(target.resource, target.namespace, target.name);
  }

  /** The object with the namespace and name of the path; another one in the body is an error. */
  #addressed(object: KubeObject, target: Target): KubeObject {
    const { namespace, name } = object.metadata;
    if (
      target.namespace !== undefined &&
      namespace !== undefined &&
      namespace !== '' &&
      namespace !== target.namespace
    ) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    if (target.name !== '' && name !== '' && name !== target.name) {
      throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
    }
    const metadata: JsonObject = {
      ...object.metadata,
      name: name === '' ? target.name : name,
      ...(target.namespace !== undefined && { namespace: target.namespace }),
    };
    return { ...object, metadata } as KubeObject;
  }
}

function typed<T>(applied: KubeObject, resource: Resource, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TypedValueError)) throw error;
    const { namespace, name } = applied.metadata;
    const what = `${namespace ?? ''}/${name}; ${resource.apiVersion}, Kind=${resource.kind}`;
    throw new StatusError(500, '', `failed to create typed patch object (${what}): ${error.message}`);
  }
}

export function isDryRun(request: ApiRequest): boolean {
  return request.query.get('dryRun') === 'All';
}

function fieldValidation(request: ApiRequest): FieldValidation {
  const asked = request.query.get('fieldValidation');
  return asked === 'Strict' || asked === 'Ignore' ? asked : 'Warn';
}

function writerOf(target: Target, request: ApiRequest): Writer {
  const agent = request.userAgent.split('/')[0] ?? '';
  const manager = request.query.get('fieldManager') ?? (agent === '' ? 'unknown' : agent);
  return { manager, subresource: target.subresource, time: timestamp() };
}

function uidConflict(resource: Resource, name: string, uid: string, live: KubeObject): StatusError {
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${String(live.metadata.uid)}`;
  return conflict(resource, name, why);
}

function managerConflict(conflicts: readonly FieldConflict[]): StatusError {
  const causes = conflicts.map((one) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describeManager(one)}`,
    field: one.path,
  }));
  const managers = [...new Set(causes.map((cause) => cause.message))];
  const count = `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  const text =
    managers.length === 1 && conflicts.length === 1
      ? `${count}: ${causes[0]?.message ?? ''}: ${causes[0]?.field ?? ''}`
      : `${count}: ${managers
          .map(
            (message) =>
              `${message}:\n${causes
                .filter((c) => c.message === message)
                .map((c) => `- ${c.field}`)
                .join('\n')}`,
          )
          .join('\n')}`;
  return new StatusError(409, 'Conflict', text, { causes });
}

/** An updater is named with when and how it wrote, an applier by its name alone. */
function describeManager(one: FieldConflict): string {
  const name = JSON.stringify(one.manager);
  if (one.operation === 'Apply')
    return one.subresource === undefined ? name : `${name} with subresource ${JSON.stringify(one.subresource)}`;
  const how = `${name}${one.subresource === undefined ? '' : ` with subresource ${JSON.stringify(one.subresource)}`} using ${one.apiVersion}`;
  return one.time === undefined ? how : `${how} at ${one.time}`;
}

/** The deployed replicas of a kind with a scale subresource. */
export function scaleOf(object: KubeObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: objectAt(object, 'spec')?.['replicas'] ?? 0 },
    status: { replicas: objectAt(object, 'status')?.['replicas'] ?? 0 },
  };
}
