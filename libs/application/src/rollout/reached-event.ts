import { type Instant, isTerminal, type Rollout, type Target, type TargetEvent } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { closedWindows } from './rollout-windows.ts';

/**
 * What it means that a cluster answers again. A debt that is settled is a start as any other: it keeps to windows, to what may be in flight on
 * the cluster and to its failure domain, whose slot it has taken by then and gives back with the end of the flight. What is owed back waits
 * for its failure domain alone, where the strategy wants that.
 */
export const reachedEvent = async (
  tx: RecordTransaction,
  rollout: Rollout,
  target: Target,
  now: Instant,
): Promise<TargetEvent> => {
  if (!isTerminal(rollout) || target.owes === null || target.state === 'RollingBack') return { type: 'Reached' };
  const { failureDomains, concurrency, onFailure } = rollout.plan.policy;
  const forward = target.owes === 'forward';
  if (forward) {
    const window = (await closedWindows(tx))(rollout, target, now);
    if (window !== null) return { type: 'WindowClosed', closure: window.closure, until: window.until };
    if (concurrency.cluster !== null && !(await tx.hasRoomOn(target.cluster, concurrency.cluster)))
      return { type: 'Held', why: 'the cluster answers again, and enough rollouts are in flight on it' };
  }
  if (failureDomains !== null && (forward || onFailure.failureDomains === 'respect')) {
    const { failureDomain, cluster } = target;
    if (!(await tx.takeDomainSlot(failureDomain, failureDomains.maxInFlight, rollout.id, cluster)))
      return { type: 'Held', why: `the cluster answers again, and failure domain ${failureDomain} is taken` };
  }
  return { type: 'Reached' };
};
