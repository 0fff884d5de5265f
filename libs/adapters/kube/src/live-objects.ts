import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { refused } from './ended.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { NAMESPACES, placeOf } from './kube-api.ts';
import { inParallel } from './parallel.ts';
import type { Wanted } from './wanted.ts';
import { isNamespace } from './wanted.ts';

export const READS_AT_ONCE = 6;

export type LiveObjects = Map<ObjectKey, KubeObject | null>;

/** A place through which the live object can be read, whatever version of its kind is served; null: the kind is not there at all. */
export const readablePlace = async (api: KubeApi, place: Place, signal: AbortSignal): Promise<Place | null> => {
  const mapping = await api.discovery.findAnyVersion(place.mapping.apiVersion, place.mapping.kind, signal);
  return mapping === null ? null : placeOf(mapping, place.namespace, place.name);
};

const readOne = async (api: KubeApi, item: Wanted, signal: AbortSignal): Promise<KubeObject | null> => {
  if (item.served) return api.get(item.place, signal);
  const catalogue = await api.discovery.catalogue(signal);
  const { group, kind } = item.place.mapping;
  const mapping = catalogue.mappings.find((it) => it.group === group && it.kind === kind);
  return mapping === undefined ? null : api.get(placeOf(mapping, item.place.namespace, item.place.name), signal);
};

/** Namespaces that the bundle uses and does not make. */
const foreignNamespaces = (wanted: readonly Wanted[]): readonly string[] => {
  const made = new Set(wanted.filter((item) => isNamespace(item.place)).map((item) => item.place.name));
  return [...new Set(wanted.map((item) => item.place.namespace))].filter((name) => name !== '' && !made.has(name));
};

/**
 * What is live of the bundle's objects. Throws when a namespace that the bundle does not make is absent, before anything
 * is written.
 */
export const readLive = async (api: KubeApi, wanted: readonly Wanted[], signal: AbortSignal): Promise<LiveObjects> => {
  await inParallel(foreignNamespaces(wanted), READS_AT_ONCE, async (name) => {
    const namespace = await api.get(placeOf(NAMESPACES, '', name), signal);
    if (namespace === null)
      throw refused('Invalid', `the namespace ${name} does not exist, and the release does not make it`);
    if (namespace.metadata.deletionTimestamp !== undefined)
      throw refused('NamespaceTerminating', `the namespace ${name} is being deleted`);
  });
  const live: LiveObjects = new Map();
  const namespaces = wanted.filter((item) => isNamespace(item.place));
  const others = wanted.filter((item) => !isNamespace(item.place));
  await inParallel(namespaces, READS_AT_ONCE, async (item) => {
    live.set(item.key, await readOne(api, item, signal));
  });
  const absent = new Set(namespaces.filter((item) => live.get(item.key) === null).map((item) => item.place.name));
  await inParallel(others, READS_AT_ONCE, async (item) => {
    // Nothing lives in a namespace that does not exist.
    live.set(item.key, absent.has(item.place.namespace) ? null : await readOne(api, item, signal));
  });
  return live;
};
