import {
  applicationContext,
  applyPolicyOf,
  NO_COUNTS,
  planWaves,
  rolloutPolicyOf,
  type Instant,
  type Rollout,
  type RolloutId,
  type RolloutPlan,
  type Target,
  type Wave,
  type WavePlan,
} from '@breakwater/domain';
import type { RecordPort, ReleaseRecord } from '../ports/record.port.ts';
import { newestFleet } from '../releases/newest-fleet.ts';
import { findRelease } from '../releases/find-release.ts';
import { UseCaseError } from '../use-cases.ts';

export interface PreparedPlan {
  readonly application: string;
  readonly fleet: string;
  readonly release: ReleaseRecord;
  readonly plan: RolloutPlan;
  readonly members: WavePlan['members'];
}

/** Resolves the revision and computes the plan; reads only (a revision that is not rendered yet is asked of the Git sync). */
export const preparePlan = async (
  record: RecordPort,
  input: {
    readonly application: string;
    readonly revision?: string | undefined;
    readonly strategy?: string | undefined;
  },
): Promise<PreparedPlan> => {
  const fleet = await newestFleet(record);
  const origin = fleet.repositoryOf.get(input.application);
  if (origin === undefined) {
    const blocked = fleet.blockedApplications.includes(input.application);
    throw blocked
      ? new UseCaseError(
          'Invalid',
          'ApplicationInvalid',
          `application ${input.application} has errors in Git; see the repository's status`,
        )
      : new UseCaseError('NotFound', 'ApplicationNotFound', `there is no application ${input.application}`);
  }
  const context = applicationContext(fleet, input.application, input.strategy);
  if (context === null) {
    throw new UseCaseError(
      'Invalid',
      'StrategyNotFound',
      `there is no strategy ${input.strategy ?? ''} for ${input.application}`,
    );
  }
  const { waves, members, errors } = planWaves(context);
  const [first] = errors;
  if (first !== undefined) throw new UseCaseError('Invalid', 'PlanImpossible', first.message, { errors });
  const clusters = members.map((member) => member.cluster);
  const release = await findRelease(record, origin.repository, input.application, input.revision ?? null, clusters);
  return {
    application: input.application,
    fleet: context.fleet.name,
    release,
    members,
    plan: {
      strategy: context.strategy.name,
      policy: rolloutPolicyOf(context.strategy),
      apply: release.spec === null ? applyPolicyOf(context.application) : (release.spec as RolloutPlan['apply']),
      healthRules: fleet.healthRules.map(({ rule }) => rule),
      snapshot: { id: origin.snapshot, commit: origin.commit },
      waves: waves.map(({ name, maxConcurrent, failureBudget, soakMs, size, minClusters, gates, schedule }) => ({
        name,
        maxConcurrent,
        failureBudget,
        soakMs,
        size,
        minClusters,
        gates,
        schedule,
      })),
    },
  };
};

export interface Birth {
  readonly id: RolloutId;
  readonly sequence: number;
  readonly actor: string;
  readonly reason: string;
  readonly now: Instant;
  readonly queued: boolean;
}

/** The rollout and its targets as they are before anything happens. */
export const newRollout = (
  prepared: PreparedPlan,
  birth: Birth,
): { readonly rollout: Rollout; readonly targets: readonly Target[] } => {
  const { plan, release, members } = prepared;
  const waves: Wave[] = plan.waves.map((wave, index) => ({
    index,
    name: wave.name,
    state: 'Pending',
    startedAt: null,
    finishedAt: null,
    soakingSince: null,
    acceptedFailures: 0,
    acceptedSlow: 0,
    acceptedUnverified: wave.size === 0,
    gates: [],
    approvals: [],
    counts: { ...NO_COUNTS, pending: wave.size },
  }));
  const rollout: Rollout = {
    id: birth.id,
    kind: 'Release',
    application: prepared.application,
    fleet: prepared.fleet,
    revision: { commit: release.commit, digest: release.digest },
    plan,
    state: birth.queued ? 'Queued' : 'Planned',
    reason: birth.queued ? 'Queued' : 'Planned',
    message: birth.queued ? 'waits for an older rollout of the application to end' : '',
    paused: null,
    clock: { ran: 0, since: null },
    gate: { generation: 0, forward: false, backward: false },
    rollback: null,
    windowOverrides: [],
    irreversible: [],
    gateOverrides: [],
    deletionsApproved: false,
    waves,
    createdBy: birth.actor,
    createdReason: birth.reason,
    createdAt: birth.now,
    startedAt: null,
    finishedAt: null,
    regions: {},
    deadlineAccepted: false,
    lineage: [],
    sequence: birth.sequence,
  };
  const places = new Map<number, number>();
  const targets = members.map((member): Target => {
    const position = places.get(member.wave) ?? 0;
    places.set(member.wave, position + 1);
    return {
      rollout: birth.id,
      cluster: member.cluster,
      region: member.region,
      failureDomain: member.failureDomain,
      wave: member.wave,
      position,
      placement: member.reason,
      state: 'Pending',
      phase: 'apply',
      reason: 'Pending',
      message: '',
      evidence: null,
      revision: { commit: release.commit, digest: release.bundles[member.cluster] ?? '' },
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
      failingSince: null,
      degradedSince: null,
      excused: [],
      opensAt: null,
      gates: [],
      slow: false,
      skippedBy: null,
      startedAt: null,
      finishedAt: null,
      dueAt: null,
      attempt: 0,
    };
  });
  return { rollout, targets };
};
