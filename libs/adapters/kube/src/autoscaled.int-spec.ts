import { jest } from '@jest/globals';
import type { KubeObject } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { deployment, POLICY, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(120_000);

const FRONT = '/apis/apps/v1/namespaces/shop/deployments/front';
const HPAS = '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers';
const hpa: KubeObject = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'front', namespace: 'shop' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'front' },
    minReplicas: 1,
    maxReplicas: 9,
  },
};

describeWithTestbed('replicas and autoscalers', () => {
  let bed: Testbed;
  let scene: Scene;

  const replicas = async (): Promise<unknown> => ((await scene.live(FRONT))?.['spec'] as { replicas: number }).replicas;
  const scale = async (to: number, manager = 'kube-controller-manager'): Promise<void> => {
    const path = `${FRONT}/scale?fieldManager=${manager}`;
    expect((await scene.cluster.request('PATCH', path, { spec: { replicas: to } })).status).toBe(200);
  };
  const applied = { kind: 'Applied' };

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-autoscaled' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    scene = await new Scene(bed.clusters[0]!).connect();
  });
  afterEach(() => scene.close());

  describe('a field that only we own, and that the release gives to somebody else, keeps its value', () => {
    beforeEach(async () => {
      expect(await scene.apply([deployment('front', 'nginx:1', 3)])).toMatchObject(applied);
    });

    it('for an autoscaler that comes with the release', async () => {
      const v2 = [deployment('front', 'nginx:2', null), hpa];
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject(applied);
      expect(await replicas()).toBe(3);
      await scale(7);
      expect(await scene.apply(v2, { epoch: 3, rollout: 'r3' })).toMatchObject({ ...applied, changed: [] });
      expect(await replicas()).toBe(7);
    });

    it('for one that is only in the cluster', async () => {
      await scene.cluster.request('POST', HPAS, hpa);
      const v2 = [deployment('front', 'nginx:2', null)];
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject(applied);
      expect(await replicas()).toBe(3);
    });

    it('for whoever `ignore` stands for', async () => {
      const policy = { ...POLICY, ignore: [{ kind: 'Deployment', fields: ['spec.replicas'] }] };
      const v2 = [deployment('front', 'nginx:2', null)];
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2', policy })).toMatchObject(applied);
      expect(await replicas()).toBe(3);
    });
  });

  describe('an autoscaler that the release takes out gives the replicas back', () => {
    const v1 = [deployment('front', 'nginx:1', 3), hpa];
    const v2 = [deployment('front', 'nginx:1', 3)];

    beforeEach(async () => {
      expect(await scene.apply(v1)).toMatchObject(applied);
      await scale(7);
    });

    it('at once, before it could scale again, though nothing else changes', async () => {
      const keys = ['apps/Deployment/shop/front' as const];
      const lastGood = { objects: v2, only: keys, mode: 'rollback' as const, policy: POLICY, application: 'web' };
      expect(
        await scene.connection.dryRun({ ...lastGood, signal: AbortSignal.timeout(10_000) } as never),
      ).toMatchObject({ kind: 'Tried', refused: [] });
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject({ ...applied, changed: keys });
      expect(await replicas()).toBe(3);
      const writes = await scene.objectWrites();
      const gone = writes.indexOf('delete horizontalpodautoscalers/shop/front 200');
      expect(gone).toBeGreaterThan(0);
      expect(writes.lastIndexOf('patch deployments/shop/front 200')).toBeGreaterThan(gone);
      expect(await scene.prune(v2, { epoch: 3, rollout: 'r2' })).toMatchObject({ kind: 'Pruned', kept: [] });
      expect(await scene.apply(v2, { epoch: 4, rollout: 'r3' })).toMatchObject({ ...applied, changed: [] });
    });

    it('to whoever comes after a writer that died when the autoscaler was gone', async () => {
      await scene.cluster.request('DELETE', `${HPAS}/front`);
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject(applied);
      expect(await replicas()).toBe(3);
    });

    it('but not what a person has scaled', async () => {
      await scale(5, 'kubectl');
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject({
        kind: 'Refused',
        reason: 'FieldConflict',
      });
      expect(await replicas()).toBe(5);
      expect(await scene.live(`${HPAS}/front`)).not.toBeNull();
    });

    it('but not where nothing is pruned: it goes on scaling', async () => {
      const policy = { ...POLICY, prune: { ...POLICY.prune, enabled: false } };
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2', policy })).toMatchObject(applied);
      expect(await replicas()).toBe(7);
      expect(await scene.live(`${HPAS}/front`)).not.toBeNull();
    });

    it('unless that would be more deletions than the limit', async () => {
      const policy = { ...POLICY, prune: { ...POLICY.prune, maxDeletions: 0 } };
      const before = await scene.writes();
      expect(await scene.apply(v2, { epoch: 2, rollout: 'r2', policy })).toMatchObject({
        kind: 'Refused',
        reason: 'TooManyDeletions',
        partial: false,
      });
      expect(await scene.writes()).toEqual(before);
    });
  });

  it('a rollback takes the autoscaler of the release away, and gives the replicas back', async () => {
    const v1 = [deployment('front', 'nginx:1', 3)];
    expect(await scene.apply(v1)).toMatchObject(applied);
    const v2 = [deployment('front', 'nginx:1', null), hpa];
    expect(await scene.apply(v2, { epoch: 2, rollout: 'r2' })).toMatchObject(applied);
    await scale(7);
    const back = { mode: 'rollback', rollout: 'r2', expectInventory: true } as const;
    expect(await scene.apply(v1, { ...back, epoch: 3 })).toMatchObject(applied);
    expect(await replicas()).toBe(3);
    expect(await scene.prune(v1, { ...back, epoch: 4 })).toMatchObject({ kind: 'Pruned', kept: [] });
    expect(await scene.live(`${HPAS}/front`)).toBeNull();
  });
});
