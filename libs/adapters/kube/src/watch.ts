import type { ClusterConnection } from '@breakwater/application';
import { evidenceKinds, parseObjectKey } from '@breakwater/domain';
import type { ResourceMapping } from './discovery.ts';
import { cutOff } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { collectionPath, CONFIG_MAPS } from './kube-api.ts';
import { wait } from './wait.ts';

type WatchRequest = Parameters<ClusterConnection['watch']>[0];

const DEBOUNCE_MS = 100;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;
/** An object has at most 3 MiB. */
const MAX_LINE = 4 * 1024 * 1024;
/** The server ends a watch after this, so that a fresh list is never far away. */
const WATCH_SECONDS = 300;

/** Kinds that are as they were written: nothing about them becomes healthy or ill later. */
const STILL: ReadonlySet<string> = new Set([
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'ResourceQuota',
  'LimitRange',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'NetworkPolicy',
  'PriorityClass',
  'StorageClass',
  'RuntimeClass',
  'IngressClass',
]);

interface Watched {
  readonly mapping: ResourceMapping;
  readonly namespace: string;
  /** Null: every object. */
  readonly names: ReadonlySet<string> | null;
}

/** Watches until the signal aborts; see the port. Never throws. */
export const watchObjects = (api: KubeApi, request: WatchRequest): void => {
  const changed = debounced(request.onChange, request.signal);
  void watchAll(api, request, changed).catch(() => undefined);
};

const watchAll = async (api: KubeApi, request: WatchRequest, changed: () => void): Promise<void> => {
  const watched = await untilKnown(api, request, changed);
  await Promise.all(watched.map((item) => keepWatching(api, item, changed, request.signal)));
};

const untilKnown = async (api: KubeApi, request: WatchRequest, changed: () => void): Promise<readonly Watched[]> => {
  for (let backoff = FIRST_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
    try {
      return await whatToWatch(api, request);
    } catch {
      changed();
      await wait(jittered(backoff), request.signal);
    }
  }
};

const whatToWatch = async (api: KubeApi, request: WatchRequest): Promise<readonly Watched[]> => {
  const watched = new Map<string, { mapping: ResourceMapping; namespace: string; names: Set<string> }>();
  for (const { key, apiVersion } of request.keys) {
    const { kind, namespace, name } = parseObjectKey(key);
    if (STILL.has(kind)) continue;
    const mapping = await api.discovery.findAnyVersion(apiVersion, kind, request.signal);
    if (mapping === null) continue;
    const inside = mapping.namespaced ? namespace : '';
    const path = collectionPath(mapping, inside);
    const entry = watched.get(path) ?? { mapping, namespace: inside, names: new Set<string>() };
    entry.names.add(name);
    watched.set(path, entry);
  }
  const pods = evidenceKinds(request.keys.map(({ key }) => ({ missing: key })))
    .filter((entry) => entry.pods)
    .map(({ namespace }) => ({ mapping: { ...CONFIG_MAPS, kind: 'Pod', plural: 'pods' }, namespace, names: null }));
  return [...watched.values(), ...pods];
};

const keepWatching = async (api: KubeApi, item: Watched, changed: () => void, signal: AbortSignal): Promise<void> => {
  let from = '';
  let backoff = FIRST_BACKOFF_MS;
  while (!signal.aborted) {
    try {
      if (from === '') {
        from = (await api.list(item.mapping, item.namespace, signal, { limit: 1 })).resourceVersion;
        changed();
      }
      const stream = new WatchStream(item, from, changed);
      const status = await follow(api, item, stream, signal);
      from = status === 200 ? stream.resourceVersion : '';
      backoff = stream.spoke ? FIRST_BACKOFF_MS : Math.min(backoff * 2, MAX_BACKOFF_MS);
    } catch {
      // What happened meanwhile is not known: whoever waits looks for itself, and the next round lists again.
      from = '';
      changed();
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
    }
    if (!signal.aborted) await wait(jittered(backoff), signal).catch(() => undefined);
  }
};

/** One watch request, until the server ends it or is silent for too long. */
const follow = async (api: KubeApi, item: Watched, stream: WatchStream, signal: AbortSignal): Promise<number> => {
  const silence = new AbortController();
  const lost = (): void => silence.abort(new Error('the watch is silent'));
  let timer = setTimeout(lost, api.timeouts.watchSilence);
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: stream.resourceVersion,
    timeoutSeconds: String(WATCH_SECONDS),
  });
  const [only] = item.names ?? [];
  if (item.names?.size === 1 && only !== undefined) query.set('fieldSelector', `metadata.name=${only}`);
  try {
    const reply = await api.transport.send({
      method: 'GET',
      path: `${collectionPath(item.mapping, item.namespace)}?${query.toString()}`,
      signal: AbortSignal.any([signal, silence.signal]),
      onText: (text) => {
        clearTimeout(timer);
        timer = setTimeout(lost, api.timeouts.watchSilence);
        stream.push(text);
      },
    });
    return reply.status;
  } finally {
    clearTimeout(timer);
  }
};

interface WatchEvent {
  readonly type: string;
  readonly object: { readonly metadata?: { readonly name?: string; readonly resourceVersion?: string } };
}

/** Lines of JSON as they come. */
class WatchStream {
  readonly #item: Watched;
  readonly #changed: () => void;
  #buffer = '';
  #resourceVersion: string;
  #spoke = false;

  constructor(item: Watched, resourceVersion: string, changed: () => void) {
    this.#item = item;
    this.#resourceVersion = resourceVersion;
    this.#changed = changed;
  }

  /** From where to go on; empty when the server has forgotten it. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  get spoke(): boolean {
    return this.#spoke;
  }

  push(text: string): void {
    const [first = '', ...rest] = text.split('\n');
    const lines = [this.#buffer + first, ...rest];
    this.#buffer = lines.pop() ?? '';
    if (this.#buffer.length > MAX_LINE) throw cutOff('ServerError', 'a line of the watch has no end');
    for (const line of lines) if (line !== '') this.#event(JSON.parse(line) as WatchEvent);
  }

  #event(event: WatchEvent): void {
    this.#spoke = true;
    const { name = '', resourceVersion = '' } = event.object.metadata ?? {};
    if (event.type === 'ERROR') {
      this.#resourceVersion = '';
      this.#changed();
      return;
    }
    this.#resourceVersion = resourceVersion;
    const matters = this.#item.names === null || this.#item.names.has(name);
    if (event.type !== 'BOOKMARK' && matters) this.#changed();
  }
}

const jittered = (ms: number): number => ms * (0.5 + Math.random() / 2);

/** Calls at once, then at most once in {@link DEBOUNCE_MS}, never after the abort. */
const debounced = (call: () => void, signal: AbortSignal): (() => void) => {
  let timer: NodeJS.Timeout | null = null;
  return () => {
    if (timer !== null || signal.aborted) return;
    timer = setTimeout(() => {
      timer = null;
      if (!signal.aborted) call();
    }, DEBOUNCE_MS);
  };
};
