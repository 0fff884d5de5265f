import { CompactSchema, deduced } from './type-schema.ts';
import type { StructNode, TypeNode } from './type-schema.ts';
import { builtinTablesJson } from './builtin.generated.ts';

export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly verbs: readonly string[];
}

/** A kind as it is served: what discovery says of it, and its type. */
export interface Resource {
  /** `plural.group`, or the plural alone in the core group: the name under which objects are stored. */
  readonly key: string;
  readonly group: string;
  readonly version: string;
  /** `group/version`, or the version alone in the core group. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources: readonly Subresource[];
  readonly hasStatus: boolean;
  /** Whether the server counts generations of this kind. */
  readonly hasGeneration: boolean;
  readonly type: TypeNode;
  /** Defined by a CustomResourceDefinition. */
  readonly custom: boolean;
}

interface BuiltinTables {
  readonly resources: readonly Omit<
    Resource,
    'key' | 'apiVersion' | 'hasStatus' | 'hasGeneration' | 'type' | 'custom'
  >[];
  readonly kinds: Readonly<Record<string, number>>;
  readonly structures: ConstructorParameters<typeof CompactSchema>[0];
}

const withGeneration = new Set(
  (
    'pods replicationcontrollers podtemplates deployments.apps replicasets.apps statefulsets.apps daemonsets.apps ' +
    'jobs.batch cronjobs.batch poddisruptionbudgets.policy networkpolicies.networking.k8s.io ' +
    'ingresses.networking.k8s.io ingressclasses.networking.k8s.io customresourcedefinitions.apiextensions.k8s.io ' +
    'validatingwebhookconfigurations.admissionregistration.k8s.io ' +
    'mutatingwebhookconfigurations.admissionregistration.k8s.io ' +
    'validatingadmissionpolicies.admissionregistration.k8s.io ' +
    'validatingadmissionpolicybindings.admissionregistration.k8s.io priorityclasses.scheduling.k8s.io ' +
    'flowschemas.flowcontrol.apiserver.k8s.io prioritylevelconfigurations.flowcontrol.apiserver.k8s.io'
  ).split(' '),
);

export function resourceKey(group: string, plural: string): string {
  return group === '' ? plural : `${plural}.${group}`;
}

export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `Kind.group`, as messages of the API server name a kind. */
export function qualifiedKind(resource: Pick<Resource, 'kind' | 'group'>): string {
  return resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
}

const tables = JSON.parse(builtinTablesJson) as BuiltinTables;
const schema = new CompactSchema(tables.structures);

/** The kinds that every cluster serves; shared by all clusters of the process. */
export const builtinResources: readonly Resource[] = tables.resources.map((entry) => {
  const key = resourceKey(entry.group, entry.plural);
  const apiVersion = groupVersion(entry.group, entry.version);
  const index = tables.kinds[`${apiVersion}/${entry.kind}`];
  return {
    ...entry,
    key,
    apiVersion,
    hasStatus: entry.subresources.some((subresource) => subresource.name === 'status'),
    hasGeneration: withGeneration.has(key),
    // Looked up when first used: most kinds are never written.
    get type() {
      return index === undefined ? deduced : schema.node(`D${index}`);
    },
    custom: false,
  };
});

const metaNode = builtinResources
  .map((r) => r.type)
  .find((type): type is StructNode => type.kind === 'struct')
  ?.fields.get('metadata');

/** The type of `metadata`, which custom resources share with built-in ones. */
export const objectMetaType: TypeNode = metaNode ?? deduced;

export const builtinByKey: ReadonlyMap<string, Resource> = new Map(builtinResources.map((r) => [r.key, r]));
export const builtinByPath: ReadonlyMap<string, Resource> = new Map(
  builtinResources.map((r) => [`${r.apiVersion}/${r.plural}`, r]),
);
