import type { ClusterConnection } from '@breakwater/application';
import type { HealthReport, KubeObject, ObjectKey } from '@breakwater/domain';
import { assessWorkloads, evidenceKinds, ownRulesFor, parseObjectKey } from '@breakwater/domain';
import type { ResourceMapping } from './discovery.ts';
import { cutOff, Ended, Oversized } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { CONFIG_MAPS, placeOf } from './kube-api.ts';
import { readFence } from './fence.ts';
import { isJobKey } from './job-key.ts';
import { READS_AT_ONCE } from './live-objects.ts';
import { inParallel } from './parallel.ts';

type AssessRequest = Parameters<ClusterConnection['assess']>[0];
type Missing = { readonly missing: ObjectKey };
type Observed = KubeObject | Missing;

/** From so many of a kind in a namespace on, LISTs are cheaper than a GET for each. */
const LIST_FROM = 10;
/** Objects of a page: each may have 3 MiB. */
const PAGE = 50;
/** Of what others have in the namespace, so much is read along; then the rest is asked for by name. */
const OTHERS = 4;
const MAX_LIST_BYTES = 32 * 1024 * 1024;
const EVIDENCE_LIMIT = 2_000;
/** Pending claims that are asked about one by one, and how many events of each are read. */
const CLAIMS = 50;
const CLAIM_EVENTS = 50;

const PODS: ResourceMapping = { ...CONFIG_MAPS, kind: 'Pod', plural: 'pods' };
const EVENTS: ResourceMapping = { ...CONFIG_MAPS, kind: 'Event', plural: 'events' };
const REPLICA_SETS: ResourceMapping = {
  ...CONFIG_MAPS,
  apiVersion: 'apps/v1',
  group: 'apps',
  kind: 'ReplicaSet',
  plural: 'replicasets',
};

/** Fresh reads, judged by the domain, within a time of its own: a server may answer each of many requests slowly. */
export const assessFresh = async (api: KubeApi, request: AssessRequest): Promise<HealthReport> => {
  const limit = AbortSignal.timeout(api.timeouts.assess);
  try {
    return await assessNow(api, { ...request, signal: AbortSignal.any([request.signal, limit]) });
  } catch (error) {
    if (!limit.aborted || request.signal.aborted || error instanceof Ended) throw error;
    throw cutOff('Timeout', `the objects could not be read within ${api.timeouts.assess} ms`);
  }
};

/** What explains trouble is only read when there is some. */
const assessNow = async (api: KubeApi, request: AssessRequest): Promise<HealthReport> => {
  const asked = await placesOf(api, request);
  const observed = await readAll(api, asked, request.signal);
  const objects = await withoutJobsThatRan(api, request, observed);
  const needs = evidenceKinds(objects);
  const keys = request.keys.map(({ key }) => key);
  const judge = (evidence: { pods: KubeObject[]; replicaSets: KubeObject[]; events: KubeObject[] }): HealthReport =>
    assessWorkloads(
      { objects, ...evidence, now: Date.now(), rules: ownRulesFor(request.healthRules ?? [], keys) },
      request.baseline,
      changedAs(asked, request.changed),
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
  const [pods, replicaSets, events, ofClaims] = await Promise.all([
    gather(PODS, 'pods'),
    gather(REPLICA_SETS, 'replicaSets'),
    gather(EVENTS, 'events'),
    claimEvents(api, objects, request.signal),
  ]);
  return judge({ pods, replicaSets, events: withoutRepeats([...ofClaims, ...events]) });
};

/** Only an event says that a claim is meant to wait, and in a busy namespace it may not be among those that are read. */
const claimEvents = async (
  api: KubeApi,
  objects: readonly Observed[],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> => {
  const pending = objects.filter(
    (object): object is KubeObject =>
      !('missing' in object) &&
      object.apiVersion === 'v1' &&
      object.kind === 'PersistentVolumeClaim' &&
      (object['status'] as { phase?: unknown } | undefined)?.phase !== 'Bound',
  );
  const lists = await inParallel(pending.slice(0, CLAIMS), 2, ({ kind, metadata: { namespace = '', name } }) => {
    const query = { fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}` };
    return api.list(EVENTS, namespace, signal, { query, limit: CLAIM_EVENTS });
  });
  return lists.flatMap(({ items }) => items);
};

const withoutRepeats = (objects: readonly KubeObject[]): KubeObject[] => [
  ...new Map(objects.map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object])).values(),
];

interface Asked {
  readonly key: ObjectKey;
  readonly mapping: ResourceMapping | null;
  readonly namespace: string;
  readonly name: string;
}

const placesOf = async (api: KubeApi, request: AssessRequest): Promise<readonly Asked[]> => {
  const asked: Asked[] = [];
  for (const { key, apiVersion } of request.keys) {
    const { kind, namespace, name } = parseObjectKey(key);
    const mapping = await api.discovery.findAnyVersion(apiVersion, kind, request.signal);
    asked.push({ key, mapping, namespace: mapping?.namespaced === false ? '' : namespace, name });
  }
  return asked;
};

/** Whoever rendered may not have known a kind's scope: what changed, as the cluster names it. */
const changedAs = (asked: readonly Asked[], changed: readonly ObjectKey[]): ReadonlySet<string> => {
  const names = new Map(
    asked.flatMap(({ key, mapping, namespace, name }) =>
      mapping === null ? [] : [[key, placeOf(mapping, namespace, name).key] as const],
    ),
  );
  return new Set(changed.map((key) => names.get(key) ?? key));
};

const readAll = async (api: KubeApi, asked: readonly Asked[], signal: AbortSignal): Promise<readonly Observed[]> => {
  const groups = [
    ...Map.groupBy(
      asked,
      ({ mapping, namespace }) => `${mapping?.apiVersion}/${mapping?.plural}/${namespace}`,
    ).values(),
  ];
  const read = await inParallel(groups, READS_AT_ONCE, (group) => readGroup(api, group, signal));
  return read.flat();
};

const readGroup = async (api: KubeApi, group: readonly Asked[], signal: AbortSignal): Promise<readonly Observed[]> => {
  const [first] = group;
  const mapping = first?.mapping ?? null;
  if (first === undefined || mapping === null) return group.map(({ key }) => ({ missing: key }));
  const large = group.length >= LIST_FROM && mapping.listable;
  const limit = group.length * OTHERS;
  const { items, complete } = large ? await listed(api, mapping, first.namespace, limit, signal) : NOTHING_LISTED;
  const byName = new Map(items.map((item) => [item.metadata.name, item]));
  return inParallel(group, 2, async ({ key, namespace, name }) => {
    const found = byName.get(name);
    // Beyond the limit, absence has to be asked for.
    return observed(key, found ?? (complete ? null : await api.get(placeOf(mapping, namespace, name), signal)));
  });
};

const NOTHING_LISTED = { items: [], complete: false } as const;

/** What others have in the namespace may be too much to read along. */
const listed = async (
  api: KubeApi,
  mapping: ResourceMapping,
  namespace: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly items: readonly KubeObject[]; readonly complete: boolean }> => {
  try {
    return await api.list(mapping, namespace, signal, { limit, pageSize: PAGE, maxBytes: MAX_LIST_BYTES });
  } catch (error) {
    if (error instanceof Oversized) return NOTHING_LISTED;
    throw error;
  }
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
