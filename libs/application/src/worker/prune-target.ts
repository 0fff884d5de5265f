import { objectKey } from '@breakwater/domain';
import type { ClusterConnection } from '../ports/cluster.port.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import { presentPolicy } from './revision-policy.ts';
import {
  cutOffByUs,
  desiredObjects,
  type Scene,
  type Step,
  type TargetRunnerParts,
  type TargetVisit,
  troubleEvent,
} from './target-visit.ts';
import { fenced, withPermit } from './target-writing.ts';

export const prune = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  scene: Scene,
  connection: ClusterConnection,
): Promise<Step> => {
  const { rollout, target } = scene;
  const back = target.state === 'RollingBack';
  const objects = await desiredObjects(parts, target);
  const policy = await presentPolicy(parts, scene);
  const removeAll = back && objects.length === 0;
  return withPermit(parts, visit, scene, async (session) => {
    // Written ahead: the inventory goes last, and whoever takes it away may not live to say so.
    if (removeAll)
      await parts.record.transaction((tx) => tx.setInventoryExpected(rollout.application, target.cluster, false));
    const outcome = await fenced(parts, visit, rollout, (epoch) =>
      connection.prune({
        ...session,
        epoch,
        mode: back ? 'rollback' : 'forward',
        keep: objects.map(objectKey),
        policy,
        removeAll,
      }),
    );
    if (outcome === 'overtaken') return 'done';
    if (cutOffByUs(visit, outcome)) return 'done';
    if (outcome.kind !== 'Pruned') {
      await tellTarget(parts, target, troubleEvent(outcome));
      return 'again';
    }
    const kept = outcome.kept
      .filter(({ reason }) => reason !== 'NotRunAgain')
      .map(({ key, reason }) => `${key} (${reason})`);
    const jobsNotRunAgain = outcome.kept.filter(({ reason }) => reason === 'NotRunAgain').map(({ key }) => key);
    await tellTarget(parts, target, { type: 'Finalized', kept, jobsNotRunAgain, suspects: outcome.suspects }, (tx) =>
      tx.setInventoryExpected(rollout.application, target.cluster, outcome.inventory),
    );
    return 'again';
  });
};
