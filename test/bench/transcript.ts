import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimulatedServer } from './simulators.ts';
import { BarePool } from './bare-pool.ts';

/** One request as it was sent, and how it hangs together with the others. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** All requests of lower steps had their answers before it was sent. */
  readonly step: number;
  /** The request whose answer brought the identity that its body is tied to; -1: none. */
  readonly tiedTo: number;
  readonly uid: string;
  readonly resourceVersion: string;
}

export type Transcript = readonly RecordedRequest[];

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly sentAt: number;
  answeredAt: number;
  reply: string;
  status: number;
}

const textOf = async (message: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const metadataOf = (text: string | null): { readonly uid?: string; readonly resourceVersion?: string } => {
  try {
    return (JSON.parse(text ?? '') as { metadata?: { uid?: string; resourceVersion?: string } }).metadata ?? {};
  } catch {
    return {};
  }
};

const stepOf = (exchanges: readonly Exchange[]): number[] => {
  const steps: number[] = [];
  for (const [index, { sentAt }] of exchanges.entries()) {
    const before = exchanges.slice(0, index).map((one, at) => (one.answeredAt <= sentAt ? (steps[at] ?? 0) + 1 : 0));
    steps.push(Math.max(0, ...before));
  }
  return steps;
};

const transcriptOf = (exchanges: readonly Exchange[]): Transcript => {
  const failed = exchanges.find(({ status }) => status >= 400 && status !== 404);
  if (failed !== undefined) throw new Error(`${failed.method} ${failed.path} was answered ${failed.status}`);
  const steps = stepOf(exchanges);
  const identities = exchanges.map(({ reply }) => metadataOf(reply));
  return exchanges.map(({ method, path, headers, body }, index) => {
    const { uid, resourceVersion } = metadataOf(body);
    const tiedTo =
      uid === undefined
        ? -1
        : identities.findLastIndex(
            (one, at) => at < index && one.uid === uid && one.resourceVersion === resourceVersion,
          );
    if (uid !== undefined && tiedTo < 0) throw new Error(`${method} ${path}: nothing was read that it is tied to`);
    return {
      method,
      path,
      headers,
      body,
      step: steps[index] ?? 0,
      tiedTo,
      uid: uid ?? '',
      resourceVersion: resourceVersion ?? '',
    };
  });
};

export interface Recorder {
  /** A plain-http kubeconfig whose requests are recorded on their way. */
  readonly kubeconfig: string;
  /** What was sent since the last call. */
  take(): Transcript;
  stop(): Promise<void>;
}

/** Between a client and a simulated server: what a safe apply needs is what ours has been seen to send. */
export const startRecorder = async (target: SimulatedServer): Promise<Recorder> => {
  const pool = new BarePool(target);
  let exchanges: Exchange[] = [];
  const server = createServer((incoming, response) => {
    const relay = async (): Promise<void> => {
      const sentAt = performance.now();
      const body = await textOf(incoming);
      const headers = Object.fromEntries(
        ['accept', 'content-type', 'user-agent'].flatMap((name) =>
          incoming.headers[name] === undefined ? [] : [[name, String(incoming.headers[name])]],
        ),
      );
      const exchange: Exchange = {
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers,
        body: body === '' ? null : body,
        sentAt,
        answeredAt: Infinity,
        reply: '',
        status: 0,
      };
      exchanges.push(exchange);
      const reply = await pool.send(exchange);
      exchange.reply = reply.body;
      exchange.status = reply.status;
      exchange.answeredAt = performance.now();
      response.writeHead(reply.status, { 'content-type': reply.contentType }).end(reply.body);
    };
    relay().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'it', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'it', user: { token: target.token } }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
      'current-context': 'it',
    }),
    take: () => {
      const taken = transcriptOf(exchanges);
      exchanges = [];
      return taken;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.close();
    },
  };
};
