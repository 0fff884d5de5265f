import { createFleetCommands, UseCaseError } from '@breakwater/application';
import type { FleetCommands, LookAnswer, RecordPort, Role } from '@breakwater/application';
import { createLog, openApiDocument } from '@breakwater/platform';
import { createMemoryRecord } from '@breakwater/testing';
import { z } from 'zod';
import { hashToken, newToken } from '../access/bearer-token.ts';
import { createApi } from '../api.ts';
import type { Api, ApiOptions } from '../api.ts';
import { FakeRollouts } from './fake-rollouts.ts';

export interface ApiFixture {
  readonly url: string;
  readonly record: RecordPort;
  readonly rollouts: FakeRollouts;
  readonly tokens: Readonly<Record<Role, string>>;
  readonly logs: string[];
  readonly api: Api;
  /** What a worker finds when it is asked about a cluster, from now on. */
  finds(answer: LookAnswer): void;
  /** Calls the API and holds what comes back against the OpenAPI document. */
  call(method: string, path: string, options?: CallOptions): Promise<{ status: number; body: never; headers: Headers }>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly as?: Role | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const fakeFleet = (record: RecordPort): FleetCommands => {
  const repository = async (name: string) => {
    const found = await record.sync.repository(name);
    if (found === null) throw new UseCaseError('NotFound', 'RepositoryNotFound', `there is no repository "${name}"`);
    return found;
  };
  return {
    syncRepository: repository,
    approveRepository: repository,
    acceptCluster: async (name, { reason }, actor) => {
      const accepted = await record.cluster.accept(name, actor.name, reason);
      if (accepted === null) throw new UseCaseError('NotFound', 'ClusterNotFound', `there is no cluster "${name}"`);
      return accepted;
    },
    quarantineCluster: (name, { reason }, actor) =>
      record.cluster.setQuarantine(name, true, { by: actor.name, reason }),
    releaseCluster: (name, { reason = '' }, actor) =>
      record.cluster.setQuarantine(name, false, { by: actor.name, reason }),
    changesOn: (name, input) => createFleetCommands({ record }).changesOn(name, input),
  };
};

type Json = Record<string, unknown>;

/** Finds the schema that the document promises for an answer, with its references resolved. */
const promised = (document: Json, method: string, path: string, status: number, type: string): z.ZodType => {
  const paths = document['paths'] as Record<string, Record<string, Json>>;
  const match = Object.keys(paths).find((known) => new RegExp(`^${known.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path));
  const operation = match === undefined ? undefined : paths[match]?.[method.toLowerCase()];
  const components = (document['components'] as Json)['schemas'] as Json;
  const responses = operation?.['responses'] as Record<string, Json> | undefined;
  const content = (responses?.[String(status)] ?? responses?.['default'])?.['content'] as
    Record<string, Json> | undefined;
  const schema =
    type === 'application/problem+json' ? { $ref: '#/components/schemas/Problem' } : content?.[type]?.['schema'];
  if (schema === undefined) throw new Error(`the document does not promise ${status} ${type} for ${method} ${path}`);
  const text = JSON.stringify({ ...(schema as Json), $defs: components }).replaceAll(
    '#/components/schemas/',
    '#/$defs/',
  );
  return z.fromJSONSchema(JSON.parse(text) as never);
};

export const startApi = async (options: Partial<ApiOptions> = {}): Promise<ApiFixture> => {
  let clock = Date.parse('2026-01-02T03:04:05.000Z');
  const record = createMemoryRecord({ now: () => (clock += 1) });
  const rollouts = new FakeRollouts(record);
  const tokens = { admin: newToken(), operator: newToken(), viewer: newToken() };
  for (const role of ['admin', 'operator', 'viewer'] as const)
    await record.access.addToken({ name: `${role}-token`, hash: hashToken(tokens[role]), role });
  let found: LookAnswer = { refused: 'ConnectionRefused: nothing listens there' };
  await record.listen('look', (id) => void record.looks.answer(id, found));
  const logs: string[] = [];
  const api = await createApi({
    record,
    commands: rollouts,
    fleet: fakeFleet(record),
    log: createLog({ app: 'api', level: 'debug', destination: { write: (line) => void logs.push(line) } }),
    readiness: async () => ({ ok: true, checks: { workers: { ok: true } } }),
    version: '0.0.0-test',
    ...options,
  });
  const port = await api.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  const document = openApiDocument('0.0.0-test');
  return {
    url,
    record,
    rollouts,
    tokens,
    logs,
    api,
    finds: (answer) => {
      found = answer;
    },
    call: async (method, path, { as = 'operator', body, headers = {} } = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(as === null ? {} : { authorization: `Bearer ${tokens[as]}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const parsed = (await response.json()) as Json;
      const type = response.headers.get('content-type')?.split(';')[0] ?? '';
      const pathname = path.split('?')[0] ?? '';
      if (pathname.startsWith('/api/v1/') && pathname !== '/api/v1/openapi.json')
        promised(document, method, pathname, response.status, type).parse(parsed);
      return { status: response.status, body: parsed as never, headers: response.headers };
    },
    close: () => api.close(),
  };
};
