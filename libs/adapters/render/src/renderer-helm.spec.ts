import { jest } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { configMap, RenderFixture } from './render.fixture.ts';
import { tar } from './tar.fixture.ts';

// Each rendering starts helm twice.
jest.setTimeout(60_000);

const chart = (name = 'web', more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n${more}`;

describe('Helm', () => {
  let app: RenderFixture;
  beforeEach(() => {
    app = new RenderFixture();
    app.write({ 'app/Chart.yaml': chart(), 'app/values.yaml': 'color: red\nsize: 1\n' });
  });
  afterEach(() => app.remove());

  const template = (text: string, name = 'a'): RenderFixture => app.write({ [`app/templates/${name}.yaml`]: text });

  it('renders with values, files of values, release, namespace and what the cluster is', async () => {
    template(
      configMap(
        '{{ .Release.Name }}',
        '{{ list .Values.color .Values.size .Values.shape .Release.Namespace .Release.IsUpgrade .Capabilities.KubeVersion.Version (.Capabilities.APIVersions.Has "example.org/v1") | join "," }}',
      ),
    );
    app.write({ 'app/values-eu.yaml': 'color: green\nshape: round\n', 'app/crds/c.yaml': configMap('crd', 'x') });
    const { objects } = await app.bundle({
      values: { size: 7 },
      helm: { releaseName: 'eu', valuesFiles: ['values-eu.yaml'] },
      kubeVersion: '1.33.2',
      apiVersions: ['example.org/v1'],
    });
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['crd', 'eu']);
    expect(objects[1]!['data']).toEqual({ value: 'green,7,round,shop,false,v1.33.2,true' });
    const { objects: plain } = await app.bundle();
    expect(plain[1]).toMatchObject({
      metadata: { name: 'podinfo' },
      data: { value: 'red,1,shop,false,v1.36.3,false' },
    });
  });

  it('renders the whole of what should be there: what a chart makes at an installation only is in every release', async () => {
    template(`{{ if .Release.IsInstall }}\n${configMap('once', '{{ .Release.Revision }}')}\n{{ end }}`);
    template(`{{ if .Release.IsUpgrade }}\n${configMap('later', 'x')}\n{{ end }}`, 'b');
    const { objects } = await app.bundle();
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['once']);
    expect(objects[0]!['data']).toEqual({ value: 1 });
  });

  it('renders the same whatever the order of the API versions', async () => {
    template(configMap('a', '{{ .Capabilities.APIVersions.Has "b.example/v1/B" }}'));
    const apiVersions = ['b.example/v1/B', 'a.example/v1'];
    const { digest } = await app.bundle({ apiVersions });
    expect((await app.bundle({ apiVersions: apiVersions.toReversed() })).digest).toBe(digest);
    expect((await app.bundle()).digest).not.toBe(digest);
  });

  it('renders the charts that it carries: directories, archives, and file:// neighbours', async () => {
    const { gzipSync } = await import('node:zlib');
    app.write({
      'app/Chart.yaml': chart(
        'web',
        'dependencies:\n- {name: one, version: 0.1.0}\n- {name: two, version: 0.1.0, repository: "file://../two"}\n- {name: three, version: 0.1.0, repository: "https://charts.example.org"}\n',
      ),
      'app/charts/one/Chart.yaml': chart('one'),
      'app/charts/one/templates/a.yaml': configMap('one', '{{ .Values.x }}'),
      'app/charts/three-0.1.0.tgz': gzipSync(
        tar({ 'three/Chart.yaml': chart('three'), 'three/templates/a.yaml': configMap('three', 'x') }),
      ),
      'two/Chart.yaml': chart('two'),
      'two/templates/a.yaml': configMap('two', 'x'),
    });
    const { objects } = await app.bundle({ values: { one: { x: 'from above' } } });
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['one', 'three', 'two']);
    expect(objects[0]!['data']).toEqual({ value: 'from above' });
  });

  it('says how to bring a dependency that is missing', async () => {
    app.write({
      'app/Chart.yaml': chart('web', 'dependencies:\n- {name: x, version: 1.0.0, repository: "https://x.org"}\n'),
    });
    const error = await app.error();
    expect([error.code, error.remedy]).toEqual([
      'HelmFailed',
      'run `helm dependency build` and commit the charts/ directory',
    ]);
  });

  it('names template and line of an error', async () => {
    template(`a: 1\nb: {{ required "set it" .Values.nope }}\n`);
    const error = await app.error();
    expect(error).toMatchObject({ code: 'HelmFailed', file: 'app/templates/a.yaml', line: 2 });
    expect(error.message).toContain('set it');
    expect(error.message).not.toContain(app.root);
  });

  it('names the template of an object that is refused', async () => {
    template(configMap('a', 'x', '  namespace: kube-system\n'), 'web');
    expect(await app.error()).toMatchObject({ code: 'NamespaceNotAllowed', file: 'app/templates/web.yaml' });
  });

  it.each([
    ['a random password', '{{ randAlphaNum 8 }}', 'data.value'],
    ['a certificate', '{{ (genSelfSignedCert "x" nil nil 1).Cert | b64enc }}', 'data.value'],
    ['a salt', '{{ htpasswd "a" "b" | quote }}', 'data.value'],
    ['a uuid', '{{ uuidv4 }}', 'data.value'],
    ['the time', '{{ now | date "2006" | quote }}', 'data.value'],
    ['the day, deep in an expression', '{{ printf "%s" (now | date "2006-01-02") | quote }}', 'data.value'],
  ])('refuses %s in what it renders', async (_, value, field) => {
    template(configMap('a', value));
    expect(await app.error()).toMatchObject({
      code: 'NotDeterministic',
      object: 'ConfigMap/a',
      field,
      file: 'app/templates/a.yaml',
    });
  });

  it('accepts a clock that changes nothing, and the word in texts, fields and comments', async () => {
    app.write({ 'app/values.yaml': 'now: later\n' });
    template(
      `{{/* now }} lookup */}}{{ if now }}{{ end }}${configMap('a', '{{ .Values.now }} now {{ "now }} lookup" }} lookup {{ `now` }}')}`,
    );
    expect((await app.bundle()).objects[0]!['data']).toEqual({ value: 'later now now }} lookup lookup now' });
  });

  it('refuses lookup where it is called, also in a chart that it carries', async () => {
    template(`a: 1\nb: {{ (lookup "v1" "Secret" "shop" "x") }}\n`);
    expect(await app.error()).toMatchObject({ code: 'LookupRefused', file: 'app/templates/a.yaml', line: 2 });
    template(configMap('a', '{{ include "one.x" . }}'));
    app.write({
      'app/charts/one/Chart.yaml': chart('one'),
      'app/charts/one/templates/_h.tpl':
        '{{ define "one.x" }}{{ if .Values.live }}{{- (lookup "v1" "Secret" "" "") }}{{ end }}{{ end }}',
    });
    expect((await app.bundle()).objects).toHaveLength(1);
    expect((await app.error({ values: { live: true } })).code).toBe('LookupRefused');
    template(configMap('a', '{{ tpl .Values.t . }}'));
    expect((await app.error({ values: { t: 'x{{ lookup "v1" "Secret" "" "" }}' } })).code).toBe('LookupRefused');
  });

  it('drops tests and refuses other hooks', async () => {
    const hook = (name: string, kind: string): string =>
      configMap(name, 'x', `  annotations: {helm.sh/hook: "${kind}"}\n`);
    template(`${configMap('a', 'x')}---\n${hook('t', 'test')}---\n${hook('u', 'test-success')}`);
    const { objects, warnings } = await app.bundle();
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(warnings).toHaveLength(2);
    template(hook('m', 'pre-install,pre-upgrade'));
    expect(await app.error()).toMatchObject({
      code: 'NotSupportedYet',
      object: 'ConfigMap/m',
      file: 'app/templates/a.yaml',
    });
  });

  it('stops a template that runs for ever', async () => {
    template('{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}');
    const started = Date.now();
    expect((await app.error({ limits: { timeoutMs: 1500 } })).code).toBe('TimedOut');
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  it('stops a template that eats memory', async () => {
    template('{{- $x := list "a" }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}a: {{ len $x }}');
    expect((await app.error({ limits: { memoryBytes: 256 << 20 } })).code).toBe('OutOfMemory');
  });

  it('stops a template that prints without end', async () => {
    template(configMap('a', '{{ repeat 3000000 "x" }}'));
    expect((await app.error({ limits: { sourceBytes: 1 << 20 } })).code).toBe('TooLarge');
  });

  it('stops when it is told to', async () => {
    template('{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}');
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 500);
    expect((await app.error({ signal: stop.signal })).code).toBe('Aborted');
  });

  it('leaves nothing behind', async () => {
    template(configMap('a', 'x'));
    await app.bundle();
    template('{{ fail "x" }}');
    await app.error();
    expect(readdirSync(app.workDir)).toEqual([]);
  });

  it.each([
    ['a release name that is an option', { helm: { releaseName: '--post-renderer=x' } }, 'InvalidRequest'],
    ['a version that is an option', { kubeVersion: '--x' }, 'InvalidRequest'],
    ['an API version that is an option', { apiVersions: ['--x'] }, 'InvalidRequest'],
    ['values by http', { helm: { valuesFiles: ['https://example.org/v.yaml'] } }, 'SourceNotFound'],
    ['values out of the tree', { helm: { valuesFiles: ['../../../etc/passwd'] } }, 'SourceOutsideTree'],
    ['substitution', { substitute: true }, 'InvalidRequest'],
  ])('refuses %s', async (_, request, code) => {
    template(configMap('a', 'x'));
    expect((await app.error(request)).code).toBe(code);
  });

  it.each([
    ['a file', '{"properties": {"a": {"$ref": "file:///etc/hosts"}}}', 'SourceOutsideTree'],
    ['a path', '{"properties": {"a": {"$ref": "root/.docker/config.json"}}}', 'SourceOutsideTree'],
    ['a name in disguise', '{"properties": {"a": {"\\u0024ref": "/etc/hosts"}}}', 'SourceOutsideTree'],
    ['a value in disguise', '{"items": [{"$dynamicRef": "\\u002fetc/hosts"}]}', 'SourceOutsideTree'],
    ['a file that it would be', '{"$id": "file:///root/", "properties": {}}', 'SourceOutsideTree'],
    ['no JSON', '{"properties": {"a": {"$ref": "x",}}}', 'HelmFailed'],
  ])('refuses a schema that leads to %s', async (_, schema, code) => {
    template(configMap('a', 'x'));
    app.write({ 'app/values.schema.json': schema });
    expect(await app.error()).toMatchObject({ code, file: 'app/values.schema.json' });
  });

  it('takes a schema that refers to its own parts', async () => {
    template(configMap('a', 'x'));
    const schema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      $id: 'https://example.com/values.json',
      definitions: { color: { type: 'string' } },
      properties: { color: { $ref: '#/definitions/color' } },
    };
    app.write({ 'app/values.schema.json': JSON.stringify(schema) });
    expect((await app.bundle()).objects).toHaveLength(1);
  });

  it('is off the network while it renders', async () => {
    if ((await app.renderer.networkIsolation()) === 'none') return console.warn('skipped: no network namespaces here');
    const { createServer } = await import('node:http');
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end('{}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    template(configMap('a', 'x'));
    app.write({ 'app/values.schema.json': `{"$schema": "http://127.0.0.1:${port}/x.json"}` });
    const error = await app.error();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    expect([error.code, asked]).toEqual(['HelmFailed', 0]);
  });

  it('says which of its own files a chart cannot have beside each other', async () => {
    app.write({
      'app/Chart.yaml': chart('web', 'dependencies: [{name: two, version: 0.1.0, repository: "file://../two"}]\n'),
    });
    app.write({ 'app/charts': 'a file', 'two/Chart.yaml': chart('two') });
    expect(await app.error()).toMatchObject({
      code: 'InvalidSource',
      message: expect.stringContaining('charts') as string,
    });
    expect(JSON.stringify(await app.error())).not.toContain(app.root);
  });

  it.each([
    ['a link', { 'x/Chart.yaml': chart('x'), 'x/evil': { type: '2' } }, 'ChartUnavailable'],
    ['a path that leaves it', { 'x/Chart.yaml': chart('x'), 'x/../../evil': 'x' }, 'ChartUnavailable'],
    ['an absolute path', { '/tmp/evil': 'x' }, 'ChartUnavailable'],
    ['a file in the place of a directory', { 'x/a': 'x', 'x/a/b': 'x' }, 'ChartUnavailable'],
    ['one that only shows in the chart', { 'x/a': 'x', 'y/a/b': 'x' }, 'InvalidSource'],
    ['gigabytes of nothing', { 'x/zeros': '\0'.repeat(30 << 20) }, 'TooLarge'],
  ])('refuses an archive with %s', async (_, entries, code) => {
    const { gzipSync } = await import('node:zlib');
    app.write({ 'app/charts/x.tgz': gzipSync(tar(entries)) });
    expect((await app.error()).code).toBe(code);
  });
});
