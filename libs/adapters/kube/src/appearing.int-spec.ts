/** Objects that come between a session's look at them and its create of them. */
import { jest } from '@jest/globals';
import { PermitLost } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { configMap, openPermit, POLICY, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(120_000);

const ONE = '/api/v1/namespaces/shop/configmaps/one';
const ACCOUNTS = '/api/v1/namespaces/shop/serviceaccounts';
const account: KubeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', namespace: 'shop' },
  automountServiceAccountToken: false,
};

describeWithTestbed('objects that appear', () => {
  let bed: Testbed;
  let scene: Scene;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-appearing' });
  }, TESTBED_TIMEOUT_MS);
  afterAll(() => bed?.release());
  beforeEach(async () => {
    await bed.reset();
    scene = await new Scene(bed.clusters[0]!).connect();
  });
  afterEach(() => scene.close());

  describe('and are somebody else’s, are adopted with what they were', () => {
    const policy = { ...POLICY, adopt: 'unowned', conflicts: 'force' } as const;
    const theirs = configMap('one', { was: 'here', a: '0' });
    /** Everything has been read when the first write is sent. */
    const appearing = (stopAt = Infinity) =>
      openPermit(async (index) => {
        if (index === 0) await scene.cluster.request('POST', '/api/v1/namespaces/shop/configmaps', theirs);
        if (index >= stopAt) throw new PermitLost('frozen');
      });
    const back = async (): Promise<void> => {
      expect(scene.recorded.images).toMatchObject([{ key: 'ConfigMap/shop/one', object: { data: { was: 'here' } } }]);
      const session = { mode: 'rollback', epoch: 2, nonce: 'b', policy, before: scene.recorded.images } as const;
      expect(await scene.apply([], session)).toMatchObject({ kind: 'Applied' });
      expect(await scene.prune([], { ...session, removeAll: true })).toMatchObject({ kind: 'Pruned', deleted: [] });
      expect((await scene.live(ONE))?.['data']).toEqual({ was: 'here', a: '0' });
      expect((await scene.live(ONE))?.metadata.labels).toBeUndefined();
    };

    beforeEach(() => scene.cluster.createNamespace('shop'));

    it('and given back', async () => {
      const bundle = [configMap('one', { a: '1' })];
      expect(await scene.apply(bundle, { policy, permit: appearing() })).toMatchObject({ kind: 'Applied' });
      expect((await scene.live(ONE))?.['data']).toEqual({ was: 'here', a: '1' });
      await back();
    });

    it('and given back by whoever comes after a writer that died right then', async () => {
      // Its namespace, the fence, the touch, the create that comes too late, the conflict, the adoption; not the closed fence.
      const run = scene.apply([configMap('one', { a: '1' })], { policy, permit: appearing(6) });
      await expect(run).rejects.toThrow(PermitLost);
      expect((await scene.live(ONE))?.['data']).toMatchObject({ a: '1' });
      await back();
    });
  });

  describe('and are what Kubernetes puts into every namespace', () => {
    const makeAccount = async (): Promise<void> => {
      const { status } = await scene.cluster.request('POST', ACCOUNTS, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default' },
      });
      expect([201, 409]).toContain(status);
    };
    const isThere = async (): Promise<boolean> => (await scene.live('/api/v1/namespaces/shop')) !== null;

    it('are taken over in a namespace that the rollout has made', async () => {
      const permit = openPermit(async () => {
        if (await isThere()) await makeAccount();
      });
      expect(await scene.apply([account], { permit })).toMatchObject({ kind: 'Applied' });
      expect(await scene.live(`${ACCOUNTS}/default`)).toMatchObject({ automountServiceAccountToken: false });
    });

    it('also by a later try of it', async () => {
      const permit = openPermit(async () => {
        if (await isThere()) throw new PermitLost('frozen');
      });
      await expect(scene.apply([account], { permit })).rejects.toThrow(PermitLost);
      await makeAccount();
      expect(await scene.apply([account], { epoch: 2, expectInventory: true })).toMatchObject({ kind: 'Applied' });
      expect(await scene.live(`${ACCOUNTS}/default`)).toMatchObject({ automountServiceAccountToken: false });
    });

    it('are not in one that was there', async () => {
      await scene.cluster.createNamespace('shop');
      await makeAccount();
      expect(await scene.apply([account])).toMatchObject({ kind: 'Refused', reason: 'NotAdopted' });
    });
  });
});
