import {
  type Application,
  applyPolicyOf,
  type Destination,
  destinationContext,
  type DestinationContext,
  type FleetSnapshot,
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
import type { ReleaseSpec } from '../releases/release-spec.ts';
import { blocking, type SyncError } from '../sync/sync-error.ts';
import { UseCaseError } from '../use-cases.ts';

export interface PreparedPlan {
  readonly application: string;
  readonly fleet: string;
  readonly release: ReleaseRecord;
  readonly plan: RolloutPlan;
  readonly members: WavePlan['members'];
}

export interface PlanRequest {
  readonly application: string;
  readonly revision?: string | undefined;
  readonly strategy?: string | undefined;
}

/**
 * Resolves the revision and computes the plan; reads only (a revision that is not rendered yet is asked of the Git sync). Where the
 * Application has errors in the newest commit, the release itself says where it goes.
 */
export const preparePlan = async (record: RecordPort, input: PlanRequest): Promise<PreparedPlan> => {
  const fleet = await newestFleet(record);
  const origin = fleet.repositoryOf.get(input.application);
  if (origin === undefined)
    throw new UseCaseError('NotFound', 'ApplicationNotFound', `there is no application ${input.application}`);
  const current = fleet.applications.find(({ name }) => name === input.application);
  const blocked = current === undefined ? await errorsIn(record, origin.repository, input.application) : [];
  const own = current === undefined ? null : distribute(fleet, current, input);
  const wavesOf = (release: ReleaseRecord): Distribution => {
    if (own !== null) return own;
    const spec = release.spec as ReleaseSpec | null;
    if (spec === null) throw applicationInvalid(input.application, blocked);
    return distribute(fleet, spec.destination, input);
  };
  if (own === null && input.revision === undefined && (await record.sync.newestRelease(input.application)) === null)
    throw applicationInvalid(input.application, blocked);
  const { repository } = origin;
  const release = await findRelease(record, repository, input.application, input.revision ?? null, (found) =>
    wavesOf(found).members.map((member) => member.cluster),
  );
  const { context, waves, members } = wavesOf(release);
  return {
    application: input.application,
    fleet: context.fleet.name,
    release,
    members,
    plan: {
      strategy: context.strategy.name,
      policy: rolloutPolicyOf(context.strategy),
      apply: applyOf(release, current),
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

interface Distribution extends Pick<WavePlan, 'waves' | 'members'> {
  readonly context: DestinationContext;
}

const distribute = (fleet: FleetSnapshot, destination: Destination, input: PlanRequest): Distribution => {
  const context = destinationContext(fleet, destination, input.strategy);
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
  return { context, waves, members };
};

const applyOf = ({ spec }: ReleaseRecord, current: Application | undefined): RolloutPlan['apply'] => {
  if (spec !== null) return (spec as ReleaseSpec).apply;
  if (current === undefined) throw new Error('a release without a spec of an application without a document');
  return applyPolicyOf(current);
};

/** What the newest commit has against the application, as the repository's status shows it. */
const errorsIn = async (record: RecordPort, repository: string, application: string): Promise<readonly SyncError[]> =>
  blocking(((await record.sync.repository(repository))?.errors ?? []) as readonly SyncError[], application);

const applicationInvalid = (application: string, errors: readonly SyncError[]): UseCaseError =>
  new UseCaseError(
    'Invalid',
    'ApplicationInvalid',
    `application ${application} has errors in Git, and no release from before`,
    {
      errors,
    },
  );

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
    round: 0,
    lastLook: null,
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
    };
  });
  return { rollout, targets };
};
