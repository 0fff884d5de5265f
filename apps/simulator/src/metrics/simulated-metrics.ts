import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Listener } from '../http/listener.ts';
import { SimulatedErrorRatio } from './error-ratio.ts';
import { evaluate, readQuery } from './simulated-query.ts';

/** A cluster whose workloads are looked at: a simulated one or a real one. */
export interface MetricsTarget {
  readonly name: string;
  /** Of the pods that serve now. */
  servingImages(): Promise<readonly string[]>;
}

export interface SimulatedMetrics {
  /** For a gate in Git; its path says that it is simulated. */
  readonly address: string;
  /** `host:port`, as it has to be allowed. */
  readonly host: string;
  stop(): Promise<void>;
}

const PATH = '/simulated-prometheus';
const MAX_BODY = 8 * 1024;
const MAX_POINTS = 1_000;

type Ratios = ReadonlyMap<string, SimulatedErrorRatio>;
/** In ms. */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Prometheus' HTTP API over one simulated metric: the share of errors by cluster, which follows the images that really run there. */
export async function startSimulatedMetrics(
  targets: readonly MetricsTarget[],
  options: { readonly lookEveryMs?: number } = {},
): Promise<SimulatedMetrics> {
  const ratios: Ratios = new Map(targets.map(({ name }) => [name, new SimulatedErrorRatio(name)]));
  const stopping = new AbortController();
  const looking = look(targets, ratios, options.lookEveryMs ?? 250, stopping.signal);
  const listener = new Listener((incoming, response) => {
    void answer(ratios, incoming, response).catch(() => response.destroy());
  }, undefined);
  await listener.open();
  const host = `127.0.0.1:${listener.port}`;
  return {
    address: `http://${host}${PATH}`,
    host,
    stop: async () => {
      stopping.abort();
      await looking;
      await listener.close();
    },
  };
}

const look = async (
  targets: readonly MetricsTarget[],
  ratios: Ratios,
  everyMs: number,
  stop: AbortSignal,
): Promise<void> => {
  while (!stop.aborted) {
    await Promise.all(
      targets.map(async (target) => {
        const images = await target.servingImages().catch(() => null);
        ratios.get(target.name)?.see(Date.now(), images);
      }),
    );
    await delay(everyMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
  }
};

const answer = async (ratios: Ratios, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(incoming.url ?? '/', 'http://simulated');
  const parameters = incoming.method === 'POST' ? new URLSearchParams(await bodyOf(incoming)) : url.searchParams;
  const query = readQuery(parameters.get('query') ?? '');
  const ranged = url.pathname === `${PATH}/api/v1/query_range`;
  if (!ranged && url.pathname !== `${PATH}/api/v1/query`) return refuse(response, 404, 'not a path that it has');
  if (query === null) return refuse(response, 400, 'it knows one metric, and no PromQL');
  const range = ranged ? rangeOf(parameters) : instantOf(parameters);
  if (range === null) return refuse(response, 400, 'not a range of time');
  const result = [...ratios].flatMap(([cluster, ratio]) => {
    const values: [number, string][] = [];
    for (let at = range.start; at <= range.end; at += range.step) {
      const value = evaluate(query, (instant) => ratio.at(instant), at);
      if (value !== null) values.push([at / 1000, String(value)]);
    }
    const metric = { cluster, simulated: 'true' };
    const [first] = values;
    if (first === undefined) return [];
    return [ranged ? { metric, values } : { metric, value: first }];
  });
  const data = { resultType: ranged ? 'matrix' : 'vector', result };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'success', data }));
};

const refuse = (response: ServerResponse, status: number, why: string): void => {
  const error = { status: 'error', errorType: 'bad_data', error: `simulated Prometheus: ${why}` };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(error));
};

const milliseconds = (text: string | null): number => (text === null ? NaN : Number(text) * 1000);

const instantOf = (parameters: URLSearchParams): Range | null => {
  const at = parameters.has('time') ? milliseconds(parameters.get('time')) : Date.now();
  return Number.isFinite(at) ? { start: at, end: at, step: 1 } : null;
};

const rangeOf = (parameters: URLSearchParams): Range | null => {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => milliseconds(parameters.get(name)));
  if (start === undefined || end === undefined || step === undefined) return null;
  // Half a millisecond: sums of fractions of seconds may lie a hair beyond the end.
  const points = (end - start) / step;
  return step > 0 && points >= 0 && points <= MAX_POINTS ? { start, end: end + 0.5, step } : null;
};

const bodyOf = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
