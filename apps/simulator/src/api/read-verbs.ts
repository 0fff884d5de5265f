import type { JsonObject, KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { StoreEvent } from '../store/event-history.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { objectKey } from '../store/object-store.ts';
import type { ApiAnswer, ApiRequest, WatchAnswer } from './api-request.ts';
import { fieldFilter, labelFilter } from './selectors.ts';
import type { ObjectFilter } from './selectors.ts';
import { StatusError, badRequest, expired } from './status-error.ts';

export interface Scope {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** So long before its time-out, a watch is given a last bookmark. */
const lastBookmarkMs = 2_000;

/** List with limits and continuation, and watch. */
export class ReadVerbs {
  readonly #store: ObjectStore;
  readonly #bookmarkMs: number;

  constructor(store: ObjectStore, bookmarkMs: number) {
    this.#store = store;
    this.#bookmarkMs = bookmarkMs;
  }

  select(scope: Scope, query: URLSearchParams): KubeObject[] {
    const matches = filterOf(scope, query);
    return this.#store.list(scope.resource, scope.namespace).filter(matches);
  }

  list(scope: Scope, request: ApiRequest): ApiAnswer {
    const { query } = request;
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue');
    const from = token === null || token === '' ? undefined : this.#resumed(token);
    const wanted = Number(query.get('resourceVersion') ?? 0);
    if (query.get('resourceVersionMatch') === 'Exact' && wanted < this.#store.history.oldest) {
      throw expired(`The provided resource version is too old: ${wanted}`);
    }
    const revision = from?.rv ?? this.#store.revision;
    const all = this.select(scope, query);
    const rest = from ? all.filter((object) => keyOf(object) > from.start) : all;
    const page = limit > 0 ? rest.slice(0, limit) : rest;
    const remaining = rest.length - page.length;
    const last = page[page.length - 1];
    const next = remaining > 0 && last ? continueToken(revision, keyOf(last)) : undefined;
    const metadata: JsonObject = {
      resourceVersion: String(revision),
      ...(next !== undefined && { continue: next }),
      ...(next !== undefined &&
        !query.get('labelSelector') &&
        !query.get('fieldSelector') && { remainingItemCount: remaining }),
    };
    const { kind, apiVersion, custom } = scope.resource;
    // Items of built-in kinds come without their kind, as a real server sends them.
    const items = custom ? page : page.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item);
    return { code: 200, body: { kind: `${kind}List`, apiVersion, metadata, items } };
  }

  #resumed(token: string): { readonly rv: number; readonly start: string } {
    try {
      const parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { rv: number; start: string };
      if (typeof parsed.rv !== 'number' || typeof parsed.start !== 'string') throw new Error('not a token of ours');
      if (parsed.rv >= this.#store.history.oldest) return parsed;
    } catch {
      throw badRequest('continue key is not valid');
    }
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
  }

  watch(scope: Scope, request: ApiRequest): WatchAnswer {
    const { query } = request;
    const { resource } = scope;
    const given = query.get('resourceVersion') ?? '';
    const start = Number(given);
    if (!Number.isInteger(start) || start < 0) throw badRequest(`invalid resource version: ${given}`);
    const matches = filterOf(scope, query);
    const concerns = (event: StoreEvent): boolean =>
      event.resource.key === resource.key &&
      (scope.namespace === undefined || event.object.metadata.namespace === scope.namespace);
    const fromNow = start === 0;
    const missed = fromNow ? [] : this.#store.history.since(start);
    const bookmarks = query.get('allowWatchBookmarks') === 'true' || query.get('allowWatchBookmarks') === '1';
    const initial = query.get('sendInitialEvents') === 'true';
    const timeoutMs = Number(query.get('timeoutSeconds') ?? 0) * 1_000;
    return {
      watch: (send, end) => {
        if (!missed) {
          send(frame('ERROR', tooOld(start, this.#store.history.oldest)));
          end();
          return () => undefined;
        }
        const deliver = (event: StoreEvent): void => {
          if (!concerns(event)) return;
          const type = typeFor(event, matches);
          if (type) send(frame(type, presented(event.object, resource)));
        };
        if (fromNow || initial)
          for (const object of this.select(scope, query)) send(frame('ADDED', presented(object, resource)));
        if (initial) send(bookmark(resource, this.#store.revision, true));
        for (const event of missed) deliver(event);
        const unsubscribe = this.#store.subscribe(deliver);
        const timers: NodeJS.Timeout[] = [];
        if (bookmarks)
          timers.push(setInterval(() => send(bookmark(resource, this.#store.revision, false)), this.#bookmarkMs));
        const stop = (): void => {
          unsubscribe();
          for (const timer of timers) clearInterval(timer);
        };
        if (timeoutMs > 0) {
          const mark = (): void => send(bookmark(resource, this.#store.revision, false));
          if (bookmarks && timeoutMs > lastBookmarkMs) timers.push(setTimeout(mark, timeoutMs - lastBookmarkMs));
          timers.push(
            setTimeout(() => {
              stop();
              end();
            }, timeoutMs),
          );
        }
        for (const timer of timers) timer.unref();
        return stop;
      },
    };
  }
}

function filterOf(scope: Scope, query: URLSearchParams): ObjectFilter {
  const labels = labelFilter(query.get('labelSelector'));
  const fields = fieldFilter(query.get('fieldSelector'), scope.resource);
  const { name } = scope;
  return (object) => (name === undefined || object.metadata.name === name) && labels(object) && fields(object);
}

/** A change may bring an object into a selection, or take it out. */
function typeFor(event: StoreEvent, matches: ObjectFilter): StoreEvent['type'] | undefined {
  const now = matches(event.object);
  if (event.type !== 'MODIFIED') return now ? event.type : undefined;
  const before = event.previous !== undefined && matches(event.previous);
  if (now) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}

function presented(object: KubeObject, resource: Resource): KubeObject {
  return object.apiVersion === resource.apiVersion ? object : { ...object, apiVersion: resource.apiVersion };
}

function frame(type: string, object: JsonObject): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function bookmark(resource: Resource, revision: number, initialEnd: boolean): string {
  const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return frame('BOOKMARK', {
    kind: resource.kind,
    apiVersion: resource.apiVersion,
    metadata: { resourceVersion: String(revision), ...annotations },
  });
}

function tooOld(start: number, oldest: number): JsonObject {
  return new StatusError(410, 'Expired', `too old resource version: ${start} (${oldest})`).status();
}

function keyOf(object: KubeObject): string {
  return objectKey(object.metadata.namespace, object.metadata.name);
}

function continueToken(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'simulated/v1', rv, start })).toString('base64url');
}
