import { EMERGENCY, type PermitRequest, type RecordPort } from '@breakwater/application';
import type { Rollout, RolloutId } from '@breakwater/domain';
import type { RecordUnderTest } from './record-under-test.ts';
import { gated, saved, SHORT, someRollout, someTarget, store } from './record-fixtures.ts';

const R1 = 'r1' as RolloutId;
const LONG = 60_000;

const request = (permit: string, changes: Partial<PermitRequest> = {}): PermitRequest => ({
  permit,
  rollout: R1,
  cluster: 'c1',
  worker: 'w1',
  claim: 't1',
  direction: 'forward',
  ...changes,
});

const started = async (record: RecordPort, changes: Partial<Rollout> = {}): Promise<Rollout> => {
  const rollout = someRollout('r1', changes);
  await store(record, rollout, [someTarget('r1', 'c1'), someTarget('r1', 'c2', { position: 1 })]);
  await record.claims.claim(R1, 'c1', 'w1', 't1', LONG);
  await record.claims.claim(R1, 'c2', 'w1', 't2', LONG);
  return rollout;
};

/** An ended rollout that owes both of its clusters something. */
const owing = async (record: RecordPort): Promise<void> => {
  const rollout = await started(record);
  await record.transaction(async (tx) => {
    for (const position of [0, 1]) {
      await tx.saveTarget(someTarget('r1', `c${position + 1}`, { position, state: 'RollingBack', owes: 'back' }));
    }
  });
  await saved(record, { ...gated(rollout, false, false), state: 'RollbackFailed' });
};

export const describePermits = (subject: () => RecordUnderTest): void => {
  describe('claims', () => {
    it('are held by one, until they are released or run out', async () => {
      const { record, pass } = subject();
      const claims = Array.from({ length: 8 }, (_, n) => record.claims.claim(R1, 'c1', `w${n}`, `t${n}`, SHORT));
      const won = (await Promise.all(claims)).flatMap((got, n) => (got ? [n] : []));
      expect(won).toHaveLength(1);
      expect(await record.claims.claim(R1, 'c1', 'late', 'late', LONG)).toBe(false);
      await pass(SHORT + 200);
      expect(await record.claims.claim(R1, 'c1', 'late', 'late', LONG)).toBe(true);
      expect(await record.claims.renew(`w${won[0]}`, LONG)).toEqual([]);
      expect(await record.claims.renewOne(`t${won[0]}`, LONG)).toBe(false);
      await record.claims.release('late');
      expect(await record.claims.claim(R1, 'c1', 'next', 'next', LONG)).toBe(true);
    });

    it('are renewed all at once, or one, and abandoned all at once', async () => {
      const { record, pass } = subject();
      await record.claims.claim(R1, 'c1', 'w1', 't1', SHORT);
      await record.claims.claim(R1, 'c2', 'w1', 't2', SHORT);
      await record.claims.claim(R1, 'c3', 'w2', 't3', SHORT);
      expect([...(await record.claims.renew('w1', LONG))].sort()).toEqual(['t1', 't2']);
      expect(await record.claims.renewOne('t3', LONG)).toBe(true);
      await pass(SHORT + 200);
      for (const cluster of ['c1', 'c2', 'c3']) expect(await record.claims.claim(R1, cluster, 'x', 'x', 1)).toBe(false);
      await record.claims.abandonAll('w1');
      expect(await record.claims.claim(R1, 'c1', 'x', 'x1', 1)).toBe(true);
      expect(await record.claims.claim(R1, 'c3', 'x', 'x3', 1)).toBe(false);
    });
  });

  describe('write permits', () => {
    it('are granted in the directions in which the gate is open, to the claim that is current', async () => {
      const { record } = subject();
      const rollout = await started(record);
      expect(await record.permits.acquire(request('p1'), LONG)).toEqual({ generation: 1 });
      expect(await record.permits.acquire(request('p2', { claim: 'stale' }), LONG)).toBeNull();
      expect(await record.permits.acquire(request('p3', { cluster: 'nobody' }), LONG)).toBeNull();
      expect(await record.permits.acquire(request('p4', { direction: 'owed' }), LONG)).toBeNull();
      await saved(record, gated(rollout, false, true));
      expect(await record.permits.acquire(request('p5'), LONG)).toBeNull();
      expect(await record.permits.acquire(request('p6', { direction: 'backward' }), LONG)).toEqual({ generation: 2 });
      await saved(record, gated(gated(rollout, false, true), false, false));
      expect(await record.permits.acquire(request('p7', { direction: 'backward' }), LONG)).toBeNull();
    });

    it('for a debt: of a rollout that has ended, to a target that owes', async () => {
      const { record } = subject();
      const rollout = await started(record);
      await record.transaction((tx) => tx.saveTarget(someTarget('r1', 'c1', { state: 'RollingBack', owes: 'back' })));
      expect(await record.permits.acquire(request('p0', { direction: 'owed' }), LONG)).toBeNull();
      await saved(record, { ...gated(rollout, false, false), state: 'RollbackFailed' });
      expect(await record.permits.acquire(request('p1', { direction: 'owed' }), LONG)).toEqual({ generation: 2 });
      const other = request('p2', { direction: 'owed', cluster: 'c2', claim: 't2' });
      expect(await record.permits.acquire(other, LONG)).toBeNull();
      expect(await record.permits.renew('w1', LONG)).toEqual(['p1']);
      await record.transaction((tx) => tx.saveTarget(someTarget('r1', 'c1', { state: 'RolledBack' })));
      expect(await record.permits.renew('w1', LONG)).toEqual([]);
    });

    it('asked for again, because the answer was lost, are the same; refused then, none is left behind', async () => {
      const { record, pass } = subject();
      const rollout = await started(record);
      expect(await record.permits.acquire(request('p1'), SHORT)).toEqual({ generation: 1 });
      await pass(SHORT + 200);
      expect(await record.permits.acquire(request('p1'), LONG)).toEqual({ generation: 1 });
      expect(await record.permits.renew('w1', LONG)).toEqual(['p1']);
      expect(await record.permits.acquire(request('p1', { cluster: 'c2', claim: 't2' }), LONG)).toBeNull();
      expect(await record.permits.renew('w1', LONG)).toEqual(['p1']);
      await saved(record, gated(rollout, false, false));
      expect(await record.permits.acquire(request('p1'), LONG)).toBeNull();
      expect(await record.permits.outstanding(R1, 2)).toEqual([]);
      expect(await record.permits.unsettled(R1, 2)).toEqual([]);
    });

    it('given before the gate was closed and opened again are not given once more', async () => {
      const { record } = subject();
      const rollout = await started(record);
      await record.permits.acquire(request('p1'), LONG);
      await saved(record, gated(gated(rollout, false, false), true, true));
      expect(await record.permits.acquire(request('p1'), LONG)).toBeNull();
      expect(await record.permits.acquire(request('p2'), LONG)).toEqual({ generation: 3 });
    });

    it('for debts end when everything is stopped, and are given again when it may go on', async () => {
      const { record, pass } = subject();
      await owing(record);
      const debt = (permit: string, changes: Partial<PermitRequest> = {}) =>
        request(permit, { direction: 'owed', ...changes });
      expect(await record.permits.acquire(debt('p1'), LONG)).not.toBeNull();
      expect(await record.permits.acquire(debt('p2', { cluster: 'c2', claim: 't2' }), SHORT)).not.toBeNull();
      await record.access.setSetting(EMERGENCY, { by: 'mara' });
      expect(await record.permits.acquire(debt('p3'), LONG)).toBeNull();
      expect(await record.permits.renew('w1', LONG)).toEqual([]);
      const places = [
        { rollout: R1, cluster: 'c1' },
        { rollout: R1, cluster: 'c2' },
      ];
      expect(await record.permits.outstandingEverywhere()).toEqual(places);
      expect(await record.permits.unsettledDebts()).toEqual([]);
      await record.permits.release('p1', true);
      await pass(SHORT + 200);
      expect(await record.permits.outstandingEverywhere()).toEqual([]);
      expect(await record.permits.unsettledDebts()).toEqual(places);
      await record.transaction((tx) => tx.saveTarget(someTarget('r1', 'c1', { state: 'RolledBack' })));
      expect(await record.permits.unsettledDebts()).toEqual([places[1]]);
      await record.access.setSetting(EMERGENCY, null);
      expect(await record.permits.acquire(debt('p4', { cluster: 'c2', claim: 't2' }), LONG)).not.toBeNull();
    });

    it('never slip past a stop of everything: after it, each is outstanding or was refused', async () => {
      const { record } = subject();
      await owing(record);
      const asked = Array.from({ length: 40 }, (_, n) =>
        record.permits.acquire(request(`p${n}`, { direction: 'owed' }), LONG),
      );
      const outstanding = record.access
        .setSetting(EMERGENCY, { by: 'mara' })
        .then(() => record.permits.outstandingEverywhere());
      const granted = (await Promise.all(asked)).filter((grant) => grant !== null);
      expect(await outstanding).toHaveLength(granted.length);
    });

    it('of every rollout that is frozen are outstanding, those of one that goes on are not', async () => {
      const { record } = subject();
      const rollout = await started(record);
      const other = someRollout('r2', { sequence: 2 });
      await store(record, other, [someTarget('r2', 'c9')]);
      await record.claims.claim(other.id, 'c9', 'w2', 't9', LONG);
      await record.permits.acquire(request('p1'), LONG);
      await record.permits.acquire(request('p2', { cluster: 'c2', claim: 't2' }), LONG);
      await record.permits.acquire(
        request('p9', { rollout: other.id, cluster: 'c9', claim: 't9', worker: 'w2' }),
        LONG,
      );
      expect(await record.permits.outstandingEverywhere()).toEqual([]);
      await saved(record, gated(rollout, false, false));
      await record.permits.release('p2', false);
      expect(await record.permits.outstandingEverywhere()).toEqual([{ rollout: R1, cluster: 'c1' }]);
    });

    it('are renewed while nothing has changed, and not one moment longer', async () => {
      const { record, pass } = subject();
      const rollout = await started(record);
      await record.permits.acquire(request('p1'), SHORT);
      await record.permits.acquire(request('p2', { cluster: 'c2', claim: 't2' }), LONG);
      await record.permits.acquire(request('p3', { worker: 'w2' }), LONG);
      expect([...(await record.permits.renew('w1', SHORT))].sort()).toEqual(['p1', 'p2']);
      await pass(SHORT + 200);
      expect(await record.permits.renew('w1', LONG)).toEqual([]);
      expect(await record.permits.renew('w2', LONG)).toEqual(['p3']);
      await record.claims.release('t1');
      expect(await record.permits.renew('w2', LONG)).toEqual([]);
      await record.claims.claim(R1, 'c1', 'w2', 't9', LONG);
      await record.permits.acquire(request('p9', { worker: 'w2', claim: 't9' }), LONG);
      expect(await record.permits.renew('w2', LONG)).toEqual(['p9']);
      // Closed and open again: the same directions, another generation.
      await saved(record, gated(gated(rollout, false, false), true, true));
      expect(await record.permits.renew('w2', LONG)).toEqual([]);
    });

    it('of an older generation are outstanding until given back or run out, and unsettled when nobody answered', async () => {
      const { record, pass } = subject();
      const rollout = await started(record);
      await record.claims.claim(R1, 'c3', 'w3', 't3', LONG);
      await record.permits.acquire(request('given-back'), LONG);
      await record.permits.acquire(request('unanswered', { cluster: 'c2', claim: 't2' }), LONG);
      await record.permits.acquire(request('killed', { cluster: 'c3', claim: 't3', worker: 'w3' }), SHORT);
      const frozen = gated(rollout, false, false);
      await saved(record, frozen);
      const clusters = async (generation: number) =>
        (await record.permits.outstanding(R1, generation)).map(({ cluster }) => cluster).sort();
      expect(await clusters(1)).toEqual([]);
      expect(await clusters(2)).toEqual(['c1', 'c2', 'c3']);
      await record.permits.release('given-back', false);
      await record.permits.release('unanswered', true);
      expect(await clusters(2)).toEqual(['c3']);
      expect(await record.permits.unsettled(R1, 2)).toEqual(['c2']);
      await pass(SHORT + 200);
      expect(await clusters(2)).toEqual([]);
      expect(await record.permits.unsettled(R1, 2)).toEqual(['c2', 'c3']);
      expect(await record.permits.unsettled(R1, 1)).toEqual([]);
    });

    it('wait for a freeze that is being committed, and are then refused', async () => {
      const { record, pass } = subject();
      const rollout = await started(record);
      await record.permits.acquire(request('held'), LONG);
      const frozen = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const freezing = record.transaction(async (tx) => {
        await tx.lockRollout(R1);
        await tx.saveRollout(gated(rollout, false, false), null);
        frozen.resolve();
        await goOn.promise;
      });
      await frozen.promise;
      const acquiring = record.permits.acquire(request('late', { cluster: 'c2', claim: 't2' }), LONG);
      const renewing = record.permits.renew('w1', LONG);
      // Time to reach the record while the freeze is decided and not yet visible.
      await pass(100);
      goOn.resolve();
      await freezing;
      expect(await acquiring).toBeNull();
      expect(await renewing).toEqual([]);
      expect((await record.permits.outstanding(R1, 2)).map(({ cluster }) => cluster)).toEqual(['c1']);
    });

    it('never slip past a freeze: after it, each is outstanding or was refused', async () => {
      const { record } = subject();
      const rollout = await started(record);
      const asked = Array.from({ length: 40 }, (_, n) => record.permits.acquire(request(`p${n}`), LONG));
      const frozen = gated(rollout, false, false);
      // As the freeze's acknowledgement does: commit the gate, then look.
      const outstanding = saved(record, frozen).then(() => record.permits.outstanding(R1, frozen.gate.generation));
      const renewals = Array.from({ length: 5 }, () => record.permits.renew('w1', LONG));
      const granted = (await Promise.all(asked)).filter((grant) => grant !== null);
      await Promise.all(renewals);
      expect(granted.every(({ generation }) => generation === 1)).toBe(true);
      expect(await outstanding).toHaveLength(granted.length);
      expect(await record.permits.renew('w1', LONG)).toEqual([]);
    });
  });
};
