import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { groupOf, keyOf } from '@breakwater/domain';
import type { ResourceMapping } from './discovery.ts';
import { Discovery, versionPath } from './discovery.ts';
import { cutOff, Ended, refused } from './ended.ts';
import type { Failure, FailureContext } from './kube-status.ts';
import { endOf, failureOf } from './kube-status.ts';
import type { HttpRequest, Reply, Timeouts, Transport } from './transport.ts';
import { MAX_ANSWER_BYTES } from './transport.ts';
import { wait } from './wait.ts';

export const FIELD_MANAGER = 'breakwater';

/** One object's place on the API server. */
export interface Place {
  readonly key: ObjectKey;
  readonly mapping: ResourceMapping;
  readonly namespace: string;
  readonly name: string;
}

export const parseObject = (reply: Reply): KubeObject => {
  try {
    return JSON.parse(reply.body) as KubeObject;
  } catch {
    throw cutOff('ServerError', 'the answer is not JSON');
  }
};

/** A path segment that cannot leave its place: API servers refuse such names too, but the path is cleaned before. */
export const segment = (text: string): string => {
  if (text === '' || text === '.' || text === '..' || text.includes('/') || text.includes('%')) {
    throw refused('Invalid', `${JSON.stringify(text)} cannot be the name of an object`);
  }
  return encodeURIComponent(text);
};

export const collectionPath = (mapping: ResourceMapping, namespace: string): string => {
  const inside = mapping.namespaced && namespace !== '' ? `/namespaces/${segment(namespace)}` : '';
  return `${versionPath(mapping.apiVersion)}${inside}/${mapping.plural}`;
};

export const objectPath = (place: Place): string =>
  `${collectionPath(place.mapping, place.namespace)}/${segment(place.name)}`;

export const placeOf = (mapping: ResourceMapping, namespace: string, name: string): Place => {
  const inside = mapping.namespaced ? namespace : '';
  return {
    key: keyOf({ group: mapping.group, kind: mapping.kind, namespace: inside, name }),
    mapping,
    namespace: inside,
    name,
  };
};

const core = (kind: string, plural: string, namespaced: boolean): ResourceMapping => ({
  apiVersion: 'v1',
  group: groupOf('v1'),
  kind,
  plural,
  namespaced,
  listable: true,
});
export const NAMESPACES = core('Namespace', 'namespaces', false);
export const CONFIG_MAPS = core('ConfigMap', 'configmaps', true);

const plainContext = (place: Place | null): FailureContext => ({
  object: place?.key ?? null,
  name: place?.name ?? '',
  mode: 'forward',
  existing: false,
  scrub: (message) => message,
});

/** Of all pages together. */
const MAX_LIST_BYTES = 128 * 1024 * 1024;
/** A server may end a page early, but not for ever. */
const SPARE_PAGES = 10;

export interface ListOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly limit?: number;
  /** Objects; default: 500. */
  readonly pageSize?: number;
  readonly maxBytes?: number;
}

/** Kubernetes' reads, on one cluster. Writes go through a session. */
export class KubeApi {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly timeouts: Timeouts;

  constructor(transport: Transport, timeouts: Timeouts) {
    this.transport = transport;
    this.timeouts = timeouts;
    this.discovery = new Discovery(transport);
  }

  /** Null: not there. Reads are from quorum: no resourceVersion is given. */
  async get(place: Place, signal: AbortSignal, accept?: string): Promise<KubeObject | null> {
    const reply = await this.read(objectPath(place), signal, accept === undefined ? {} : { accept });
    if (reply.status === 200) return parseObject(reply);
    const failure = failureOf(reply, plainContext(place));
    if (failure.kind === 'Absent' || failure.kind === 'NamespaceAbsent') return null;
    if (failure.kind === 'NotServed') this.#notServed(place.mapping, place.key);
    throw endOf(failure, place.key, `GET ${place.key}`);
  }

  /**
   * All of a kind in one namespace (or in all, when it is empty), page by page; `limit` bounds the objects that are read. Throws
   * {@link Oversized} for more than `maxBytes` of text.
   */
  async list(
    mapping: ResourceMapping,
    namespace: string,
    signal: AbortSignal,
    options: ListOptions = {},
  ): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string; readonly complete: boolean }> {
    const items: KubeObject[] = [];
    const { limit = 10_000, pageSize = 500, maxBytes = MAX_LIST_BYTES } = options;
    const pages = Math.ceil(limit / pageSize) + SPARE_PAGES;
    let proceed = '';
    let room = maxBytes;
    for (let page = 0; page < pages; page++) {
      const query = new URLSearchParams({ ...options.query, limit: String(Math.min(pageSize, limit)) });
      if (proceed !== '') query.set('continue', proceed);
      const path = `${collectionPath(mapping, namespace)}?${query.toString()}`;
      const reply = await this.read(path, signal, { maxBytes: Math.min(room, MAX_ANSWER_BYTES) });
      room -= reply.body.length;
      if (reply.status === 404) this.#notServed(mapping, null);
      if (reply.status !== 200) throw endOf(failureOf(reply, plainContext(null)), null, `LIST ${mapping.plural}`);
      const answer = parseObject(reply) as unknown as {
        readonly items?: readonly KubeObject[];
        readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
      };
      // Items of a list carry neither apiVersion nor kind.
      for (const item of answer.items ?? [])
        items.push({ ...item, apiVersion: mapping.apiVersion, kind: mapping.kind });
      proceed = answer.metadata?.continue ?? '';
      if (proceed === '' || items.length >= limit) {
        return { items, resourceVersion: answer.metadata?.resourceVersion ?? '', complete: proceed === '' };
      }
    }
    throw cutOff('ServerError', `LIST ${mapping.plural}: more than ${pages} pages for at most ${limit} objects`);
  }

  /** A GET, sent once more when its connection broke or the server asks to come again. */
  async read(path: string, signal: AbortSignal, how: Pick<HttpRequest, 'accept' | 'maxBytes'> = {}): Promise<Reply> {
    const request: HttpRequest = { method: 'GET', path, signal, ...how };
    let reply: Reply;
    try {
      reply = await this.transport.send(request);
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      reply = await this.transport.send(request);
    }
    let waited = 0;
    while (reply.status === 429 || reply.status === 503) {
      const pause = Math.max(reply.retryAfterMs ?? 500, 100);
      if (waited + pause > this.timeouts.throttle) return reply;
      await wait(pause, signal);
      waited += pause;
      reply = await this.transport.send(request);
    }
    return reply;
  }

  /** What was known of the kinds is out of date. */
  #notServed({ apiVersion, kind }: ResourceMapping, object: ObjectKey | null): never {
    this.discovery.forget();
    throw refused('KindNotServed', `${apiVersion} ${kind} is not served`, object);
  }

  /** Where an object of a bundle or an inventory lives; null when its kind is not served (any more). */
  async place(
    apiVersion: string,
    kind: string,
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<Place | null> {
    const mapping = await this.discovery.find(apiVersion, kind, signal);
    return mapping === null ? null : placeOf(mapping, namespace, name);
  }
}

const isConnectionLost = (error: unknown): boolean =>
  error instanceof Ended && error.end.kind === 'Unreachable' && error.end.reason === 'ConnectionLost';

export type { Failure };
