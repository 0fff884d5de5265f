import {
  NO_COUNTS,
  quarantineLeavesOut,
  recount,
  type Instant,
  type Rollout,
  type Target,
  transition,
} from '@breakwater/domain';
import type { Quarantine, RecordPort } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import { moveTarget } from './move-target.ts';
import { quarantinedBy } from './quarantined-by.ts';
import { readAll } from './read-all.ts';
import { drive } from './rollout-engine.ts';
import type { Wakes } from './wake-keys.ts';

/** A rollout is born without the clusters that are quarantined: they are among its targets, by name, as skipped. */
export const leaveOutQuarantined = (
  born: { readonly rollout: Rollout; readonly targets: readonly Target[] },
  quarantines: ReadonlyMap<string, Quarantine>,
  now: Instant,
): { readonly rollout: Rollout; readonly targets: readonly Target[] } => {
  if (!born.targets.some((target) => quarantines.has(target.cluster))) return born;
  const targets = born.targets.map((target) => {
    const quarantine = quarantines.get(target.cluster);
    return quarantine === undefined ? target : transition(born.rollout, target, quarantinedBy(quarantine), now);
  });
  const waves = born.rollout.waves.map((wave) => ({
    ...wave,
    counts: targets
      .filter((target) => target.wave === wave.index)
      .reduce((counts, target) => recount(counts, null, target, born.rollout.round), NO_COUNTS),
  }));
  return { rollout: { ...born.rollout, waves }, targets };
};

/** In force when it returns: no unfinished rollout begins anything on the cluster any more. */
export const leaveOutOfRollouts = async (record: RecordPort, cluster: string, wakeUps?: WakeUps): Promise<void> => {
  const wakes: Wakes = new Set();
  const unfinished = await readAll((page) => record.rollouts.list({ unfinished: true, ...page }));
  for (const { id } of unfinished) {
    if ((await record.rollouts.target(id, cluster)) === null) continue;
    await record.transaction(async (tx) => {
      const rollout = await tx.lockRollout(id);
      const target = await tx.target(id, cluster);
      const held = (await tx.quarantines()).get(cluster);
      if (rollout === null || target === null || held === undefined || !quarantineLeavesOut(target)) return;
      const now = await tx.now();
      const moved = await moveTarget(tx, rollout, target, quarantinedBy(held), now, wakes);
      await drive(tx, rollout, moved.rollout, now, wakes);
    });
  }
  await wakeUps?.wakeAll([...wakes]);
};
