import { StringDecoder } from 'node:string_decoder';
import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import { cutOff, Oversized } from './ended.ts';
import { transportFailure } from './transport-failure.ts';

/** Where a cluster is and how to prove who we are; the headers are secret. */
export interface Endpoint {
  /** `https://host:port` */
  readonly origin: string;
  /** Path of the API server below the origin: empty, or `/k8s/clusters/c-1`. */
  readonly basePath: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized: boolean;
  };
  readonly headers: Readonly<Record<string, string>>;
}

/** Milliseconds. */
export interface Timeouts {
  /** TCP and TLS. */
  readonly connect: number;
  /** From asking for a request to the end of its answer, waiting for a connection included. */
  readonly request: number;
  /** How long an idle connection is kept. API servers close idle ones after 90 s: staying below it avoids racing them. */
  readonly keepAlive: number;
  /** All waiting for one throttled request together. */
  readonly throttle: number;
  /** CRD established and its kind served; webhooks that do not answer yet. */
  readonly established: number;
  /** Until a deleted object is gone. */
  readonly deletion: number;
  /** A watch that says nothing for so long is lost. */
  readonly watchSilence: number;
  /** One look at an application's objects. */
  readonly assess: number;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  readonly retryAfterMs: number | null;
  /** The server's own clock, epoch milliseconds. */
  readonly serverTime: number | null;
  /** What the API server warns of: deprecated versions, above all. */
  readonly warnings: readonly string[];
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** A longer answer fails. */
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
  /** Called when a connection is there and the bytes are about to leave; what it throws stops the request unsent. */
  readonly beforeBytes?: () => void;
  /** For answers that never end: gets the text as it comes; the request's time-out covers the headers only. */
  readonly onText?: (text: string) => void;
}

const CONNECTIONS = 8;
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** One cluster's kept-alive connections. Nothing is ever sent twice in here. */
export class Transport {
  readonly #pool: Pool;
  readonly #watches: Pool;
  readonly #endpoint: Endpoint;
  readonly #timeouts: Timeouts;
  readonly #headers: Record<string, string>;

  constructor(endpoint: Endpoint, timeouts: Timeouts, userAgent: string) {
    this.#endpoint = endpoint;
    this.#timeouts = timeouts;
    this.#headers = { ...endpoint.headers, 'user-agent': userAgent, accept: 'application/json' };
    const options: Pool.Options = {
      connections: CONNECTIONS,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: timeouts.keepAlive,
      keepAliveMaxTimeout: timeouts.keepAlive,
      headersTimeout: timeouts.request,
      bodyTimeout: timeouts.request,
      connectTimeout: timeouts.connect,
      connect: { ...endpoint.tls, timeout: timeouts.connect, keepAlive: true },
    };
    this.#pool = new Pool(endpoint.origin, options);
    // A watch holds its connection for minutes: in the pool of the writes it would starve them.
    this.#watches = new Pool(endpoint.origin, { ...options, connections: 64, bodyTimeout: 0 });
  }

  send(request: HttpRequest): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      if (request.signal.aborted) {
        reject(request.signal.reason as Error);
        return;
      }
      const exchange = new Exchange(request, this.#timeouts.request, resolve, reject);
      (request.onText === undefined ? this.#pool : this.#watches).dispatch(
        {
          method: request.method,
          path: this.#endpoint.basePath + request.path,
          headers: this.#headersOf(request),
          body: request.body ?? null,
        },
        exchange,
      );
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#watches.destroy()]);
  }

  /** Lets requests that are on their way come back. */
  async retire(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#watches.destroy()]);
  }

  #headersOf(request: HttpRequest): Record<string, string> {
    if (request.contentType === undefined && request.accept === undefined) return this.#headers;
    return {
      ...this.#headers,
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      ...(request.accept === undefined ? {} : { accept: request.accept }),
    };
  }
}

/** One request: settles once, by answer, failure, time-out or abort, also while it still waits for a connection. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (reason: Error) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort: () => void;
  readonly #chunks: Buffer[] = [];
  readonly #decoder: StringDecoder | null;
  #controller: Dispatcher.DispatchController | null = null;
  #settled: Error | true | null = null;
  #status = 0;
  #size = 0;
  #headers: Record<string, string | string[] | undefined> = {};

  constructor(
    request: HttpRequest,
    timeoutMs: number,
    resolve: (reply: Reply) => void,
    reject: (reason: Error) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#decoder = request.onText === undefined ? null : new StringDecoder('utf8');
    this.#onAbort = (): void => this.#fail(request.signal.reason as Error);
    this.#timer = setTimeout(() => {
      this.#fail(cutOff('Timeout', `${request.method} ${bare(request.path)}: no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    request.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Thrown errors stop undici before the first byte, and leave the connection usable.
    if (this.#settled !== null && this.#settled !== true) throw this.#settled;
    this.#request.beforeBytes?.();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers;
    if (this.#decoder !== null && status === 200) clearTimeout(this.#timer);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#decoder !== null && this.#status === 200) {
      this.#request.onText?.(this.#decoder.write(chunk));
      return;
    }
    this.#size += chunk.length;
    const limit = this.#request.maxBytes ?? MAX_ANSWER_BYTES;
    if (this.#size > limit) {
      this.#fail(new Oversized(`${bare(this.#request.path)}: the answer is larger than ${limit} bytes`));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#settle(true)) return;
    const [first] = this.#chunks;
    this.#resolve({
      status: this.#status,
      body:
        this.#chunks.length === 1 && first !== undefined ? first.toString() : Buffer.concat(this.#chunks).toString(),
      contentType: textOf(this.#headers['content-type']),
      retryAfterMs: retryAfter(textOf(this.#headers['retry-after'])),
      serverTime: dateOf(textOf(this.#headers['date'])),
      warnings: warningsOf(this.#headers['warning']),
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settle(error)) this.#reject(transportFailure(error, bare(this.#request.path)));
  }

  #fail(reason: Error): void {
    if (!this.#settle(reason)) return;
    this.#controller?.abort(reason);
    this.#reject(reason);
  }

  #settle(how: Error | true): boolean {
    if (this.#settled !== null) return false;
    this.#settled = how;
    clearTimeout(this.#timer);
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

const bare = (path: string): string => path.split('?', 1)[0] ?? path;

const textOf = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? (value[0] ?? '') : (value ?? '');

/** `Retry-After` in seconds; dates are not used by API servers. */
const retryAfter = (text: string): number | null => (/^\d{1,6}$/.test(text) ? Number(text) * 1000 : null);

const MOST_WARNINGS = 20;

/** `299 - "apps/v1beta1 Deployment is deprecated"`, once for each header line or several in one. */
const warningsOf = (value: string | string[] | undefined): readonly string[] =>
  [value ?? []]
    .flat()
    .flatMap((line) => [...line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)])
    .slice(0, MOST_WARNINGS)
    .map((match) => (match[1] ?? '').replaceAll(/\\(.)/g, '$1'));

const dateOf = (text: string): number | null => {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
};
