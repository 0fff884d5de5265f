import type { ClusterConnection } from '@breakwater/application';
import type { HealthReport, KubeObject, ObjectKey } from '@breakwater/domain';
import { assessWorkloads, evidenceKinds, ownRulesFor, parseObjectKey } from '@breakwater/domain';
import type { ResourceMapping } from './discovery.ts';
import type { KubeApi } from './kube-api.ts';
import { CONFIG_MAPS, placeOf } from './kube-api.ts';
import { readFence } from './fence.ts';
import { isJobKey } from './job-key.ts';
import { READS_AT_ONCE } from './live-objects.ts';
import { inParallel } from './parallel.ts';

type AssessRequest = Parameters<ClusterConnection['assess']>[0];
type Missing = { readonly missing: ObjectKey };
type Observed = KubeObject | Missing;

/** From so many of a kind in a namespace on, one LIST is cheaper than a GET for each. */
const LIST_FROM = 3;
const EVIDENCE_LIMIT = 2_000;

const PODS: ResourceMapping = { ...CONFIG_MAPS, kind: 'Pod', plural: 'pods' };
const EVENTS: ResourceMapping = { ...CONFIG_MAPS, kind: 'Event', plural: 'events' };
const REPLICA_SETS: ResourceMapping = {
  ...CONFIG_MAPS,
  apiVersion: 'apps/v1',
  group: 'apps',
  kind: 'ReplicaSet',
  plural: 'replicasets',
};

/** Fresh reads, judged by the domain. What explains trouble is only read when there is some. */
export const assessFresh = async (api: KubeApi, request: AssessRequest): Promise<HealthReport> => {
  const observed = await readAll(api, request);
  const objects = await withoutJobsThatRan(api, request, observed);
  const needs = evidenceKinds(objects);
  const keys = request.keys.map(({ key }) => key);
  const judge = (evidence: { pods: KubeObject[]; replicaSets: KubeObject[]; events: KubeObject[] }): HealthReport =>
    assessWorkloads(
      { objects, ...evidence, now: Date.now(), rules: ownRulesFor(request.healthRules ?? [], keys) },
      request.baseline,
      new Set<string>(request.changed),
    );
  const first = judge({ pods: [], replicaSets: [], events: [] });
  if (first.objects.every((object) => object.status === 'Healthy')) return first;
  const gather = async (mapping: ResourceMapping, need: 'pods' | 'replicaSets' | 'events'): Promise<KubeObject[]> => {
    const namespaces = needs.filter((entry) => entry[need]).map((entry) => entry.namespace);
    const lists = await inParallel(namespaces, 2, (namespace) =>
      api.list(mapping, namespace, request.signal, { limit: EVIDENCE_LIMIT }),
    );
    return lists.flatMap(({ items }) => items);
  };
  const [pods, replicaSets, events] = await Promise.all([
    gather(PODS, 'pods'),
    gather(REPLICA_SETS, 'replicaSets'),
    gather(EVENTS, 'events'),
  ]);
  return judge({ pods, replicaSets, events });
};

interface Asked {
  readonly key: ObjectKey;
  readonly mapping: ResourceMapping | null;
  readonly namespace: string;
  readonly name: string;
}

const readAll = async (api: KubeApi, request: AssessRequest): Promise<readonly Observed[]> => {
  const asked: Asked[] = [];
  for (const { key, apiVersion } of request.keys) {
    const { kind, namespace, name } = parseObjectKey(key);
    const mapping = await api.discovery.findAnyVersion(apiVersion, kind, request.signal);
    asked.push({ key, mapping, namespace: mapping?.namespaced === false ? '' : namespace, name });
  }
  const groups = [
    ...Map.groupBy(
      asked,
      ({ mapping, namespace }) => `${mapping?.apiVersion}/${mapping?.plural}/${namespace}`,
    ).values(),
  ];
  const read = await inParallel(groups, READS_AT_ONCE, (group) => readGroup(api, group, request.signal));
  return read.flat();
};

const readGroup = async (api: KubeApi, group: readonly Asked[], signal: AbortSignal): Promise<readonly Observed[]> => {
  const [first] = group;
  const mapping = first?.mapping ?? null;
  if (first === undefined || mapping === null) return group.map(({ key }) => ({ missing: key }));
  if (group.length < LIST_FROM || !mapping.listable) {
    return inParallel(group, 2, async ({ key, namespace, name }) =>
      observed(key, await api.get(placeOf(mapping, namespace, name), signal)),
    );
  }
  const { items, complete } = await api.list(mapping, first.namespace, signal, { limit: EVIDENCE_LIMIT });
  const byName = new Map(items.map((item) => [item.metadata.name, item]));
  return inParallel(group, 2, async ({ key, namespace, name }) => {
    const listed = byName.get(name);
    // Beyond the limit, absence has to be asked for.
    return observed(key, listed ?? (complete ? null : await api.get(placeOf(mapping, namespace, name), signal)));
  });
};

const observed = (key: ObjectKey, object: KubeObject | null): Observed => object ?? { missing: key };

/** A Job that has run may be gone (its time to live, or a rollback that did not run it again): the inventory remembers it. */
const withoutJobsThatRan = async (
  api: KubeApi,
  request: AssessRequest,
  objects: readonly Observed[],
): Promise<readonly Observed[]> => {
  const missingJobs = objects.filter(
    (object): object is Missing => 'missing' in object && isJobKey(object.missing as ObjectKey),
  );
  if (missingJobs.length === 0) return objects;
  const fence = await readFence(api, request.application, request.signal);
  const ran = new Set(
    missingJobs
      .filter(({ missing }) => fence?.inventory.get(missing)?.objectDigest != null)
      .map(({ missing }) => missing),
  );
  return objects.filter((object) => !('missing' in object && ran.has(object.missing as ObjectKey)));
};
