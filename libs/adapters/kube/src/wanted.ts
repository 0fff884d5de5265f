import type { ApplyPolicy, KubeObject, ObjectKey } from '@breakwater/domain';
import { objectDigest } from '@breakwater/domain';
import { orderOf, ORDER } from './apply-order.ts';
import type { ResourceMapping } from './discovery.ts';
import { mappingsOfCrd } from './discovery.ts';
import { Ended, refused } from './ended.ts';
import type { FieldPath } from './field-path.ts';
import { parseFieldPath } from './field-path.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { NAMESPACES, placeOf } from './kube-api.ts';
import { REPLICAS, scaleTarget } from './scale-target.ts';

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
  /** No autoscaler scales it any more: what one has left in `spec.replicas` is nobody's claim. */
  readonly retakesReplicas: boolean;
  /** The application's namespace, which the bundle does not name: made when it is absent, else used as it is. */
  readonly implied: boolean;
}

export const isNamespace = (place: Place): boolean => place.mapping.group === '' && place.mapping.kind === 'Namespace';
export const isJob = (place: Place): boolean => place.mapping.group === 'batch' && place.mapping.kind === 'Job';

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
      retakesReplicas: false,
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
    {
      key: place.key,
      object,
      digest: objectDigest(object),
      place,
      served: true,
      ignored: [],
      retakesReplicas: false,
      implied: true,
    },
    ...wanted,
  ];
};
