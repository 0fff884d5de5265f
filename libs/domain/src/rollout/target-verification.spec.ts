import type { PlannedGate } from '../gates/gate.ts';
import type { ObjectKey } from '../kubernetes/object.ts';
import type { GateOverride, Rollout, RolloutPolicy, Target } from './rollout.ts';
import type { HealthObservation } from './target-event.ts';
import { gatesOfTarget, isOverridden, nextDueOf } from './target-gates.ts';
import { transition } from './target-machine.ts';
import { gateWith, NOW, rolloutWith, runWith, SECOND, targetWith } from './testing/rollout-builders.ts';

const TIME = 60 * SECOND;
const web = 'Deployment/web/web' as ObjectKey;
const pod = 'Pod/web/web-1' as ObjectKey;

const healthy: HealthObservation = { verdict: 'Healthy', failFast: null, worst: null, excused: [] };
const progressing: HealthObservation = {
  ...healthy,
  verdict: 'Progressing',
  worst: { object: web, text: '1 of 2 ready' },
};
const failing: HealthObservation = {
  ...progressing,
  verdict: 'Failing',
  failFast: { object: pod, reason: 'ImagePullFailed', message: 'no such image' },
};
/** Still going wrong, and nothing says that it does not mend. */
const unsaid: HealthObservation = { ...healthy, verdict: 'Progressing' };

const workloads = {
  name: 'workloads-ready',
  timeout: 50 * SECOND,
  stableFor: 20 * SECOND,
  failFast: 5 * SECOND,
} as const;
const rolloutUnder = (changes: Partial<RolloutPolicy['workloads']> = {}, gates: readonly PlannedGate[] = []): Rollout =>
  rolloutWith([{ plan: { gates } }], {}, { workloads: { ...workloads, ...changes } });
const during = (name: string, policy: Partial<PlannedGate['policy']> = {}) =>
  gateWith({ phase: 'during', name }, policy);

const seen = (target: Partial<Target>, health: HealthObservation, rollout = rolloutUnder()) =>
  transition(rollout, targetWith(target), { type: 'HealthObserved', health, round: rollout.round }, NOW);

describe('a target that is verified', () => {
  const verifying: Partial<Target> = {
    state: 'Verifying',
    phase: 'verify',
    verifyingSince: 30 * SECOND,
    touched: true,
  };

  it('has to stay healthy for a while, and says for how long', () => {
    expect(seen({ ...verifying, failingSince: 5, evidence: { object: web, text: 'x' } }, healthy)).toMatchObject({
      state: 'Verifying',
      phase: 'verify',
      healthySince: TIME,
      failingSince: null,
      verifyingSince: 30 * SECOND,
      reason: 'GatePending',
      message: 'healthy, and has to stay so for 20 s',
      evidence: null,
      dueAt: NOW + 20 * SECOND,
    });
    const later = seen({ ...verifying, healthySince: TIME - 20 * SECOND + 1 }, healthy);
    expect(later).toMatchObject({ phase: 'verify', message: 'healthy, and has to stay so for 1 s', dueAt: NOW + 1 });
  });

  it('goes on to its end at the moment when it was so for long enough', () => {
    expect(seen({ ...verifying, healthySince: TIME - 20 * SECOND, message: 'x' }, healthy)).toMatchObject({
      state: 'Verifying',
      phase: 'finalize',
      reason: 'Finalizing',
      message: '',
      evidence: null,
      dueAt: NOW,
    });
  });

  it('is looked at again within half a minute, and earlier where something is decided then', () => {
    expect(seen(verifying, healthy, rolloutUnder({ stableFor: 90 * SECOND })).dueAt).toBe(NOW + 30 * SECOND);
    expect(seen(verifying, progressing).dueAt).toBe(NOW + 20 * SECOND);
    expect(seen(verifying, failing).dueAt).toBe(NOW + 5 * SECOND);
    expect(seen(verifying, failing, rolloutUnder({ failFast: 'off' })).dueAt).toBe(NOW + 20 * SECOND);
    expect(seen({ ...verifying, verifyingSince: TIME }, progressing).dueAt).toBe(NOW + 30 * SECOND);
  });

  it('is looked at again also while the rollout’s time stands still', () => {
    const standing = { ...rolloutUnder(), clock: { ran: TIME, since: null } };
    expect(seen(verifying, progressing, standing).dueAt).toBe(NOW + 30 * SECOND);
  });

  it('says what is not ready, and counts its healthy time anew', () => {
    expect(seen({ ...verifying, healthySince: 40 * SECOND, failingSince: 5 }, progressing)).toMatchObject({
      state: 'Verifying',
      reason: 'GatePending',
      message: '1 of 2 ready',
      evidence: { object: web, text: '1 of 2 ready' },
      healthySince: null,
      failingSince: null,
      verifyingSince: 30 * SECOND,
      slow: false,
    });
    expect(seen(verifying, unsaid)).toMatchObject({ message: '', evidence: null });
  });

  it('counts from its first look where nothing else was said', () => {
    const fresh = { state: 'Verifying', phase: 'verify' } as const;
    expect(seen(fresh, progressing).verifyingSince).toBe(TIME);
    expect(seen(fresh, healthy).verifyingSince).toBe(TIME);
  });

  it('fails at the moment when something that does not mend has lasted for long enough', () => {
    const first = seen(verifying, failing);
    expect(first).toMatchObject({
      state: 'Verifying',
      reason: 'GateFailing',
      failingSince: TIME,
      message: 'no such image',
    });
    expect(first.evidence).toEqual({ object: pod, text: 'no such image' });
    expect(seen({ ...verifying, failingSince: TIME - 5 * SECOND + 1 }, failing).state).toBe('Verifying');
    expect(seen({ ...verifying, failingSince: TIME - 5 * SECOND }, failing)).toMatchObject({
      state: 'Failed',
      reason: 'ImagePullFailed',
      message: 'no such image',
      evidence: { object: pod, text: 'no such image' },
      finishedAt: NOW,
    });
    expect(seen({ ...verifying, failingSince: 0 }, failing, rolloutUnder({ failFast: 'off' })).state).toBe('Verifying');
    expect(seen({ ...verifying, failingSince: 0 }, progressing).state).toBe('Verifying');
  });

  it('fails at the moment when its time is up', () => {
    expect(seen({ ...verifying, verifyingSince: 10 * SECOND + 1 }, progressing).state).toBe('Verifying');
    expect(seen({ ...verifying, verifyingSince: 10 * SECOND }, progressing)).toMatchObject({
      state: 'Failed',
      reason: 'GateTimedOut',
      message: '1 of 2 ready',
      evidence: { object: web, text: '1 of 2 ready' },
    });
    expect(seen({ ...verifying, verifyingSince: 10 * SECOND }, unsaid)).toMatchObject({ state: 'Failed', message: '' });
  });

  it('names the workloads that were ill before, whatever comes of it', () => {
    expect(seen(verifying, { ...healthy, excused: ['old'] }).excused).toEqual(['old']);
    expect(seen({ state: 'Succeeded' }, { ...healthy, excused: ['old'] }).excused).toEqual(['old']);
  });

  it('is not judged in any other state, nor while it is finished', () => {
    const others: readonly Partial<Target>[] = [
      { state: 'Verifying', phase: 'finalize' },
      { state: 'RollingBack', phase: 'apply' },
      { state: 'RollingBack', phase: 'finalize' },
      { state: 'Applying', phase: 'verify' },
      { state: 'Pending', phase: 'verify' },
      { state: 'Failed', phase: 'verify' },
    ];
    for (const changes of others) {
      const target = targetWith(changes);
      const event = { type: 'HealthObserved', health: failing, round: 1 } as const;
      expect(transition(rolloutUnder(), target, event, NOW)).toBe(target);
    }
  });

  it('is over an outage of its looks, and still in one of its writes', () => {
    const since = 50 * SECOND;
    expect(seen({ ...verifying, outage: { work: 'verify', since, lasted: 0 } }, progressing).outage).toBeNull();
    const finalize = { work: 'finalize', since, lasted: 0 } as const;
    expect(seen({ ...verifying, outage: finalize }, progressing).outage).toEqual({
      work: 'finalize',
      since: null,
      lasted: 10 * SECOND,
    });
    expect(seen({ ...verifying, healthySince: 0, outage: finalize }, healthy).outage).toEqual({
      work: 'finalize',
      since,
      lasted: 0,
    });
  });
});

describe('the gates of a target beside its workloads', () => {
  const ready: Partial<Target> = {
    state: 'Verifying',
    phase: 'verify',
    verifyingSince: 30 * SECOND,
    healthySince: 40 * SECOND,
  };
  const errors = during('errors');
  const latency = during('latency', { initialDelay: 3 * SECOND });
  const rollout = rolloutUnder({}, [errors, latency, gateWith({ name: 'soaks' })]);
  const inGates: Partial<Target> = {
    ...ready,
    phase: 'gates',
    gates: [
      runWith(errors, { state: 'Running', since: 50 * SECOND, dueAt: 50 * SECOND, evidence: 'none yet' }),
      runWith(latency, { state: 'Running', since: 50 * SECOND, dueAt: 53 * SECOND }),
    ],
  };
  const answered = (gate: string, verdict: 'Success' | 'Failure', target: Partial<Target> = inGates) =>
    transition(
      rollout,
      targetWith(target),
      { type: 'GateMeasured', gate, measurement: { verdict, evidence: `${gate}: ${verdict}`, object: web } },
      NOW,
    );

  it('begin when its workloads are ready, all together, and are due when the first of them is', () => {
    const begun = seen(ready, healthy, rollout);
    expect(begun).toMatchObject({
      state: 'Verifying',
      phase: 'gates',
      reason: 'GatePending',
      message:
        'gate errors: 0 of 1 measurements: not measured yet; gate latency: 0 of 1 measurements: not measured yet',
      evidence: { object: null, text: 'not measured yet' },
      dueAt: NOW,
    });
    expect(begun.gates).toMatchObject([
      { gate: 'errors', state: 'Running', since: TIME, dueAt: TIME },
      { gate: 'latency', state: 'Running', since: TIME, dueAt: TIME + 3 * SECOND },
    ]);
    const slow = rolloutUnder({}, [
      during('a', { initialDelay: 9 * SECOND }),
      during('b', { initialDelay: 4 * SECOND }),
    ]);
    expect(seen(ready, healthy, slow).dueAt).toBe(NOW + 4 * SECOND);
    const never = rolloutUnder({}, [during('a', { initialDelay: 99 * SECOND })]);
    expect(seen(ready, healthy, never).dueAt).toBe(NOW + 30 * SECOND);
  });

  it('are measured one by one, and the target goes on when the last of them has passed', () => {
    const one = answered('errors', 'Success');
    expect(one).toMatchObject({ phase: 'gates', gates: [{ state: 'Passed' }, { state: 'Running' }] });
    expect(one.message).toMatch(/^gate latency: /);
    expect(one.dueAt).toBe(NOW);
    const both = answered('latency', 'Success', one);
    expect(both).toMatchObject({ phase: 'finalize', gates: [{ state: 'Passed' }, { state: 'Passed' }], dueAt: NOW });
  });

  it('fail the target, which then says which gate and what it saw', () => {
    expect(answered('errors', 'Failure')).toMatchObject({
      state: 'Failed',
      reason: 'GateFailed',
      message: 'gate errors: 1 of 1 measurements, 1 failed: errors: Failure',
      evidence: { object: web, text: 'errors: Failure' },
      gates: [{ state: 'Failed' }, { state: 'Running' }],
    });
  });

  it('answer only while they are asked', () => {
    for (const changes of [{ phase: 'verify' }, { state: 'Succeeded' }] as const) {
      const target = targetWith({ ...inGates, ...changes });
      const event = {
        type: 'GateMeasured',
        gate: 'errors',
        measurement: { verdict: 'Failure', evidence: '' },
      } as const;
      expect(transition(rollout, target, event, NOW)).toBe(target);
    }
    expect(answered('nosuch', 'Failure')).toMatchObject({ phase: 'gates', gates: inGates.gates as object[] });
  });

  it('hear only the answer to what was asked last', () => {
    const about = (asked: { readonly since: number; readonly measuredAt: number | null }) =>
      transition(
        rollout,
        targetWith(inGates),
        { type: 'GateMeasured', gate: 'errors', measurement: { verdict: 'Failure', evidence: 'x' }, asked },
        NOW,
      ).state;
    expect(about({ since: 50 * SECOND, measuredAt: null })).toBe('Failed');
    expect(about({ since: 40 * SECOND, measuredAt: null })).toBe('Verifying');
    expect(about({ since: 50 * SECOND, measuredAt: 55 * SECOND })).toBe('Verifying');
  });

  it('go on being measured while its workloads stay ready, without another wait', () => {
    const looked = seen({ ...inGates, healthySince: TIME }, healthy, rollout);
    expect(looked).toMatchObject({ phase: 'gates', gates: inGates.gates as object[] });
  });

  it('time out each by itself', () => {
    const short = during('errors', { timeout: 10 * SECOND });
    const gates = [runWith(short, { state: 'Running', since: 50 * SECOND, evidence: '' })];
    const asking = seen({ ...inGates, gates }, healthy, rolloutUnder({}, [short]));
    expect(asking.gates[0]).toMatchObject({ state: 'Inconclusive', evidence: 'no verdict within its time-out' });
    const event = { type: 'GateMeasured', gate: 'other', measurement: { verdict: 'Success', evidence: '' } } as const;
    const told = transition(rolloutUnder({}, [short]), targetWith({ ...inGates, gates }), event, NOW);
    expect(told.gates[0]!.state).toBe('Inconclusive');
  });

  it('give the workloads their time again when those fall ill meanwhile', () => {
    expect(seen({ ...inGates, verifyingSince: 0 }, progressing, rollout)).toMatchObject({
      state: 'Verifying',
      phase: 'verify',
      verifyingSince: TIME,
      healthySince: null,
      message: '1 of 2 ready',
    });
  });

  it('that a person has overridden have passed, on that cluster, in that wave, and no others', () => {
    const override: GateOverride = { wave: 'w0', gate: 'errors', cluster: 'c1', by: 'mara', reason: 'known', at: 5 };
    const states = (changes: Partial<GateOverride>, target = targetWith(inGates)) => {
      const gateOverrides = [{ ...override, ...changes }];
      return gatesOfTarget({ ...rollout, gateOverrides }, target).map(({ run }) => run.state);
    };
    expect(states({})).toEqual(['Overridden', 'Running']);
    expect(states({ cluster: 'c2' })).toEqual(['Running', 'Running']);
    expect(states({ cluster: null })).toEqual(['Running', 'Running']);
    expect(states({ wave: 'w1' })).toEqual(['Running', 'Running']);
    expect(states({ gate: 'latency' })).toEqual(['Running', 'Overridden']);
    const gates = [runWith(errors, { state: 'Passed' })];
    expect(states({}, targetWith({ ...inGates, gates }))).toEqual(['Passed', 'Waiting']);
    expect(gatesOfTarget({ ...rollout, gateOverrides: [override] }, targetWith(inGates))[0]!.run.overriddenBy).toEqual({
      by: 'mara',
      reason: 'known',
    });
    expect(isOverridden({ ...rollout, gateOverrides: [override] }, targetWith(), 'errors')).toBe(true);
    expect(isOverridden({ ...rollout, gateOverrides: [override] }, targetWith(), 'latency')).toBe(false);
  });

  it('are none where the plan has none, and are never due then', () => {
    expect(gatesOfTarget(rolloutUnder(), targetWith())).toEqual([]);
    expect(nextDueOf([])).toBeNull();
    const passed = [{ gate: errors, run: runWith(errors, { state: 'Passed' }) }];
    expect(nextDueOf(passed)).toBeNull();
  });
});

describe('a target that returns', () => {
  const back: Partial<Target> = {
    state: 'RollingBack',
    phase: 'verify',
    verifyingSince: 30 * SECOND,
    message: 'returning',
  };

  it('has to stay healthy too, and is finished then, without gates', () => {
    const rollout = rolloutUnder({}, [during('errors')]);
    expect(seen({ ...back, unreachableSince: 5 }, healthy, rollout)).toMatchObject({
      state: 'RollingBack',
      phase: 'verify',
      healthySince: TIME,
      unreachableSince: null,
      dueAt: NOW + 20 * SECOND,
    });
    expect(seen({ ...back, healthySince: TIME - 20 * SECOND + 1 }, healthy, rollout).phase).toBe('verify');
    const outage = { work: 'finalize', since: null, lasted: 9 * SECOND } as const;
    expect(seen({ ...back, healthySince: TIME - 20 * SECOND, evidence: null, outage }, healthy, rollout)).toMatchObject(
      {
        state: 'RollingBack',
        phase: 'finalize',
        evidence: null,
        outage: { since: TIME - 9 * SECOND },
        dueAt: NOW,
      },
    );
  });

  it('says what is not ready, and fails when its time is up, not earlier for anything that does not mend', () => {
    expect(seen({ ...back, healthySince: 5, unreachableSince: 5, failingSince: 0 }, failing)).toMatchObject({
      state: 'RollingBack',
      healthySince: null,
      unreachableSince: null,
      evidence: { object: pod, text: 'no such image' },
      message: 'no such image',
      dueAt: NOW + 20 * SECOND,
    });
    expect(seen(back, unsaid)).toMatchObject({ evidence: null, message: 'returning' });
    expect(seen({ ...back, verifyingSince: 10 * SECOND + 1 }, failing).state).toBe('RollingBack');
    expect(seen({ ...back, verifyingSince: 10 * SECOND }, failing)).toMatchObject({
      state: 'RollbackFailed',
      reason: 'GateTimedOut',
      message: 'no such image',
      evidence: { object: pod, text: 'no such image' },
    });
    expect(seen({ ...back, verifyingSince: 10 * SECOND }, unsaid).message).toBe('');
  });

  it('counts from its first look where nothing else was said', () => {
    const fresh = { ...back, verifyingSince: null };
    expect(seen(fresh, healthy).verifyingSince).toBe(TIME);
    expect(seen(fresh, failing)).toMatchObject({ state: 'RollingBack', verifyingSince: TIME });
  });
});

describe('a verified target that is still watched', () => {
  const verified: Partial<Target> = { state: 'Succeeded', phase: 'finalize', reason: 'Verified', touched: true };
  const ill: Partial<Target> = {
    ...verified,
    degraded: true,
    degradedSince: 30 * SECOND,
    reason: 'Regressing',
    message: 'x',
  };

  it('is looked at twice a minute while it is well', () => {
    expect(seen(verified, healthy)).toEqual(targetWith({ ...verified, seenIn: 1, dueAt: NOW + 30 * SECOND }));
  });

  it('is confirmed by what was seen in this round, and by nothing older', () => {
    const rollout = { ...rolloutUnder(), round: 3 };
    const told = (target: Partial<Target>, health: HealthObservation, round: number) =>
      transition(rollout, targetWith({ ...verified, ...target }), { type: 'HealthObserved', health, round }, NOW);
    expect(told({ seenIn: 2, dueAt: NOW + SECOND }, healthy, 3)).toMatchObject({ seenIn: 3 });
    expect(told({ seenIn: 2, dueAt: NOW + SECOND }, healthy, 2)).toMatchObject({ seenIn: 2, dueAt: NOW });
    expect(told({ seenIn: 3 }, progressing, 3)).toMatchObject({ seenIn: null, degraded: true });
    expect(told({ seenIn: 2, dueAt: NOW }, progressing, 2)).toMatchObject({ seenIn: null, degraded: true });
    // Behind a closed gate nothing is due: whoever opens it makes it due.
    const behind = targetWith({ ...verified, dueAt: null });
    expect(transition(rollout, behind, { type: 'HealthObserved', health: healthy, round: 2 }, NOW)).toBe(behind);
  });

  it('counts from an old look neither towards its stable time nor towards its gates', () => {
    const rollout = { ...rolloutUnder(), round: 3 };
    const verifying = targetWith({
      state: 'Verifying',
      phase: 'verify',
      verifyingSince: 0,
      healthySince: 1,
      dueAt: NOW,
    });
    const event = { type: 'HealthObserved', health: healthy, round: 2 } as const;
    expect(transition(rollout, verifying, event, NOW)).toEqual(verifying);
    expect(transition(rollout, verifying, { ...event, round: 3 }, NOW)).toMatchObject({ phase: 'finalize', seenIn: 3 });
  });

  it('is counted as ill at once, with what is seen', () => {
    expect(seen({ ...verified, healthySince: 5 }, progressing)).toMatchObject({
      state: 'Succeeded',
      degraded: true,
      degradedSince: TIME,
      failingSince: null,
      healthySince: null,
      reason: 'Regressing',
      message: '1 of 2 ready',
      evidence: { object: web, text: '1 of 2 ready' },
      dueAt: NOW + 30 * SECOND,
    });
    expect(seen(ill, progressing)).toMatchObject({ degradedSince: 30 * SECOND, dueAt: NOW + 20 * SECOND });
    expect(seen(ill, unsaid)).toMatchObject({ evidence: null, message: '' });
  });

  it('has to stay well for a while before it counts as verified again', () => {
    expect(seen({ ...ill, failingSince: 5, evidence: { object: web, text: 'x' } }, healthy)).toMatchObject({
      degraded: true,
      degradedSince: 30 * SECOND,
      failingSince: null,
      healthySince: TIME,
      evidence: null,
      reason: 'Verified',
      message: 'healthy again, and has to stay so',
      dueAt: NOW + 20 * SECOND,
    });
    expect(seen({ ...ill, healthySince: TIME - 20 * SECOND + 1 }, healthy)).toMatchObject({
      degraded: true,
      dueAt: NOW + 1,
    });
    expect(seen({ ...ill, healthySince: TIME - 20 * SECOND }, healthy)).toMatchObject({
      degraded: false,
      degradedSince: null,
      reason: 'Verified',
      message: '',
      dueAt: NOW + 30 * SECOND,
    });
  });

  it('fails when something that does not mend has lasted for long enough', () => {
    const first = seen(ill, failing);
    expect(first).toMatchObject({
      state: 'Succeeded',
      failingSince: TIME,
      message: 'no such image',
      dueAt: NOW + 5 * SECOND,
    });
    expect(seen({ ...ill, failingSince: TIME - 5 * SECOND + 1 }, failing).state).toBe('Succeeded');
    expect(seen({ ...ill, failingSince: TIME - 5 * SECOND }, failing)).toMatchObject({
      state: 'Failed',
      reason: 'ImagePullFailed',
      message: 'after it was verified: no such image',
      evidence: { object: pod, text: 'no such image' },
      everFailed: true,
    });
    const patient = rolloutUnder({ failFast: 'off' });
    expect(seen({ ...ill, failingSince: 0 }, failing, patient)).toMatchObject({
      state: 'Succeeded',
      dueAt: NOW + 20 * SECOND,
    });
    expect(seen({ ...ill, failingSince: 0 }, progressing)).toMatchObject({ state: 'Succeeded', failingSince: null });
  });

  it('fails when it does not recover in time', () => {
    expect(seen({ ...ill, degradedSince: 10 * SECOND + 1 }, progressing).state).toBe('Succeeded');
    expect(seen({ ...ill, degradedSince: 10 * SECOND }, progressing)).toMatchObject({
      state: 'Failed',
      reason: 'Regressed',
      message: 'after it was verified: 1 of 2 ready',
      evidence: { object: web, text: '1 of 2 ready' },
    });
    expect(seen({ ...ill, degradedSince: 10 * SECOND }, unsaid)).toMatchObject({
      state: 'Failed',
      message: 'after it was verified: ',
    });
  });
});
