import type { GateRun, PlannedGate } from '../gate.ts';
import { beginRun, isDecided, measured, waitingRun } from '../gate-machine.ts';
import type { ComparisonSpec } from '../kinds/comparison.ts';
import { comparisonGate } from '../kinds/comparison.ts';
import { compareCohorts, lookNumber } from './compare.ts';
import type { Noise } from './testing/simulated-metrics.ts';
import { generator, REALISTIC, segmentsAt, simulate } from './testing/simulated-metrics.ts';

const spec = comparisonGate.schema().parse({ address: 'http://prometheus', query: 'errors' }) as ComparisonSpec;
const gate: PlannedGate = {
  name: 'compare',
  kind: 'comparison',
  phase: 'after',
  // What a gate has whose document says nothing else.
  policy: {
    initialDelay: 0,
    interval: 0,
    count: 1,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 0,
    timeout: null,
    onInconclusive: 'wait',
    ...comparisonGate.defaults,
  },
  spec: {},
};

interface Shape {
  readonly updated: number;
  readonly untouched: number;
}

/** A canary of one cluster in half of them. */
const shapeOf = (seed: number): Shape => {
  const random = generator(seed ^ 0x5bd1e995);
  return { updated: [1, 1, 2, 3][Math.floor(random() * 4)] ?? 1, untouched: 3 + Math.floor(random() * 8) };
};

const past = spec.past / spec.window;
const length = spec.window / spec.step;
const STEP = spec.step;

/** One gate from the update to its verdict, through the real machine. */
const historyOf = (seed: number, factor: number, noise: Noise, shape: Shape): GateRun['state'] => {
  const update = length * (past + 1);
  const longest = (gate.policy.count ?? 0) + gate.policy.inconclusiveLimit + 2;
  const every = gate.policy.interval / STEP;
  const series = simulate({ seed, factor, noise, ...shape }, update + length + every * longest, update);
  let run = beginRun(gate, waitingRun(gate), 0 as never);
  for (let now = update + length; !isDecided(run); now += every) {
    const look = lookNumber((now - update - length) * STEP, spec.window);
    const seen = segmentsAt(series, now, update, length, Math.floor(now / length));
    run = measured(gate, run, compareCohorts({ ...seen, look }, { ...spec, past }), (now * STEP) as never);
  }
  return run.state;
};

const many = (count: number, factor: number, noise: Noise, shape: (seed: number) => Shape): Record<string, number> => {
  const states: Record<string, number> = { Failed: 0, Passed: 0, Inconclusive: 0 };
  for (let seed = 1; seed <= count; seed += 1) {
    const state = historyOf(seed, factor, noise, shape(seed));
    states[state] = (states[state] ?? 0) + 1;
  }
  return states;
};

describe('a whole gate that compares cohorts, by its defaults', () => {
  it('halts at most 1 % of 1,000 releases that change nothing, and lets nearly all others pass', () => {
    const states = many(1_000, 1, REALISTIC, shapeOf);
    expect(states['Failed']).toBeLessThanOrEqual(10);
    expect(states['Passed']).toBeGreaterThanOrEqual(980);
  }, 300_000);

  it('catches a doubled error rate in at least 95 % of 400 releases', () => {
    const states = many(400, 2, REALISTIC, shapeOf);
    expect(states['Failed']).toBeGreaterThanOrEqual(380);
    expect(states['Passed']).toBeLessThanOrEqual(8);
  }, 300_000);

  it('catches it with nothing left to compare with but the own past of three clusters', () => {
    const own = (): Shape => ({ updated: 3, untouched: 0 });
    expect(many(100, 2, REALISTIC, own)['Failed']).toBeGreaterThanOrEqual(95);
    expect(many(100, 1, REALISTIC, own)['Failed']).toBeLessThanOrEqual(1);
  }, 300_000);

  it('would halt innocent releases without its least effect and its share of looks', () => {
    // The test of the test: a naive reading of the same histories, one look at 5 % after another, is wrong far more often.
    let halted = 0;
    const noise = { ...REALISTIC, fast: 0.3, slow: 0.2, jitter: 0.4 };
    for (let seed = 1; seed <= 100; seed += 1) {
      const update = length * (past + 1);
      const series = simulate({ seed, factor: 1, noise, ...shapeOf(seed) }, update + length + 80, update);
      const naive = { ...spec, past, tolerance: 1.05, falseAlarms: 0.1 };
      const looks = Array.from({ length: 20 }, (_, index) => update + length + index * 4);
      const said = looks.map((now) =>
        compareCohorts({ ...segmentsAt(series, now, update, length, 8), look: 1 }, naive),
      );
      if (said.some(({ verdict }) => verdict === 'Failure')) halted += 1;
    }
    expect(halted).toBeGreaterThan(5);
  }, 300_000);

  it('rather asks than lets pass where a single cluster is too noisy to tell', () => {
    const noise = { ...REALISTIC, fast: 0.3, slow: 0.2, jitter: 0.4 };
    const pair = (): Shape => ({ updated: 1, untouched: 1 });
    expect(many(150, 2, noise, pair)['Passed']).toBeLessThanOrEqual(20);
    expect(many(150, 1, noise, pair)['Failed']).toBeLessThanOrEqual(5);
  }, 300_000);
});
