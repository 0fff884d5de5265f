import type { GateRun, PlannedGate } from '../gates/gate.ts';
import { plannedGate } from '../gates/planned-gate.ts';
import { answerQuestion, type GateQuestion, questionOf } from './gate-answers.ts';
import type { Rollout, Target } from './rollout.ts';
import { gateWith, NOW, rolloutWith, runWith, SECOND, targetWith } from './testing/rollout-builders.ts';

const webhook = (name: string, phase: PlannedGate['phase'], timeout?: number): PlannedGate =>
  plannedGate(name, 'webhook', { phase, timeout }, { url: 'https://gates.example.com' });
const review = webhook('review', 'after', 30 * SECOND);
const other = webhook('other', 'after', 30 * SECOND);
const during = webhook('smoke', 'during', 30 * SECOND);
const asking = (gate: PlannedGate, changes: Partial<GateRun> = {}) =>
  runWith(gate, { state: 'Running', since: 50 * SECOND, ...changes });
const tally = { successes: 1, failures: 2, inconclusive: 4, errors: 8, consecutiveErrors: 8 };
const place = { rollout: rolloutWith().id, wave: 0, cluster: null };

describe('the question of a gate', () => {
  it('is what it asks now, until it times out', () => {
    expect(questionOf(place, review, asking(review, { tally }))).toEqual({
      ...place,
      gate: 'review',
      since: 50 * SECOND,
      answered: 7,
      until: 80 * SECOND,
    });
    const patient = { ...review, policy: { ...review.policy, timeout: null } };
    expect(questionOf(place, patient, asking(patient))?.until).toBeNull();
  });

  it('is none where nobody answers later, or nothing is asked', () => {
    expect(questionOf(place, gateWith(), asking(gateWith()))).toBeNull();
    expect(questionOf(place, review, asking(review, { state: 'Passed' }))).toBeNull();
    expect(questionOf(place, review, asking(review, { since: null }))).toBeNull();
  });
});

describe('an answer', () => {
  const onWave = rolloutWith([
    { plan: { gates: [other, review] }, wave: { gates: [asking(other, { state: 'Passed' }), asking(review)] } },
  ]);
  const question: GateQuestion = { ...place, gate: 'review', since: 50 * SECOND, answered: 0, until: 80 * SECOND };
  const say = (
    changes: Partial<GateQuestion> = {},
    rollout: Rollout = onWave,
    target: Target | null = null,
    now = NOW,
  ) =>
    answerQuestion(rollout, target, { ...question, ...changes }, { verdict: 'Success', message: 'fine' } as never, now);
  const closed = (why: string) => ({ kind: 'Closed', why });

  it('is a measurement of the gate that asked', () => {
    expect(say()).toMatchObject({ kind: 'Taken', asked: { gate: 'review' } });
    expect(say({ gate: 'other' })).toEqual(closed('gate other of wave w0 is Passed'));
  });

  it('comes too late at the moment when the gate times out, if it does', () => {
    expect(say({}, onWave, null, NOW + 20 * SECOND - 1).kind).toBe('Taken');
    expect(say({}, onWave, null, NOW + 20 * SECOND)).toEqual({ kind: 'Expired' });
    expect(say({ until: null }, onWave, null, NOW + 999 * SECOND).kind).toBe('Taken');
  });

  it('is not wanted where the rollout, the wave or the gate asks no more, and says why', () => {
    expect(say({}, { ...onWave, state: 'Halted' })).toEqual(closed('the rollout is Halted'));
    expect(say({ wave: 7 })).toEqual(closed('the rollout has no such wave'));
    expect(say({ gate: 'nosuch' })).toEqual(closed('wave w0 is Progressing, and asks nothing'));
    expect(say({ since: 40 * SECOND })).toEqual(closed('gate review of wave w0 asks anew since'));
    expect(say({ answered: 1 })).toEqual(closed('gate review of wave w0 has an answer to this question already'));
  });

  it('on one cluster is wanted while that cluster is at its gates', () => {
    const rollout = rolloutWith([{ plan: { gates: [webhook('first', 'during'), during] } }, {}]);
    const verifying = { state: 'Verifying', phase: 'gates', gates: [asking(during)] } as const;
    const on = (changes: Partial<Target> | null, asked: Partial<GateQuestion> = {}) =>
      say({ cluster: 'c1', gate: 'smoke', ...asked }, rollout, changes === null ? null : targetWith(changes));
    expect(on(verifying)).toMatchObject({ kind: 'Taken', asked: { gate: 'smoke' } });
    expect(on(null)).toEqual(closed('the rollout has no such cluster in this wave'));
    expect(on({ ...verifying, wave: 1 })).toEqual(closed('the rollout has no such cluster in this wave'));
    expect(on({ ...verifying, state: 'Succeeded' })).toEqual(closed('cluster c1 is Succeeded'));
    expect(on({ ...verifying, phase: 'verify' })).toEqual(
      closed('cluster c1 is not ready at the moment; it asks again when it is'),
    );
    expect(on(verifying, { gate: 'nosuch' })).toEqual(closed('cluster c1 has no such gate'));
  });

  it('on one cluster is wanted after the end, too, where that is still owed the revision', () => {
    const ended = rolloutWith([{ plan: { gates: [during] } }], { state: 'Incomplete' });
    const on = (owes: Target['owes']) =>
      say(
        { cluster: 'c1', gate: 'smoke' },
        ended,
        targetWith({ state: 'Verifying', phase: 'gates', gates: [asking(during)], owes }),
      );
    expect(on('forward')).toMatchObject({ kind: 'Taken', asked: { gate: 'smoke' } });
    expect(on(null)).toEqual(closed('the rollout is Incomplete'));
  });
});
