import { advance, beginProgress, hasBegun, returnConcurrency } from './rollout-machine.ts';
import type { Irreversible, Rollout, RolloutState } from './rollout.ts';
import {
  gateWith,
  type GivenCounts,
  type GivenWave,
  NOW,
  rolloutWith,
  runWith,
  SECOND,
} from './testing/rollout-builders.ts';

const started = (changes: GivenWave['wave'] = {}) =>
  ({ state: 'Progressing', startedAt: NOW - SECOND, ...changes }) as const;
const waiting = { state: 'Pending', startedAt: null } as const;
const passed = { state: 'Succeeded', finishedAt: NOW - SECOND } as const;
const drained = { mode: 'drain', by: 'mara', reason: '', since: NOW, emergency: false } as const;
const frozen = { ...drained, mode: 'freeze' } as const;
const look = (rollout: Rollout) => advance(rollout, NOW);
const finding = (changes: Partial<Irreversible> = {}): Irreversible => ({
  object: 'ConfigMap/web/locked' as Irreversible['object'],
  why: 'field is immutable',
  cluster: 'c1',
  accepted: false,
  ...changes,
});

describe('a wave under way', () => {
  it('starts as many targets as have room beside those in flight, being returned, or still to be returned', () => {
    const orders = (counts: GivenCounts) =>
      look(rolloutWith([{ plan: { maxConcurrent: 4, size: 9, failureBudget: 9 }, counts }])).orders.filter(
        ({ type }) => type === 'Start',
      );
    expect(orders({ pending: 9 })).toEqual([{ type: 'Start', wave: 0, limit: 4 }]);
    expect(orders({ pending: 2 })).toEqual([{ type: 'Start', wave: 0, limit: 2 }]);
    expect(orders({ pending: 9, inFlight: 1 })).toEqual([{ type: 'Start', wave: 0, limit: 3 }]);
    expect(orders({ pending: 9, inFlight: 1, rollingBack: 1, failedToReturn: 1 })).toEqual([
      { type: 'Start', wave: 0, limit: 1 },
    ]);
    expect(orders({ pending: 9, inFlight: 4 })).toEqual([]);
    expect(orders({ inFlight: 1 })).toEqual([]);
  });

  it('returns what failed within the budget, in every wave that was reached and in none beyond', () => {
    const failed = {
      counts: { failedToReturn: 2, everFailed: 2, pending: 1 },
      plan: { failureBudget: 2, maxConcurrent: 1 },
    };
    const rollout = rolloutWith([
      { ...failed, wave: passed },
      { ...failed, wave: started() },
      { ...failed, wave: waiting },
    ]);
    expect(look(rollout).orders).toEqual([
      { type: 'Return', wave: 0, limit: 2, only: 'failed' },
      { type: 'Return', wave: 1, limit: 2, only: 'failed' },
    ]);
  });

  it('gives a cluster of a wave that has passed its place again when it is back', () => {
    const rollout = rolloutWith([
      { counts: { pending: 1 }, wave: passed },
      { counts: { inFlight: 1 }, wave: started() },
    ]);
    expect(look(rollout).orders).toEqual([{ type: 'Start', wave: 0, limit: 1 }]);
  });

  it('starts nothing while it is drained, or while a verified cluster anywhere is not healthy', () => {
    const waves = [{ counts: { pending: 3, inFlight: 1 } }];
    expect(look(rolloutWith(waves)).orders).toHaveLength(1);
    expect(look(rolloutWith(waves, { paused: drained })).orders).toEqual([]);
    const ill = { counts: { succeeded: 1, degraded: 1 }, wave: passed };
    expect(look(rolloutWith([ill, ...waves])).orders).toEqual([]);
  });

  it('is described as far as it is', () => {
    const { rollout, dueAt } = look(
      rolloutWith([{ counts: { pending: 1, inFlight: 1, succeeded: 2 } }], { reason: 'x' }),
    );
    expect(rollout).toMatchObject({
      reason: 'WaveInProgress',
      message: 'wave w0: 2 of 4 clusters verified, 1 not started',
    });
    expect(dueAt).toBeNull();
  });

  it.each(['pending', 'inFlight', 'unreachableWaiting', 'rollingBack', 'failedToReturn'] as const)(
    'does not begin to soak before the last target that is %s has come to an end',
    (count) => {
      const wave = { plan: { soakMs: SECOND, maxConcurrent: 1 }, counts: { succeeded: 3, [count]: 1 } };
      expect(look(rolloutWith([wave])).rollout.waves[0]).toMatchObject({ state: 'Progressing', soakingSince: null });
      const rest = { plan: { soakMs: SECOND }, counts: { succeeded: 4 } };
      expect(look(rolloutWith([rest])).rollout.waves[0]).toMatchObject({ state: 'Soaking', soakingSince: 60 * SECOND });
    },
  );
});

describe('a wave that soaks', () => {
  const soaking = (ago: number, given: GivenWave = {}): GivenWave => ({
    ...given,
    plan: { soakMs: 20 * SECOND, ...given.plan },
    counts: { succeeded: 4, ...given.counts },
    wave: { ...started(), state: 'Soaking', soakingSince: (60 - ago) * SECOND, ...given.wave },
  });

  it('passes at the moment when the soak is over, and the next one begins in the same look', () => {
    const next = { wave: waiting, counts: { pending: 4 } };
    const early = look(rolloutWith([soaking(19), next]));
    expect(early).toMatchObject({ orders: [], dueAt: NOW + SECOND, rollout: { reason: 'Soaking' } });
    const { rollout, orders, dueAt } = look(rolloutWith([soaking(20), next]));
    expect(rollout.waves).toMatchObject([
      { state: 'Succeeded', finishedAt: NOW },
      { state: 'Progressing', startedAt: NOW },
    ]);
    expect(orders).toEqual([{ type: 'Start', wave: 1, limit: 2 }]);
    expect(dueAt).toBeNull();
  });

  it('goes on soaking while something in it is verified again, or a cluster of any wave is not healthy', () => {
    for (const counts of [{ inFlight: 1 }, { degraded: 1 }, { confirmed: 3 }]) {
      const { rollout, dueAt } = look(rolloutWith([soaking(25, { counts })]));
      expect(rollout).toMatchObject({ state: 'Progressing', reason: 'Soaking', waves: [{ state: 'Soaking' }] });
      expect(dueAt).toBeNull();
    }
    for (const counts of [{ degraded: 1 }, { confirmed: 3 }]) {
      const before = { counts: { succeeded: 4, ...counts }, wave: passed };
      expect(look(rolloutWith([before, soaking(25)])).rollout.waves[1]!.state).toBe('Soaking');
    }
  });

  it('passes also while it is drained', () => {
    const { rollout } = look(
      rolloutWith([soaking(20), { wave: waiting, counts: { pending: 4 } }], { paused: drained }),
    );
    expect(rollout.waves[0]!.state).toBe('Succeeded');
  });

  it('waits for the gates after it, and says which', () => {
    const gate = gateWith();
    const { rollout, orders, dueAt } = look(rolloutWith([soaking(25, { plan: { gates: [gate] } })]));
    expect(rollout).toMatchObject({
      reason: 'GatePending',
      message: 'wave w0: gate errors: 0 of 1 measurements: not measured yet',
    });
    expect(orders).toEqual([{ type: 'Measure', wave: 0, gate: 'errors' }]);
    expect(dueAt).toBe(NOW + 5 * SECOND);
  });

  it('measures its gates while it still soaks, and is due when the first of both is', () => {
    const gate = gateWith({}, { count: 3 });
    const run = runWith(gate, { state: 'Running', since: 40 * SECOND, dueAt: 63 * SECOND, evidence: 'ok' });
    const soon = look(rolloutWith([soaking(15, { plan: { gates: [gate] }, wave: { gates: [run] } })]));
    expect(soon).toMatchObject({ orders: [], dueAt: NOW + 3 * SECOND, rollout: { reason: 'Soaking' } });
    const late = look(rolloutWith([soaking(19, { plan: { gates: [gate] }, wave: { gates: [run] } })]));
    expect(late.dueAt).toBe(NOW + SECOND);
  });

  it('halts when a gate after it has failed', () => {
    const gate = gateWith();
    const run = runWith(gate, { state: 'Failed', evidence: '4 % errors' });
    const { rollout } = look(rolloutWith([soaking(5, { plan: { gates: [gate] }, wave: { gates: [run] } })]));
    expect(rollout).toMatchObject({ reason: 'GateFailed', waves: [{ state: 'Failed', finishedAt: NOW }] });
    expect(rollout.rollback?.reason).toBe('wave w0: gate errors: 0 of 1 measurements: 4 % errors');
  });
});

describe('a wave that is next', () => {
  const next = (gates: readonly ReturnType<typeof gateWith>[], wave: GivenWave['wave'] = {}): GivenWave => ({
    plan: { gates },
    counts: { pending: 4 },
    wave: { ...waiting, ...wave },
  });
  const before = gateWith({ phase: 'before', name: 'quota' });
  const approval = gateWith({ phase: 'before', name: 'approval', kind: 'approval', spec: { required: 1 } });

  it('does not start before its gates have passed, and orders their measurements', () => {
    const { rollout, orders, dueAt } = look(rolloutWith([{ counts: { succeeded: 4 }, wave: passed }, next([before])]));
    expect(rollout).toMatchObject({
      state: 'Progressing',
      reason: 'GatePending',
      message: 'wave w1 has not started: gate quota: 0 of 1 measurements: not measured yet',
    });
    expect(rollout.waves[1]).toMatchObject({ state: 'Pending', startedAt: null });
    expect(orders).toEqual([{ type: 'Measure', wave: 1, gate: 'quota' }]);
    expect(dueAt).toBe(NOW + 5 * SECOND);
  });

  it('goes on with the waves before it meanwhile', () => {
    const before0 = {
      counts: { pending: 1, failedToReturn: 1, everFailed: 1 },
      plan: { failureBudget: 1 },
      wave: passed,
    };
    expect(look(rolloutWith([before0, next([before])])).orders).toEqual([
      { type: 'Return', wave: 0, limit: 1, only: 'failed' },
      { type: 'Start', wave: 0, limit: 1 },
      { type: 'Measure', wave: 1, gate: 'quota' },
    ]);
  });

  it('does not hold up what is tried anew in a wave that has passed', () => {
    const anew = { counts: { pending: 1, succeeded: 3 }, wave: passed };
    const ill = { counts: { succeeded: 1, degraded: 1 }, wave: passed };
    const starts = (rollout: Rollout) => look(rollout).orders.filter(({ type }) => type === 'Start');
    expect(starts(rolloutWith([anew, next([approval])]))).toEqual([{ type: 'Start', wave: 0, limit: 1 }]);
    expect(starts(rolloutWith([anew, ill, next([approval])]))).toEqual([]);
    const failed = runWith(before, { state: 'Failed', evidence: 'no room' });
    const halting = {
      onFailure: { action: 'halt', scope: 'rollout', maxConcurrent: 1, failureDomains: 'ignore' },
    } as const;
    expect(starts(rolloutWith([anew, next([before], { gates: [failed] })], {}, halting))).toEqual([]);
  });

  it('starts once they have', () => {
    const { rollout } = look(rolloutWith([next([before], { gates: [runWith(before, { state: 'Passed' })] })]));
    expect(rollout.waves[0]).toMatchObject({ state: 'Progressing', startedAt: NOW });
  });

  it('awaits an approval only where nothing but people is waited for', () => {
    const alone = look(rolloutWith([next([approval])])).rollout;
    expect(alone).toMatchObject({ reason: 'AwaitingApproval', waves: [{ state: 'AwaitingApproval' }] });
    const both = look(rolloutWith([next([approval, before])])).rollout;
    expect(both).toMatchObject({ reason: 'GatePending', waves: [{ state: 'Pending' }] });
    expect(both.message).toMatch(/^wave w0 has not started: gate approval: .*; gate quota: /);
  });

  it('halts the rollout when a gate before it has failed', () => {
    const run = runWith(before, { state: 'Failed', evidence: 'no room' });
    const { rollout } = look(rolloutWith([next([before], { gates: [run] })]));
    expect(rollout).toMatchObject({ reason: 'GateFailed', waves: [{ state: 'Failed' }] });
    expect(rollout.rollback?.reason).toBe('wave w0 may not start: gate quota: 0 of 1 measurements: no room');
  });

  it('begins no return beside the end that a failed gate before it brings', () => {
    const before0 = {
      counts: { succeeded: 1, failed: 1, failedToReturn: 1, toReturn: 1, everFailed: 1 },
      plan: { failureBudget: 1 },
      wave: passed,
    };
    const run = runWith(before, { state: 'Failed', evidence: 'no room' });
    const onFailure = { action: 'rollback', scope: 'wave', maxConcurrent: 1, failureDomains: 'ignore' } as const;
    const { rollout, orders } = look(rolloutWith([before0, next([before], { gates: [run] })], {}, { onFailure }));
    expect([rollout.state, orders]).toEqual(['RolledBack', [{ type: 'Ended' }]]);
    expect(rollout.message).toMatch(/0 clusters restored and verified, 1 left on the new revision$/);
  });
});

describe('a wave of which too little was verified', () => {
  const done = (counts: GivenCounts, given: GivenWave = {}) =>
    look(
      rolloutWith([
        { ...given, counts, plan: { failureBudget: 4, minClusters: 3, ...given.plan } },
        { wave: waiting, counts: { pending: 4 } },
      ]),
    ).rollout;

  it('halts where fewer are verified than the strategy wants, with the figures', () => {
    const rollout = done({ succeeded: 2, skipped: 2 });
    expect(rollout).toMatchObject({ state: 'RolledBack', reason: 'TooFewVerified' });
    expect(rollout.rollback?.reason).toBe('wave w0: 2 of its clusters verified, and at least 3 have to be');
    expect(done({ succeeded: 3, skipped: 1 }).waves[0]!.state).toBe('Succeeded');
    expect(done({ succeeded: 2, inFlight: 1 }).state).toBe('Progressing');
  });

  it('halts where none is, whatever the least number is', () => {
    const rollout = done({ skipped: 4 }, { plan: { minClusters: 0 } });
    expect(rollout).toMatchObject({ state: 'RolledBack', reason: 'NothingVerified' });
    expect(rollout.rollback?.reason).toBe(
      'wave w0: none of its clusters could be verified, so nothing shows that the release is good',
    );
    expect(done({ inFlight: 1 }).state).toBe('Progressing');
  });

  it('passes where a person has accepted it', () => {
    expect(done({ succeeded: 2 }, { wave: { acceptedUnverified: true } }).waves[0]!.state).toBe('Succeeded');
    expect(done({ skipped: 4 }, { wave: { acceptedUnverified: true } }).waves[0]!.state).toBe('Succeeded');
  });

  it('passes where people have taken every cluster out of it, and only then', () => {
    expect(done({ skipped: 4, leftOut: 4 }).waves[0]!.state).toBe('Succeeded');
    expect(done({ skipped: 4, leftOut: 3 }).reason).toBe('NothingVerified');
    expect(done({}, { plan: { size: 0 } }).reason).toBe('NothingVerified');
  });
});

describe('a rollout that stops and asks', () => {
  it('does so when clusters are away for too long, where the strategy says so, without taking anything back', () => {
    const away = {
      counts: { inFlight: 2, toReturn: 2, unreachable: 2, unreachableCounted: 2 },
      plan: { failureBudget: 9 },
    };
    const halt = { unreachable: { wait: SECOND, then: 'halt' } } as const;
    const { rollout, orders, dueAt } = look(rolloutWith([away], {}, halt));
    expect(rollout).toMatchObject({
      state: 'Halted',
      reason: 'ClusterUnreachable',
      message: "wave w0: 2 unreachable for longer than the strategy's wait",
      rollback: null,
      waves: [{ state: 'Failed', finishedAt: NOW }],
      gate: { generation: 2, forward: false, backward: false },
    });
    expect({ orders, dueAt }).toEqual({ orders: [], dueAt: null });
    expect(look(rolloutWith([away])).rollout.state).toBe('Progressing');
    expect(look(rolloutWith([{ ...away, wave: { acceptedFailures: 2 } }], {}, halt)).rollout.state).toBe('Progressing');
    expect(look(rolloutWith([{ ...away, wave: { acceptedFailures: 1 } }], {}, halt)).rollout.state).toBe('Halted');
    const waits = {
      counts: { inFlight: 1, unreachable: 2, unreachableWaiting: 2, everFailed: 1 },
      plan: { failureBudget: 9 },
    };
    expect(look(rolloutWith([waits], {}, halt)).rollout.state).toBe('Progressing');
  });

  it('does so at its deadline, once, and not after its last wave', () => {
    const deadline = { deadline: 60 * SECOND };
    const waves = [{ counts: { inFlight: 1 } }];
    const { rollout, orders } = look(rolloutWith(waves, {}, deadline));
    expect(rollout).toMatchObject({
      state: 'Halted',
      reason: 'DeadlineExceeded',
      message: 'wave w0: the rollout has run for longer than its deadline of 1m',
      rollback: null,
    });
    expect(orders).toEqual([]);
    expect(look(rolloutWith(waves, {}, { deadline: 60 * SECOND + 1 })).rollout.state).toBe('Progressing');
    expect(look(rolloutWith(waves, { deadlineAccepted: true }, deadline)).rollout.state).toBe('Progressing');
    const later = look(rolloutWith([{ counts: { succeeded: 4 }, wave: passed }, ...waves], {}, deadline));
    expect(later).toMatchObject({ rollout: { message: expect.stringMatching(/^wave w1: /) as string }, dueAt: null });
    const before = rolloutWith([{ counts: { succeeded: 4 }, wave: passed }, ...waves], {}, { deadline: 70 * SECOND });
    expect(look(before).dueAt).toBe(NOW + 10 * SECOND);
    const over = [{ counts: { succeeded: 3, inFlight: 1 }, wave: passed }];
    expect(look(rolloutWith(over, {}, deadline)).rollout.state).toBe('Progressing');
  });

  it('looks at its deadline when it passes, as long as it could stop anything', () => {
    const waves = [{ counts: { inFlight: 1 } }];
    const in5 = { deadline: 65 * SECOND };
    expect(look(rolloutWith(waves, {}, in5)).dueAt).toBe(NOW + 5 * SECOND);
    expect(look(rolloutWith(waves, { deadlineAccepted: true }, in5)).dueAt).toBeNull();
    expect(look(rolloutWith(waves, { paused: frozen }, in5)).dueAt).toBeNull();
    const tooMany = [{ counts: { everFailed: 1, failed: 1, toReturn: 1 } }];
    expect(look(rolloutWith(tooMany, {}, in5))).toMatchObject({ rollout: { state: 'RollingBack' }, dueAt: null });
    const over = [{ counts: { succeeded: 3, inFlight: 1 }, wave: passed }];
    expect(look(rolloutWith(over, {}, { deadline: 60 * SECOND })).dueAt).toBeNull();
    const soaking = { plan: { soakMs: 3 * SECOND }, counts: { succeeded: 4 } };
    expect(look(rolloutWith([soaking], {}, in5)).dueAt).toBe(NOW + 3 * SECOND);
  });

  it('does so over what cannot be taken back, going forward, and names all of it while it is halted', () => {
    const irreversible = [finding({ accepted: true, cluster: 'c0' }), finding()];
    const { rollout, orders } = look(rolloutWith([{ counts: { pending: 4 } }], { irreversible }));
    expect(rollout).toMatchObject({
      state: 'Halted',
      reason: 'RollbackImpossible',
      message: 'what was applied cannot be taken back: c1: ConfigMap/web/locked (field is immutable)',
      gate: { forward: false, backward: false },
      rollback: null,
    });
    expect(orders).toEqual([]);
    const more = [
      ...irreversible,
      finding({ cluster: 'c2', object: 'Job/web/x' as Irreversible['object'], why: 'gone' }),
    ];
    expect(look({ ...rollout, irreversible: more }).rollout.message).toMatch(/; c2: Job\/web\/x \(gone\)$/);
    const other = { ...rollout, reason: 'FailureBudgetExceeded', irreversible: more };
    expect(look(other).rollout).toBe(other);
    const none = { ...rollout, irreversible: [] };
    expect(look(none).rollout).toBe(none);
  });

  it('does so where its strategy takes nothing back by itself', () => {
    const waves = [{ counts: { everFailed: 1, failed: 1, toReturn: 1 } }];
    const onFailure = { action: 'halt', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore' } as const;
    const { rollout, orders, dueAt } = look(rolloutWith(waves, {}, { onFailure }));
    expect(rollout).toMatchObject({ state: 'Halted', reason: 'FailureBudgetExceeded', rollback: null });
    expect({ orders, dueAt }).toEqual({ orders: [], dueAt: null });
  });

  it('stands still in its own time, until a person resumes it', () => {
    const waves = [{ counts: { everFailed: 1, failed: 1 } }];
    const onFailure = { action: 'halt', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore' } as const;
    const { rollout } = look(rolloutWith(waves, {}, { onFailure }));
    expect(rollout.clock).toEqual({ ran: 60 * SECOND, since: null });
    const found = { cluster: 'c1', object: 'ConfigMap/web/locked' as never, why: 'immutable', accepted: false };
    expect(look(rolloutWith([{}], { irreversible: [found] })).rollout.clock.since).toBeNull();
  });
});

describe('a rollback', () => {
  const onFailure = (changes: object) =>
    ({
      onFailure: { action: 'rollback', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore', ...changes },
    }) as const;
  const order = (changes: Partial<NonNullable<Rollout['rollback']>> = {}): NonNullable<Rollout['rollback']> => ({
    scope: 'rollout',
    wave: null,
    clusters: [],
    automatic: true,
    by: 'breakwater',
    reason: 'wave w0: 1 failed',
    startedAt: NOW - 10 * SECOND,
    ...changes,
  });
  const back = (waves: readonly GivenWave[], changes: Partial<Rollout> = {}, policy = {}) =>
    look(
      rolloutWith(
        waves,
        { state: 'RollingBack', reason: 'FailureBudgetExceeded', rollback: order(), ...changes },
        policy,
      ),
    );

  it('begins by itself when a budget is used up, and says of what', () => {
    const waves = [{ counts: { everFailed: 1, failed: 1, toReturn: 3 } }];
    const { rollout, orders } = look(rolloutWith(waves));
    expect(rollout).toMatchObject({
      state: 'RollingBack',
      reason: 'FailureBudgetExceeded',
      message: 'wave w0: 1 failed, and its failure budget is 0; rolling back: 0 restored, 3 to go',
      finishedAt: null,
      rollback: {
        scope: 'rollout',
        wave: null,
        clusters: [],
        automatic: true,
        by: 'breakwater',
        reason: 'wave w0: 1 failed, and its failure budget is 0',
        startedAt: NOW,
      },
      waves: [{ state: 'Failed', finishedAt: NOW }],
      gate: { forward: false, backward: true },
    });
    expect(orders).toEqual([{ type: 'Return', wave: 0, limit: 3, only: 'all' }]);
  });

  it('takes back the failed wave alone, or the failed clusters alone, where the strategy says so', () => {
    const waves = [
      { counts: { toReturn: 4, succeeded: 4 }, wave: passed },
      { counts: { everFailed: 2, failed: 2, failedToReturn: 2, toReturn: 3 } },
      { counts: { toReturn: 1 } },
    ];
    const wave = look(rolloutWith(waves, {}, onFailure({ scope: 'wave' })));
    expect(wave.rollout.rollback).toMatchObject({ scope: 'wave', wave: 1 });
    expect(wave.orders).toEqual([{ type: 'Return', wave: 1, limit: 3, only: 'all' }]);
    const cluster = look(rolloutWith(waves, {}, onFailure({ scope: 'cluster' })));
    expect(cluster.rollout.rollback).toMatchObject({ scope: 'cluster', wave: null });
    expect(cluster.orders).toEqual([{ type: 'Return', wave: 1, limit: 2, only: 'failed' }]);
  });

  it('returns the last wave first, and waits for those that move before it goes on to the wave before', () => {
    const first = { counts: { toReturn: 4 } };
    expect(back([first, { counts: { toReturn: 2 } }]).orders).toEqual([
      { type: 'Return', wave: 1, limit: 2, only: 'all' },
    ]);
    expect(back([first, { counts: { rollingBack: 1 } }]).orders).toEqual([]);
    expect(back([first, { counts: { rolledBack: 2 } }]).orders).toEqual([
      { type: 'Return', wave: 0, limit: 4, only: 'all' },
    ]);
  });

  it('does not wait for clusters that are cut off, but ends only after them', () => {
    const cutOff = { counts: { rollingBack: 1, rollingBackCutOff: 1 } };
    expect(back([{ counts: { toReturn: 4 } }, cutOff]).orders).toEqual([
      { type: 'Return', wave: 0, limit: 4, only: 'all' },
    ]);
    const last = back([{ counts: { rolledBack: 4 } }, cutOff]);
    expect(last).toMatchObject({ rollout: { state: 'RollingBack' }, orders: [], dueAt: null });
  });

  it('keeps to its own concurrency, of which those cut off take nothing', () => {
    const one = onFailure({ maxConcurrent: 2 });
    const limit = (counts: GivenCounts) => {
      const [first] = back([{ counts }], {}, one).orders;
      return first?.type === 'Return' ? first.limit : null;
    };
    expect(limit({ toReturn: 5 })).toBe(2);
    expect(limit({ toReturn: 1 })).toBe(1);
    expect(limit({ toReturn: 5, rollingBack: 1 })).toBe(1);
    expect(limit({ toReturn: 5, rollingBack: 2 })).toBeNull();
    expect(limit({ toReturn: 5, rollingBack: 2, rollingBackCutOff: 1 })).toBe(1);
    const half = back([{ counts: { toReturn: 9 }, plan: { size: 9 } }], {}, onFailure({ maxConcurrent: '50%' }));
    expect(half.orders).toMatchObject([{ limit: 4 }]);
  });

  it('is held by a pause that was asked for after it began, and not by one from before', () => {
    const waves = [{ counts: { toReturn: 2, rolledBack: 1 } }];
    const held = back(waves, { paused: { ...drained, since: NOW - 10 * SECOND } });
    expect(held.orders).toEqual([]);
    expect(held.rollout.message).toBe('wave w0: 1 failed; rolling back: 1 restored, 2 to go');
    expect(back(waves, { paused: { ...drained, since: NOW - 10 * SECOND - 1 } }).orders).toHaveLength(1);
  });

  it('of clusters that a person named waits for those under way, and begins no other', () => {
    const rollback = order({ scope: 'cluster', automatic: false, clusters: ['c1'] });
    const waves = [{ counts: { rollingBack: 1, toReturn: 3, failedToReturn: 1 } }];
    expect(back(waves, { rollback })).toMatchObject({ orders: [], rollout: { state: 'RollingBack' } });
    const done = back([{ counts: { rolledBack: 1, toReturn: 3 } }], { rollback });
    expect(done.rollout).toMatchObject({ state: 'RolledBack' });
    expect(done.rollout.message).toMatch(/1 cluster restored and verified, 3 left on the new revision$/);
  });

  it('of one wave leaves the others alone', () => {
    const rollback = order({ scope: 'wave', wave: 0 });
    const { orders, rollout } = back([{ counts: { rolledBack: 1 } }, { counts: { toReturn: 4 } }], { rollback });
    expect(orders).toEqual([{ type: 'Ended' }]);
    expect(rollout.state).toBe('RolledBack');
  });

  it('of one wave waits for what is on its way back in another one, and has failed where that did', () => {
    const rollback = order({ scope: 'wave', wave: 0 });
    const ended = (counts: GivenCounts) => back([{ counts: { rolledBack: 1 } }, { counts }], { rollback });
    expect(ended({ rollingBack: 1 })).toMatchObject({ orders: [], rollout: { state: 'RollingBack' } });
    expect(ended({ rollingBack: 1, rollingBackCutOff: 1 }).rollout.state).toBe('RollingBack');
    expect(ended({ rollbackFailed: 1 }).rollout).toMatchObject({
      state: 'RollbackFailed',
      waves: [{ state: 'RolledBack' }, { state: 'Failed' }],
    });
  });

  it('ends restored, with the reason for which it began', () => {
    const { rollout, orders, dueAt } = back([
      { counts: { rolledBack: 2 }, wave: { state: 'Failed' } },
      { counts: { pending: 4 }, wave: waiting },
    ]);
    expect(rollout).toMatchObject({
      state: 'RolledBack',
      reason: 'FailureBudgetExceeded',
      message: 'wave w0: 1 failed; 2 clusters restored and verified',
      finishedAt: NOW,
      waves: [{ state: 'RolledBack' }, { state: 'Pending' }],
      gate: { generation: 2, forward: false, backward: false },
    });
    expect({ orders, dueAt }).toEqual({ orders: [{ type: 'Ended' }], dueAt: null });
  });

  it('has failed where a cluster could not be restored, by wave and in all', () => {
    const { rollout, orders } = back([{ counts: { rolledBack: 3 } }, { counts: { rollbackFailed: 1, rolledBack: 1 } }]);
    expect(rollout).toMatchObject({
      state: 'RollbackFailed',
      reason: 'RollbackFailed',
      message: 'wave w0: 1 failed; 1 of 5 clusters could not be restored',
      waves: [{ state: 'RolledBack' }, { state: 'Failed' }],
    });
    expect(orders).toEqual([{ type: 'Ended' }]);
  });

  it('without an order does nothing', () => {
    const rollout = rolloutWith([{ counts: { toReturn: 1 } }], { state: 'RollingBack' });
    expect(look(rollout)).toEqual({ rollout, orders: [], dueAt: null });
  });

  it('returns at least one cluster at a time, and percentages are rounded down', () => {
    expect(returnConcurrency(3, 2)).toBe(3);
    expect(returnConcurrency(0, 2)).toBe(1);
    expect(returnConcurrency('50%', 5)).toBe(2);
    expect(returnConcurrency('10%', 5)).toBe(1);
    expect(returnConcurrency('100%', 7)).toBe(7);
  });
});

describe('the end', () => {
  const end = (counts: GivenCounts, changes: Partial<Rollout> = {}) =>
    look(rolloutWith([{ counts, wave: passed, plan: { failureBudget: 4 } }], changes));

  it('is Succeeded when every target of the plan is verified, and Incomplete with the figures when not', () => {
    const { rollout, orders, dueAt } = end({ succeeded: 4 });
    expect(rollout).toMatchObject({
      state: 'Succeeded',
      reason: 'AllVerified',
      message: 'all of 4 clusters verified',
      finishedAt: NOW,
      gate: { forward: false, backward: false },
    });
    expect({ orders, dueAt }).toEqual({ orders: [{ type: 'Ended' }], dueAt: null });
    expect(end({ succeeded: 3, skipped: 1 }).rollout).toMatchObject({
      state: 'Incomplete',
      reason: 'TargetsMissing',
      message: '3 of 4 clusters verified, 1 skipped',
    });
  });

  it.each(['pending', 'inFlight', 'unreachableWaiting', 'rollingBack', 'failedToReturn', 'degraded'] as const)(
    'does not come while a cluster anywhere is %s',
    (count) => {
      const { rollout, dueAt } = end({ succeeded: 4, [count]: 1 }, { paused: drained });
      expect(rollout).toMatchObject({ state: 'Progressing', finishedAt: null });
      expect(rollout.message).toMatch(/^wave w0: 4 of 4 clusters verified/);
      expect(dueAt).toBeNull();
    },
  );

  it('does not come while a wave before the last one has something to do', () => {
    const before = (counts: GivenCounts) =>
      look(
        rolloutWith([
          { counts, wave: passed, plan: { failureBudget: 4 } },
          { counts: { succeeded: 4 }, wave: passed },
        ]),
      );
    expect(before({ succeeded: 3, pending: 1 })).toMatchObject({
      rollout: { state: 'Progressing' },
      orders: [{ type: 'Start', wave: 0, limit: 1 }],
    });
    expect(before({ succeeded: 3, failed: 1, everFailed: 1, failedToReturn: 1 })).toMatchObject({
      rollout: { state: 'Progressing' },
      orders: [{ type: 'Return', wave: 0, limit: 1 }],
    });
    expect(before({ succeeded: 3, inFlight: 1 })).toMatchObject({ rollout: { state: 'Progressing' }, orders: [] });
  });

  it('comes after a last look at everything verified, in a round of its own', () => {
    const { rollout, orders } = end({ succeeded: 3, skipped: 1 }, { lastLook: null });
    expect(rollout).toMatchObject({
      state: 'Progressing',
      reason: 'LastLook',
      message: 'last look: 0 of 3 verified clusters seen healthy',
      round: 2,
      lastLook: 2,
      waves: [{ counts: { succeeded: 3, confirmed: 0 } }],
    });
    expect(orders).toEqual([{ type: 'Look' }]);
    const waits = end({ succeeded: 3, skipped: 1, confirmed: 2 });
    expect(waits).toMatchObject({ rollout: { state: 'Progressing', round: 1, lastLook: 1 }, orders: [], dueAt: null });
    expect(waits.rollout.message).toBe('last look: 2 of 3 verified clusters seen healthy');
    expect(end({ succeeded: 3, skipped: 1, confirmed: 3 }).rollout.state).toBe('Incomplete');
  });

  it('looks again when something was on its way since the last look, or nobody could look in between', () => {
    expect(end({ succeeded: 3, inFlight: 1 }).rollout).toMatchObject({ state: 'Progressing', lastLook: null });
    const resumed = end({ succeeded: 4, confirmed: 4 }, { round: 3, lastLook: 2 });
    expect(resumed).toMatchObject({ rollout: { round: 4, lastLook: 4 }, orders: [{ type: 'Look' }] });
  });

  it('needs no look where nothing was verified', () => {
    expect(end({ skipped: 4 }, { lastLook: null }).rollout.state).toBe('Incomplete');
  });

  it('counts the clusters of all waves', () => {
    const waves = [
      { counts: { succeeded: 4 }, wave: passed },
      { counts: { succeeded: 3, skipped: 1 }, wave: passed },
    ];
    expect(look(rolloutWith(waves)).rollout.message).toBe('7 of 8 clusters verified, 1 skipped');
  });
});

describe('after the end', () => {
  const ended = (state: RolloutState, counts: GivenCounts, changes: Partial<Rollout> = {}) =>
    look(rolloutWith([{ counts, wave: passed }], { state, finishedAt: NOW - SECOND, ...changes }));

  it.each(['Queued', 'Planned', 'Preflight', 'Succeeded', 'Aborted', 'Superseded', 'Rejected'] as const)(
    'and before the beginning a look changes nothing: %s',
    (state) => {
      const rollout = rolloutWith([{ counts: { pending: 4 } }], { state });
      expect(look(rollout)).toEqual({ rollout, orders: [], dueAt: null });
    },
  );

  it('a frozen rollout stays as it is', () => {
    const rollout = rolloutWith([{ counts: { pending: 4 } }], { paused: frozen });
    expect(look(rollout)).toEqual({ rollout, orders: [], dueAt: null });
  });

  it('a debt that is settled changes the headline of an incomplete rollout, and what failed is returned', () => {
    const message = '3 of 4 clusters verified, 1 unreachable: c4';
    expect(ended('Incomplete', { succeeded: 3, unreachable: 1 }, { message }).rollout.message).toBe(message);
    const settled = ended('Incomplete', { succeeded: 4 }, { message });
    expect(settled.rollout.message).toBe('4 of 4 clusters verified (debts settled after the end)');
    expect(settled.orders).toEqual([]);
    expect(ended('Incomplete', { succeeded: 3, failed: 1, failedToReturn: 1 }).orders).toEqual([
      { type: 'Return', wave: 0, limit: 1, only: 'failed' },
    ]);
  });

  it('an override changes the headline, and not the clusters that it names', () => {
    const message = '3 of 4 clusters verified, 1 unreachable: c4';
    const by = { by: 'jo', reason: 'known', at: NOW };
    const overridden = ended(
      'Incomplete',
      { succeeded: 3, unreachable: 1 },
      {
        message,
        gateOverrides: [{ wave: 'w0', gate: 'errors', cluster: null, ...by }],
        windowOverrides: [{ window: 'FreezeWindow/christmas', ...by }],
      },
    ).rollout;
    expect(overridden.message).toBe(
      `gate errors of wave w0 was overridden by jo; FreezeWindow/christmas was overridden by jo; ${message}`,
    );
    expect(look(overridden).rollout).toBe(overridden);
  });

  it('a rollback turns out to have failed when a debt could not be restored', () => {
    expect(ended('RolledBack', { rolledBack: 3, rollbackFailed: 1 })).toMatchObject({
      rollout: { state: 'RollbackFailed', reason: 'RollbackFailed', message: '1 of 4 clusters could not be restored' },
      orders: [],
      dueAt: null,
    });
    expect(ended('RolledBack', { rolledBack: 4 }).rollout.state).toBe('RolledBack');
  });

  it('a failed rollback is one no longer when its last debt is settled', () => {
    const { rollout, orders, dueAt } = ended('RollbackFailed', { rolledBack: 4 });
    expect(rollout).toMatchObject({
      state: 'RolledBack',
      reason: 'DebtsSettled',
      message: '4 clusters restored and verified',
      waves: [{ state: 'RolledBack' }],
    });
    expect({ orders, dueAt }).toEqual({ orders: [{ type: 'Ended' }], dueAt: null });
    expect(ended('RollbackFailed', { rolledBack: 3, rollbackFailed: 1 }).rollout.state).toBe('RollbackFailed');
    expect(ended('RollbackFailed', { rolledBack: 3, rollingBack: 1 }).rollout.state).toBe('RollbackFailed');
  });
});

describe('the beginning', () => {
  it('is behind a rollout that was started, or that has something to take back of its predecessors', () => {
    expect(hasBegun(rolloutWith([{}], { startedAt: null }))).toBe(false);
    expect(hasBegun(rolloutWith())).toBe(true);
    expect(hasBegun(rolloutWith([{ counts: { toReturn: 1 } }], { startedAt: null }))).toBe(true);
  });

  it('lets the clock run, unless everything is frozen, and opens the gate for writes', () => {
    const planned = rolloutWith([{ counts: { pending: 4 }, wave: waiting }], {
      state: 'Preflight',
      clock: { ran: 0, since: null },
      gate: { generation: 1, forward: false, backward: false },
      startedAt: null,
    });
    expect(beginProgress(planned, NOW)).toMatchObject({
      state: 'Progressing',
      reason: 'WaveInProgress',
      message: 'wave w0: 0 of 4 clusters verified, 4 not started',
      clock: { ran: 0, since: NOW },
      startedAt: NOW,
      gate: { generation: 2, forward: true, backward: true },
    });
    expect(beginProgress({ ...planned, paused: frozen }, NOW)).toMatchObject({
      clock: { since: null },
      gate: { generation: 1 },
    });
    expect(beginProgress({ ...planned, paused: drained }, NOW).clock.since).toBe(NOW);
    expect(beginProgress({ ...planned, startedAt: NOW - SECOND }, NOW).startedAt).toBe(NOW - SECOND);
  });
});
