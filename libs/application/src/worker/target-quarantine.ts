import { isTerminal, type TargetEvent } from '@breakwater/domain';
import { quarantinedBy } from '../rollout/quarantined-by.ts';
import type { Scene, TargetRunnerParts } from './target-visit.ts';

/**
 * Nothing is begun on a quarantined cluster: what is in flight going forward finishes; a target that waits for its cluster is left out;
 * returns and debts wait as they do for one that is away. Null: go on.
 */
export const quarantineEvent = async (
  parts: Pick<TargetRunnerParts, 'record'>,
  { rollout, target }: Scene,
): Promise<TargetEvent | null> => {
  const quarantine = (await parts.record.cluster.get(target.cluster))?.quarantine ?? null;
  if (quarantine === null) return null;
  const { state } = target;
  const ended = isTerminal(rollout);
  if (!ended && (state === 'Applying' || state === 'Verifying' || state === 'Succeeded')) return null;
  if (!ended && (state === 'Unreachable' || state === 'Skipped')) return quarantinedBy(quarantine);
  const why = quarantine.reason === '' ? '' : `: ${quarantine.reason}`;
  return { type: 'CutOff', reason: 'ClusterQuarantined', message: `quarantined by ${quarantine.by}${why}` };
};
