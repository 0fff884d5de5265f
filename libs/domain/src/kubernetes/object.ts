/** A Kubernetes object as it is written in a manifest or read from an API server. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly KubeOwnerReference[];
  readonly finalizers?: readonly string[];
  readonly [field: string]: unknown;
}

export interface KubeOwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/**
 * Names an object in a cluster without its version: `apps/Deployment/podinfo/web`, `Service/podinfo/web` (core group),
 * `rbac.authorization.k8s.io/ClusterRole//view` (cluster-scoped: the namespace is empty).
 */
export type ObjectKey = string & { readonly __brand: 'ObjectKey' };

export interface ObjectReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export const groupOf = (apiVersion: string): string => {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
};

export const keyOf = (reference: ObjectReference): ObjectKey => {
  const prefix = reference.group === '' ? '' : `${reference.group}/`;
  return `${prefix}${reference.kind}/${reference.namespace}/${reference.name}` as ObjectKey;
};

export const objectKey = (object: KubeObject): ObjectKey =>
  keyOf({
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  });

/** The inverse of {@link objectKey}; RBAC names may hold a `:` but never a `/`, so splitting is exact. */
export const parseObjectKey = (key: string): ObjectReference => {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const namespace = parts.at(-2) ?? '';
  const kind = parts.at(-3) ?? '';
  return { group: parts.slice(0, -3).join('/'), kind, namespace, name };
};
