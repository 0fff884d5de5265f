import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEFAULT_TIMEOUTS } from '../cluster-connector.ts';
import type { ResourceMapping } from '../discovery.ts';
import { KubeApi } from '../kube-api.ts';
import type { Timeouts } from '../transport.ts';
import { Transport } from '../transport.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

type Kind = Pick<ResourceMapping, 'apiVersion' | 'kind' | 'plural' | 'namespaced'>;

/** What answers a path: an object with status 200, or a `Status` with that code. */
export type StubAnswer = object | number;

/** An API server that says what a test wants it to, for what real ones do only in trouble. */
export class StubApi {
  kinds: readonly Kind[] = [];
  stale: readonly string[] = [];
  answer: (path: string, query: URLSearchParams) => StubAnswer | Promise<StubAnswer> = () => 404;
  readonly asked: string[] = [];
  #server: Server | null = null;
  #transport: Transport | null = null;

  async start(timeouts: Partial<Timeouts> = {}): Promise<KubeApi> {
    const server = createServer((incoming, response) => {
      const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://stub');
      void (async () => {
        if (pathname === '/api' || pathname === '/apis') {
          response.writeHead(200, { 'content-type': AGGREGATED }).end(JSON.stringify(this.#discovery(pathname)));
          return;
        }
        this.asked.push(`${pathname}${searchParams.size === 0 ? '' : `?${searchParams.toString()}`}`);
        const answer = await this.answer(pathname, searchParams);
        if (typeof answer === 'number')
          response.writeHead(answer).end(JSON.stringify({ kind: 'Status', code: answer, details: {} }));
        else response.end(JSON.stringify(answer));
      })();
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const all = { ...DEFAULT_TIMEOUTS, ...timeouts };
    const endpoint = { origin, basePath: '', tls: { rejectUnauthorized: true }, headers: {} };
    this.#transport = new Transport(endpoint, all, 'breakwater/test');
    return new KubeApi(this.#transport, all);
  }

  async stop(): Promise<void> {
    await this.#transport?.close();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #discovery(path: string): object {
    const groups = Map.groupBy(
      this.kinds.filter(({ apiVersion }) => apiVersion.includes('/') === (path === '/apis')),
      ({ apiVersion }) => apiVersion,
    );
    const served = [...groups].map(([apiVersion, kinds]) => {
      const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
      const resources = kinds.map(({ kind, plural, namespaced }) => ({
        resource: plural,
        responseKind: { kind },
        scope: namespaced ? 'Namespaced' : 'Cluster',
        verbs: ['get', 'list'],
      }));
      return { metadata: { name: group }, versions: [{ version, resources }] };
    });
    const dead = this.stale.map((name) => ({ metadata: { name }, versions: [{ version: 'v1', freshness: 'Stale' }] }));
    return { items: path === '/apis' ? [...served, ...dead] : served };
  }
}

export const LIST_OF_NONE = { kind: 'List', metadata: {}, items: [] };
