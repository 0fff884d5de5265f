import { blockersOf } from './explain.ts';
import type { Rollout, RolloutPolicy, Target } from './rollout.ts';
import { resume } from './rollout-commands.ts';
import { advance } from './rollout-machine.ts';
import type { HealthObservation } from './target-event.ts';
import { transition } from './target-machine.ts';
import { NOW, rolloutWith, SECOND, targetWith } from './testing/rollout-builders.ts';
import { withTarget } from './with-target.ts';

const TIME = 60 * SECOND;
const within = (then: RolloutPolicy['slow']['then'], after: number | null = 20 * SECOND) => ({ slow: { after, then } });
const notReady: HealthObservation = {
  verdict: 'Progressing',
  failFast: null,
  worst: { object: null, text: '1 of 3 updated replicas are available' },
  excused: [],
};
const since = (time: number): Target =>
  targetWith({ state: 'Verifying', phase: 'verify', touched: true, verifyingSince: time });
const seen = (rollout: Rollout, target: Target, health = notReady): Target =>
  transition(rollout, target, { type: 'HealthObserved', health, round: rollout.round }, NOW);

describe('a cluster that is neither ready nor failing', () => {
  it('fails when the time of the strategy has passed, by default that of the workloads gate', () => {
    const rollout = rolloutWith([{}], {}, within('fail'));
    expect(seen(rollout, since(TIME - 20 * SECOND))).toMatchObject({ state: 'Failed', reason: 'GateTimedOut' });
    expect(seen(rollout, since(TIME - 19 * SECOND))).toMatchObject({ state: 'Verifying', dueAt: NOW + SECOND });
    const usual = rolloutWith();
    expect(seen(usual, since(TIME - 299 * SECOND)).state).toBe('Verifying');
    expect(seen(usual, since(TIME - 300 * SECOND)).state).toBe('Failed');
  });

  it.each(['wait', 'halt'] as const)('is waited for and named where the strategy says %s', (then) => {
    const rollout = rolloutWith([{}], {}, within(then));
    const slow = seen(rollout, since(TIME - 21 * SECOND));
    expect(slow).toMatchObject({
      state: 'Verifying',
      slow: true,
      reason: 'Slow',
      message: 'slow, not ready after 20s: 1 of 3 updated replicas are available',
      dueAt: NOW + 30 * SECOND,
    });
    expect(blockersOf(rollout, [slow])).toMatchObject([
      { reason: 'GatePending', cluster: 'c1', evidence: slow.message, until: null },
    ]);
    const healthy: HealthObservation = { verdict: 'Healthy', failFast: null, worst: null, excused: [] };
    expect(seen(rollout, slow, healthy)).toMatchObject({ state: 'Verifying', slow: true, healthySince: TIME });
  });

  it('fails all the same in a state that does not mend by itself', () => {
    const failFast = { object: null, reason: 'ImagePullBackOff', message: 'cannot be pulled' };
    const failing = { ...since(0), slow: true, failingSince: TIME - 10 * SECOND };
    const failed = seen(rolloutWith([{}], {}, within('wait')), failing, { ...notReady, failFast });
    expect(failed).toMatchObject({ state: 'Failed', reason: 'ImagePullBackOff' });
  });
});

describe('a rollout with slow clusters', () => {
  const slowOnes = (count: number, accepted: number, then: RolloutPolicy['slow']['then'] = 'halt') =>
    rolloutWith([{ counts: { inFlight: 2, slow: count }, wave: { acceptedSlow: accepted } }], {}, within(then));

  it('halts and asks where the strategy says so, and takes nothing back by itself', () => {
    const before = since(TIME - 21 * SECOND);
    const rollout = rolloutWith([{ counts: { inFlight: 1, toReturn: 1 } }], {}, within('halt'));
    const { rollout: halted, orders, dueAt } = advance(withTarget(rollout, before, seen(rollout, before)), NOW);
    expect({ orders, dueAt }).toEqual({ orders: [], dueAt: null });
    expect(halted).toMatchObject({
      state: 'Halted',
      reason: 'TargetsSlow',
      message: 'wave w0: 1 not ready after 20s',
      rollback: null,
    });
    const resumed = resume(halted, { by: 'mara', reason: 'a large image' }, NOW);
    const again = 'rollout' in resumed ? advance(resumed.rollout, NOW).rollout : null;
    expect(again).toMatchObject({ state: 'Progressing', waves: [{ counts: { slow: 1 }, acceptedSlow: 1 }] });
  });

  it('halts again for one more, and goes on with those that were accepted', () => {
    expect(advance(slowOnes(2, 1), NOW).rollout.state).toBe('Halted');
    expect(advance(slowOnes(2, 2), NOW).rollout.state).toBe('Progressing');
    expect(advance(slowOnes(2, 0, 'wait'), NOW).rollout.state).toBe('Progressing');
  });
});
