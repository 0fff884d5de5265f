import { describePreflight, judgePreflight, needsPreflight } from './preflight.ts';
import type { TargetPreflight } from './target-preflight.ts';
import { NOW, rolloutWith, SECOND, targetWith } from './testing/rollout-builders.ts';
import type { Target } from './rollout.ts';

const said = (state: TargetPreflight['state'], ...messages: string[]): TargetPreflight => ({
  state,
  findings: messages.map((message) => ({ reason: 'Refused', object: null, message })),
  warnings: [],
  notDryRun: [],
  at: NOW,
});
const answered = (cluster: string, preflight: TargetPreflight | null, changes: Partial<Target> = {}) =>
  targetWith({ cluster, preflight, ...changes });
const stopping = rolloutWith();
const leaving = rolloutWith([{}], {}, { preflight: { onFailure: 'leaveOut' } });

describe('a preflight', () => {
  it('is asked of what has not begun, and again when its answer is too old', () => {
    const needs = (preflight: TargetPreflight | null, age: number, state: Target['state'] = 'Pending') =>
      needsPreflight({ state, preflight }, NOW + age);
    expect(needs(null, 0)).toBe(true);
    expect(needs(null, 0, 'Applying')).toBe(false);
    expect(needs(said('Passed'), 600 * SECOND - 1)).toBe(false);
    expect(needs(said('Passed'), 600 * SECOND)).toBe(true);
    for (const state of ['Failed', 'Skipped'] as const) {
      expect(needs(said(state), 5 * SECOND - 1)).toBe(false);
      expect(needs(said(state), 5 * SECOND)).toBe(true);
    }
  });

  it('says up to three findings, and counts the others', () => {
    const describe = (...messages: string[]) => describePreflight({ preflight: said('Failed', ...messages) });
    expect(describe('a', 'b', 'c')).toBe('a; b; c');
    expect(describe('a', 'b', 'c', 'd', 'e')).toBe('a; b; c; and 2 more');
    expect(describePreflight({ preflight: null })).toBe('');
  });

  it('lets the rollout begin where no cluster would refuse, whoever could not be asked', () => {
    const targets = [answered('c1', said('Passed')), answered('c2', said('Skipped', 'away')), answered('c3', null)];
    expect(judgePreflight(stopping, targets)).toEqual({ kind: 'Go', leaveOut: [] });
  });

  it('holds it where one would, and says which and why', () => {
    const targets = [answered('c1', said('Failed', 'no room')), answered('c2', said('Passed'))];
    expect(judgePreflight(stopping, targets)).toEqual({
      kind: 'Wait',
      reason: 'PreflightFailed',
      message: 'cluster c1: no room',
    });
  });

  it('leaves those out where the strategy says so, unless that would be everybody', () => {
    const failed = answered('c1', said('Failed', 'no room'));
    expect(judgePreflight(leaving, [failed, answered('c2', said('Passed'))])).toEqual({
      kind: 'Go',
      leaveOut: [failed],
    });
    expect(judgePreflight(leaving, [failed])).toMatchObject({ kind: 'Wait' });
    const skipped = answered('c2', said('Failed', 'no room'), { state: 'Skipped' });
    expect(judgePreflight(leaving, [failed, skipped])).toMatchObject({ kind: 'Wait', message: 'cluster c1: no room' });
  });

  it('names up to eight clusters, and counts the others', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => answered(`c${index}`, said('Failed', 'x')));
    const message = (count: number) => {
      const verdict = judgePreflight(stopping, many(count));
      return verdict.kind === 'Wait' ? verdict.message : null;
    };
    expect(message(8)?.split(' | ')).toHaveLength(8);
    expect(message(8)).toMatch(/cluster c7: x$/);
    expect(message(10)).toMatch(/cluster c7: x \| and 2 more clusters$/);
  });
});
