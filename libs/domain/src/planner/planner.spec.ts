import fc from 'fast-check';
import type { Application, Cluster, ClusterSelector, Fleet, Strategy, StrategyWave } from '../fleet/index.ts';
import { RISKS, selects } from '../fleet/index.ts';
import { canonicalJson } from '../kubernetes/canonical.ts';
import { applyPolicyOf, checkWaves, planWaves, renderInputsFor, rolloutPolicyOf } from './index.ts';

const selector = (parts: Partial<ClusterSelector> = { all: true }): ClusterSelector => ({
  all: false,
  matchLabels: {},
  matchExpressions: [],
  regions: [],
  ...parts,
});
const cluster = (name: string, parts: Partial<Cluster> = {}): Cluster => ({
  kind: 'Cluster',
  name,
  labels: {},
  region: 'eu',
  failureDomain: name,
  characteristics: {},
  risk: null,
  credentials: name,
  values: {},
  maintenanceWindows: [],
  ...parts,
});
const fleet = (parts: Partial<Fleet> = {}): Fleet => ({
  kind: 'Fleet',
  name: 'shop',
  labels: {},
  clusters: selector(),
  strategy: 's',
  values: {},
  regions: {},
  ...parts,
});
const wave = (name: string, parts: Partial<StrategyWave> = {}): StrategyWave => ({
  name,
  clusters: null,
  risk: null,
  maxConcurrent: 1,
  failureBudget: 0,
  soakMs: 0,
  allowEmpty: false,
  minClusters: 0,
  schedule: [],
  ...parts,
});
const strategy = (...waves: StrategyWave[]): Strategy =>
  ({ kind: 'Strategy', name: 's', waves, gates: [] }) as unknown as Strategy;
const namesOf = (plan: ReturnType<typeof planWaves>, index: number): string[] =>
  plan.members.filter((member) => member.wave === index).map((member) => member.cluster);

describe('planWaves', () => {
  it('puts a cluster into the first wave that selects it, and says why', () => {
    const plan = planWaves({
      strategy: strategy(
        wave('canary', { clusters: selector({ matchLabels: { role: 'canary' } }) }),
        wave('low-risk', { risk: 'low' }),
        wave('rest'),
      ),
      fleet: fleet(),
      clusters: [
        cluster('a', { risk: 'low' }),
        cluster('b', { risk: 'low', labels: { role: 'canary' } }),
        cluster('c', { risk: 'high' }),
        cluster('d', { risk: 'medium' }),
      ],
    });
    expect(plan.errors).toEqual([]);
    expect(plan.members.map(({ cluster, wave, reason }) => [cluster, wave, reason])).toEqual([
      ['b', 0, 'Wave canary is the first that selects it: role=canary.'],
      ['a', 1, 'Wave low-risk is the first that selects it: risk low.'],
      ['c', 2, 'Wave rest takes whatever no earlier wave selected.'],
      ['d', 2, 'Wave rest takes whatever no earlier wave selected.'],
    ]);
  });

  it('leaves out what the fleet does not select', () => {
    const plan = planWaves({
      strategy: strategy(wave('all')),
      fleet: fleet({ clusters: selector({ regions: ['us'] }) }),
      clusters: [cluster('a'), cluster('b', { region: 'us' })],
    });
    expect(namesOf(plan, 0)).toEqual(['b']);
  });

  it('names leftovers when no wave takes the rest', () => {
    const plan = planWaves({
      strategy: strategy(wave('low', { risk: 'low' })),
      fleet: fleet(),
      clusters: [cluster('z', { risk: 'high' }), cluster('b', { risk: 'medium' }), cluster('a', { risk: 'low' })],
    });
    expect(plan.errors).toMatchObject([
      { reason: 'LeftoverClusters', clusters: ['b', 'z'], message: 'no wave selects b, z' },
    ]);
  });

  it('names ten clusters at most in a message, and counts the others', () => {
    const messageFor = (count: number) =>
      planWaves({
        strategy: strategy(wave('low', { risk: 'low', allowEmpty: true })),
        fleet: fleet(),
        clusters: Array.from({ length: count }, (_, index) => cluster(`c${index}`, { risk: 'high' })),
      }).errors[0]?.message;
    const ten = 'no wave selects c0, c1, c2, c3, c4, c5, c6, c7, c8, c9';
    expect(messageFor(10)).toBe(ten);
    expect(messageFor(11)).toBe('no wave selects c0, c1, c10, c2, c3, c4, c5, c6, c7, c8 and 1 more');
  });

  it('refuses an empty wave unless the strategy allows it', () => {
    const low = { risk: 'low' } as const;
    const input = { fleet: fleet(), clusters: [cluster('a', { risk: 'high' })] };
    expect(planWaves({ ...input, strategy: strategy(wave('low', low), wave('rest')) }).errors).toMatchObject([
      { reason: 'EmptyWave', wave: 'low', message: 'wave low selects no cluster that an earlier wave did not take' },
    ]);
    expect(planWaves({ ...input, strategy: strategy(wave('all'), wave('rest')) }).errors).toMatchObject([
      { reason: 'EmptyWave', wave: 'rest', message: 'wave rest is empty: earlier waves took every cluster' },
    ]);
    const allowed = planWaves({
      ...input,
      strategy: strategy(wave('low', { ...low, allowEmpty: true }), wave('rest')),
    });
    expect(allowed.errors).toEqual([]);
    expect(allowed.waves[0]).toMatchObject({ size: 0, maxConcurrent: 1, failureBudget: 0 });
  });

  it('refuses a wave by risk over clusters whose risk nobody has said, and names them once', () => {
    const errorsFor = (...waves: StrategyWave[]) =>
      planWaves({
        strategy: strategy(...waves),
        fleet: fleet(),
        clusters: [cluster('b'), cluster('a'), cluster('c', { risk: 'low' }), cluster('d', { region: 'us' })],
      }).errors;
    const european = selector({ regions: ['eu'] });
    expect(errorsFor(wave('low', { risk: 'low', clusters: european }), wave('rest'))).toMatchObject([
      { reason: 'NotSupportedYet', wave: 'low', clusters: ['a', 'b'], message: expect.stringContaining('of a, b,') },
    ]);
    // Nothing was low: because nobody said it, and not because the wave is empty.
    expect(errorsFor(wave('high', { risk: 'high' }), wave('rest')).map(({ reason }) => reason)).toEqual([
      'NotSupportedYet',
    ]);
    // An earlier wave has taken those that nobody judged.
    expect(
      errorsFor(
        wave('first', {
          clusters: selector({ matchExpressions: [{ key: 'x', operator: 'DoesNotExist', values: [] }] }),
        }),
        wave('low', { risk: 'low', allowEmpty: true }),
      ),
    ).toEqual([]);
  });

  it('refuses a fleet without clusters', () => {
    expect(planWaves({ strategy: strategy(wave('all')), fleet: fleet(), clusters: [] }).errors).toMatchObject([
      { reason: 'NoClusters', clusters: [], message: 'fleet shop has no clusters' },
    ]);
  });

  it('says the same of a strategy without making a plan', () => {
    const input = { strategy: strategy(wave('low', { risk: 'low' })), fleet: fleet(), clusters: [cluster('a')] };
    expect(checkWaves(input)).toEqual(planWaves(input).errors);
    expect(checkWaves(input)).toHaveLength(2);
    expect(checkWaves({ ...input, strategy: strategy(wave('all')) })).toEqual([]);
  });

  it('gives each wave that has clusters the gates that are for it, or for all', () => {
    const gate = (name: string, waves: readonly string[] | null) => ({ name, kind: 'cel', waves });
    const gates = [gate('quota', null), gate('errors', ['first', 'empty']), gate('cost', ['rest'])];
    const plan = planWaves({
      strategy: {
        ...strategy(
          wave('first', { clusters: selector({ regions: ['eu'] }), minClusters: '50%', soakMs: 5 }),
          wave('empty', { clusters: selector({ regions: ['mars'] }), allowEmpty: true, minClusters: 3 }),
          wave('rest', { minClusters: 3 }),
        ),
        gates: gates as never,
      },
      fleet: fleet(),
      clusters: [cluster('a'), cluster('b'), cluster('c', { region: 'us' })],
    });
    expect(plan.waves).toMatchObject([
      { name: 'first', index: 0, size: 2, minClusters: 1, soakMs: 5 },
      { name: 'empty', index: 1, size: 0, minClusters: 0, gates: [] },
      { name: 'rest', index: 2, size: 1, minClusters: 1 },
    ]);
    expect(plan.waves[0]!.gates).toEqual([
      { name: 'quota', kind: 'cel' },
      { name: 'errors', kind: 'cel' },
    ]);
    expect(plan.waves[2]!.gates.map(({ name }) => name)).toEqual(['quota', 'cost']);
  });

  it('interleaves failure domains', () => {
    const plan = planWaves({
      strategy: strategy(wave('all')),
      fleet: fleet(),
      clusters: ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'].map((name) => cluster(name, { failureDomain: name[0]! })),
    });
    expect(namesOf(plan, 0)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
    expect(plan.members.map((member) => member.position)).toEqual([0, 1, 2, 3, 4, 5]);
    const names = [
      ['a1', 'z'],
      ['b1', 'y'],
      ['c1', 'x'],
      ['c2', 'x'],
    ] as const;
    const turned = planWaves({
      strategy: strategy(wave('all')),
      fleet: fleet(),
      clusters: names.map(([name, failureDomain]) => cluster(name, { failureDomain })),
    });
    expect(namesOf(turned, 0)).toEqual(['c1', 'b1', 'a1', 'c2']);
  });

  it('rounds percentages of the wave down, concurrency to at least 1', () => {
    const clusters = Array.from({ length: 7 }, (_, index) => cluster(`c${index}`));
    const plan = planWaves({
      strategy: strategy(wave('all', { maxConcurrent: '10%', failureBudget: '30%' })),
      fleet: fleet(),
      clusters,
    });
    expect(plan.waves[0]).toMatchObject({ size: 7, maxConcurrent: 1, failureBudget: 2 });
  });
});

const aCluster = fc
  .record({
    region: fc.constantFrom('eu', 'us', 'ap'),
    failureDomain: fc.constantFrom('x', 'y', 'z'),
    risk: fc.constantFrom(null, ...RISKS),
    role: fc.constantFrom('canary', 'other'),
  })
  .map(({ role, ...parts }) => ({ ...parts, labels: { role } }));
const someClusters = fc
  .array(aCluster, { minLength: 1, maxLength: 25 })
  .map((list) => list.map((parts, index) => cluster(`c-${index}`, parts)));
const aCount = (least: number) =>
  fc.oneof(
    fc.integer({ min: least, max: 30 }),
    fc.integer({ min: least, max: 100 }).map((percentage) => `${percentage}%` as const),
  );
const aWave = fc.record({
  clusters: fc.constantFrom(
    selector({ regions: ['eu'] }),
    selector({ matchLabels: { role: 'canary' } }),
    selector({ matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['canary'] }], regions: ['us', 'ap'] }),
  ),
  risk: fc.constantFrom(null, null, ...RISKS),
  maxConcurrent: aCount(1),
  failureBudget: aCount(0),
});
const aStrategy = fc
  .record({ waves: fc.array(aWave, { maxLength: 4 }), rest: fc.boolean() })
  .map(({ waves, rest }) =>
    strategy(
      ...waves.map((parts, index) => wave(`w-${index}`, parts)),
      ...(rest || waves.length === 0 ? [wave('rest', { maxConcurrent: '50%' })] : []),
    ),
  );

describe('every plan', () => {
  it('has each cluster of the fleet in one wave, the first that selects it, or names it as left over', () => {
    fc.assert(
      fc.property(aStrategy, someClusters, (aPlan, clusters) => {
        const plan = planWaves({ strategy: aPlan, fleet: fleet(), clusters });
        const leftovers = plan.errors.find((error) => error.reason === 'LeftoverClusters')?.clusters ?? [];
        const seen = [...plan.members.map((member) => member.cluster), ...leftovers].sort();
        expect(seen).toEqual(clusters.map((candidate) => candidate.name).sort());
        const takes = (index: number, name: string): boolean => {
          const candidate = clusters.find((other) => other.name === name)!;
          const { clusters: by, risk } = aPlan.waves[index]!;
          return (by === null || selects(by, candidate)) && (risk === null || risk === candidate.risk);
        };
        for (const member of plan.members)
          for (let index = 0; index <= member.wave; index += 1)
            expect(takes(index, member.cluster)).toBe(index === member.wave);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps concurrency between 1 and the size, and the budget within it', () => {
    fc.assert(
      fc.property(aStrategy, someClusters, (aPlan, clusters) => {
        const plan = planWaves({ strategy: aPlan, fleet: fleet(), clusters });
        for (const planned of plan.waves) {
          expect(planned.maxConcurrent).toBeGreaterThanOrEqual(1);
          expect(planned.maxConcurrent).toBeLessThanOrEqual(Math.max(1, planned.size));
          expect(planned.failureBudget).toBeLessThanOrEqual(planned.size);
          expect(planned.size).toBe(namesOf(plan, planned.index).length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same whatever order the clusters come in', () => {
    fc.assert(
      fc.property(
        aStrategy,
        someClusters.chain((clusters) =>
          fc.tuple(fc.constant(clusters), fc.shuffledSubarray(clusters, { minLength: clusters.length })),
        ),
        (aPlan, [clusters, shuffled]) => {
          const input = { strategy: aPlan, fleet: fleet() };
          expect(planWaves({ ...input, clusters: shuffled })).toEqual(planWaves({ ...input, clusters }));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('renderInputsFor', () => {
  const application = (parts: Partial<Application> = {}): Application => ({
    kind: 'Application',
    name: 'podinfo',
    labels: {},
    fleet: 'shop',
    strategy: null,
    trigger: 'manual',
    namespace: 'podinfo',
    namespaces: [],
    source: { path: 'apps/podinfo', chart: null, helm: { releaseName: null, valuesFiles: [] }, substitute: false },
    values: {},
    variants: [],
    overrides: [],
    ignore: [],
    prune: { enabled: true, maxDeletions: 10, protect: [] },
    conflicts: 'report',
    adopt: 'refuse',
    ...parts,
  });

  it('lets later layers win: fleet, region, cluster, application, variant', () => {
    const layered = renderInputsFor({
      fleet: fleet({
        values: { a: 'fleet', b: 'fleet', c: 'fleet', d: 'fleet', e: 'fleet' },
        regions: { eu: { values: { b: 'region', c: 'region', d: 'region', e: 'region' } } },
      }),
      cluster: cluster('x', { values: { c: 'cluster', d: 'cluster', e: 'cluster' } }),
      application: application({
        values: { d: 'application', e: 'application' },
        variants: [{ clusters: selector(), path: null, values: { e: 'variant' } }],
      }),
    });
    expect(layered.values).toEqual({ a: 'fleet', b: 'region', c: 'cluster', d: 'application', e: 'variant' });
  });

  it('uses the first variant that selects the cluster, and every override that does', () => {
    const target = { kind: 'Deployment', name: 'web' };
    const inputs = renderInputsFor({
      fleet: fleet(),
      cluster: cluster('x', { labels: { size: 'small' } }),
      application: application({
        variants: [
          { clusters: selector({ regions: ['us'] }), path: 'us', values: {} },
          { clusters: selector({ regions: ['eu'] }), path: 'overlays/eu', values: {} },
          { clusters: selector(), path: 'never', values: {} },
        ],
        overrides: [
          {
            clusters: selector({ matchLabels: { size: 'small' } }),
            target,
            patch: { spec: { replicas: 1 } },
            jsonPatch: null,
          },
          {
            clusters: selector({ matchLabels: { size: 'large' } }),
            target,
            patch: { spec: { replicas: 9 } },
            jsonPatch: null,
          },
        ],
      }),
    });
    expect(inputs).toMatchObject({
      path: 'apps/podinfo/overlays/eu',
      variantIndex: 1,
      overrides: [{ target, patch: { spec: { replicas: 1 } } }],
    });
    expect(inputs.overrides).toHaveLength(1);
  });

  it('is the source alone where no variant selects the cluster, and has no path for a chart from elsewhere', () => {
    const inputsOf = (parts: Partial<Application>) =>
      renderInputsFor({ fleet: fleet(), cluster: cluster('x'), application: application(parts) });
    const american = { clusters: selector({ regions: ['us'] }), path: 'us', values: { a: 1 } };
    expect(inputsOf({ variants: [american] })).toMatchObject({ path: 'apps/podinfo', values: {}, variantIndex: null });
    const everywhere = { clusters: selector(), path: null, values: { a: 1 } };
    expect(inputsOf({ variants: [american, everywhere] })).toMatchObject({
      path: 'apps/podinfo',
      values: { a: 1 },
      variantIndex: 1,
    });
    const chart = { repository: 'https://charts.example', name: 'web', version: '1.0.0' };
    const helm = { releaseName: 'shop', valuesFiles: ['a.yaml'] };
    expect(
      inputsOf({
        source: { path: null, chart, helm, substitute: true },
        variants: [{ ...everywhere, path: 'eu' }],
        namespaces: ['other'],
      }),
    ).toMatchObject({ path: null, chart, helm, substitute: true, namespace: 'podinfo', namespaces: ['other'] });
  });

  it('has the same canonical JSON for clusters that differ in nothing that is rendered', () => {
    const scope = { fleet: fleet(), application: application({ values: { b: 1, a: 2 } }) };
    const of = (one: Cluster): string => canonicalJson(renderInputsFor({ ...scope, cluster: one }));
    expect(of(cluster('x', { region: 'eu' }))).toBe(of(cluster('y', { region: 'us', risk: 'low' })));
    expect(of(cluster('x'))).not.toBe(of(cluster('y', { values: { a: 3, z: 1 } })));
  });

  it('does not take a region for an inherited property', () => {
    const inputs = renderInputsFor({
      fleet: fleet(),
      cluster: cluster('x', { region: 'toString' }),
      application: application(),
    });
    expect(inputs.values).toEqual({});
  });
});

describe('what a plan pins', () => {
  it('is all that the strategy says of a rollout, without its name, its waves and their gates', () => {
    const said = {
      workloads: { name: 'workloads-ready', timeout: 1, stableFor: 2, failFast: 'off' },
      failureDomains: { maxInFlight: 2 },
      unreachable: { wait: 3, then: 'skip' },
      slow: { after: 4, then: 'wait' },
      preflight: { onFailure: 'leaveOut' },
      onFailure: { action: 'halt', scope: 'wave', maxConcurrent: 5, failureDomains: 'respect' },
      concurrency: { region: 6, cluster: 7 },
      failureBudgets: { region: 8, rollout: 9 },
      deadline: 10,
      concurrentRollouts: 'reject',
      runbook: 'https://runbook.example',
    } as const;
    expect(rolloutPolicyOf({ ...strategy(wave('all')), gateReferences: [], labels: {}, ...said })).toEqual(said);
  });

  it('is what the application says of its objects, and not where they come from', () => {
    const said = {
      namespace: 'shop',
      conflicts: 'force',
      adopt: 'unowned',
      ignore: [{ kind: 'Deployment', fields: ['spec.replicas'] }],
      prune: { enabled: false, maxDeletions: 3, protect: ['Secret'] },
    } as const;
    expect(applyPolicyOf({ kind: 'Application', name: 'web', values: {}, ...said } as unknown as Application)).toEqual(
      said,
    );
  });
});
