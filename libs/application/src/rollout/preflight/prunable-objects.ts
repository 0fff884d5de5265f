import { objectKey, type Rollout, type Target } from '@breakwater/domain';
import type { RecordPort } from '../../ports/record.port.ts';
import type { BundleStore } from '../../releases/bundle-store.ts';

export interface Trouble {
  readonly reason: string;
  readonly message: string;
}

/** More would be deleted somewhere than the application allows: a person has to say yes to it. Per distinct pair of bundles once. */
export const findDeletions = async (
  parts: { readonly record: RecordPort; readonly bundles: BundleStore },
  rollout: Rollout,
  targets: readonly Target[],
): Promise<Trouble | null> => {
  const { enabled, maxDeletions } = rollout.plan.apply.prune;
  if (!enabled || rollout.deletionsApproved) return null;
  const everywhere = await parts.record.cluster.applicationEverywhere(rollout.application);
  const running = new Map(everywhere.map((state) => [state.cluster, state.lastGood]));
  const known = new Map<string, number>();
  const deletions = async (from: string, to: string): Promise<number> => {
    const pair = `${from}>${to}`;
    const cached = known.get(pair);
    if (cached !== undefined) return cached;
    const kept = new Set((await parts.bundles.load(to)).map(objectKey));
    const count = (await parts.bundles.load(from)).filter((object) => !kept.has(objectKey(object))).length;
    known.set(pair, count);
    return count;
  };
  for (const target of targets) {
    const previous = running.get(target.cluster);
    if (target.state === 'Skipped' || previous == null || previous.digest === target.revision.digest) continue;
    const count = await deletions(previous.digest, target.revision.digest);
    if (count <= maxDeletions) continue;
    const message = `cluster ${target.cluster}: ${count} objects would be deleted, and the application's limit is ${maxDeletions}`;
    return { reason: 'TooManyDeletions', message };
  }
  return null;
};
