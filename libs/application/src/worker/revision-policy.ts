import type { ApplyPolicy, Rollout, Target } from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';
import type { ReleaseSpec } from '../releases/release-spec.ts';

/** How this revision of the application wants to be applied, as it was recorded with it; the plan's policy where it says nothing. */
export const policyOf = async (
  record: Pick<RecordPort, 'sync'>,
  { application, plan }: Pick<Rollout, 'application' | 'plan'>,
  revision: { readonly commit: string },
): Promise<ApplyPolicy> => {
  const release = await record.sync.release(application, revision.commit);
  return (release?.spec as ReleaseSpec | null | undefined)?.apply ?? plan.apply;
};

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** A return goes by what the former release said, not by the one that failed. Approved deletions have no limit. */
export const presentPolicy = async (
  { record }: { readonly record: Pick<RecordPort, 'sync'> },
  { rollout, target }: { readonly rollout: Rollout; readonly target: Target },
): Promise<ApplyPolicy> => {
  const former = target.state === 'RollingBack' ? target.previous : null;
  const policy = former === null ? rollout.plan.apply : await policyOf(record, rollout, former);
  if (!rollout.deletionsApproved) return policy;
  return { ...policy, prune: { ...policy.prune, maxDeletions: NO_LIMIT } };
};
