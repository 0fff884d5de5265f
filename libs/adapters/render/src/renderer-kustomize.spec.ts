import { jest } from '@jest/globals';
import { configMap, RenderFixture } from './render.fixture.ts';

jest.setTimeout(60_000);

const kustomization = (text: string): string =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${text}`;

describe('Kustomize', () => {
  let app: RenderFixture;
  beforeEach(() => {
    app = new RenderFixture();
    app.write({
      'base/kustomization.yaml': kustomization('resources: [a.yaml]\n'),
      'base/a.yaml': configMap('a', '${ui.color}'),
    });
  });
  afterEach(() => app.remove());

  it('builds an overlay on a base elsewhere in the repository', async () => {
    app.write({
      'app/kustomization.yaml': kustomization(
        'resources: [../base, more]\nnamePrefix: eu-\npatches: [{path: patch.yaml, target: {kind: ConfigMap, name: a}}]\nconfigMapGenerator: [{name: gen, files: [conf.txt]}]\n',
      ),
      'app/patch.yaml': '- {op: add, path: /data/more, value: "1"}\n',
      'app/conf.txt': 'plain ${text}',
      'app/more/kustomization.yml': kustomization('resources: [b.yaml]\n'),
      'app/more/b.yaml': configMap('b', 'x'),
    });
    const { objects } = await app.bundle();
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['eu-a', 'eu-b', 'eu-gen-888cb54754']);
    expect(objects[0]!['data']).toEqual({ value: '${ui.color}', more: '1' });
    expect(objects[2]!['data']).toEqual({ 'conf.txt': 'plain ${text}' });
  });

  it('substitutes in the files that it names, with types, and names file and line of what is missing', async () => {
    app.write({
      'app/kustomization.yaml': kustomization(
        'resources: [../base, a.yaml]\nimages: [{name: web, newTag: "${tag}"}]\n',
      ),
      'app/a.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: ${replicas}\n  template: {spec: {containers: [{name: web, image: web}]}}\n',
    });
    const values = { ui: { color: 'blue' }, tag: '1.2', replicas: 3 };
    const { objects } = await app.bundle({ substitute: true, values });
    expect(objects[0]!['data']).toEqual({ value: 'blue' });
    expect(objects[1]!['spec']).toMatchObject({
      replicas: 3,
      template: { spec: { containers: [{ image: 'web:1.2' }] } },
    });
    const error = await app.error({ substitute: true, values: { tag: 'x', replicas: 1 } });
    expect(error).toMatchObject({ code: 'ValueMissing', file: 'base/a.yaml', line: 6, field: 'ui.color' });
  });

  it('reports what Kustomize says, without a path of this machine', async () => {
    app.write({
      'app/kustomization.yaml': kustomization(
        'resources: [a.yaml]\npatches: [{patch: "[]", target: {kind: X}}, {path: p.yaml}]\n',
      ),
      'app/a.yaml': configMap('a', 'x'),
      'app/p.yaml': configMap('nope', 'x'),
    });
    const error = await app.error();
    expect(error).toMatchObject({ code: 'KustomizeFailed', file: 'app' });
    expect(error.message).toContain('nope');
    expect(error.message).not.toContain(app.root);
  });

  const cases: [string, string, object][] = [
    ['a resource by https', 'resources: [https://example.org/a.yaml]', { code: 'RemoteResource', field: 'resources' }],
    ['a resource in a Git repository', 'resources: ["github.com/org/repo//base?ref=v1"]', { code: 'RemoteResource' }],
    ['a base by ssh', 'bases: ["git@github.com:org/repo"]', { code: 'RemoteResource', field: 'bases' }],
    ['a component with git::', 'components: ["git::https://example.org/x"]', { code: 'RemoteResource' }],
    ['a patch by http', 'patches: [{path: "http://169.254.169.254/x"}]', { code: 'RemoteResource', field: 'patches' }],
    ['a file by http', 'configMapGenerator: [{name: a, files: ["k=http://x.org/y"]}]', { code: 'RemoteResource' }],
    ['an env file by http', 'secretGenerator: [{name: a, envs: ["http://x.org/y"]}]', { code: 'RemoteResource' }],
    ['an openapi schema by http', 'openapi: {path: "http://x.org/y"}', { code: 'RemoteResource' }],
    [
      'a chart inflator',
      'helmCharts: [{name: x, repo: "https://x.org"}]',
      { code: 'PluginRefused', field: 'helmCharts' },
    ],
    ['a path out of the repository', 'resources: [../../../etc]', { code: 'SourceOutsideTree' }],
    ['an absolute path', 'resources: [/etc/passwd]', { code: 'SourceOutsideTree' }],
    ['a file outside of its root', 'resources: [../base/a.yaml]', { code: 'KustomizeFailed' }],
    ['a missing file', 'resources: [nope.yaml]', { code: 'SourceNotFound', file: 'app/kustomization.yaml' }],
    ['a base that builds on itself', 'resources: [../app]', { code: 'KustomizeFailed' }],
  ];
  it.each(cases)('refuses %s', async (_, text, expected) => {
    expect(await app.write({ 'app/kustomization.yaml': kustomization(`${text}\n`) }).error()).toMatchObject(expected);
  });

  it('refuses plug-ins: exec functions in transformers and generators', async () => {
    const mark = `${app.root}/mark`;
    const plugin = (kind: string): string =>
      `apiVersion: example.org/v1\nkind: ${kind}\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./run.sh}\n`;
    for (const field of ['transformers', 'generators', 'validators']) {
      app.write({
        'app/kustomization.yaml': kustomization(`resources: [a.yaml]\n${field}: [plugin.yaml]\n`),
        'app/a.yaml': configMap('a', 'x'),
        'app/plugin.yaml': plugin('Thing'),
        'app/run.sh': `#!/bin/sh\ntouch ${mark}\n`,
      });
      expect((await app.error()).code).toBe('KustomizeFailed');
    }
    const { existsSync } = await import('node:fs');
    expect(existsSync(mark)).toBe(false);
  });

  it('refuses two kustomizations in one directory, and a chart beside one', async () => {
    app.write({ 'app/kustomization.yaml': kustomization(''), 'app/Kustomization': kustomization('') });
    expect((await app.error()).code).toBe('SourceAmbiguous');
    app.write({ 'both/kustomization.yaml': kustomization(''), 'both/Chart.yaml': 'name: x\n' });
    expect((await app.error({ path: 'both' })).code).toBe('SourceAmbiguous');
  });

  it('refuses a link that leaves the tree', async () => {
    app.write({ 'app/kustomization.yaml': kustomization('resources: [a.yaml]\n') }).link('app/a.yaml', '/etc/passwd');
    expect((await app.error()).code).toBe('SourceOutsideTree');
  });
});
