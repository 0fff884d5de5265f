import type { ApplyPolicy, KubeObject, ObjectKey } from '@breakwater/domain';
import { groupOf, objectDigest } from '@breakwater/domain';
import { orderOf, ORDER } from './apply-order.ts';
import type { ResourceMapping } from './discovery.ts';
import { mappingsOfCrd } from './discovery.ts';
import { Ended, refused } from './ended.ts';
import type { FieldPath } from './field-path.ts';
import { parseFieldPath } from './field-path.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { NAMESPACES, placeOf } from './kube-api.ts';

/** An object of the bundle, with what is needed to apply it. */
export interface Wanted {
  readonly key: ObjectKey;
  /** Namespace filled in. */
  readonly object: KubeObject;
  /** Digest before anything is injected. */
  readonly digest: string;
  readonly place: Place;
  /** False while only a CRD of this bundle says that the kind will be there. */
  readonly served: boolean;
  /** Fields left to others. */
  readonly ignored: readonly FieldPath[];
  /** The application's namespace, which the bundle does not name: made when it is absent, else used as it is. */
  readonly implied: boolean;
}

export const isNamespace = (place: Place): boolean => place.mapping.group === '' && place.mapping.kind === 'Namespace';
export const isJob = (place: Place): boolean => place.mapping.group === 'batch' && place.mapping.kind === 'Job';

const REPLICAS: FieldPath = [{ field: 'spec' }, { field: 'replicas' }];

const ignoredOf = (object: KubeObject, policy: Pick<ApplyPolicy, 'ignore'>): readonly FieldPath[] =>
  policy.ignore
    .filter((rule) => rule.kind === object.kind && (rule.name === undefined || rule.name === object.metadata.name))
    .flatMap((rule) => rule.fields)
    .map((field) => {
      const path = parseFieldPath(field);
      if (path === null)
        throw refused('Invalid', `ignore: ${JSON.stringify(field)} is not a field path such as spec.replicas`);
      return path;
    });

const inNamespace = (object: KubeObject, place: Place): KubeObject => {
  const { namespace, ...metadata } = object.metadata;
  if (place.namespace === (namespace ?? '')) return object;
  return { ...object, metadata: place.namespace === '' ? metadata : { ...metadata, namespace: place.namespace } };
};

/** Where everything of a bundle goes. Throws KindNotServed when neither the cluster nor a CRD of the bundle knows a kind. */
export const wantedFrom = async (
  api: KubeApi,
  objects: readonly KubeObject[],
  policy: ApplyPolicy,
  signal: AbortSignal,
): Promise<readonly Wanted[]> => {
  const announced = objects.filter((object) => orderOf(object) === ORDER.Definition).flatMap(mappingsOfCrd);
  const scaled = new Set(objects.flatMap((object) => scaleTarget(object, policy.namespace)));
  const wanted: Wanted[] = [];
  for (const object of objects) {
    const { mapping, served } = await mappingFor(api, object, announced, signal);
    const place = placeOf(mapping, object.metadata.namespace ?? policy.namespace, object.metadata.name);
    const ignored = ignoredOf(object, policy);
    wanted.push({
      key: place.key,
      object: inNamespace(object, place),
      digest: objectDigest(object),
      place,
      served,
      ignored: scaled.has(place.key) ? [...ignored, REPLICAS] : ignored,
      implied: false,
    });
  }
  return withNamespace(wanted, policy.namespace);
};

const mappingFor = async (
  api: KubeApi,
  object: KubeObject,
  announced: readonly ResourceMapping[],
  signal: AbortSignal,
): Promise<{ readonly mapping: ResourceMapping; readonly served: boolean }> => {
  const promised = announced.find(
    (mapping) => mapping.apiVersion === object.apiVersion && mapping.kind === object.kind,
  );
  if (promised !== undefined) {
    // Another version of it may be there already: the live object is read through that one.
    const catalogue = await api.discovery.catalogue(signal);
    const exact = catalogue.mappings.some((it) => it.apiVersion === object.apiVersion && it.kind === object.kind);
    return { mapping: promised, served: exact };
  }
  const mapping = await api.discovery.find(object.apiVersion, object.kind, signal);
  if (mapping !== null) return { mapping, served: true };
  throw refused(
    'KindNotServed',
    `this cluster does not serve ${object.apiVersion} ${object.kind} (${object.metadata.name}), and no CustomResourceDefinition of the release defines it`,
  );
};

/** Objects whose kind neither the cluster nor a CRD of the bundle knows, and what is said of each. */
export const unknownKinds = async (
  api: KubeApi,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<ReadonlyMap<KubeObject, string>> => {
  const announced = objects.filter((object) => orderOf(object) === ORDER.Definition).flatMap(mappingsOfCrd);
  const unknown = new Map<KubeObject, string>();
  for (const object of objects) {
    try {
      await mappingFor(api, object, announced, signal);
    } catch (error) {
      if (!(error instanceof Ended) || error.end.kind !== 'Refused' || error.end.reason !== 'KindNotServed')
        throw error;
      unknown.set(object, error.message);
    }
  }
  return unknown;
};

const withNamespace = (wanted: readonly Wanted[], namespace: string): readonly Wanted[] => {
  const place = placeOf(NAMESPACES, '', namespace);
  const needed = wanted.some((item) => item.place.namespace === namespace);
  if (!needed || wanted.some((item) => item.key === place.key)) return wanted;
  const object: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  return [
    { key: place.key, object, digest: objectDigest(object), place, served: true, ignored: [], implied: true },
    ...wanted,
  ];
};

const SCALABLE: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'ReplicaSet']);

const scaleTarget = (hpa: KubeObject, namespace: string): readonly ObjectKey[] => {
  if (hpa.kind !== 'HorizontalPodAutoscaler' || groupOf(hpa.apiVersion) !== 'autoscaling') return [];
  const target = (hpa['spec'] as { scaleTargetRef?: { apiVersion?: string; kind?: string; name?: string } } | undefined)
    ?.scaleTargetRef;
  if (target?.kind === undefined || target.name === undefined) return [];
  const group = groupOf(target.apiVersion ?? 'apps/v1');
  const prefix = group === '' ? '' : `${group}/`;
  return [`${prefix}${target.kind}/${hpa.metadata.namespace ?? namespace}/${target.name}` as ObjectKey];
};

/** Whoever may not see them gets a conflict with their scaling, if there are any: said, not overwritten. */
const readableAutoscalers = async (
  api: KubeApi,
  mapping: ResourceMapping,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> => {
  try {
    return (await api.list(mapping, namespace, signal)).items;
  } catch (error) {
    if (error instanceof Ended && error.end.kind === 'Refused' && error.end.reason === 'Forbidden') return [];
    throw error;
  }
};

/** Replicas belong to an autoscaler that is in the cluster, too, not only to one in the bundle. */
export const withLiveAutoscalers = async (
  api: KubeApi,
  wanted: readonly Wanted[],
  signal: AbortSignal,
): Promise<readonly Wanted[]> => {
  const scalable = wanted.filter(
    (item) =>
      item.place.mapping.group === 'apps' &&
      SCALABLE.has(item.place.mapping.kind) &&
      (item.object['spec'] as { replicas?: unknown } | undefined)?.replicas !== undefined &&
      !item.ignored.includes(REPLICAS),
  );
  if (scalable.length === 0) return wanted;
  const mapping = await api.discovery.findAnyVersion('autoscaling/v2', 'HorizontalPodAutoscaler', signal);
  if (mapping === null) return wanted;
  const targets = new Set<ObjectKey>();
  for (const namespace of new Set(scalable.map((item) => item.place.namespace))) {
    for (const hpa of await readableAutoscalers(api, mapping, namespace, signal))
      for (const key of scaleTarget(hpa, namespace)) targets.add(key);
  }
  return wanted.map((item) =>
    targets.has(item.key) && scalable.includes(item) ? { ...item, ignored: [...item.ignored, REPLICAS] } : item,
  );
};
