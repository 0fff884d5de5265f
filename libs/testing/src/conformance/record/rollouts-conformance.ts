import type { RolloutId } from '@breakwater/domain';
import type { RecordUnderTest } from './record-under-test.ts';
import { gated, saved, SHORT, someRollout, someTarget, store } from './record-fixtures.ts';

const R1 = 'r1' as RolloutId;

export const describeRollouts = (subject: () => RecordUnderTest): void => {
  describe('rollouts and targets', () => {
    it('come back as they were stored, hostile text too', async () => {
      const { record } = subject();
      const rollout = someRollout('r1');
      const target = someTarget('r1', 'c1', { dueAt: 17, evidence: { object: null, text: 'a \u0000 b' } });
      await store(record, rollout, [], 5);
      await record.transaction((tx) => tx.insertTargets([someTarget('r1', 'c2', { position: 1 })]));
      await record.transaction((tx) => tx.insertTargets([{ ...target, placement: 'first' }]));
      await record.transaction((tx) => tx.saveTarget(target));
      expect(await record.rollouts.get(R1)).toEqual(rollout);
      expect(await record.rollouts.target(R1, 'c1')).toEqual(target);
      expect(await record.rollouts.get('nobody' as RolloutId)).toBeNull();
      expect(await record.rollouts.target(R1, 'nobody')).toBeNull();
    });

    it('refuses to save what was never inserted, and to insert twice', async () => {
      const { record } = subject();
      await expect(saved(record, someRollout('r1'))).rejects.toThrow();
      await store(record, someRollout('r1'));
      await expect(store(record, someRollout('r1'))).rejects.toThrow();
      await expect(record.transaction((tx) => tx.saveTarget(someTarget('r1', 'c1')))).rejects.toThrow();
    });

    it('a transaction that throws leaves nothing', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [someTarget('r1', 'c1')]);
      const broken = record.transaction(async (tx) => {
        await tx.saveRollout(someRollout('r1', { state: 'Halted' }), 9);
        await tx.saveTarget(someTarget('r1', 'c1', { state: 'Failed' }));
        await tx.acquireLock('shop', 'c1', R1);
        await tx.takeDomainSlot('eu', 1, R1, 'c1');
        await tx.nextEpoch('shop', 'c1', 7);
        await tx.audit({ type: 't', actor: 'a', reason: 'r', message: 'm' });
        throw new Error('on purpose');
      });
      await expect(broken).rejects.toThrow('on purpose');
      expect((await record.rollouts.get(R1))?.state).toBe('Progressing');
      expect((await record.rollouts.target(R1, 'c1'))?.state).toBe('Pending');
      expect(await record.cluster.application('shop', 'c1')).toBeNull();
      expect(await record.audit.seal(10)).toBe(0);
      await record.transaction(async (tx) => {
        expect(await tx.acquireLock('shop', 'c1', 'r2' as RolloutId)).toBe('r2');
        expect(await tx.takeDomainSlot('eu', 1, 'r2' as RolloutId, 'c1')).toBe(true);
      });
    });

    it('two that lock one rollout run one after the other', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'));
      const counted = Array.from({ length: 20 }, () =>
        record.transaction(async (tx) => {
          const rollout = await tx.lockRollout(R1);
          if (rollout === null) throw new Error('no rollout');
          const [wave] = rollout.waves;
          const counts = { ...wave!.counts, inFlight: wave!.counts.inFlight + 1 };
          await tx.saveRollout({ ...rollout, waves: [{ ...wave!, counts }] }, null);
        }),
      );
      await Promise.all(counted);
      expect((await record.rollouts.get(R1))?.waves[0]?.counts.inFlight).toBe(20);
    });

    it('lists newest first, page by page, and refuses cursors that it did not give', async () => {
      const { record } = subject();
      for (let n = 1; n <= 5; n += 1) {
        await store(record, someRollout(`r${n}`, { sequence: n, state: n === 3 ? 'Succeeded' : 'Progressing' }));
      }
      const first = await record.rollouts.list({ application: 'shop', limit: 2 });
      const second = await record.rollouts.list({ application: 'shop', limit: 2, cursor: first.nextCursor });
      const third = await record.rollouts.list({ application: 'shop', limit: 2, cursor: second.nextCursor });
      expect([first, second, third].map(({ items }) => items.map(({ id }) => id))).toEqual([
        ['r5', 'r4'],
        ['r3', 'r2'],
        ['r1'],
      ]);
      expect(third.nextCursor).toBeNull();
      const unfinished = await record.rollouts.list({ unfinished: true, limit: 10 });
      expect(unfinished.items.map(({ id }) => id)).toEqual(['r5', 'r4', 'r2', 'r1']);
      expect((await record.rollouts.newestOf('shop'))?.id).toBe('r5');
      expect(await record.rollouts.newestOf('nothing')).toBeNull();
      await expect(record.rollouts.list({ limit: 2, cursor: "1' or 1=1" })).rejects.toThrow('cursor');
    });

    it('knows the unfinished rollouts of an application, and the one that was started last', async () => {
      const { record } = subject();
      await store(record, someRollout('old', { sequence: 1, state: 'Succeeded' }));
      await store(record, someRollout('second', { sequence: 2, state: 'Superseded', startedAt: null }));
      await store(record, someRollout('queued', { sequence: 3, state: 'Queued', startedAt: null }));
      await store(record, someRollout('aborted', { sequence: 4, state: 'Aborted', startedAt: null }));
      await store(record, someRollout('other', { sequence: 1, application: 'bank' }));
      await record.transaction(async (tx) => {
        expect(await tx.unfinishedRollouts('shop')).toEqual([{ id: 'queued', state: 'Queued' }]);
        expect(await tx.newestStarted('shop')).toBe('old');
        expect(await tx.newestStarted('nothing')).toBeNull();
        const inherited = someRollout('heir', { sequence: 5, state: 'Aborted', startedAt: null });
        const [wave] = inherited.waves;
        const waves = [{ ...wave!, counts: { ...wave!.counts, toReturn: 1 } }];
        await tx.insertRollout({ ...inherited, waves }, null);
        expect(await tx.newestStarted('shop')).toBe('heir');
      });
    });

    it('gives out each sequence once, also to many at the same time', async () => {
      const { record } = subject();
      const next = () => record.transaction((tx) => tx.nextSequence('shop'));
      const given = await Promise.all(Array.from({ length: 12 }, next));
      expect([...given].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    });

    it('finds targets to start, to return and in a state, in the order of the plan', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'd', { wave: 1, position: 0, touched: true, state: 'Succeeded', region: 'us' }),
        someTarget('r1', 'b', { wave: 0, position: 1 }),
        someTarget('r1', 'a', { wave: 0, position: 0 }),
        someTarget('r1', 'c', { wave: 0, position: 2, touched: true, state: 'Failed' }),
        someTarget('r1', 'e', { wave: 1, position: 1, touched: true, state: 'RolledBack' }),
        someTarget('r1', 'f', { wave: 1, position: 2, touched: true, state: 'RollbackFailed' }),
        someTarget('r1', 'g', { wave: 1, position: 3, state: 'Failed' }),
      ]);
      const names = (targets: readonly { readonly cluster: string }[]) =>
        targets.map(({ cluster }) => cluster).join('');
      await record.transaction(async (tx) => {
        expect(
          names(
            await tx.startableTargets(
              { rollout: R1, wave: 0, maxInFlight: null, maxOnCluster: null, exceptRegions: [] },
              10,
            ),
          ),
        ).toBe('ab');
        expect(
          names(
            await tx.startableTargets(
              { rollout: R1, wave: 0, maxInFlight: null, maxOnCluster: null, exceptRegions: [] },
              1,
            ),
          ),
        ).toBe('a');
        expect(names(await tx.targetsToReturn(R1, { wave: null, only: 'all', clusters: null }, 10))).toBe('cd');
        expect(names(await tx.targetsToReturn(R1, { wave: 1, only: 'all', clusters: null }, 10))).toBe('d');
        expect(names(await tx.targetsToReturn(R1, { wave: null, only: 'failed', clusters: null }, 10))).toBe('c');
        expect(names(await tx.targetsToReturn(R1, { wave: null, only: 'all', clusters: ['d', 'a'] }, 10))).toBe('d');
        expect(names(await tx.targetsToReturn(R1, { wave: null, only: 'all', clusters: null, region: 'us' }, 10))).toBe(
          'd',
        );
        const except = (...exceptDomains: string[]) =>
          tx.targetsToReturn(R1, { wave: null, only: 'all', clusters: null, exceptDomains }, 10);
        expect([names(await except('eu-1')), names(await except('eu-2')), names(await except())]).toEqual([
          '',
          'cd',
          'cd',
        ]);
        expect(names(await tx.targetsToReturn(R1, { wave: null, only: 'all', clusters: null }, 1))).toBe('c');
        expect(names(await tx.targetsInState(R1, ['Failed', 'RolledBack'], 10))).toBe('ceg');
      });
      const first = await record.rollouts.targets(R1, { limit: 4 });
      const rest = await record.rollouts.targets(R1, { limit: 4, cursor: first.nextCursor });
      expect([names(first.items), names(rest.items), rest.nextCursor]).toEqual(['abcd', 'efg', null]);
      expect(names((await record.rollouts.targets(R1, { states: ['Failed'], wave: 1, limit: 9 })).items)).toBe('g');
    });

    it('finds to start only what has room in its failure domain, in the order of the plan', async () => {
      const { record } = subject();
      const place = (cluster: string, position: number, failureDomain: string) =>
        someTarget('r1', cluster, { position, failureDomain });
      await store(record, someRollout('r1'), [
        place('a', 0, 'full'),
        place('b', 1, 'one-free'),
        place('c', 2, 'free'),
        place('d', 3, 'one-free'),
        place('e', 4, 'free'),
        place('f', 5, 'free'),
        someTarget('r1', 'g', { position: 6, failureDomain: 'free', state: 'Applying' }),
        someTarget('r1', 'h', { wave: 1, failureDomain: 'free' }),
      ]);
      await record.transaction(async (tx) => {
        await tx.takeDomainSlot('full', 2, R1, 'x');
        await tx.takeDomainSlot('full', 2, 'other' as RolloutId, 'x');
        await tx.takeDomainSlot('one-free', 2, 'other' as RolloutId, 'y');
        const startable = async (maxInFlight: number | null, limit: number) =>
          (
            await tx.startableTargets(
              { rollout: R1, wave: 0, maxInFlight, maxOnCluster: null, exceptRegions: [] },
              limit,
            )
          )
            .map(({ cluster }) => cluster)
            .join('');
        expect(await startable(2, 10)).toBe('bce');
        expect(await startable(2, 2)).toBe('bc');
        expect(await startable(1, 10)).toBe('c');
        expect(await startable(3, 10)).toBe('abcdef');
        expect(await startable(null, 10)).toBe('abcdef');
        expect(
          await tx.startableTargets(
            { rollout: R1, wave: 2, maxInFlight: 2, maxOnCluster: null, exceptRegions: [] },
            10,
          ),
        ).toEqual([]);
      });
    });

    it('finds to start no cluster that another rollout holds, unless it does not answer', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'ours'),
        someTarget('r1', 'busy', { position: 1 }),
        someTarget('r1', 'away', { position: 2 }),
        someTarget('r1', 'free', { position: 3 }),
      ]);
      await record.cluster.observe('busy', { kind: 'Seen', uid: 'u1', version: '1' });
      await record.cluster.observe('away', { kind: 'Unreachable', reason: 'Timeout', message: '' });
      await record.transaction(async (tx) => {
        await tx.acquireLock('shop', 'ours', R1);
        for (const cluster of ['busy', 'away']) await tx.acquireLock('shop', cluster, 'other' as RolloutId);
        await tx.acquireLock('bank', 'free', 'other' as RolloutId);
        for (const maxInFlight of [null, 9]) {
          const found = await tx.startableTargets(
            { rollout: R1, wave: 0, maxInFlight, maxOnCluster: null, exceptRegions: [] },
            10,
          );
          expect(found.map(({ cluster }) => cluster)).toEqual(['ours', 'away', 'free']);
        }
      });
    });

    it('finds targets that are owed something', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'a', { position: 1, owes: 'back' }),
        someTarget('r1', 'b'),
        someTarget('r1', 'c', { position: 2, owes: 'forward' }),
      ]);
      const owing = await record.transaction((tx) => tx.owingTargets(R1));
      expect(owing.map(({ cluster }) => cluster)).toEqual(['a', 'c']);
    });

    it('leaves what is in flight where it is, with a reason', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'a', { state: 'Applying', dueAt: 4 }),
        someTarget('r1', 'b', { state: 'Succeeded', position: 1, dueAt: 4 }),
      ]);
      await record.transaction((tx) => tx.leaveTargets(R1, 'Partial', 'aborted'));
      const left = await record.rollouts.target(R1, 'a');
      expect(left).toMatchObject({ state: 'Applying', reason: 'Partial', message: 'aborted', dueAt: null });
      expect(await record.rollouts.target(R1, 'b')).toMatchObject({ reason: '', dueAt: 4 });
    });
  });

  describe('due times', () => {
    it('claims due rollouts oldest first, and each once while its lease lasts', async () => {
      const { record, pass } = subject();
      const now = await record.now();
      await store(record, someRollout('later', { sequence: 1 }), [], now + 3_600_000);
      await store(record, someRollout('second', { sequence: 2 }), [], now - 10);
      await store(record, someRollout('first', { sequence: 3 }), [], now - 20);
      await store(record, someRollout('never', { sequence: 4 }), [], null);
      expect(await record.rollouts.claimDueRollouts(1, SHORT)).toEqual(['first']);
      const claimed = await Promise.all(Array.from({ length: 6 }, () => record.rollouts.claimDueRollouts(5, SHORT)));
      expect(claimed.flat()).toEqual(['second']);
      await pass(SHORT + 200);
      expect([...(await record.rollouts.claimDueRollouts(5, 60_000))].sort()).toEqual(['first', 'second']);
    });

    it('never claims a rollout from under somebody who decides on it', async () => {
      const { record } = subject();
      const now = await record.now();
      await store(record, someRollout('r1'), [], now - 10);
      const locked = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const deciding = record.transaction(async (tx) => {
        await tx.lockRollout(R1);
        locked.resolve();
        await goOn.promise;
        await tx.saveRollout(someRollout('r1'), null);
      });
      await locked.promise;
      const claimed = record.rollouts.claimDueRollouts(5, 1_000);
      goOn.resolve();
      await deciding;
      expect(await claimed).toEqual([]);
    });

    it('wakes another rollout no later than asked, and never makes it later', async () => {
      const { record } = subject();
      await store(record, someRollout('r1'), [], null);
      await record.transaction((tx) => tx.dueRollout(R1, 500));
      expect(await record.rollouts.nextDue()).toBe(500);
      await record.transaction((tx) => tx.dueRollout(R1, 900));
      expect(await record.rollouts.nextDue()).toBe(500);
      await record.transaction((tx) => tx.dueRollout(R1, 100));
      expect(await record.rollouts.nextDue()).toBe(100);
    });

    it('finds due targets that nobody has claimed, and sets many due at once', async () => {
      const { record } = subject();
      const now = await record.now();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'a', { state: 'Applying', dueAt: now - 20 }),
        someTarget('r1', 'b', { state: 'Applying', dueAt: now - 30, position: 1 }),
        someTarget('r1', 'c', { state: 'Verifying', dueAt: now + 3_600_000, position: 2 }),
        someTarget('r1', 'd', { state: 'Succeeded', position: 3 }),
      ]);
      expect((await record.rollouts.dueTargets(5)).map(({ cluster }) => cluster)).toEqual(['b', 'a']);
      expect(await record.claims.claim(R1, 'b', 'w', 't', 60_000)).toBe(true);
      expect((await record.rollouts.dueTargets(5)).map(({ cluster }) => cluster)).toEqual(['a']);
      await record.transaction((tx) => tx.dueTargets(R1, ['Verifying'], now - 1));
      expect((await record.rollouts.dueTargets(5)).map(({ cluster }) => cluster)).toEqual(['a', 'c']);
      expect((await record.rollouts.target(R1, 'c'))?.dueAt).toBe(now - 1);
      await record.transaction((tx) => tx.dueTargets(R1, ['Applying', 'Verifying'], null));
      expect(await record.rollouts.dueTargets(5)).toEqual([]);
      expect(await record.rollouts.nextDue()).toBeNull();
    });

    it('finds what a worker has abandoned or died over although it is not due, and not what was given back', async () => {
      const { record, pass } = subject();
      const now = await record.now();
      const later = now + 3_600_000;
      const names = ['abandoned', 'died', 'given-back', 'held', 'nothing-to-do', 'overdue'];
      const dueAt = { 'nothing-to-do': null, overdue: now - 20 } as Readonly<Record<string, number | null>>;
      await store(
        record,
        someRollout('r1'),
        names.map((name, position) =>
          someTarget('r1', name, {
            state: 'Verifying',
            dueAt: name in dueAt ? dueAt[name]! : later + position,
            position,
          }),
        ),
      );
      for (const name of names)
        await record.claims.claim(R1, name, 'w', name, name === 'died' || name === 'overdue' ? 1 : 60_000);
      await record.claims.release('given-back');
      for (const name of ['abandoned', 'nothing-to-do', 'nobody']) await record.claims.abandon(name);
      await pass(50);
      const due = async (limit: number) => (await record.rollouts.dueTargets(limit)).map(({ cluster }) => cluster);
      expect(await due(5)).toEqual(['overdue', 'abandoned', 'died']);
      expect(await due(1)).toEqual(['overdue']);
      expect(await record.claims.claim(R1, 'died', 'x', 'x', 60_000)).toBe(true);
      await record.claims.release('x');
      expect(await due(5)).toEqual(['overdue', 'abandoned']);
    });

    it('never makes due what was skipped and is owed nothing', async () => {
      const { record } = subject();
      const now = await record.now();
      await store(record, someRollout('r1'), [
        someTarget('r1', 'by-policy', { state: 'Skipped', owes: 'forward', unreachableSince: 1 }),
        someTarget('r1', 'by-person', { state: 'Skipped', skippedBy: 'mara', unreachableSince: 1, position: 1 }),
      ]);
      const due = async () => (await record.rollouts.dueTargets(5)).map(({ cluster }) => cluster);
      await record.transaction((tx) => tx.dueTargets(R1, ['Skipped'], now));
      expect(await due()).toEqual(['by-policy']);
      await record.transaction((tx) => tx.dueTargets(R1, ['Skipped'], null));
      expect(await due()).toEqual([]);
      for (const cluster of ['by-policy', 'by-person']) await record.rollouts.wakeCluster(cluster);
      expect(await due()).toEqual(['by-policy']);
    });

    it('wakes what waits for a cluster that is back, in every rollout', async () => {
      const { record } = subject();
      await store(record, someRollout('r1', { sequence: 1, state: 'RollbackFailed' }), [
        someTarget('r1', 'back', { state: 'RollingBack', owes: 'back' }),
      ]);
      await store(record, someRollout('r2', { sequence: 2 }), [
        someTarget('r2', 'back', { state: 'Unreachable', unreachableSince: 3 }),
        someTarget('r2', 'other', { state: 'Unreachable', unreachableSince: 3, position: 1 }),
      ]);
      await store(record, someRollout('r3', { sequence: 3 }), [someTarget('r3', 'back', { state: 'Succeeded' })]);
      await record.rollouts.wakeCluster('back');
      const woken = (await record.rollouts.dueTargets(5)).map(({ rollout, cluster }) => `${rollout}/${cluster}`);
      expect(woken.sort()).toEqual(['r1/back', 'r2/back']);
    });
  });

  describe('notifications', () => {
    it('a changed write gate is told after the commit, an unchanged one is not', async () => {
      const { record } = subject();
      const heard: string[] = [];
      const told = Promise.withResolvers<void>();
      const end = await record.listen('gate', (payload) => {
        heard.push(payload);
        if (payload === 'end') told.resolve();
      });
      const rollout = someRollout('r1');
      await store(record, rollout);
      await saved(record, { ...rollout, state: 'Halted' });
      await saved(record, gated(rollout, false, false));
      await expect(
        record.transaction(async (tx) => {
          await tx.saveRollout(gated(gated(rollout, true, true), true, true), null);
          throw new Error('on purpose');
        }),
      ).rejects.toThrow('on purpose');
      await record.transaction((tx) => tx.notify('gate', 'end'));
      await told.promise;
      await end();
      expect(heard).toEqual(['r1', 'end']);
    });
  });
};
