import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { configMap, deployment, RolloutStage } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const documents = `
apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec: { clusters: { all: true }, strategy: staged }
---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: staged }
spec:
  waves:
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, maxConcurrent: 100% }
  gates:
    - { name: workloads-ready, workloads: { timeout: 30s, stableFor: 1s, failFast: 1s } }
---
apiVersion: breakwater.dev/v1alpha1
kind: Application
metadata: { name: web }
spec: { fleet: shop, source: { path: apps/web } }
`;

const bundle = (image: string) => [configMap('settings', 'web', { image }), deployment('web', 'web', image)];

describeWithTestbed('a worker on real API servers', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 3, label: 'rollout worker' });
    stage = new RolloutStage({ clusters: bed.clusters, labels: { c0: { role: 'canary' } }, documents });
    await stage.start();
  }, TESTBED_TIMEOUT_MS);

  afterAll(async () => {
    await stage?.stop();
    await bed?.release();
  });

  it('takes a good release through the waves', async () => {
    const commit = await stage.commit('web', () => bundle('shop/web:1'));
    const rollout = await stage.end((await stage.rollOut('web', commit)).id);
    expect(rollout).toMatchObject({ state: 'Succeeded', message: 'all of 3 clusters verified' });
    for (const cluster of bed.clusters) {
      const live = await cluster.get<{ spec: { template: { spec: { containers: { image: string }[] } } } }>(
        '/apis/apps/v1/namespaces/web/deployments/web',
      );
      expect(live.spec.template.spec.containers[0]!.image).toBe('shop/web:1');
    }
  }, 90_000);

  it('stops a bad release in the canary wave and takes it back', async () => {
    const commit = await stage.commit('web', () => bundle('shop/web:broken'));
    const rollout = await stage.end((await stage.rollOut('web', commit)).id);
    expect(rollout.state).toBe('RolledBack');
    const targets = await stage.targets(rollout.id);
    expect(targets.map((target) => `${target.cluster} ${target.state}`).sort()).toEqual([
      'c0 RolledBack',
      'c1 Pending',
      'c2 Pending',
    ]);
    const live = await bed.clusters[0]!.get<{ data: { image: string } }>('/api/v1/namespaces/web/configmaps/settings');
    expect(live.data.image).toBe('shop/web:1');
  }, 90_000);
});
