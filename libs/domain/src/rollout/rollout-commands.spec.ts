import { abort, liftStop, orderRollback, pause, resume, stop, supersede } from './rollout-commands.ts';
import type { Irreversible, Pause, Rollout, RolloutState } from './rollout.ts';
import { gateWith, NOW, rolloutWith, runWith, SECOND } from './testing/rollout-builders.ts';

const TIME = 60 * SECOND;
const mara = { by: 'mara', reason: 'lunch' };
const drained: Pause = { mode: 'drain', by: 'jo', reason: 'x', since: NOW - SECOND, emergency: false };
const stopped: Pause = { mode: 'freeze', by: 'jo', reason: 'x', since: NOW - SECOND, emergency: true };
const ENDED: readonly RolloutState[] = [
  'Succeeded',
  'Incomplete',
  'RolledBack',
  'RollbackFailed',
  'Aborted',
  'Superseded',
  'Rejected',
];
const inState = (state: RolloutState, changes: Partial<Rollout> = {}) => rolloutWith([{}], { state, ...changes });
const of = (commanded: object): Rollout => (commanded as { readonly rollout: Rollout }).rollout;

describe('a rollout that has ended', () => {
  it.each(ENDED)('cannot be paused, stopped, resumed, aborted or superseded: %s', (state) => {
    const rollout = inState(state, { paused: stopped });
    const forbidden = (verb: string) => ({ forbidden: `a rollout that is ${state} cannot be ${verb}` });
    expect(pause(rollout, 'freeze', mara, NOW)).toEqual(forbidden('paused'));
    expect(stop(rollout, mara, NOW)).toEqual(forbidden('stopped'));
    expect(liftStop(rollout, NOW)).toEqual(forbidden('resumed'));
    expect(resume(rollout, mara, NOW)).toEqual(forbidden('resumed'));
    expect(abort(rollout, mara, NOW)).toEqual(forbidden('aborted'));
    expect(supersede(rollout, 'r2', NOW)).toEqual(forbidden('superseded'));
  });
});

describe('a pause', () => {
  it('that freezes stops the clock and every write', () => {
    expect(of(pause(rolloutWith(), 'freeze', mara, NOW))).toMatchObject({
      paused: { mode: 'freeze', by: 'mara', reason: 'lunch', since: NOW, emergency: false },
      clock: { ran: TIME, since: null },
      gate: { generation: 2, forward: false, backward: false },
    });
  });

  it('that drains lets the clock and the writes go on', () => {
    const { clock, gate } = of(pause(rolloutWith(), 'drain', mara, NOW));
    expect({ clock, gate }).toEqual({ clock: rolloutWith().clock, gate: rolloutWith().gate });
  });

  it('lets the clock go on where a drain takes the place of a freeze, once the rollout has begun', () => {
    const frozen = of(pause(rolloutWith(), 'freeze', mara, NOW));
    expect(of(pause(frozen, 'drain', mara, NOW + SECOND)).clock).toEqual({ ran: TIME, since: NOW + SECOND });
    const queued = inState('Queued', { startedAt: null, clock: { ran: 0, since: null } });
    expect(of(pause(queued, 'drain', mara, NOW)).clock).toEqual({ ran: 0, since: null });
  });

  it('under an emergency stop waits until that is lifted', () => {
    const held = of(pause(inState('Progressing', { paused: stopped }), 'drain', mara, NOW));
    expect(held.paused).toEqual({ ...stopped, under: { mode: 'drain', by: 'mara', reason: 'lunch', since: NOW } });
    expect(of(liftStop(held, NOW)).paused).toEqual({
      mode: 'drain',
      by: 'mara',
      reason: 'lunch',
      since: NOW,
      emergency: false,
    });
  });
});

describe('the emergency stop', () => {
  it('freezes, and remembers nothing where nobody had paused', () => {
    const { paused, gate } = of(stop(rolloutWith(), mara, NOW));
    expect(paused).toStrictEqual({ mode: 'freeze', by: 'mara', reason: 'lunch', since: NOW, emergency: true });
    expect(gate).toEqual({ generation: 2, forward: false, backward: false });
  });

  it('remembers a person’s pause, also when it is asked for twice', () => {
    const once = of(stop(inState('Progressing', { paused: drained }), mara, NOW));
    const under = { mode: 'drain', by: 'jo', reason: 'x', since: NOW - SECOND };
    expect(once.paused?.under).toEqual(under);
    expect(of(stop(once, mara, NOW + SECOND)).paused).toMatchObject({ since: NOW + SECOND, under });
  });

  it('is lifted where it is in force', () => {
    const lifted = of(liftStop(of(stop(rolloutWith(), mara, NOW)), NOW + SECOND));
    expect(lifted).toMatchObject({ paused: null, clock: { ran: TIME, since: NOW + SECOND }, gate: { forward: true } });
    const halted = inState('Halted', { paused: stopped, clock: { ran: TIME, since: null } });
    expect(of(liftStop(halted, NOW))).toMatchObject({ paused: null, clock: { ran: TIME, since: null } });
    const none = { forbidden: 'the rollout is not held by the emergency stop' };
    expect(liftStop(rolloutWith(), NOW)).toEqual(none);
    expect(liftStop(inState('Progressing', { paused: drained }), NOW)).toEqual(none);
  });
});

describe('a resume', () => {
  it('lifts a pause and nothing else', () => {
    const rollout = inState('Halted', { paused: drained, reason: 'FailureBudgetExceeded' });
    expect(of(resume(rollout, mara, NOW))).toMatchObject({
      paused: null,
      state: 'Halted',
      reason: 'FailureBudgetExceeded',
    });
  });

  it('needs something that holds the rollout', () => {
    expect(resume(rolloutWith(), mara, NOW)).toEqual({
      forbidden: 'the rollout is Progressing and neither paused nor halted',
    });
  });

  it('of a halted rollout accepts the failures so far, and nothing beyond them', () => {
    const halted = rolloutWith(
      [
        { counts: { everFailed: 2, unreachableCounted: 1 }, wave: { state: 'Failed', finishedAt: NOW } },
        { counts: { everFailed: 1 }, wave: { state: 'Succeeded', finishedAt: NOW } },
      ],
      {
        state: 'Halted',
        reason: 'FailureBudgetExceeded',
        message: 'x',
        clock: { ran: TIME, since: null },
        gate: { generation: 2, forward: false, backward: false },
        regions: { eu: { inFlight: 0, failures: 3, acceptedFailures: 0 } },
        irreversible: [{ object: 'a' as never, why: '', cluster: 'c1', accepted: false }],
      },
    );
    expect(of(resume(halted, mara, NOW))).toMatchObject({
      state: 'Progressing',
      reason: 'ResumedByPerson',
      message: '',
      clock: { ran: TIME, since: NOW },
      gate: { generation: 3, forward: true, backward: true },
      waves: [
        { state: 'Progressing', finishedAt: null, acceptedFailures: 3, acceptedUnverified: true },
        { state: 'Succeeded', finishedAt: NOW, acceptedFailures: 1, acceptedUnverified: false },
      ],
      regions: { eu: { failures: 3, acceptedFailures: 3 } },
      irreversible: [{ accepted: false }],
      deadlineAccepted: false,
    });
  });

  it('accepts what cannot be taken back, or the deadline, where that was what halted it', () => {
    const irreversible: Irreversible[] = [{ object: 'a' as never, why: '', cluster: 'c1', accepted: false }];
    const over = (reason: string, changes: Partial<Rollout> = {}) =>
      of(resume(inState('Halted', { reason, irreversible, ...changes }), mara, NOW));
    expect(over('RollbackImpossible').irreversible[0]!.accepted).toBe(true);
    expect(over('RollbackImpossible').deadlineAccepted).toBe(false);
    expect(over('DeadlineExceeded').deadlineAccepted).toBe(true);
    expect(over('X', { deadlineAccepted: true }).deadlineAccepted).toBe(true);
  });

  it('overrides the gates that halted it by this person’s name, unless that person may not', () => {
    const approval = gateWith({ name: 'yes', phase: 'before', kind: 'approval', spec: { fourEyes: true } });
    const halted = rolloutWith(
      [{ plan: { gates: [approval] }, wave: { state: 'Failed', gates: [runWith(approval, { state: 'Failed' })] } }],
      { state: 'Halted', reason: 'GateFailed' },
    );
    expect(resume(halted, mara, NOW)).toMatchObject({ code: 'FourEyes' });
    const resumed = of(resume(halted, { by: 'jo', reason: 'known' }, NOW));
    expect(resumed.state).toBe('Progressing');
    expect(resumed.gateOverrides).toEqual([
      { wave: 'w0', gate: 'yes', cluster: null, by: 'jo', reason: 'known', at: NOW },
    ]);
    expect(resumed.waves[0]!.gates).toMatchObject([
      { state: 'Overridden', overriddenBy: { by: 'jo', reason: 'known' } },
    ]);
  });
});

describe('a rollout that two gates have halted', () => {
  it('goes on when both are overridden', () => {
    const gates = [gateWith({ name: 'errors' }), gateWith({ name: 'latency' })];
    const failed = gates.map((gate) => runWith(gate, { state: 'Failed' }));
    const halted = rolloutWith([{ plan: { gates }, wave: { state: 'Failed', gates: failed } }], { state: 'Halted' });
    const resumed = of(resume(halted, mara, NOW));
    expect(resumed.waves[0]!.gates).toMatchObject([{ state: 'Overridden' }, { state: 'Overridden' }]);
    expect(resumed.gateOverrides.map(({ gate }) => gate)).toEqual(['errors', 'latency']);
  });
});

describe('an end that somebody decides', () => {
  it('is an abort, with the reason for it, if there is one', () => {
    expect(of(abort(inState('Progressing'), { by: 'mara', reason: '' }, NOW)).message).toBe('aborted by mara');
    expect(of(abort(inState('Progressing', { paused: drained }), mara, NOW))).toMatchObject({
      state: 'Aborted',
      reason: 'AbortedByPerson',
      message: 'aborted by mara: lunch',
      paused: null,
      clock: { ran: TIME, since: null },
      finishedAt: NOW,
      gate: { generation: 2, forward: false, backward: false },
    });
  });

  it('is a newer rollout, by name', () => {
    expect(of(supersede(rolloutWith(), 'r2', NOW))).toMatchObject({
      state: 'Superseded',
      reason: 'Superseded',
      message: 'superseded by rollout r2',
      finishedAt: NOW,
    });
  });
});

describe('a rollback that a person orders', () => {
  const order = { scope: 'wave', wave: 0, clusters: [], by: 'mara', reason: 'looks wrong' } as const;

  it.each(['Progressing', 'Halted', 'Succeeded', 'Incomplete', 'Aborted', 'RollbackFailed'] as const)(
    'begins from %s',
    (state) => {
      const closed = { generation: 1, forward: false, backward: false };
      const given = inState(state, { finishedAt: NOW - SECOND, gate: closed, clock: { ran: TIME, since: null } });
      expect(of(orderRollback(given, order, NOW))).toMatchObject({
        state: 'RollingBack',
        reason: 'RequestedByPerson',
        message: 'looks wrong',
        rollback: { ...order, automatic: false, startedAt: NOW },
        clock: { ran: TIME, since: NOW },
        finishedAt: null,
        gate: { generation: 2, forward: false, backward: true },
      });
    },
  );

  it('ends every permit to go forward at once', () => {
    expect(of(orderRollback(rolloutWith(), order, NOW)).gate).toEqual({
      generation: 2,
      forward: false,
      backward: true,
    });
  });

  it.each(['Queued', 'Planned', 'Preflight', 'RolledBack', 'Superseded', 'Rejected'] as const)(
    'is not possible from %s',
    (state) => {
      expect(orderRollback(inState(state), order, NOW)).toEqual({
        forbidden: `a rollout that is ${state} cannot be rolled back`,
      });
    },
  );

  it('widens one that is under way to the whole rollout, and to nothing else', () => {
    const rolling = inState('RollingBack');
    expect(orderRollback(rolling, order, NOW)).toEqual({
      forbidden: 'the rollout is rolling back already; only its whole scope can be asked for now',
    });
    expect(of(orderRollback(rolling, { ...order, scope: 'rollout' }, NOW)).rollback?.scope).toBe('rollout');
  });

  it('waits for the end of a freeze, its clock too', () => {
    const frozen = of(pause(inState('Halted', { startedAt: null }), 'freeze', mara, NOW));
    expect(of(orderRollback(frozen, order, NOW + SECOND))).toMatchObject({
      clock: { since: null },
      startedAt: NOW + SECOND,
    });
  });
});
