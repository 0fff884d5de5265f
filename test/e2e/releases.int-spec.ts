import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { fences, type LiveObjects, liveObjects, withoutIdentity } from '../support/live-objects.ts';
import { configMap, deployment, fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const TOLERANT = strategy({
  name: 'tolerant',
  waves: `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: second, clusters: { matchLabels: { role: second } }, maxConcurrent: 100%, failureBudget: 1 }
    - { name: rest, maxConcurrent: 100% }`,
});

const labels = {
  c0: { role: 'canary' },
  c1: { role: 'second' },
  c2: { role: 'second' },
  c3: { role: 'second' },
};

const bundle = (version: string, image = `shop/web:${version}`) => [
  configMap('settings', 'web', { version }),
  configMap(`only-${version}`, 'web', { version }),
  deployment('web', 'web', image),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  },
];

describeWithTestbed('releases on six clusters', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  const begin = async (members?: readonly string[]): Promise<void> => {
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels,
      documents: fleetAndApplication() + strategy() + TOLERANT,
      ...(members === undefined ? {} : { members }),
    });
    await stage.start();
  };

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 6, label: 'e2e releases' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  it('takes a good release through in wave order', async () => {
    await begin();
    const rollout = await stage.release(() => bundle('1'));
    expect(rollout).toMatchObject({ state: 'Succeeded', message: 'all of 6 clusters verified' });
    expect(rollout.waves.map(({ name, state, counts }) => `${name} ${state} ${counts.succeeded}`)).toEqual([
      'canary Succeeded 1',
      'second Succeeded 3',
      'rest Succeeded 2',
    ]);
    const targets = await stage.targets(rollout.id);
    for (const [index, wave] of rollout.waves.entries()) {
      const starts = targets.filter((target) => target.wave === index + 1).map((target) => target.startedAt!);
      for (const start of starts) expect(start).toBeGreaterThanOrEqual(wave.finishedAt!);
    }
    for (const cluster of bed.clusters) {
      const live = await cluster.get<{ status: object }>('/apis/apps/v1/namespaces/web/deployments/web');
      expect(live.status).toMatchObject({ availableReplicas: 1, updatedReplicas: 1 });
    }
  }, 120_000);

  it('stops an image that cannot be pulled in the canary wave, and takes it back', async () => {
    await begin();
    await stage.release(() => bundle('1'));
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    const rollout = await stage.release(() => bundle('2', 'shop/web:broken'));
    expect(rollout.state).toBe('RolledBack');
    expect(rollout.message).toContain('wave canary: 1 failed');
    expect(await stage.states(rollout.id)).toEqual([
      'c0 RolledBack',
      'c1 Pending',
      'c2 Pending',
      'c3 Pending',
      'c4 Pending',
      'c5 Pending',
    ]);
    expect((await stage.target(rollout.id, 'c0')).everFailed).toBe(true);
    expect(await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)))).toEqual(before);
    await expect(stage.rollOut('web', rollout.revision.commit)).rejects.toMatchObject({ code: 'ReleaseBad' });
  }, 120_000);

  it('returns every touched cluster to its own previous revision when one of the second wave fails', async () => {
    await begin(['c0', 'c1', 'c2', 'c4', 'c5']);
    const first = await stage.release(() => bundle('1'));
    const second = await stage.release((name) => bundle('2', name === 'c1' ? 'shop/web:2-broken' : 'shop/web:2'), {
      strategy: 'tolerant',
    });
    expect(second.state).toBe('Incomplete');
    // Now c1 has the first revision, c3 joins with nothing, and the others have the second.
    stage.members = stage.names;
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    const third = await stage.release((name) => bundle('3', name === 'c2' ? 'shop/web:3-broken' : 'shop/web:3'));
    expect(third.state).toBe('RolledBack');
    expect(await stage.states(third.id)).toEqual([
      'c0 RolledBack',
      'c1 RolledBack',
      'c2 RolledBack',
      'c3 RolledBack',
      'c4 Pending',
      'c5 Pending',
    ]);
    const previous = (await stage.targets(third.id)).map((target) => [
      target.cluster,
      target.touched ? (target.previous?.commit ?? null) : 'untouched',
    ]);
    expect(Object.fromEntries(previous)).toEqual({
      c0: second.revision.commit,
      c1: first.revision.commit,
      c2: second.revision.commit,
      c3: null,
      c4: 'untouched',
      c5: 'untouched',
    });
    const after = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    expect(after.map(withoutIdentity)).toEqual(before.map(withoutIdentity));
    // Only what a verified cluster had pruned was made again; everything else is the same object as before.
    const untouched = (objects: LiveObjects) =>
      Object.fromEntries(Object.entries(objects).filter(([key]) => !key.startsWith('ConfigMap/web/only-')));
    expect(after.map(untouched)).toEqual(before.map(untouched));
    expect(await fences(stage.cluster('c3'))).toBeNull();
  }, 180_000);

  it('leaves nothing of a first release that is bad, protected kinds aside, and names what it kept', async () => {
    await begin();
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    const rollout = await stage.release(() => bundle('1', 'shop/web:broken'));
    expect(rollout.state).toBe('RolledBack');
    expect(await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)))).toEqual(before);
    expect(await Promise.all(bed.clusters.map((cluster) => fences(cluster)))).toEqual(bed.clusters.map(() => null));

    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'web' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const kept = await stage.release(() => [...bundle('2', 'shop/web:broken'), claim]);
    expect(kept.state).toBe('RolledBack');
    const left = Object.keys(await liveObjects(bed.clusters[0]!)).filter((key) => !(key in before[0]!));
    expect(left).toEqual(['Namespace//breakwater-system', 'Namespace//web', 'PersistentVolumeClaim/web/data']);
    expect(await fences(bed.clusters[0]!)).toHaveLength(1);
    const { message } = await stage.target(kept.id, 'c0');
    expect(message).toContain('PersistentVolumeClaim/web/data (Protected)');
    expect(message).toContain('Namespace//web');
  }, 180_000);
});
