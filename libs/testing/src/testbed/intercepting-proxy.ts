import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from './control-plane.ts';

export interface InterceptedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Changes something on the cluster: not a read, not a dry run. */
  readonly isWrite: boolean;
  readonly body: Buffer;
  /** Counts from 1 within this proxy. */
  readonly number: number;
}

/**
 * What becomes of a request: `forward` it; `reset` the connection without it; `lose-answer`: the API server does what it is asked, and
 * the client gets a reset; or an answer of our own.
 */
export type Interception =
  | 'forward'
  | 'reset'
  | 'lose-answer'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown };

/** Waiting in the handler holds the request: the client sees a server that takes its time. */
export type InterceptionHandler = (request: InterceptedRequest) => Interception | Promise<Interception>;

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Terminates TLS with the API server's own certificate, so that clients need no other CA, and looks at each request. */
export class InterceptingProxy {
  readonly #target: URL;
  readonly #agent: Agent;
  readonly #server: Server;
  #handler: InterceptionHandler = () => 'forward';
  #count = 0;
  #port = 0;

  constructor(access: ClusterAccess) {
    this.#target = new URL(access.url);
    this.#agent = new Agent({ ca: access.caPem, keepAlive: true });
    const tls = { cert: readFileSync(access.certFile), key: readFileSync(access.keyFile) };
    this.#server = createServer(tls, (request, response) => {
      this.#handle(request, response).catch(() => request.socket.destroy());
    });
    this.#server.unref();
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** From now on every request goes through `handler`. */
  use(handler: InterceptionHandler): void {
    this.#handler = handler;
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const method = incoming.method ?? 'GET';
    const path = incoming.url ?? '/';
    const isDryRun = new URL(path, this.#target).searchParams.has('dryRun');
    const body = Buffer.concat(chunks);
    const isWrite = MUTATING.has(method) && !isDryRun;
    const seen = { method, path, headers: incoming.headers, isWrite, body, number: ++this.#count };
    const decision = await this.#handler(seen);
    if (decision === 'reset') incoming.socket.destroy();
    else if (decision === 'forward' || decision === 'lose-answer') {
      this.#forward(incoming, body, response, decision === 'lose-answer');
    } else {
      const text = typeof decision.body === 'string' ? decision.body : JSON.stringify(decision.body ?? {});
      response.writeHead(decision.status, { 'content-type': 'application/json', ...decision.headers });
      response.end(text);
    }
  }

  #forward(incoming: IncomingMessage, body: Buffer, response: ServerResponse, loseAnswer: boolean): void {
    const outgoing = httpsRequest(
      {
        host: this.#target.hostname,
        port: this.#target.port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, host: this.#target.host },
        agent: this.#agent,
      },
      (answer) => {
        if (loseAnswer) {
          answer.resume();
          answer.once('end', () => incoming.socket.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        // A watch must reach the client at once, not when a buffer is full.
        response.flushHeaders();
        answer.pipe(response);
        answer.once('error', () => incoming.socket.destroy());
      },
    );
    outgoing.once('error', () => incoming.socket.destroy());
    response.once('close', () => outgoing.destroy());
    outgoing.end(body);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
