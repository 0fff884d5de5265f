import type { Rollout, RolloutId } from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import type { BundleStore } from '../releases/bundle-store.ts';
import { decidePreflight, isInPreflight } from './preflight/decide-preflight.ts';
import { drive, RESYNC_INTERVAL } from './rollout-engine.ts';
import { auditOfRollout } from './rollout-audit.ts';
import type { Wakes } from './wake-keys.ts';

export interface ReconcileParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
  readonly bundles: BundleStore;
}

/** One look at one rollout, whatever its state: what a wake-up, a due time and the periodic resync all end in. */
export const reconcileRollout = async (parts: ReconcileParts, id: RolloutId): Promise<ReadonlySet<string>> => {
  const wakes: Wakes = new Set();
  const seen = await parts.record.rollouts.get(id);
  if (seen === null) return wakes;
  if (seen.state === 'Queued') await dequeue(parts.record, id, wakes);
  else if (isInPreflight(seen)) await decidePreflight(parts, seen, wakes);
  else await look(parts.record, id, wakes);
  await parts.wakeUps.wakeAll([...wakes]);
  return wakes;
};

const look = (record: RecordPort, id: RolloutId, wakes: Wakes): Promise<void> =>
  record.transaction(async (tx) => {
    wakes.clear();
    const rollout = await tx.lockRollout(id);
    if (rollout === null) return;
    await drive(tx, rollout, rollout, await tx.now(), wakes);
  });

/** A queued rollout begins when every older one of its application has ended. */
const dequeue = (record: RecordPort, id: RolloutId, wakes: Wakes): Promise<void> =>
  record.transaction(async (tx) => {
    wakes.clear();
    const rollout = await tx.lockRollout(id);
    if (rollout?.state !== 'Queued') return;
    await tx.lockApplication(rollout.application);
    const now = await tx.now();
    const [oldest] = await tx.unfinishedRollouts(rollout.application);
    if (oldest?.id !== id) {
      await tx.saveRollout(rollout, now + RESYNC_INTERVAL);
      return;
    }
    await tx.acquireLocks(rollout.application, id);
    const planned: Rollout = { ...rollout, state: 'Planned', reason: 'Planned', message: '' };
    for (const event of auditOfRollout(rollout, planned)) await tx.audit(event);
    await tx.saveRollout(planned, now);
    wakes.add(`rollout/${id}`);
  });
