import { type Finding, isTerminal, type KubeObject, objectDigest, objectKey, type ObjectKey } from '@breakwater/domain';
import type { ClusterConnection, Cutoff, Refusal } from '../ports/cluster.port.ts';
import type { RecordPort } from '../ports/record.port.ts';
import { policyOf } from './revision-policy.ts';
import type { Scene, TargetRunnerParts, TargetVisit } from './target-visit.ts';

/** Refusals that trying again later does not mend. */
const FOR_GOOD: ReadonlySet<Refusal['reason']> = new Set<Refusal['reason']>(['RollbackImpossible', 'KindNotServed']);

/** Named at most so many; each is a whole API server's sentence, so that is cut, too. */
const NAMED = 20;
const LONGEST = 300;

const NOTHING = { kind: 'Tried', irreversible: [] } as const;

/**
 * Right after the apply: could the last known good be put back over it? Only objects in which the two differ are asked about, so the
 * question costs what the change costs, and every cluster is asked: bundles, versions and admission differ between clusters.
 */
export const tryReturn = async (
  parts: Pick<TargetRunnerParts, 'bundles'> & { readonly record: Pick<RecordPort, 'sync'> },
  visit: Pick<TargetVisit, 'signal'>,
  { rollout, target }: Scene,
  connection: Pick<ClusterConnection, 'dryRun'>,
): Promise<{ readonly kind: 'Tried'; readonly irreversible: readonly Finding[] } | Cutoff> => {
  // After the end there is nothing left to halt.
  if (target.state !== 'Applying' || target.previous === null || isTerminal(rollout)) return NOTHING;
  if (target.previous.digest === target.revision.digest) return NOTHING;
  const objects = await parts.bundles.load(target.previous.digest);
  const only = differing(objects, await parts.bundles.load(target.revision.digest));
  if (only.length === 0) return NOTHING;
  const answer = await connection.dryRun({
    objects,
    only,
    mode: 'rollback',
    policy: await policyOf(parts.record, rollout, target.previous),
    application: rollout.application,
    signal: visit.signal,
  });
  if (answer.kind === 'Unreachable') return answer;
  // Refused as a whole (credentials, say): the next step meets the same, and says so.
  if (answer.kind === 'Refused') return NOTHING;
  const irreversible = answer.refused
    .filter(({ reason }) => FOR_GOOD.has(reason))
    .slice(0, NAMED)
    .map(({ object, message }) => ({ object, why: message.slice(0, LONGEST) }));
  return { kind: 'Tried', irreversible };
};

const differing = (objects: readonly KubeObject[], applied: readonly KubeObject[]): readonly ObjectKey[] => {
  const digests = new Map(applied.map((object) => [objectKey(object), objectDigest(object)]));
  return objects.filter((object) => digests.get(objectKey(object)) !== objectDigest(object)).map(objectKey);
};
