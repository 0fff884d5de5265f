import fc from 'fast-check';
import type { Application, Strategy } from '../fleet/index.ts';
import { document, errorsOf, linesOf, VALID } from './documents.testing.ts';
import { readFleetDocuments } from './index.ts';

const HEAD = 'apiVersion: breakwater.dev/v1alpha1\n';
const one = (text: string) => readFleetDocuments([{ path: 'f.yaml', text }]).documents[0]!;

describe('what is read', () => {
  it('is every document of our version, in files of many documents and in JSON', () => {
    const json = JSON.stringify({
      apiVersion: 'breakwater.dev/v1alpha1',
      kind: 'Cluster',
      metadata: { name: 'j' },
      spec: { region: 'eu' },
    });
    const { documents, errors } = readFleetDocuments([
      {
        path: 'b.yaml',
        text: `# nothing\n---\n${VALID['clusters/a.yaml']}---\nkind: ConfigMap\napiVersion: v1\n---\n${VALID['fleet.yaml']}`,
      },
      { path: 'a.json', text: json },
    ]);
    expect(errors).toEqual([]);
    expect(documents.map(({ file, line, kind, name }) => [file, line, kind, name])).toEqual([
      ['a.json', 1, 'Cluster', 'j'],
      ['b.yaml', 3, 'Cluster', 'a'],
      ['b.yaml', 11, 'Fleet', 'shop'],
    ]);
  });

  it.each([
    ['manifests of others', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: breakwater }'],
    ['a broken file of others', 'apiVersion: v1\nkind: [unclosed # breakwater'],
    ['a Helm template', '{{- if .Values.breakwater }}\napiVersion: v1\n{{ end }}'],
    [
      'a foreign kind with one of our names',
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {}',
    ],
    ['a list', '- apiVersion: breakwater.dev/v1alpha1'],
    ['nothing', ''],
  ])('leaves out %s', (_, text) => {
    expect(readFleetDocuments([{ path: 'f.yaml', text }])).toEqual({ documents: [], errors: [], excluded: [] });
  });

  it('has the careful defaults', () => {
    const strategy = one(document('Strategy', 's', '{ waves: [ { name: all } ] }')).resource as Strategy;
    expect(strategy).toEqual({
      kind: 'Strategy',
      name: 's',
      labels: {},
      waves: [
        {
          name: 'all',
          clusters: null,
          risk: null,
          maxConcurrent: 1,
          failureBudget: 0,
          soakMs: 0,
          allowEmpty: false,
          minClusters: 0,
          schedule: [],
        },
      ],
      workloads: { name: 'workloads-ready', timeout: 300_000, stableFor: 30_000, failFast: 10_000 },
      gates: [],
      gateReferences: [],
      failureDomains: { maxInFlight: 1 },
      unreachable: { wait: 600_000, then: 'count' },
      slow: { after: null, then: 'fail' },
      preflight: { onFailure: 'stop' },
      onFailure: { action: 'rollback', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore' },
      concurrency: { region: null, cluster: null },
      failureBudgets: { region: null, rollout: null },
      deadline: null,
      concurrentRollouts: 'queue',
      runbook: null,
    });
    const application = one(VALID['podinfo.yaml']).resource as Application;
    expect(application).toMatchObject({
      namespace: 'podinfo',
      trigger: 'manual',
      prune: { enabled: true, maxDeletions: 10, protect: ['PersistentVolumeClaim', 'CustomResourceDefinition'] },
      conflicts: 'report',
      adopt: 'refuse',
    });
    expect(one(VALID['clusters/a.yaml']).resource).toMatchObject({ failureDomain: 'a', credentials: 'a' });
  });

  it('takes merge keys, and finds the place of what they brought in', () => {
    const text = document('Cluster', 'a', '{ region: eu, values: { x: &x { a: 1 }, y: { <<: *x, b: 2 } } }');
    const read = one(text);
    expect(read.resource).toMatchObject({ values: { x: { a: 1 }, y: { a: 1, b: 2 } } });
    expect(read.locate(['spec', 'values', 'y', 'a']).line).toBe(4);
  });

  it('treats names of prototypes as any other label would be, and never pollutes', () => {
    errorsOf(`${HEAD}kind: Cluster\n__proto__: { polluted: 1 }\n`);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('errors are said as file:line:column kind/name field: what is wrong; what would be right', () => {
  const wave = (fields: string): string => document('Strategy', 's', `{ waves: [ { name: w, ${fields} } ] }`);
  const app = (fields: string): string =>
    document('Application', 'web', `\n  fleet: shop\n  source: { path: apps/web }\n  ${fields}`);
  it.each([
    [
      'an unknown field',
      document('Cluster', 'a', '\n  region: eu\n  regoin: eu'),
      'f.yaml:6:3 Cluster/a spec.regoin: is not a known field; did you mean "region"?',
    ],
    [
      'an unknown kind',
      `${HEAD}kind: Clutser\nmetadata: { name: a }`,
      'f.yaml:2:7 Clutser/a kind: "Clutser" is not a known kind; did you mean "Cluster"?',
    ],
    [
      'a missing field',
      document('Cluster', 'a', '{ risk: low }'),
      'f.yaml:4:7 Cluster/a spec.region: is missing; write a text',
    ],
    [
      'a percentage over 100',
      wave('maxConcurrent: 101%'),
      'f.yaml:4:44 Strategy/s spec.waves[0].maxConcurrent: "101%" is not a number of clusters or a percentage; write a whole number from 1, such as 2, or a percentage from 1% to 100%, such as 50%',
    ],
    [
      'a duration without a unit',
      wave('soak: 10'),
      'f.yaml:4:35 Strategy/s spec.waves[0].soak: 10 is not a duration; write a number and a unit: 10s, 5m, 2h or 7d, at most 366d',
    ],
    [
      'an empty selector',
      wave('clusters: {}'),
      'f.yaml:4:39 Strategy/s spec.waves[0].clusters: is an empty selector; name matchLabels, matchExpressions or regions, or write all: true',
    ],
    [
      'a word that is not in the list',
      wave('risk: lwo'),
      'f.yaml:4:35 Strategy/s spec.waves[0].risk: "lwo" is not one of low, medium, high; did you mean "low"?',
    ],
    [
      'a name that is a number',
      document('Cluster', '123', '{ region: eu }'),
      'f.yaml:3:19 Cluster/? metadata.name: is 123, not a text; put it in quotes',
    ],
    [
      'a path that leaves the tree',
      document('Application', 'a', '{ fleet: f, source: { path: ../x } }'),
      'f.yaml:4:35 Application/a spec.source.path: is not a path inside of the tree; write a relative path of a folder such as apps/podinfo, without ".."',
    ],
    [
      'a chart with a range of versions',
      document('Application', 'a', '{ fleet: f, source: { chart: { oci: oci://r/x, name: x, version: ^1.2.0 } } }'),
      'f.yaml:4:72 Application/a spec.source.chart.version: "^1.2.0" is not an exact version; pin one, such as 1.2.3: a range renders something else tomorrow',
    ],
    [
      'a namespace that cannot be',
      app('namespace: Web'),
      'f.yaml:7:14 Application/web spec.namespace: "Web" is not a valid name; use at most 63 lower-case letters, digits and "-", with a letter or digit at both ends',
    ],
    [
      'a nearly right version',
      'apiVersion: breakwater.dev/v1\nkind: Fleet\nmetadata: { name: f }',
      'f.yaml:1:13 Fleet/f apiVersion: "breakwater.dev/v1" is not a version of fleet documents; write apiVersion: breakwater.dev/v1alpha1',
    ],
    [
      'a nearly right group',
      'apiVersion: breakwter.dev/v1alpha1\nkind: Fleet\nmetadata: { name: f }',
      'f.yaml:1:13 Fleet/f apiVersion: "breakwter.dev/v1alpha1" is not a version of fleet documents; write apiVersion: breakwater.dev/v1alpha1',
    ],
    [
      'no version at all',
      'kind: Fleet\nmetadata: { name: f }\nspec: {}',
      'f.yaml:1:1 Fleet/f apiVersion: is missing; write apiVersion: breakwater.dev/v1alpha1',
    ],
    [
      'a key that is there twice',
      document('Cluster', 'a', '{ region: eu, region: us }'),
      'f.yaml:4:21 Cluster/a spec.region: the key "region" is there twice; keep one of them',
    ],
    [
      'two documents without a marker',
      VALID['clusters/a.yaml'] + VALID['clusters/b.yaml'],
      'f.yaml:5:1 apiVersion: the key "apiVersion" is there twice; keep one of them',
    ],
    [
      'a tab',
      `${HEAD}kind: Cluster\nmetadata:\n\tname: a`,
      'f.yaml:4:1 Cluster/?: is not valid YAML: Tabs are not allowed as indentation; indent with spaces',
    ],
  ])('%s', (_, text, line) => {
    expect(linesOf(errorsOf(text))).toEqual([line]);
  });

  it.each([
    ['a value', wave('maxConcurrent: «101%')],
    ['a mapping', wave('clusters: «{}')],
    ['an element of a list', wave('clusters: { regions: [eu, «7] }')],
    ['an unknown field', document('Cluster', 'a', '\n  region: eu\n  «regoin: eu')],
    ['a quoted value', app('trigger: «"no"')],
    ['a block value', app('ignore:\n    - kind: X\n      fields: [a]\n      name: «[]')],
  ])('at the place of %s', (_, marked) => {
    const before = marked.slice(0, marked.indexOf('«')).split('\n');
    const [error] = errorsOf(marked.replace('«', ''));
    expect(error).toMatchObject({ line: before.length, column: (before.at(-1) ?? '').length + 1 });
  });

  it('all of them at once', () => {
    const text = document('Strategy', 's', '\n  waves:\n    - { name: A, soak: x, maxConcurent: 1 }\n  deadlin: 1');
    expect(errorsOf(text).map((error) => error.field)).toEqual([
      'spec.waves[0].name',
      'spec.waves[0].soak',
      'spec.waves[0].maxConcurent',
      'spec.deadlin',
    ]);
  });

  it('with the right line where lines end as on Windows, and after a byte order mark', () => {
    const text = `\uFEFF${VALID['clusters/b.yaml']}---\n${document('Cluster', 'a', '\n  regio: eu\n  region: us')}`;
    expect(errorsOf(text.replaceAll('\n', '\r\n'))[0]).toMatchObject({ line: 10, column: 3, field: 'spec.regio' });
  });
});

describe('strategies', () => {
  it.each([
    [
      'a wave without a selector that is not the last',
      '{ waves: [ { name: a }, { name: b, risk: low } ] }',
      'spec.waves[0]',
      'InvalidValue',
    ],
    [
      'two waves of one name',
      '{ waves: [ { name: a, risk: low }, { name: a } ] }',
      'spec.waves[1].name',
      'DuplicateName',
    ],
    ['no waves', '{ waves: [] }', 'spec.waves', 'InvalidValue'],
    ['a gate without a kind', '{ waves: [ { name: a } ], gates: [ { name: g } ] }', 'spec.gates[0]', 'InvalidValue'],
    [
      'a gate with two kinds',
      '{ waves: [ { name: a } ], gates: [ { name: g, workloads: {}, approval: {} } ] }',
      'spec.gates[0]',
      'InvalidValue',
    ],
    [
      'a phase that the kind does not have',
      '{ waves: [ { name: a } ], gates: [ { name: g, phase: after, approval: {} } ] }',
      'spec.gates[0].phase',
      'InvalidValue',
    ],
    [
      'a concurrency of nothing',
      '{ waves: [ { name: a, maxConcurrent: 0 } ] }',
      'spec.waves[0].maxConcurrent',
      'InvalidValue',
    ],
    ['half a cluster', '{ waves: [ { name: a, maxConcurrent: 1.5 } ] }', 'spec.waves[0].maxConcurrent', 'InvalidValue'],
    [
      'all and something else',
      '{ waves: [ { name: a, clusters: { all: true, regions: [x] } } ] }',
      'spec.waves[0].clusters.all',
      'InvalidValue',
    ],
    [
      'a runbook that is a script',
      '{ waves: [ { name: a } ], runbook: "javascript:alert(1)" }',
      'spec.runbook',
      'InvalidValue',
    ],
  ])('refuse %s', (_, spec, field, reason) => {
    expect(errorsOf(document('Strategy', 's', spec))).toMatchObject([{ field, reason, blocks: 'snapshot' }]);
  });

  it('take failFast off, at once and after a time', () => {
    const failFast = (text: string): unknown =>
      (
        one(
          document(
            'Strategy',
            's',
            `{ waves: [ { name: a } ], gates: [ { name: g, workloads: { failFast: ${text} } } ] }`,
          ),
        ).resource as Strategy
      ).workloads.failFast;
    expect(['off', '0s', '1m'].map(failFast)).toEqual(['off', 0, 60_000]);
  });
});

describe('what is not built yet is refused with NotSupportedYet, never ignored', () => {
  it.each([
    ...[
      'secrets: []',
      'hooks: []',
      'dependsOn: [x]',
      'promotion: {}',
      'restartOnConfigChange: false',
      'onRemoval: halt',
      'secrets:',
    ].map((field): [string, string, string] => [
      'Application',
      `\n  fleet: f\n  source: { path: x }\n  ${field}`,
      `spec.${field.split(':')[0]}`,
    ]),
  ])('%s %s', (kind, spec, field) => {
    const errors = errorsOf(document(kind, 'x', spec));
    expect(errors).toMatchObject([{ field, reason: 'NotSupportedYet' }]);
    expect(linesOf(errors)[0]).toContain('NotSupportedYet');
  });

  it.each(['Baseline'])('kind %s', (kind) => {
    expect(errorsOf(document(kind, 'x', '{}'))).toMatchObject([{ reason: 'NotSupportedYet', blocks: 'snapshot' }]);
  });
});

describe('an error blocks', () => {
  it.each([
    ['one application', document('Application', 'web', '{ fleet: 1 }'), 'application/web'],
    [
      'one application whose YAML is broken',
      `${HEAD}kind: Application\nmetadata: { name: web }\nspec: { fleet: "x`,
      'application/web',
    ],
    [
      'the snapshot, where an application has no valid name',
      document('Application', 'We/b', '{ fleet: 1 }'),
      'snapshot',
    ],
    ['the snapshot, for a cluster', document('Cluster', 'a', '{}'), 'snapshot'],
    ['the snapshot, where a broken file does not say what it is', `${HEAD}kind: [`, 'snapshot'],
  ])('%s', (_, text, blocks) => {
    const errors = errorsOf(text);
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors.map((error) => error.blocks))).toEqual(new Set([blocks]));
  });

  it('not the documents beside it in the file', () => {
    const { documents, errors } = readFleetDocuments([
      {
        path: 'f.yaml',
        text: `${HEAD}kind: Application\nmetadata: { name: web }\nspec: "unclosed\n---\n${VALID['clusters/a.yaml']}`,
      },
    ]);
    expect(documents.map((read) => read.name)).toEqual(['a']);
    expect(errors).toMatchObject([{ blocks: 'application/web' }]);
  });
});

describe('hostile documents', () => {
  const values = (text: string): string => document('Application', 'a', `{ values: ${text} }`);
  const ten = (name: string): string => `[${Array.from({ length: 10 }, () => `*${name}`).join(', ')}]`;
  it.each([
    ['a hundred aliases and one', values(`{ a: &a 1, b: [${'*a, '.repeat(101)}] }`), 'TooLarge'],
    [
      'aliases that multiply',
      values(
        `{ a: &a [1,1,1,1,1,1,1,1,1,1], b: &b ${ten('a')}, c: &c ${ten('b')}, d: &d ${ten('c')}, e: &e ${ten('d')}, f: ${ten('e')} }`,
      ),
      'TooLarge',
    ],
    ['an alias of itself', values('&v { a: *v }'), 'InvalidYaml'],
    ['an alias of nothing', values('{ a: *v }'), 'InvalidYaml'],
    ['101 levels of depth', values('['.repeat(101) + ']'.repeat(101)), 'TooLarge'],
    [
      '101 levels by way of aliases',
      values(`{ a: &a ${'['.repeat(60)}${']'.repeat(60)}, b: ${'['.repeat(60)}*a${']'.repeat(60)} }`),
      'TooLarge',
    ],
    ['depth that would exhaust the stack', values('['.repeat(200_000)), 'TooLarge'],
    [
      'block depth',
      values('\n').replace(
        '{ values: \n }',
        `${'\n'}${Array.from({ length: 110 }, (_, i) => `${' '.repeat(i + 1)}k:\n`).join('')}`,
      ),
      'TooLarge',
    ],
    ['a document over 1 MiB', `${VALID['clusters/a.yaml']}# ${'x'.repeat(1024 * 1024)}`, 'TooLarge'],
    ['__proto__', values('{ __proto__: { a: 1 } }'), 'HostileKey'],
    ['constructor', values('{ a: [ { constructor: 1 } ] }'), 'HostileKey'],
    ['a tag', values('!!js/function x'), 'InvalidYaml'],
    ['not a number', values('{ a: .nan }'), 'InvalidValue'],
    ['a number that would be rounded', values('{ a: 12345678901234567890 }'), 'InvalidValue'],
    ['a NUL', values('{ a: "\\0" }'), 'InvalidValue'],
    ['half a character', values('{ a: "\\ud800" }'), 'InvalidValue'],
    ['a key that is a list', values('{ ? [a] : b }'), 'InvalidYaml'],
  ])('%s', (_, text, reason) => {
    expect(errorsOf(text)).toMatchObject([{ reason }]);
  });

  it('of sixty thousand keys are read in linear time', () => {
    const keys = Array.from({ length: 60_000 }, (_, index) => `    k${index}: 1\n`).join('');
    expect(errorsOf(document('Cluster', 'a', `\n  region: eu\n  values:\n${keys}`))).toEqual([]);
  }, 60_000);

  it('are not read beyond the total', () => {
    const files = Object.entries(VALID).map(([path, text]) => ({ path, text }));
    const { errors } = readFleetDocuments(files, { maxTotalCharacters: 300 });
    expect(errors).toMatchObject([{ reason: 'TooLarge', blocks: 'snapshot' }]);
  });

  const garbage = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.constantFrom(
          'a: ',
          '- ',
          '? ',
          '[',
          ']',
          '{',
          '}',
          '&a ',
          '*a',
          '!!x ',
          '"',
          "'",
          '|\n',
          '>',
          '\n',
          '  ',
          '---',
          '...',
          '%YAML 1.1\n',
          '#',
          '<<: ',
          '\t',
          ',',
          ':',
          '\0',
          '\uFEFF',
          '\r',
          'kind: Application\n',
          'metadata: {name: x}\n',
          'spec:\n  source: {path: .}\n',
          HEAD,
          '__proto__: ',
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join('')),
  );
  it('never make the reader throw, and every error has its place', () => {
    fc.assert(
      fc.property(garbage, fc.boolean(), (text, ours) => {
        const { errors } = readFleetDocuments([{ path: 'f.yaml', text: ours ? HEAD + text : text }]);
        for (const error of errors) {
          expect(error.line).toBeGreaterThanOrEqual(1);
          expect(error.column).toBeGreaterThanOrEqual(1);
          expect(error.message.length * error.remedy.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  const jsonish = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      tie('map'),
    ),
    map: fc.dictionary(
      fc.oneof(
        fc.constantFrom(
          'name',
          'clusters',
          'waves',
          'gates',
          'workloads',
          'source',
          'path',
          'values',
          'variants',
          'overrides',
          'maxConcurrent',
          'soak',
          'regions',
          'all',
          'constructor',
          'toString',
        ),
        fc.string(),
      ),
      tie('value'),
    ),
  }));
  it('of any shape are refused in words', () => {
    fc.assert(
      fc.property(fc.constantFrom('Cluster', 'Fleet', 'Strategy', 'Application'), jsonish.map, (kind, spec) => {
        const text = JSON.stringify({ apiVersion: 'breakwater.dev/v1alpha1', kind, metadata: { name: 'x' }, spec });
        const { documents, errors } = readFleetDocuments([{ path: 'f.json', text }]);
        expect(documents.length + errors.length).toBeGreaterThan(0);
        for (const line of linesOf(errors)) expect(line).not.toMatch(/\[object|undefined|expected|Invalid input|\n/);
      }),
      { numRuns: 1_000 },
    );
  });
});
