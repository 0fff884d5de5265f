import type { GateQuestion, RolloutId } from '@breakwater/domain';
import { createHmac } from 'node:crypto';
import { createGateTokens, gateCallbacks } from './gate-tokens.ts';

const KEY = Buffer.alloc(32, 1);
const tokens = createGateTokens(KEY);
const QUESTION: GateQuestion = {
  rollout: '6a6f7f0e-4f2e-4b62-9b7f-0a3c3c1f0d11' as RolloutId,
  wave: 2,
  cluster: 'eu-west-1a',
  gate: 'sign-off',
  since: 12_345,
  answered: 1,
  until: 3_612_345,
};

it.each([QUESTION, { ...QUESTION, cluster: null, until: null }])(
  'carries its question, as any bearer token does',
  (question) => {
    const token = tokens.issue(question);
    expect(tokens.read(token)).toEqual(question);
    expect(tokens.issue(question)).toBe(token);
    expect(token).toMatch(/^bwg_[A-Za-z0-9_.-]{20,508}$/);
  },
);

it('fits into a header with the longest names', () => {
  const long = { ...QUESTION, cluster: 'c'.repeat(63), gate: 'g'.repeat(63), since: 2 ** 42, until: 2 ** 42 };
  expect(tokens.issue(long).length).toBeLessThan(512);
  expect(tokens.read(tokens.issue(long))).toEqual(long);
});

it('is another one for each other question', () => {
  const others: Partial<GateQuestion>[] = [
    { rollout: 'r2' as RolloutId },
    { wave: 3 },
    { cluster: 'eu-west-1b' },
    { cluster: null },
    { gate: 'smoke' },
    { since: 12_346 },
    { answered: 2 },
    { until: null },
  ];
  const all = [QUESTION, ...others.map((other) => ({ ...QUESTION, ...other }))].map((question) =>
    tokens.issue(question),
  );
  expect(new Set(all).size).toBe(all.length);
});

describe('a token that this installation has not made', () => {
  const [text = '', signature = ''] = tokens.issue(QUESTION).slice('bwg_'.length).split('.');
  const other = Buffer.from(JSON.stringify([1, QUESTION.rollout, 2, 'eu-west-1a', 'smoke', 12_345, 1, null]));
  const signed = (key: Uint8Array, claims: string): string =>
    `bwg_${claims}.${createHmac('sha256', key).update(`bwg_${claims}`).digest('base64url')}`;

  it.each([
    ['nothing', ''],
    ['no claims', `bwg_.${signature}`],
    ['other claims under the same signature', `bwg_${other.toString('base64url')}.${signature}`],
    ['no signature', `bwg_${text}.`],
    ['half a signature', `bwg_${text}.${signature.slice(0, 20)}`],
    ['a signature of zeros', `bwg_${text}.${'A'.repeat(43)}`],
    ['a signature with the installation’s key itself', signed(KEY, other.toString('base64url'))],
    ['the token of another installation', createGateTokens(Buffer.alloc(32, 2)).issue(QUESTION)],
    ['a token of the API', `bw_${'a'.repeat(43)}`],
    ['a long one', `bwg_${'A'.repeat(100_000)}.${signature}`],
  ])('is refused: %s', (_, token) => expect(tokens.read(token)).toBeNull());
});

it.each([
  ['https://breakwater.example.com', 'https://breakwater.example.com/api/v1/gates/answers'],
  ['https://example.com/breakwater/', 'https://example.com/breakwater/api/v1/gates/answers'],
])('is sent to the route of the API below %s', (address, url) => {
  const callbacks = gateCallbacks(address, KEY);
  expect(callbacks?.url).toBe(url);
  expect(callbacks?.tokens.read(tokens.issue(QUESTION))).toEqual(QUESTION);
});

it('is given to nobody where nobody can call', () => expect(gateCallbacks(undefined, KEY)).toBeNull());
