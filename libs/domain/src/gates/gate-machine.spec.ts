import fc from 'fast-check';
import {
  beginRun,
  describeRun,
  dueOf,
  hasPassed,
  heldUntil,
  isDecided,
  isDue,
  measured,
  overdue,
  overridden,
  restarted,
  waitingRun,
} from './gate-machine.ts';
import { type GatePolicy, type GateRun, type Measurement, MEASUREMENT_VERDICTS, type PlannedGate } from './gate.ts';

const gate = (policy: Partial<GatePolicy> = {}): PlannedGate => ({
  name: 'errors',
  kind: 'prometheus',
  phase: 'during',
  spec: {},
  policy: {
    initialDelay: 0,
    interval: 10_000,
    count: 3,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 1,
    timeout: null,
    onInconclusive: 'wait',
    ...policy,
  },
});
const say = (verdict: Measurement['verdict']): Measurement => ({ verdict, evidence: verdict });
const play = (planned: PlannedGate, verdicts: readonly Measurement['verdict'][]): GateRun =>
  verdicts.reduce(
    (run, verdict, index) => measured(planned, run, say(verdict), index * 10_000),
    beginRun(planned, waitingRun(planned), 0),
  );

describe('a gate', () => {
  it.each([
    ['passes after its count of successes', {}, 'Success Success Success', 'Passed'],
    ['goes on before', {}, 'Success Success', 'Running'],
    ['fails at the first failure', {}, 'Success Failure', 'Failed'],
    ['bears as many failures as its limit says, which count', { failureLimit: 1 }, 'Success Failure Success', 'Passed'],
    ['fails at one more', { failureLimit: 1 }, 'Failure Failure', 'Failed'],
    ['waits for a person when it is inconclusive', {}, 'Inconclusive', 'Inconclusive'],
    ['fails when it is inconclusive, where it says so', { onInconclusive: 'fail' }, 'Inconclusive', 'Failed'],
    ['passes when it is inconclusive, where it says so', { onInconclusive: 'pass' }, 'Inconclusive', 'Passed'],
    ['makes up for what was inconclusive', { inconclusiveLimit: 1 }, 'Success Inconclusive Success', 'Running'],
    ['is inconclusive when it cannot be measured', {}, 'Error Error', 'Inconclusive'],
    ['forgives errors that do not follow each other', {}, 'Error Success Error Success Error', 'Running'],
    ['does not count what is pending', {}, 'Pending Pending Success Success', 'Running'],
    ['without a count goes on', { count: null }, 'Success Success Success Success', 'Running'],
  ] as const)('%s', (_what, policy, verdicts, state) => {
    expect(play(gate(policy), verdicts.split(' ') as Measurement['verdict'][]).state).toBe(state);
  });

  it('is due after its delay, and after its interval from then on', () => {
    const planned = gate({ initialDelay: 5_000 });
    const run = beginRun(planned, waitingRun(planned), 1_000);
    expect([isDue(run, 5_999), isDue(run, 6_000)]).toEqual([false, true]);
    const next = measured(planned, run, say('Success'), 6_000);
    expect([isDue(next, 15_999), isDue(next, 16_000)]).toEqual([false, true]);
  });

  it('is inconclusive without a verdict in its time', () => {
    const planned = gate({ timeout: 60_000 });
    const run = beginRun(planned, waitingRun(planned), 0);
    expect(overdue(planned, run, 59_999)).toBe(run);
    expect(overdue(planned, run, 60_000)).toMatchObject({ state: 'Inconclusive', dueAt: null });
  });

  it('without a count is measured once more when the soak is over, and passes by that measurement', () => {
    const planned = gate({ count: null });
    const before = play(planned, ['Success', 'Success']);
    const asked = heldUntil(planned, before, 15_000);
    expect(asked).toMatchObject({ state: 'Running', dueAt: 15_000 });
    expect(heldUntil(planned, measured(planned, asked, say('Success'), 15_500), 15_000).state).toBe('Passed');
    expect(heldUntil(planned, measured(planned, asked, say('Error'), 15_500), 15_000).state).toBe('Running');
  });

  it('never changes a verdict, and never passes with more failures than its limit or fewer measurements than its count', () => {
    const policies = fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      failureLimit: fc.integer({ min: 0, max: 2 }),
      inconclusiveLimit: fc.integer({ min: 0, max: 2 }),
      consecutiveErrorLimit: fc.integer({ min: 0, max: 2 }),
      onInconclusive: fc.constantFrom('wait', 'fail'),
    });
    fc.assert(
      fc.property(
        policies,
        fc.array(fc.constantFrom(...MEASUREMENT_VERDICTS), { maxLength: 20 }),
        (policy, verdicts) => {
          const planned = gate(policy as Partial<GatePolicy>);
          let run = beginRun(planned, waitingRun(planned), 0);
          for (const [index, verdict] of verdicts.entries()) {
            const next = measured(planned, run, say(verdict), index);
            if (isDecided(run)) expect(next).toBe(run);
            run = next;
          }
          const { successes, failures } = run.tally;
          if (run.state === 'Passed') {
            expect(failures).toBeLessThanOrEqual(policy.failureLimit);
            expect(successes + failures).toBe(policy.count);
          }
          if (failures > policy.failureLimit) expect(run.state).toBe('Failed');
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('the run of a gate', () => {
  const begun = (policy: Partial<GatePolicy> = {}, changes: Partial<GateRun> = {}): GateRun => ({
    ...beginRun(gate(policy), waitingRun(gate()), 1_000),
    ...changes,
  });

  it('begins once', () => {
    expect(waitingRun(gate())).toEqual({
      gate: 'errors',
      state: 'Waiting',
      since: null,
      measuredAt: null,
      lastVerdict: null,
      dueAt: null,
      tally: { successes: 0, failures: 0, inconclusive: 0, errors: 0, consecutiveErrors: 0 },
      evidence: '',
      object: null,
      memo: null,
      overriddenBy: null,
    });
    const run = begun({ initialDelay: 500 });
    expect(run).toMatchObject({ state: 'Running', since: 1_000, dueAt: 1_500, evidence: 'not measured yet' });
    expect(beginRun(gate(), run, 9_000)).toBe(run);
  });

  it('is decided when it neither waits nor is measured, and has passed by a verdict or by a person', () => {
    const states = ['Waiting', 'Running', 'Passed', 'Failed', 'Inconclusive', 'Overridden'] as const;
    expect(states.filter((state) => isDecided(begun({}, { state })))).toEqual(states.slice(2));
    expect(states.filter((state) => hasPassed(begun({}, { state })))).toEqual(['Passed', 'Overridden']);
  });

  it('keeps what was seen last, and hands the probe back what it wants', () => {
    const planned = gate({ failureLimit: 9, inconclusiveLimit: 9, consecutiveErrorLimit: 9, count: 9 });
    const seen = measured(
      planned,
      begun(),
      { verdict: 'Success', evidence: 'fine', object: 'Job/a' as never, memo: 7 },
      2_000,
    );
    expect(seen).toMatchObject({
      lastVerdict: 'Success',
      evidence: 'fine',
      object: 'Job/a',
      memo: 7,
      measuredAt: 2_000,
    });
    expect(measured(planned, seen, say('Failure'), 3_000)).toMatchObject({
      object: null,
      memo: 7,
      evidence: 'Failure',
    });
    expect(measured(planned, seen, { ...say('Failure'), memo: null }, 3_000).memo).toBeNull();
  });

  it('counts each verdict, and errors that follow each other', () => {
    const planned = gate({ failureLimit: 9, inconclusiveLimit: 9, consecutiveErrorLimit: 9, count: 99 });
    const counted = (verdicts: string) => play(planned, verdicts.split(' ') as Measurement['verdict'][]).tally;
    const none = { successes: 0, failures: 0, inconclusive: 0, errors: 0, consecutiveErrors: 0 };
    expect(counted('Error Error')).toEqual({ ...none, errors: 2, consecutiveErrors: 2 });
    expect(counted('Error Success')).toEqual({ ...none, errors: 1, successes: 1 });
    expect(counted('Error Failure')).toEqual({ ...none, errors: 1, failures: 1 });
    expect(counted('Error Inconclusive')).toEqual({ ...none, errors: 1, inconclusive: 1 });
    expect(counted('Error Pending')).toEqual({ ...none, errors: 1, consecutiveErrors: 1 });
  });

  it('is measured again after its interval, soon while the answer is pending, and not too soon after an error', () => {
    const due = (measurement: Measurement, interval = 10_000) =>
      measured(gate({ interval, consecutiveErrorLimit: 9 }), begun(), measurement, 2_000).dueAt;
    expect(due(say('Success'))).toBe(12_000);
    expect(due(say('Pending'))).toBe(4_000);
    expect(due({ ...say('Pending'), retryAfter: 700 })).toBe(2_700);
    expect(due({ ...say('Pending'), retryAfter: 5 })).toBe(2_100);
    expect(due(say('Error'))).toBe(12_000);
    expect(due(say('Error'), 10)).toBe(3_000);
    expect(due(say('Success'), 10)).toBe(2_010);
  });

  it('says why it has no verdict, and that it was let through', () => {
    const without = (policy: Partial<GatePolicy>, verdict: Measurement['verdict']) =>
      measured(gate({ consecutiveErrorLimit: 0, ...policy }), begun(), say(verdict), 2_000);
    expect(without({}, 'Inconclusive')).toMatchObject({
      state: 'Inconclusive',
      evidence: 'inconclusive: Inconclusive',
      dueAt: null,
    });
    expect(without({}, 'Error')).toMatchObject({ state: 'Inconclusive', evidence: 'it could not be measured: Error' });
    expect(without({ onInconclusive: 'fail' }, 'Error').state).toBe('Failed');
    expect(without({ onInconclusive: 'pass' }, 'Error')).toMatchObject({
      state: 'Passed',
      evidence: 'let through although it could not be measured: Error',
    });
    const silent = begun({}, { evidence: '' });
    expect(overdue(gate({ timeout: 1_000 }), silent, 2_000).evidence).toBe('no verdict within its time-out');
  });

  it('times out while it is measured, from when it began', () => {
    const timing = gate({ timeout: 1_000, count: 9 });
    expect(measured(timing, begun(), say('Success'), 1_999).state).toBe('Running');
    expect(measured(timing, begun(), say('Success'), 2_000).state).toBe('Inconclusive');
    for (const run of [begun({}, { state: 'Waiting' }), begun({}, { since: null }), begun({}, { state: 'Passed' })])
      expect(overdue(timing, run, 9_000)).toBe(run);
    const patient = begun();
    expect(overdue(gate(), patient, 9_000_000)).toBe(patient);
  });

  it('without a count holds until the soak is over, by a good measurement from then or later', () => {
    const holding = gate({ count: null });
    const held = (changes: Partial<GateRun>, planned = holding) => heldUntil(planned, begun({}, changes), 5_000);
    expect(held({ measuredAt: 5_000, lastVerdict: 'Success' })).toMatchObject({ state: 'Passed', dueAt: null });
    expect(held({ measuredAt: 4_999, lastVerdict: 'Success', dueAt: 9_000 })).toMatchObject({
      state: 'Running',
      dueAt: 5_000,
    });
    expect(held({ measuredAt: null, dueAt: 3_000 }).dueAt).toBe(3_000);
    expect(held({ measuredAt: null, dueAt: null }).dueAt).toBe(5_000);
    const failed = begun({}, { measuredAt: 5_000, lastVerdict: 'Failure', dueAt: 9_000 });
    expect(heldUntil(holding, failed, 5_000)).toBe(failed);
    const counted = begun({}, { measuredAt: 5_000, lastVerdict: 'Success' });
    expect(heldUntil(gate(), counted, 5_000)).toBe(counted);
    const over = begun({}, { state: 'Failed', measuredAt: 5_000, lastVerdict: 'Success' });
    expect(heldUntil(holding, over, 5_000)).toBe(over);
  });

  it('is due when it is to be measured, or times out', () => {
    const due = (policy: Partial<GatePolicy>, changes: Partial<GateRun>) => dueOf(gate(policy), begun({}, changes));
    expect(due({}, { dueAt: 3_000 })).toBe(3_000);
    expect(due({ timeout: 1_000 }, { dueAt: 3_000 })).toBe(2_000);
    expect(due({ timeout: 9_000 }, { dueAt: 3_000 })).toBe(3_000);
    expect(due({ timeout: 9_000 }, { dueAt: null })).toBe(10_000);
    expect(due({ timeout: 9_000 }, { dueAt: null, since: null })).toBeNull();
    expect(due({}, { dueAt: null })).toBeNull();
    expect(due({ timeout: 9_000 }, { state: 'Passed', dueAt: 3_000 })).toBeNull();
    expect(isDue(begun({}, { dueAt: null }), 9_000)).toBe(false);
    expect(isDue(begun({}, { state: 'Inconclusive', dueAt: 5 }), 9_000)).toBe(false);
  });

  it('is let pass by a person, by name, or measured anew', () => {
    const jo = { by: 'jo', reason: 'known' };
    const failed = begun({}, { state: 'Failed', evidence: 'x', dueAt: 5 });
    expect(overridden(failed, 'jo', 'known')).toEqual({
      ...failed,
      state: 'Overridden',
      dueAt: null,
      overriddenBy: jo,
    });
    expect(restarted(gate(), 7_000)).toMatchObject({
      state: 'Running',
      since: 7_000,
      dueAt: 7_000,
      evidence: 'not measured yet',
    });
  });

  it('is told in figures', () => {
    const told = (changes: Partial<GateRun['tally']>, policy: Partial<GatePolicy> = {}, evidence = '') =>
      describeRun(gate(policy), begun({}, { evidence, tally: { ...waitingRun(gate()).tally, ...changes } }));
    expect(told({})).toBe('0 of 3 measurements');
    expect(told({ successes: 2, failures: 1, inconclusive: 3, errors: 4 }, {}, 'seen')).toBe(
      '3 of 3 measurements, 1 failed, 3 inconclusive, 4 could not be made: seen',
    );
    expect(told({ successes: 2 }, { count: null })).toBe('2 measurements');
  });
});
