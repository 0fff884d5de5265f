import { type KubeObject, type ObjectKey, type Rollout } from '@breakwater/domain';
import { type ApplyOutcome, type BeforeImage, type ClusterConnection, PermitLost } from '../ports/cluster.port.ts';
import type { RecordTransaction } from '../ports/record.port.ts';
import { auditOfOverwrites } from '../changes/overwritten-edits.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import { identify } from './probe-target.ts';
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
import { tryReturn } from './return-trial.ts';
import { fenced, withPermit } from './target-writing.ts';

/** The oldest image of each object: as it was before any rollout whose work was not settled. */
const beforeImagesOf = async (
  parts: TargetRunnerParts,
  rollout: Rollout,
  cluster: string,
): Promise<readonly BeforeImage[]> => {
  const images = new Map<ObjectKey, BeforeImage>();
  for (const id of [rollout.id, ...rollout.lineage]) {
    for (const image of await parts.record.rollouts.beforeImages(id, cluster)) images.set(image.key, image);
  }
  return [...images.values()];
};

export const applyRevision = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  scene: Scene,
  connection: ClusterConnection,
): Promise<Step> => {
  const { rollout, target } = scene;
  const trouble = await identify(parts, visit, connection);
  if (trouble !== null) {
    await tellTarget(parts, target, troubleEvent(trouble));
    return 'again';
  }
  const back = target.state === 'RollingBack';
  const objects = await desiredObjects(parts, target);
  const policy = await presentPolicy(parts, scene);
  const before = await beforeImagesOf(parts, rollout, target.cluster);
  return withPermit(parts, visit, scene, async (session) => {
    const outcome = await fenced<ApplyOutcome>(parts, visit, rollout, (epoch) =>
      connection.apply({
        ...session,
        epoch,
        mode: back ? 'rollback' : 'forward',
        objects,
        policy,
        healthRules: rollout.plan.healthRules,
        before,
        journal: (images) => parts.record.transaction((tx) => tx.addBeforeImages(rollout.id, target.cluster, images)),
        beforeFirstWrite: async ({ baseline, overwrites = [] }) => {
          const told = await tellTarget(parts, target, { type: 'Touching' }, async (tx) => {
            await tx.setBaseline(rollout.id, target.cluster, baseline);
            if (overwrites.length > 0) await tx.audit(auditOfOverwrites(target, rollout.application, overwrites));
          });
          if (!told) throw new PermitLost('the target has moved on');
        },
      }),
    );
    if (outcome === 'overtaken') return 'done';
    return afterApply(parts, visit, scene, connection, objects, outcome);
  });
};

const afterApply = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  scene: Scene,
  connection: ClusterConnection,
  objects: readonly KubeObject[],
  outcome: Exclude<ApplyOutcome, { readonly kind: 'Fenced' }>,
): Promise<Step> => {
  const { rollout, target } = scene;
  if (cutOffByUs(visit, outcome)) return 'done';
  if (outcome.kind !== 'Applied') {
    const partial = outcome.partial;
    await tellTarget(parts, target, troubleEvent(outcome), async (tx) => {
      if (partial) await tx.setInventoryExpected(rollout.application, target.cluster, true);
    });
    return 'again';
  }
  const settle = async (tx: RecordTransaction): Promise<void> => {
    if (objects.length > 0) await tx.setInventoryExpected(rollout.application, target.cluster, true);
    if (target.state === 'Applying') await tx.setRunning(rollout.application, target.cluster, target.revision);
  };
  const found = await tryReturn(parts, visit, scene, connection);
  if (cutOffByUs(visit, found)) return 'done';
  // Asked again when the cluster is back: no answer is no yes.
  if (found.kind === 'Unreachable') await tellTarget(parts, target, troubleEvent(found), settle);
  else await tellTarget(parts, target, { type: 'Applied', irreversible: found.irreversible }, settle);
  return 'again';
};
