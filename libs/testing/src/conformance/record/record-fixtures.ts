import type { AuditEvent, RecordPort } from '@breakwater/application';
import { type Instant, NO_COUNTS, type Rollout, type RolloutId, type Target } from '@breakwater/domain';

/** ms of a lease that runs out in a test: what comes before it has run out takes its time where the clock is a database's. */
export const SHORT = 3_000;

/** A rollout of one wave, in progress, with its gate open. */
export const someRollout = (id: string, changes: Partial<Rollout> = {}): Rollout => ({
  id: id as RolloutId,
  kind: 'Release',
  application: 'shop',
  fleet: 'all',
  revision: { commit: 'c2', digest: 'sha256:2' },
  plan: {
    strategy: 'default',
    policy: {
      workloads: { name: 'workloads', timeout: 60_000, stableFor: 0, failFast: 10_000 },
      failureDomains: { maxInFlight: 1 },
      unreachable: { wait: 60_000, then: 'count' },
      slow: { after: null, then: 'fail' },
      preflight: { onFailure: 'stop' },
      onFailure: { action: 'rollback', scope: 'rollout', maxConcurrent: '50%', failureDomains: 'ignore' },
      concurrency: { region: null, cluster: null },
      failureBudgets: { region: null, rollout: null },
      deadline: null,
      concurrentRollouts: 'queue',
      runbook: null,
    },
    apply: {
      namespace: 'shop',
      conflicts: 'report',
      adopt: 'refuse',
      ignore: [],
      prune: { enabled: true, maxDeletions: 5, protect: [] },
    },
    healthRules: [],
    snapshot: { id: 's1', commit: 'c2' },
    waves: [
      {
        name: 'canary',
        maxConcurrent: 2,
        failureBudget: 0,
        soakMs: 0,
        size: 3,
        minClusters: 0,
        gates: [],
        schedule: [],
      },
    ],
  },
  state: 'Progressing',
  reason: 'Progressing',
  message: 'with a NUL \u0000 and half a surrogate \ud800, as hostile input has them',
  round: 1,
  lastLook: null,
  paused: null,
  clock: { ran: 0, since: 1 },
  gate: { generation: 1, forward: true, backward: true },
  rollback: null,
  regions: {},
  deadlineAccepted: false,
  lineage: [],
  windowOverrides: [],
  irreversible: [],
  gateOverrides: [],
  deletionsApproved: false,
  waves: [
    {
      index: 0,
      name: 'canary',
      state: 'Progressing',
      startedAt: 1,
      finishedAt: null,
      soakingSince: null,
      acceptedFailures: 0,
      acceptedSlow: 0,
      acceptedUnverified: false,
      gates: [],
      approvals: [],
      counts: { ...NO_COUNTS, pending: 3 },
    },
  ],
  createdBy: 'mara',
  createdReason: 'test',
  createdAt: 1,
  startedAt: 1,
  finishedAt: null,
  sequence: 1,
  ...changes,
});

export const someTarget = (rollout: string, cluster: string, changes: Partial<Target> = {}): Target => ({
  rollout: rollout as RolloutId,
  cluster,
  region: 'eu',
  failureDomain: 'eu-1',
  wave: 0,
  position: 0,
  placement: 'by selector \u0000',
  state: 'Pending',
  phase: 'apply',
  reason: '',
  message: '',
  evidence: null,
  revision: { commit: 'c2', digest: `sha256:2-${cluster}` },
  previous: null,
  preflight: null,
  touched: false,
  everFailed: false,
  degraded: false,
  unreachableSince: null,
  outage: null,
  irreversible: [],
  unreachableSettled: false,
  owes: null,
  verifyingSince: null,
  healthySince: null,
  seenIn: null,
  failingSince: null,
  degradedSince: null,
  suspects: [],
  excused: [],
  opensAt: null,
  gates: [],
  slow: false,
  skippedBy: null,
  startedAt: null,
  finishedAt: null,
  dueAt: null,
  attempt: 0,
  ...changes,
});

export const someEvent = (message: string, changes: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'rollout.state-changed',
  actor: 'mara',
  reason: 'Test',
  message,
  ...changes,
});

/** Stored as given, with these targets in their order of wave and position. */
export const store = (
  record: RecordPort,
  rollout: Rollout,
  targets: readonly Target[] = [],
  dueAt: Instant | null = null,
): Promise<void> =>
  record.transaction(async (tx) => {
    await tx.insertRollout(rollout, dueAt);
    await tx.insertTargets(targets);
  });

export const saved = (record: RecordPort, rollout: Rollout, dueAt: Instant | null = null): Promise<void> =>
  record.transaction(async (tx) => {
    await tx.lockRollout(rollout.id);
    await tx.saveRollout(rollout, dueAt);
  });

/** The same rollout with its write gate changed to these directions. */
export const gated = (rollout: Rollout, forward: boolean, backward: boolean): Rollout => ({
  ...rollout,
  gate: { generation: rollout.gate.generation + 1, forward, backward },
});
