import { type Break, describeLanding, type Evidence, type Judge, type Landing, type Promised } from '../evidence.ts';
import { type FencePeriod, fencePeriods, holdersOf } from './holders.ts';

/** The server received it when the promise was in force for sure. */
const within = ({ receivedAt }: Landing, { from, to }: Promised): boolean => receivedAt > from && receivedAt < to;

/** Whose write it is for sure; null where the log does not tell. */
const writerOf = (landing: Landing, periods: readonly FencePeriod[]): string | null => {
  if (landing.fence !== null) return landing.fence.rollout;
  const writers = new Set(holdersOf(landing, periods).map(({ rollout }) => rollout));
  return writers.size === 1 ? ([...writers][0] ?? null) : null;
};

/** A drain lets go on what has started; a fence taken for the first time is a start. */
const startsIn = (evidence: Evidence, landing: Landing, promised: Promised): boolean => {
  const { fence, cluster } = landing;
  if (fence === null || promised.started.has(cluster)) return false;
  if (evidence.fences.get(cluster)?.rollout === fence.rollout) return false;
  const first = evidence.landings.find((it) => it.cluster === cluster && it.fence?.rollout === fence.rollout);
  return first === landing;
};

const breaks = (evidence: Evidence, landing: Landing, promised: Promised, writer: string | null): boolean => {
  if (promised.kind === 'stop all') return true;
  if (writer !== promised.rollout) return false;
  return promised.kind !== 'drain' || startsIn(evidence, landing, promised);
};

/**
 * Rule 4: once a freeze, an abort or an emergency stop is acknowledged, nothing is written on any cluster but those that the
 * acknowledgement names, until somebody asks for more; in a drain, no target starts. The servers' times of receipt against the time of
 * the answer.
 */
export const judgePromises: Judge = (evidence) => {
  const periods = fencePeriods(evidence);
  const broken: Break[] = [];
  for (const promised of evidence.promises) {
    for (const landing of evidence.landings) {
      if (!within(landing, promised) || promised.unsettled.has(landing.cluster)) continue;
      // It was sent by nobody who could still be asked: named by the promise before, perhaps of another rollout.
      if (landing.verb === 'create' && landing.fence === null && evidence.disturbed.has(landing.cluster)) continue;
      if (!breaks(evidence, landing, promised, writerOf(landing, periods.get(landing.cluster) ?? []))) continue;
      broken.push({
        what: `${landing.cluster}: written after “${promised.kind}” of ${promised.rollout ?? 'everything'} was acknowledged`,
        evidence: [
          `acknowledged ${new Date(promised.from).toISOString()}, over ${new Date(promised.to).toISOString()}; unsettled: ${[...promised.unsettled].join(', ') || 'none'}`,
          describeLanding(landing),
        ],
      });
    }
  }
  return { rule: 'pause pauses (rule 4)', judged: evidence.promises.length, broken };
};
