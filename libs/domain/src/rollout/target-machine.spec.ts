import type { ObjectKey } from '../kubernetes/object.ts';
import { targetWith, rolloutWith, NOW, SECOND, type GivenWave } from './testing/rollout-builders.ts';
import { transition } from './target-machine.ts';
import { PROBE_INTERVAL, RECHECK_INTERVAL, type TargetEvent } from './target-event.ts';
import type { Rollout, RolloutState, Target, TargetState } from './rollout.ts';

const TIME = 60 * SECOND;
const previous = { commit: 'b'.repeat(40), digest: 'sha256:old@c1' };
const running = rolloutWith();
const inState = (state: RolloutState, changes: Partial<Rollout> = {}) => rolloutWith([{}], { state, ...changes });
const waitingFor = (then: 'count' | 'skip' | 'halt') =>
  rolloutWith([{}], {}, { unreachable: { wait: 50 * SECOND, then } });
const after = (target: Partial<Target>, event: TargetEvent, rollout = running) =>
  transition(rollout, targetWith(target), event, NOW);
/** The event leaves it as it was: the very same object. */
const isLeftAlone = (changes: Partial<Target>, event: TargetEvent, rollout = running): boolean => {
  const target = targetWith(changes);
  return transition(rollout, target, event, NOW) === target;
};
const cutOff: TargetEvent = { type: 'CutOff', reason: 'ClusterUnreachable', message: 'connection refused' };
const refused: TargetEvent = { type: 'Refused', reason: 'ApplyRefused', message: 'denied by policy', object: null };
const away: Partial<Target> = { state: 'Unreachable', unreachableSince: 0, message: 'connection refused' };

describe('a target that is started', () => {
  const begun = after({ reason: 'ClusterBack', message: 'x', dueAt: null, attempt: 2 }, { type: 'Started', previous });

  it('applies at once, as another attempt, with nothing known of its health', () => {
    expect(begun).toMatchObject({
      state: 'Applying',
      phase: 'apply',
      reason: 'Applying',
      message: '',
      previous,
      attempt: 3,
      startedAt: NOW,
      dueAt: NOW,
      unreachableSettled: false,
    });
  });

  it('has its gates measured anew', () => {
    const gates = [{ gate: 'errors', state: 'Passed' }] as never;
    expect(after({ gates }, { type: 'Started', previous }).gates).toEqual([]);
  });

  it('keeps what it goes back to once it was touched, and when it began at first', () => {
    const again = after({ touched: true, previous, startedAt: 5 }, { type: 'Started', previous: null });
    expect(again).toMatchObject({ previous, startedAt: 5 });
    expect(after({ previous }, { type: 'Started', previous: null }).previous).toBeNull();
  });

  it('goes on with the outage that it was in', () => {
    const outage = { work: 'apply', since: null, lasted: 7 * SECOND } as const;
    expect(after({ outage }, { type: 'Started', previous }).outage).toEqual({
      work: 'apply',
      since: TIME - 7 * SECOND,
      lasted: 0,
    });
  });

  it.each(['Applying', 'Verifying', 'Succeeded', 'Failed', 'RollingBack'] as const)(
    'is one that waits for its place: a wake-up twice does nothing to one that is %s',
    (state) => {
      expect(isLeftAlone({ state }, { type: 'Started', previous })).toBe(true);
    },
  );
});

describe('a target that is written to', () => {
  it('is touched before the first write, once, and only while it applies', () => {
    expect(after({ state: 'Applying' }, { type: 'Touching' }).touched).toBe(true);
    expect(isLeftAlone({ state: 'Applying', touched: true }, { type: 'Touching' })).toBe(true);
    expect(isLeftAlone({ state: 'Pending' }, { type: 'Touching' })).toBe(true);
    expect(isLeftAlone({ state: 'RollingBack' }, { type: 'Touching' })).toBe(true);
  });

  it('is verified from the moment at which everything was applied', () => {
    const irreversible = [{ object: 'Job/web/x' as ObjectKey, why: 'gone' }];
    expect(after({ state: 'Applying', opensAt: 5 }, { type: 'Applied', irreversible })).toMatchObject({
      state: 'Verifying',
      phase: 'verify',
      reason: 'GatePending',
      verifyingSince: TIME,
      dueAt: NOW,
      opensAt: null,
      irreversible,
    });
    expect(after({ state: 'Applying', irreversible }, { type: 'Applied' }).irreversible).toEqual([]);
  });

  it('is verified too when it returns, and keeps what its apply had found', () => {
    const irreversible = [{ object: 'Job/web/x' as ObjectKey, why: 'gone' }];
    const given = { state: 'RollingBack', phase: 'apply', irreversible, unreachableSince: 5, reason: 'x' } as const;
    expect(after(given, { type: 'Applied' })).toMatchObject({
      state: 'RollingBack',
      phase: 'verify',
      reason: 'x',
      verifyingSince: TIME,
      unreachableSince: null,
      irreversible,
      dueAt: NOW,
    });
  });

  it.each([
    ['Pending', 'apply'],
    ['Verifying', 'verify'],
    ['RollingBack', 'verify'],
    ['Succeeded', 'finalize'],
  ] as const)('is not applied twice: one that is %s (%s)', (state, phase) => {
    expect(isLeftAlone({ state, phase }, { type: 'Applied' })).toBe(true);
  });

  it('is over an outage of its writes once it was applied', () => {
    const given = { work: 'apply', since: 0, lasted: 0 } as const;
    expect(after({ state: 'Applying', outage: given }, { type: 'Applied' }).outage).toBeNull();
    const later = { work: 'finalize', since: 50 * SECOND, lasted: 0 } as const;
    expect(after({ state: 'Applying', outage: later }, { type: 'Applied' }).outage).toEqual({
      work: 'finalize',
      since: null,
      lasted: 10 * SECOND,
    });
  });
});

describe('a target whose cluster refuses', () => {
  it.each(['Applying', 'Verifying', 'Succeeded'] as const)('has failed when it was %s, and says by what', (state) => {
    const object = 'Deployment/web/web' as ObjectKey;
    expect(after({ state, touched: true, owes: 'forward' }, { ...refused, object })).toMatchObject({
      state: 'Failed',
      reason: 'ApplyRefused',
      message: 'denied by policy',
      evidence: { object, text: 'denied by policy' },
      everFailed: true,
      finishedAt: NOW,
      owes: 'forward',
    });
  });

  it('owes nothing where nothing was written yet', () => {
    expect(after({ state: 'Applying', owes: 'forward' }, refused).owes).toBeNull();
  });

  it('could not be restored when it was on its way back', () => {
    expect(after({ state: 'RollingBack', owes: 'back' }, refused)).toMatchObject({
      state: 'RollbackFailed',
      reason: 'ApplyRefused',
      evidence: { object: null, text: 'denied by policy' },
      owes: null,
      finishedAt: NOW,
    });
  });

  it.each(['CredentialsRefused', 'CredentialsNotFound', 'ExecNotAllowed', 'FileReferenceNotAllowed', 'Unauthorized'])(
    'is away, and not failed, where it is Breakwater that is not let in any more: %s',
    (reason) => {
      const shutOut: TargetEvent = { type: 'Refused', reason, message: 'not let in', object: null };
      expect(after({ state: 'Succeeded', touched: true }, shutOut)).toMatchObject({
        state: 'Unreachable',
        unreachableSince: TIME,
        message: 'not let in',
        everFailed: false,
        dueAt: NOW + PROBE_INTERVAL,
      });
      const back = after({ state: 'RollingBack', touched: true }, shutOut);
      expect(back).toMatchObject({ state: 'RollingBack', unreachableSince: TIME, dueAt: NOW + PROBE_INTERVAL });
      const since = { state: 'RollingBack', touched: true, unreachableSince: 5 * SECOND } as const;
      expect(after(since, shutOut, waitingFor('count'))).toMatchObject({ state: 'RollbackFailed', owes: 'back' });
      expect(after({ state: 'Applying', touched: true }, shutOut).state).toBe('Failed');
    },
  );

  it('waits on while it is away or owed something, and is left alone in any other state', () => {
    expect(after(away, refused)).toMatchObject({ state: 'Unreachable', dueAt: NOW + PROBE_INTERVAL });
    expect(after({ state: 'Skipped', owes: 'forward' }, refused)).toMatchObject({ dueAt: NOW + PROBE_INTERVAL });
    for (const state of ['Pending', 'Skipped', 'Failed', 'RolledBack'] as const)
      expect(isLeftAlone({ state, unreachableSince: 5 }, refused)).toBe(true);
  });
});

describe('a target that is cut off', () => {
  it.each([
    ['Applying', 'apply', 'apply'],
    ['Verifying', 'verify', 'verify'],
    ['Verifying', 'gates', 'verify'],
    ['Verifying', 'finalize', 'finalize'],
    ['Succeeded', 'finalize', 'verify'],
  ] as const)('is unreachable when it was %s (%s), in an outage of %s', (state, phase, work) => {
    const given = { state, phase, healthySince: 5, verifyingSince: 5, failingSince: 5, degraded: true, finishedAt: 5 };
    expect(after(given, cutOff)).toMatchObject({
      state: 'Unreachable',
      reason: 'ClusterUnreachable',
      message: 'connection refused',
      evidence: { object: null, text: 'connection refused' },
      unreachableSince: TIME,
      outage: { work, since: TIME, lasted: 0 },
      healthySince: null,
      verifyingSince: null,
      failingSince: null,
      degraded: false,
      finishedAt: null,
      dueAt: NOW + PROBE_INTERVAL,
    });
  });

  it('has been so since the outage before began, when that was not over', () => {
    const outage = { work: 'apply', since: 20 * SECOND, lasted: 0 } as const;
    expect(after({ state: 'Applying', outage }, cutOff)).toMatchObject({ unreachableSince: 20 * SECOND });
    const still = { work: 'apply', since: null, lasted: 5 * SECOND } as const;
    expect(after({ state: 'Applying', outage: still }, cutOff).unreachableSince).toBe(TIME - 5 * SECOND);
  });

  it('stays on its way back, waited for like any other', () => {
    expect(after({ state: 'RollingBack', healthySince: 5 }, cutOff)).toMatchObject({
      state: 'RollingBack',
      message: 'connection refused',
      unreachableSince: TIME,
      healthySince: null,
      outage: { work: 'apply', since: TIME },
      dueAt: NOW + PROBE_INTERVAL,
    });
  });

  it('is unreachable before it was started, too', () => {
    expect(after({ state: 'Pending' }, cutOff)).toMatchObject({
      state: 'Unreachable',
      reason: 'ClusterUnreachable',
      message: 'connection refused',
      unreachableSince: TIME,
      dueAt: NOW + PROBE_INTERVAL,
    });
  });

  it('is tried again where it is owed something, and left alone where it is not', () => {
    expect(after({ state: 'Skipped', owes: 'forward' }, cutOff).dueAt).toBe(NOW + PROBE_INTERVAL);
    for (const state of ['Skipped', 'Failed', 'RolledBack', 'RollbackFailed'] as const)
      expect(isLeftAlone({ state, unreachableSince: 5 }, cutOff)).toBe(true);
  });
});

describe('the wait for a cluster that is away', () => {
  const since = 10 * SECOND;

  it('is over at the moment that the strategy says, and not before', () => {
    expect(after({ ...away, unreachableSince: since + 1 }, { type: 'Looked' }, waitingFor('count'))).toMatchObject({
      unreachableSettled: false,
      owes: null,
      dueAt: NOW + PROBE_INTERVAL,
    });
    expect(after({ ...away, unreachableSince: since }, { type: 'Looked' }, waitingFor('count'))).toMatchObject({
      state: 'Unreachable',
      unreachableSettled: true,
      owes: 'forward',
      dueAt: NOW + PROBE_INTERVAL,
    });
  });

  it('ends with a cluster that is skipped and owed its revision, where the strategy says so', () => {
    expect(after({ ...away, unreachableSince: since }, { type: 'Looked' }, waitingFor('skip'))).toMatchObject({
      state: 'Skipped',
      reason: 'ClusterUnreachable',
      owes: 'forward',
      unreachableSettled: true,
      finishedAt: NOW,
    });
  });

  it('is settled once', () => {
    const settled = { ...away, unreachableSince: since, unreachableSettled: true, owes: null };
    expect(after(settled, { type: 'Looked' }, waitingFor('skip'))).toMatchObject({ state: 'Unreachable', owes: null });
    const skipped = { ...away, state: 'Skipped' as const, unreachableSince: since };
    expect(after(skipped, { type: 'Looked' }, waitingFor('count'))).toMatchObject({ state: 'Skipped', owes: null });
  });

  it('fails a return, which is owed then', () => {
    const back = { state: 'RollingBack', unreachableSince: since, message: 'no route' } as const;
    expect(after(back, { type: 'Looked' }, waitingFor('count'))).toMatchObject({
      state: 'RollbackFailed',
      reason: 'ClusterUnreachable',
      message: "unreachable for longer than the strategy's wait: no route",
      owes: 'back',
      dueAt: NOW + PROBE_INTERVAL,
    });
  });

  it('does not concern a cluster that is there', () => {
    expect(isLeftAlone({ state: 'Verifying', dueAt: 5 }, { type: 'Looked' })).toBe(true);
    expect(after({ state: 'Skipped', owes: 'forward' }, { type: 'Looked' }).dueAt).toBe(NOW + PROBE_INTERVAL);
  });
});

describe('a cluster that answers again', () => {
  const reached: TargetEvent = { type: 'Reached' };

  it.each([
    ['Unreachable', null],
    ['Unreachable', 'forward'],
    ['Skipped', 'forward'],
  ] as const)('queues for its place, from %s (owes: %s)', (state, owes) => {
    const outage = { work: 'apply', since: 50 * SECOND, lasted: 0 } as const;
    const given = {
      ...away,
      state,
      owes,
      outage,
      unreachableSettled: true,
      evidence: { object: null, text: 'x' },
      dueAt: 5,
    };
    expect(after({ ...given, finishedAt: 5, healthySince: 5, degradedSince: 5 }, reached)).toMatchObject({
      state: 'Pending',
      reason: 'ClusterBack',
      message: 'the cluster answers again',
      evidence: null,
      unreachableSince: null,
      unreachableSettled: false,
      outage: { work: 'apply', since: null, lasted: 10 * SECOND },
      owes: null,
      finishedAt: null,
      healthySince: null,
      degradedSince: null,
      dueAt: null,
    });
  });

  it('is left alone where nothing is owed to it, or while the rollout goes no further', () => {
    for (const state of ['Skipped', 'Pending', 'Applying', 'Succeeded', 'Failed'] as const)
      expect(isLeftAlone({ state }, reached)).toBe(true);
    expect(isLeftAlone({ state: 'Failed', owes: 'forward' }, reached)).toBe(true);
    expect(isLeftAlone(away, reached, inState('Halted'))).toBe(true);
    expect(isLeftAlone({ ...away, state: 'Skipped', owes: 'forward' }, reached, inState('RollingBack'))).toBe(true);
  });

  it('goes on with its return', () => {
    expect(after({ state: 'RollingBack', unreachableSince: 5 }, reached)).toMatchObject({
      unreachableSince: null,
      message: 'the cluster answers again',
    });
    expect(isLeftAlone({ state: 'RollingBack', message: 'x' }, reached)).toBe(true);
  });

  it('gets what it is owed after the end, at once', () => {
    const forward = {
      ...away,
      owes: 'forward',
      previous,
      touched: false,
      outage: { work: 'apply', since: 0, lasted: 0 },
    } as const;
    expect(after({ ...forward, dueAt: 5 }, reached, inState('Incomplete'))).toMatchObject({
      state: 'Applying',
      reason: 'SettlingDebt',
      owes: 'forward',
      previous,
      outage: null,
      attempt: 1,
    });
    const back = { state: 'RollbackFailed', owes: 'back', previous } as const;
    expect(after(back, reached, inState('RollbackFailed'))).toMatchObject({
      state: 'RollingBack',
      reason: 'SettlingDebt',
      owes: 'back',
    });
    for (const state of ['Applying', 'Verifying'] as const)
      expect(isLeftAlone({ state, owes: 'forward' }, reached, inState('Incomplete'))).toBe(true);
  });
});

describe('a return', () => {
  const order: TargetEvent = { type: 'ReturnStarted', reason: 'FailureBudgetExceeded' };

  it('begins anew, to the revision that was there before', () => {
    const given = {
      state: 'Verifying',
      phase: 'verify',
      previous,
      healthySince: 5,
      outage: { work: 'verify', since: 5, lasted: 0 },
    } as const;
    expect(
      after({ ...given, unreachableSince: 5, unreachableSettled: true, attempt: 1, finishedAt: 5 }, order),
    ).toMatchObject({
      state: 'RollingBack',
      phase: 'apply',
      reason: 'FailureBudgetExceeded',
      message: 'returning to bbbbbbbbbbbb',
      healthySince: null,
      outage: null,
      unreachableSince: null,
      unreachableSettled: false,
      attempt: 2,
      finishedAt: null,
      owes: null,
      dueAt: NOW,
    });
    expect(after({ state: 'Succeeded' }, order).message).toBe('returning to nothing');
  });

  it('is itself the debt where one is settled after the end, and only there', () => {
    const owed = { state: 'Failed', owes: 'forward' } as const;
    expect(after(owed, order, inState('Incomplete')).owes).toBe('back');
    expect(after(owed, order, inState('RollingBack')).owes).toBeNull();
    expect(after({ ...owed, owes: null }, order, inState('Incomplete'))).toMatchObject({
      state: 'RollingBack',
      owes: null,
    });
  });
});

describe('after the end', () => {
  const ended = inState('Succeeded');
  const events: readonly TargetEvent[] = [
    { type: 'Looked' },
    { type: 'Held' },
    { type: 'Reached' },
    cutOff,
    refused,
    { type: 'Applied' },
  ];

  it('a target to which nothing is owed is not due any more, whatever is told of it', () => {
    for (const event of events) {
      expect(after({ state: 'Verifying', dueAt: 5 }, event, ended)).toEqual(
        targetWith({ state: 'Verifying', dueAt: null }),
      );
      expect(isLeftAlone({ state: 'Verifying' }, event, ended)).toBe(true);
    }
  });

  it('one to which something is owed goes on', () => {
    expect(after({ state: 'Applying', owes: 'forward' }, { type: 'Applied' }, ended).state).toBe('Verifying');
  });

  it('what the rollout itself says is heard', () => {
    const left: TargetEvent = { type: 'Left', reason: 'Aborted', message: 'left as it is' };
    expect(
      after({ state: 'Verifying', dueAt: 5, opensAt: 5, failingSince: 5, degraded: true }, left, ended),
    ).toMatchObject({
      state: 'Verifying',
      reason: 'Aborted',
      message: 'left as it is',
      dueAt: null,
      opensAt: null,
      failingSince: null,
      degraded: false,
    });
    expect(after({ state: 'Succeeded' }, { type: 'ReturnStarted', reason: 'x' }, ended).state).toBe('RollingBack');
  });
});

describe('a debt', () => {
  const voided = (target: Partial<Target>, takenBack: boolean) =>
    after({ dueAt: 5, ...target }, { type: 'DebtVoided', takenBack }, inState('Incomplete'));

  it('of the revision ends with the rollout’s successor', () => {
    expect(voided({ owes: 'forward' }, false)).toMatchObject({ owes: null, dueAt: null });
    expect(voided({ owes: 'forward', touched: true }, false)).toMatchObject({ owes: null, dueAt: null });
  });

  it('of the revision becomes one of the return when everything is taken back, where something was written', () => {
    expect(voided({ owes: 'forward', touched: true }, true)).toMatchObject({ owes: 'back', dueAt: 5 });
    expect(voided({ owes: 'forward' }, true)).toMatchObject({ owes: null, dueAt: null });
  });

  it('of the revision goes no further while it is being settled, when that is taken back', () => {
    for (const state of ['Applying', 'Verifying'] as const)
      expect(voided({ state, owes: 'forward', touched: true }, true)).toMatchObject({
        state: 'Unreachable',
        owes: 'back',
        dueAt: 5,
      });
  });

  it('of a return stays when everything is taken back', () => {
    expect(voided({ owes: 'back', touched: true }, true)).toMatchObject({ owes: 'back', dueAt: 5 });
    expect(voided({ owes: 'back', touched: true }, false)).toMatchObject({ owes: null, dueAt: null });
  });

  it('is none where nothing was owed', () => {
    expect(voided({ touched: true }, true).owes).toBeNull();
  });

  it('passes to a newer rollout, which is named', () => {
    expect(
      after({ owes: 'back', dueAt: 5 }, { type: 'DebtPassed', to: 'r2' }, inState('RollbackFailed')),
    ).toMatchObject({
      owes: null,
      dueAt: null,
      message: 'rollout r2 owes this cluster its revision now',
    });
  });
});

describe('a target that found no permit to write', () => {
  const heldIn = (state: TargetState, gate: Partial<Rollout['gate']>) =>
    after(
      { state, dueAt: 5 },
      { type: 'Held' },
      rolloutWith([{}], { gate: { generation: 1, forward: true, backward: true, ...gate } }),
    ).dueAt;

  it('is not due before the gate of its direction opens again', () => {
    expect(heldIn('Applying', { forward: false })).toBeNull();
    expect(heldIn('Applying', { backward: false })).toBe(5);
    expect(heldIn('RollingBack', { backward: false })).toBeNull();
    expect(heldIn('RollingBack', { forward: false })).toBe(5);
  });

  it('tries again where it is a debt’s, as nobody opens a gate for those', () => {
    expect(after({ state: 'Applying', owes: 'forward' }, { type: 'Held' }, inState('Incomplete')).dueAt).toBe(
      NOW + PROBE_INTERVAL,
    );
  });
});

describe('a window', () => {
  const until = NOW + 60 * SECOND;
  const closed = (changes: object = {}): TargetEvent => ({
    type: 'WindowClosed',
    closure: {
      kind: 'FreezeWindow',
      name: 'christmas',
      reason: 'nobody is there',
      until: { kind: 'at', at: until },
      ...changes,
    } as never,
    until,
  });

  it('holds what has not begun, and says which window and until when', () => {
    expect(after({ evidence: { object: null, text: 'x' } }, closed())).toMatchObject({
      state: 'Pending',
      reason: 'FreezeWindow',
      message: `freeze window christmas is in force until ${new Date(until).toISOString()}: nobody is there`,
      evidence: null,
      opensAt: until,
      dueAt: null,
    });
    expect(after({}, closed({ reason: null, until: { kind: 'never' } })).message).toBe(
      'freeze window christmas is in force',
    );
    expect(after({}, closed({ kind: 'MaintenanceWindow' }))).toMatchObject({
      reason: 'MaintenanceWindow',
      message: `no maintenance window of the cluster is open until ${new Date(until).toISOString()}`,
    });
    expect(after({}, closed({ kind: 'WaveSchedule', name: 'rest', until: { kind: 'never' } }))).toMatchObject({
      reason: 'MaintenanceWindow',
      message: 'wave rest is outside its hours',
    });
  });

  it('is asked about again in ten minutes, however long it lasts', () => {
    const far = NOW + 3_600 * SECOND;
    expect(after({}, { ...closed(), until: far } as TargetEvent).opensAt).toBe(NOW + 600 * SECOND);
  });

  it.each(['Applying', 'Verifying'] as const)('lets one that is %s stand still, due when it opens', (state) => {
    expect(after({ state }, closed())).toMatchObject({ state, opensAt: until, dueAt: until, reason: 'FreezeWindow' });
  });

  it.each(['Pending', 'Unreachable', 'Skipped'] as const)(
    'lets a debt of one that is %s wait, and try again then',
    (state) => {
      expect(after({ state, owes: 'forward', dueAt: 5 }, closed(), inState('Incomplete'))).toMatchObject({
        state,
        reason: 'FreezeWindow',
        opensAt: until,
        dueAt: until,
      });
    },
  );

  it('does not concern what returns, or is done', () => {
    for (const state of ['RollingBack', 'Succeeded', 'Failed'] as const)
      expect(isLeftAlone({ state }, closed())).toBe(true);
    expect(isLeftAlone({ state: 'Failed', owes: 'forward', dueAt: 5 }, closed(), inState('Incomplete'))).toBe(true);
  });
});

describe('a target whose work is done', () => {
  const finalized = (
    target: Partial<Target>,
    jobs: readonly string[] = [],
    kept: readonly string[] = [],
    rollout = running,
  ) =>
    after(
      { phase: 'finalize', ...target },
      { type: 'Finalized', kept, jobsNotRunAgain: jobs as never, suspects: [] },
      rollout,
    );

  it('has succeeded, and is looked at again until the rollout ends', () => {
    expect(finalized({ state: 'Verifying', owes: 'forward', opensAt: 5, seenIn: 1 })).toMatchObject({
      state: 'Succeeded',
      reason: 'Verified',
      message: '',
      owes: null,
      opensAt: null,
      finishedAt: NOW,
      dueAt: NOW + RECHECK_INTERVAL,
    });
    expect(finalized({ state: 'Verifying', seenIn: null }).dueAt).toBe(NOW);
    expect(finalized({ state: 'Verifying', owes: 'forward' }, [], [], inState('Incomplete')).dueAt).toBeNull();
  });

  it('says what was kept, and which Jobs were not run again', () => {
    expect(finalized({ state: 'Verifying' }, [], ['PersistentVolumeClaim/web/data', 'x']).message).toBe(
      'kept: PersistentVolumeClaim/web/data, x',
    );
    expect(finalized({ state: 'RollingBack' }, ['Job/web/a'])).toMatchObject({
      state: 'RolledBack',
      reason: 'RestoredButJobs',
      message: 'Job/web/a was not run again',
      owes: null,
      finishedAt: NOW,
    });
    expect(finalized({ state: 'RollingBack' }, ['Job/web/a', 'Job/web/b'], ['x']).message).toBe(
      'Job/web/a, Job/web/b were not run again; kept: x',
    );
    expect(finalized({ state: 'RollingBack' }).reason).toBe('Restored');
  });

  it('remembers what may still come, until a later look has found that it does not', () => {
    const suspects = ['ConfigMap/web/late' as never];
    const event = { type: 'Finalized', kept: [], jobsNotRunAgain: [], suspects } as const;
    const done = after({ state: 'Verifying', phase: 'finalize' }, event);
    expect(done).toMatchObject({ state: 'Succeeded', suspects });
    expect(after({ ...done, dueAt: 5 }, { ...event, suspects: [] })).toEqual({ ...done, dueAt: 5, suspects: [] });
    // The next apply begins from what is there.
    expect(after({ ...done }, { type: 'ReturnStarted', reason: 'Rollback' }).suspects).toEqual([]);
  });

  it('is one that was being finished', () => {
    const event = { type: 'Finalized', kept: [], jobsNotRunAgain: [], suspects: [] } as const;
    expect(isLeftAlone({ state: 'Verifying', phase: 'gates' }, event)).toBe(true);
    expect(isLeftAlone({ state: 'RollingBack', phase: 'verify' }, event)).toBe(true);
    expect(isLeftAlone({ state: 'Succeeded', phase: 'finalize' }, event)).toBe(true);
  });
});

describe('a preflight', () => {
  const preflight = { state: 'Failed', findings: [], warnings: [], notDryRun: [], at: 5 } as const;

  it('answers for what has not begun', () => {
    expect(after({}, { type: 'PreflightAnswered', preflight }).preflight).toBe(preflight);
    expect(isLeftAlone({ state: 'Applying' }, { type: 'PreflightAnswered', preflight })).toBe(true);
  });

  it('leaves out what has not begun, and says why', () => {
    const findings = [{ reason: 'Quota', object: 'Pod/web/x', message: 'no room' }] as never;
    expect(after({ preflight: { ...preflight, findings }, dueAt: 5 }, { type: 'LeftOutByPreflight' })).toMatchObject({
      state: 'Skipped',
      reason: 'PreflightFailed',
      message: 'no room',
      evidence: { object: 'Pod/web/x', text: 'no room' },
      finishedAt: NOW,
      dueAt: null,
    });
    expect(after({ preflight }, { type: 'LeftOutByPreflight' }).evidence).toEqual({ object: null, text: '' });
    expect(after({}, { type: 'LeftOutByPreflight' }).evidence).toEqual({ object: null, text: '' });
    expect(isLeftAlone({ state: 'Verifying' }, { type: 'LeftOutByPreflight' })).toBe(true);
  });
});

describe('a gate that is measured anew', () => {
  const gate = { name: 'errors', kind: 'prometheus', phase: 'during', spec: {} } as const;
  const policy = {
    initialDelay: SECOND,
    interval: SECOND,
    count: 1,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 0,
    timeout: null,
    onInconclusive: 'wait',
  } as const;
  const wave: GivenWave = {
    plan: {
      gates: [
        { ...gate, policy },
        { ...gate, name: 'latency', policy },
      ],
    },
  };

  it('begins at once on a target that is verified, and no other gate with it', () => {
    const { gates, dueAt } = after(
      { state: 'Verifying', phase: 'gates' },
      { type: 'GateRestarted', gate: 'errors' },
      rolloutWith([wave]),
    );
    expect(gates).toMatchObject([
      { gate: 'errors', state: 'Running', since: TIME, dueAt: TIME + SECOND },
      { gate: 'latency', state: 'Waiting', since: null },
    ]);
    expect(dueAt).toBe(NOW);
    expect(isLeftAlone({ state: 'Succeeded' }, { type: 'GateRestarted', gate: 'errors' }, rolloutWith([wave]))).toBe(
      true,
    );
  });
});
