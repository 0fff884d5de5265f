import { isTerminal } from '@breakwater/domain';
import type { ClusterConnection } from '../ports/cluster.port.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import { applyRevision } from './apply-target.ts';
import { probe } from './probe-target.ts';
import { prune } from './prune-target.ts';
import { quarantineEvent } from './target-quarantine.ts';
import {
  readScene,
  type Scene,
  type Step,
  type TargetRunnerParts,
  type TargetVisit,
  troubleEvent,
} from './target-visit.ts';
import { assess, verify } from './verify-target.ts';
import { windowHold } from './window-hold.ts';

/** Does what the target's state asks for, tells the record what came of it, and goes on until it has to wait for long. */
export const visitTarget = async (parts: TargetRunnerParts, visit: TargetVisit): Promise<void> => {
  for (;;) {
    if (visit.draining.aborted) return;
    const scene = await readScene(parts, visit);
    if (scene === null) return;
    const step = await work(parts, visit, scene);
    if (step === 'done') return;
    if (step === 'again') continue;
    await step.wait();
  }
};

/** At a verified cluster: what an overtaken worker has made there since goes first, and then it is judged. */
const lookAgain = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  scene: Scene,
  connection: ClusterConnection,
): Promise<Step> => {
  const { rollout, target } = scene;
  if (target.suspects.length === 0 || (await windowHold(parts.record, rollout, target)).now() !== null) {
    await assess(parts, visit, scene, connection);
    return 'done';
  }
  if ((await prune(parts, visit, scene, connection)) === 'done') return 'done';
  const after = await readScene(parts, visit);
  if (after?.target.state === 'Succeeded') await assess(parts, visit, after, connection);
  return 'done';
};

const work = async (parts: TargetRunnerParts, visit: TargetVisit, scene: Scene): Promise<Step> => {
  const { target, rollout } = scene;
  if (target.dueAt === null) return 'done';
  const held = await quarantineEvent(parts, scene);
  if (held !== null) {
    await tellTarget(parts, target, held);
    return 'done';
  }
  const connection = await parts.clusters.connect(target.cluster);
  if ('kind' in connection) {
    await tellTarget(parts, target, troubleEvent(connection));
    return 'done';
  }
  switch (target.state) {
    case 'Applying':
      return applyRevision(parts, visit, scene, connection);
    case 'RollingBack':
      if (target.unreachableSince !== null) return probe(parts, visit, scene, connection);
      if (target.phase === 'apply') return applyRevision(parts, visit, scene, connection);
      return target.phase === 'verify'
        ? verify(parts, visit, scene, connection)
        : prune(parts, visit, scene, connection);
    case 'Verifying':
      return target.phase === 'finalize'
        ? prune(parts, visit, scene, connection)
        : verify(parts, visit, scene, connection);
    case 'Succeeded':
      return isTerminal(rollout) ? 'done' : lookAgain(parts, visit, scene, connection);
    case 'Unreachable':
    case 'Skipped':
    case 'RollbackFailed':
      return probe(parts, visit, scene, connection);
    case 'Pending':
    case 'Prefetching':
    case 'Failed':
    case 'RolledBack':
      return isTerminal(rollout) && target.owes !== null ? probe(parts, visit, scene, connection) : 'done';
  }
};
