import type { ForeignEdit, HistoryRequest, Looked, NotLookedAt } from '@breakwater/application';
import { type KubeObject, nodeChanges, type NodeChange, parseObjectKey } from '@breakwater/domain';
import { Ended } from './ended.ts';
import { type FenceEntry, readFence } from './fence.ts';
import { foreignEdits, isMissing } from './foreign-edits.ts';
import { type KubeApi, placeOf } from './kube-api.ts';
import { READS_AT_ONCE } from './live-objects.ts';
import { inParallel } from './parallel.ts';

export const OBJECTS = 1_000;
const NODES = 2_000;
const TOLD = 1_000;
/** Of a time-out that objects may use up: listing Nodes is one request, and must not starve. */
const SHARE_OF_OBJECTS = 0.7;

/** Without content: no value of any object leaves the API server. Servers that cannot do that answer with the whole object. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

type Found<T> = { readonly found: readonly T[]; readonly notLookedAt: readonly NotLookedAt[] };

/** Goes through the inventories of the applications and the Nodes. One part that cannot be read does not hide the others: it is named. */
export const readHistory = async (api: KubeApi, request: HistoryRequest): Promise<Looked> => {
  const edits = await orNamed('foreign edits', () => readEdits(api, request));
  const nodes = await orNamed('nodes', () => readNodes(api, request));
  const [someEdits, someNodes] = [
    firstOf(edits.found, 'the other foreign edits'),
    firstOf(nodes.found, 'the other node changes'),
  ];
  return {
    kind: 'Looked',
    edits: someEdits.found,
    nodes: someNodes.found,
    notLookedAt: [edits, nodes, someEdits, someNodes].flatMap(({ notLookedAt }) => notLookedAt),
  };
};

/** A cluster that goes away in the middle. */
const orNamed = async <T>(what: string, read: () => Promise<Found<T>>): Promise<Found<T>> => {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Ended) || error.end.kind !== 'Unreachable') throw error;
    return { found: [], notLookedAt: [{ what, reason: `${error.end.reason}: ${error.end.message}` }] };
  }
};

const firstOf = <T extends { readonly at: number | null }>(found: readonly T[], what: string): Found<T> => {
  if (found.length <= TOLD) return { found, notLookedAt: [] };
  const newest = found.toSorted((left, right) => (right.at ?? Infinity) - (left.at ?? Infinity)).slice(0, TOLD);
  return { found: newest, notLookedAt: [{ what, reason: `only the newest ${TOLD} are told` }] };
};

interface Listed {
  readonly application: string;
  readonly entry: FenceEntry;
  /** While a rollout writes there, what is missing may be on its way. */
  readonly settled: boolean;
}

const readEdits = async (api: KubeApi, request: HistoryRequest): Promise<Found<ForeignEdit>> => {
  const notLookedAt: NotLookedAt[] = [];
  const listed: Listed[] = [];
  const late = AbortSignal.timeout(Math.floor(request.timeout * SHARE_OF_OBJECTS));
  const signal = AbortSignal.any([request.signal, late]);
  await inParallel(request.applications, READS_AT_ONCE, async (application) => {
    const read = await orReason(late, request.signal, () => readFence(api, application, signal));
    if ('reason' in read) notLookedAt.push({ what: `foreign edits of ${application}`, reason: read.reason });
    else
      for (const entry of read.value?.inventory.values() ?? [])
        listed.push({ application, entry, settled: read.value?.closed === true });
  });
  const some = listed.slice(0, OBJECTS);
  if (listed.length > OBJECTS)
    notLookedAt.push({ what: `${listed.length - OBJECTS} of ${listed.length} objects`, reason: `${OBJECTS} are read` });
  const unread = new Map<string, { count: number; readonly kind: string; readonly reason: string }>();
  const edits = await inParallel(some, READS_AT_ONCE, async (each) => {
    const read = await orReason(late, request.signal, () => readMetadata(api, each.entry, signal));
    if (!('reason' in read)) return editsOf(each, read.value, request.since);
    const { kind } = parseObjectKey(each.entry.key);
    const at = `${kind} ${read.reason}`;
    const known = unread.get(at) ?? { count: 0, kind, reason: read.reason };
    unread.set(at, { ...known, count: known.count + 1 });
    return [];
  });
  for (const { count, kind, reason } of unread.values())
    notLookedAt.push({ what: `foreign edits of ${count} ${kind} ${count === 1 ? 'object' : 'objects'}`, reason });
  return { found: edits.flat(), notLookedAt };
};

const readMetadata = async (api: KubeApi, entry: FenceEntry, signal: AbortSignal): Promise<KubeObject | null> => {
  const { kind, namespace, name } = parseObjectKey(entry.key);
  const mapping = await api.discovery.findAnyVersion(entry.apiVersion, kind, signal);
  return mapping === null ? null : api.get(placeOf(mapping, namespace, name), signal, METADATA_ONLY);
};

const editsOf = (
  { application, entry, settled }: Listed,
  live: KubeObject | null,
  since: number,
): readonly ForeignEdit[] => {
  const object = entry.key;
  if (live !== null) return foreignEdits(live, entry, since).map((edit) => ({ application, object, ...edit }));
  if (!settled || !isMissing(entry)) return [];
  return [{ application, object, at: null, what: 'is gone, and Breakwater did not delete it', manager: '' }];
};

const readNodes = async (api: KubeApi, request: HistoryRequest): Promise<Found<NodeChange>> => {
  const late = AbortSignal.timeout(Math.ceil(request.timeout * (1 - SHARE_OF_OBJECTS)));
  const signal = AbortSignal.any([request.signal, late]);
  const read = await orReason(late, request.signal, async () => {
    const mapping = await api.discovery.find('v1', 'Node', signal);
    return mapping === null ? null : api.list(mapping, '', signal, { limit: NODES });
  });
  if ('reason' in read) return { found: [], notLookedAt: [{ what: 'nodes', reason: read.reason }] };
  if (read.value === null)
    return { found: [], notLookedAt: [{ what: 'nodes', reason: 'the cluster serves no Nodes' }] };
  const notLookedAt = read.value.complete
    ? []
    : [{ what: 'the other nodes', reason: `only the first ${read.value.items.length} are read` }];
  return { found: read.value.items.flatMap((node) => nodeChanges(node, request.since)), notLookedAt };
};

/** A refusal, and time that has run out, are about this one read; a cluster that is away is about all of them, and is thrown. */
const orReason = async <T>(
  late: AbortSignal,
  stopped: AbortSignal,
  read: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly reason: string }> => {
  if (late.aborted) return { reason: OUT_OF_TIME };
  try {
    return { value: await read() };
  } catch (error) {
    if (stopped.aborted) throw error;
    if (late.aborted) return { reason: OUT_OF_TIME };
    if (error instanceof Ended && error.end.kind === 'Refused')
      return { reason: `${error.end.reason}: ${error.end.message}` };
    throw error;
  }
};

const OUT_OF_TIME = 'the cluster did not answer in time';
