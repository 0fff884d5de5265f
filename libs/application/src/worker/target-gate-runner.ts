import { gatesOfTarget, isDue, type Rollout, rolloutTime, type Target } from '@breakwater/domain';
import type { WritePermit } from '../ports/cluster.port.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import { type GateRunnerParts, measure, requestFor } from './gate-runner.ts';
import type { PermitKeeper } from './permit-keeper.ts';
import type { Scene } from './target-visit.ts';
import { directionOf } from './target-writing.ts';

interface Visit {
  readonly claim: string;
  readonly signal: AbortSignal;
}

/** Measures those gates of a target that are due, side by side, and tells the record what was seen. */
export const measureTargetGates = async (
  parts: GateRunnerParts & { readonly permits: PermitKeeper },
  visit: Visit,
  rollout: Rollout,
  target: Target,
): Promise<void> => {
  if (target.phase !== 'gates') return;
  const now = await parts.record.now();
  const time = rolloutTime(rollout, now);
  const due = gatesOfTarget(rollout, target).filter(({ run }) => isDue(run, time));
  const wave = rollout.waves[target.wave]?.name ?? '';
  const clusters = [{ name: target.cluster, region: target.region }];
  await Promise.all(
    due.map(async (at) => {
      const measurement = await measure(parts, {
        ...requestFor(parts, rollout, at, { wave: target.wave, cluster: target.cluster }, now),
        wave,
        clusters,
        withPermit: (cluster, act) => withGatePermit(parts.permits, visit, { rollout, target }, cluster, act),
        signal: visit.signal,
      });
      if (!visit.signal.aborted)
        await tellTarget(parts, target, { type: 'GateMeasured', gate: at.gate.name, measurement, asked: at.run });
    }),
  );
};

const withGatePermit = async <T>(
  permits: PermitKeeper,
  visit: Visit,
  { rollout, target }: Scene,
  cluster: string,
  act: (permit: WritePermit) => Promise<T>,
): Promise<T | null> => {
  const direction = directionOf(rollout, target);
  const permit = await permits.acquire({ rollout: rollout.id, cluster, claim: visit.claim, direction });
  if (permit === null) return null;
  try {
    return await act(permit);
  } finally {
    await permit.release();
  }
};
