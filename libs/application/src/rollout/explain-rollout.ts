import {
  allConfirmed,
  blockersOf,
  type ExpectedEnd,
  type Holder,
  type Holders,
  type Instant,
  isTerminal,
  isUnseen,
  nextOf,
  nextWaveToReturn,
  PREFLIGHT_FAILED,
  type Rollout,
  type RolloutId,
  type Target,
  type TargetState,
  totalCounts,
  whatIf,
} from '@breakwater/domain';
import type { Page, RecordPort } from '../ports/record.port.ts';
import type { Explanation } from '../use-cases.ts';

const SAMPLE = 25;
const PAGE = 500;

/** What a rollout can be waiting for: a page of its targets, the finished ones not among them, and who is in the way of those that come next. */
export interface Waits {
  readonly targets: readonly Target[];
  readonly holders: Holders;
}

export const waitsOf = async (record: RecordPort, rollout: Rollout): Promise<Waits> => {
  const targets = await waitedFor(record, rollout);
  if (targets.length > 0 || isTerminal(rollout)) return { targets, holders: new Map() };
  const pending = rollout.state === 'Progressing' ? await nextToStart(record, rollout) : [];
  if (pending.length > 0) return { targets: pending, holders: await holdersOf(record, rollout, pending) };
  return { targets, holders: await neighboursOf(record, rollout, await nextToReturn(record, rollout)) };
};

const FAILED = ['Failed'] as const;

const waitedFor = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  if (isTerminal(rollout)) return (await record.transaction((tx) => tx.owingTargets(rollout.id))).slice(0, SAMPLE);
  if (rollout.state === 'Preflight') return refusing(record, rollout);
  // A rollback waits for nothing but its returns.
  if (rollout.state === 'RollingBack')
    return (await record.rollouts.targets(rollout.id, { states: ['RollingBack'], limit: SAMPLE })).items;
  const moving = await record.rollouts.targets(rollout.id, {
    states: ['Applying', 'Verifying', 'RollingBack', 'Unreachable', ...(rollout.state === 'Halted' ? FAILED : [])],
    limit: SAMPLE,
  });
  const waiting = await closedByWindow(record, rollout);
  const current = [...moving.items, ...waiting];
  if (totalCounts(rollout).degraded === 0 && allConfirmed(rollout)) return current;
  const held = (target: Target): boolean => target.degraded || isUnseen(rollout, target);
  return [...current, ...(await firstOf(record, rollout, 'Succeeded', held))];
};

/** The first targets in this state that are `wanted`, at most a sample. */
const firstOf = async (
  record: RecordPort,
  { id }: Rollout,
  state: TargetState,
  wanted: (target: Target) => boolean,
): Promise<readonly Target[]> => {
  const found: Target[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Target> = await record.rollouts.targets(id, { states: [state], cursor, limit: PAGE });
    found.push(...page.items.filter(wanted));
    cursor = page.nextCursor;
  } while (cursor !== null && found.length < SAMPLE);
  return found.slice(0, SAMPLE);
};

/** Of the first wave that has begun and has some. */
const nextToStart = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  const wave = rollout.waves.find(({ startedAt, counts }) => startedAt !== null && counts.pending > 0);
  if (wave === undefined) return [];
  const { items } = await record.rollouts.targets(rollout.id, { states: ['Pending'], wave: wave.index, limit: SAMPLE });
  return items;
};

const nextToReturn = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  const wave = nextWaveToReturn(rollout);
  if (wave === null || rollout.plan.policy.onFailure.failureDomains !== 'respect') return [];
  const only = rollout.state === 'RollingBack' ? 'all' : 'failed';
  return record.transaction((tx) => tx.targetsToReturn(rollout.id, { wave: wave.index, only, clusters: null }, SAMPLE));
};

/** Who is in the way of a start: on the cluster itself, or else in its failure domain. */
export const holdersOf = async (record: RecordPort, rollout: Rollout, targets: readonly Target[]): Promise<Holders> => {
  const [neighbours, holders] = await Promise.all([
    neighboursOf(record, rollout, targets),
    onTheSameCluster(record, rollout, targets),
  ]);
  return new Map([...neighbours, ...holders]);
};

/** Other rollouts that have taken what the failure domains of these targets have to give; for each the first. */
const neighboursOf = async (
  record: RecordPort,
  { id, plan }: Rollout,
  targets: readonly Target[],
): Promise<Holders> => {
  const { failureDomains } = plan.policy;
  if (failureDomains === null || targets.length === 0) return new Map();
  const slots = await record.rollouts.slotsIn([...new Set(targets.map(({ failureDomain }) => failureDomain))]);
  const found = targets.map(async ({ cluster, failureDomain }) => {
    const taken = slots.filter(({ domain }) => domain === failureDomain);
    const slot = taken.length < failureDomains.maxInFlight ? undefined : taken.find(({ rollout }) => rollout !== id);
    const holder = slot === undefined ? null : await holderAt(record, slot.rollout, slot.cluster);
    return holder === null ? [] : [[cluster, holder] as const];
  });
  return new Map((await Promise.all(found)).flat());
};

const holderAt = async (record: RecordPort, id: RolloutId, cluster: string): Promise<Holder | null> => {
  const [rollout, target] = await Promise.all([record.rollouts.get(id), record.rollouts.target(id, cluster)]);
  return rollout === null || target === null ? null : { rollout, target };
};

/** Of the same application, whoever has the cluster's lock; of others, those in flight there where the strategy limits their number. */
const onTheSameCluster = async (
  record: RecordPort,
  { id, application, plan }: Rollout,
  targets: readonly Target[],
): Promise<Holders> => {
  const { cluster: limit } = plan.policy.concurrency;
  const found = targets.map(async ({ cluster }) => {
    const on = (await record.cluster.applicationsOn(cluster)).toSorted(
      (left, right) => Number(right.application === application) - Number(left.application === application),
    );
    for (const { application: other, blockedBy } of on) {
      if (blockedBy === null || blockedBy === id || (other !== application && limit === null)) continue;
      const holder = await holderAt(record, blockedBy, cluster);
      if (holder === null) continue;
      if (other === application || IN_FLIGHT.has(holder.target.state)) return [[cluster, holder] as const];
    }
    return [];
  });
  return new Map((await Promise.all(found)).flat());
};

const IN_FLIGHT = new Set<Target['state']>(['Applying', 'Verifying', 'RollingBack']);

/** Those that would refuse the release: the first that are found. */
const refusing = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  if (rollout.reason !== PREFLIGHT_FAILED) return [];
  return firstOf(record, rollout, 'Pending', ({ preflight }) => preflight?.state === 'Failed');
};

/** Those of the wave under way that a window keeps from starting. */
const closedByWindow = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  const wave = rollout.waves.find((candidate) => candidate.state !== 'Succeeded');
  if (wave === undefined || wave.startedAt === null || wave.counts.pending === 0) return [];
  const pending = await record.rollouts.targets(rollout.id, { states: ['Pending'], wave: wave.index, limit: SAMPLE });
  return pending.items.filter((target) => target.opensAt !== null);
};

export const explainRollout = (
  rollout: Rollout,
  { targets, holders }: Waits,
  expectedEnd: ExpectedEnd | null,
  notes: readonly string[],
  now: Instant,
): Explanation => {
  const blockers = blockersOf(rollout, targets, holders);
  const [first] = blockers;
  const named = targets.find(({ cluster }) => cluster === first?.cluster) ?? null;
  const where = first?.cluster == null ? '' : ` on ${first.cluster}`;
  return {
    subject: `rollout/${rollout.id}`,
    summary:
      first === undefined
        ? `${rollout.state}: ${rollout.message}`
        : `${rollout.state}: ${first.reason}${where}: ${first.evidence}`,
    blockers,
    next:
      isTerminal(rollout) && first !== undefined
        ? 'each cluster gets what it is owed as soon as it answers again'
        : nextOf(rollout),
    notes,
    whatIf: whatIf(rollout, named, now),
    expectedEnd,
  };
};
