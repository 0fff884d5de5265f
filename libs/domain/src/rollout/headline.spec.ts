import { describeEnd, describeProgress } from './headline.ts';
import { describeFindings, withFindings } from './irreversible.ts';
import type { GateOverride, Irreversible, RollbackOrder } from './rollout.ts';
import { type GivenCounts, rolloutWith, targetWith } from './testing/rollout-builders.ts';

const order: RollbackOrder = {
  scope: 'rollout',
  wave: null,
  clusters: [],
  automatic: true,
  by: 'breakwater',
  reason: 'wave w0: 1 failed',
  startedAt: 5,
};

describe('the headline', () => {
  it('tells how far the wave under way is, and what is wrong in it', () => {
    const passed = { counts: { succeeded: 4 }, wave: { state: 'Succeeded' } } as const;
    const counts: GivenCounts = {
      succeeded: 1,
      everFailed: 1,
      unreachable: 2,
      skipped: 3,
      degraded: 4,
      rollingBack: 5,
      rolledBack: 6,
      rollbackFailed: 7,
      pending: 8,
    };
    expect(describeProgress(rolloutWith([passed, { counts, plan: { size: 9 } }, {}]))).toBe(
      'wave w1: 1 of 9 clusters verified, 1 failed, 2 unreachable, 3 skipped, 4 not healthy any more, 5 being returned, ' +
        '6 returned, 7 could not be returned, 8 not started',
    );
    expect(describeProgress(rolloutWith([passed, { ...passed, plan: { size: 1 }, counts: { succeeded: 1 } }]))).toBe(
      'wave w1: 1 of 1 cluster verified',
    );
    expect(describeProgress(rolloutWith([]))).toBe('');
  });

  it('of a rollback tells its cause, what stays on the new revision, and which were restored without Jobs', () => {
    const end = (counts: GivenCounts, changes: object = { rollback: order }) =>
      describeEnd(rolloutWith([{ counts }], { state: 'RolledBack', ...changes }));
    expect(end({ rolledBack: 2, toReturn: 3, rolledBackButJobs: 1 })).toBe(
      'wave w0: 1 failed; 2 clusters restored and verified, on 1 of them without Jobs, which are not run again, 3 left on the new revision',
    );
    expect(end({ rolledBack: 1 }, {})).toBe('1 cluster restored and verified');
    expect(end({ rolledBack: 1, rollbackFailed: 2 }, { state: 'RollbackFailed' })).toBe(
      '2 of 3 clusters could not be restored',
    );
  });

  it('begins with what people have let pass', () => {
    const gate: GateOverride = { wave: 'w0', gate: 'errors', cluster: null, by: 'mara', reason: 'known', at: 5 };
    const rollout = rolloutWith([{ counts: { succeeded: 4 } }], {
      state: 'Succeeded',
      gateOverrides: [gate, { ...gate, cluster: 'c1' }],
    });
    expect(describeEnd(rollout)).toBe(
      'gate errors of wave w0 was overridden by mara; gate errors of wave w0 on c1 was overridden by mara; all of 4 clusters verified',
    );
  });
});

describe('what cannot be taken back', () => {
  const finding = (name: string): Irreversible => ({
    object: name as never,
    why: 'immutable',
    cluster: 'c0',
    accepted: true,
  });

  it('is one row for an object, of the cluster that had it first', () => {
    const known = [finding('a')];
    const seen = (...names: string[]) =>
      targetWith({ irreversible: names.map((name) => ({ object: name as never, why: 'gone' })) });
    expect(withFindings(known, seen('a'))).toBe(known);
    expect(withFindings(known, seen('a', 'b'))).toEqual([
      ...known,
      { object: 'b', why: 'gone', cluster: 'c1', accepted: false },
    ]);
  });

  it('is named up to five objects, and counted beyond', () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map(finding);
    const named = five.map(({ object }) => `c0: ${object} (immutable)`).join('; ');
    expect(describeFindings(five)).toBe(`what was applied cannot be taken back: ${named}`);
    expect(describeFindings([...five, finding('f'), finding('g')])).toBe(
      `what was applied cannot be taken back: ${named}; and 2 more objects`,
    );
  });
});
