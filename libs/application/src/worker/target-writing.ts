import { isTerminal, type Rollout, type Target } from '@breakwater/domain';
import { randomUUID } from 'node:crypto';
import { PermitLost, type Session } from '../ports/cluster.port.ts';
import { EMERGENCY, type PermitRequest } from '../ports/record.port.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import { windowHold } from './window-hold.ts';
import { CLAIM_LEASE, type Scene, type Step, type TargetRunnerParts, type TargetVisit } from './target-visit.ts';

/** How often an overtaken fence is tried again with a higher epoch in one visit. */
const FENCE_TRIES = 4;

export const directionOf = (rollout: Rollout, target: Target): PermitRequest['direction'] => {
  if (isTerminal(rollout)) return 'owed';
  return target.state === 'RollingBack' ? 'backward' : 'forward';
};

/** The emergency stop holds debts back as well: their rollouts have ended, and no pause of theirs can. */
export const heldByStop = async (parts: TargetRunnerParts, rollout: Rollout): Promise<boolean> =>
  isTerminal(rollout) && (await parts.record.access.setting(EMERGENCY)) != null;

export const withPermit = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  scene: Scene,
  act: (session: Session) => Promise<Step>,
): Promise<Step> => {
  const { rollout, target } = scene;
  if (await heldByStop(parts, rollout)) {
    await tellTarget(parts, target, { type: 'Held' });
    return 'done';
  }
  const direction = directionOf(rollout, target);
  const forward = target.state !== 'RollingBack';
  const window = forward ? await windowHold(parts.record, rollout, target) : null;
  const closed = window?.now() ?? null;
  if (closed !== null) {
    await tellTarget(parts, target, { type: 'WindowClosed', closure: closed.closure, until: closed.until });
    return 'done';
  }
  const state = await parts.record.cluster.application(rollout.application, target.cluster);
  const cluster = await parts.record.cluster.get(target.cluster);
  const permit = await parts.permits.acquire({
    rollout: rollout.id,
    cluster: target.cluster,
    claim: visit.claim,
    direction,
  });
  if (permit === null) {
    await tellTarget(parts, target, { type: 'Held' });
    return 'done';
  }
  try {
    return await act({
      application: rollout.application,
      installation: await parts.record.installation(),
      rollout: rollout.id,
      lineage: rollout.lineage,
      epoch: 0,
      nonce: randomUUID(),
      expectInventory: state?.inventoryExpected ?? false,
      clusterUid: cluster?.uid ?? '',
      permit: window?.guard(permit) ?? permit,
      signal: visit.signal,
    });
  } catch (error) {
    if (error instanceof PermitLost || visit.signal.aborted) return 'done';
    throw error;
  } finally {
    await permit.release();
  }
};

/** Tries again with a higher epoch when the fence is ahead of the record: it may have been restored from an old copy. */
export const fenced = async <T extends { readonly kind: string }>(
  parts: TargetRunnerParts,
  visit: TargetVisit,
  rollout: Rollout,
  attempt: (epoch: number) => Promise<T | { readonly kind: 'Fenced'; readonly fenceEpoch: number }>,
): Promise<Exclude<T, { readonly kind: 'Fenced' }> | 'overtaken'> => {
  let atLeast = 0;
  for (let tries = 0; tries < FENCE_TRIES; tries += 1) {
    const epoch = await parts.record.transaction((tx) => tx.nextEpoch(rollout.application, visit.cluster, atLeast));
    const outcome = await attempt(epoch);
    if (outcome.kind !== 'Fenced') return outcome as Exclude<T, { readonly kind: 'Fenced' }>;
    atLeast = (outcome as { readonly fenceEpoch: number }).fenceEpoch;
    const mine = await parts.record.claims.renewOne(visit.claim, CLAIM_LEASE);
    if (!mine) return 'overtaken';
  }
  return 'overtaken';
};
