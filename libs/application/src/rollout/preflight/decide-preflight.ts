import {
  beginProgress,
  type Instant,
  judgePreflight,
  needsPreflight,
  PREFLIGHT_FAILED,
  type Rollout,
  type RolloutId,
  supersede,
  type Target,
} from '@breakwater/domain';
import { EMERGENCY, type RecordPort, type RecordTransaction } from '../../ports/record.port.ts';
import type { BundleStore } from '../../releases/bundle-store.ts';
import { leaveRollout } from '../leave-rollout.ts';
import { moveTarget } from '../move-target.ts';
import { passTouches } from '../pass-touches.ts';
import { readAll } from '../read-all.ts';
import { auditOfRollout } from '../rollout-audit.ts';
import { drive, RESYNC_INTERVAL } from '../rollout-engine.ts';
import { emergencyPause } from '../start-rollout.ts';
import { preflightKey, type Wakes } from '../wake-keys.ts';
import { findDeletions } from './prunable-objects.ts';

export interface DecideParts {
  readonly record: RecordPort;
  readonly bundles: BundleStore;
}

export const isInPreflight = (rollout: Pick<Rollout, 'state'>): boolean =>
  rollout.state === 'Planned' || rollout.state === 'Preflight';

/**
 * What would stop the rollout is found before anything is changed: by workers, cluster by cluster; here is decided what follows from the
 * answers. `asOf`: answers count as they were then, so that slow ones do not make the others old.
 */
export const decidePreflight = async (
  { record, bundles }: DecideParts,
  seen: Rollout,
  wakes: Wakes,
  asOf?: Instant,
): Promise<void> => {
  const targets = await readAll((page) => record.rollouts.targets(seen.id, page));
  const deletions = await findDeletions({ record, bundles }, seen, targets);
  const at = asOf ?? (await record.now());
  const open = targets.some((target) => needsPreflight(target, at));
  // A stop of everything that came while the rollout was being planned did not find it; one that comes from now on does.
  const stopped = (await record.access.setting(EMERGENCY)) != null;
  const lineage = await lineageOf(record, seen);
  await record.transaction(async (tx) => {
    wakes.clear();
    const rollout = await tx.lockRollout(seen.id);
    if (rollout === null || !isInPreflight(rollout)) return;
    const now = await tx.now();
    const paused = rollout.paused ?? (stopped ? emergencyPause(now) : null);
    const held = { ...rollout, paused };
    if (paused?.mode === 'freeze') return waitFor(tx, rollout, { ...held, reason: 'Paused', message: '' }, now);
    if (deletions !== null) return waitFor(tx, rollout, { ...held, ...deletions }, now);
    if (open) {
      wakes.add(preflightKey(rollout.id));
      return waitFor(tx, rollout, rollout.reason === PREFLIGHT_FAILED ? held : { ...held, ...ASKING }, now);
    }
    const verdict = judgePreflight(rollout, targets);
    if (verdict.kind === 'Wait') {
      const { reason, message } = verdict;
      return yieldOrWait(tx, rollout, { ...held, reason, message }, now, wakes);
    }
    const begun = await leaveOut(tx, { ...beginProgress(rollout, now), lineage }, verdict.leaveOut, now, wakes);
    await drive(tx, rollout, begun, now, wakes);
  });
};

const ASKING = { reason: 'Preflight', message: 'every cluster is asked whether it would take the release' } as const;

const waitFor = async (tx: RecordTransaction, before: Rollout, after: Rollout, now: Instant): Promise<void> => {
  const waiting: Rollout = { ...after, state: 'Preflight' };
  for (const event of auditOfRollout(before, waiting)) await tx.audit(event);
  if (waiting.reason === PREFLIGHT_FAILED && before.message !== waiting.message) {
    await tx.audit({
      type: 'rollout.preflight-failed',
      actor: 'breakwater',
      reason: waiting.reason,
      message: waiting.message,
      rollout: waiting.id,
      application: waiting.application,
      data: {},
    });
  }
  await tx.saveRollout(waiting, now + RESYNC_INTERVAL);
};

/** Nothing was changed by it yet, so a newer release, that may well be what mends it, does not wait behind this one. */
const yieldOrWait = async (
  tx: RecordTransaction,
  before: Rollout,
  waiting: Rollout,
  now: Instant,
  wakes: Wakes,
): Promise<void> => {
  const unfinished = await tx.unfinishedRollouts(before.application);
  const newer = unfinished.find(({ id, state }) => id !== before.id && state === 'Queued');
  const heir = newer === undefined ? null : await tx.lockRollout(newer.id);
  const superseded = heir?.state === 'Queued' ? supersede(waiting, heir.id, now) : null;
  if (heir === null || superseded === null || 'forbidden' in superseded) return waitFor(tx, before, waiting, now);
  await tx.saveRollout(await passTouches(tx, before.id, heir), now);
  const left = await leaveRollout(tx, superseded.rollout, now, wakes);
  for (const event of auditOfRollout(before, left)) await tx.audit(event);
  await tx.saveRollout(left, null);
};

const leaveOut = async (
  tx: RecordTransaction,
  given: Rollout,
  failed: readonly Target[],
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  let rollout = given;
  for (const { cluster } of failed) {
    const target = await tx.target(rollout.id, cluster);
    if (target === null) continue;
    rollout = (await moveTarget(tx, rollout, target, { type: 'LeftOutByPreflight' }, now, wakes)).rollout;
  }
  return rollout;
};

const LOOK_BACK = 50;

/** The rollout that was at work before this one, if it was cut short, and those that it had inherited itself. */
const lineageOf = async (record: RecordPort, rollout: Rollout): Promise<readonly RolloutId[]> => {
  const { items } = await record.rollouts.list({ application: rollout.application, limit: LOOK_BACK });
  const [former] = items
    .filter((other) => other.sequence < rollout.sequence && other.startedAt !== null)
    .toSorted((left, right) => right.sequence - left.sequence);
  if (former?.state !== 'Superseded' && former?.state !== 'Aborted') return [];
  return [former.id, ...former.lineage];
};
