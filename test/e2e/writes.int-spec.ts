import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { allWrites, objectWrites } from '../support/live-objects.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const ALL_AT_ONCE = `
    - { name: all, clusters: { all: true }, maxConcurrent: 100% }`;

/** How many pauses the random test makes; 200 for the long form. */
const PAUSES = Number(process.env['BREAKWATER_PAUSES'] ?? '40');

const manyMaps = (count: number, version: string) =>
  Array.from({ length: count }, (_, index) => configMap(`map-${index}`, 'web', { version }));

describeWithTestbed('what the audit logs of six clusters show', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  const begin = async (more: Partial<ConstructorParameters<typeof RolloutStage>[0]> = {}): Promise<void> => {
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: { c0: { role: 'canary' }, c1: { role: 'second' }, c2: { role: 'second' } },
      documents: fleetAndApplication() + strategy(),
      ...more,
    });
    await stage.start();
  };

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 6, label: 'e2e writes' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 180_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  it('no write reaches a cluster of a later wave before the earlier wave has passed', async () => {
    await begin();
    const rollout = await stage.release(() => [
      configMap('a', 'web', {}),
      deployment('web', 'web', 'shop/web:delay-2s'),
    ]);
    expect(rollout.state).toBe('Succeeded');
    for (const target of await stage.targets(rollout.id)) {
      const writes = await allWrites(stage.cluster(target.cluster));
      expect(writes.length).toBeGreaterThan(0);
      const before = rollout.waves[target.wave - 1];
      if (before === undefined) continue;
      for (const write of writes) expect(write.at).toBeGreaterThanOrEqual(before.finishedAt!);
    }
  }, 120_000);

  it('a second, identical rollout writes no object of the application; a commit that changes one of twenty writes one', async () => {
    await begin();
    const twenty = (changed: string) => [
      ...manyMaps(18, '1'),
      configMap('changing', 'web', { value: changed }),
      deployment('web', 'web', 'shop/web:1'),
    ];
    expect((await stage.release(() => twenty('one'))).state).toBe('Succeeded');
    const first = await Promise.all(bed.clusters.map(objectWrites));
    expect(first.map((writes) => writes.length)).toEqual(bed.clusters.map(() => 21));

    expect(await stage.release(() => twenty('one'))).toMatchObject({ state: 'Succeeded' });
    const second = await Promise.all(bed.clusters.map(objectWrites));
    expect(second).toEqual(first);

    expect((await stage.release(() => twenty('two'))).state).toBe('Succeeded');
    const third = await Promise.all(bed.clusters.map(objectWrites));
    for (const [index, writes] of third.entries()) {
      expect(writes.slice(first[index]!.length).map(({ text }) => text)).toEqual(['patch configmaps/web/changing 200']);
    }
  }, 180_000);

  it('a freeze is in force within two seconds while 200 objects are applied and one server hangs, which is named', async () => {
    // All wait for each other and then take their time, so that the freeze finds each in the middle.
    let slow = true;
    let sent: number[] = [];
    let everywhere = Promise.withResolvers<void>();
    const ways = await Promise.all(
      bed.clusters.map((cluster, index) =>
        cluster.intercept(async ({ isWrite }) => {
          if (!isWrite || !slow) return 'forward' as const;
          sent[index] = (sent[index] ?? 0) + 1;
          if (bed.clusters.every((_, each) => (sent[each] ?? 0) > 10)) everywhere.resolve();
          if (sent[index] > 10) await everywhere.promise;
          await delay(50);
          return 'forward' as const;
        }),
      ),
    );
    const kubeconfigs = Object.fromEntries(ways.map((way, index) => [`c${index}`, way.kubeconfig]));
    await begin({ kubeconfigs, documents: fleetAndApplication() + strategy({ waves: ALL_AT_ONCE }) });
    const hung = stage.cluster('c5');
    const freezeAndResume = async (version: string) => {
      slow = true;
      sent = [];
      everywhere = Promise.withResolvers<void>();
      const commit = await stage.commit('web', () => manyMaps(200, version));
      const began = Date.now();
      const { id } = await stage.rollOut('web', commit);
      await everywhere.promise;
      await hung.freeze();
      const asked = Date.now();
      const result = await stage.commands.pause(id, { reason: 'stop' }, PERSON);
      const acknowledged = Date.now();
      expect(result).toMatchObject({ rollout: { paused: { mode: 'freeze' } } });
      await delay(1_500);
      const settled = stage.names.filter((name) => name !== 'c5' && !result.unsettled.includes(name));
      let inTheMiddle = settled.length > 0;
      for (const name of settled) {
        const writes = (await allWrites(stage.cluster(name))).filter((write) => write.at >= began);
        expect(writes.filter((write) => write.at > acknowledged)).toEqual([]);
        inTheMiddle &&= writes.length > 3 && writes.length < 200;
      }
      slow = false;
      await hung.thaw();
      await stage.commands.resume(id, {}, PERSON);
      expect(await stage.end(id, 240_000)).toMatchObject({ state: 'Succeeded' });
      const { inForce, unsettled } = result;
      return { inForce, unsettled, inTheMiddle, isFast: acknowledged - asked < 2_000 };
    };

    const wanted = { inForce: true, unsettled: ['c5'], inTheMiddle: true, isFast: true };
    let found: unknown;
    // On a busy machine another server may hang as well, for a moment; what is wrong shows in every try.
    for (let version = 1; version <= 3 && !isDeepStrictEqual(found, wanted); version += 1) {
      found = await freezeAndResume(`${version}`);
    }
    expect(found).toEqual(wanted);
    for (const cluster of bed.clusters) {
      const { items } = await cluster.get<{ items: unknown[] }>(
        '/api/v1/namespaces/web/configmaps?labelSelector=breakwater.dev/application=web',
      );
      expect(items).toHaveLength(200);
    }
  }, 900_000);

  it(`no write is received after any of ${PAUSES} acknowledged freezes at random times, over slow lines`, async () => {
    // Requests take their time on the way there: what has left a worker may be received much later.
    let slow = true;
    let seen = Promise.withResolvers<void>();
    const ways = await Promise.all(
      bed.clusters.map((cluster) =>
        cluster.intercept(async ({ isWrite }) => {
          if (isWrite) seen.resolve();
          if (slow) await delay(Math.random() * 60);
          return 'forward' as const;
        }),
      ),
    );
    const kubeconfigs = Object.fromEntries(ways.map((way, index) => [`c${index}`, way.kubeconfig]));
    await begin({ kubeconfigs, documents: fleetAndApplication() + strategy({ waves: ALL_AT_ONCE }) });
    const frozen: { readonly from: number; readonly until: number; readonly underWay: boolean }[] = [];
    let version = 0;
    let running: string | null = null;
    while (frozen.length < PAUSES) {
      if (running === null || (await stage.record.rollouts.get(running as never))?.finishedAt != null) {
        version += 1;
        running = (await stage.rollOut('web', await stage.commit('web', () => manyMaps(25, `${version}`)))).id;
      }
      // Some time in or after the first writes of this stretch; without any, it goes on to the next pause all the same.
      await Promise.race([seen.promise, delay(3_000)]);
      await delay(Math.random() * 300);
      let acknowledgedAt: number;
      try {
        const result = await stage.commands.pause(running, {}, PERSON);
        acknowledgedAt = Date.now();
        expect(result).toMatchObject({ inForce: true, unsettled: [] });
      } catch (error) {
        // The rollout had ended meanwhile.
        expect(error).toMatchObject({ code: 'StateForbids' });
        continue;
      }
      const underWay = (await stage.targets(running as never)).some(({ state }) => state === 'Applying');
      await delay(200);
      frozen.push({ from: acknowledgedAt, until: Date.now(), underWay });
      seen = Promise.withResolvers<void>();
      await stage.commands.resume(running, {}, PERSON);
    }
    slow = false;
    expect((await stage.end(running as never, 60_000)).state).toBe('Succeeded');
    const writes = (await Promise.all(bed.clusters.map(allWrites))).flat();
    const inFrozen = writes.filter(({ at }) => frozen.some(({ from, until }) => at > from && at < until));
    expect(inFrozen).toEqual([]);
    // Worth something only where the freezes came while writing was under way.
    expect(frozen.filter(({ underWay }) => underWay).length).toBeGreaterThan(PAUSES / 2);
  }, 600_000);
});
