import { REFUSED_LINK } from '@breakwater/application';
import { bundleDigest, objectDigest } from '@breakwater/domain';
import { configMap, RenderFixture } from './render.fixture.ts';

describe('plain YAML', () => {
  let app: RenderFixture;
  beforeEach(() => {
    app = new RenderFixture();
  });
  afterEach(() => app.remove());

  it('reads every manifest below the path, with the namespace filled in, in a fixed order', async () => {
    app.write({
      'app/b.yml': `${configMap('b', 'x')}---\n${configMap('a', 'x')}---\n`,
      'app/sub/c.json': JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }),
      'app/README.md': 'not: [a manifest',
      'app/.hidden.yaml': 'not: [a manifest',
      'elsewhere/d.yaml': configMap('d', 'x'),
    });
    const { objects, digest } = await app.bundle();
    expect(objects.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace])).toEqual([
      ['ConfigMap', 'a', 'shop'],
      ['ConfigMap', 'b', 'shop'],
      ['Namespace', 'shop', undefined],
    ]);
    expect(digest).toBe(bundleDigest(objects));
  });

  it('has the same digest whatever the order of files, keys and comments', async () => {
    const one = await app.write({ 'app/a.yaml': `${configMap('a', 'x')}---\n${configMap('b', 'z')}` }).bundle();
    const other = new RenderFixture();
    other.write({
      'app/1.yaml': '# a comment\nkind: ConfigMap\ndata: {value: "z"}\nmetadata: {name: b}\napiVersion: v1\n',
      'app/2.json':
        '{"data":{"value":"x"},"apiVersion":"v1","metadata":{"namespace":"shop","name":"a"},"kind":"ConfigMap"}',
    });
    const two = await other.bundle();
    other.remove();
    expect(two.digest).toBe(one.digest);
    expect(one.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('keeps this digest for ever', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { ü: 'ß', a: '1' } };
    expect(objectDigest(object)).toBe('sha256:312337c21ff138865b3a6f8261fd3d5e1a048e411a442fa7ca37ffa76324ddab');
  });

  it('reads scalars as kubectl does', async () => {
    const data = {
      y: 'yes',
      o: '0644',
      n: '1_000',
      t: '12:30:45',
      d: '2024-01-01',
      h: '0x1F',
      e: '~',
      f: '1e3',
      s: '"yes"',
    };
    const lines = Object.entries(data).map(([key, value]) => `    k${key}: ${value}`);
    app.write({
      'app/a.yaml': `apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n${lines.join('\n')}\n`,
    });
    const { objects } = await app.bundle();
    expect(objects[0]!['spec']).toEqual({
      ky: true,
      ko: 420,
      kn: 1000,
      kt: '12:30:45',
      kd: '2024-01-01',
      kh: 31,
      ke: null,
      kf: 1000,
      ks: 'yes',
    });
  });

  it('flattens lists and turns stringData into data', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: 'eA==' },
      stringData: { b: 'y' },
    };
    app.write({ 'app/a.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [secret] }) });
    const { objects } = await app.bundle();
    expect(objects).toEqual([
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'shop' }, data: { a: 'eA==', b: 'eQ==' } },
    ]);
  });

  it('knows which kinds have no namespace: built in, by a CRD of the bundle, as the cluster said', async () => {
    const crd = (scope: string, kind: string): string =>
      `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ${kind.toLowerCase()}s.example.org}\nspec: {group: example.org, scope: ${scope}, names: {kind: ${kind}}}\n---\n`;
    const thing = (kind: string): string => `apiVersion: example.org/v1\nkind: ${kind}\nmetadata: {name: x}\n---\n`;
    app.write({
      'app/a.yaml':
        crd('Cluster', 'Wide') +
        crd('Namespaced', 'Narrow') +
        ['Wide', 'Narrow', 'Told', 'Unknown'].map(thing).join(''),
      'app/b.yaml':
        'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x, namespace: shop}\n',
    });
    const { objects, warnings } = await app.bundle({ clusterScoped: [{ group: 'example.org', kind: 'Told' }] });
    const namespaces = Object.fromEntries(objects.map(({ kind, metadata }) => [kind, metadata.namespace]));
    expect(namespaces).toEqual({
      CustomResourceDefinition: undefined,
      ClusterRole: undefined,
      Wide: undefined,
      Narrow: 'shop',
      Told: undefined,
      Unknown: 'shop',
    });
    expect(warnings).toEqual(['ClusterRole/x has no namespace: shop left out']);
  });

  it('drops what only API servers set, and says so', async () => {
    app.write({
      'app/a.yaml':
        'apiVersion: v1\nkind: Service\nmetadata: {name: a, resourceVersion: "7", creationTimestamp: null}\nstatus: {loadBalancer: {}}\n',
    });
    const { objects, warnings } = await app.bundle();
    expect(objects).toEqual([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', namespace: 'shop' } }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('metadata.resourceVersion');
  });

  describe('is refused, with the place and a remedy, when', () => {
    const cases: [string, Record<string, string | Buffer>, object][] = [
      ['there is nothing', { 'other/a.yaml': '' }, { code: 'SourceNotFound', field: 'source.path' }],
      ['there is no object', { 'app/a.yaml': '---\n---\n' }, { code: 'SourceEmpty' }],
      ['YAML is broken', { 'app/a.yaml': 'a: 1\nb: [\n' }, { code: 'InvalidYaml', file: 'app/a.yaml' }],
      ['a key is there twice', { 'app/a.yaml': 'a: 1\na: 2\n' }, { code: 'InvalidYaml', line: 2 }],
      ['a tag is unknown', { 'app/a.yaml': 'a: !run x\n' }, { code: 'InvalidYaml', line: 1 }],
      ['a number is infinite', { 'app/a.yaml': 'a: .inf\n' }, { code: 'InvalidYaml' }],
      ['a file is binary', { 'app/a.yaml': Buffer.from([1, 0, 2]) }, { code: 'NotText', file: 'app/a.yaml' }],
      ['a file is Latin-1', { 'app/a.yaml': Buffer.from([0x61, 0xe4]) }, { code: 'NotText', file: 'app/a.yaml' }],
      ['a document is a text', { 'app/a.yaml': '---\nhello\n' }, { code: 'InvalidObject', line: 2 }],
      ['apiVersion is missing', { 'app/a.yaml': 'kind: A\nmetadata: {name: a}\n' }, { field: 'apiVersion' }],
      ['kind is missing', { 'app/a.yaml': 'apiVersion: v1\nmetadata: {name: a}\n' }, { field: 'kind' }],
      ['the name is missing', { 'app/a.yaml': 'apiVersion: v1\nkind: A\nmetadata: {}\n' }, { field: 'metadata.name' }],
      ['the name is a path', { 'app/a.yaml': configMap('../x', 'x') }, { field: 'metadata.name' }],
      ['the name is a number', { 'app/a.yaml': configMap('12', 'x') }, { remedy: 'write "12"' }],
      [
        'the name is generated',
        { 'app/a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n' },
        { field: 'metadata.generateName' },
      ],
      [
        'a label is a number',
        { 'app/a.yaml': configMap('a', 'x', '  labels: {v: 1}\n') },
        { field: 'metadata.labels.v', code: 'InvalidObject' },
      ],
      [
        'the namespace is another',
        { 'app/a.yaml': configMap('a', 'x', '  namespace: kube-system\n') },
        { code: 'NamespaceNotAllowed', object: 'ConfigMap/kube-system/a', line: 1, field: 'metadata.namespace' },
      ],
      [
        'an object is there twice',
        { 'app/a.yaml': configMap('a', 'x'), 'app/b.yaml': `---\n${configMap('a', 'y', '  namespace: shop\n')}` },
        {
          code: 'DuplicateObject',
          file: 'app/b.yaml',
          line: 2,
          message: 'the object is there twice, first in app/a.yaml:1',
        },
      ],
      [
        'a fleet document lies in the source',
        { 'app/a.yaml': 'apiVersion: breakwater.dev/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n' },
        { code: 'InvalidObject' },
      ],
      [
        'a chart lies below manifests',
        { 'app/a.yaml': configMap('a', 'x'), 'app/c/Chart.yaml': 'name: x\n' },
        { code: 'SourceAmbiguous', file: 'app/c/Chart.yaml' },
      ],
      ['an object is too large', { 'app/a.yaml': configMap('a', 'x'.repeat(1_600_000)) }, { code: 'TooLarge' }],
      ['the source is too large', { 'app/a.txt': Buffer.alloc(21 << 20) }, { code: 'TooLarge' }],
      ['it is nested too deeply', { 'app/a.yaml': `a: ${'['.repeat(200)}${']'.repeat(200)}\n` }, { code: 'TooLarge' }],
      ['it would overflow the stack', { 'app/a.yaml': `a: ${'['.repeat(50_000)}` }, { code: 'InvalidYaml' }],
    ];
    it.each(cases)('%s', async (_, files, expected) => {
      const error = await app.write(files).error();
      expect(error).toMatchObject(expected);
      expect(error.remedy).not.toBe('');
    });

    it('aliases multiply', async () => {
      const levels = 'abcdefghij'.split('').map((name, index, all) => {
        const value =
          index === 0
            ? 'x'
            : `[${Array(9)
                .fill(`*${all[index - 1]}`)
                .join(',')}]`;
        return `${name}: &${name} ${value}\n`;
      });
      expect((await app.write({ 'app/a.yaml': levels.join('') }).error()).code).toBe('TooLarge');
      const few = levels.map((line) => line.replace(/(\*\w),.*\]/, '$1,$1]')).join('');
      expect((await app.write({ 'app/a.yaml': `${few}k: &k [*j,*j,*j]\nl: [*k,*k,*k]\n` }).error()).code).toBe(
        'TooLarge',
      );
    });

    it('a link leaves the tree, in the form that the mirror writes and in its own', async () => {
      app.write({ 'app/a.yaml': configMap('a', 'x') }).link('app/b.yaml', `${REFUSED_LINK}%2Fetc%2Fpasswd`);
      const error = await app.error();
      expect([error.code, error.file]).toEqual(['SourceOutsideTree', 'app/b.yaml']);
      expect(error.message).toContain('"/etc/passwd"');
      const other = new RenderFixture().write({ 'app/a.yaml': configMap('a', 'x') }).link('app/b.yaml', '/etc/passwd');
      expect((await other.error()).code).toBe('SourceOutsideTree');
      expect((await other.error({ path: '../..' })).code).toBe('SourceOutsideTree');
      expect((await other.error({ path: '/etc' })).code).toBe('SourceOutsideTree');
      other.remove();
    });

    it('a link leads back up', async () => {
      app.write({ 'app/a.yaml': configMap('a', 'x') }).link('app/loop', '.');
      expect((await app.error()).code).toBe('SourceOutsideTree');
    });

    it('there are too many files', async () => {
      app.write({ 'app/a': '', 'app/b': '', 'app/c': '' });
      expect((await app.error({ limits: { sourceFiles: 2 } })).code).toBe('TooLarge');
    });

    it('a few links make more paths than anybody can walk', async () => {
      for (let level = 0; level < 28; level++) {
        const next = `../d${level + 1}`;
        app
          .write({ [`app/d${level}/.keep`]: '' })
          .link(`app/d${level}/a`, next)
          .link(`app/d${level}/b`, next);
      }
      app.write({ 'app/d28/a.yaml': configMap('a', 'x') });
      expect((await app.error()).code).toBe('TooLarge');
      const stopped = new AbortController();
      const rendering = app.error({ signal: stopped.signal, limits: { sourceFiles: 1_000_000 } });
      setTimeout(() => stopped.abort(), 100);
      expect((await rendering).code).toBe('Aborted');
    }, 60_000);

    it('several things are wrong: all are named', async () => {
      app.write({ 'app/a.yaml': 'kind: A\n---\napiVersion: v1\n', 'app/b.yaml': configMap('a', 'x') });
      expect((await app.errors()).map(({ file, line }) => [file, line])).toEqual([
        ['app/a.yaml', 1],
        ['app/a.yaml', 3],
      ]);
    });
  });

  it('follows links inside the tree', async () => {
    app.write({ 'base/a.yaml': configMap('a', 'x') }).link('app', 'base');
    expect((await app.bundle()).objects).toHaveLength(1);
  });

  it('allows other namespaces that are listed', async () => {
    app.write({ 'app/a.yaml': configMap('a', 'x', '  namespace: other\n') });
    expect((await app.bundle({ namespaces: ['other'] })).objects[0]!.metadata.namespace).toBe('other');
  });

  describe('with substitution', () => {
    const values = { ui: { color: 'blue', size: 3, on: true }, text: 'a: b\n- c', tag: 'true', nothing: null };
    const thing = (spec: string): string =>
      `apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n${spec}`;
    const spec = async (text: string): Promise<unknown> => {
      app.write({ 'app/a.yaml': thing(text) });
      return (await app.bundle({ values, substitute: true })).objects[0]!['spec'];
    };

    it('gives a lone reference the value with its type, and text elsewhere', async () => {
      expect(
        await spec(
          '  a: ${ui.size}\n  b: "${ui.size}"\n  c: x-${ui.color}-${ui.on}\n  d: ${ui}\n  e: ${tag}\n  f: ${nothing}\n  ${ui.color}: 1\n  list: [1, "${ui.size}"]\n',
        ),
      ).toEqual({
        a: 3,
        b: '3',
        c: 'x-blue-true',
        d: values.ui,
        e: 'true',
        f: null,
        blue: 1,
        list: [1, '3'],
      });
    });

    it('never lets a value change the structure', async () => {
      expect(await spec('  a: ${text}\n  b: x ${text}\n  c: |\n    #!/bin/sh\n    echo ${text}\n  d: 1\n')).toEqual({
        a: 'a: b\n- c',
        b: 'x a: b\n- c',
        c: '#!/bin/sh\necho a: b\n- c\n',
        d: 1,
      });
    });

    it('keeps what is escaped, and comments', async () => {
      expect(await spec('  # ${nope}\n  a: $${HOME}\n  b: |\n    $${A:-b} $(C) $D\n')).toEqual({
        a: '${HOME}',
        b: '${A:-b} $(C) $D\n',
      });
    });

    it('names file, line and value where one is missing', async () => {
      app.write({ 'app/a.yaml': thing('  a: 1\n  b: ${ui.colour}\n  c: ${__proto__.x} ${ui.color.length}\n') });
      const errors = await app.errors({ values, substitute: true });
      expect(errors[0]).toMatchObject({ code: 'ValueMissing', file: 'app/a.yaml', line: 6, field: 'ui.colour' });
      expect(errors[1]).toMatchObject({ code: 'ValueMissing', line: 7, field: '__proto__.x' });
    });

    it('refuses forms that it does not know', async () => {
      app.write({ 'app/a.yaml': thing('  a: x ${HOME:-/root}\n  b: x ${ui}\n') });
      const errors = await app.errors({ values, substitute: true });
      expect(errors.map(({ code, line }) => [code, line])).toEqual([
        ['InvalidSubstitution', 5],
        ['InvalidSubstitution', 6],
      ]);
    });

    it('is off unless it is asked for', async () => {
      app.write({ 'app/a.yaml': configMap('a', '${ui.color}') });
      expect((await app.bundle({ values })).objects[0]!['data']).toEqual({ value: '${ui.color}' });
    });
  });

  describe('with overrides', () => {
    const target = { kind: 'ConfigMap', name: 'a' };
    beforeEach(() => {
      app.write({ 'app/a.yaml': configMap('a', 'x'), 'app/b.yaml': configMap('b', 'x') });
    });

    it('merges and patches what was rendered', async () => {
      const { objects } = await app.bundle({
        overrides: [
          { target, patch: { data: { value: null, more: '1' } } },
          { target, jsonPatch: [{ op: 'add', path: '/metadata/labels', value: { 'a/b': 'c' } }] },
          { target, jsonPatch: [{ op: 'replace', path: '/metadata/labels/a~1b', value: 'd' }] },
        ],
      });
      expect(objects[0]).toMatchObject({ metadata: { labels: { 'a/b': 'd' } }, data: { more: '1' } });
      expect(objects[0]!['data']).toEqual({ more: '1' });
    });

    it.each([
      ['matches nothing', { target: { ...target, name: 'c' }, patch: {} }, 'OverrideMatchesNothing'],
      ['matches nothing in its group', { target: { ...target, group: 'apps' }, patch: {} }, 'OverrideMatchesNothing'],
      ['changes nothing', { target }, 'InvalidOverride'],
      ['renames', { target, patch: { metadata: { name: 'b' } } }, 'InvalidOverride'],
      ['moves', { target, patch: { metadata: { namespace: 'kube-system' } } }, 'InvalidOverride'],
      ['takes the metadata away', { target, patch: { metadata: null } }, 'InvalidOverride'],
      ['replaces the object', { target, jsonPatch: [{ op: 'replace', path: '', value: 3 }] }, 'InvalidOverride'],
      ['has a wrong path', { target, jsonPatch: [{ op: 'remove', path: '/data/nope' }] }, 'InvalidOverride'],
      ['has a wrong operation', { target, jsonPatch: [{ op: 'run', path: '/data' }] }, 'InvalidOverride'],
    ])('is refused where an override %s', async (_, override, code) => {
      expect((await app.error({ overrides: [override] })).code).toBe(code);
    });
  });
});
