import { type ClusterConnection, type Cutoff, PermitLost, type Refusal } from '../ports/cluster.port.ts';
import { reachedEvent } from '../rollout/reached-event.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import {
  cutOffByUs,
  readScene,
  type Scene,
  type Step,
  type TargetRunnerParts,
  type TargetVisit,
} from './target-visit.ts';
import { heldByStop } from './target-writing.ts';

export const identify = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  connection: ClusterConnection,
): Promise<Refusal | Cutoff | null> => {
  const seen = await connection.identify(visit.signal);
  if (cutOffByUs(visit, seen)) throw new PermitLost('this worker is stopping');
  if (seen.kind === 'Identified') {
    const cluster = await parts.record.cluster.observe(visit.cluster, {
      kind: 'Seen',
      uid: seen.uid,
      version: seen.version,
    });
    if (cluster.state === 'Ready') return null;
    const reason = cluster.state === 'Replaced' ? 'ClusterReplaced' : 'CredentialsRefused';
    return { kind: 'Refused', reason, message: cluster.message, object: null, partial: false };
  }
  await parts.record.cluster.observe(visit.cluster, {
    kind: seen.kind === 'Refused' ? 'Refused' : 'Unreachable',
    reason: seen.reason,
    message: seen.message,
  });
  return seen;
};

export const probe = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  { rollout, target }: Scene,
  connection: ClusterConnection,
): Promise<Step> => {
  if (await heldByStop(parts, rollout)) {
    await tellTarget(parts, target, { type: 'Held' });
    return 'done';
  }
  const trouble = await identify(parts, visit, connection);
  if (trouble === null) await tellTarget(parts, target, reachedEvent);
  else await tellTarget(parts, target, { type: 'CutOff', reason: trouble.reason, message: trouble.message });
  const after = await readScene(parts, visit);
  if (after === null || after.target.dueAt === null) return 'done';
  return trouble === null && after.target.state !== target.state ? 'again' : 'done';
};
