import type { Measurement } from '@breakwater/domain';
import type { BoundedReply } from '../bounded-request.ts';
import type { GateTools } from '../gate-tools.ts';
import { authorise } from '../secret-store.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds and value; NaN and the infinities are kept. */
  readonly points: readonly (readonly [number, number])[];
}

/** Where and how one gate asks. */
export interface PrometheusServer {
  readonly address: string;
  readonly auth?: { readonly secret: string } | undefined;
  /** In ms. */
  readonly timeout: number;
  readonly maxBytes?: number;
  readonly maxSeries: number;
  readonly signal: AbortSignal;
}

export type Answer = { readonly series: readonly Series[] } | { readonly error: string };

/** Each series of an answer is bounded too, by the bytes; more than this many are refused. */
export const MAX_SERIES = 1_000;

const SHOWN = 200;

/** What a server said, on one printable line: it may be hostile. */
export const printable = (text: string): string => {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
};

export const errorOf = (evidence: string): Measurement => ({ verdict: 'Error', evidence });

/** Asks the HTTP API, `query` or `query_range`. The query goes in the body: it may be longer than an address. */
export const askPrometheus = async (
  tools: GateTools,
  server: PrometheusServer,
  endpoint: 'query' | 'query_range',
  parameters: Readonly<Record<string, string>>,
): Promise<Answer> => {
  const url = urlOf(server.address, `api/v1/${endpoint}`);
  if (url === null) return { error: 'the address is not one after its templates were filled in' };
  // Before the secret is read: no word about secrets for hosts that are not allowed.
  const refusal = tools.http.refusal(url);
  if (refusal !== null) return { error: refusal };
  const authorisation = await authorise(tools.secrets, server.auth, url);
  if ('refusal' in authorisation) return { error: authorisation.refusal };
  const reply = await tools.http.send({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...authorisation.headers },
    body: new URLSearchParams(parameters).toString(),
    timeout: server.timeout,
    signal: server.signal,
    ...(server.maxBytes === undefined ? {} : { maxBytes: server.maxBytes }),
  });
  return readAnswer(reply, url.host, server.maxSeries);
};

export const urlOf = (address: string, path: string): URL | null => {
  const base = address.endsWith('/') ? address : `${address}/`;
  return URL.canParse(path, base) ? new URL(path, base) : null;
};

const readAnswer = (reply: BoundedReply, host: string, maxSeries: number): Answer => {
  if (!reply.ok) return { error: reply.reason };
  const body = parseJson(reply.body);
  if (reply.status !== 200) {
    const said = isMapping(body) && typeof body['error'] === 'string' ? `: ${printable(body['error'])}` : '';
    return { error: `${host} answered ${reply.status}${said}` };
  }
  const nonsense = { error: `${host} answered something that is not Prometheus' answer to a query` };
  if (!isMapping(body) || body['status'] !== 'success' || !isMapping(body['data'])) return nonsense;
  const { resultType, result } = body['data'];
  if (!Array.isArray(result)) return nonsense;
  if (resultType === 'scalar') {
    const point = pointOf(result);
    return point === null ? nonsense : { series: [{ labels: {}, points: [point] }] };
  }
  if (resultType !== 'vector' && resultType !== 'matrix') {
    return { error: `the query gives a ${printable(String(resultType))}: a number or a vector is needed` };
  }
  if (result.length > maxSeries) {
    return { error: `the query gives ${result.length} series, more than ${maxSeries}: aggregate it` };
  }
  const series = result.map((entry: unknown) => seriesOf(entry, resultType));
  return series.every((entry) => entry !== null) ? { series } : nonsense;
};

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const seriesOf = (entry: unknown, type: 'vector' | 'matrix'): Series | null => {
  if (!isMapping(entry) || !isMapping(entry['metric'])) return null;
  const raw = type === 'vector' ? [entry['value']] : entry['values'];
  if (!Array.isArray(raw)) return null;
  const points = raw.map(pointOf);
  const labels = Object.fromEntries(Object.entries(entry['metric']).map(([name, value]) => [name, String(value)]));
  return points.every((point) => point !== null) ? { labels, points } : null;
};

const SPECIAL: Readonly<Record<string, number>> = { NaN, '+Inf': Infinity, '-Inf': -Infinity, Inf: Infinity };

const pointOf = (point: unknown): readonly [number, number] | null => {
  if (!Array.isArray(point) || point.length !== 2) return null;
  const [at, text] = point as unknown[];
  if (typeof at !== 'number' || typeof text !== 'string' || text === '') return null;
  const special = Object.hasOwn(SPECIAL, text) ? SPECIAL[text] : undefined;
  if (special !== undefined) return [at, special];
  const value = Number(text);
  return Number.isNaN(value) ? null : [at, value];
};
