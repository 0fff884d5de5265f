import { type LookAnswer, OPEN_LOOKS } from '@breakwater/application';
import { SHORT } from './record-fixtures.ts';
import type { RecordUnderTest } from './record-under-test.ts';

const LEASE = 60_000;
const found: LookAnswer = { edits: [], nodes: [], notLookedAt: [{ what: 'nodes', reason: '\u0000' }], notes: [] };

export const describeLooks = (subject: () => RecordUnderTest): void => {
  describe('looks at clusters', () => {
    const ask = (id: string) => subject().record.looks.ask({ id, cluster: `c-${id}`, since: 7 });

    it('are asked, taken by one and answered once, and both are told of it', async () => {
      const { looks, listen } = subject().record;
      const told: string[] = [];
      const both = Promise.withResolvers<void>();
      const end = await listen('look', (id) => {
        told.push(id);
        if (told.length === 2) both.resolve();
      });
      expect(await ask('one')).toBe(true);
      expect(await looks.answerTo('one')).toBeNull();
      const taken = await Promise.all(Array.from({ length: 4 }, () => looks.take(10, LEASE)));
      expect(taken.flat()).toEqual([{ id: 'one', cluster: 'c-one', since: 7 }]);
      await looks.answer('one', found);
      await looks.answer('one', { refused: 'a worker that was slower' });
      expect(await looks.answerTo('one')).toEqual(found);
      await both.promise;
      expect(told).toEqual(['one', 'one']);
      expect(await looks.take(10, LEASE)).toEqual([]);
      expect(await looks.answerTo('two')).toBeNull();
      await end();
    });

    it('are taken oldest first, as many as there is room for, and again when a worker did not come back', async () => {
      const { record, pass } = subject();
      for (const id of ['a', 'b', 'c']) {
        await ask(id);
        await pass(5);
      }
      const ids = async (limit: number, lease: number) =>
        (await record.looks.take(limit, lease)).map(({ id }) => id).sort();
      expect(await ids(2, SHORT)).toEqual(['a', 'b']);
      expect(await ids(2, LEASE)).toEqual(['c']);
      await pass(SHORT + 200);
      expect(await ids(2, LEASE)).toEqual(['a', 'b']);
    });

    it('that wait are bounded, and room comes back with answers', async () => {
      const { looks } = subject().record;
      for (let n = 0; n < OPEN_LOOKS; n += 1) expect(await ask(`q${n}`)).toBe(true);
      expect(await ask('more')).toBe(false);
      await looks.answer('q0', found);
      expect(await ask('more')).toBe(true);
    });
  });
};
