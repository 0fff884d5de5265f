import type { PlannedGate } from '../gates/gate.ts';
import {
  approveWave,
  haltingGates,
  overrideGate,
  overrideTargetGate,
  plannedGates,
  remeasureGate,
} from './gate-commands.ts';
import type { Approval, Rollout } from './rollout.ts';
import { gateWith, type GivenWave, NOW, rolloutWith, runWith, SECOND, targetWith } from './testing/rollout-builders.ts';

const jo = { by: 'jo', reason: 'fine' };
/** Who has started the rollout. */
const mara = { by: 'mara', reason: 'fine' };
const errors = gateWith({ name: 'errors' });
const latency = gateWith({ name: 'latency' });
const of = (commanded: object): Rollout => (commanded as { readonly rollout: Rollout }).rollout;

describe('an approval', () => {
  const asks = (spec: PlannedGate['spec'] = {}, name = 'approval') =>
    gateWith({ name, kind: 'approval', phase: 'before', spec: { required: 2, fourEyes: true, ...spec } });
  const waiting = (gates: readonly PlannedGate[], wave: GivenWave['wave'] = {}, changes: Partial<Rollout> = {}) =>
    rolloutWith([{ plan: { gates }, wave: { state: 'Pending', startedAt: null, ...wave } }, {}], changes);
  const given = (rollout: Rollout, person = jo) => approveWave(rollout, rollout.waves[0]!, person, NOW);
  const yes = (by: string, ago: number): Approval => ({ by, reason: 'before', at: NOW - ago });

  it('is kept with its wave, by name, time and reason', () => {
    const { waves } = of(given(waiting([asks(), errors], { approvals: [yes('kim', SECOND)] })));
    expect(waves[0]!.approvals).toEqual([yes('kim', SECOND), { ...jo, at: NOW }]);
    expect(waves[1]!.approvals).toEqual([]);
  });

  it('counts once, and is renewed when it has expired', () => {
    const standing = waiting([asks({ expires: 10 * SECOND })], { approvals: [yes('jo', 10 * SECOND - 1)] });
    expect(of(given(standing))).toBe(standing);
    const expired = waiting([asks({ expires: 10 * SECOND })], { approvals: [yes('jo', 10 * SECOND), yes('kim', 0)] });
    expect(of(given(expired)).waves[0]!.approvals).toEqual([yes('kim', 0), { ...jo, at: NOW }]);
    const forGood = waiting([asks()], { approvals: [yes('jo', 999 * SECOND)] });
    expect(of(given(forGood))).toBe(forGood);
  });

  it('is renewed where it has expired for one of two gates', () => {
    const two = waiting([asks({ expires: 10 * SECOND }), asks({}, 'second')], { approvals: [yes('jo', 20 * SECOND)] });
    expect(of(given(two)).waves[0]!.approvals).toEqual([{ ...jo, at: NOW }]);
  });

  it('is not the starter’s where every gate of the wave wants a second person', () => {
    expect(given(waiting([asks()]), mara)).toEqual({
      forbidden: 'mara has started rollout r1, and its strategy wants the approval of somebody else',
      code: 'FourEyes',
    });
    expect(of(given(waiting([asks(), asks({ fourEyes: false }, 'second')]), mara)).waves[0]!.approvals).toHaveLength(1);
    const own = waiting([asks({ fourEyes: false })], { approvals: [yes('mara', 0)] });
    expect(of(given(own, mara))).toBe(own);
  });

  it('is for a wave that asks for one and has not begun, of a rollout that goes on', () => {
    expect(given(waiting([errors]))).toStrictEqual({ forbidden: 'wave w0 asks for no approval' });
    const begun = { forbidden: 'wave w0 is Pending: an approval comes too late for it' };
    expect(given(waiting([asks()], { startedAt: 5 }))).toEqual(begun);
    expect(given(waiting([asks()], { finishedAt: 5 }))).toEqual(begun);
    for (const state of ['RollingBack', 'Succeeded', 'Aborted'] as const)
      expect(given(waiting([asks()], {}, { state }))).toEqual({
        forbidden: `the rollout is ${state}, and nothing waits for an approval any more`,
      });
  });
});

describe('a gate that is overridden', () => {
  const rollout = rolloutWith([
    { plan: { gates: [errors] }, wave: { state: 'Succeeded' } },
    {
      plan: { gates: [errors, latency] },
      wave: { gates: [runWith(errors, { state: 'Passed' }), runWith(latency, { state: 'Failed', dueAt: 5 })] },
    },
    { plan: { gates: [errors] }, wave: { state: 'Pending', startedAt: null } },
  ]);
  const at = (wave: number, gate = latency, given = rollout, person = jo) =>
    overrideGate(given, given.waves[wave]!, gate, person, NOW);

  it('has passed, by name and with the reason, in its own wave', () => {
    const next = of(at(1));
    expect(next.waves[1]!.gates).toMatchObject([
      { gate: 'errors', state: 'Passed' },
      { gate: 'latency', state: 'Overridden', dueAt: null, overriddenBy: jo },
    ]);
    expect(next.gateOverrides).toEqual([{ wave: 'w1', gate: 'latency', cluster: null, ...jo, at: NOW }]);
    expect(next.waves[0]).toBe(rollout.waves[0]);
    expect(of(at(1, latency, next))).toBe(next);
  });

  it('holds something: it is one of the wave under way, and has not passed', () => {
    expect(at(1, errors)).toEqual({ forbidden: 'gate errors of wave w1 has passed already' });
    expect(at(0, errors)).toEqual({ forbidden: 'wave w0 has passed: its gates hold nothing any more' });
    expect(at(2, errors)).toEqual({ forbidden: 'wave w2 has not been reached; wave w1 is under way' });
    const over = { ...rollout, waves: rollout.waves.map((wave) => ({ ...wave, state: 'Succeeded' as const })) };
    expect(at(2, errors, over)).toEqual({ forbidden: 'wave w2 has passed: its gates hold nothing any more' });
  });

  it('is one of a rollout that is under way, or halted', () => {
    expect(of(at(1, latency, { ...rollout, state: 'Halted' })).gateOverrides).toHaveLength(1);
    for (const state of ['RollingBack', 'Preflight', 'Succeeded'] as const)
      expect(at(1, latency, { ...rollout, state })).toEqual({
        forbidden: `the rollout is ${state}: none of its gates can be overridden`,
      });
  });

  it('is not the starter’s own approval', () => {
    const approval = gateWith({ name: 'yes', kind: 'approval', phase: 'before', spec: { fourEyes: true } });
    expect(at(1, approval, rollout, mara)).toMatchObject({ code: 'FourEyes' });
    expect(of(at(1, { ...approval, spec: { fourEyes: false } }, rollout, mara)).gateOverrides).toHaveLength(1);
    expect(of(at(1, { ...latency, spec: { fourEyes: true } }, rollout, mara)).gateOverrides).toHaveLength(1);
  });

  it('may be one cluster’s, as long as it holds that cluster', () => {
    const during = gateWith({ name: 'errors', phase: 'during' });
    const given = rolloutWith([{ plan: { gates: [during] } }]);
    const on = (changes: object, from = given) => overrideTargetGate(from, targetWith(changes), during, jo, NOW);
    const next = of(on({ state: 'Verifying' }));
    expect(next.gateOverrides).toEqual([{ wave: 'w0', gate: 'errors', cluster: 'c1', ...jo, at: NOW }]);
    expect(of(on({ state: 'Verifying' }, next))).toBe(next);
    for (const state of ['Succeeded', 'Skipped'] as const)
      expect(on({ state })).toEqual({ forbidden: `cluster c1 is ${state}: its gates hold nothing` });
    const passed = {
      state: 'Verifying',
      gates: [runWith(latency, { state: 'Running' }), runWith(during, { state: 'Passed' })],
    };
    expect(on(passed)).toEqual({ forbidden: 'gate errors has passed already on cluster c1' });
    const others = {
      state: 'Verifying',
      gates: [runWith(latency, { state: 'Passed' }), runWith(during, { state: 'Failed' })],
    };
    expect(of(on(others)).gateOverrides).toHaveLength(1);
    expect(on({ state: 'Verifying' }, { ...given, state: 'RollingBack' })).toEqual({
      forbidden: 'the rollout is RollingBack: none of its gates can be overridden',
    });
  });
});

describe('a gate that is measured anew', () => {
  const under = (state: 'Failed' | 'Inconclusive' | 'Running', changes: Partial<Rollout> = {}) =>
    rolloutWith(
      [
        {
          plan: { gates: [errors, latency] },
          wave: { gates: [runWith(errors, { state, since: 5, tally: { ...runWith(errors, {}).tally, failures: 1 } })] },
        },
        {},
      ],
      changes,
    );
  const anew = (rollout: Rollout, wave = 0) => remeasureGate(rollout, rollout.waves[wave]!, errors, NOW);

  it('begins at once, or when a halted rollout is resumed', () => {
    for (const state of ['Failed', 'Inconclusive'] as const)
      expect(of(anew(under(state))).waves[0]!.gates[0]).toMatchObject({
        state: 'Running',
        since: 60 * SECOND,
        dueAt: 60 * SECOND,
        tally: { failures: 0 },
      });
    expect(of(anew(under('Failed', { state: 'Halted' }))).waves[0]!.gates[0]).toMatchObject({
      state: 'Waiting',
      since: null,
    });
  });

  it('is one without an answer, of the wave under way, in a rollout under way', () => {
    expect(anew(under('Running'))).toEqual({
      forbidden: 'gate errors of wave w0 is Running: only one without an answer is measured anew',
    });
    expect(anew(under('Failed'), 1)).toEqual({ forbidden: 'wave w1 has not been reached; wave w0 is under way' });
    expect(anew(under('Failed', { state: 'RollingBack' }))).toEqual({
      forbidden: 'the rollout is RollingBack: none of its gates can be measured anew',
    });
  });
});

describe('gates that have halted a rollout', () => {
  it('are those that have failed, of waves that have', () => {
    const gates = [runWith(errors, { state: 'Failed' }), runWith(latency, { state: 'Passed' })];
    const given: GivenWave = { plan: { gates: [errors, latency] }, wave: { state: 'Failed', gates } };
    const halted = rolloutWith([given, { ...given, wave: { gates } }], { state: 'Halted' });
    expect(haltingGates(halted)).toEqual([{ wave: halted.waves[0], gate: errors }]);
    expect(haltingGates({ ...halted, state: 'Progressing' })).toEqual([]);
    expect(plannedGates(halted, { index: 0 })).toEqual([errors, latency]);
    expect(plannedGates(halted, { index: 7 })).toEqual([]);
  });
});
