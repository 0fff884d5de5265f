import {
  durationsOf,
  type ExpectedEnd,
  expectedEnd,
  type Measured,
  type Rollout,
  type Target,
} from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';

/** However large the fleet: so many targets are read at most for what others took, and for how the rest crowd. */
const MEASURED = 100;
const PENDING = 50;
const EARLIER = 5;

export const estimateEnd = async (
  record: RecordPort,
  rollout: Rollout,
  current: readonly Target[],
): Promise<ExpectedEnd | null> => {
  if (rollout.state !== 'Progressing' || rollout.paused !== null) return null;
  const measured = await measuredFor(record, rollout);
  if (measured === null) return null;
  const [pending, now] = await Promise.all([sampleOfPending(record, rollout), record.now()]);
  return expectedEnd({ rollout, measured, current, pending, now });
};

const measuredFor = async (record: RecordPort, rollout: Rollout): Promise<Measured | null> => {
  const own = await durationsIn(record, rollout, MEASURED);
  if (own.length > 0) return { rollout: 'this', durations: own };
  const { items } = await record.rollouts.list({ application: rollout.application, limit: EARLIER });
  const earlier = items.find(({ sequence, startedAt }) => sequence < rollout.sequence && startedAt !== null);
  const durations = earlier === undefined ? [] : await durationsIn(record, earlier, MEASURED);
  return durations.length === 0 ? null : { rollout: 'previous', durations };
};

const durationsIn = async (record: RecordPort, rollout: Rollout, limit: number): Promise<readonly number[]> => {
  if (rollout.waves.every(({ counts }) => counts.succeeded === 0)) return [];
  const { items } = await record.rollouts.targets(rollout.id, { states: ['Succeeded'], limit });
  return durationsOf(items);
};

const sampleOfPending = async (record: RecordPort, rollout: Rollout): Promise<readonly Target[]> => {
  const { concurrency, failureDomains } = rollout.plan.policy;
  if (concurrency.region === null && failureDomains === null) return [];
  const waves = rollout.waves.filter(({ counts }) => counts.pending > 0).slice(0, PENDING);
  const limit = Math.max(1, Math.floor(PENDING / Math.max(1, waves.length)));
  const pages = await Promise.all(
    waves.map(({ index }) => record.rollouts.targets(rollout.id, { states: ['Pending'], wave: index, limit })),
  );
  return pages.flatMap(({ items }) => items);
};
