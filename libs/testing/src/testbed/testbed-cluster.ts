import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type AuditEntry, type AuditFilter, parseAuditLog } from './audit-log.ts';
import type { BedUser } from './cluster-objects.ts';
import type { ClusterAccess } from './control-plane.ts';
import { InterceptingProxy, type InterceptionHandler } from './intercepting-proxy.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { TcpRelay } from './tcp-relay.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface RequestOptions {
  /** Default: admin. */
  readonly as?: BedUser;
  /** Default: JSON; server-side apply wants `application/apply-patch+yaml`. */
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

/** A connection to the cluster that tests can cut; `kubeconfig` is for user `breakwater`, through it. */
export interface ClusterProxy {
  readonly url: string;
  readonly kubeconfig: string;
  readonly relay: TcpRelay;
  readonly cutOff: () => void;
  readonly refuse: () => void;
  readonly resetConnections: () => void;
  readonly delay: (ms: number) => void;
  readonly restore: (held?: 'go-on' | 'lost') => void;
}

/** A connection to the cluster on which tests decide about each request; `kubeconfig` is for user `breakwater`, through it. */
export interface ClusterInterceptor {
  readonly url: string;
  readonly kubeconfig: string;
  readonly use: (handler: InterceptionHandler) => void;
}

/** undici gives up a request that still waits for its connection only when connecting has timed out. */
function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** A real control plane as a test sees it. */
export class TestbedCluster {
  readonly name: string;
  readonly url: string;
  /** For user `breakwater`: cluster-admin by RBAC. */
  readonly kubeconfig: string;
  /** For user `admin`: in system:masters. */
  readonly adminKubeconfig: string;
  readonly access: ClusterAccess;
  readonly #act: (action: string) => Promise<Record<string, unknown>>;
  readonly #agent: Agent;
  #proxy: Promise<ClusterProxy> | null = null;
  readonly #interceptors: InterceptingProxy[] = [];
  #answering = true;

  constructor(access: ClusterAccess, act: (action: string) => Promise<Record<string, unknown>>) {
    this.access = access;
    this.name = access.name;
    this.url = access.url;
    this.#act = act;
    this.#agent = new Agent({ connect: { ca: access.caPem, timeout: 10_000 }, keepAliveTimeout: 60_000 });
    this.kubeconfig = this.kubeconfigFor('breakwater');
    this.adminKubeconfig = this.kubeconfigFor('admin');
  }

  kubeconfigFor(user: BedUser, url: string = this.url): string {
    const { name, caPem, tokens } = this.access;
    return renderKubeconfig({ cluster: name, url, caPem, user, token: tokens[user] ?? '' });
  }

  /** Any request; answers of every status are returned, only a connection that fails throws. */
  async request(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<ApiAnswer> {
    const signal = AbortSignal.timeout(options.timeoutMs ?? 20_000);
    const sent = request(`${this.url}${path}`, {
      method: method as 'GET',
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.access.tokens[options.as ?? 'admin']}`,
        accept: 'application/json',
        'content-type':
          options.contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'),
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      signal,
    });
    const response = await Promise.race([sent, rejectWhenAborted(signal)]);
    const text = await response.body.text();
    const json = String(response.headers['content-type'] ?? '').includes('json');
    return { status: response.statusCode, body: json ? JSON.parse(text) : text };
  }

  /** The body of an object or list; throws on any status but 2xx. */
  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const { status, body } = await this.request('GET', path);
    if (status >= 300) throw new Error(`${this.name}: GET ${path}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
    return body as T;
  }

  /** Server-side apply by another hand than Breakwater's. */
  async apply(path: string, object: object, fieldManager = 'testbed', as: BedUser = 'admin'): Promise<ApiAnswer> {
    const target = `${path}?fieldManager=${fieldManager}&force=true`;
    return this.request('PATCH', target, object, { as, contentType: 'application/apply-patch+yaml' });
  }

  async createNamespace(name: string): Promise<void> {
    const { status, body } = await this.request('POST', '/api/v1/namespaces', { metadata: { name } });
    if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${status} ${JSON.stringify(body)}`);
  }

  /** Asks again until `done` says so, every 50 ms; throws with the last body when it takes longer than `timeoutMs`. */
  async waitFor<T = Record<string, unknown>>(path: string, done: (body: T) => boolean, timeoutMs = 20_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { body } = await this.request('GET', path);
      if (done(body as T)) return body as T;
      if (Date.now() > deadline) {
        throw new Error(`${this.name}: ${path} after ${timeoutMs} ms: ${JSON.stringify(body).slice(0, 2000)}`);
      }
      await delay(50);
    }
  }

  /**
   * What was asked of the API server since the lease began or the cluster was reset, in order of receipt. Everything that
   * was answered before the call is in it, unless the API server cannot be asked now.
   */
  async auditLog(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    if (!this.#answering) return parseAuditLog(await readFile(this.access.auditFile, 'utf8'), filter);
    const mark = randomUUID();
    await this.request('GET', `/version?mark=${mark}`);
    for (;;) {
      const text = await readFile(this.access.auditFile, 'utf8');
      if (text.includes(mark) && text.endsWith('\n')) {
        return parseAuditLog(text, filter).filter((entry) => !entry.requestURI.startsWith('/version?mark='));
      }
      await delay(10);
    }
  }

  /** The API server stops dead and keeps its connections: it hangs. */
  async freeze(): Promise<void> {
    this.#answering = false;
    await this.#act('freeze');
  }

  /** After `freeze`: what was sent meanwhile is worked off now. */
  async thaw(): Promise<void> {
    await this.#act('thaw');
    this.#answering = true;
  }

  /** The API server is killed: connections are refused until `restart`. */
  async kill(): Promise<void> {
    this.#answering = false;
    await this.#act('kill');
  }

  /** The same cluster again, on the same port; returns when it is ready. */
  async restart(): Promise<void> {
    await this.#act('restart');
    this.#answering = true;
  }

  /** Sets everything back to how the cluster was when it was leased, server and proxy included. */
  async reset(): Promise<void> {
    if (this.#proxy) (await this.#proxy).restore('lost');
    await this.#act('reset');
    this.#answering = true;
  }

  /** Another uid of kube-system: the cluster behind this address is then another one. Returns the new uid. */
  async changeIdentity(): Promise<string> {
    return String((await this.#act('change-identity'))['uid']);
  }

  /** The way to this cluster that can be cut, delayed and reset; made at the first call. */
  proxy(): Promise<ClusterProxy> {
    this.#proxy ??= this.#startProxy();
    return this.#proxy;
  }

  async #startProxy(): Promise<ClusterProxy> {
    const relay = new TcpRelay(Number(new URL(this.url).port));
    await relay.start();
    const url = `https://127.0.0.1:${relay.port}`;
    return {
      url,
      kubeconfig: this.kubeconfigFor('breakwater', url),
      relay,
      cutOff: () => relay.cutOff(),
      refuse: () => relay.refuse(),
      resetConnections: () => relay.resetConnections(),
      delay: (ms) => relay.delay(ms),
      restore: (held) => relay.restore(held),
    };
  }

  /** A new way to this cluster on which `handler` sees each request, and may hold, answer or break it. */
  async intercept(handler: InterceptionHandler = () => 'forward'): Promise<ClusterInterceptor> {
    const interceptor = new InterceptingProxy(this.access);
    interceptor.use(handler);
    await interceptor.start();
    this.#interceptors.push(interceptor);
    const { url } = interceptor;
    return { url, kubeconfig: this.kubeconfigFor('breakwater', url), use: (next) => interceptor.use(next) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#interceptors.map((interceptor) => interceptor.close()));
    if (this.#proxy) await (await this.#proxy).relay.close();
    await this.#agent.destroy();
  }
}
