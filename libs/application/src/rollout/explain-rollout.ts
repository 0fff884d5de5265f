import {
  allConfirmed,
  blockersOf,
  type ExpectedEnd,
  type Holders,
  type Instant,
  isTerminal,
  isUnseen,
  nextOf,
  PREFLIGHT_FAILED,
  type Rollout,
  type Target,
  type TargetState,
  totalCounts,
  whatIf,
} from '@breakwater/domain';
import type { Page, RecordPort } from '../ports/record.port.ts';
import type { Explanation } from '../use-cases.ts';

const SAMPLE = 25;
const PAGE = 500;

/** What a rollout can be waiting for: a page of its targets, the finished ones not among them, and who holds the clusters of those pending. */
export interface Waits {
  readonly targets: readonly Target[];
  readonly holders: Holders;
}

export const waitsOf = async (record: RecordPort, rollout: Rollout): Promise<Waits> => {
  const targets = await waitedFor(record, rollout);
  if (targets.length > 0 || rollout.state !== 'Progressing') return { targets, holders: new Map() };
  const pending = await nextToStart(record, rollout);
  return { targets: pending, holders: await holdersOf(record, rollout, pending) };
};

const FAILED = ['Failed'] as const;

const waitedFor = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  if (isTerminal(rollout)) return (await record.transaction((tx) => tx.owingTargets(rollout.id))).slice(0, SAMPLE);
  if (rollout.state === 'Preflight') return refusing(record, rollout);
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

/** Of the same application, whoever has the cluster's lock; of others, those in flight there where the strategy limits their number. */
export const holdersOf = async (
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
      const [rollout, target] = await Promise.all([
        record.rollouts.get(blockedBy),
        record.rollouts.target(blockedBy, cluster),
      ]);
      if (rollout === null || target === null) continue;
      if (other === application || IN_FLIGHT.has(target.state)) return [[cluster, { rollout, target }] as const];
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
