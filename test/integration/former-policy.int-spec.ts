import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import type { ApplyPolicy, KubeObject } from '@breakwater/domain';
import { configMap, deployment, fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const WAVES = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest }`;

const POLICY: Omit<ApplyPolicy, 'namespace'> = {
  conflicts: 'report',
  adopt: 'refuse',
  ignore: [],
  prune: { enabled: true, maxDeletions: 10, protect: ['PersistentVolumeClaim', 'CustomResourceDefinition'] },
};

describeWithTestbed('a release that says otherwise how it is applied', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'former policy' });
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: { c0: { role: 'canary' } },
      documents: `${fleetAndApplication()}${strategy({ waves: WAVES, timeout: '20s' })}`,
    });
    await stage.start();
  }, TESTBED_TIMEOUT_MS);

  afterAll(async () => {
    await stage?.stop();
    await bed?.release();
  });

  const rollOut = async (namespace: string, render: (cluster: string) => readonly KubeObject[]) => {
    const commit = await stage.commit('web', render);
    const release = await stage.record.sync.release('web', commit);
    await stage.record.sync.saveRelease({ ...release!, spec: { apply: { ...POLICY, namespace } } }, []);
    return stage.end((await stage.rollOut('web', commit)).id, 90_000);
  };

  it('is taken back into the namespace of the former one, which is gone by then', async () => {
    const objects = (namespace: string, image: string) => [
      configMap('settings', namespace, { image }),
      deployment('web', namespace, image),
    ];
    expect(await rollOut('before', () => objects('before', 'shop/web:1'))).toMatchObject({ state: 'Succeeded' });
    const failed = await rollOut('after', (cluster) =>
      objects('after', cluster === 'c1' ? 'shop/web:broken' : 'shop/web:2'),
    );
    expect(failed).toMatchObject({ state: 'RolledBack' });
    expect(await stage.states(failed.id)).toEqual(['c0 RolledBack', 'c1 RolledBack']);
    for (const cluster of bed.clusters) {
      const { body } = await cluster.request('GET', '/api/v1/namespaces/before/configmaps/settings');
      expect(body).toMatchObject({ data: { image: 'shop/web:1' } });
      expect(await cluster.request('GET', '/api/v1/namespaces/after')).toMatchObject({ status: 404 });
    }
  }, 180_000);
});
