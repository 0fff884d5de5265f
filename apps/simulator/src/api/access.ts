import { arrayAt, objectAt, stringAt } from '../object.ts';
import type { Json, JsonObject, KubeObject } from '../object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { User } from './api-request.ts';
import { resourceOf } from './object-lifecycle.ts';

export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  /** Without it, everywhere. */
  readonly namespaces?: readonly string[];
}

const masters = 'system:masters';
const clusterRoles = resourceOf('clusterroles.rbac.authorization.k8s.io');
const clusterRoleBindings = resourceOf('clusterrolebindings.rbac.authorization.k8s.io');
const roles = resourceOf('roles.rbac.authorization.k8s.io');
const roleBindings = resourceOf('rolebindings.rbac.authorization.k8s.io');

/** Decides as RBAC does: by the roles and bindings that the cluster holds, and by rules given to a token. */
export class Access {
  readonly #store: ObjectStore;
  readonly #given = new Map<string, readonly PolicyRule[]>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Lets a user do more than the cluster's own bindings say. */
  grant(user: string, rules: readonly PolicyRule[]): void {
    this.#given.set(user, rules);
  }

  allows(user: User, attributes: Attributes): boolean {
    if (user.groups.includes(masters)) return true;
    if ((this.#given.get(user.name) ?? []).some((rule) => inNamespaces(rule, attributes) && covers(rule, attributes)))
      return true;
    for (const binding of this.#store.all(clusterRoleBindings)) {
      if (isSubject(binding, user) && this.#roleAllows(binding, undefined, attributes)) return true;
    }
    if (attributes.namespace === undefined) return false;
    return this.#store
      .list(roleBindings, attributes.namespace)
      .some((binding) => isSubject(binding, user) && this.#roleAllows(binding, attributes.namespace, attributes));
  }

  #roleAllows(binding: KubeObject, namespace: string | undefined, attributes: Attributes): boolean {
    const name = stringAt(binding, 'roleRef', 'name') ?? '';
    if (name === 'cluster-admin') return true;
    const local = stringAt(binding, 'roleRef', 'kind') === 'Role';
    const role = local ? this.#store.get(roles, namespace, name) : this.#store.get(clusterRoles, undefined, name);
    return arrayAt(role, 'rules').some((rule) => covers(ruleOf(rule), attributes));
  }
}

function inNamespaces(rule: PolicyRule, attributes: Attributes): boolean {
  return (
    rule.namespaces === undefined ||
    (attributes.namespace !== undefined && rule.namespaces.includes(attributes.namespace))
  );
}

function ruleOf(rule: Json): PolicyRule {
  const texts = (key: string): string[] => arrayAt(rule, key).filter((entry) => typeof entry === 'string');
  const resourceNames = texts('resourceNames');
  return {
    verbs: texts('verbs'),
    apiGroups: texts('apiGroups'),
    resources: texts('resources'),
    ...(resourceNames.length > 0 && { resourceNames }),
  };
}

function covers(rule: PolicyRule, attributes: Attributes): boolean {
  const resource =
    attributes.subresource === undefined ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const has = (list: readonly string[], entry: string): boolean => list.includes('*') || list.includes(entry);
  const named =
    rule.resourceNames === undefined || (attributes.name !== undefined && rule.resourceNames.includes(attributes.name));
  return (
    named && has(rule.verbs, attributes.verb) && has(rule.apiGroups, attributes.group) && has(rule.resources, resource)
  );
}

function isSubject(binding: KubeObject, user: User): boolean {
  return arrayAt(binding, 'subjects').some((subject) => {
    const name = stringAt(subject, 'name') ?? '';
    switch (stringAt(subject, 'kind')) {
      case 'User':
        return name === user.name;
      case 'Group':
        return user.groups.includes(name);
      case 'ServiceAccount':
        return user.name === `system:serviceaccount:${stringAt(subject, 'namespace') ?? ''}:${name}`;
      default:
        return false;
    }
  });
}

/** Answers a SelfSubjectAccessReview. */
export function reviewOf(body: JsonObject, user: User, access: Access): JsonObject {
  const asked = objectAt(body, 'spec', 'resourceAttributes');
  const text = (key: string): string | undefined => {
    const value = stringAt(asked, key);
    return value === '' ? undefined : value;
  };
  const allowed =
    asked === undefined ||
    access.allows(user, {
      verb: text('verb') ?? '',
      group: text('group') ?? '',
      resource: text('resource') ?? '',
      subresource: text('subresource'),
      namespace: text('namespace'),
      name: text('name'),
    });
  return { ...body, metadata: {}, status: { allowed } };
}
