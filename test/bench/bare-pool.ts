import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import type { SimulatedServer } from './simulators.ts';
import type { Transcript } from './transcript.ts';

export interface BareReply {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

interface BareRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The least that undici can be asked with: no time-outs, no signals, no look at the answer. */
class Collect implements Dispatcher.DispatchHandler {
  readonly #resolve: (reply: BareReply) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #contentType: string | string[] | undefined;

  constructor(resolve: (reply: BareReply) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#contentType = headers['content-type'];
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, body: body.toString(), contentType: String(this.#contentType) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

/** The floor: a kept-alive undici pool with as many connections as ours may open, and nothing around it. */
export class BarePool {
  readonly #pool: Pool;
  readonly #base: string;
  readonly #authorization: string;

  constructor(target: SimulatedServer) {
    const url = new URL(target.server);
    this.#base = url.pathname.replace(/\/$/, '');
    this.#authorization = `Bearer ${target.token}`;
    this.#pool = new Pool(url.origin, {
      connections: 8,
      pipelining: 1,
      keepAliveTimeout: 85_000,
      keepAliveMaxTimeout: 85_000,
      connect: target.ca === undefined ? {} : { ca: target.ca },
    });
  }

  send({ method, path, headers, body }: BareRequest): Promise<BareReply> {
    return new Promise((resolve, reject) => {
      this.#pool.dispatch(
        {
          method: method as Dispatcher.HttpMethod,
          path: this.#base + path,
          headers: { ...headers, authorization: this.#authorization },
          body,
        },
        new Collect(resolve, reject),
      );
    });
  }

  /**
   * Sends a recorded apply again, with as much at once as it had. Only what a body is tied to is read from an answer. Throws when an answer
   * is not a success (404 is: absence is part of it).
   */
  async replay(transcript: Transcript): Promise<void> {
    const replies: string[] = [];
    const steps = Math.max(...transcript.map(({ step }) => step));
    for (let step = 0; step <= steps; step += 1) {
      const together: Promise<void>[] = [];
      for (const [index, request] of transcript.entries()) {
        if (request.step !== step) continue;
        const body = request.tiedTo < 0 ? request.body : tied(request, replies[request.tiedTo] ?? '');
        together.push(
          this.send({ ...request, body }).then((reply) => {
            if (reply.status >= 400 && reply.status !== 404)
              throw new Error(`${request.method} ${request.path} was answered ${reply.status}: ${reply.body}`);
            replies[index] = reply.body;
          }),
        );
      }
      await Promise.all(together);
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

const tied = (request: Transcript[number], reply: string): string => {
  const { uid = '', resourceVersion = '' } = (JSON.parse(reply) as { metadata: Record<string, string> }).metadata;
  return (request.body ?? '')
    .replace(`"uid":"${request.uid}"`, `"uid":"${uid}"`)
    .replace(`"resourceVersion":"${request.resourceVersion}"`, `"resourceVersion":"${resourceVersion}"`);
};
