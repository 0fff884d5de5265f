import type { Evidence, Judge, Verdict } from '../evidence.ts';
import { judgeDeletions } from './deletions.ts';
import { judgeOneWriter } from './one-writer.ts';
import { judgePromises } from './promises.ts';
import { judgePlans, judgeSameEnd, judgeTrail, judgeWaits } from './record.ts';
import { judgeStatus } from './status.ts';
import { judgeBadReleases, judgeConcurrency, judgeWaveOrder } from './waves.ts';

/**
 * The rules that can be judged from outside, and by what. Real servers tell by their audit logs, simulated ones by the events of their
 * stores; what clusters have is read from the clusters, what the record says from the API.
 *
 *  1  One writer: epochs of fences, and versions of the objects that land under them; late writes are held and landed on purpose.
 *  2  Waves are ordered: times of the fences of one rollout; where a bad release's version is seen.
 *  3  Budgets: clusters whose fences are open at once, of a wave and of a failure domain. Not the failure budget itself: the API says it.
 *  4  Pause pauses: times of receipt against acknowledgements.
 *  5  Status cannot lie, and 6 rollback restores: whole content of every cluster against what its newest target says.
 *  7  Nothing is lost: every rollout settles within a bound (the campaign itself waits for it); with failing programs alone, the end is the
 *     expected one; the audit trail is whole.
 *  8  Deletion is suspicious: deletions in the logs, and an object on every cluster that is nobody's.
 *  9  The plan is pinned: the same at every look.
 * 10  A verified wave is still watched: a release that regresses after the first wave does not succeed.
 * 11  Every wait has a reason: `explain`, asked all the time.
 */
export const JUDGES: readonly Judge[] = [
  judgeOneWriter,
  judgeWaveOrder,
  judgeConcurrency,
  judgeBadReleases,
  judgePromises,
  judgeStatus,
  judgeSameEnd,
  judgeTrail,
  judgeDeletions,
  judgePlans,
  judgeWaits,
];

export const judgeAll = (evidence: Evidence): readonly Verdict[] => JUDGES.map((judge) => judge(evidence));
