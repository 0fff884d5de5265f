import type { GateRun, PlannedGate } from '../gates/gate.ts';
import { waitingRun } from '../gates/gate-machine.ts';
import { durationsOf, expectedEnd, type ExpectedEndInput } from './expected-end.ts';
import type { Rollout, Target, Wave, WaveCounts } from './rollout.ts';
import { NO_COUNTS } from './wave-counts.ts';

const S = 1000;
const NOW = 1_000_000;

interface WaveOptions {
  readonly counts?: Partial<WaveCounts>;
  readonly maxConcurrent?: number;
  readonly soakMs?: number;
  readonly gates?: readonly PlannedGate[];
  readonly schedule?: Rollout['plan']['waves'][number]['schedule'];
  readonly changes?: Partial<Wave>;
}

interface Options {
  readonly waves: readonly WaveOptions[];
  readonly region?: number | null;
  readonly domain?: number | null;
  readonly changes?: Partial<Rollout>;
}

const rolloutOf = ({ waves, region = null, domain = null, changes = {} }: Options): Rollout =>
  ({
    state: 'Progressing',
    paused: null,
    clock: { ran: 0, since: 0 },
    plan: {
      policy: {
        workloads: { timeout: 300 * S },
        slow: { after: null, then: 'fail' },
        concurrency: { region, cluster: null },
        failureDomains: domain === null ? null : { maxInFlight: domain },
      },
      waves: waves.map(({ maxConcurrent = 1, soakMs = 0, gates = [], schedule = [] }) => ({
        maxConcurrent,
        soakMs,
        gates,
        schedule,
      })),
    },
    waves: waves.map(({ counts = {}, changes: wave = {} }, index) => ({
      index,
      state: 'Pending',
      startedAt: null,
      soakingSince: null,
      gates: [],
      counts: { ...NO_COUNTS, ...counts },
      ...wave,
    })),
    ...changes,
  }) as unknown as Rollout;

const target = (changes: Partial<Target>): Target =>
  ({
    wave: 0,
    state: 'Pending',
    region: 'eu',
    failureDomain: 'a',
    opensAt: null,
    startedAt: null,
    ...changes,
  }) as Target;

const gate = (
  changes: Partial<Omit<PlannedGate, 'policy'>>,
  policy: Partial<PlannedGate['policy']> = {},
): PlannedGate => ({
  name: 'gate',
  kind: 'prometheus',
  phase: 'after',
  spec: {},
  policy: {
    initialDelay: 0,
    interval: 10 * S,
    count: 3,
    failureLimit: 1,
    inconclusiveLimit: 1,
    consecutiveErrorLimit: 4,
    timeout: null,
    onInconclusive: 'wait',
    ...policy,
  },
  ...changes,
});

const away = (
  rollout: Rollout,
  {
    durations = [20 * S, 30 * S, 60 * S],
    ...rest
  }: Partial<ExpectedEndInput> & { readonly durations?: readonly number[] } = {},
) => {
  const measured = { rollout: 'this', durations } as const;
  const end = expectedEnd({ rollout, measured, current: [], pending: [], now: NOW, ...rest });
  return end === null ? null : [(end.earliest - NOW) / S, (end.latest - NOW) / S];
};

const begun = { state: 'Progressing', startedAt: 0 } as const;

describe('when a rollout ends, if nothing fails', () => {
  it('goes through what is left in rounds, as fast as the fastest cluster and as slow as the slowest', () => {
    const rollout = rolloutOf({ waves: [{ counts: { pending: 5 }, maxConcurrent: 2 }] });
    expect(away(rollout)).toEqual([3 * 20, 3 * 60]);
  });

  it('adds waves and their soaks, without those that are over', () => {
    const rollout = rolloutOf({
      waves: [
        { counts: { succeeded: 9 }, soakMs: 999 * S, changes: { state: 'Succeeded' } },
        {
          counts: { succeeded: 1 },
          soakMs: 100 * S,
          changes: { state: 'Soaking', startedAt: 0, soakingSince: NOW - 40 * S },
        },
        { counts: { pending: 1 }, soakMs: 7 * S },
      ],
    });
    expect(away(rollout)).toEqual([60 + 20 + 7, 60 + 60 + 7]);
  });

  it('counts what those in flight have behind them', () => {
    const rollout = rolloutOf({ waves: [{ counts: { inFlight: 1 }, changes: begun }] });
    const current = [target({ state: 'Verifying', startedAt: NOW - 15 * S })];
    expect(away(rollout, { current })).toEqual([5, 45]);
  });

  it('gives one that is slower than any before it until its gate gives up', () => {
    const rollout = rolloutOf({ waves: [{ counts: { inFlight: 1 }, changes: begun }] });
    const current = [target({ state: 'Verifying', startedAt: NOW - 100 * S })];
    expect(away(rollout, { current })).toEqual([0, 60 + 300 - 100]);
  });

  it('goes no faster than regions and failure domains let it', () => {
    const waves = [{ counts: { pending: 8 }, maxConcurrent: 8 }];
    const pending = ['a', 'a', 'a', 'b'].map((failureDomain) => target({ failureDomain, region: failureDomain }));
    expect(away(rolloutOf({ waves, domain: 1 }), { pending })).toEqual([6 * 20, 6 * 60]);
    expect(away(rolloutOf({ waves, region: 2 }), { pending })).toEqual([3 * 20, 3 * 60]);
    expect(away(rolloutOf({ waves }), { pending })).toEqual([20, 60]);
  });

  it('waits for the window that opens last', () => {
    const rollout = rolloutOf({ waves: [{ counts: { pending: 1 }, changes: begun }] });
    expect(away(rollout, { current: [target({ opensAt: NOW + 500 * S })] })).toEqual([520, 560]);
  });

  it('adds the measurements of gates: all good at best, all limits used up at worst, with a time-out no more than that', () => {
    const withGate = (one: PlannedGate, soakMs = 0) =>
      rolloutOf({ waves: [{ counts: { pending: 1 }, gates: [one], soakMs }] });
    expect(away(withGate(gate({})))).toEqual([20 + 20, 60 + 40]);
    expect(away(withGate(gate({ phase: 'before' }, { timeout: 25 * S })))).toEqual([20 + 20, 60 + 25]);
    expect(away(withGate(gate({}, { initialDelay: 5 * S }), 30 * S))).toEqual([20 + 30, 60 + 45]);
    expect(away(withGate(gate({}, { count: null }), 30 * S))).toEqual([20 + 30, 60 + 30]);
  });

  it('knows no end while a person is waited for, a rollout is held or halted, a cluster is away, or nothing was measured', () => {
    const waves = [{ counts: { pending: 1 } }];
    const paused = { mode: 'drain', by: 'mara', reason: '', since: 0, emergency: false } as const;
    expect(away(rolloutOf({ waves }))).not.toBeNull();
    expect(away(rolloutOf({ waves }), { durations: [] })).toBeNull();
    expect(away(rolloutOf({ waves, changes: { paused } }))).toBeNull();
    for (const state of ['Halted', 'RollingBack', 'Queued', 'Preflight', 'Succeeded'] as const)
      expect(away(rolloutOf({ waves, changes: { state } }))).toBeNull();
    expect(away(rolloutOf({ waves: [{ changes: { state: 'AwaitingApproval' } }] }))).toBeNull();
    for (const count of ['unreachableWaiting', 'degraded', 'rollingBack'])
      expect(away(rolloutOf({ waves: [{ counts: { pending: 1, [count]: 1 } }] }))).toBeNull();
    expect(away(rolloutOf({ waves: [{ counts: { pending: 1 }, changes: begun }] }))).toBeNull();
  });

  it('knows no end where a later wave needs a yes, an answer without an end, or business hours', () => {
    const next = (wave: WaveOptions) => away(rolloutOf({ waves: [{ counts: { pending: 1 } }, wave] }));
    const approval = gate({ kind: 'approval', phase: 'before' });
    const passed: GateRun = { ...waitingRun(approval), state: 'Passed' };
    expect(next({ gates: [approval] })).toBeNull();
    expect(next({ gates: [approval], changes: { gates: [passed] } })).toEqual([20, 60]);
    expect(next({ gates: [gate({ kind: 'webhook' })] })).toBeNull();
    expect(next({ gates: [gate({ kind: 'webhook', phase: 'during' })], counts: { pending: 1 } })).toBeNull();
    expect(next({ gates: [gate({ kind: 'webhook' }, { count: 1, timeout: 50 * S })] })).toEqual([20, 60 + 50]);
    expect(
      next({ gates: [gate({})], changes: { gates: [{ ...waitingRun(gate({})), state: 'Inconclusive' }] } }),
    ).toBeNull();
    expect(next({ schedule: [{}] as never })).toBeNull();
  });

  it('knows one where a gate on each cluster has no end, but no cluster is left', () => {
    const webhook = gate({ kind: 'webhook', phase: 'during' });
    const wave = (counts: Partial<WaveCounts>) =>
      away(rolloutOf({ waves: [{ gates: [webhook], counts, soakMs: 9 * S, changes: begun }] }));
    expect(wave({ succeeded: 1 })).toEqual([9, 9]);
    expect(wave({ inFlight: 1 })).toBeNull();
  });

  it('knows one where people have given all the approvals that clusters still left wait for', () => {
    const approval = gate({ kind: 'approval', phase: 'before' });
    const gates = [{ ...waitingRun(approval), state: 'Passed' as const }];
    const wave = { counts: { pending: 1 }, gates: [approval], changes: { gates } };
    expect(away(rolloutOf({ waves: [wave] }))).toEqual([20, 60]);
  });

  it('knows none while any of its waves needs somebody, or its clock stands still', () => {
    const waves = [{ counts: { pending: 1 } }, { counts: { pending: 1 } }];
    expect(away(rolloutOf({ waves, changes: { clock: { ran: 5, since: null } } }))).toBeNull();
    for (const state of ['AwaitingApproval', 'Failed', 'RolledBack'] as const)
      expect(away(rolloutOf({ waves: [waves[0]!, { counts: { pending: 1 }, changes: { state } }] }))).toBeNull();
    const failed = { ...waitingRun(gate({})), state: 'Failed' as const };
    expect(away(rolloutOf({ waves: [{ ...waves[0], gates: [gate({})], changes: { gates: [failed] } }] }))).toBeNull();
  });

  it('takes off what a gate has measured already, and no more than that', () => {
    const after = (ago: number) => {
      const run = { ...waitingRun(gate({})), state: 'Running' as const, since: NOW - ago * S };
      const changes = { ...begun, state: 'Soaking' as const, soakingSince: NOW, gates: [run] };
      return away(rolloutOf({ waves: [{ counts: { succeeded: 1 }, gates: [gate({})], changes }] }));
    };
    expect(after(5)).toEqual([15, 35]);
    expect(after(25)).toEqual([0, 15]);
    expect(after(99)).toEqual([0, 0]);
  });

  it('adds nothing for a gate that lasts as long as the soak, whatever its limits', () => {
    const one = gate({}, { count: null, failureLimit: 9 });
    expect(away(rolloutOf({ waves: [{ counts: { pending: 1 }, gates: [one], soakMs: 5 * S }] }))).toEqual([25, 65]);
  });

  it('looks at the clusters of each wave by themselves', () => {
    const waves = [
      { counts: { inFlight: 1 }, changes: begun },
      { counts: { pending: 2 }, maxConcurrent: 2 },
    ];
    const current = [target({ state: 'Applying', startedAt: NOW }), target({ wave: 1, opensAt: NOW + 500 * S })];
    expect(away(rolloutOf({ waves }), { current: current.slice(0, 1) })).toEqual([20 + 20, 60 + 60]);
    expect(away(rolloutOf({ waves }), { current })).toEqual([20 + 520, 60 + 560]);
    const pending = [target({ wave: 1, region: 'eu' }), target({ wave: 1, region: 'us' }), target({ region: 'eu' })];
    expect(away(rolloutOf({ waves, region: 1 }), { current: current.slice(0, 1), pending })).toEqual([40, 120]);
    const crowded = pending.map((each) => ({ ...each, region: 'eu' }));
    expect(away(rolloutOf({ waves, region: 1 }), { current: current.slice(0, 1), pending: crowded })).toEqual([
      60, 180,
    ]);
  });

  it('waits for nothing that stands open, and knows no end where others hold what is left', () => {
    const rollout = rolloutOf({ waves: [{ counts: { pending: 1 }, changes: begun }] });
    expect(away(rollout, { current: [target({})] })).toBeNull();
  });

  it('counts only what has begun on a cluster and goes forward', () => {
    const rollout = rolloutOf({ waves: [{ counts: { inFlight: 1 }, changes: begun }] });
    const one = (changes: Partial<Target>) => away(rollout, { current: [target(changes)] });
    expect(one({ state: 'Applying', startedAt: NOW - 5 * S })).toEqual([15, 55]);
    expect(one({ state: 'Applying', startedAt: null })).toEqual([0, 0]);
    expect(one({ state: 'RollingBack', startedAt: NOW - 5 * S })).toEqual([0, 0]);
    expect(one({ state: 'Verifying', startedAt: NOW - 60 * S })).toEqual([0, 0]);
    const durations = [2_000 * S];
    expect(away(rollout, { durations, current: [target({ state: 'Applying' })] })).toEqual([0, 0]);
  });

  it('is not led astray by limits where nothing is left, nor by hours that have let the wave begin', () => {
    const current = [target({ state: 'Applying', startedAt: NOW - 5 * S })];
    const wave = { counts: { inFlight: 1 }, changes: begun, schedule: [{}] as never };
    expect(away(rolloutOf({ waves: [wave], region: 1, domain: 1 }), { current })).toEqual([15, 55]);
  });
});

describe('what it is reckoned from', () => {
  const basis = (durations: readonly number[], rollout: 'this' | 'previous' = 'this') =>
    expectedEnd({
      rollout: rolloutOf({ waves: [{ counts: { pending: 1 } }] }),
      measured: { rollout, durations },
      current: [],
      pending: [],
      now: NOW,
    })?.basis;

  it('is said, with its spread', () => {
    expect(basis([20 * S, 30 * S, 60 * S])).toBe(
      'from 3 measured clusters: 20 s to 60 s each, half of them within 30 s',
    );
    expect(basis([20 * S], 'previous')).toBe('from 1 measured cluster of the rollout before: 20 s each');
  });

  it('are clusters that were verified, by how long each took', () => {
    const finished = (changes: Partial<Target>) =>
      target({ state: 'Succeeded', startedAt: 10, finishedAt: 30, ...changes });
    expect(
      durationsOf([
        finished({}),
        finished({ finishedAt: 15 }),
        finished({ state: 'Failed' }),
        finished({ startedAt: null }),
        finished({ finishedAt: null }),
      ]),
    ).toEqual([5, 20]);
  });
});
