import type { GateRun, Measurement, PlannedGate } from '../gates/gate.ts';
import { startClock, stopClock } from './rollout-clock.ts';
import type { Rollout } from './rollout.ts';
import { gateWith, type GivenWave, NOW, rolloutWith, runWith, SECOND } from './testing/rollout-builders.ts';
import { gateMeasured, gatesOf, lookAtGates, nextMeasurements, verdictOf, withRun } from './wave-gates.ts';
import { withGate } from './write-gate.ts';

const TIME = 60 * SECOND;
const errors = gateWith({ name: 'errors' });
const latency = gateWith({ name: 'latency' }, { failureLimit: 1, count: 2 });
const quota = gateWith({ name: 'quota', phase: 'before' });
const approval = gateWith({
  name: 'approval',
  kind: 'approval',
  phase: 'before',
  spec: { required: 1, fourEyes: false },
});
const running = (gate: PlannedGate, changes: Partial<GateRun> = {}) =>
  runWith(gate, { state: 'Running', since: 50 * SECOND, dueAt: TIME, ...changes });
const rolloutAsking = (
  gates: readonly PlannedGate[],
  runs: readonly GateRun[] = [],
  wave: GivenWave['wave'] = {},
  changes: Partial<Rollout> = {},
) => rolloutWith([{ plan: { gates }, wave: { gates: runs, ...wave } }], changes);

describe('the gates of a wave', () => {
  it('are those of one phase, in the plan’s order, with their own runs', () => {
    const rollout = rolloutAsking([errors, quota, latency], [running(latency)]);
    expect(
      gatesOf(rollout, rollout.waves[0]!, 'after').map(({ gate, run }) => [gate.name, run.gate, run.state]),
    ).toEqual([
      ['errors', 'errors', 'Waiting'],
      ['latency', 'latency', 'Running'],
    ]);
    expect(gatesOf(rollout, rollout.waves[0]!, 'before')).toHaveLength(1);
    expect(gatesOf(rolloutWith(), rolloutWith().waves[0]!, 'after')).toEqual([]);
  });

  it('keep one run each', () => {
    const { waves } = rolloutAsking([errors, latency], [running(errors), running(latency)]);
    const next = withRun(waves[0]!, running(latency, { state: 'Passed' }));
    expect(next.gates.map(({ gate, state }) => [gate, state])).toEqual([
      ['errors', 'Running'],
      ['latency', 'Passed'],
    ]);
    expect(withRun(waves[0]!, running(quota)).gates).toHaveLength(3);
  });

  it('have passed when each of them has, and failed when one of them has', () => {
    const at = (gate: PlannedGate, state: GateRun['state']) => ({ gate, run: runWith(gate, { state }) });
    expect(verdictOf([])).toEqual({ kind: 'Passed' });
    expect(verdictOf([at(errors, 'Passed'), at(latency, 'Overridden')])).toEqual({ kind: 'Passed' });
    const open = [at(errors, 'Passed'), at(latency, 'Inconclusive'), at(quota, 'Waiting')];
    expect(verdictOf(open)).toEqual({ kind: 'Open', open: open.slice(1) });
    const failed = [at(errors, 'Running'), at(latency, 'Failed')];
    expect(verdictOf(failed)).toEqual({ kind: 'Failed', failed: failed[1] });
  });
});

describe('a look at gates', () => {
  const look = (rollout: Rollout, phase: PlannedGate['phase'] = 'after', soakEnd: number | null = null) =>
    lookAtGates(rollout, rollout.waves[0]!, phase, NOW, soakEnd);

  it('begins them, and changes nothing when they have begun', () => {
    expect(look(rolloutAsking([errors])).gates).toMatchObject([
      { gate: 'errors', state: 'Running', since: TIME, dueAt: TIME },
    ]);
    const begun = rolloutAsking([errors, latency], [running(errors), running(latency)]);
    expect(look(begun)).toBe(begun.waves[0]);
    expect(look(begun, 'before')).toBe(begun.waves[0]);
  });

  it('times them out, each by itself', () => {
    const short = gateWith({ name: 'errors' }, { timeout: 10 * SECOND });
    expect(look(rolloutAsking([short, latency], [running(short), running(latency)])).gates).toMatchObject([
      { state: 'Inconclusive' },
      { state: 'Running' },
    ]);
  });

  it('judges by itself what needs nothing from outside, while it is asked', () => {
    const approvals = [{ by: 'jo', reason: '', at: NOW - SECOND }];
    expect(look(rolloutAsking([approval], [], { approvals }), 'before').gates).toMatchObject([{ state: 'Passed' }]);
    expect(look(rolloutAsking([approval], [], {}), 'before').gates).toMatchObject([{ state: 'Running' }]);
    const decided = rolloutAsking([approval], [runWith(approval, { state: 'Failed', evidence: 'no' })], { approvals });
    expect(look(decided, 'before')).toBe(decided.waves[0]);
  });

  it('lets a gate without a count pass when the soak is over and it was measured since', () => {
    const holds = gateWith({ name: 'errors' }, { count: null });
    const seen = (measuredAt: number, soakEnd: number | null) =>
      look(
        rolloutAsking([holds], [running(holds, { measuredAt, lastVerdict: 'Success', dueAt: 90 * SECOND })]),
        'after',
        soakEnd,
      ).gates[0];
    expect(seen(TIME, TIME)).toMatchObject({ state: 'Passed' });
    expect(seen(TIME, TIME + 1)).toMatchObject({ state: 'Running', dueAt: 90 * SECOND });
    expect(seen(TIME - 1, TIME)).toMatchObject({ state: 'Running', dueAt: TIME });
    expect(seen(TIME, null)).toMatchObject({ state: 'Running' });
  });
});

describe('what is to be measured next', () => {
  const next = (runs: readonly GateRun[], rollout = rolloutWith()) => {
    const gates = runs.map((run) => ({
      gate: [errors, latency, approval].find(({ name }) => name === run.gate)!,
      run,
    }));
    return nextMeasurements(rollout, gates, NOW);
  };

  it('is what is due, asked again soon in case the answer is lost', () => {
    expect(next([running(errors), running(latency, { dueAt: TIME + 1 })])).toEqual({ due: ['errors'], dueAt: NOW + 1 });
    expect(next([running(errors), running(latency, { dueAt: TIME + 9 * SECOND })])).toEqual({
      due: ['errors'],
      dueAt: NOW + 5 * SECOND,
    });
  });

  it('is nothing where all are decided, or wait for a person', () => {
    expect(next([runWith(errors, { state: 'Passed' }), runWith(latency, { state: 'Inconclusive', dueAt: 5 })])).toEqual(
      {
        due: [],
        dueAt: null,
      },
    );
    expect(next([running(approval, { dueAt: TIME })]).due).toEqual([]);
    expect(next([running(errors, { dueAt: null })])).toEqual({ due: [], dueAt: null });
  });

  it('is looked for at once where the time for it has passed already', () => {
    expect(next([running(approval, { dueAt: TIME - SECOND })])).toEqual({ due: [], dueAt: NOW });
  });

  it('is looked for again while the rollout’s time stands still', () => {
    const standing = rolloutWith([{}], { clock: { ran: TIME, since: null } });
    expect(next([running(latency, { dueAt: TIME + 1 })], standing).dueAt).toBe(NOW + 5 * SECOND);
  });
});

describe('the answer of a probe', () => {
  const bad: Measurement = { verdict: 'Failure', evidence: '9 % errors' };
  const asked = running(errors);
  const rollout = rolloutWith([{}, { plan: { gates: [errors, latency] }, wave: { gates: [asked, running(latency)] } }]);
  const told = (changes: Partial<{ rollout: Rollout; wave: number; name: string; asked: GateRun }> = {}) =>
    gateMeasured(
      changes.rollout ?? rollout,
      changes.wave ?? 1,
      changes.name ?? 'errors',
      changes.asked ?? asked,
      bad,
      NOW,
    );

  it('counts for its own gate of its own wave', () => {
    expect(told()?.waves.map(({ gates }) => gates.map(({ state }) => state))).toEqual([[], ['Failed', 'Running']]);
    expect(told({ name: 'latency', asked: running(latency) })?.waves[1]!.gates.map(({ state }) => state)).toEqual([
      'Running',
      'Running',
    ]);
    expect(told({ name: 'latency', asked: running(latency) })?.waves[1]!.gates[1]!.tally.failures).toBe(1);
  });

  it('comes too late where the gate has begun anew or has another answer meanwhile, or the rollout goes no further', () => {
    expect(told({ asked: { ...asked, since: 40 * SECOND } })).toBeNull();
    expect(told({ asked: { ...asked, measuredAt: 55 * SECOND } })).toBeNull();
    expect(told({ rollout: { ...rollout, state: 'Halted' } })).toBeNull();
  });

  it('is nobody’s where there is no such wave or gate, or nobody asks', () => {
    expect(told({ wave: 7 })).toBeNull();
    expect(told({ name: 'nosuch' })).toBeNull();
    expect(told({ wave: 0 })).toBeNull();
    const unplanned = rolloutWith([{ wave: { gates: [asked] } }]);
    expect(told({ rollout: unplanned, wave: 0 })).toBeNull();
    expect(told({ rollout: rolloutAsking([errors]), wave: 0 })).toBeNull();
    const passed = rolloutAsking([errors], [running(errors, { state: 'Passed' })]);
    expect(told({ rollout: passed, wave: 0, asked: running(errors, { state: 'Passed' }) })).toBeNull();
  });
});

describe('the clock and the gate for writes', () => {
  it('stop and go on where they were, and are not started twice', () => {
    const rollout = rolloutWith();
    expect(stopClock(rollout, NOW)).toEqual({ ran: TIME, since: null });
    const stopped = { ...rollout, clock: stopClock(rollout, NOW) };
    expect(stopClock(stopped, NOW + SECOND)).toEqual({ ran: TIME, since: null });
    expect(startClock(stopped, NOW + SECOND)).toEqual({ ran: TIME, since: NOW + SECOND });
    expect(startClock(rollout, NOW)).toBe(rollout.clock);
    expect(stopClock(rollout, NOW - 90 * SECOND)).toEqual({ ran: 0, since: null });
  });

  it.each([
    ['Progressing', true, true],
    ['RollingBack', false, true],
    ['Halted', false, false],
    ['Preflight', false, false],
    ['Succeeded', false, false],
  ] as const)('of a rollout that is %s: forward %s, backward %s', (state, forward, backward) => {
    const closed = { generation: 4, forward: false, backward: false };
    const generation = forward || backward ? 5 : 4;
    expect(withGate(rolloutWith([{}], { state, gate: closed })).gate).toEqual({ generation, forward, backward });
    const paused = { mode: 'freeze', by: 'mara', reason: '', since: NOW, emergency: false } as const;
    const open = { generation: 4, forward: true, backward: true };
    expect(withGate(rolloutWith([{}], { state, paused, gate: open })).gate).toEqual({ ...closed, generation: 5 });
  });

  it('begin a new round of looks when they are allowed again, and only then', () => {
    const waves = [{ counts: { succeeded: 3 } }];
    const closed = { generation: 4, forward: false, backward: false };
    const opened = withGate(rolloutWith(waves, { gate: closed }));
    expect(opened).toMatchObject({ round: 2, waves: [{ counts: { succeeded: 3, confirmed: 0 } }] });
    expect(withGate(rolloutWith(waves, { state: 'RollingBack', gate: closed })).round).toBe(2);
    expect(withGate(rolloutWith(waves, { state: 'RollingBack' }))).toMatchObject({
      round: 1,
      gate: { forward: false },
    });
    expect(withGate(rolloutWith(waves, { state: 'Halted' }))).toMatchObject({ round: 1, gate: { backward: false } });
  });

  it('end no permit while nothing changes', () => {
    const rollout = rolloutWith();
    expect(withGate(rollout)).toBe(rollout);
  });
});
