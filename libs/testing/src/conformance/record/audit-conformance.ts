import { auditHash, AUDIT_GENESIS } from '@breakwater/application';
import type { RolloutId } from '@breakwater/domain';
import type { RecordUnderTest } from './record-under-test.ts';
import { someEvent } from './record-fixtures.ts';

export const describeAudit = (subject: () => RecordUnderTest): void => {
  describe('the audit trail', () => {
    it('is sealed in order, once, by however many sealers, and each link follows from the one before', async () => {
      const { record } = subject();
      for (let n = 0; n < 10; n += 1) {
        await record.transaction((tx) =>
          tx.audit(someEvent(`event ${n}`, { data: { n, gone: undefined, text: '\u0000' } })),
        );
      }
      while ((await record.audit.last()) < 10) {
        await Promise.all(Array.from({ length: 4 }, () => record.audit.seal(3)));
      }
      expect(await record.audit.seal(3)).toBe(0);
      const events = await record.audit.after(0, 100);
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(events.map(({ message }) => message)).toEqual(Array.from({ length: 10 }, (_, n) => `event ${n}`));
      const [first] = events;
      expect(first!.data).toEqual({ n: 0, text: '\u0000' });
      expect(first!.hash).toBe(
        auditHash(AUDIT_GENESIS, 1, first!.at, someEvent('event 0', { data: { n: 0, text: '\u0000' } })),
      );
      expect(await record.audit.verify()).toBeNull();
    });

    it('notices a changed event', async () => {
      const { record, tamper } = subject();
      await record.audit.append(Array.from({ length: 5 }, (_, n) => someEvent(`event ${n}`)));
      await record.audit.seal(100);
      expect(await record.audit.verify()).toBeNull();
      await tamper(3, 'it was somebody else');
      expect(await record.audit.verify()).toBe(3);
    });

    it('is asked by rollout, cluster, actor and time', async () => {
      const { record } = subject();
      const since = await record.now();
      await record.audit.append([
        someEvent('one', { rollout: 'r1', cluster: 'c1' }),
        someEvent('two', { rollout: 'r1', cluster: 'c2', actor: 'noor' }),
        someEvent('three', { rollout: 'r2', cluster: 'c1' }),
      ]);
      await record.audit.seal(100);
      const messages = async (filter: Parameters<typeof record.audit.after>[2]) =>
        (await record.audit.after(0, 10, filter)).map(({ message }) => message);
      expect(await messages({ rollout: 'r1' })).toEqual(['one', 'two']);
      expect(await messages({ cluster: 'c1' })).toEqual(['one', 'three']);
      expect(await messages({ actor: 'noor', rollout: 'r1' })).toEqual(['two']);
      await record.audit.append([someEvent('four', { rollout: 'r2' })]);
      await record.audit.seal(100);
      expect(await messages({ cluster: null })).toEqual(['four']);
      expect(await messages({ cluster: null, since: since + 3_600_000 })).toEqual([]);
      expect(await messages({ since })).toHaveLength(4);
      expect(await messages({ since: since + 3_600_000 })).toEqual([]);
      expect((await record.audit.after(1, 1)).map(({ message }) => message)).toEqual(['two']);
    });

    it('tells what was sealed', async () => {
      const { record } = subject();
      const told = Promise.withResolvers<string>();
      const end = await record.listen('event', told.resolve);
      await record.audit.append([someEvent('one'), someEvent('two')]);
      await record.audit.seal(10);
      expect(await told.promise).toBe('2');
      await end();
    });
  });

  describe('idempotency keys', () => {
    const use = (subject: RecordUnderTest, key: string, actor: string, digest: string, result: string) =>
      subject.record.transaction((tx) => tx.idempotent(key, actor, digest, result));

    it('are looked up without being used', async () => {
      const { record } = subject();
      const look = (digest: string) => record.transaction((tx) => tx.usedBefore('k', 'mara', digest));
      expect(await look('d1')).toBeNull();
      await use(subject(), 'k', 'mara', 'd1', 'r1');
      expect([await look('d1'), await look('d2')]).toEqual([{ result: 'r1' }, 'reused']);
    });

    it('give the first result again, and refuse another body', async () => {
      const current = subject();
      expect(await use(current, 'k', 'mara', 'd1', 'r1')).toEqual({ fresh: true, result: 'r1' });
      expect(await use(current, 'k', 'mara', 'd1', 'r2')).toEqual({ fresh: false, result: 'r1' });
      expect(await use(current, 'k', 'mara', 'd2', 'r2')).toBe('reused');
      expect(await use(current, 'k', 'noor', 'd2', 'r3')).toEqual({ fresh: true, result: 'r3' });
    });

    it('are fresh for one of many that come at once, and for nobody when it was rolled back', async () => {
      const current = subject();
      const broken = current.record.transaction(async (tx) => {
        await tx.idempotent('k', 'mara', 'd', 'lost');
        throw new Error('on purpose');
      });
      await expect(broken).rejects.toThrow('on purpose');
      const used = await Promise.all(Array.from({ length: 8 }, (_, n) => use(current, 'k', 'mara', 'd', `r${n}`)));
      const results = used.map((outcome) => (outcome === 'reused' ? outcome : outcome.result));
      expect(used.filter((outcome) => outcome !== 'reused' && outcome.fresh)).toHaveLength(1);
      expect(new Set(results).size).toBe(1);
      expect(await current.record.rollouts.get('r1' as RolloutId)).toBeNull();
    });
  });
};
