import { blockersOf, isTerminal, nextOf, type Rollout, type RolloutId, type Target, whatIf } from '@breakwater/domain';
import type { ClusterRecord, RecordPort } from '../ports/record.port.ts';
import { newestFleet } from '../releases/newest-fleet.ts';
import { type Explanation, UseCaseError } from '../use-cases.ts';
import { holdersOf } from './explain-rollout.ts';
import { estimateEnd } from './estimate-end.ts';
import { type Answer, plain } from './plain-answer.ts';

/** Why a cluster is not at the newest revision of each of its applications; the first that it is not at is the summary. */
export const explainClusterState = async (record: RecordPort, name: string): Promise<Explanation> => {
  const fleet = await newestFleet(record);
  if (!fleet.clusters.some((cluster) => cluster.name === name)) {
    throw new UseCaseError('NotFound', 'ClusterNotFound', `there is no cluster ${name}`);
  }
  const state = await record.cluster.get(name);
  const answer =
    (state === null ? null : heldByItself(state)) ??
    (await heldByRollout(record, name)) ??
    (await behind(
      record,
      name,
      fleet.applications.map((application) => application.name),
    )) ??
    plain(
      'nothing is under way on this cluster, and it is at the revision of the newest rollout of each of its applications',
      'the next rollout of one of its applications',
    );
  return { subject: `cluster/${name}`, ...answer };
};

const heldByItself = ({ name, state, reason, message, quarantine }: ClusterRecord): Answer | null => {
  if (quarantine != null) {
    return plain(
      `Quarantined by ${quarantine.by} since ${new Date(quarantine.since).toISOString()}: ${quarantine.reason}`,
      `no rollout touches it until somebody releases it: breakwater cluster release ${name}`,
    );
  }
  if (state === 'Ready' || state === 'Unknown') return null;
  return plain(
    `${state}: ${reason}: ${message}`,
    state === 'Replaced'
      ? `somebody accepts the new cluster: breakwater cluster accept ${name}`
      : 'it is tried again every few seconds',
  );
};

/** A rollout is at work on it, or owes it something. */
const heldByRollout = async (record: RecordPort, name: string): Promise<Answer | null> => {
  for (const { blockedBy } of await record.cluster.applicationsOn(name)) {
    const at = blockedBy === null ? null : await placeIn(record, blockedBy, name);
    if (at !== null) return underWay(record, at.rollout, at.target);
  }
  return null;
};

const placeIn = async (
  record: RecordPort,
  id: RolloutId,
  cluster: string,
): Promise<{ readonly rollout: Rollout; readonly target: Target } | null> => {
  const [rollout, target] = await Promise.all([record.rollouts.get(id), record.rollouts.target(id, cluster)]);
  return rollout === null || target === null ? null : { rollout, target };
};

const underWay = async (record: RecordPort, rollout: Rollout, target: Target): Promise<Answer> => {
  const [expectedEnd, holders, now] = await Promise.all([
    estimateEnd(record, rollout, [target]),
    holdersOf(record, rollout, [target]),
    record.now(),
  ]);
  return {
    summary: standing(rollout, target),
    blockers: blockersOf(rollout, [target], holders),
    next: nextOf(rollout),
    notes: [],
    whatIf: whatIf(rollout, target, now),
    expectedEnd,
  };
};

const standing = (rollout: Rollout, target: Target): string => {
  const wave = rollout.plan.waves[target.wave]?.name ?? '';
  const why = target.message === '' ? target.reason : target.message;
  return `${rollout.application}: ${target.state} in wave ${wave} of rollout ${rollout.id}${why === '' ? '' : `: ${why}`}`;
};

/** Nothing is at work on it: a newest rollout that has not reached it yet, or ended without it. */
const behind = async (record: RecordPort, name: string, applications: readonly string[]): Promise<Answer | null> => {
  for (const application of applications) {
    const newest = await record.rollouts.newestOf(application);
    const target = newest === null ? null : await record.rollouts.target(newest.id, name);
    if (newest === null || target === null || target.state === 'Succeeded') continue;
    if (!isTerminal(newest)) return underWay(record, newest, target);
    const commit = newest.revision.commit.slice(0, 12);
    return plain(
      `not at ${commit}: ${standing(newest, target)} (the rollout ended ${newest.state})`,
      `the next rollout of ${application}`,
    );
  }
  return null;
};
