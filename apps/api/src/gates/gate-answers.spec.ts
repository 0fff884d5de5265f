import { createGateAnswers, type RecordPort } from '@breakwater/application';
import { type GateRun, plannedGate, questionOf, type Rollout, waitingRun } from '@breakwater/domain';
import { createGateTokens } from '@breakwater/platform';
import { createMemoryRecord } from '@breakwater/testing';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';
import { FakeRollouts } from '../testing/fake-rollouts.ts';

const GATE = plannedGate(
  'sign-off',
  'webhook',
  { phase: 'before', timeout: 60_000 },
  { url: 'https://gates.example.com', secret: 'a', askAgain: 10_000 },
);
const RUN: GateRun = { ...waitingRun(GATE), state: 'Running', since: 0, dueAt: 60_000 };
const ID = 'r1' as Rollout['id'];
const tokens = createGateTokens(Buffer.alloc(32, 1));
const token = tokens.issue(questionOf({ rollout: ID, wave: 0, cluster: null }, GATE, RUN)!);

let elapsed: number;
let record: RecordPort;
let api: ApiFixture;

/** A rollout whose first wave waits for a server to answer. */
beforeEach(async () => {
  elapsed = 1_000;
  const start = Date.parse('2026-01-02T03:04:05.000Z');
  record = createMemoryRecord({ now: () => start + elapsed });
  const { rollout } = await new FakeRollouts(record).start({ application: 'podinfo' }, { name: 'mara' });
  const { items } = await record.rollouts.targets(rollout.id, { limit: 10 });
  await record.transaction(async (tx) => {
    const [planned, ...others] = rollout.plan.waves;
    const [wave, ...rest] = rollout.waves;
    await tx.insertRollout(
      {
        ...rollout,
        id: ID,
        plan: { ...rollout.plan, waves: [{ ...planned!, gates: [GATE] }, ...others] },
        waves: [{ ...wave!, state: 'Pending', startedAt: null, gates: [RUN] }, ...rest],
      },
      null,
    );
    await tx.insertTargets(items.map((target) => ({ ...target, rollout: ID })));
  });
  const wakeUps = { wake: async () => undefined, wakeAll: async () => undefined };
  const answers = createGateAnswers({ record, wakeUps, monotonic: () => elapsed });
  api = await startApi({ record, gateAnswers: { tokens, ...answers } });
});
afterEach(() => api.close());

const answer = (body: unknown = { verdict: 'pass', message: 'green' }, bearer: string | null = token) =>
  api.call('POST', '/api/v1/gates/answers', {
    as: null,
    body,
    headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` },
  });
const gateNow = async (): Promise<GateRun> => (await record.rollouts.get(ID))!.waves[0]!.gates[0]!;
const audited = async (type: string) => {
  await record.audit.seal(1_000);
  return (await record.audit.after(0, 1_000)).filter((event) => event.type === type);
};

it('is taken from whoever has the token of the question, without another sign-in', async () => {
  expect(await answer()).toMatchObject({
    status: 200,
    body: { rollout: ID, application: 'podinfo', wave: 'canary', cluster: null, gate: 'sign-off', verdict: 'pass' },
  });
  expect(await gateNow()).toMatchObject({ state: 'Passed', evidence: 'the answer is pass, by call-back: green' });
  expect(await audited('gate.answered')).toMatchObject([{ rollout: ID, reason: 'pass' }]);
});

it('is the first one: the same once more is 200, another one 409', async () => {
  expect((await answer({ verdict: 'fail' })).status).toBe(200);
  expect((await answer({ verdict: 'fail', message: 'again' })).status).toBe(200);
  expect(await answer()).toMatchObject({ status: 409, body: { code: 'GateAnsweredOtherwise' } });
  expect(await gateNow()).toMatchObject({ state: 'Failed', tally: { failures: 1 } });
  expect(await audited('gate.answered')).toHaveLength(1);
});

it('is refused with the state when the rollout is over', async () => {
  await record.transaction(async (tx) => {
    await tx.saveRollout({ ...(await tx.lockRollout(ID))!, state: 'Aborted' }, null);
  });
  expect(await answer()).toMatchObject({
    status: 409,
    body: { code: 'GateNotAsking', detail: 'the rollout is Aborted', state: 'Aborted', wave: 'Pending' },
  });
});

it('is refused when the gate has timed out', async () => {
  elapsed = 60_000;
  expect(await answer()).toMatchObject({ status: 401, body: { code: 'AnswerTokenExpired' } });
  expect(await gateNow()).toEqual(RUN);
  expect(await audited('gate.answer-refused')).toMatchObject([{ rollout: ID, data: { gate: 'sign-off' } }]);
});

it.each([
  ['no token', null],
  ['the token of another installation', createGateTokens(Buffer.alloc(32, 2)).issue(tokens.read(token)!)],
  ['a changed token', `${token.slice(0, -2)}AA`],
  ['something else', 'hunter2'],
])('is refused with %s, and nothing changes', async (_, bearer) => {
  expect(await answer(undefined, bearer)).toMatchObject({ status: 401, body: { code: 'AnswerTokenInvalid' } });
  expect(await gateNow()).toEqual(RUN);
});

it('is not opened by a token of the API, whatever its role', async () => {
  expect(await answer(undefined, api.tokens.admin)).toMatchObject({ status: 401 });
});

it('fills neither the audit trail nor the log for strangers, who are slowed down', async () => {
  const statuses = [];
  for (let count = 0; count < 40; count += 1) statuses.push((await answer(undefined, 'x'.repeat(40))).status);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect(await audited('gate.answer-refused')).toHaveLength(1);
  expect((await answer()).status).toBe(200);
  expect(api.logs.join('')).not.toContain(token);
});

it('is answered so often and no more by one who has the token', async () => {
  const statuses = [];
  for (let count = 0; count < 30; count += 1) statuses.push((await answer()).status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(20);
  expect(statuses.at(-1)).toBe(429);
});

it.each([
  [{ verdict: 'wait' }, 400],
  [{ verdict: 'pass', message: 'x'.repeat(4_001) }, 400],
  [{ verdict: 'pass', gate: 'other' }, 400],
  ['x'.repeat(70_000), 413],
  ['{', 400],
])('is refused where it is not an answer (%#)', async (body, status) => {
  expect((await answer(body)).status).toBe(status);
  expect(await gateNow()).toEqual(RUN);
});

it('is shown on one line, and shortened', async () => {
  await answer({ verdict: 'fail', message: `\u001b[31mred\n${'x'.repeat(2_000)}` });
  const { evidence } = await gateNow();
  expect(evidence).toMatch(/^the answer is fail, by call-back: \[31mred x+…$/);
  expect(evidence.length).toBeLessThan(500);
});
