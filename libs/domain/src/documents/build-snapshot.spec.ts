import fc from 'fast-check';
import { applicationContext } from '../fleet/index.ts';
import { planWaves } from '../planner/index.ts';
import type { Tree } from './documents.testing.ts';
import { document, linesOf, snapshotOf, VALID } from './documents.testing.ts';
import { buildSnapshot, fleetJsonSchema, readFleetDocuments } from './index.ts';

const withFile = (file: string, text: string): Tree => ({ ...VALID, [file]: text });
const only = (tree: Tree): string => linesOf(snapshotOf(tree).errors).join('\n');

describe('a snapshot', () => {
  it('has every resource, sorted by name', () => {
    const { snapshot, errors } = snapshotOf(VALID, ['apps/podinfo/deployment.yaml']);
    expect(errors).toEqual([]);
    expect(snapshot?.clusters.map((cluster) => cluster.name)).toEqual(['a', 'b']);
    expect(snapshot?.applications.map((application) => application.name)).toEqual(['podinfo']);
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  it.each([
    [
      'a fleet that names no strategy of ours',
      'fleet.yaml',
      document('Fleet', 'shop', '{ clusters: { all: true }, strategy: carefull }'),
      'fleet.yaml:4:44 Fleet/shop spec.strategy: there is no strategy "carefull"; did you mean "careful"?',
    ],
    [
      'a fleet that selects nothing',
      'fleet.yaml',
      document('Fleet', 'shop', '{ clusters: { matchLabels: { tier: prod } }, strategy: careful }'),
      'fleet.yaml:4:19 Fleet/shop spec.clusters: selects no cluster: none is tier=prod; label clusters so that it selects them, or take the fleet out',
    ],
    [
      'values for a region without clusters',
      'fleet.yaml',
      document('Fleet', 'shop', '{ clusters: { all: true }, strategy: careful, regions: { eu-wets: {} } }'),
      'fleet.yaml:4:64 Fleet/shop spec.regions.eu-wets: no cluster is in region "eu-wets"; known: eu, us',
    ],
    [
      'a wave for a region without clusters',
      'strategy.yaml',
      document('Strategy', 'careful', '{ waves: [ { name: low, clusters: { regions: [uss] } }, { name: rest } ] }'),
      'strategy.yaml:4:53 Strategy/careful spec.waves[0].clusters.regions[0]: no cluster is in region "uss"; did you mean "us"?',
    ],
    [
      'two clusters of one name',
      'clusters/c.yaml',
      document('Cluster', 'a', '{ region: eu }'),
      'clusters/c.yaml:3:19 Cluster/a metadata.name: Cluster/a is already in clusters/a.yaml:1; keep one of them, or give this one another name',
    ],
  ])('is refused for %s', (_, file, text, line) => {
    const tree = withFile(file, text);
    expect(snapshotOf(tree).snapshot).toBeNull();
    expect(only(tree)).toBe(line);
  });

  it.each([
    [
      'names no fleet of ours',
      '{ fleet: shopp, source: { path: apps/podinfo } }',
      'podinfo.yaml:4:16 Application/podinfo spec.fleet: there is no fleet "shopp"; did you mean "shop"?',
    ],
    [
      'names no strategy of ours',
      '{ fleet: shop, strategy: x, source: { path: apps/podinfo } }',
      'podinfo.yaml:4:32 Application/podinfo spec.strategy: there is no strategy "x"; known: careful',
    ],
    [
      'varies for a region without clusters',
      '{ fleet: shop, source: { path: apps/podinfo }, variants: [ { clusters: { regions: [ue] }, values: {} } ] }',
      'podinfo.yaml:4:90 Application/podinfo spec.variants[0].clusters.regions[0]: no cluster is in region "ue"; did you mean "eu"?',
    ],
  ])('blocks one application that %s', (_, spec, line) => {
    const tree = withFile('podinfo.yaml', document('Application', 'podinfo', spec));
    expect(snapshotOf(tree).snapshot).toMatchObject({ applications: [], blockedApplications: ['podinfo'] });
    expect(snapshotOf(tree).snapshot?.clusters).toHaveLength(2);
    expect(only(tree)).toBe(line);
  });

  it.each([
    [
      'a wave that is empty',
      '{ waves: [ { name: low, risk: low }, { name: us, clusters: { regions: [us] } }, { name: rest } ] }',
      'strategy.yaml:4:87 Strategy/careful spec.waves[2]: wave rest is empty: earlier waves took every cluster (fleet shop, application podinfo); select a cluster of the fleet, take the wave out, or say allowEmpty: true',
    ],
    [
      'a wave that takes what an earlier one has taken',
      '{ waves: [ { name: low, risk: low }, { name: eu, clusters: { regions: [eu] } }, { name: rest } ] }',
      'strategy.yaml:4:44 Strategy/careful spec.waves[1]: wave eu selects no cluster that an earlier wave did not take (fleet shop, application podinfo); select a cluster of the fleet, take the wave out, or say allowEmpty: true',
    ],
    [
      'clusters that no wave takes',
      '{ waves: [ { name: low, risk: low } ] }',
      'strategy.yaml:4:16 Strategy/careful spec.waves: no wave selects b (fleet shop, application podinfo); end the strategy with a wave without a selector, which takes the rest',
    ],
  ])('blocks applications whose strategy has %s, and no others', (_, spec, line) => {
    const tree = {
      ...withFile('strategy.yaml', document('Strategy', 'careful', spec)),
      'simple.yaml': document('Strategy', 'simple', '{ waves: [ { name: all } ] }'),
      'other.yaml': document('Application', 'other', '{ fleet: shop, strategy: simple, source: { path: apps/o } }'),
    };
    const { snapshot, errors } = snapshotOf(tree);
    expect(linesOf(errors)).toEqual([line]);
    expect(errors[0]?.blocks).toBe('application/podinfo');
    expect(snapshot?.applications.map(({ name }) => name)).toEqual(['other']);
    expect(snapshot?.blockedApplications).toEqual(['podinfo']);
  });

  it('blocks every application of the strategy, in each fleet on its own', () => {
    const tree = {
      ...withFile('strategy.yaml', document('Strategy', 'careful', '{ waves: [ { name: low, risk: low } ] }')),
      'another.yaml': document('Application', 'another', '{ fleet: shop, source: { path: apps/a } }'),
      'low.yaml': document('Fleet', 'low', '{ clusters: { regions: [eu] }, strategy: careful }'),
      'fine.yaml': document('Application', 'fine', '{ fleet: low, source: { path: apps/f } }'),
    };
    const { snapshot } = snapshotOf(tree);
    expect(snapshot?.blockedApplications).toEqual(['another', 'podinfo']);
    expect(snapshot?.applications.map(({ name }) => name)).toEqual(['fine']);
  });

  it('takes the label risk for the risk, where the spec says none', () => {
    const labelled = (spec: string, label: string) =>
      snapshotOf(withFile('clusters/b.yaml', document('Cluster', 'b', spec, `tier: production, risk: ${label}`)));
    const riskOf = (result: ReturnType<typeof labelled>) =>
      result.snapshot?.clusters.find(({ name }) => name === 'b')?.risk;
    expect(riskOf(labelled('{ region: us }', 'medium'))).toBe('medium');
    expect(riskOf(labelled('{ region: us, risk: high }', 'medium'))).toBe('high');
    expect(riskOf(labelled('{ region: us }', 'toString'))).toBeNull();
  });

  it('refuses a wave by risk where nobody has said the risk of a cluster', () => {
    const { snapshot, errors } = snapshotOf(
      withFile('clusters/b.yaml', document('Cluster', 'b', '{ region: us }', 'tier: production')),
    );
    expect(linesOf(errors)).toEqual([
      'strategy.yaml:4:18 Strategy/careful spec.waves[0]: NotSupportedYet: wave low asks for the risk of b, and risk is not computed yet (fleet shop, application podinfo); say it: spec.risk or the label risk of these clusters, low, medium or high',
    ]);
    expect(errors).toMatchObject([{ reason: 'NotSupportedYet', blocks: 'application/podinfo' }]);
    expect(snapshot?.applications).toEqual([]);
  });

  it('blocks an application that is there twice, altogether', () => {
    const { snapshot } = snapshotOf(withFile('z.yaml', VALID['podinfo.yaml']));
    expect(snapshot).toMatchObject({ applications: [], blockedApplications: ['podinfo'] });
  });

  it('blocks an application without any strategy', () => {
    const { errors } = snapshotOf(withFile('fleet.yaml', document('Fleet', 'shop', '{ clusters: { all: true } }')));
    expect(errors).toMatchObject([{ field: 'spec.strategy', blocks: 'application/podinfo' }]);
  });

  it('blocks an application whose source is not in the repository', () => {
    const { errors } = snapshotOf(VALID, ['apps/podinf/deployment.yaml', 'fleet.yaml']);
    expect(linesOf(errors)).toEqual([
      'podinfo.yaml:4:38 Application/podinfo spec.source.path: there is no folder "apps/podinfo"; did you mean "apps/podinf"?',
    ]);
  });

  it('does not complain about the consequences of another error', () => {
    const brokenFleet = withFile('fleet.yaml', document('Fleet', 'shop', '{ clusters: {}, strategy: careful }'));
    expect(snapshotOf(brokenFleet).errors.map((error) => error.field)).toEqual(['spec.clusters']);
    const brokenCluster: Tree = {
      ...withFile('clusters/a.yaml', document('Cluster', 'a', '{ regio: eu, region: eu }')),
      'clusters/b.yaml': '',
    };
    expect(snapshotOf(brokenCluster).errors.map((error) => error.field)).toEqual(['spec.regio']);
  });

  it('without documents is empty, and takes nothing for granted', () => {
    expect(buildSnapshot({ documents: [], errors: [] })).toEqual({
      snapshot: {
        clusters: [],
        fleets: [],
        strategies: [],
        applications: [],
        freezeWindows: [],
        healthRules: [],
        blockedApplications: [],
      },
      errors: [],
    });
  });

  it('and its plan are the same whatever order the documents come in', () => {
    const files = Object.entries(VALID).map(([path, text]) => ({ path, text }));
    const planOf = (input: typeof files): unknown => {
      const { snapshot, errors } = buildSnapshot(readFleetDocuments(input));
      const context = snapshot === null ? null : applicationContext(snapshot, 'podinfo');
      return { snapshot, errors, plan: context === null ? null : planWaves(context) };
    };
    const expected = planOf(files);
    expect(expected).toMatchObject({ errors: [], plan: { errors: [], members: [{ cluster: 'a' }, { cluster: 'b' }] } });
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        expect(planOf(shuffled)).toEqual(expected);
      }),
    );
  });

  it('has the same errors whatever order the documents come in', () => {
    const files = Object.entries({
      ...VALID,
      'z.yaml': VALID['podinfo.yaml'],
      'y.yaml': VALID['fleet.yaml'],
      'x.yaml': document('Cluster', 'q', '{ regio: 1 }'),
    }).map(([path, text]) => ({ path, text }));
    const linesFor = (input: typeof files): readonly string[] =>
      linesOf(buildSnapshot(readFleetDocuments(input)).errors);
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        expect(linesFor(shuffled)).toEqual(linesFor(files));
      }),
    );
  });
});

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode & { readonly description?: string }>>;
}

describe('the JSON schemas', () => {
  it.each(['Cluster', 'Fleet', 'Strategy', 'Application'] as const)('describe every field of %s', (kind) => {
    const properties = (fleetJsonSchema(kind) as SchemaNode).properties?.['spec']?.properties ?? {};
    expect(Object.keys(properties).length).toBeGreaterThan(3);
    for (const [field, schema] of Object.entries(properties))
      expect([field, schema.description]).toEqual([field, expect.any(String)]);
  });
});
