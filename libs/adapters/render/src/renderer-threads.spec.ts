import { jest } from '@jest/globals';
import { join } from 'node:path';
import { LocalRenderer } from './renderer.ts';
import { configMap, RenderFixture } from './render.fixture.ts';
import { createFleetReader } from './worker/worker-fleet-reader.ts';
import type { WorkKind } from './worker/work.ts';
import { WorkerPool } from './worker/worker-pool.ts';

jest.setTimeout(60_000);

const LARGE = Array.from({ length: 20_000 }, (_, index) => configMap(`c${index}`, 'x')).join('---\n');

const fleetDocument = (kind: string, name: string, spec: string): string =>
  `apiVersion: breakwater.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

const MANY_CLUSTERS = Array.from({ length: 20_000 }, (_, index) =>
  fleetDocument('Cluster', `c-${index}`, '{ region: eu }'),
).join('---\n');

describe('Threads of the renderer', () => {
  let app: RenderFixture;
  let work: [WorkKind, number][];
  beforeEach(() => {
    app = new RenderFixture();
    work = [];
  });
  afterEach(() => app.remove());

  const rendererWith = (options: ConstructorParameters<typeof WorkerPool>[0]): LocalRenderer =>
    new LocalRenderer({
      workDir: app.workDir,
      charts: { cacheDir: join(app.root, 'charts') },
      pool: new WorkerPool({ ...options, onWork: (kind, thread) => work.push([kind, thread]) }),
    });
  const request = () => ({
    application: 'podinfo',
    dir: app.dir,
    path: 'app',
    namespace: 'shop',
    kubeVersion: '1.36.3',
  });

  it.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, unknown>>, readonly WorkKind[]]>([
    ['plain YAML', { 'app/a.yaml': configMap('a', '${x}') }, { substitute: true, values: { x: 'y' } }, ['bundle']],
    [
      'Kustomize',
      { 'app/kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: "${x}-"\n', 'app/a.yaml': configMap('a', 'x') },
      { substitute: true, values: { x: 'y' } },
      ['substitute', 'manifest', 'bundle'],
    ],
    [
      'Helm',
      {
        'app/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
        'app/templates/a.yaml': configMap('a', 'x'),
      },
      {},
      ['manifest', 'bundle'],
    ],
  ])('%s is never read by the thread of the program', async (_, files, more, kinds) => {
    app.write(files);
    expect(await rendererWith({}).render({ ...request(), ...more })).toMatchObject({ ok: true });
    expect(work.map(([kind]) => kind)).toEqual(kinds);
    expect(work.map(([, thread]) => thread)).not.toContain(0);
  });

  it('leave the event loop free: what takes too long is ended by a timer of it, and the next rendering is a fresh one', async () => {
    app.write({ 'app/a.yaml': LARGE });
    const renderer = rendererWith({ size: 1 });
    const result = await renderer.render({ ...request(), limits: { readTimeoutMs: 20 } });
    expect(result).toMatchObject({
      ok: false,
      errors: [{ code: 'TimedOut', message: 'reading the documents took longer than 0.02 s' }],
    });
    app.write({ 'app/a.yaml': configMap('a', 'x') });
    expect(await renderer.render(request())).toMatchObject({ ok: true });
  });

  it('end what takes more memory than they have, with the program unharmed', async () => {
    app.write({ 'app/a.yaml': LARGE });
    const renderer = rendererWith({ size: 1, memoryBytes: 32 << 20 });
    expect(await renderer.render(request())).toMatchObject({
      ok: false,
      errors: [{ code: 'OutOfMemory', message: 'reading the documents took more than 32 MiB of memory' }],
    });
    app.write({ 'app/a.yaml': configMap('a', 'x') });
    expect(await renderer.render(request())).toMatchObject({ ok: true });
  });

  it('stop when the rendering is stopped', async () => {
    app.write({ 'app/a.yaml': LARGE });
    const stop = new AbortController();
    const running = rendererWith({ size: 1 }).render({ ...request(), signal: stop.signal });
    setTimeout(() => stop.abort(), 5);
    expect(await running).toMatchObject({ ok: false, errors: [{ code: 'Aborted' }] });
  });

  it('take more work than there are threads, one after the other', async () => {
    const pool = new WorkerPool({ size: 1, onWork: (kind, thread) => work.push([kind, thread]) });
    const texts = ['1', '2', '3', '4'];
    const outputs = await Promise.all(
      texts.map((text) => pool.run('substitute', { text: 'a: ${x}', values: { x: text }, file: 'a.yaml' })),
    );
    expect(outputs).toEqual(texts.map((text) => `a: "${text}"`));
    expect(new Set(work.map(([, thread]) => thread)).size).toBe(1);
  });

  it('replace very many references in one file', async () => {
    const text = (entry: string): string => `list:\n${`- ${entry}\n`.repeat(20_000)}`;
    const input = { text: text('${x}'), values: { x: 1 }, file: 'a.yaml' };
    expect(await new WorkerPool().run('substitute', input)).toBe(text('1'));
  });
});

describe('Fleet documents', () => {
  const files = [
    { path: 'a.yaml', text: fleetDocument('Cluster', 'eu-1', '{ region: eu }') },
    {
      path: 'web.yaml',
      text: fleetDocument('Application', 'web', '{ fleet: none, namespace: web, source: { path: web } }'),
    },
  ];

  it('are judged by a thread, as plain data with the place of the source', async () => {
    const threads: number[] = [];
    const pool = new WorkerPool({ onWork: (_, thread) => threads.push(thread) });
    const reading = await createFleetReader(pool).read(files, ['a.yaml', 'web.yaml', 'web/a.yaml']);
    expect(threads).toHaveLength(1);
    expect(threads).not.toContain(0);
    expect(reading.documents.map(({ name, source }) => [name, source])).toEqual([
      ['eu-1', { line: 4, column: 7 }],
      ['web', { line: 4, column: 46 }],
    ]);
    expect(reading.errors).toMatchObject([{ file: 'web.yaml', field: 'spec.fleet', blocks: 'application/web' }]);
    expect(reading.snapshot?.clusters.map(({ name }) => name)).toEqual(['eu-1']);
  });

  it('that take for ever keep their commit from being used, and say why', async () => {
    const reader = createFleetReader(new WorkerPool({ timeoutMs: 20 }));
    expect(await reader.read([{ path: 'a.yaml', text: MANY_CLUSTERS }], ['a.yaml'])).toMatchObject({
      documents: [],
      snapshot: null,
      errors: [{ reason: 'TimedOut', blocks: 'snapshot', message: 'reading the documents took longer than 0.02 s' }],
    });
  });
});
