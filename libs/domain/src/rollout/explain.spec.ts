import type { ObjectKey } from '../kubernetes/object.ts';
import type { PlannedGate } from '../gates/gate.ts';
import { blockersOf, isUnseen, nextOf } from './explain.ts';
import type { Pause, Rollout, RolloutPolicy, RolloutState, Target } from './rollout.ts';
import { gateWith, type GivenWave, NOW, rolloutWith, runWith, SECOND, targetWith } from './testing/rollout-builders.ts';

const web = 'Deployment/web/web' as ObjectKey;
const evidence = { object: web, text: '1 of 2 ready' };
const frozen: Pause = { mode: 'freeze', by: 'mara', reason: 'lunch', since: NOW - SECOND, emergency: false };
const nothing = { wave: null, cluster: null, gate: null, object: null, since: null, until: null };
const onC1 = { ...nothing, wave: 'w0', cluster: 'c1' };
const begun = NOW - 60 * SECOND;
const policy: Partial<RolloutPolicy> = {
  workloads: { name: 'workloads-ready', timeout: 50 * SECOND, stableFor: 20 * SECOND, failFast: 5 * SECOND },
  unreachable: { wait: 100 * SECOND, then: 'count' },
};
const rolloutIn = (
  changes: Partial<Rollout> = {},
  waves: readonly GivenWave[] = [{}],
  more: Partial<RolloutPolicy> = {},
) => rolloutWith(waves, changes, { ...policy, ...more });
const of = (target: Partial<Target>, rollout = rolloutIn()) => blockersOf(rollout, [targetWith(target)]);

describe('a rollout that is held as a whole', () => {
  it('waits for nobody when it has ended', () => {
    for (const state of ['Succeeded', 'Aborted', 'RolledBack'] as const)
      expect(blockersOf(rolloutIn({ state, paused: frozen }), [targetWith({ state: 'Applying' })])).toEqual([]);
  });

  it('waits for who froze it, and for nothing else', () => {
    const target = targetWith({ state: 'Applying' });
    expect(blockersOf(rolloutIn({ paused: frozen }), [target])).toEqual([
      { ...nothing, reason: 'Paused', evidence: 'frozen by mara: lunch', since: NOW - SECOND },
    ]);
    const emergency = { ...frozen, reason: '', emergency: true };
    expect(blockersOf(rolloutIn({ paused: emergency }), [target])).toEqual([
      { ...nothing, reason: 'EmergencyStop', evidence: 'frozen by mara', since: NOW - SECOND },
    ]);
  });

  it('is drained, and waits for what is in flight too', () => {
    const blockers = blockersOf(rolloutIn({ paused: { ...frozen, mode: 'drain' } }), [
      targetWith({ state: 'Applying' }),
    ]);
    expect(blockers).toMatchObject([
      { reason: 'Paused', evidence: 'draining by mara: lunch' },
      { reason: 'GatePending' },
    ]);
  });

  it('waits for an older one', () => {
    expect(blockersOf(rolloutIn({ state: 'Queued' }), [targetWith({ state: 'Applying' })])).toEqual([
      {
        ...nothing,
        reason: 'Queued',
        evidence: 'an older rollout of the application is not finished',
        since: NOW - 90 * SECOND,
      },
    ]);
  });

  it('waits for what halted it, since the wave failed', () => {
    const waves: GivenWave[] = [
      { wave: { state: 'Succeeded', finishedAt: 5 } },
      { wave: { state: 'Failed', finishedAt: NOW - SECOND } },
    ];
    expect(blockersOf(rolloutIn({ state: 'Halted', message: 'w1: 2 failed' }, waves), [])).toEqual([
      { ...nothing, wave: 'w1', reason: 'GateFailing', evidence: 'w1: 2 failed', since: NOW - SECOND },
    ]);
    expect(blockersOf(rolloutIn({ state: 'Halted', message: 'x' }), [])).toMatchObject([{ since: null }]);
  });
});

describe('a rollout that has not begun', () => {
  const said = (state: 'Failed' | 'Passed') =>
    ({
      state,
      findings: [{ reason: 'Quota', object: web, message: 'no room' }],
      warnings: [],
      notDryRun: [],
      at: 5,
    }) as const;

  it.each(['Planned', 'Preflight'] as const)('waits for its preflight: %s', (state) => {
    const row = { ...nothing, gate: 'preflight', since: NOW - 90 * SECOND };
    expect(blockersOf(rolloutIn({ state, message: '2 of 4 asked' }), [])).toEqual([
      { ...row, reason: 'GatePending', evidence: '2 of 4 asked' },
    ]);
    expect(blockersOf(rolloutIn({ state }), [])).toMatchObject([{ evidence: 'every cluster is about to be asked' }]);
    expect(blockersOf(rolloutIn({ state, message: 'deletes 20', reason: 'TooManyDeletions' }), [])).toEqual([
      { ...row, reason: 'TooManyDeletions', evidence: 'deletes 20' },
    ]);
  });

  it('waits for each cluster that would refuse it', () => {
    const rollout = rolloutIn({ state: 'Preflight', reason: 'PreflightFailed', message: 'cluster c1: no room' });
    const targets = [
      targetWith({ cluster: 'c1', preflight: said('Failed') }),
      targetWith({ cluster: 'c2', preflight: said('Passed') }),
      targetWith({ cluster: 'c3', preflight: said('Failed'), state: 'Skipped' }),
      targetWith({ cluster: 'c4' }),
    ];
    const row = {
      ...onC1,
      reason: 'GateFailing',
      gate: 'preflight',
      object: web,
      evidence: 'no room',
      since: NOW - 90 * SECOND,
    };
    expect(blockersOf(rollout, targets)).toEqual([row]);
    expect(blockersOf({ ...rollout, paused: { ...frozen, mode: 'drain' } }, targets)).toMatchObject([
      { reason: 'Paused' },
      row,
    ]);
    expect(blockersOf({ ...rollout, reason: 'X' }, targets)).toMatchObject([{ reason: 'GatePending', cluster: null }]);
    expect(blockersOf(rollout, [targetWith({ preflight: { ...said('Failed'), findings: [] } })])).toMatchObject([
      { object: null },
    ]);
    expect(blockersOf(rollout, [])).toMatchObject([{ reason: 'GatePending', evidence: 'cluster c1: no room' }]);
  });
});

describe('a cluster that is waited for', () => {
  it('is away, until the strategy’s wait is over', () => {
    expect(of({ state: 'Unreachable', unreachableSince: 20 * SECOND, message: 'no route', evidence })).toEqual([
      {
        ...onC1,
        reason: 'ClusterUnreachable',
        evidence: 'no route',
        since: begun + 20 * SECOND,
        until: begun + 120 * SECOND,
      },
    ]);
    expect(of({ state: 'Unreachable', unreachableSince: 5, unreachableSettled: true })).toEqual([]);
  });

  it('is being applied to', () => {
    expect(of({ state: 'Applying', startedAt: 7 })).toEqual([
      { ...onC1, reason: 'GatePending', gate: 'workloads-ready', evidence: 'the objects are being applied', since: 7 },
    ]);
  });

  it.each([
    ['FreezeWindow', 'FreezeWindow'],
    ['MaintenanceWindow', 'MaintenanceWindow'],
  ] as const)('is closed by a window: %s', (reason, expected) => {
    const row = { ...onC1, reason: expected, evidence: 'closed', since: begun, until: NOW + SECOND };
    for (const state of ['Pending', 'Applying'] as const)
      expect(of({ state, reason, message: 'closed', startedAt: begun, opensAt: NOW + SECOND })).toEqual([row]);
  });

  it('is becoming ready, until its time is up', () => {
    const row = { ...onC1, gate: 'workloads-ready', object: web, evidence: '1 of 2 ready', since: begun + 30 * SECOND };
    const verifying = { state: 'Verifying', phase: 'verify', verifyingSince: 30 * SECOND, evidence } as const;
    expect(of(verifying)).toEqual([{ ...row, reason: 'GatePending', until: begun + 80 * SECOND }]);
    expect(of({ ...verifying, evidence: null, message: 'said' })).toMatchObject([{ object: null, evidence: 'said' }]);
  });

  it('is healthy already, until it was so for long enough', () => {
    const healthy = {
      state: 'Verifying',
      phase: 'verify',
      verifyingSince: 30 * SECOND,
      healthySince: 50 * SECOND,
    } as const;
    expect(of(healthy)).toMatchObject([{ reason: 'GatePending', until: begun + 70 * SECOND }]);
    expect(of({ ...healthy, slow: true })).toMatchObject([{ until: begun + 70 * SECOND }]);
    expect(of({ ...healthy, healthySince: 70 * SECOND })).toMatchObject([{ until: begun + 80 * SECOND }]);
  });

  it('is failing, until it was so for long enough', () => {
    const failing = {
      state: 'Verifying',
      phase: 'verify',
      verifyingSince: 30 * SECOND,
      failingSince: 58 * SECOND,
    } as const;
    expect(of(failing)).toMatchObject([{ reason: 'GateFailing', until: begun + 63 * SECOND }]);
    expect(of({ ...failing, failingSince: 78 * SECOND })).toMatchObject([{ until: begun + 80 * SECOND }]);
    const workloads = { ...policy.workloads!, failFast: 'off' } as const;
    expect(of(failing, rolloutIn({}, [{}], { workloads }))).toMatchObject([
      { reason: 'GateFailing', until: begun + 80 * SECOND },
    ]);
  });

  it('waits for each of its gates that has not passed', () => {
    const during = (name: string) => gateWith({ name, phase: 'during' });
    const [errors, latency, cost, later] = ['errors', 'latency', 'cost', 'later'].map(during) as PlannedGate[];
    const gates = [
      runWith(errors!, {
        state: 'Running',
        since: 50 * SECOND,
        dueAt: 65 * SECOND,
        lastVerdict: 'Failure',
        object: web,
        evidence: 'x',
      }),
      runWith(latency!, { state: 'Inconclusive', since: 50 * SECOND, evidence: 'y' }),
      runWith(cost!, { state: 'Passed' }),
      runWith(later!, { state: 'Waiting' }),
    ];
    const rollout = rolloutIn({}, [{ plan: { gates: [errors!, latency!, cost!, later!] } }]);
    expect(of({ state: 'Verifying', phase: 'gates', gates }, rollout)).toEqual([
      {
        ...onC1,
        reason: 'GateFailing',
        gate: 'errors',
        object: web,
        evidence: '0 of 1 measurements: x',
        since: begun + 50 * SECOND,
        until: begun + 65 * SECOND,
      },
      {
        ...onC1,
        reason: 'GatePending',
        gate: 'latency',
        evidence: 'inconclusive, and waits for a person: 0 of 1 measurements: y',
        since: begun + 50 * SECOND,
      },
    ]);
  });

  it('is looked at once more when its gates have passed, or were let pass, in between', () => {
    const gate = gateWith({ name: 'errors', phase: 'during' });
    const rollout = rolloutIn({}, [{ plan: { gates: [gate] } }]);
    const gates = [runWith(gate, { state: 'Passed' })];
    expect(of({ state: 'Verifying', phase: 'gates', gates, dueAt: NOW }, rollout)).toMatchObject([
      { ...onC1, reason: 'GatePending', gate: 'workloads-ready', evidence: 'every gate has passed', until: NOW },
    ]);
  });

  it('is being rolled back', () => {
    const back = { state: 'RollingBack', verifyingSince: 30 * SECOND } as const;
    const row = { ...onC1, reason: 'GatePending', gate: 'workloads-ready', since: begun + 30 * SECOND };
    expect(of({ ...back, evidence })).toEqual([{ ...row, object: web, evidence: '1 of 2 ready' }]);
    expect(of(back)).toEqual([{ ...row, evidence: 'being rolled back' }]);
    const rolling = rolloutIn({ state: 'RollingBack' });
    const targets = [targetWith({ state: 'Applying' }), targetWith({ ...back, cluster: 'c2' })];
    expect(blockersOf(rolling, targets)).toMatchObject([{ cluster: 'c2' }]);
    expect(blockersOf(rolloutIn(), targets)).toHaveLength(2);
  });

  it('has fallen ill after it was verified', () => {
    expect(of({ state: 'Succeeded', degraded: true, degradedSince: 50 * SECOND, evidence })).toEqual([
      {
        ...onC1,
        reason: 'GateFailing',
        gate: 'workloads-ready',
        object: web,
        evidence: 'after it was verified: 1 of 2 ready',
        since: begun + 50 * SECOND,
        until: begun + 100 * SECOND,
      },
    ]);
    expect(of({ state: 'Succeeded', seenIn: 1 })).toEqual([]);
  });

  it('was verified, and has to be seen healthy anew', () => {
    expect(of({ state: 'Succeeded', seenIn: 0 })).toEqual([
      {
        ...onC1,
        reason: 'GatePending',
        gate: 'workloads-ready',
        evidence: 'verified, and not seen by the last look yet',
      },
    ]);
    const waves = [5, 7, null].map((finishedAt) => ({ wave: { finishedAt } }));
    expect(of({ state: 'Succeeded', seenIn: 0 }, rolloutIn({}, waves))).toMatchObject([{ since: 7 }]);
    expect(isUnseen(rolloutIn(), targetWith({ state: 'Verifying', seenIn: 0 }))).toBe(false);
    const [resumed] = blockersOf(rolloutIn({ lastLook: null }), [targetWith({ state: 'Succeeded' })]);
    expect(resumed).toMatchObject({
      reason: 'GatePending',
      evidence: expect.stringContaining('since the rollout goes on'),
    });
  });

  it('is waited for by nobody in any other state', () => {
    for (const state of ['Pending', 'Failed', 'Skipped', 'RolledBack', 'RollbackFailed'] as const)
      expect(of({ state })).toHaveLength(0);
  });

  it('is held by another rollout, which is named with what it does there', () => {
    const holder = (changes: Partial<Target>) => {
      const other = {
        rollout: rolloutWith([{}], { application: 'db', state: 'RollingBack' }),
        target: targetWith(changes),
      };
      return blockersOf(rolloutIn(), [targetWith()], new Map([['c1', other]]));
    };
    expect(holder({ state: 'Verifying', message: 'slow', evidence })).toEqual([
      {
        ...onC1,
        reason: 'ClusterBusy',
        object: web,
        evidence: 'rollout r1 of db (RollingBack) is at work there: Verifying: slow',
        since: begun,
      },
    ]);
    expect(holder({ cluster: 'c7', failureDomain: 'eu-1', state: 'Verifying', message: 'slow' })).toMatchObject([
      {
        reason: 'FailureDomain',
        cluster: 'c1',
        evidence: 'rollout r1 of db (RollingBack) is at work in its failure domain eu-1, on c7: Verifying: slow',
      },
    ]);
    expect(holder({ state: 'Failed', owes: 'back', reason: 'Gone' })).toMatchObject([
      { object: null, evidence: 'rollout r1 of db (RollingBack) owes it its revision: Failed: Gone' },
    ]);
    expect(holder({ state: 'Applying' })).toMatchObject([
      { evidence: 'rollout r1 of db (RollingBack) is at work there: Applying' },
    ]);
  });

  it('belongs to a wave of the plan, or to none that is known', () => {
    expect(of({ state: 'Applying', wave: 7 })).toMatchObject([{ wave: null }]);
  });
});

describe('a wave that is waited for', () => {
  const quota = gateWith({ name: 'quota', phase: 'before' });
  const errors = gateWith({ name: 'errors' });
  const passed = { state: 'Succeeded' } as const;
  const runs = [quota, errors].map((gate) =>
    runWith(gate, { state: 'Running', since: 50 * SECOND, dueAt: 65 * SECOND, evidence: 'x' }),
  );
  const next: GivenWave = { plan: { gates: [quota, errors] }, wave: { startedAt: null, gates: runs } };
  const soaking: GivenWave = {
    ...next,
    plan: { ...next.plan, soakMs: 90_400 },
    wave: { ...next.wave, startedAt: 5, state: 'Soaking', soakingSince: 50 * SECOND },
  };

  it('has gates before it, until the first of them is measured', () => {
    expect(blockersOf(rolloutIn({}, [{ wave: passed }, next]), [])).toEqual([
      {
        ...nothing,
        wave: 'w1',
        reason: 'GatePending',
        gate: 'quota',
        evidence: '0 of 1 measurements: x',
        since: begun + 50 * SECOND,
        until: begun + 65 * SECOND,
      },
    ]);
  });

  it('soaks, by its gates and until its time is over', () => {
    expect(blockersOf(rolloutIn({}, [soaking]), [])).toEqual([
      expect.objectContaining({ wave: 'w0', gate: 'errors' }),
      {
        ...nothing,
        wave: 'w0',
        reason: 'Soaking',
        evidence: 'every cluster of the wave has to stay healthy for 90 s',
        since: begun + 50 * SECOND,
        until: begun + 140 * SECOND + 400,
      },
    ]);
  });

  it('waits for a yes, however long that takes', () => {
    const approval = gateWith({ name: 'yes', kind: 'approval', phase: 'before' });
    const gates = [
      runWith(approval, { state: 'Running', since: 50 * SECOND, dueAt: 65 * SECOND, lastVerdict: 'Failure' }),
    ];
    const rollout = rolloutIn({}, [{ plan: { gates: [approval] }, wave: { startedAt: null, gates } }]);
    expect(blockersOf(rollout, [])).toMatchObject([{ reason: 'AwaitingApproval', gate: 'yes', until: null }]);
  });

  it('has nothing to wait for when all have passed, or the rollout does not go forward', () => {
    expect(blockersOf(rolloutIn({}, [{ ...next, wave: { ...next.wave, ...passed } }]), [])).toEqual([]);
    expect(blockersOf(rolloutIn({ state: 'RollingBack' }, [next]), [])).toEqual([]);
  });

  it('has failed gates', () => {
    const failed = { ...next, wave: { startedAt: null, gates: [runWith(quota, { state: 'Failed', evidence: 'x' })] } };
    expect(blockersOf(rolloutIn({}, [failed]), [])).toMatchObject([
      { reason: 'GateFailing', gate: 'quota', until: null },
    ]);
  });

  it('has clusters that others hold, where nothing else is waited for', () => {
    const waves = [
      { counts: { succeeded: 1 }, wave: passed },
      { counts: { pending: 3 }, wave: { startedAt: 7 } },
    ];
    expect(blockersOf(rolloutIn({}, waves), [])).toMatchObject([{ wave: 'w1', reason: 'FailureDomain', since: 7 }]);
    expect(blockersOf(rolloutIn({}, waves), [])[0]!.evidence).toMatch(/^3 clusters wait: /);
    expect(blockersOf(rolloutIn({}, waves), [targetWith({ state: 'Applying' })])).toHaveLength(1);
    expect(blockersOf(rolloutIn(), [])).toEqual([]);
    const verified = [{ counts: { succeeded: 3, toReturn: 3, pending: 1 } }];
    expect(blockersOf(rolloutIn({}, verified), [])).toMatchObject([
      { evidence: expect.stringMatching(/^1 cluster waits: /) },
    ]);
  });

  it('has clusters to be returned first, where others hold those', () => {
    const failed = [{ counts: { failed: 1, toReturn: 2, failedToReturn: 1, pending: 2 } }];
    const others = 'to be returned: another rollout is at work in their failure domains';
    expect(blockersOf(rolloutIn({}, failed), [])).toEqual([
      { ...nothing, wave: 'w0', reason: 'FailureDomain', evidence: `1 cluster waits ${others}` },
    ]);
    const by = { automatic: true, by: 'mara', reason: 'x', startedAt: 9 };
    const rollback = { scope: 'rollout', wave: null, clusters: [], ...by } as const;
    expect(blockersOf(rolloutIn({ state: 'RollingBack', rollback }, failed), [])).toEqual([
      { ...nothing, wave: 'w0', reason: 'FailureDomain', evidence: `2 clusters wait ${others}`, since: 9 },
    ]);
    expect(blockersOf(rolloutIn({ state: 'RollingBack', rollback }, [{ counts: { pending: 2 } }]), [])).toEqual([]);
  });

  it('stands still with the rollout’s time', () => {
    const rollout = rolloutIn({ clock: { ran: 60 * SECOND, since: null }, paused: null }, [soaking]);
    expect(blockersOf(rollout, [])).toMatchObject([{ since: null }, { since: null, until: null }]);
  });
});

describe('what happens next', () => {
  const next = (state: RolloutState, changes: Partial<Rollout> = {}, waves: readonly GivenWave[] = [{}, {}]) =>
    nextOf(rolloutIn({ state, ...changes }, waves));
  const passed: GivenWave = { wave: { state: 'Succeeded' } };

  it.each([
    ['Succeeded', /^nothing: /],
    ['Queued', /^it starts when the older rollout/],
    ['Planned', /^the first wave starts when the preflight has passed$/],
    ['Preflight', /^the first wave starts when the preflight has passed$/],
    ['Halted', /breakwater rollout resume\|rollback\|abort r1$/],
    ['RollingBack', /^every touched cluster returns/],
    ['Progressing', /^wave w1 starts when wave w0 has passed$/],
  ] as const)('in %s', (state, said) => {
    expect(next(state)).toMatch(said);
  });

  it('is up to people, where deletions or a freeze wait for them', () => {
    expect(next('Preflight', { reason: 'TooManyDeletions' })).toMatch(/breakwater rollout approve r1 --deletions$/);
    expect(next('Progressing', { paused: frozen })).toMatch(/breakwater rollout resume r1$/);
    expect(next('Progressing', { paused: { ...frozen, mode: 'drain' } })).toMatch(/^wave w1 starts/);
    expect(next('Aborted', { paused: frozen })).toMatch(/^nothing: /);
  });

  it('is the end after the last wave', () => {
    expect(next('Progressing', {}, [passed, {}])).toBe('the rollout ends when wave w1 has passed');
    expect(next('Progressing', {}, [passed, passed])).toBe(
      'the rollout ends when everything verified is still healthy',
    );
  });
});

describe('a rollout that has halted', () => {
  const failed = { state: 'Failed', finishedAt: NOW - 9 * SECOND } as const;
  const halted = (reason: string) =>
    rolloutIn({ state: 'Halted', reason, message: 'why' }, [{ wave: { state: 'Failed', finishedAt: NOW - SECOND } }]);

  it.each([
    ['FailureBudgetExceeded', 'GateFailing', null],
    ['TargetsSlow', 'GateFailing', 'workloads-ready'],
    ['ClusterUnreachable', 'ClusterUnreachable', null],
    ['RollbackImpossible', 'IrreversibleStep', null],
  ])('over %s says %s, and where', (reason, said, gate) => {
    expect(blockersOf(halted(reason), [])[0]).toEqual({
      ...nothing,
      reason: said,
      wave: 'w0',
      gate,
      evidence: 'why',
      since: NOW - SECOND,
    });
  });

  it('has a row for each cluster that failed, with what was seen there', () => {
    const targets = [targetWith({ ...failed, evidence }), targetWith({ ...failed, cluster: 'c2', message: 'refused' })];
    const rows = blockersOf(halted('FailureBudgetExceeded'), targets).slice(1);
    const row = { ...onC1, reason: 'GateFailing', gate: 'workloads-ready', since: NOW - 9 * SECOND };
    expect(rows).toEqual([
      { ...row, object: web, evidence: '1 of 2 ready' },
      { ...row, cluster: 'c2', evidence: 'refused' },
    ]);
  });

  it('has a row for each cluster that is away, since it is', () => {
    const away = { state: 'Unreachable', unreachableSettled: true, message: 'no route' } as const;
    const row = { ...onC1, reason: 'ClusterUnreachable', evidence: 'no route' };
    const rowOf = (changes: Partial<Target>, rollout = halted('ClusterUnreachable')) =>
      blockersOf(rollout, [targetWith({ ...away, ...changes })]).slice(1);
    const runs = { ...halted('ClusterUnreachable'), clock: { ran: 0, since: begun } };
    expect(rowOf({ unreachableSince: 20 * SECOND, finishedAt: 5 }, runs)).toEqual([
      { ...row, since: begun + 20 * SECOND },
    ]);
    expect(rowOf({ finishedAt: 5 })).toEqual([{ ...row, since: 5 }]);
  });
});

describe('a rollout that has ended', () => {
  it('names what it still owes, and to whom', () => {
    const owing = { state: 'Unreachable', owes: 'forward', message: 'no answer', finishedAt: NOW - SECOND } as const;
    expect(of(owing, rolloutIn({ state: 'Incomplete' }))).toEqual([
      {
        ...onC1,
        reason: 'ClusterUnreachable',
        evidence: 'it is owed the new revision: Unreachable: no answer',
        since: NOW - SECOND,
      },
    ]);
    expect(of({ ...owing, owes: 'back' }, rolloutIn({ state: 'RollbackFailed' }))).toMatchObject([
      { evidence: 'it is owed the revision from before: Unreachable: no answer' },
    ]);
    const said = (changes: Partial<Target>) =>
      of({ ...owing, message: '', ...changes }, rolloutIn({ state: 'Incomplete' }));
    expect(said({ reason: 'Gone' })).toMatchObject([{ evidence: 'it is owed the new revision: Unreachable: Gone' }]);
    expect(said({})).toMatchObject([{ evidence: 'it is owed the new revision: Unreachable' }]);
  });
});

describe('a cluster that has not begun', () => {
  const pending = targetWith({ wave: 1 });

  it('waits for the wave before its own', () => {
    const rollout = rolloutIn({}, [
      { counts: { succeeded: 3, inFlight: 1 } },
      { wave: { startedAt: null, state: 'Pending' } },
    ]);
    expect(blockersOf(rollout, [pending])).toMatchObject([
      { reason: 'GatePending', wave: 'w0', evidence: 'wave w0 has to pass first: 3 of its 4 clusters verified' },
    ]);
  });

  it('waits while as many of its wave, or of its region, as may be are in flight', () => {
    const first: GivenWave = { wave: { state: 'Succeeded' } };
    const full = rolloutIn({}, [first, { counts: { inFlight: 1, rollingBack: 1, pending: 2 } }]);
    expect(blockersOf(full, [pending])).toMatchObject([
      {
        reason: 'Concurrency',
        wave: 'w1',
        cluster: 'c1',
        evidence: '2 clusters of wave w1 are in flight, and at most 2 may be',
      },
    ]);
    const verified = targetWith({ cluster: 'c0', state: 'Succeeded', seenIn: 1 });
    expect(blockersOf(full, [verified, pending])).toEqual(blockersOf(full, [pending]));
    const regions = { eu: { inFlight: 1, failures: 0, acceptedFailures: 0 } };
    const crowded = rolloutIn({ regions }, [first, { counts: { inFlight: 1, pending: 2 } }], {
      concurrency: { region: 1, cluster: null },
    });
    expect(blockersOf(crowded, [pending])).toMatchObject([
      { reason: 'Concurrency', evidence: '1 clusters of region eu are in flight, and at most 1 may be' },
    ]);
  });
});
