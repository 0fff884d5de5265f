import { connect } from 'node:net';
import { openApiDocument, routes } from '@breakwater/platform';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';

let api: ApiFixture;
afterEach(() => api.close());

/** Sends bytes and resolves with all that comes back. */
const raw = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });

it('is healthy without signing in, and ready when the record and the program say so', async () => {
  api = await startApi();
  expect(await api.call('GET', '/healthz', { as: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await api.call('GET', '/readyz', { as: null })).toMatchObject({
    status: 200,
    body: { status: 'ready', checks: { record: { ok: true } } },
  });
});

it.each([
  ['says no', async () => ({ ok: false, checks: { migrations: { ok: false, message: 'not done' } } })],
  ['throws', async () => Promise.reject(new Error('postgres://user:hunter2@db'))],
])('is not ready when the program %s', async (_case, readiness) => {
  api = await startApi({ readiness });
  const { status, body } = await api.call('GET', '/readyz', { as: null });
  expect({ status, body }).toMatchObject({ status: 503, body: { status: 'unready' } });
  expect(JSON.stringify(body)).not.toContain('hunter2');
});

it('counts requests by route, and unfinished rollouts by state', async () => {
  api = await startApi();
  await api.call('POST', '/api/v1/rollouts', { body: { application: 'podinfo' } });
  await api.call('GET', '/api/v1/rollouts/podinfo');
  const text = await (await fetch(`${api.url}/metrics`)).text();
  expect(text).toContain('breakwater_http_requests_total{method="GET",route="/rollouts/{id}",status="200"} 1');
  expect(text).toContain('breakwater_rollouts{state="Progressing",paused="false"} 1');
  expect(text).toContain('breakwater_rollouts{state="RollingBack",paused="false"} 0');
  expect(text).not.toContain('podinfo');
});

it('serves the OpenAPI 3.1 document of the route table', async () => {
  api = await startApi();
  const response = await fetch(`${api.url}/api/v1/openapi.json`);
  expect(await response.json()).toEqual(openApiDocument('0.0.0-test'));
});

describe('the OpenAPI document', () => {
  const document = openApiDocument('1.2.3') as {
    openapi: string;
    paths: Record<
      string,
      Record<string, { operationId: string; parameters: { in: string; name: string }[]; responses: object }>
    >;
    components: { schemas: Record<string, unknown> };
  };
  beforeAll(async () => {
    api = await startApi();
  });

  it('has every route once, with every path parameter declared', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(routes).sort());
    for (const { path, parameters, responses } of operations) {
      const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(Object.keys(responses)).toContain('default');
    }
  });

  it('has no dangling reference, and only keywords of JSON Schema 2020-12', () => {
    const known = new Set([
      '$ref',
      'type',
      'properties',
      'required',
      'additionalProperties',
      'items',
      'enum',
      'const',
      'anyOf',
      'description',
      'format',
      'pattern',
      'minimum',
      'maximum',
      'minLength',
      'maxLength',
      'default',
      'propertyNames',
      'allOf',
    ]);
    const walk = (schema: unknown, at: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [keyword, value] of Object.entries(schema)) {
        if (!known.has(keyword)) throw new Error(`${at}: ${keyword}`);
        if (keyword === '$ref')
          expect(Object.keys(document.components.schemas)).toContain(
            String(value).replace('#/components/schemas/', ''),
          );
        if (keyword === 'properties')
          for (const [name, inner] of Object.entries(value as object)) walk(inner, `${at}.${name}`);
        if (keyword === 'allOf')
          for (const [index, inner] of Object.entries(value as object)) walk(inner, `${at}.${index}`);
        if (['items', 'additionalProperties', 'propertyNames'].includes(keyword)) walk(value, `${at}.${keyword}`);
        if (keyword === 'anyOf') for (const inner of value as unknown[]) walk(inner, `${at}.anyOf`);
      }
    };
    expect(Object.keys(document.components.schemas)).toContain('Rollout');
    for (const [name, schema] of Object.entries(document.components.schemas)) walk(schema, name);
    const texts = [...JSON.stringify(document.paths).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    for (const reference of texts) walk({ $ref: reference }, 'paths');
  });
});

describe('the edges of HTTP', () => {
  beforeEach(async () => {
    api = await startApi();
  });

  it('sends security headers, and nothing that names the software', async () => {
    const { headers } = await api.call('GET', '/api/v1/rollouts');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['GET', '/nothing', 404, 'RouteNotFound'],
    ['DELETE', '/api/v1/rollouts/x', 405, 'MethodNotAllowed'],
    ['GET', '/api/v1/rollouts/x/pause', 405, 'MethodNotAllowed'],
    ['GET', '/api/v1/rollouts/%E0%A4%A', 400, 'InvalidRequest'],
    ['GET', '/api/v1/rollouts/..%2f..%2fetc', 400, 'InvalidRequest'],
    ['GET', '/api/v1/rollouts?limit=1&limit=2', 400, 'InvalidRequest'],
    ['GET', '/api/v1/rollouts?limit=0', 400, 'InvalidRequest'],
    ['GET', '/api/v1/rollouts?constructor=1', 400, 'InvalidRequest'],
    ['GET', '/api/v1/rollouts?__proto__=1', 400, 'InvalidRequest'],
  ])('answers %s %s with %d %s', async (method, path, status, code) => {
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${api.tokens.admin}` },
    });
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({ status, code });
  });

  it('does not show the inside of an error, and logs it once with the id of the request', async () => {
    api.rollouts.find = async () => Promise.reject(new Error('postgres://user:hunter2@db/secret-path'));
    const { status, body } = await api.call('GET', '/api/v1/rollouts/podinfo');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toMatch(/hunter2|secret-path|\.ts/);
    const lines = api.logs
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ level }) => level === 'error');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ message: 'request failed', code: 'InternalError' });
    expect((body as { instance: string }).instance).toBe(`urn:uuid:${String(lines[0]?.['requestId'])}`);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('says that the record is away with 503 and Retry-After', async () => {
    api.rollouts.find = async () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
    const { status, body, headers } = await api.call('GET', '/api/v1/rollouts/podinfo');
    expect({ status, body }).toMatchObject({ status: 503, body: { code: 'RecordUnavailable' } });
    expect(headers.get('retry-after')).toBe('5');
  });

  it('answers garbage with 400 and closes', async () => {
    expect(await raw('not http\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('refuses a request with two lengths', async () => {
    const head = `POST /api/v1/stop-all HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await raw(`${head}{}`)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
