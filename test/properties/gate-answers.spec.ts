import { createGateAnswers, type GateAnswers, UseCaseError } from '@breakwater/application';
import {
  gateMeasured,
  type GateQuestion,
  type GateRun,
  type Instant,
  plannedGate,
  questionOf,
  type Rollout,
  waitingRun,
} from '@breakwater/domain';
import { begin, latest, someone, targetOf, tell, usual } from './directed-world.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

const GATE = 'sign-off';
const HOUR = 3_600_000;
const pending = { verdict: 'Pending', evidence: 'the answer is later', retryAfter: 60_000 } as const;

const asking = (phase: 'before' | 'during' | 'after', count = 1): Shape => ({
  ...usual,
  clusters: 1,
  failureBudget: 0,
  action: 'halt',
  soakMs: phase === 'after' ? 60_000 : 0,
  gates: [
    {
      ...plannedGate(
        GATE,
        'webhook',
        { phase, count, timeout: HOUR },
        { url: 'https://gates.example.com', secret: 'a', askAgain: 10_000 },
      ),
      waves: ['w0'],
    },
  ],
});

/** Everything goes on, and nobody asks the server: it calls back, or it does not. */
const goOn = async (world: RolloutWorld, seconds: number): Promise<void> => {
  for (let at = 0; at <= seconds; at += 5) {
    for (const rollout of await world.rollouts()) await world.reconcile(rollout.id);
    for (const target of await world.dueTargets()) await world.work(target, true);
    world.now += 5_000;
  }
};

describe('an answer to a gate, by call-back', () => {
  let world: RolloutWorld;
  let rollout: Rollout;
  let answers: GateAnswers;
  let clock = 0;

  const start = async (phase: 'before' | 'during' | 'after', count = 1): Promise<void> => {
    world = new RolloutWorld(asking(phase, count));
    clock = 0;
    const wakeUps = { wake: async () => undefined, wakeAll: async () => undefined };
    answers = createGateAnswers({ record: world.record, wakeUps, monotonic: () => clock });
    rollout = await begin(world);
    await goOn(world, 30);
    rollout = await latest(world, rollout);
  };
  const runNow = async (cluster: string | null): Promise<GateRun> => {
    const { gates } =
      cluster === null ? (await latest(world, rollout)).waves[0]! : await targetOf(world, rollout, cluster);
    return gates.find(({ gate }) => gate === GATE) ?? waitingRun({ name: GATE });
  };
  const ask = async (cluster: string | null = null): Promise<GateQuestion> => {
    const gate = rollout.plan.waves[0]!.gates.find(({ name }) => name === GATE)!;
    return questionOf({ rollout: rollout.id, wave: 0, cluster }, gate, await runNow(cluster))!;
  };
  const pass = { verdict: 'pass', message: 'tests are green' } as const;
  const fail = { verdict: 'fail', message: 'cart\nis broken' } as const;
  const refused = async (asked: Promise<unknown>): Promise<{ code: string; message: string }> => {
    const error: unknown = await asked.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UseCaseError)) throw new Error('it was not refused', { cause: error });
    return { code: error.code, message: error.message };
  };
  const audited = async (type: string) => {
    await world.record.audit.seal(10_000);
    return (await world.record.audit.after(0, 10_000)).filter((event) => event.type === type);
  };

  it('lets a wave begin that has waited for it, and is in the audit trail', async () => {
    await start('before');
    expect(rollout.waves[0]).toMatchObject({ state: 'Pending', gates: [{ state: 'Running' }] });
    expect(await answers.answer(await ask(), pass)).toEqual({
      fresh: true,
      rollout: rollout.id,
      application: 'web',
      wave: 'w0',
      cluster: null,
      gate: GATE,
    });
    expect((await latest(world, rollout)).waves[0]).toMatchObject({
      state: 'Progressing',
      gates: [{ state: 'Passed', evidence: 'the answer is pass, by call-back: tests are green' }],
    });
    expect(await audited('gate.answered')).toMatchObject([
      {
        actor: 'gate-callback',
        reason: 'pass',
        rollout: rollout.id,
        message: 'gate sign-off of wave w0: the answer is pass, by call-back: tests are green',
        data: { wave: 'w0', gate: GATE, verdict: 'pass' },
      },
    ]);
    await goOn(world, 120);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('halts the rollout when it says fail, with its words as evidence', async () => {
    await start('before');
    await answers.answer(await ask(), fail);
    const halted = await latest(world, rollout);
    expect(halted.state).toBe('Halted');
    expect(halted.message).toContain('the answer is fail, by call-back: cart is broken');
  });

  it('counts on a cluster, and fails its target', async () => {
    await start('during');
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ state: 'Verifying', phase: 'gates' });
    const question = await ask('c0');
    expect(await answers.answer(question, fail)).toMatchObject({ fresh: true, cluster: 'c0' });
    expect(await targetOf(world, rollout, 'c0')).toMatchObject({ state: 'Failed', reason: 'GateFailed' });
    expect(await audited('gate.answered')).toMatchObject([{ cluster: 'c0', reason: 'fail' }]);
    expect((await refused(answers.answer({ ...question, cluster: 'c9' }, pass))).code).toBe('GateNotAsking');
  });

  it('counts while a wave soaks', async () => {
    await start('after');
    expect(rollout.waves[0]!.state).toBe('Soaking');
    await answers.answer(await ask(), pass);
    await goOn(world, 120);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
  });

  it('counts once: again it changes nothing, and another one is refused, also when all is over', async () => {
    await start('before', 2);
    const question = await ask();
    await answers.answer(question, pass);
    const before = await latest(world, rollout);
    expect(before.waves[0]!.gates).toMatchObject([{ state: 'Running', tally: { successes: 1 } }]);
    expect(await answers.answer(question, { ...pass, message: 'still' })).toMatchObject({ fresh: false });
    expect((await refused(answers.answer(question, fail))).code).toBe('GateAnsweredOtherwise');
    expect(await latest(world, rollout)).toEqual(before);
    const second = await ask();
    expect(second).toEqual({ ...question, answered: 1 });
    await answers.answer(second, pass);
    await goOn(world, 120);
    expect((await latest(world, rollout)).state).toBe('Succeeded');
    world.now += 2 * HOUR;
    expect(await answers.answer(question, pass)).toMatchObject({ fresh: false });
    expect(await audited('gate.answered')).toHaveLength(2);
  });

  it('comes too late when the gate has timed out, and is not remembered', async () => {
    await start('before');
    const question = await ask();
    world.now += HOUR;
    expect(await answers.answer(question, pass)).toBeNull();
    expect(await answers.answer(question, fail)).toBeNull();
    expect((await latest(world, rollout)).waves[0]!.gates).toMatchObject([{ state: 'Running', measuredAt: null }]);
    expect(await audited('gate.answered')).toEqual([]);
  });

  it('has as much time as the gate has, which stands still in a freeze, and counts in it', async () => {
    await start('before');
    const question = await ask();
    await world.commands.pause(rollout.id, { mode: 'freeze' }, someone);
    world.now += 3 * HOUR;
    expect(await answers.answer(question, pass)).toMatchObject({ fresh: true });
    expect((await latest(world, rollout)).waves[0]!.gates).toMatchObject([{ state: 'Passed' }]);
    expect((await targetOf(world, rollout, 'c0')).state).toBe('Pending');
  });

  it('is refused with the state when nobody asks any more', async () => {
    await start('before');
    const question = await ask();
    await world.commands.abort(rollout.id, {}, someone);
    expect(await refused(answers.answer(question, pass))).toEqual({
      code: 'GateNotAsking',
      message: 'the rollout is Aborted',
    });
    expect((await refused(answers.answer({ ...question, rollout: 'gone' as Rollout['id'] }, pass))).code).toBe(
      'RolloutNotFound',
    );
  });

  it('is refused for a gate that was asked about already, or asks anew', async () => {
    await start('before');
    const question = await ask();
    const told = { verdict: 'Inconclusive', evidence: 'the answer is inconclusive' } as const;
    const asked = await runNow(null);
    await world.record.transaction(async (tx) => {
      const locked = (await tx.lockRollout(rollout.id))!;
      await tx.saveRollout(gateMeasured(locked, 0, GATE, asked, told, world.now as Instant)!, world.now as Instant);
    });
    expect((await refused(answers.answer(question, pass))).message).toBe('gate sign-off of wave w0 is Inconclusive');
    world.now += 1_000;
    await world.commands.retry(rollout.id, { wave: 'w0', gate: GATE }, someone);
    expect((await refused(answers.answer(question, pass))).message).toBe('gate sign-off of wave w0 asks anew since');
    expect(await answers.answer(await ask(), pass)).toMatchObject({ fresh: true });
  });

  it('is refused for a question that the server has answered when it was asked again', async () => {
    await start('during', 2);
    const question = await ask('c0');
    const measurement = { verdict: 'Success', evidence: 'the answer is pass' } as const;
    await tell(world, rollout, 'c0', { type: 'GateMeasured', gate: GATE, measurement, asked: await runNow('c0') });
    expect(await refused(answers.answer(question, pass))).toEqual({
      code: 'GateNotAsking',
      message: 'gate sign-off of wave w0 has an answer to this question already',
    });
    expect(await runNow('c0')).toMatchObject({ state: 'Running', tally: { successes: 1 } });
  });

  it('waits for a cluster whose workloads are not ready at the moment', async () => {
    await start('during');
    const question = await ask('c0');
    const worst = { object: null, text: '0 of 1 replicas are available' };
    const health = { verdict: 'Progressing', failFast: null, worst, excused: [] } as const;
    await tell(world, rollout, 'c0', { type: 'HealthObserved', health, round: rollout.round });
    expect((await refused(answers.answer(question, pass))).message).toMatch(/c0 is not ready at the moment/);
    await goOn(world, 120);
    expect(await answers.answer(question, pass)).toMatchObject({ fresh: true });
  });

  it('stands when a worker that had asked before is told to wait', async () => {
    await start('during', 2);
    const asked = await runNow('c0');
    await answers.answer(await ask('c0'), pass);
    const answered = await runNow('c0');
    expect(answered).toMatchObject({ memo: { run: 1 }, tally: { successes: 1 } });
    await tell(world, rollout, 'c0', { type: 'GateMeasured', gate: GATE, measurement: pending, asked });
    expect(await runNow('c0')).toEqual(answered);
  });

  it('that was refused is told of in the audit trail once in a minute, with how many there were', async () => {
    await start('before');
    for (let count = 0; count < 50; count += 1) await answers.refused('its token is wrong', '192.0.2.7', null);
    clock += 60_000;
    await answers.refused('its token has expired', '192.0.2.7', await ask());
    expect(await audited('gate.answer-refused')).toMatchObject([
      { message: 'an answer to a gate was refused: its token is wrong', data: { from: '192.0.2.7' } },
      {
        message:
          'an answer to a gate was refused: its token has expired, and 49 more since the last one that was told of',
        rollout: rollout.id,
        data: { from: '192.0.2.7', gate: GATE },
      },
    ]);
  });
});
