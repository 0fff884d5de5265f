import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { allWrites, liveObjects, objectWrites } from '../support/live-objects.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const labels = { c0: { role: 'canary' }, c1: { role: 'second' }, c2: { role: 'second' }, c3: { role: 'second' } };

const bundle = (version: string, image = `shop/web:${version}`) => [
  configMap('settings', 'web', { version }),
  configMap(`of-${version}`, 'web', {}),
  deployment('web', 'web', image),
];

const ONE_BY_ONE = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: second, clusters: { matchLabels: { role: second } }, maxConcurrent: 1 }
    - { name: rest, maxConcurrent: 100% }`;

describeWithTestbed('what on-call asks of a rollout on six clusters', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  const begin = async (
    documents = fleetAndApplication() + strategy(),
    kubeconfigs: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    stage = new RolloutStage({ clusters: bed.clusters, labels, documents, kubeconfigs });
    await stage.start();
  };
  const everything = () => Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
  const versions = () =>
    Promise.all(
      bed.clusters.map(async (cluster) => {
        const { status, body } = await cluster.request('GET', '/api/v1/namespaces/web/configmaps/settings');
        return status === 200 ? (body as { data: { version: string } }).data.version : '-';
      }),
    );

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 6, label: 'e2e commands' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  it('a freeze stops everything where it is, clocks included, and a resume goes on from there', async () => {
    await begin();
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1', 'shop/web:delay-2s')));
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Verifying');
    expect(await stage.commands.pause(id, {}, PERSON)).toMatchObject({ inForce: true, unsettled: [] });
    const at = Date.now();
    const { verifyingSince } = await stage.target(id, 'c0');
    // Long enough for the image to get ready and to be stable, were the clocks running.
    await delay(4_000);
    expect(await stage.target(id, 'c0')).toMatchObject({ phase: 'verify', verifyingSince });
    expect(await stage.states(id)).toEqual([
      'c0 Verifying',
      ...['c1', 'c2', 'c3', 'c4', 'c5'].map((name) => `${name} Pending`),
    ]);
    expect((await Promise.all(bed.clusters.map(allWrites))).flat().filter((write) => write.at > at)).toEqual([]);
    expect(await stage.commands.waiting(await stage.commands.find(id))).toMatchObject([{ reason: 'Paused' }]);
    await stage.commands.resume(id, {}, PERSON);
    // At once, not at the next regular look half a minute later.
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Succeeded', 15_000);
    expect(await stage.end(id)).toMatchObject({ state: 'Succeeded' });
  }, 120_000);

  it('a drain lets what is under way finish and starts nothing new', async () => {
    await begin(fleetAndApplication() + strategy({ waves: ONE_BY_ONE }));
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1', 'shop/web:delay-2s')));
    await stage.untilTarget(id, 'c1', ({ state }) => state === 'Verifying');
    expect(await stage.commands.pause(id, { mode: 'drain' }, PERSON)).toMatchObject({ inForce: true });
    await stage.untilTarget(id, 'c1', ({ state }) => state === 'Succeeded');
    await delay(2_000);
    expect(await stage.states(id)).toEqual([
      'c0 Succeeded',
      'c1 Succeeded',
      ...['c2', 'c3', 'c4', 'c5'].map((name) => `${name} Pending`),
    ]);
    expect(await versions()).toEqual(['1', '1', '-', '-', '-', '-']);
    await stage.commands.resume(id, {}, PERSON);
    expect(await stage.end(id)).toMatchObject({ state: 'Succeeded' });
  }, 120_000);

  it('an abort leaves touched clusters as they are and says which are partial; a rollback then restores them', async () => {
    const second = ['c1', 'c2', 'c3'];
    const proxies = await Promise.all(bed.clusters.slice(1, 4).map((cluster) => cluster.proxy()));
    const kubeconfigs = Object.fromEntries(proxies.map((proxy, index) => [second[index], proxy.kubeconfig]));
    await begin(fleetAndApplication() + strategy(), kubeconfigs);
    expect((await stage.release(() => bundle('1'))).state).toBe('Succeeded');
    const before = await everything();
    const many = Array.from({ length: 150 }, (_, index) => configMap(`map-${index}`, 'web', {}));
    const { id } = await stage.rollOut('web', await stage.commit('web', () => [...many, ...bundle('2')]));
    await stage.untilTarget(id, 'c0', ({ touched }) => touched, 120_000);
    // From here on their lines are slow: none of them is done before the others have begun.
    for (const proxy of proxies) proxy.delay(50);
    await stage.untilTarget(id, 'c1', ({ touched }) => touched, 120_000);
    await stage.untilTarget(id, 'c2', ({ touched }) => touched);
    expect(await stage.commands.abort(id, { reason: 'wrong one' }, PERSON)).toMatchObject({
      inForce: true,
      rollout: { state: 'Aborted' },
    });
    const at = Date.now();
    for (const proxy of proxies) proxy.restore();
    for (const name of ['c1', 'c2']) {
      expect(await stage.target(id, name)).toMatchObject({ state: 'Applying', reason: 'Partial' });
    }
    expect((await stage.target(id, 'c0')).state).toBe('Succeeded');
    await delay(1_500);
    expect((await Promise.all(bed.clusters.map(allWrites))).flat().filter((write) => write.at > at)).toEqual([]);
    expect(await everything()).not.toEqual(before);

    await stage.commands.rollback(id, { reason: 'back' }, PERSON);
    expect(await stage.end(id, 120_000)).toMatchObject({ state: 'RolledBack' });
    const after = await everything();
    const kept = (objects: object) =>
      Object.fromEntries(Object.entries(objects).filter(([key]) => key !== 'ConfigMap/web/of-1'));
    expect(after.map(kept)).toEqual(before.map(kept));
    expect(after.map((objects) => Object.keys(objects))).toEqual(before.map((objects) => Object.keys(objects)));
  }, 480_000);

  it('a cluster, a wave and the whole rollout are taken back when a person says so, after success too', async () => {
    await begin();
    await stage.release(() => bundle('1'));
    const good = await stage.release(() => bundle('2'));
    expect(good.state).toBe('Succeeded');
    await stage.commands.rollback(good.id, { cluster: 'c4', reason: 'customer asked' }, PERSON);
    expect(await stage.end(good.id)).toMatchObject({ state: 'RolledBack' });
    expect(await versions()).toEqual(['2', '2', '2', '2', '1', '2']);
    // One cluster of it was taken back, by a person: that does not make the release bad.
    expect(await stage.record.sync.release('web', good.revision.commit)).toMatchObject({ state: 'Good' });

    const third = await stage.release(() => bundle('3'));
    expect(third.state).toBe('Succeeded');
    await stage.commands.rollback(third.id, { scope: 'wave', wave: 'second' }, PERSON);
    expect(await stage.end(third.id)).toMatchObject({ state: 'RolledBack' });
    expect(await versions()).toEqual(['3', '2', '2', '2', '3', '3']);

    const fourth = await stage.release(() => bundle('4'));
    expect(fourth.state).toBe('Succeeded');
    await stage.commands.rollback(fourth.id, {}, PERSON);
    expect(await stage.end(fourth.id)).toMatchObject({ state: 'RolledBack' });
    expect(await versions()).toEqual(['3', '2', '2', '2', '3', '3']);
    await expect(stage.rollOut('web', fourth.revision.commit)).rejects.toMatchObject({ code: 'ReleaseBad' });
    await expect(stage.commands.rollback(good.id, {}, PERSON)).rejects.toMatchObject({ category: 'Conflict' });
    const forced = await stage.rollOut('web', fourth.revision.commit, { allowBad: true });
    expect(await stage.end(forced.id)).toMatchObject({ state: 'Succeeded' });
    expect(await versions()).toEqual(['4', '4', '4', '4', '4', '4']);
  }, 240_000);

  it('of rollouts that collide only the newest waits, replaces the other, or is refused, as the strategy says', async () => {
    await begin();
    const [one, two, three] = [
      await stage.commit('web', () => bundle('1', 'shop/web:delay-2s')),
      await stage.commit('web', () => bundle('2')),
      await stage.commit('web', () => bundle('3')),
    ];
    const first = await stage.rollOut('web', one);
    await stage.untilTarget(first.id, 'c0', ({ touched }) => touched);
    const second = await stage.rollOut('web', two);
    expect(second.state).toBe('Queued');
    const third = await stage.rollOut('web', three);
    expect(third.state).toBe('Queued');
    expect(await stage.end(second.id)).toMatchObject({ state: 'Superseded' });
    expect(await stage.end(first.id)).toMatchObject({ state: 'Succeeded' });
    expect(await stage.end(third.id)).toMatchObject({ state: 'Succeeded' });
    expect((await stage.commands.find(third.id)).startedAt).toBeGreaterThanOrEqual(
      (await stage.commands.find(first.id)).finishedAt!,
    );
    expect(await versions()).toEqual(['3', '3', '3', '3', '3', '3']);

    stage.documents = fleetAndApplication() + strategy({ more: '  concurrentRollouts: supersede' });
    const slow = await stage.rollOut('web', await stage.commit('web', () => bundle('4', 'shop/web:delay-5s')));
    await stage.untilTarget(slow.id, 'c0', ({ state }) => state === 'Verifying');
    const replacing = await stage.rollOut('web', await stage.commit('web', () => bundle('5', 'shop/web:broken')));
    expect(await stage.end(slow.id)).toMatchObject({ state: 'Superseded' });
    // Its last known good is from before both.
    expect(await stage.end(replacing.id)).toMatchObject({ state: 'RolledBack' });
    expect((await stage.target(replacing.id, 'c0')).previous?.commit).toBe(three);
    expect(await versions()).toEqual(['3', '3', '3', '3', '3', '3']);

    stage.documents = fleetAndApplication() + strategy({ more: '  concurrentRollouts: reject' });
    const last = await stage.rollOut('web', await stage.commit('web', () => bundle('6')));
    await expect(stage.rollOut('web', await stage.commit('web', () => bundle('7')))).rejects.toMatchObject({
      code: 'RolloutInProgress',
    });
    expect(await stage.end(last.id)).toMatchObject({ state: 'Succeeded' });
  }, 240_000);

  it('more deletions than the limit wait for approval before anything is written', async () => {
    await begin();
    const many = Array.from({ length: 12 }, (_, index) => configMap(`map-${index}`, 'web', {}));
    await stage.release(() => [...many, ...bundle('1')]);
    const writes = await Promise.all(bed.clusters.map(objectWrites));
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('2')));
    await stage.until(id, ({ state, reason }) => state === 'Preflight' && reason === 'TooManyDeletions');
    expect(await stage.commands.explain(id)).toMatchObject({ blockers: [{ reason: 'TooManyDeletions' }] });
    await delay(1_000);
    expect(await Promise.all(bed.clusters.map(objectWrites))).toEqual(writes);
    await stage.commands.approveDeletions(id, {}, PERSON);
    expect(await stage.end(id)).toMatchObject({ state: 'Succeeded' });
    for (const objects of await everything()) {
      expect(Object.keys(objects).filter((key) => key.startsWith('ConfigMap/web/'))).toEqual([
        'ConfigMap/web/of-2',
        'ConfigMap/web/settings',
      ]);
    }
  }, 120_000);

  it('the emergency stop freezes what runs and what is started meanwhile', async () => {
    await begin();
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1', 'shop/web:delay-2s')));
    await stage.untilTarget(id, 'c0', ({ touched }) => touched);
    expect(await stage.commands.stopAll({ reason: 'fire' }, PERSON)).toMatchObject([{ inForce: true, unsettled: [] }]);
    const at = Date.now();
    const next = await stage.rollOut('web', await stage.commit('web', () => bundle('2')), { supersede: true });
    await delay(1_500);
    expect(await stage.commands.find(next.id)).toMatchObject({ paused: { mode: 'freeze', emergency: true } });
    expect((await Promise.all(bed.clusters.map(allWrites))).flat().filter((write) => write.at > at)).toEqual([]);
    await stage.commands.resumeAll({}, PERSON);
    expect(await stage.end(next.id)).toMatchObject({ state: 'Succeeded' });
    expect(await versions()).toEqual(['2', '2', '2', '2', '2', '2']);
  }, 120_000);
});
