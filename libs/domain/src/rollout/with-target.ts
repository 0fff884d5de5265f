import { recountRegions } from './budgets.ts';
import { withFindings } from './irreversible.ts';
import type { Rollout, Target } from './rollout.ts';
import { recount } from './wave-counts.ts';

/** The rollout with its wave's counts moved by one target's transition. */
export const withTarget = (rollout: Rollout, before: Target | null, after: Target): Rollout => ({
  ...rollout,
  irreversible: withFindings(rollout.irreversible, after),
  regions: recountRegions(rollout.regions, before, after),
  waves: rollout.waves.map((wave) =>
    wave.index === after.wave ? { ...wave, counts: recount(wave.counts, before, after) } : wave,
  ),
});
