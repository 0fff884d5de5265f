import type { Rollout } from './rollout.ts';
import { totalCounts } from './wave-counts.ts';

/** What was seen so far counts no longer: everything verified has to be seen healthy anew. */
export const inNewRound = (rollout: Rollout): Rollout => ({
  ...rollout,
  round: rollout.round + 1,
  waves: rollout.waves.map((wave) => ({ ...wave, counts: { ...wave.counts, confirmed: 0 } })),
});

/** Every verified cluster was seen healthy in this round. */
export const allConfirmed = (rollout: Pick<Rollout, 'waves'>): boolean => {
  const { confirmed, succeeded } = totalCounts(rollout);
  return confirmed === succeeded;
};
