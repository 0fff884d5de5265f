import { Agent, request } from 'undici';
import type { AllowedHosts } from './allowed-hosts.ts';

export interface BoundedRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the call to the last byte; in ms. */
  readonly timeout: number;
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

export type BoundedReply =
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: string;
      /** From the call to the last byte; in ms. */
      readonly took: number;
    }
  /** `refused`: nothing was sent. */
  | { readonly ok: false; readonly refused: boolean; readonly reason: string };

export const MAX_BYTES = 1024 * 1024;

/** Node's, OpenSSL's and undici's codes, in words. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'it is unreachable',
  ENETUNREACH: 'it is unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

// Errors of Node's own are told by their shape: `instanceof` fails for those of another realm.
const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'errors' in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : '';
};

const wordsFor = (error: unknown): string => {
  const code = codeOf(error);
  return WORDS[code] ?? (code === '' ? 'the request failed' : `the request failed (${code})`);
};

/**
 * The one way out for gates: allowed hosts only, certificates verified, no redirects followed, no answer longer or later than said.
 * Never throws. Its reasons hold the host, and neither the query nor a header.
 */
export class BoundedHttp {
  readonly #allowed: AllowedHosts;
  readonly #agent: Agent;

  constructor(allowed: AllowedHosts, options: { readonly ca?: string } = {}) {
    this.#allowed = allowed;
    const ca = options.ca === undefined ? {} : { ca: options.ca };
    this.#agent = new Agent({
      connections: 16,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: 10_000,
      connect: { rejectUnauthorized: true, timeout: 10_000, ...ca },
    });
  }

  /** Why this address is not asked; null: it may be. */
  refusal(url: URL): string | null {
    return this.#allowed.refusal(url);
  }

  async send(asked: BoundedRequest): Promise<BoundedReply> {
    const { url, timeout, signal } = asked;
    const refusal = this.#allowed.refusal(url);
    if (refusal !== null) return { ok: false, refused: true, reason: refusal };
    const maxBytes = asked.maxBytes ?? MAX_BYTES;
    const begun = performance.now();
    const late = AbortSignal.timeout(timeout);
    const failed = (what: string): BoundedReply => ({ ok: false, refused: false, reason: `${url.host}: ${what}` });
    try {
      const response = await request(url, {
        dispatcher: this.#agent,
        method: asked.method ?? 'GET',
        headers: { 'user-agent': 'breakwater-gate', 'accept-encoding': 'identity', ...asked.headers },
        body: asked.body ?? null,
        signal: AbortSignal.any([signal, late]),
        headersTimeout: timeout,
        bodyTimeout: timeout,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        // Leaving the loop destroys the body, and with it the connection.
        if (size > maxBytes) return failed(`its answer is larger than ${maxBytes} bytes`);
        chunks.push(chunk);
      }
      return {
        ok: true,
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        took: performance.now() - begun,
      };
    } catch (error) {
      if (late.aborted) return failed(`no answer within ${timeout} ms`);
      if (signal.aborted) return failed('the measurement was cut off');
      return failed(wordsFor(error));
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
