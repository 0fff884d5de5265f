import fc from 'fast-check';
import { type Change, CHANGE_KINDS, type Signal } from './change.ts';
import { rankChanges } from './rank-changes.ts';

const change = (what: string, at: number | null, rest: Partial<Change> = {}): Change => ({
  at,
  kind: 'edit',
  what,
  by: 'kubectl-edit',
  reason: '',
  object: null,
  application: null,
  rollout: null,
  revision: null,
  ...rest,
});
const signal = (at: number): Signal => ({
  at,
  kind: 'TargetFailed',
  message: 'ImagePullBackOff',
  application: 'web',
  rollout: null,
});
const names = (changes: readonly Change[], signals: readonly Signal[]): readonly string[] =>
  rankChanges(changes, signals).changes.map(({ rank, relation, what }) => `${rank} ${relation} ${what}`);

describe('the ranking of changes', () => {
  it('puts what happened shortly before the first signal before what happened long before it', () => {
    expect(names([change('old', 10), change('recent', 90), change('older', 5)], [signal(100)])).toEqual([
      '1 before recent',
      '2 before old',
      '3 before older',
    ]);
  });

  it('counts from the earliest signal, in whatever order they come', () => {
    const ranking = rankChanges([change('between', 60), change('before', 40)], [signal(100), signal(50), signal(70)]);
    expect(ranking.signal).toMatchObject({ at: 50 });
    expect(ranking.changes.map(({ what, relation }) => [what, relation])).toEqual([
      ['before', 'before'],
      ['between', 'after'],
    ]);
  });

  it('puts what happened after the signal last, the nearest first, however near it was', () => {
    expect(names([change('late', 900), change('soon after', 101), change('long before', 1)], [signal(100)])).toEqual([
      '1 before long before',
      '2 after soon after',
      '3 after late',
    ]);
  });

  it('takes a change of the signal’s own moment for one before it', () => {
    expect(names([change('same', 100)], [signal(100)])).toEqual(['1 before same']);
  });

  it('puts changes of the cluster before words about it, also where the words are nearer', () => {
    const changes = [
      change('pause', 99, { kind: 'command' }),
      change('commit', 98, { kind: 'configuration' }),
      change('override', 97, { kind: 'override' }),
      change('node', 3, { kind: 'node' }),
      change('release', 2, { kind: 'release' }),
      change('edit', 1),
    ];
    expect(names(changes, [signal(100)])).toEqual([
      '1 before node',
      '2 before release',
      '3 before edit',
      '4 before pause',
      '5 before commit',
      '6 before override',
    ]);
  });

  it('puts what has no time behind changes of the cluster, before words and before what came after', () => {
    const changes = [
      change('after', 200),
      change('words', 50, { kind: 'command' }),
      change('gone', null),
      change('edit', 1),
    ];
    expect(names(changes, [signal(100)])).toEqual([
      '1 before edit',
      '2 undated gone',
      '3 before words',
      '4 after after',
    ]);
  });

  it('without a signal tells the newest first, whatever its kind, and says so', () => {
    const changes = [change('old', 1), change('gone', null), change('new', 9, { kind: 'command' })];
    expect(rankChanges(changes, []).signal).toBeNull();
    expect(names(changes, [])).toEqual(['1 unrelated new', '2 unrelated old', '3 undated gone']);
  });

  it('gives the same order for the same changes, however they were put in, and loses none', () => {
    const some = fc.record({
      what: fc.constantFrom('a', 'b', 'c'),
      at: fc.option(fc.integer({ min: 0, max: 4 })),
      kind: fc.constantFrom(...CHANGE_KINDS),
      by: fc.constantFrom('x', 'y'),
    });
    const list = fc.array(some.map(({ what, at, kind, by }) => change(what, at, { kind, by })));
    fc.assert(
      fc.property(list, fc.array(fc.integer({ min: 0, max: 4 }).map(signal)), fc.nat(), (changes, signals, turn) => {
        const ranked = rankChanges(changes, signals);
        const at = changes.length === 0 ? 0 : turn % changes.length;
        const turned = [...changes.slice(at), ...changes.slice(0, at)].reverse();
        expect(rankChanges(turned, signals)).toEqual(ranked);
        expect(ranked.changes).toHaveLength(changes.length);
        expect(ranked.changes.map(({ rank }) => rank)).toEqual(changes.map((_, index) => index + 1));
        const after = ranked.changes.findIndex(({ relation }) => relation === 'after');
        if (after >= 0) expect(ranked.changes.slice(after).every(({ relation }) => relation === 'after')).toBe(true);
      }),
    );
  });
});
