import { gateWith, NOW, rolloutWith, runWith, SECOND, targetWith } from './testing/rollout-builders.ts';
import { plannedGate } from '../gates/planned-gate.ts';
import type { Rollout, Target } from './rollout.ts';
import { whatIf } from './what-if.ts';

const TIME = 60 * SECOND;
const answers = (rollout: Rollout, target: Target | null = null) =>
  Object.fromEntries(whatIf(rollout, target, NOW).map(({ action, ...row }) => [action, row]));
const paused = (emergency: boolean) => ({ mode: 'freeze', by: 'mara', reason: '', since: NOW, emergency }) as const;

describe('what if', () => {
  it('says nothing of a rollout that has ended, and of one that has not begun', () => {
    for (const state of ['Succeeded', 'Aborted', 'Queued', 'Planned'] as const)
      expect(whatIf(rolloutWith([{}], { state }), null, NOW)).toEqual([]);
  });

  it('knows that nothing goes on by itself in a freeze, and which command ends it', () => {
    const waves = [{ counts: { pending: 2 } }];
    const { resume, wait } = answers(rolloutWith(waves, { paused: paused(false) }));
    expect(resume).toMatchObject({
      command: 'breakwater rollout resume r1',
      outcome: 'the rollout goes on (Progressing); up to 2 clusters of wave w0 may begin',
      state: 'Progressing',
    });
    expect(wait).toMatchObject({ outcome: 'nothing is written, and its clocks stand still', at: null });
    expect(answers(rolloutWith(waves, { paused: paused(true) }))['resume']?.command).toBe('breakwater resume-all');
  });

  it('does not take the end of a pause for the end of a halt', () => {
    const halted = rolloutWith([{ wave: { state: 'Failed' } }], { state: 'Halted', paused: paused(false) });
    expect(answers(halted)['resume']).toMatchObject({
      outcome: expect.stringMatching(/^the pause ends, and the rollout is still halted/) as string,
      state: 'Halted',
    });
  });

  it('counts the clusters that a rollback of a halted rollout would return', () => {
    const waves = [
      { counts: { succeeded: 3, failed: 1, toReturn: 4, everFailed: 1 }, wave: { state: 'Failed' } },
    ] as const;
    const halted = rolloutWith(waves, { state: 'Halted', reason: 'FailureBudgetExceeded' });
    expect(answers(halted)).toMatchObject({
      rollback: { outcome: expect.stringContaining('4 clusters return') as string, state: 'RollingBack' },
      resume: { command: 'breakwater rollout resume r1' },
      wait: { state: 'Halted', at: null },
    });
  });

  it('says how many approvals are still wanted, and what starts with the last one', () => {
    const asking = (required: number) => {
      const approval = { ...plannedGate('people', 'approval', {}, { required, fourEyes: false }) };
      const given = {
        plan: { gates: [approval], size: 4 },
        wave: { state: 'AwaitingApproval', startedAt: null },
      } as const;
      return rolloutWith([{ ...given, counts: { pending: 4 } }]);
    };
    expect(answers(asking(1))['approve']).toMatchObject({
      command: 'breakwater rollout approve r1 --wave w0',
      outcome: 'wave w0 starts: 2 of its 4 clusters at once',
      state: 'Progressing',
    });
    expect(answers(asking(2))['approve']?.outcome).toContain('has not started');
    expect(answers(asking(1))['wait']).toMatchObject({ outcome: 'the wave does not start', at: null });
  });

  it('foresees the end of a soak, and what an override of its gate would do', () => {
    const gate = gateWith({}, { timeout: 20 * SECOND, onInconclusive: 'fail' });
    const soaking = rolloutWith([
      {
        plan: { gates: [gate], soakMs: 15 * SECOND, size: 1 },
        counts: { succeeded: 1 },
        wave: {
          state: 'Soaking',
          soakingSince: 50 * SECOND,
          gates: [runWith(gate, { state: 'Running', since: 50 * SECOND })],
        },
      },
    ]);
    expect(answers(soaking)).toMatchObject({
      override: { command: 'breakwater rollout override r1 --wave w0 --gate errors --reason …' },
      wait: { at: NOW + 5 * SECOND, state: 'Progressing' },
    });
  });

  it('foresees that a cluster which stays as it is fails, and takes the others with it', () => {
    const waves = [{ counts: { inFlight: 1, succeeded: 2, toReturn: 3 } }];
    const target = targetWith({
      state: 'Verifying',
      phase: 'verify',
      touched: true,
      verifyingSince: TIME - 250 * SECOND,
      message: '1 of 3 updated replicas are available',
    });
    expect(answers(rolloutWith(waves), target)).toMatchObject({
      wait: {
        outcome: expect.stringMatching(
          /^c1 is Failed \(GateTimedOut\); the rollout halts and is rolled back: 3 clusters/,
        ) as string,
        state: 'RollingBack',
        at: NOW + 50 * SECOND,
      },
    });
  });

  it('knows what skipping a cluster that is away would do, and when its strategy stops waiting', () => {
    const target = targetWith({ state: 'Unreachable', unreachableSince: TIME - 30 * SECOND, message: 'no route' });
    const waves = [{ counts: { unreachable: 1, unreachableWaiting: 1, succeeded: 3 } }];
    const rollout = rolloutWith(waves, {}, { unreachable: { wait: 50 * SECOND, then: 'skip' } });
    expect(answers(rollout, target)).toMatchObject({
      skip: {
        command: 'breakwater rollout skip r1 --cluster c1',
        outcome: expect.stringMatching(/^c1 does not get the release; the rollout ends Incomplete/) as string,
        state: 'Incomplete',
      },
      wait: { outcome: expect.stringMatching(/^c1 is Skipped/) as string, at: NOW + 20 * SECOND },
    });
  });

  it('foresees when a window opens', () => {
    const opensAt = NOW + 90 * SECOND;
    const { wait } = answers(
      rolloutWith([{ counts: { pending: 1 } }]),
      targetWith({ opensAt, reason: 'FreezeWindow' }),
    );
    expect(wait).toMatchObject({ at: opensAt, outcome: expect.stringContaining('c1 may begin') as string });
  });

  it('promises no end to a cluster that is slow where the strategy waits', () => {
    const slow = targetWith({ state: 'Verifying', phase: 'verify', verifyingSince: 0, slow: true, touched: true });
    const rollout = rolloutWith([{ counts: { inFlight: 1, slow: 1 } }], {}, { slow: { after: SECOND, then: 'wait' } });
    expect(answers(rollout, slow)).toEqual({});
  });
});

describe('what if a rollout is held as a whole', () => {
  it('is answered for an unfinished one only', () => {
    for (const state of ['Succeeded', 'Aborted'] as const)
      expect(whatIf(rolloutWith([{}], { state, paused: paused(false) }), null, NOW)).toEqual([]);
    expect(whatIf(rolloutWith([{}], { state: 'Preflight' }), null, NOW)).toEqual([]);
  });

  it('by the number of its deletions', () => {
    expect(answers(rolloutWith([{}], { state: 'Preflight', reason: 'TooManyDeletions' }))).toEqual({
      'approve-deletions': {
        command: 'breakwater rollout approve r1 --deletions',
        outcome: 'the objects are deleted where the release reaches, and the first wave begins',
        state: 'Progressing',
        at: null,
      },
      wait: { command: null, outcome: 'nothing is written', state: 'Preflight', at: null },
    });
  });

  it('by a drain, in which what is under way finishes', () => {
    const draining = rolloutWith([{ counts: { inFlight: 1, pending: 1 } }], {
      paused: { ...paused(false), mode: 'drain' },
    });
    expect(answers(draining)).toMatchObject({
      wait: { outcome: 'what is under way finishes, and nothing new begins' },
      resume: { outcome: 'the rollout goes on (Progressing); up to 1 cluster of wave w0 may begin' },
    });
  });

  it('by a pause while it is rolled back, which goes on then', () => {
    const order = {
      scope: 'rollout',
      wave: null,
      clusters: [],
      automatic: true,
      by: 'x',
      reason: 'y',
      startedAt: 5,
    } as const;
    const back = rolloutWith([{ counts: { toReturn: 2 } }], {
      state: 'RollingBack',
      rollback: order,
      paused: paused(false),
    });
    expect(answers(back)['resume']).toMatchObject({
      outcome: 'the rollout goes on (RollingBack); then: y; rolling back: 0 restored, 2 to go',
      state: 'RollingBack',
    });
  });

  it('by a gate whose approval this is not: nothing is said of a command that is forbidden', () => {
    const approval = gateWith({
      name: 'yes',
      phase: 'before',
      kind: 'approval',
      spec: { required: 1, fourEyes: true },
    });
    const wave = {
      plan: { gates: [approval] },
      wave: { state: 'Failed', gates: [runWith(approval, { state: 'Failed' })] },
    } as const;
    const halted = rolloutWith([wave], { state: 'Halted', reason: 'GateFailed', createdBy: 'somebody' });
    expect(Object.keys(answers(halted))).toEqual(['rollback', 'wait']);
  });
});

describe('what if a wave waits', () => {
  const approval = gateWith({ name: 'yes', kind: 'approval', phase: 'before', spec: { required: 1, fourEyes: false } });
  const quota = gateWith({ name: 'quota', phase: 'before' }, { timeout: 30 * SECOND, onInconclusive: 'fail' });
  const last = gateWith({ name: 'errors' }, { timeout: 90 * SECOND });
  const passed = { counts: { succeeded: 4 }, wave: { state: 'Succeeded' } } as const;
  const next = (gates: readonly ReturnType<typeof gateWith>[], runs: ReturnType<typeof runWith>[] = []) =>
    ({ plan: { gates }, counts: { pending: 4 }, wave: { state: 'Pending', startedAt: null, gates: runs } }) as const;
  const running = (gate: ReturnType<typeof gateWith>, changes: object = {}) =>
    runWith(gate, { state: 'Running', since: 50 * SECOND, dueAt: 70 * SECOND, ...changes });

  it('for an approval and a measurement, each has its own answer', () => {
    const rows = whatIf(
      rolloutWith([passed, next([approval, quota, last], [running(approval), running(quota)])]),
      null,
      NOW,
    );
    expect(rows.map(({ action, command }) => [action, command])).toEqual([
      ['approve', 'breakwater rollout approve r1 --wave w1'],
      ['override', 'breakwater rollout override r1 --wave w1 --gate quota --reason …'],
      ['wait', null],
    ]);
    expect(rows[1]!.outcome).toMatch(/^then: wave w1 has not started: gate yes: /);
    expect(rows[2]).toMatchObject({ at: NOW + 20 * SECOND, state: 'RolledBack' });
  });

  it('nobody needs to answer for a gate that has passed', () => {
    const rows = whatIf(
      rolloutWith([next([approval, quota], [runWith(approval, { state: 'Passed' }), running(quota)])]),
      null,
      NOW,
    );
    expect(rows.map(({ action }) => action)).toEqual(['override', 'wait']);
  });

  it('for a gate that never gives up, waiting changes nothing', () => {
    const patient = gateWith({ name: 'quota', phase: 'before' });
    for (const run of [running(patient), runWith(patient, { state: 'Inconclusive', since: 5 }), runWith(patient, {})])
      expect(answers(rolloutWith([next([patient], [run])]))['wait']).toMatchObject({
        outcome: 'the wave does not start',
        at: null,
      });
    const decided = rolloutWith([next([quota], [runWith(quota, { state: 'Inconclusive', since: 50 * SECOND })])]);
    expect(answers(decided)['wait']).toMatchObject({ at: null });
  });

  it('until its soak is over, by whatever comes first', () => {
    const soaking = (soakMs: number, changes = {}, gates = [last]) =>
      rolloutWith([
        {
          plan: { gates, soakMs },
          counts: { succeeded: 4 },
          wave: { state: 'Soaking', soakingSince: 50 * SECOND, gates: gates.map((gate) => running(gate, changes)) },
        },
      ]);
    expect(answers(soaking(100 * SECOND))['wait']?.at).toBe(NOW + 80 * SECOND);
    expect(answers(soaking(60 * SECOND))['wait']?.at).toBe(NOW + 50 * SECOND);
    expect(answers(soaking(5 * SECOND))['wait']?.at).toBe(NOW + 80 * SECOND);
    expect(answers(soaking(5 * SECOND, {}, []))['wait']).toBeUndefined();
    expect(answers(soaking(10 * SECOND, {}, []))['wait']).toBeUndefined();
    expect(answers(soaking(60 * SECOND, {}, []))['wait']).toMatchObject({
      at: NOW + 50 * SECOND,
      state: 'Succeeded',
      outcome: 'the rollout ends Succeeded: all of 4 clusters verified',
    });
  });

  it('after which the next one starts', () => {
    const soaking = {
      plan: { soakMs: 20 * SECOND },
      counts: { succeeded: 4 },
      wave: { state: 'Soaking', soakingSince: 50 * SECOND },
    } as const;
    const { wait } = answers(rolloutWith([passed, soaking, next([])]));
    expect(wait?.outcome).toBe('wave w1 has passed; wave w2 starts: 2 of its 4 clusters at once');
  });

  it('and has not begun, its soak is no matter yet', () => {
    const patient = gateWith({ name: 'quota', phase: 'before' });
    const given = { ...next([patient], [running(patient)]), plan: { gates: [patient], soakMs: 999 * SECOND } };
    expect(answers(rolloutWith([given]))['wait']).toMatchObject({ at: null });
    const soaked = { counts: { succeeded: 3, inFlight: 1 }, wave: { state: 'Soaking', soakingSince: 5 } } as const;
    expect(whatIf(rolloutWith([soaked]), null, NOW)).toEqual([]);
  });

  it('is nobody’s question after the last wave, or in a rollback', () => {
    expect(whatIf(rolloutWith([passed]), null, NOW)).toEqual([]);
    expect(whatIf(rolloutWith([next([quota])], { state: 'RollingBack' }), null, NOW)).toEqual([]);
  });
});

describe('what if a cluster stays as it is', () => {
  const waves = [{ counts: { inFlight: 1, succeeded: 2, toReturn: 3, rollingBack: 0 } }];
  const wait = (changes: Partial<Target>, rollout = rolloutWith(waves)) =>
    answers(rollout, targetWith(changes))['wait'];
  const verifying = { state: 'Verifying', phase: 'verify', touched: true, verifyingSince: 50 * SECOND } as const;

  it('healthy: it goes on when it was so for long enough', () => {
    expect(wait({ ...verifying, healthySince: 50 * SECOND })).toMatchObject({
      outcome: 'then: wave w0: 2 of 4 clusters verified',
      at: NOW + 20 * SECOND,
      state: 'Progressing',
    });
  });

  it('failing: it fails by what is wrong, with the reason that it has now', () => {
    const failing = { ...verifying, failingSince: 55 * SECOND, reason: 'ImagePullFailed', message: 'no such image' };
    expect(wait(failing)).toMatchObject({ at: NOW + 5 * SECOND });
    expect(wait(failing)?.outcome).toMatch(
      /^c1 is Failed \(ImagePullFailed\); the rollout halts and is rolled back: 3 clusters return/,
    );
    const off = rolloutWith(
      waves,
      {},
      { workloads: { name: 'w', timeout: 100 * SECOND, stableFor: SECOND, failFast: 'off' } },
    );
    expect(wait(failing, off)).toMatchObject({ at: NOW + 90 * SECOND });
    const short = rolloutWith(waves, {}, { slow: { after: 12 * SECOND, then: 'fail' } });
    expect(wait({ ...failing, failingSince: 59 * SECOND }, short)).toMatchObject({ at: NOW + 2 * SECOND });
  });

  it('ill after it was verified: it fails when its time is up', () => {
    const ill = {
      state: 'Succeeded',
      touched: true,
      degraded: true,
      degradedSince: 10 * SECOND,
      verifyingSince: 5,
    } as const;
    const sick = rolloutWith(
      [{ counts: { succeeded: 4, degraded: 1, toReturn: 4 } }],
      {},
      { slow: { after: SECOND, then: 'fail' } },
    );
    expect(wait(ill, sick)).toMatchObject({ at: NOW + 250 * SECOND, state: 'RollingBack' });
    expect(wait(ill, sick)?.outcome).toMatch(/^c1 is Failed \(Regressed\); /);
    expect(wait({ ...ill, slow: true }, sick)).toMatchObject({ at: NOW + 250 * SECOND });
    expect(wait({ ...ill, degraded: false, degradedSince: null }, sick)).toBeUndefined();
  });

  it('on its way back: it could not be restored when its time is up, not earlier', () => {
    const order = {
      scope: 'rollout',
      wave: null,
      clusters: [],
      automatic: true,
      by: 'x',
      reason: 'y',
      startedAt: 5,
    } as const;
    const back = rolloutWith([{ counts: { rollingBack: 1 } }], { state: 'RollingBack', rollback: order });
    const target = {
      state: 'RollingBack',
      phase: 'verify',
      touched: true,
      verifyingSince: 50 * SECOND,
      failingSince: 50 * SECOND,
    } as const;
    expect(wait(target, back)).toMatchObject({ at: NOW + 290 * SECOND, state: 'RollbackFailed' });
    expect(wait({ ...target, verifyingSince: null }, back)).toBeUndefined();
  });

  it('at its gates: they say nothing in time', () => {
    const gate = (name: string, timeout: number | null) =>
      gateWith({ name, phase: 'during' }, { timeout, onInconclusive: 'fail' });
    const gates = [gate('a', 40 * SECOND), gate('b', 20 * SECOND), gate('c', null), gate('d', 12 * SECOND)];
    const runs = gates.map((each) => runWith(each, { state: 'Running', since: 50 * SECOND, dueAt: 70 * SECOND }));
    const at = (own: typeof runs) =>
      wait(
        { ...verifying, phase: 'gates', healthySince: 50 * SECOND, gates: own },
        rolloutWith([{ ...waves[0], plan: { gates } }]),
      );
    const passed = runWith(gates[3]!, { state: 'Passed', since: 50 * SECOND });
    expect(at([...runs.slice(0, 3), passed])).toMatchObject({ at: NOW + 10 * SECOND, state: 'RollingBack' });
    expect(at([])).toBeUndefined();
    const never = gates.map((each) => runWith(each, { state: 'Running', since: null, dueAt: 70 * SECOND }));
    expect(at(never)).toBeUndefined();
  });

  it('away for longer than anybody waits: nothing comes of it', () => {
    expect(wait({ state: 'Unreachable', unreachableSince: 5, unreachableSettled: true })).toBeUndefined();
  });

  it('closed by a window while it is in flight: that is no answer of its own', () => {
    expect(wait({ ...verifying, opensAt: NOW + SECOND })?.outcome).not.toContain('may begin');
    expect(wait({ state: 'Pending' })).toBeUndefined();
  });

  it('and cannot be skipped, nothing is said of that', () => {
    expect(answers(rolloutWith(waves), targetWith(verifying))['skip']).toBeUndefined();
  });

  it('so that the rollout halts, where its strategy takes nothing back', () => {
    const onFailure = { action: 'halt', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore' } as const;
    const { outcome } = wait({ ...verifying, verifyingSince: 0 }, rolloutWith(waves, {}, { onFailure }))!;
    expect(outcome).toBe(
      'c1 is Failed (GateTimedOut); the rollout halts: wave w0: 1 failed, and its failure budget is 0',
    );
  });
});

describe('what is told of an answer', () => {
  const counts = { succeeded: 3, failed: 1, toReturn: 3, rollingBack: 1, everFailed: 1 };
  const halted = rolloutWith([{ counts, wave: { state: 'Failed' }, plan: { failureBudget: 0 } }], {
    state: 'Halted',
    reason: 'X',
  });

  it('is which clusters return, and why', () => {
    expect(answers(halted)['rollback']?.outcome).toMatch(
      /^the rollout is rolled back: 4 clusters return to what they had /,
    );
    const verifying = { state: 'Verifying', phase: 'verify', touched: true, verifyingSince: 0 } as const;
    const under = rolloutWith([{ counts: { inFlight: 1, toReturn: 1 } }]);
    expect(answers(under, targetWith(verifying))['wait']?.outcome).toBe(
      'c1 is Failed (GateTimedOut); the rollout halts and is rolled back: 1 cluster returns to what it had (wave w0: 1 failed, and its failure budget is 0)',
    );
  });

  it('is that the rollout goes on, or stays as paused as a person has asked for', () => {
    expect(answers(halted)['resume']?.outcome).toMatch(/^the rollout goes on \(Progressing\)/);
    const under = { mode: 'drain', by: 'jo', reason: '', since: 5 } as const;
    const stopped = rolloutWith([{ counts: { pending: 2 } }], { paused: { ...paused(true), under } });
    expect(answers(stopped)['resume']?.outcome).not.toContain('goes on');
  });
});
