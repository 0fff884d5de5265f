import { jest } from '@jest/globals';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { liveObjects, withoutIdentity } from '../support/live-objects.ts';
import { configMap, deployment, fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const HOUR_MS = 3_600_000;
const bundle = (version: string, image = `shop/web:${version}-delay-2s`) => [
  configMap('settings', 'web', { version }),
  configMap(`of-${version}`, 'web', {}),
  deployment('web', 'web', image),
];

describeWithTestbed('clusters whose clocks differ from the hub’s', () => {
  let bed: Testbed;
  let stage: RolloutStage | null = null;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'e2e clock skew' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset());
  afterEach(async () => {
    await stage?.stop();
    jest.restoreAllMocks();
  }, 60_000);
  afterAll(() => bed?.release());

  it.each([
    ['an hour behind', HOUR_MS],
    ['an hour ahead', -HOUR_MS],
  ])(
    'are rolled out to, judged and rolled back as ever: %s',
    async (_name, skew) => {
      // Worker and record are in this process; the API servers, their controllers and kubelets are not.
      const now = Date.now.bind(Date);
      jest.spyOn(Date, 'now').mockImplementation(() => now() + skew);
      stage = new RolloutStage({
        clusters: bed.clusters,
        labels: { c0: { role: 'canary' } },
        documents:
          fleetAndApplication() +
          strategy({
            timeout: '10m',
            waves: `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest }`,
          }),
      });
      await stage.start();
      for (const version of ['1', '2']) {
        const good = await stage.release(() => bundle(version));
        expect(good).toMatchObject({ state: 'Succeeded', message: 'all of 2 clusters verified' });
      }
      const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));

      const render = (name: string) => bundle('3', name === 'c1' ? 'shop/web:broken' : 'shop/web:3');
      const { id } = await stage.rollOut('web', await stage.commit('web', render));
      // Found out by what the pod says, minutes before the gate's time-out.
      expect(await stage.end(id)).toMatchObject({ state: 'RolledBack' });
      const after = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
      expect(after.map(withoutIdentity)).toEqual(before.map(withoutIdentity));
    },
    180_000,
  );
});
