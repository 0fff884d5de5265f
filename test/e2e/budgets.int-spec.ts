import type { Rollout, Target } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { allWrites, objectWrites } from '../support/live-objects.ts';
import { type PostgresRecords, startPostgresRecords } from '../support/postgres-records.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  type StageOptions,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const EU = ['c0', 'c1', 'c2'] as const;
const US = ['c3', 'c4', 'c5'] as const;
const ALL = [...EU, ...US];
const labels = {
  ...Object.fromEntries(EU.map((name) => [name, { region: 'eu' }])),
  ...Object.fromEntries(US.map((name) => [name, { region: 'us' }])),
};

const bundle = (image: string) => [configMap('settings', 'web', { image }), deployment('web', 'web', image)];
/** A release whose image these clusters cannot pull. */
const badOn =
  (...names: readonly string[]) =>
  (cluster: string) =>
    bundle(names.includes(cluster) ? 'shop/web:1-broken' : 'shop/web:1');

const halting = (more: string): string => `  onFailure: { action: halt }\n${more}`;
const waveOf = (name: string, members: readonly string[], more: string): string =>
  `\n    - { name: ${name}, clusters: { matchExpressions: [ { key: of, operator: In, values: [${members.join(', ')}] } ] }, ${more} }`;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The largest number of spans that had something in common. */
const mostAtOnce = (spans: readonly Span[]): number =>
  Math.max(...spans.map(({ from: moment }) => spans.filter(({ from, to }) => from <= moment && moment < to).length));

describeWithTestbed('budgets and limits, on real servers', () => {
  let bed: Testbed;
  let records: PostgresRecords;
  let stage: RolloutStage;

  const begin = async (documents: string, more: Partial<StageOptions> = {}): Promise<void> => {
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: Object.fromEntries(ALL.map((name) => [name, { ...labels[name], of: name }])),
      documents: fleetAndApplication() + documents,
      record: await records.fresh(),
      ...more,
    });
    await stage.start();
  };
  const start = async (render: (cluster: string) => ReturnType<typeof bundle>): Promise<Rollout['id']> =>
    (await stage.rollOut('web', await stage.commit('web', render))).id;
  const untilHalted = (id: Rollout['id']): Promise<Rollout> => stage.until(id, ({ state }) => state === 'Halted');
  const writesOn = async (name: string): Promise<readonly number[]> =>
    (await allWrites(stage.cluster(name))).map(({ at }) => at);
  /** Clusters whose own audit logs have a write of ours. */
  const touched = async (): Promise<readonly string[]> => {
    const counts = await Promise.all(stage.members.map(async (name) => (await writesOn(name)).length));
    return stage.members.filter((_, index) => counts[index]! > 0);
  };
  /** From the first write that its API server saw until the record says that the release is verified there. */
  const spanOf = async ({ cluster, finishedAt }: Target): Promise<Span> => {
    const writes = await writesOn(cluster);
    return { from: Math.min(...writes), to: finishedAt! };
  };

  beforeAll(async () => {
    records = await startPostgresRecords();
    bed = await acquireTestbed({ clusters: ALL.length, label: 'e2e budgets' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(async () => {
    await bed.reset();
    // Not the release's, so that a return does not wait for their end.
    for (const cluster of bed.clusters)
      for (const name of ['web', 'breakwater-system']) await cluster.createNamespace(name);
  }, 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(async () => {
    await records?.stop();
    await bed?.release();
  }, 60_000);

  it('of a region: one failure more than it bears stops everything, and the next cluster is not touched', async () => {
    const waves =
      waveOf('eu', EU, 'maxConcurrent: 100%, failureBudget: 100%') + waveOf('us', US, 'maxConcurrent: 100%');
    const limits = '  concurrency: { region: 2 }\n  failureBudgets: { region: 1 }';
    await begin(strategy({ waves, more: halting(limits) }));
    const id = await start(badOn(...EU));
    expect(await untilHalted(id)).toMatchObject({
      reason: 'FailureBudgetExceeded',
      message: 'region eu: 2 failed or unreachable, and its failure budget is 1',
    });
    expect(await touched()).toEqual(['c0', 'c1']);
  }, 120_000);

  it('of the rollout: failures of two waves that bear theirs are too many together', async () => {
    const waves =
      waveOf('first', ['c0', 'c1'], 'failureBudget: 1') +
      waveOf('second', ['c2', 'c3'], 'failureBudget: 1') +
      waveOf('third', ['c4', 'c5'], 'failureBudget: 1');
    await begin(strategy({ waves, more: halting('  failureBudgets: { rollout: 1 }') }));
    const id = await start(badOn('c0', 'c2'));
    const halted = await untilHalted(id);
    expect(halted).toMatchObject({
      reason: 'FailureBudgetExceeded',
      message: "2 failed or unreachable in all, and the rollout's failure budget is 1",
    });
    expect(halted.waves.map(({ state }) => state)).toEqual(['Succeeded', 'Failed', 'Pending']);
    expect(await touched()).toEqual(['c0', 'c1', 'c2']);
  }, 120_000);

  it('of concurrency: no more of a region, or of a failure domain, are in flight at once', async () => {
    await begin(
      strategy({
        waves: '\n    - { name: all, maxConcurrent: 100% }',
        more: '  concurrency: { region: 2 }\n  failureDomains: { maxInFlight: 1 }',
      }),
      { specs: { c3: { failureDomain: 'us-1' }, c4: { failureDomain: 'us-1' } } },
    );
    // Long enough for any two that are let go together to be seen together.
    const ended = await stage.end(await start(() => bundle('shop/web:1-delay-2s')));
    expect(ended.state).toBe('Succeeded');
    const spans = new Map<string, Span>();
    for (const target of await stage.targets(ended.id)) spans.set(target.cluster, await spanOf(target));
    const most = (names: readonly string[]): number => mostAtOnce(names.map((name) => spans.get(name)!));
    // As many as may: limits that held everything back would hold, too.
    expect({ eu: most(EU), us: most(US), domain: most(['c3', 'c4']), all: most(ALL) }).toEqual({
      eu: 2,
      us: 2,
      domain: 1,
      all: 4,
    });
  }, 120_000);

  it('of verified clusters: too few halt before the next wave is touched, and a person lets it go on', async () => {
    const waves =
      waveOf('first', ['c0', 'c1'], 'maxConcurrent: 100%, failureBudget: 1, minClusters: 2') +
      waveOf('rest', ['c2'], 'maxConcurrent: 1');
    await begin(strategy({ waves, more: halting('') }), { members: EU });
    const id = await start(badOn('c1'));
    expect(await untilHalted(id)).toMatchObject({
      reason: 'TooFewVerified',
      message: 'wave first: 1 of its clusters verified, and at least 2 have to be',
    });
    expect(await touched()).toEqual(['c0', 'c1']);
    expect(await stage.states(id)).toEqual(['c0 Succeeded', 'c1 RolledBack', 'c2 Pending']);
    await stage.commands.resume(id, { reason: 'one is enough' }, PERSON);
    const ended = await stage.end(id);
    expect(ended).toMatchObject({ state: 'Incomplete' });
    expect(ended.message).toMatch(/^2 of 3 clusters verified, 1 failed, 1 returned: c1$/);
    expect(await touched()).toEqual(EU);
  }, 120_000);

  it('of time: past its deadline it halts at once and asks, and goes on when a person says so', async () => {
    await begin(strategy({ waves: '\n    - { name: all }', more: halting('  deadline: 4s') }), {
      members: ['c0', 'c1'],
    });
    const id = await start((name) => bundle(name === 'c0' ? 'shop/web:1-delay-10s' : 'shop/web:1'));
    const halted = await untilHalted(id);
    expect(halted).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'wave all: the rollout has run for longer than its deadline of 4s',
      rollback: null,
    });
    expect(halted.waves[0]!.finishedAt! - halted.startedAt!).toBeLessThan(10_000);
    expect(await stage.states(id)).toEqual(['c0 Verifying', 'c1 Pending']);
    expect(await touched()).toEqual(['c0']);
    await stage.commands.resume(id, { reason: 'there is time' }, PERSON);
    expect(await stage.end(id)).toMatchObject({ state: 'Succeeded', message: 'all of 2 clusters verified' });
  }, 120_000);

  it.each([
    // A failure domain that bears two: what holds the second back is the limit of the cluster.
    ['its limit', '  concurrency: { cluster: 1 }\n  failureDomains: { maxInFlight: 2 }\n'],
    ['its failure domain, which is itself', ''],
  ])(
    'one cluster bears one rollout at a time, by %s, and explain names the other',
    async (_by, more) => {
      const documents = strategy({ waves: '\n    - { name: all, maxConcurrent: 100% }', more });
      const api = 'apiVersion: breakwater.dev/v1alpha1\nkind: Application\nmetadata: { name: api }\n';
      await begin(`${documents}---\n${api}spec: { fleet: shop, source: { path: apps/api } }\n`, { members: EU });
      const startOf = async (name: string): Promise<Rollout['id']> => {
        const commit = await stage.commit(name, () => [deployment(name, 'web', `shop/${name}:1-delay-5s`)]);
        return (await stage.rollOut(name, commit)).id;
      };
      const first = await startOf('web');
      await stage.until(first, ({ waves: [all] }) => all?.counts.inFlight === EU.length);
      const second = await startOf('api');
      await stage.until(second, ({ state }) => state === 'Progressing');
      expect((await stage.commands.explain(second)).blockers).toContainEqual(
        expect.objectContaining({
          reason: 'ClusterBusy',
          cluster: 'c0',
          evidence: expect.stringContaining(`rollout ${first} of web (Progressing) is at work there`) as string,
        }),
      );
      for (const id of [first, second]) expect(await stage.end(id)).toMatchObject({ state: 'Succeeded' });
      const spans = await Promise.all([first, second].map((id) => spansOf(id)));
      for (const name of EU) expect([name, mostAtOnce(spans.map((of) => of.get(name)!))]).toEqual([name, 1]);
      // Different clusters are at work side by side.
      expect(mostAtOnce(spans.flatMap((of) => [...of.values()]))).toBe(EU.length);
    },
    120_000,
  );

  /** Of each cluster; see {@link spanOf}. */
  const spansOf = async (id: Rollout['id']): Promise<ReadonlyMap<string, Span>> => {
    const targets = await stage.targets(id);
    const application = (await stage.commands.find(id)).application;
    return new Map(
      await Promise.all(
        targets.map(async ({ cluster, finishedAt }) => {
          const writes = await objectWrites(stage.cluster(cluster));
          const own = writes.filter(({ text }) => text.includes(`deployments/web/${application} `)).map(({ at }) => at);
          return [cluster, { from: Math.min(...own), to: finishedAt! }] as const;
        }),
      ),
    );
  };

  it('slow is not failed: the strategy says whether it fails, halts or is waited for', async () => {
    const waves = '\n    - { name: all, maxConcurrent: 100% }';
    const then = (policy: string): string => halting(`  slow: { after: 3s, then: ${policy} }`);
    await begin(
      strategy({ waves, more: then('halt') }) +
        strategy({ name: 'failing', waves, more: then('fail') }) +
        strategy({ name: 'waiting', waves, more: then('wait') }),
      { members: ['c0', 'c1'] },
    );
    const slowly = (version: number) =>
      stage.commit('web', (name) => bundle(`shop/web:${version}${name === 'c1' ? '-delay-8s' : ''}`));

    const asking = await stage.rollOut('web', await slowly(1));
    expect(await untilHalted(asking.id)).toMatchObject({
      reason: 'TargetsSlow',
      message: 'wave all: 1 not ready after 3s',
    });
    expect(await stage.target(asking.id, 'c1')).toMatchObject({ state: 'Verifying', slow: true, everFailed: false });
    await stage.commands.resume(asking.id, { reason: 'it always takes that long there' }, PERSON);
    expect(await stage.end(asking.id)).toMatchObject({ state: 'Succeeded' });

    const waiting = await stage.rollOut('web', await slowly(2), { strategy: 'waiting' });
    await stage.untilTarget(waiting.id, 'c1', ({ slow }) => slow);
    expect((await stage.commands.find(waiting.id)).state).toBe('Progressing');
    expect(await stage.end(waiting.id)).toMatchObject({ state: 'Succeeded' });

    const failing = await stage.rollOut('web', await slowly(3), { strategy: 'failing' });
    expect(await untilHalted(failing.id)).toMatchObject({ reason: 'FailureBudgetExceeded' });
    expect(await stage.target(failing.id, 'c1')).toMatchObject({ everFailed: true });
  }, 120_000);

  it('unreachable is not failed: the strategy says whether it counts, halts or is skipped', async () => {
    const away = await stageWithout('c1');
    const id = await start(badOn('c2'));
    expect(await untilHalted(id)).toMatchObject({
      reason: 'FailureBudgetExceeded',
      message: 'wave all: 1 failed, 1 unreachable, and its failure budget is 1',
    });
    await stage.commands.abort(id, {}, PERSON);

    const asking = await stage.rollOut('web', await stage.commit('web', badOn()), { strategy: 'asking' });
    expect(await untilHalted(asking.id)).toMatchObject({
      reason: 'ClusterUnreachable',
      message: "wave all: 1 unreachable for longer than the strategy's wait",
    });
    await stage.commands.abort(asking.id, {}, PERSON);

    const skipping = await stage.rollOut('web', await stage.commit('web', badOn('c2')), { strategy: 'skipping' });
    const ended = await stage.end(skipping.id);
    expect(ended).toMatchObject({ state: 'Incomplete' });
    expect(ended.message).toMatch(/^1 of 3 clusters verified, 1 failed, 1 skipped, 1 returned: c1, c2$/);
    expect(await stage.target(ended.id, 'c1')).toMatchObject({
      state: 'Skipped',
      reason: 'ClusterUnreachable',
      everFailed: false,
      owes: 'forward',
    });
    expect(await stage.target(ended.id, 'c2')).toMatchObject({ state: 'RolledBack', everFailed: true });
    expect(await touched()).toEqual(['c0', 'c2']);
    away.restore();
    await stage.untilTarget(ended.id, 'c1', ({ state, owes }) => state === 'Succeeded' && owes === null);
    expect(await touched()).toEqual(EU);
  }, 120_000);

  /** Three strategies for three clusters, of which one refuses every connection. */
  const stageWithout = async (name: string): Promise<{ restore(): void }> => {
    const proxy = await bed.clusters[ALL.indexOf(name as (typeof ALL)[number])]!.proxy();
    proxy.refuse();
    const waves = '\n    - { name: all, maxConcurrent: 100%, failureBudget: 1 }';
    const then = (policy: string): string => halting(`  unreachable: { wait: 2s, then: ${policy} }`);
    await begin(
      strategy({ waves, more: then('count') }) +
        strategy({ name: 'asking', waves, more: then('halt') }) +
        strategy({ name: 'skipping', waves, more: then('skip') }),
      { members: EU, kubeconfigs: { [name]: proxy.kubeconfig } },
    );
    return { restore: () => proxy.restore() };
  };
});
