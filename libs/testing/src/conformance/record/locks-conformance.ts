import type { RolloutId, Target } from '@breakwater/domain';
import type { RecordUnderTest } from './record-under-test.ts';
import { someRollout, someTarget, store } from './record-fixtures.ts';

const R1 = 'r1' as RolloutId;
const R2 = 'r2' as RolloutId;

export const describeLocksAndSlots = (subject: () => RecordUnderTest): void => {
  describe('locks', () => {
    it('one rollout holds an application on a cluster, whoever else wants it', async () => {
      const { record } = subject();
      const wanting = Array.from({ length: 10 }, (_, n) => `r${n}` as RolloutId);
      const answers = await Promise.all(
        wanting.map((id) => record.transaction((tx) => tx.acquireLock('shop', 'c1', id))),
      );
      expect(new Set(answers).size).toBe(1);
      const holder = answers[0]!;
      await record.transaction(async (tx) => {
        expect(await tx.acquireLock('shop', 'c1', holder)).toBe(holder);
        expect(await tx.acquireLock('bank', 'c1', 'free' as RolloutId)).toBe('free');
        await tx.releaseLock('shop', 'c1', 'somebody else' as RolloutId);
        expect(await tx.acquireLock('shop', 'c1', 'somebody else' as RolloutId)).toBe(holder);
        await tx.releaseLock('shop', 'c1', holder);
        expect(await tx.acquireLock('shop', 'c1', 'somebody else' as RolloutId)).toBe('somebody else');
      });
      expect((await record.cluster.application('shop', 'c1'))?.blockedBy).toBe('somebody else');
    });

    it('a rollout takes all of its free clusters, and counts the others', async () => {
      const { record } = subject();
      await store(record, someRollout('r1', { sequence: 1 }), [someTarget('r1', 'a')]);
      await store(record, someRollout('r2', { sequence: 2 }), [
        someTarget('r2', 'a'),
        someTarget('r2', 'b', { position: 1 }),
        someTarget('r2', 'c', { position: 2 }),
      ]);
      await record.transaction(async (tx) => {
        expect(await tx.acquireLocks('shop', R1)).toBe(0);
        expect(await tx.acquireLocks('shop', R2)).toBe(1);
        await tx.releaseLocks(R1);
        expect(await tx.acquireLocks('shop', R2)).toBe(0);
      });
    });

    it('a rollout that ends keeps the locks of clusters that it owes something', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'a'),
        someTarget('r1', 'b', { position: 1, owes: 'back' }),
        someTarget('r1', 'c', { position: 2 }),
      ]);
      await record.transaction(async (tx) => {
        await tx.acquireLocks('shop', R1);
        await tx.releaseLocks(R1);
        expect(await tx.acquireLock('shop', 'a', R2)).toBe(R2);
        expect(await tx.acquireLock('shop', 'b', R2)).toBe(R1);
        expect(await tx.acquireLock('shop', 'c', R2)).toBe(R2);
      });
    });
  });

  describe('slots of a failure domain', () => {
    it('are never more than its maximum, with many rollouts at the same time', async () => {
      const { record } = subject();
      const take = (n: number) => record.transaction((tx) => tx.takeDomainSlot('eu-1', 3, `r${n}` as RolloutId, 'c'));
      const taken = await Promise.all(Array.from({ length: 16 }, (_, n) => take(n)));
      expect(taken.filter((got) => got)).toHaveLength(3);
      const winners = taken.flatMap((got, n) => (got ? [n] : []));
      expect(await take(winners[0]!)).toBe(true);
      await record.transaction((tx) => tx.freeDomainSlots(`r${winners[0]}` as RolloutId));
      await record.transaction((tx) => tx.freeDomainSlot(`r${winners[1]}` as RolloutId, 'c'));
      const again = await Promise.all(Array.from({ length: 5 }, (_, n) => take(100 + n)));
      expect(again.filter((got) => got)).toHaveLength(2);
    });

    it('of one domain do not count in another, and a smaller maximum counts those that are held', async () => {
      const { record } = subject();
      await record.transaction(async (tx) => {
        expect(await tx.takeDomainSlot('eu-1', 2, R1, 'a')).toBe(true);
        expect(await tx.takeDomainSlot('eu-1', 2, R1, 'b')).toBe(true);
        expect(await tx.takeDomainSlot('us-1', 1, R1, 'c')).toBe(true);
        await tx.freeDomainSlot(R1, 'a');
        expect(await tx.takeDomainSlot('eu-1', 1, R2, 'd')).toBe(false);
        expect(await tx.takeDomainSlot('eu-1', 2, R2, 'd')).toBe(true);
      });
    });

    it('are known by who has taken them', async () => {
      const { record } = subject();
      await record.transaction(async (tx) => {
        await tx.takeDomainSlot('eu-1', 2, R2, 'b');
        await tx.takeDomainSlot('eu-1', 2, R1, 'a');
        await tx.takeDomainSlot('us-1', 1, R1, 'c');
        await tx.takeDomainSlot('us-2', 1, R1, 'd');
      });
      expect(await record.rollouts.slotsIn(['us-1', 'eu-1', 'nowhere'])).toEqual([
        { domain: 'eu-1', rollout: R1, cluster: 'a' },
        { domain: 'eu-1', rollout: R2, cluster: 'b' },
        { domain: 'us-1', rollout: R1, cluster: 'c' },
      ]);
      expect(await record.rollouts.slotsIn([])).toEqual([]);
    });
  });

  describe('the room on a cluster', () => {
    it('is what targets in flight of any rollout leave of it, and the rest is not startable', async () => {
      const { record } = subject();
      const other = someRollout('r2', { application: 'other' });
      await store(record, someRollout('r1'), [someTarget('r1', 'a'), someTarget('r1', 'b')]);
      await store(record, other, [someTarget('r2', 'a', { state: 'Verifying' }), someTarget('r2', 'b')]);
      await record.transaction(async (tx) => {
        expect([await tx.hasRoomOn('a', 1), await tx.hasRoomOn('a', 2), await tx.hasRoomOn('b', 1)]).toEqual([
          false,
          true,
          true,
        ]);
        const query = { rollout: R1, wave: 0, maxInFlight: null, exceptRegions: [] };
        const startable = async (maxOnCluster: number | null) =>
          (await tx.startableTargets({ ...query, maxOnCluster }, 10)).map(({ cluster }) => cluster);
        expect([await startable(1), await startable(2), await startable(null)]).toEqual([
          ['b'],
          ['a', 'b'],
          ['a', 'b'],
        ]);
      });
    });

    it('is not taken by what a rollout has left in flight at its end, unless it is owed something', async () => {
      const { record } = subject();
      const ended = (id: string, state: 'Aborted' | 'RolledBack') =>
        someRollout(id, { application: id, state, finishedAt: 2 });
      await store(record, someRollout('r1'), [someTarget('r1', 'a'), someTarget('r1', 'b')]);
      await store(record, ended('r2', 'Aborted'), [someTarget('r2', 'a', { state: 'Verifying' })]);
      await store(record, ended('r3', 'RolledBack'), [someTarget('r3', 'b', { state: 'RollingBack', owes: 'back' })]);
      await record.transaction(async (tx) => {
        expect([await tx.hasRoomOn('a', 1), await tx.hasRoomOn('b', 1)]).toEqual([true, false]);
        const query = { rollout: R1, wave: 0, maxInFlight: null, maxOnCluster: 1, exceptRegions: [] };
        expect((await tx.startableTargets(query, 10)).map(({ cluster }) => cluster)).toEqual(['a']);
      });
    });

    it('is not given away twice', async () => {
      const { record } = subject();
      const ids = Array.from({ length: 6 }, (_, n) => `r${n}` as RolloutId);
      for (const id of ids) await store(record, someRollout(id, { application: id }), [someTarget(id, 'a')]);
      const start = (id: RolloutId) =>
        record.transaction(async (tx) => {
          const free = await tx.hasRoomOn('a', 2);
          if (free) await tx.saveTarget(someTarget(id, 'a', { state: 'Applying' }));
          return free;
        });
      expect((await Promise.all(ids.map(start))).filter(Boolean)).toHaveLength(2);
    });
  });

  describe('epochs and revisions of a cluster', () => {
    it('an epoch is above every one before, and above the one that was asked for', async () => {
      const { record } = subject();
      const next = (atLeast: number) => record.transaction((tx) => tx.nextEpoch('shop', 'c1', atLeast));
      expect([await next(0), await next(0), await next(10), await next(3)]).toEqual([1, 2, 11, 12]);
      const given = await Promise.all(Array.from({ length: 8 }, () => next(0)));
      expect(new Set(given).size).toBe(8);
      expect(Math.min(...given)).toBe(13);
    });

    it('last good moves for succeeded targets that are not degraded', async () => {
      const { record } = subject();
      const good = someTarget('r1', 'good', { state: 'Succeeded' });
      await store(record, someRollout('r1', { state: 'Incomplete' }), [
        good,
        someTarget('r1', 'ill', { state: 'Succeeded', degraded: true, position: 1 }),
        someTarget('r1', 'failed', { state: 'Failed', position: 2 }),
      ]);
      const before = { commit: 'c1', digest: 'd1' };
      await record.transaction(async (tx) => {
        await tx.setLastGood('shop', 'good', before);
        await tx.setLastGood('shop', 'ill', before);
        expect(await tx.promoteLastGood(R1)).toBe(1);
        expect(await tx.lastGood('shop', 'good')).toEqual(good.revision);
        expect(await tx.lastGood('shop', 'ill')).toEqual(before);
        expect(await tx.lastGood('shop', 'failed')).toBeNull();
        await tx.setLastGood('shop', 'ill', null);
        expect(await tx.lastGood('shop', 'ill')).toBeNull();
        await tx.setProven('shop', good.revision);
      });
      expect(await record.cluster.proven('shop')).toEqual(good.revision);
      expect(await record.cluster.proven('bank')).toBeNull();
    });

    it('the newest rollout that owes a cluster something is its debtor, and an older one is again when that is settled', async () => {
      const { record } = subject();
      const old = someTarget('r1', 'c1', { owes: 'back', previous: { commit: 'c1', digest: 'd1' } });
      const young = someTarget('r2', 'c1', { owes: 'forward' });
      await store(record, someRollout('r1', { sequence: 1 }), [old]);
      await store(record, someRollout('r2', { sequence: 2 }), [young]);
      await store(record, someRollout('r9', { sequence: 9, application: 'bank' }), [
        someTarget('r9', 'c1', { owes: 'back' }),
      ]);
      const afterwards = async (...targets: readonly Target[]) => {
        await record.transaction(async (tx) => {
          for (const target of targets) await tx.saveTarget(target);
          await tx.followDebt('shop', 'c1');
        });
        return (await record.cluster.application('shop', 'c1'))?.owed;
      };
      expect(await afterwards({ ...young, owes: null })).toEqual({ revision: old.previous, rollout: R1 });
      expect(await afterwards(young)).toEqual({ revision: young.revision, rollout: R2 });
      expect(await afterwards({ ...old, owes: null })).toEqual({ revision: young.revision, rollout: R2 });
      expect(await afterwards({ ...young, owes: 'back' })).toEqual({ revision: null, rollout: R2 });
      expect(await afterwards({ ...young, owes: null })).toBeNull();
    });

    it('a debt that is settled while a newer one is made does not take that one with it', async () => {
      const { record, pass } = subject();
      const old = someTarget('r1', 'c1', { owes: 'back' });
      const young = someTarget('r2', 'c1');
      await store(record, someRollout('r1', { sequence: 1 }), [old]);
      await store(record, someRollout('r2', { sequence: 2 }), [young]);
      await record.transaction((tx) => tx.followDebt('shop', 'c1'));
      const made = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const making = record.transaction(async (tx) => {
        await tx.saveTarget({ ...young, owes: 'forward' });
        await tx.followDebt('shop', 'c1');
        made.resolve();
        await goOn.promise;
      });
      await made.promise;
      const settling = record.transaction(async (tx) => {
        await tx.saveTarget({ ...old, owes: null });
        await tx.followDebt('shop', 'c1');
      });
      // Time to reach the record while the newer debt is not yet visible.
      await pass(100);
      goOn.resolve();
      await Promise.all([making, settling]);
      expect((await record.cluster.application('shop', 'c1'))?.owed).toEqual({ revision: young.revision, rollout: R2 });
    });

    it('what was there before the first write is kept as it was seen first, and in order', async () => {
      const { record } = subject();
      const image = (key: string, text: string) => ({ key, object: { kind: 'X', data: text } }) as never;
      await record.transaction(async (tx) => {
        await tx.setBaseline(R1, 'c1', { 'apps/Deployment/shop/web': true } as never);
        await tx.addBeforeImages(R1, 'c1', [image('b', 'first'), image('a', 'first')]);
      });
      await record.transaction(async (tx) => {
        await tx.setBaseline(R1, 'c1', {});
        await tx.addBeforeImages(R1, 'c1', [image('b', 'second'), image('c', 'second')]);
      });
      expect(await record.rollouts.baseline(R1, 'c1')).toEqual({ 'apps/Deployment/shop/web': true });
      expect(await record.rollouts.baseline(R1, 'c2')).toEqual({});
      expect(await record.rollouts.beforeImages(R1, 'c1')).toEqual([
        image('b', 'first'),
        image('a', 'first'),
        image('c', 'second'),
      ]);
    });
  });
};
