import type { Cluster, FleetSnapshot, JsonObject } from './index.ts';
import { applicationContext, describeSelector, diffSnapshots, mergeValues, selects } from './index.ts';
import type { ClusterSelector } from './selector.ts';

const selector = (parts: Partial<ClusterSelector>): ClusterSelector => ({
  all: false,
  matchLabels: {},
  matchExpressions: [],
  regions: [],
  ...parts,
});
const cluster = { labels: { tier: 'production', role: 'canary' }, region: 'eu-west' };

describe('a selector', () => {
  it.each([
    ['an empty selector selects nothing', {}, false],
    ['all selects everything', { all: true }, true],
    ['a label that is there', { matchLabels: { tier: 'production' } }, true],
    ['a label with another value', { matchLabels: { tier: 'test' } }, false],
    ['labels and region must both hold', { matchLabels: { tier: 'production' }, regions: ['us'] }, false],
    ['one of the regions', { regions: ['us', 'eu-west'] }, true],
    ['In', { matchExpressions: [{ key: 'role', operator: 'In', values: ['canary', 'x'] }] }, true],
    ['In of an absent label', { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
    ['NotIn of an absent label', { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    ['NotIn', { matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['canary'] }] }, false],
    ['Exists', { matchExpressions: [{ key: 'role', operator: 'Exists', values: [] }] }, true],
    ['NotIn, with another value', { matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['x'] }] }, true],
    ['In, with another value', { matchExpressions: [{ key: 'role', operator: 'In', values: ['x'] }] }, false],
    ['Exists of an absent label', { matchExpressions: [{ key: 'zone', operator: 'Exists', values: [] }] }, false],
    [
      'DoesNotExist of an absent label',
      { matchExpressions: [{ key: 'zone', operator: 'DoesNotExist', values: [] }] },
      true,
    ],
    ['DoesNotExist', { matchExpressions: [{ key: 'role', operator: 'DoesNotExist', values: [] }] }, false],
    [
      'a label that only the prototype has',
      { matchExpressions: [{ key: 'toString', operator: 'Exists', values: [] }] },
      false,
    ],
  ] as const)('%s', (_, parts, expected) => {
    expect(selects(selector(parts), cluster)).toBe(expected);
  });

  it('is described in words', () => {
    expect(describeSelector(selector({ matchLabels: { b: '1', a: '2' }, regions: ['eu', 'us'] }))).toBe(
      'a=2, b=1, region eu or us',
    );
    expect(describeSelector(selector({ matchLabels: { a: '2', c: '3', b: '1' } }))).toBe('a=2, b=1, c=3');
    const matchExpressions = [
      { key: 'role', operator: 'In', values: ['x', 'y'] },
      { key: 'zone', operator: 'Exists', values: [] },
    ] as const;
    expect(describeSelector(selector({ matchExpressions }))).toBe('role In (x, y), zone Exists');
    expect(describeSelector(selector({ all: true }))).toBe('all clusters');
  });
});

describe('values', () => {
  it('merge mappings by key and replace the rest', () => {
    expect(mergeValues({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, d: { e: null } })).toEqual({
      a: { b: 1, c: [3] },
      d: { e: null },
    });
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuse the key %s at any depth', (key) => {
    const hostile = JSON.parse(`{"a":[{"${key}":{"polluted":1}}]}`) as JsonObject;
    expect(() => mergeValues({}, hostile)).toThrow(`the key ${key} is refused`);
    expect(() => mergeValues(hostile, { a: 1 })).toThrow(`the key ${key} is refused`);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the difference of two snapshots', () => {
  const named = (names: readonly string[]): Cluster[] => names.map((name) => ({ kind: 'Cluster', name }) as Cluster);
  const snapshot = (parts: Partial<FleetSnapshot>): FleetSnapshot => ({
    clusters: [],
    fleets: [],
    strategies: [],
    applications: [],
    freezeWindows: [],
    healthRules: [],
    blockedApplications: [],
    ...parts,
  });

  it('names what came and what went', () => {
    const diff = diffSnapshots(
      snapshot({ clusters: named(['a', 'b', 'c', 'd']) }),
      snapshot({ clusters: named(['e', 'd', 'c', 'b']) }),
    );
    expect(diff.clusters).toEqual({ added: ['e'], removed: ['a'] });
    expect(diff.held).toBe(false);
  });

  it('holds a commit that takes away more than a third, and not one that takes away a third', () => {
    const before = snapshot({ clusters: named(['a', 'b', 'c']) });
    expect(diffSnapshots(before, snapshot({ clusters: named(['a', 'b']) })).held).toBe(false);
    const held = diffSnapshots(before, snapshot({ clusters: named(['a']) }));
    expect(held).toMatchObject({ held: true, heldBecause: ['2 of 3 clusters would go away'] });
  });

  it('does not take a blocked application for a removed one', () => {
    const applications = [{ kind: 'Application', name: 'shop' }] as unknown as FleetSnapshot['applications'];
    const diff = diffSnapshots(snapshot({ applications }), snapshot({ blockedApplications: ['shop'] }));
    expect(diff).toMatchObject({ held: false, applications: { added: [], removed: [] } });
  });

  it('names them in order, applications once', () => {
    const applications = ['b', 'a'].map((name) => ({ name })) as unknown as FleetSnapshot['applications'];
    const many = snapshot({ applications, blockedApplications: ['a', 'c'], clusters: named(['y', 'x']) });
    const diff = diffSnapshots(snapshot({}), many);
    expect(diff.applications).toEqual({ added: ['a', 'b', 'c'], removed: [] });
    expect(diffSnapshots(null, many).applications).toEqual({ added: ['a', 'b', 'c'], removed: [] });
    expect(diffSnapshots(many, snapshot({}))).toMatchObject({
      clusters: { added: [], removed: ['x', 'y'] },
      applications: { added: [], removed: ['a', 'b', 'c'] },
      heldBecause: ['2 of 2 clusters would go away', '3 of 3 applications would go away'],
    });
  });

  it('holds nothing when there was nothing', () => {
    expect(diffSnapshots(null, snapshot({ clusters: named(['a']) }))).toMatchObject({
      held: false,
      clusters: { added: ['a'], removed: [] },
    });
  });
});

describe('what an application is planned from', () => {
  const fleets = [
    { name: 'other', clusters: selector({ all: true }), strategy: 'third' },
    { name: 'shop', clusters: selector({ regions: ['eu'] }), strategy: 'careful' },
  ];
  const snapshot = (application: object): FleetSnapshot =>
    ({
      clusters: [
        { name: 'a', labels: {}, region: 'eu' },
        { name: 'b', labels: {}, region: 'us' },
      ],
      fleets,
      strategies: [{ name: 'third' }, { name: 'careful' }, { name: 'own' }],
      applications: [
        { name: 'other', fleet: 'other' },
        { name: 'web', fleet: 'shop', strategy: null, ...application },
      ],
    }) as unknown as FleetSnapshot;
  const found = (application: object = {}, name = 'web', strategy?: string) => {
    const context = applicationContext(snapshot(application), name, strategy);
    return context === null
      ? null
      : [
          context.application.name,
          context.fleet.name,
          context.strategy.name,
          context.clusters.map((each) => each.name),
        ];
  };

  it('is its fleet with the clusters in it, and the strategy that is named, its own, or the fleet’s', () => {
    expect(found()).toEqual(['web', 'shop', 'careful', ['a']]);
    expect(found({ strategy: 'own' })).toEqual(['web', 'shop', 'own', ['a']]);
    expect(found({ strategy: 'own' }, 'web', 'third')).toEqual(['web', 'shop', 'third', ['a']]);
    expect(found({}, 'other')).toEqual(['other', 'other', 'third', ['a', 'b']]);
  });

  it('is nothing where one of them is not there', () => {
    expect(found({}, 'nosuch')).toBeNull();
    expect(found({}, 'nosuch', 'own')).toBeNull();
    expect(found({ fleet: 'nosuch' })).toBeNull();
    expect(found({ fleet: 'nosuch', strategy: 'own' })).toBeNull();
    expect(found({ strategy: 'nosuch' })).toBeNull();
  });
});
