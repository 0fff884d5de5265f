import { document, errorsOf, linesOf } from './documents.testing.ts';

const letters = (count: number): string => 'x'.repeat(count);
const list = (count: number, item: (index: number) => string): string =>
  `[${Array.from({ length: count }, (_, index) => item(index)).join(', ')}]`;

const application = (fields: string): string => `{ fleet: shop, source: { path: apps/web }, ${fields} }`;
const source = (fields: string): string => `{ fleet: shop, source: { ${fields} } }`;
const strategy = (fields: string): string => `{ waves: [ { name: all } ], ${fields} }`;
const wave = (fields: string): string => `{ waves: [ { name: all, ${fields} } ] }`;
const gate = (fields: string): string => strategy(`gates: [ { name: g, cel: ${CEL}, ${fields} } ]`);
const CEL = '{ objects: [ { apiVersion: v1, kind: ConfigMap, name: flag, as: flag } ], success: "true" }';
const window = (fields: string): string => `{ timeZone: UTC, cron: "0 22 * * *", duration: 4h, ${fields} }`;
const freeze = (fields: string): string =>
  `{ fleets: [shop], timeZone: UTC, cron: "0 18 * * 5", duration: 62h, ${fields} }`;

/** Kind, a spec with a place for the value, the field that is told, what it may be, and what it may not. */
type Row = readonly [
  kind: string,
  spec: (value: string) => string,
  field: string,
  accepted: readonly string[],
  refused: readonly string[],
];

const ROWS: readonly Row[] = [
  [
    'Cluster',
    (value) => `{ region: ${value} }`,
    'spec.region',
    ['a', 'EU_1.x', letters(63)],
    ['""', letters(64), '-a', 'a.'],
  ],
  ['Cluster', (value) => `{ region: eu, failureDomain: ${value} }`, 'spec.failureDomain', ['rack-7'], ['""', '"a b"']],
  [
    'Cluster',
    (value) => `{ region: eu, characteristics: { trafficShare: ${value} } }`,
    'spec.characteristics.trafficShare',
    ['0', '0.5', '1'],
    ['-0.01', '1.01', 'much'],
  ],
  [
    'Cluster',
    (value) => `{ region: eu, characteristics: { provider: ${value} } }`,
    'spec.characteristics.provider',
    ['a', letters(253)],
    ['""', letters(254)],
  ],
  [
    'Cluster',
    (value) => `{ region: eu, characteristics: { regulated: [${value}] } }`,
    'spec.characteristics.regulated[0]',
    ['pci'],
    ['""', letters(254)],
  ],
  [
    'Cluster',
    (value) => `{ region: eu, credentials: { name: ${value} } }`,
    'spec.credentials.name',
    ['a-1'],
    ['A', 'a_b'],
  ],
  [
    'Cluster',
    (value) => `{ region: eu, maintenanceWindows: ${value} }`,
    'spec.maintenanceWindows',
    [list(1, () => window('')), list(50, () => window(''))],
    ['[]', list(51, () => window(''))],
  ],
  [
    'Strategy',
    (value) => `{ waves: ${list(Number(value), (index) => `{ name: w${index}, risk: low }`)} }`,
    'spec.waves',
    ['1', '100'],
    ['0', '101'],
  ],
  [
    'Strategy',
    (value) => wave(`maxConcurrent: ${value}`),
    'spec.waves[0].maxConcurrent',
    ['1', '100000', '1%', '99%', '100%'],
    ['0', '100001', '0%', '101%', '"1"'],
  ],
  [
    'Strategy',
    (value) => wave(`failureBudget: ${value}`),
    'spec.waves[0].failureBudget',
    ['0', '100000', '0%', '9%', '100%'],
    ['-1', '100001', '101%', '"01%"', '1.5'],
  ],
  ['Strategy', (value) => wave(`minClusters: ${value}`), 'spec.waves[0].minClusters', ['0', '100%'], ['-1', '100001']],
  ['Strategy', (value) => wave(`soak: ${value}`), 'spec.waves[0].soak', ['0s', '366d'], ['367d', '1w', '-1s', '5']],
  [
    'Strategy',
    (value) => wave(`schedule: [ { timeZone: UTC, hours: "09:00-17:00", days: ${value} } ]`),
    'spec.waves[0].schedule[0].days',
    ['[Mon]', '[Mon, Tue, Wed, Thu, Fri, Sat, Sun]'],
    ['[]', '[Mon, Mon]'],
  ],
  [
    'Strategy',
    (value) => wave(`schedule: [ { timeZone: UTC, days: [Mon], hours: "09:00-17:00", exceptDates: ${value} } ]`),
    'spec.waves[0].schedule[0].exceptDates',
    ['[]', list(1_000, () => '"2026-12-24"')],
    [list(1_001, () => '"2026-12-24"')],
  ],
  [
    'Strategy',
    (value) => wave(`schedule: [ { timeZone: UTC, days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], ${value} } ]`),
    'spec.waves[0].schedule[0].hours',
    ['hours: "00:00-23:59"', 'hours: "00:01-24:00"', 'hours: "00:00-24:00", exceptDates: ["2026-12-24"]'],
    ['hours: "00:00-24:00"'],
  ],
  [
    'Strategy',
    (value) => wave(`schedule: ${list(Number(value), () => '{ timeZone: UTC, days: [Mon], hours: "09:00-17:00" }')}`),
    'spec.waves[0].schedule',
    ['1', '50'],
    ['0', '51'],
  ],
  [
    'Strategy',
    (value) => strategy(`failureDomains: { maxInFlight: ${value} }`),
    'spec.failureDomains.maxInFlight',
    ['1', '100000'],
    ['0', '100001', '1.5'],
  ],
  [
    'Strategy',
    (value) => strategy(`concurrency: { region: ${value} }`),
    'spec.concurrency.region',
    ['1', '100000'],
    ['0', '100001'],
  ],
  [
    'Strategy',
    (value) => strategy(`concurrency: { cluster: ${value} }`),
    'spec.concurrency.cluster',
    ['1', '100000'],
    ['0', '100001'],
  ],
  [
    'Strategy',
    (value) => strategy(`failureBudgets: { region: ${value} }`),
    'spec.failureBudgets.region',
    ['0', '100000'],
    ['-1', '100001'],
  ],
  [
    'Strategy',
    (value) => strategy(`failureBudgets: { rollout: ${value} }`),
    'spec.failureBudgets.rollout',
    ['0', '100000'],
    ['-1', '100001'],
  ],
  [
    'Strategy',
    (value) => strategy(`runbook: "${value}"`),
    'spec.runbook',
    ['http://a', 'https://wiki.example/x'],
    ['ftp://a', 'xhttps://a', 'httpsx://a', 'wiki'],
  ],
  [
    'Strategy',
    (value) => strategy(`gates: [ { name: w, workloads: { timeout: ${value} } } ]`),
    'spec.gates[0].workloads.timeout',
    ['1s', '366d'],
    ['0s', '367d'],
  ],
  [
    'Strategy',
    (value) => strategy(`gates: ${list(Number(value), (index) => `{ name: g${index}, cel: ${CEL} }`)}`),
    'spec.gates',
    ['0', '50'],
    ['51'],
  ],
  ['Strategy', (value) => gate(`interval: ${value}`), 'spec.gates[0].interval', ['1s'], ['0s']],
  ['Strategy', (value) => gate(`timeout: ${value}`), 'spec.gates[0].timeout', ['1s'], ['0s']],
  ['Strategy', (value) => gate(`initialDelay: ${value}`), 'spec.gates[0].initialDelay', ['0s'], ['soon']],
  ['Strategy', (value) => gate(`count: ${value}`), 'spec.gates[0].count', ['1', '10000'], ['0', '10001']],
  [
    'Strategy',
    (value) => gate(`failureLimit: ${value}`),
    'spec.gates[0].failureLimit',
    ['0', '10000'],
    ['-1', '10001'],
  ],
  [
    'Strategy',
    (value) => gate(`inconclusiveLimit: ${value}`),
    'spec.gates[0].inconclusiveLimit',
    ['0', '10000'],
    ['-1', '10001'],
  ],
  [
    'Strategy',
    (value) => gate(`consecutiveErrorLimit: ${value}`),
    'spec.gates[0].consecutiveErrorLimit',
    ['0', '10000'],
    ['-1', '10001'],
  ],
  [
    'Gate',
    (value) => `{ template: { cel: ${CEL} }, parameters: [ { name: ${value} } ] }`,
    'spec.parameters[0].name',
    ['a', 'aB9', letters(63)],
    ['9a', 'a-b', letters(64)],
  ],
  [
    'Gate',
    (value) => `{ template: { cel: ${CEL} }, parameters: [ { name: a, description: ${value} } ] }`,
    'spec.parameters[0].description',
    [letters(500)],
    [letters(501)],
  ],
  [
    'Gate',
    (value) => `{ template: { cel: ${CEL} }, parameters: [ { name: a, default: ${value} } ] }`,
    'spec.parameters[0].default',
    ['1', 'true', letters(1_000)],
    [letters(1_001), '[1]'],
  ],
  [
    'Gate',
    (value) => `{ template: { cel: ${CEL} }, parameters: ${list(Number(value), (index) => `{ name: p${index} }`)} }`,
    'spec.parameters',
    ['0', '50'],
    ['51'],
  ],
  [
    'FreezeWindow',
    (value) => freeze(`reason: ${value}`),
    'spec.reason',
    ['x', '" x "', letters(1_024)],
    ['""', '"  "', letters(1_025)],
  ],
  [
    'FreezeWindow',
    (value) => freeze(`reason: x, override: { users: [${value}] }`),
    'spec.override.users[0]',
    ['a', letters(253)],
    ['""', letters(254)],
  ],
  [
    'FreezeWindow',
    (value) => freeze(`reason: x, override: { users: ${value} }`),
    'spec.override.users',
    ['[a]'],
    ['[]'],
  ],
  [
    'FreezeWindow',
    (value) => freeze(`reason: x, override: { roles: ${value} }`),
    'spec.override.roles',
    ['[admin]'],
    ['[]'],
  ],
  [
    'FreezeWindow',
    (value) => `{ fleets: ${value}, timeZone: UTC, cron: "0 18 * * 5", duration: 62h, reason: x }`,
    'spec.fleets',
    ['[shop]'],
    ['[]'],
  ],
  [
    'FreezeWindow',
    (value) => `{ fleets: [shop], timeZone: UTC, cron: "0 18 * * 5", reason: x, duration: ${value} }`,
    'spec.duration',
    ['1s', '6d'],
    ['0s', '367d', '7d'],
  ],
  [
    'FreezeWindow',
    (value) => `{ fleets: [shop], timeZone: UTC, reason: x, once: { from: 2026-12-20T18:00, to: ${value} } }`,
    'spec.once.to',
    ['2026-12-20T18:01'],
    ['2026-12-20T18:00', '2026-12-20T17:59Z', 'later'],
  ],
  [
    'FreezeWindow',
    (value) => `{ fleets: [shop], timeZone: UTC, duration: 1h, reason: x, cron: "${value}" }`,
    'spec.cron',
    [`0 0 * * ${'1,'.repeat(50)}1`],
    [`0 0 * ${'1,'.repeat(50)}1 ${'1,'.repeat(50)}1`],
  ],
  [
    'Application',
    (value) => application(`namespace: ${value}`),
    'spec.namespace',
    ['a', letters(63)],
    [letters(64), 'a-', '""'],
  ],
  [
    'Application',
    (value) => application(`prune: { maxDeletions: ${value} }`),
    'spec.prune.maxDeletions',
    ['0', '1000000'],
    ['-1', '1000001', '0.5'],
  ],
  [
    'Application',
    (value) => application(`prune: { protect: [${value}] }`),
    'spec.prune.protect[0]',
    ['Secret', letters(1_024)],
    ['""', letters(1_025)],
  ],
  [
    'Application',
    (value) => application(`ignore: [ { kind: Deployment, fields: ${value} } ]`),
    'spec.ignore[0].fields',
    ['[spec.replicas]'],
    ['[]'],
  ],
  [
    'Application',
    (value) => source(`chart: { name: x, version: 1.2.3, repository: "${value}" }`),
    'spec.source.chart.repository',
    ['http://charts.example', 'https://charts.example/a'],
    ['file:///etc', 'ahttps://x', 'httpss://x'],
  ],
  [
    'Application',
    (value) => source(`chart: { name: x, version: 1.2.3, oci: "${value}" }`),
    'spec.source.chart.oci',
    ['oci://r', 'oci://r/a/b', `oci://${letters(253)}/${letters(512)}`],
    ['xoci://r', 'oci://', 'oci://r/a b', `oci://${letters(254)}`, `oci://r/${letters(513)}`],
  ],
  [
    'Application',
    (value) => source(`chart: { name: x, oci: "oci://r", version: "${value}" }`),
    'spec.source.chart.version',
    ['1.2.3', 'v1.2.3', '1.2.3-rc.1', '1.2.3+build', '123456789.0.10', `1.2.3-${letters(100)}`],
    [
      '1.2',
      'x1.2.3',
      '1.2.3.4',
      '1.2.3-',
      '1.2.3 ',
      '1234567890.0.0',
      '1.1234567890.0',
      '1.2.1234567890',
      `1.2.3-${letters(101)}`,
    ],
  ],
  [
    'Application',
    (value) => source(value),
    'spec.source',
    ['path: a', 'chart: { oci: "oci://r", name: x, version: 1.2.3 }'],
    ['substitute: true', 'path: a, chart: { oci: "oci://r", name: x, version: 1.2.3 }'],
  ],
  [
    'Application',
    (value) => source(`chart: { name: x, version: 1.2.3, ${value} }`),
    'spec.source.chart',
    ['oci: "oci://r"'],
    ['', 'oci: "oci://r", repository: "https://r"'],
  ],
  [
    'Application',
    (value) => source(`path: a, helm: { releaseName: ${value} }`),
    'spec.source.helm.releaseName',
    ['a', letters(53)],
    [letters(54), 'A', 'a-', '-a'],
  ],
  [
    'Application',
    (value) => source(`path: a, helm: { apiVersions: ["${value}"] }`),
    'spec.source.helm.apiVersions[0]',
    ['v1', 'apps/v1', 'apps/v1/Deployment', letters(253), `a/${letters(63)}`],
    ['', '-a', 'Apps/v1', 'a/b/c/d', 'a/', letters(254), `a/${letters(64)}`],
  ],
  [
    'Application',
    (value) => source(`path: a, helm: { apiVersions: ${list(Number(value), () => 'v1')} }`),
    'spec.source.helm.apiVersions',
    ['0', '200'],
    ['201'],
  ],
  [
    'Application',
    (value) => source(`path: "${value}"`),
    'spec.source.path',
    ['a', './a//b/', 'a..b', letters(1_024)],
    ['', '/', '/a', 'a/../b', '..', '.', 'a\\\\b', 'a\\u0007', letters(1_025)],
  ],
  [
    'Application',
    (value) => application(`overrides: [ { clusters: { all: true }, target: { kind: A, name: b }, ${value} } ]`),
    'spec.overrides[0]',
    ['patch: { a: 1 }', 'jsonPatch: [ { op: remove, path: /a } ]'],
    ['', 'patch: {}, jsonPatch: [ { op: remove, path: /a } ]'],
  ],
  [
    'Application',
    (value) =>
      application(`overrides: [ { clusters: { all: true }, target: { kind: A, name: b }, jsonPatch: [ ${value} ] } ]`),
    'spec.overrides[0].jsonPatch[0].value',
    ['{ op: add, path: /a, value: 1 }', '{ op: remove, path: /a }', '{ op: copy, path: /a, from: /b }'],
    ['{ op: add, path: /a }', '{ op: replace, path: /a }', '{ op: test, path: /a }'],
  ],
  [
    'Application',
    (value) =>
      application(`overrides: [ { clusters: { all: true }, target: { kind: A, name: b }, jsonPatch: [ ${value} ] } ]`),
    'spec.overrides[0].jsonPatch[0].from',
    ['{ op: move, path: /a, from: /b }'],
    ['{ op: move, path: /a }', '{ op: copy, path: /a }'],
  ],
  [
    'Application',
    (value) =>
      application(`overrides: [ { clusters: { all: true }, target: { kind: A, name: b }, jsonPatch: ${value} } ]`),
    'spec.overrides[0].jsonPatch',
    ['[ { op: remove, path: /a } ]'],
    ['[]'],
  ],
  [
    'Application',
    (value) =>
      application(
        `overrides: [ { clusters: { all: true }, patch: {}, target: { kind: A, name: b, group: ${value} } } ]`,
      ),
    'spec.overrides[0].target.group',
    ['""', letters(253)],
    [letters(254)],
  ],
  ['Fleet', (value) => `{ clusters: ${value} }`, 'spec.clusters', ['{ all: true }', '{ regions: [eu] }'], ['{}']],
  [
    'Fleet',
    (value) => `{ clusters: { all: ${value} } }`,
    'spec.clusters.all',
    ['true'],
    ['false', 'true, regions: [eu]', 'true, matchLabels: { a: b }'],
  ],
  [
    'Fleet',
    (value) => `{ clusters: { matchLabels: ${value} } }`,
    'spec.clusters.matchLabels',
    ['{ a: b }', '{ example.com/a: "" }'],
    ['{}'],
  ],
  [
    'Fleet',
    (value) => `{ clusters: { matchExpressions: ${value} } }`,
    'spec.clusters.matchExpressions',
    ['[ { key: a, operator: Exists } ]'],
    ['[]'],
  ],
  [
    'Fleet',
    (value) => `{ clusters: { matchExpressions: [ { key: a, ${value} } ] } }`,
    'spec.clusters.matchExpressions[0].values',
    ['operator: In, values: [b]', 'operator: NotIn, values: [b]', 'operator: Exists', 'operator: DoesNotExist'],
    ['operator: In', 'operator: NotIn', 'operator: Exists, values: [b]', 'operator: DoesNotExist, values: [b]'],
  ],
  ['Fleet', (value) => `{ clusters: { regions: ${value} } }`, 'spec.clusters.regions', ['[eu]'], ['[]']],
  [
    'HealthRule',
    (value) => `{ kind: Database, ready: "true", group: ${value} }`,
    'spec.group',
    ['example.com', `a.${letters(63)}`, 'a.b.c.d.e.f.g.h'],
    ['example', 'Example.com', 'example.com/v1', 'x.-a', `a.${letters(64)}`, 'a.b.c.d.e.f.g.h.i'],
  ],
  [
    'HealthRule',
    (value) => `{ group: example.com, ready: "true", kind: ${value} }`,
    'spec.kind',
    ['A', `A${letters(62)}`],
    ['a', 'A-b', `A${letters(63)}`],
  ],
];

describe('the bounds of fields', () => {
  it.each(ROWS.map((row) => [row[0], row[2], row] as const))(
    '%s %s',
    (_, __, [kind, spec, field, accepted, refused]) => {
      for (const value of accepted) expect(linesOf(errorsOf(document(kind, 'x', spec(value))))).toEqual([]);
      for (const value of refused) {
        const fields = errorsOf(document(kind, 'x', spec(value))).map((error) => error.field);
        expect({ value, fields }).toEqual({ value, fields: [field] });
      }
    },
  );
});

describe('names', () => {
  it('of labels are of up to eight parts and a name', () => {
    const labels = (key: string): readonly string[] =>
      errorsOf(document('Cluster', 'x', '{ region: eu }', `"${key}": a`)).map((error) => error.field);
    for (const key of ['a', 'A.b_c-d', 'example.com/a', 'a.b.c.d.e.f.g.h/i', letters(63), `${letters(63)}/a`])
      expect(labels(key)).toEqual([]);
    for (const key of ['', '-a', 'a-', '/a', 'Example.com/a', 'a.b.c.d.e.f.g.h.i/j', letters(64), `${letters(64)}/a`])
      expect(labels(key)).toHaveLength(1);
  });
});
