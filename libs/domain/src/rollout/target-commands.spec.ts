import type { RolloutState, Target, TargetState } from './rollout.ts';
import { acceptFailures, maySkip, mayRetry, quarantineLeavesOut } from './target-commands.ts';
import { transition } from './target-machine.ts';
import { NOW, rolloutWith, targetWith } from './testing/rollout-builders.ts';

const jo = { by: 'jo', reason: 'known' };
const told = (target: Partial<Target>, event: Parameters<typeof transition>[2]) =>
  transition(rolloutWith(), targetWith(target), event, NOW);
const held: Partial<Target> = {
  touched: true,
  everFailed: true,
  evidence: { object: null, text: 'x' },
  verifyingSince: 5,
  healthySince: 5,
  failingSince: 5,
  degraded: true,
  degradedSince: 5,
  unreachableSince: 5,
  unreachableSettled: true,
  outage: { work: 'apply', since: 5, lasted: 0 },
  owes: 'forward',
  dueAt: 5,
  finishedAt: 5,
};
const nothingHeld = {
  evidence: null,
  verifyingSince: null,
  healthySince: null,
  failingSince: null,
  degraded: false,
  degradedSince: null,
  unreachableSince: null,
  unreachableSettled: false,
  outage: null,
  owes: null,
  dueAt: null,
};

describe('a target that a person has tried anew', () => {
  it('queues for its place again, and has failed before all the same', () => {
    const retried = told(
      { ...held, state: 'Failed', phase: 'verify', skippedBy: 'kim' },
      { type: 'Retried', person: jo },
    );
    expect(retried).toMatchObject({
      ...nothingHeld,
      state: 'Pending',
      phase: 'apply',
      reason: 'RetriedByPerson',
      message: 'tried anew by jo: known',
      touched: true,
      everFailed: true,
      skippedBy: null,
      finishedAt: null,
    });
    expect(told({ state: 'Failed' }, { type: 'Retried', person: { by: 'jo', reason: '' } })).toMatchObject({
      message: 'tried anew by jo',
      touched: false,
    });
    expect(told({ state: 'RolledBack', touched: true }, { type: 'Retried', person: jo }).touched).toBe(false);
  });

  it('is asked anew where its preflight was refused', () => {
    const preflight = { state: 'Passed', findings: [], warnings: [], notDryRun: [], at: 5 } as const;
    const event = { type: 'Retried', person: jo } as const;
    expect(told({ state: 'Failed', preflight }, event).preflight).toBe(preflight);
    expect(told({ state: 'Skipped', preflight: { ...preflight, state: 'Failed' } }, event).preflight).toBeNull();
  });

  it('waits for its cluster where the rollout has ended, and is owed the revision still', () => {
    const event = { type: 'Retried', person: jo } as const;
    const stuck = targetWith({ ...held, state: 'Verifying' });
    expect(transition(rolloutWith([{}], { state: 'Incomplete' }), stuck, event, NOW)).toMatchObject({
      state: 'Pending',
      owes: 'forward',
      dueAt: NOW,
    });
  });

  const may = (target: Partial<Target>, state: RolloutState = 'Progressing') =>
    mayRetry(rolloutWith([{}], { state }), targetWith(target));

  it.each(['Failed', 'RolledBack', 'RollbackFailed'] as const)('may be one that is %s', (state) => {
    expect(may({ state })).toBeNull();
  });

  it('may be one that a person or the preflight has left out', () => {
    expect(may({ state: 'Skipped', skippedBy: 'kim' })).toBeNull();
    expect(may({ state: 'Skipped', reason: 'PreflightFailed' })).toBeNull();
  });

  it('is none that is tried again by itself', () => {
    for (const state of ['Unreachable', 'Skipped'] as const)
      expect(may({ state })).toEqual({
        forbidden: `cluster c1 is ${state}: it is tried again by itself as soon as it answers`,
      });
  });

  it('is none that has nothing behind it', () => {
    for (const state of ['Pending', 'Applying', 'Succeeded', 'RollingBack'] as const)
      expect(may({ state, skippedBy: 'kim', reason: 'PreflightFailed' })).toEqual({
        forbidden: `cluster c1 is ${state}: only one that has failed, was returned or was skipped by a person is tried anew`,
      });
  });

  it('belongs to a rollout that is under way or halted; a return is not tried while it is halted', () => {
    expect(may({ state: 'Failed' }, 'Halted')).toBeNull();
    expect(may({ state: 'RollbackFailed' }, 'Halted')).toEqual({
      forbidden: 'the rollout is Halted: resume it or roll it back, and the return of c1 can be tried',
    });
    for (const state of ['RollingBack', 'Succeeded', 'Preflight'] as const)
      expect(may({ state: 'Failed' }, state)).toEqual({
        forbidden: `the rollout is ${state}: none of its clusters is tried anew`,
      });
  });

  it('is a debt only where that is stuck on its way', () => {
    expect(may({ state: 'Verifying', owes: 'forward' }, 'Incomplete')).toBeNull();
    expect(may({ state: 'Unreachable', owes: 'forward' }, 'Incomplete')).toEqual({
      forbidden: 'cluster c1 is Unreachable: it is tried again by itself as soon as it answers',
    });
  });

  it('takes the failures so far of its wave with it', () => {
    const rollout = rolloutWith([
      { counts: { everFailed: 2, unreachableCounted: 1 } },
      { counts: { everFailed: 2 } },
      { counts: { everFailed: 1 }, wave: { acceptedFailures: 4 } },
    ]);
    const accepted = (index: number) =>
      acceptFailures(rollout, index).waves.map(({ acceptedFailures }) => acceptedFailures);
    expect(accepted(0)).toEqual([3, 0, 4]);
    expect(accepted(2)).toEqual([0, 0, 4]);
  });
});

describe('a target that is left out', () => {
  it('by a person is owed nothing, and says by whom', () => {
    const event = { type: 'LeftOut', reason: 'SkippedByPerson', person: jo } as const;
    expect(told({ ...held, state: 'Unreachable' }, event)).toMatchObject({
      ...nothingHeld,
      state: 'Skipped',
      reason: 'SkippedByPerson',
      message: 'skipped by jo: known',
      touched: true,
      skippedBy: 'jo',
      finishedAt: NOW,
    });
    expect(told({ touched: true, state: 'RolledBack' }, event).touched).toBe(false);
    expect(told({}, { ...event, reason: 'Quarantined' }).message).toBe('quarantined by jo: known');
  });

  const may = (target: Partial<Target>, state: RolloutState = 'Progressing') =>
    maySkip(rolloutWith([{}], { state }), targetWith(target));

  it('is one that the release has not reached', () => {
    for (const state of ['Pending', 'Unreachable', 'RolledBack', 'Skipped', 'Failed'] as const)
      expect(may({ state })).toBeNull();
    expect(may({ state: 'Unreachable', touched: true })).toBeNull();
  });

  it('is none on which the release is on its way', () => {
    const onItsWay = (state: TargetState) => ({
      forbidden: `cluster c1 is ${state}, and the release is on its way there; roll that cluster back instead`,
    });
    for (const state of ['Prefetching', 'Applying', 'Verifying', 'RollingBack'] as const)
      expect(may({ state })).toEqual(onItsWay(state));
    expect(may({ state: 'Failed', touched: true })).toEqual(onItsWay('Failed'));
  });

  it('is none that is done', () => {
    for (const state of ['Succeeded', 'RollbackFailed'] as const)
      expect(may({ state, touched: true })).toEqual({
        forbidden: `cluster c1 is ${state}: there is nothing left to skip`,
      });
  });

  it('belongs to a rollout that goes forward', () => {
    expect(may({}, 'Halted')).toBeNull();
    expect(may({}, 'Queued')).toBeNull();
    for (const state of ['RollingBack', 'Succeeded', 'Aborted'] as const)
      expect(may({}, state)).toEqual({ forbidden: `the rollout is ${state}: none of its clusters can be skipped` });
  });

  it('after the end is one that is still owed the revision, and has not failed', () => {
    for (const state of ['Unreachable', 'Verifying'] as const)
      expect(may({ state, owes: 'forward' }, 'Incomplete')).toBeNull();
    expect(may({ state: 'Failed', owes: 'forward' }, 'Incomplete')).toEqual({
      forbidden: 'the rollout is Incomplete: none of its clusters can be skipped',
    });
  });

  it('by a quarantine is one that has not begun, or is away', () => {
    const leaves = (
      ['Pending', 'Unreachable', 'Applying', 'Verifying', 'Succeeded', 'Skipped', 'Failed', 'RollingBack'] as const
    ).filter((state) => quarantineLeavesOut({ state }));
    expect(leaves).toEqual(['Pending', 'Unreachable']);
  });
});
