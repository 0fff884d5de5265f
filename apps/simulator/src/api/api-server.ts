import { randomBytes } from 'node:crypto';
import { isObject, numberAt } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { Access, reviewOf } from './access.ts';
import type { Attributes, PolicyRule } from './access.ts';
import type { ApiAnswer, ApiRequest, User, WatchAnswer } from './api-request.ts';
import { asObject, parseBody } from './decode.ts';
import { Deletion } from './deletion.ts';
import type { Later } from './deletion.ts';
import { Discovery, simulatedVersion } from './discovery.ts';
import { ObjectLifecycle, resourceOf, timestamp } from './object-lifecycle.ts';
import { ReadVerbs } from './read-verbs.ts';
import { parseTarget } from './request-info.ts';
import type { RequestTarget } from './request-info.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { StatusError, forbidden, methodNotAllowed, noSuchResource, notFound, unauthorized } from './status-error.ts';
import { WriteVerbs, scaleOf } from './write-verbs.ts';

export interface ApiServerOptions {
  readonly store: ObjectStore;
  readonly gitVersion: string;
  readonly later: Later;
  readonly bookmarkMs: number;
}

type ResourceTarget = Extract<RequestTarget, { kind: 'resource' }>;

const serviceAccounts = resourceOf('serviceaccounts');

/** One cluster's API: authentication, authorization, and the verb that a request asks for. */
export class ApiServer {
  readonly lifecycle: ObjectLifecycle;
  readonly registry = new ResourceRegistry();
  readonly deletion: Deletion;
  readonly access: Access;
  readonly #users = new Map<string, User>();
  readonly #writes: WriteVerbs;
  readonly #reads: ReadVerbs;
  readonly #discovery: Discovery;
  readonly #version: JsonObject;
  readonly #store: ObjectStore;

  constructor(options: ApiServerOptions) {
    this.#store = options.store;
    this.lifecycle = new ObjectLifecycle(options.store);
    this.deletion = new Deletion(this.lifecycle, this.registry, options.later);
    this.access = new Access(options.store);
    this.#writes = new WriteVerbs(this.lifecycle, this.deletion);
    this.#reads = new ReadVerbs(options.store, options.bookmarkMs);
    this.#discovery = new Discovery(this.registry);
    this.#version = simulatedVersion(options.gitVersion);
  }

  /** Accepts a bearer token; without rules the user may do what the cluster's bindings say. */
  addUser(token: string, user: User, rules?: readonly PolicyRule[]): void {
    this.#users.set(token, user);
    if (rules) this.access.grant(user.name, rules);
  }

  revoke(token: string): void {
    this.#users.delete(token);
  }

  /** @throws StatusError for every answer that is a failure */
  answer(request: ApiRequest): ApiAnswer | WatchAnswer {
    const user = this.#authenticate(request);
    const target = parseTarget(request.path);
    switch (target.kind) {
      case 'resource':
        return this.#resource(target, request, user);
      case 'core-versions':
        return this.#discovery.coreVersions(request);
      case 'groups':
        return this.#discovery.groups(request);
      case 'group':
        return this.#discovery.group(target.group);
      case 'resources':
        return this.#discovery.resources(target.apiVersion);
      case 'version':
        return { code: 200, body: this.#version };
      case 'health':
        return { code: 200, body: 'ok' };
      case 'openapi':
        return { code: 404, body: 'simulated: no OpenAPI document\n' };
      case 'unknown':
        return { code: 404, body: '404 page not found\n' };
    }
  }

  #authenticate(request: ApiRequest): User {
    const token = request.authorization.startsWith('Bearer ') ? request.authorization.slice('Bearer '.length) : '';
    const user = this.#users.get(token);
    if (user) return user;
    if (token === '' && request.authorization === '')
      return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
    throw unauthorized();
  }

  #resource(target: ResourceTarget, request: ApiRequest, user: User): ApiAnswer | WatchAnswer {
    const resource = this.registry.find(target.apiVersion, target.plural);
    const verb = verbOf(target, request);
    const { namespace, name, subresource } = target;
    this.#authorize(user, target, verb);
    if (!resource) {
      if (this.registry.all().some((known) => known.apiVersion === target.apiVersion)) throw noSuchResource();
      return { code: 404, body: '404 page not found\n' };
    }
    if (resource.namespaced && namespace === undefined && name !== undefined) throw noSuchResource();
    if (!resource.namespaced && namespace !== undefined) throw noSuchResource();
    if (subresource !== undefined) return this.#subresource(resource, target, request, verb);
    if (!resource.verbs.includes(verb)) {
      if (verb === 'unknown' || name !== undefined || resource.verbs.includes('get')) throw methodNotAllowed();
      throw methodNotAllowed();
    }
    const write = { resource, namespace, name: name ?? '', subresource };
    switch (verb) {
      case 'get': {
        const found = this.#store.get(resource, namespace, name ?? '');
        if (!found) throw notFound(resource, name ?? '');
        return { code: 200, body: found };
      }
      case 'list':
        return this.#reads.list({ resource, namespace, name }, request);
      case 'watch':
        return this.#reads.watch({ resource, namespace, name }, request);
      case 'create':
        return this.#isReview(resource) ? this.#review(resource, request, user) : this.#writes.create(write, request);
      case 'update':
        return this.#writes.update(write, request);
      case 'patch':
        return this.#writes.patch(write, request);
      case 'delete':
        return this.#writes.delete(write, request);
      case 'deletecollection': {
        const selected = this.#reads.select({ resource, namespace, name }, request.query);
        this.#writes.deleteAll(selected, resource, request);
        return this.#reads.list({ resource, namespace, name }, request);
      }
      default:
        throw methodNotAllowed();
    }
  }

  #subresource(resource: Resource, target: ResourceTarget, request: ApiRequest, verb: string): ApiAnswer {
    const { namespace, name = '', subresource } = target;
    const known = resource.subresources.find((entry) => entry.name === subresource);
    if (!known) throw noSuchResource();
    if (!known.verbs.includes(verb)) throw methodNotAllowed();
    const found = this.#store.get(resource, namespace, name);
    if (!found) throw notFound(resource, name);
    const write = { resource, namespace, name, subresource };
    if (subresource === 'status') {
      if (verb === 'get') return { code: 200, body: found };
      return verb === 'update' ? this.#writes.update(write, request) : this.#writes.patch(write, request);
    }
    if (subresource === 'scale' && verb === 'get') return { code: 200, body: scaleOf(found) };
    if (subresource === 'token' && resource === serviceAccounts) return this.#token(namespace ?? '', name, request);
    throw new StatusError(501, 'NotImplemented', `simulated: ${resource.plural}/${known.name} cannot be written`);
  }

  /** A token for a service account, which this cluster then accepts. */
  #token(namespace: string, name: string, request: ApiRequest): ApiAnswer {
    const body = request.body.length > 0 ? parseBody(request.body, request.contentType) : {};
    const seconds = numberAt(body, 'spec', 'expirationSeconds') ?? 3_600;
    const token = `simulated.${randomBytes(24).toString('base64url')}`;
    this.addUser(token, {
      name: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    });
    const now = Date.now();
    return {
      code: 201,
      body: {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { name, namespace, creationTimestamp: timestamp(now) },
        spec: { ...(isObject(body) && isObject(body['spec']) ? body['spec'] : {}), expirationSeconds: seconds },
        status: { token, expirationTimestamp: timestamp(now + seconds * 1_000) },
      },
    };
  }

  #isReview(resource: Resource): boolean {
    return (
      resource.verbs.length === 1 &&
      (resource.group === 'authorization.k8s.io' || resource.group === 'authentication.k8s.io')
    );
  }

  #review(resource: Resource, request: ApiRequest, user: User): ApiAnswer {
    const body = asObject(parseBody(request.body, request.contentType), resource);
    switch (resource.plural) {
      case 'selfsubjectaccessreviews':
        return { code: 201, body: reviewOf(body, user, this.access) };
      case 'selfsubjectreviews':
        return {
          code: 201,
          body: { ...body, metadata: {}, status: { userInfo: { username: user.name, groups: user.groups } } },
        };
      default:
        throw new StatusError(501, 'NotImplemented', `simulated: ${resource.plural} is not answered`);
    }
  }

  #authorize(user: User, target: ResourceTarget, verb: string): void {
    const { group, plural, namespace, name, subresource } = target;
    const scope = plural === 'namespaces' ? name : namespace;
    const attributes: Attributes = { verb, group, resource: plural, subresource, namespace: scope, name };
    // Everybody may ask what they may do.
    if (group === 'authorization.k8s.io' && plural.startsWith('self')) return;
    if (this.access.allows(user, attributes)) return;
    const what = subresource === undefined ? plural : `${plural}/${subresource}`;
    const where = scope === undefined ? 'at the cluster scope' : `in the namespace "${scope}"`;
    const why = `User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
    throw forbidden({ plural, group, kind: plural }, name ?? '', why);
  }
}

export function verbOf(target: ResourceTarget, request: ApiRequest): string {
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const watch = request.query.get('watch');
      if (watch === '1' || watch === 'true') return 'watch';
      return target.name === undefined ? 'list' : 'get';
    }
    case 'POST':
      return target.name === undefined || target.subresource !== undefined ? 'create' : 'unknown';
    case 'PUT':
      return target.name === undefined ? 'unknown' : 'update';
    case 'PATCH':
      return target.name === undefined ? 'unknown' : 'patch';
    case 'DELETE':
      return target.name === undefined ? 'deletecollection' : 'delete';
    default:
      return 'unknown';
  }
}
