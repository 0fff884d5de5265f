import type { GatePolicy, GateRun, PlannedGate } from '../../gates/gate.ts';
import { waitingRun } from '../../gates/gate-machine.ts';
import type { Rollout, RolloutId, RolloutPlan, RolloutPolicy, Target, Wave, WaveCounts } from '../rollout.ts';
import { NO_COUNTS } from '../wave-counts.ts';

export const SECOND = 1_000;
export const NOW = 10_000_000;

type Planned = RolloutPlan['waves'][number];
export type GivenCounts = Partial<WaveCounts>;

/** What a test says about a wave: of its plan, of itself and of its counts. Everything else is as in a wave that is under way. */
export interface GivenWave {
  readonly plan?: Partial<Planned>;
  readonly counts?: GivenCounts;
  readonly wave?: Partial<Omit<Wave, 'counts'>>;
}

export const policyOf = (changes: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  workloads: { name: 'workloads-ready', timeout: 300 * SECOND, stableFor: 30 * SECOND, failFast: 10 * SECOND },
  failureDomains: null,
  unreachable: { wait: 600 * SECOND, then: 'count' },
  slow: { after: null, then: 'fail' },
  preflight: { onFailure: 'stop' },
  onFailure: { action: 'rollback', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore' },
  concurrency: { region: null, cluster: null },
  failureBudgets: { region: null, rollout: null },
  deadline: null,
  concurrentRollouts: 'queue',
  runbook: null,
  ...changes,
});

const plannedWave = ({ plan = {}, wave = {} }: GivenWave, index: number): Planned => ({
  name: wave.name ?? `w${index}`,
  maxConcurrent: 2,
  failureBudget: 0,
  soakMs: 0,
  size: 4,
  minClusters: 1,
  gates: [],
  schedule: [],
  ...plan,
});

const waveOf = ({ counts = {}, wave = {} }: GivenWave, index: number): Wave => ({
  index,
  name: `w${index}`,
  state: 'Progressing',
  startedAt: NOW - 60 * SECOND,
  finishedAt: null,
  soakingSince: null,
  acceptedFailures: 0,
  acceptedSlow: 0,
  acceptedUnverified: false,
  gates: [],
  approvals: [],
  counts: { ...NO_COUNTS, confirmed: (counts.succeeded ?? 0) - (counts.degraded ?? 0), ...counts },
  ...wave,
});

/** A rollout that has run for a minute; its own time at `NOW` is 60 s. */
export const rolloutWith = (
  waves: readonly GivenWave[] = [{}],
  changes: Partial<Rollout> = {},
  policy: Partial<RolloutPolicy> = {},
): Rollout => ({
  id: 'r1' as RolloutId,
  kind: 'Release',
  application: 'web',
  fleet: 'shop',
  revision: { commit: 'c'.repeat(40), digest: 'sha256:new' },
  plan: {
    strategy: 'careful',
    policy: policyOf(policy),
    apply: {
      namespace: 'web',
      conflicts: 'report',
      adopt: 'refuse',
      ignore: [],
      prune: { enabled: true, maxDeletions: 10, protect: [] },
    },
    snapshot: { id: 's1', commit: 'c'.repeat(40) },
    waves: waves.map(plannedWave),
    healthRules: [],
  },
  state: 'Progressing',
  reason: 'WaveInProgress',
  message: '',
  paused: null,
  clock: { ran: 0, since: NOW - 60 * SECOND },
  gate: { generation: 1, forward: true, backward: true },
  round: 1,
  lastLook: 1,
  rollback: null,
  windowOverrides: [],
  gateOverrides: [],
  irreversible: [],
  deletionsApproved: false,
  waves: waves.map(waveOf),
  regions: {},
  deadlineAccepted: false,
  createdBy: 'mara',
  createdReason: 'a release',
  createdAt: NOW - 90 * SECOND,
  startedAt: NOW - 60 * SECOND,
  finishedAt: null,
  lineage: [],
  sequence: 1,
  ...changes,
});

export const targetWith = (changes: Partial<Target> = {}): Target => ({
  rollout: 'r1' as RolloutId,
  cluster: 'c1',
  region: 'eu',
  failureDomain: 'a',
  wave: 0,
  position: 0,
  placement: '',
  state: 'Pending',
  phase: 'apply',
  reason: '',
  message: '',
  evidence: null,
  revision: { commit: 'c'.repeat(40), digest: 'sha256:new@c1' },
  previous: null,
  irreversible: [],
  preflight: null,
  touched: false,
  everFailed: false,
  degraded: false,
  unreachableSince: null,
  outage: null,
  unreachableSettled: false,
  owes: null,
  verifyingSince: null,
  healthySince: null,
  seenIn: null,
  failingSince: null,
  degradedSince: null,
  opensAt: null,
  gates: [],
  suspects: [],
  excused: [],
  slow: false,
  skippedBy: null,
  startedAt: null,
  finishedAt: null,
  dueAt: null,
  attempt: 0,
  ...changes,
});

/** Measured every 10 s, and passed after one success. */
export const gateWith = (
  changes: Partial<Omit<PlannedGate, 'policy'>> = {},
  policy: Partial<GatePolicy> = {},
): PlannedGate => ({
  name: 'errors',
  kind: 'prometheus',
  phase: 'after',
  spec: {},
  ...changes,
  policy: {
    initialDelay: 0,
    interval: 10 * SECOND,
    count: 1,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    timeout: null,
    onInconclusive: 'wait',
    ...policy,
  },
});

export const runWith = (gate: PlannedGate, changes: Partial<GateRun>): GateRun => ({ ...waitingRun(gate), ...changes });
