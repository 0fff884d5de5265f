import { recountRegions } from './budgets.ts';
import { withFindings } from './irreversible.ts';
import type { Rollout, Target, Wave, WaveCounts } from './rollout.ts';
import { failuresOf, recount } from './wave-counts.ts';

/** The rollout with its wave's counts moved by one target's transition. */
export const withTarget = (rollout: Rollout, before: Target | null, after: Target): Rollout => ({
  ...rollout,
  irreversible: withFindings(rollout.irreversible, after),
  regions: recountRegions(rollout.regions, before, after),
  waves: rollout.waves.map((wave) =>
    wave.index === after.wave ? recounted(wave, recount(wave.counts, before, after, rollout.round)) : wave,
  ),
});

/** Accepted is what was there: when some of it goes away, what comes later was accepted by nobody. */
const recounted = (wave: Wave, counts: WaveCounts): Wave => ({
  ...wave,
  counts,
  acceptedFailures: Math.min(wave.acceptedFailures, failuresOf({ counts })),
});
