import { API_PREFIX, routes } from '@breakwater/platform';
import type { RouteAnswer, RouteDefinition, RouteInput, RouteName, Routes, WireProblem } from '@breakwater/platform';
import type { CliIo } from '../cli-io.ts';
import { CliError } from '../exit-status.ts';
import { printable } from '../output/style.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';
const TIMEOUT_MS = 150_000;

type Sent<T> = { readonly [K in keyof T]?: T[K] | undefined };
export interface CallInput<N extends RouteName> {
  readonly params?: RouteInput<Routes[N]>['params'];
  readonly query?: Sent<RouteInput<Routes[N]>['query']>;
  readonly body?: Sent<RouteInput<Routes[N]>['body']>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A call's parts, whichever route it is of. */
interface Parts {
  readonly params?: object | undefined;
  readonly query?: object | undefined;
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The server could not be reached, or went away: asking again may help. */
export class Unreachable extends CliError {}

const reasonOf = (error: unknown): string => {
  const cause = (error as { cause?: { code?: unknown } }).cause;
  switch (cause?.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name cannot be resolved';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'the connection was lost';
    default:
      return (error as Error).name === 'TimeoutError' ? 'it does not answer' : 'the connection failed';
  }
};

const documentLine = (error: Record<string, unknown>): string => {
  const text = (key: string) => (error[key] === null || error[key] === undefined ? '' : String(error[key]));
  if (text('file') === '') return [text('field'), text('message')].filter((part) => part !== '').join(': ');
  const place = [text('file'), text('line'), text('column')].filter((part) => part !== '').join(':');
  const subject = text('kind') === '' ? '' : ` ${text('kind')}/${text('name')}`;
  const remedy = text('remedy') === '' ? '' : `; ${text('remedy')}`;
  return `${place}${subject} ${text('field')}: ${text('message')}${remedy}`;
};

type ProblemErrors = NonNullable<WireProblem['errors']>;
/** A single bad field is named in the detail already. */
const linesOf = (errors: ProblemErrors): readonly string[] =>
  errors.length === 1 && errors[0]?.['file'] === undefined ? [] : errors.map((error) => printable(documentLine(error)));

/** Problem details as one line, with the errors of documents below it. */
const problemError = (problem: Partial<WireProblem>, status: number): CliError =>
  new CliError(printable(problem.detail ?? `the server answered ${status}`), {
    code: printable(problem.code ?? `Http${status}`),
    remedy: problem.remedy === undefined ? undefined : printable(problem.remedy),
    lines: linesOf(problem.errors ?? []),
  });

/** Calls the API by the names of its routes. */
export class ApiClient {
  readonly url: string;
  private readonly io: CliIo;

  constructor(io: CliIo) {
    this.io = io;
    const url = io.env['BREAKWATER_URL'] || DEFAULT_URL;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new CliError('BREAKWATER_URL is not an http or https address', {
        code: 'UrlInvalid',
        remedy: `For example: ${DEFAULT_URL}`,
      });
    this.url = url.replace(/\/+$/, '');
  }

  async call<N extends RouteName>(routeName: N, input: CallInput<N> = {}): Promise<RouteAnswer<Routes[N]>> {
    const definition: RouteDefinition = routes[routeName];
    const timeout = AbortSignal.any([
      this.io.signal,
      AbortSignal.timeout(TIMEOUT_MS),
      ...(input.signal === undefined ? [] : [input.signal]),
    ]);
    const response = await this.send(definition, input as Parts, timeout);
    const text = await response.text().catch((error: unknown) => this.fail(error));
    const type = response.headers.get('content-type') ?? '';
    if (!type.includes('json'))
      throw new CliError(`${this.url} does not answer as Breakwater does`, {
        code: 'NotBreakwater',
        remedy: 'Check BREAKWATER_URL.',
      });
    const body: unknown = JSON.parse(text);
    if (!response.ok) {
      const error = problemError(body as Partial<WireProblem>, response.status);
      throw response.status === 503
        ? new Unreachable(error.message, { code: error.code, remedy: error.remedy ?? undefined })
        : error;
    }
    return { status: response.status, body } as RouteAnswer<Routes[N]>;
  }

  /** Opens the stream of events of one rollout. */
  async events(rollout: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.send(routes.streamEvents, { query: { rollout } }, signal);
    if (!response.ok || response.body === null)
      throw new Unreachable('the stream of events cannot be opened', { code: 'NoStream' });
    return response.body;
  }

  private async send(definition: RouteDefinition, input: Parts, signal: AbortSignal): Promise<Response> {
    const token = (this.io.env['BREAKWATER_TOKEN'] ?? '').trim();
    const params = new Map(Object.entries(input.params ?? {}));
    const path = definition.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) =>
      encodeURIComponent(String(params.get(name) ?? '')),
    );
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(input.query ?? {}))
      if (value !== undefined) query.set(name, String(value));
    return fetch(`${this.url}${API_PREFIX}${path}${query.size === 0 ? '' : `?${query.toString()}`}`, {
      method: definition.method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(definition.method === 'GET' ? {} : { 'content-type': 'application/json' }),
        ...input.headers,
      },
      ...(definition.method === 'GET' ? {} : { body: JSON.stringify(input.body ?? {}) }),
      redirect: 'error',
      signal,
    }).catch((error: unknown) => this.fail(error));
  }

  private fail(error: unknown): never {
    if (this.io.signal.aborted) throw new CliError('interrupted', { code: 'Interrupted' });
    throw new Unreachable(`cannot reach ${this.url}: ${reasonOf(error)}`, {
      code: 'Unreachable',
      remedy: 'Is Breakwater running there? Set BREAKWATER_URL to its address.',
    });
  }
}
