import type { Rollout } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { allWrites, liveObjects } from '../support/live-objects.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** How many requests of one apply may be on their way at once. */
const WRITES_AT_ONCE = 4;

/** Their fields know minutes: what closes and what opens does so at the same one, which the test comes to once. */
describeWithTestbed('maintenance windows and hours of a wave, on real servers', () => {
  let bed: Testbed;
  let turn: number;
  let slowly: RolloutStage;
  let maintained: RolloutStage;
  let halfWay: Rollout['id'];
  let twoClusters: Rollout['id'];

  const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
  const from = (at: number): object => ({
    maintenanceWindows: [
      { timeZone: 'UTC', cron: `${new Date(at).getUTCMinutes()} ${new Date(at).getUTCHours()} * * *`, duration: '1h' },
    ],
  });
  const everything = (more = ''): string => strategy({ waves: `\n    - { name: all, maxConcurrent: 100%${more} }` });
  const writesOn = async (stage: RolloutStage, name: string): Promise<readonly number[]> =>
    (await allWrites(stage.cluster(name))).map(({ at }) => at);
  /** Over a slow line, four at once: half a minute, of which the window lets it have a third. */
  const manyObjects = Array.from({ length: 300 }, (_, index) => configMap(`settings-${index}`, 'web', {}));

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 3, label: 'e2e windows of clusters and waves' });
    await bed.reset();
    turn = Math.ceil((Date.now() + 40 * SECOND) / MINUTE) * MINUTE;
    maintained = new RolloutStage({
      clusters: bed.clusters.slice(0, 2),
      labels: {},
      specs: { c0: { ...from(turn - 10 * MINUTE) }, c1: { ...from(turn) } },
      documents: fleetAndApplication() + everything(),
    });
    const hours = `${clock(turn - 10 * MINUTE)}-${clock(turn)}`;
    const days = '[Mon, Tue, Wed, Thu, Fri, Sat, Sun]';
    const schedule = `, schedule: [ { timeZone: UTC, days: ${days}, hours: "${hours}", inFlight: freeze } ]`;
    const proxy = await bed.clusters[2]!.proxy();
    slowly = new RolloutStage({
      clusters: bed.clusters.slice(2),
      labels: {},
      kubeconfigs: { c0: proxy.kubeconfig },
      documents: `${fleetAndApplication()}${everything(schedule)}
---
apiVersion: breakwater.dev/v1alpha1
kind: FreezeWindow
metadata: { name: not-yet }
spec:
  fleets: [shop]
  timeZone: UTC
  once: { from: "${new Date(turn - 10 * MINUTE).toISOString().slice(0, 19)}Z", to: "${new Date(turn - 10 * SECOND).toISOString().slice(0, 19)}Z" }
  reason: it is to be under way when its hours end
`,
    });
    await Promise.all([slowly.start(), maintained.start()]);
    twoClusters = (
      await maintained.rollOut('web', await maintained.commit('web', () => [configMap('settings', 'web', {})]))
    ).id;
    halfWay = (await slowly.rollOut('web', await slowly.commit('web', () => manyObjects))).id;
  }, TESTBED_TIMEOUT_MS);
  afterAll(async () => {
    await slowly?.stop();
    await maintained?.stop();
    await bed?.release();
  }, 60_000);

  it('hours that freeze stop a cluster in the middle of its writes when they are over', async () => {
    await slowly.untilTarget(halfWay, 'c0', ({ touched }) => touched, 100_000);
    (await bed.clusters[2]!.proxy()).delay(200);
    const held = await slowly.untilTarget(halfWay, 'c0', ({ reason }) => reason === 'MaintenanceWindow');
    expect(held).toMatchObject({ state: 'Applying', touched: true });
    expect(held.message).toContain('wave all is outside its hours until');
    const writes = await writesOn(slowly, 'c0');
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.length).toBeLessThan(manyObjects.length);
  }, 150_000);

  it('a cluster is written to inside of its own maintenance windows, and the others do not wait for it', async () => {
    const ended = await maintained.end(twoClusters, 100_000);
    expect(ended).toMatchObject({ state: 'Succeeded', message: 'all of 2 clusters verified' });
    expect(Math.max(...(await writesOn(maintained, 'c0')))).toBeLessThan(turn);
    expect(Math.min(...(await writesOn(maintained, 'c1')))).toBeGreaterThanOrEqual(turn);
  }, 150_000);

  it('nothing more is written after the hours, except to take it back', async () => {
    // Meanwhile a whole release goes its way elsewhere.
    const other = () => [configMap('settings', 'web', {}), deployment('web', 'web', 'shop/web:2-delay-2s')];
    expect((await maintained.release(other)).state).toBe('Succeeded');
    // What had left by then arrives when it arrives.
    const late = (await writesOn(slowly, 'c0')).filter((at) => at > turn);
    expect(late.length).toBeLessThanOrEqual(WRITES_AT_ONCE);
    expect((await slowly.commands.explain(halfWay)).blockers).toMatchObject([
      { reason: 'MaintenanceWindow', wave: 'all', cluster: 'c0' },
    ]);
    (await bed.clusters[2]!.proxy()).restore();
    await slowly.commands.rollback(halfWay, { reason: 'not today' }, PERSON);
    expect(await slowly.end(halfWay)).toMatchObject({ state: 'RolledBack' });
    const left = Object.keys(await liveObjects(bed.clusters[2]!)).filter((key) => key.includes('/settings-'));
    expect(left).toEqual([]);
  }, 120_000);
});
