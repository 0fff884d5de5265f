import { type KubeObject, type ObjectKey, objectDigest, objectKey, type Target } from '@breakwater/domain';
import type { ClusterConnection } from '../ports/cluster.port.ts';
import { tellTarget } from '../rollout/tell-target.ts';
import { firstOf } from './periodic.ts';
import { measureTargetGates } from './target-gate-runner.ts';
import {
  CLAIM_LEASE,
  cutOffByUs,
  desiredObjects,
  readScene,
  type Scene,
  type Step,
  type TargetRunnerParts,
  type TargetVisit,
  troubleEvent,
} from './target-visit.ts';

const keysOf = (objects: readonly KubeObject[]): { readonly key: ObjectKey; readonly apiVersion: string }[] =>
  objects.map((object) => ({ key: objectKey(object), apiVersion: object.apiVersion }));

/** Which of the objects differ from the last known good ones: these the release answers for, whatever they were before. */
const changedBy = async (
  parts: TargetRunnerParts,
  target: Target,
  objects: readonly KubeObject[],
): Promise<ObjectKey[]> => {
  if (target.state === 'RollingBack') return [];
  if (target.previous === null) return objects.map(objectKey);
  const previous = await parts.bundles.load(target.previous.digest);
  const digests = new Map(previous.map((object) => [objectKey(object), objectDigest(object)]));
  return objects.filter((object) => digests.get(objectKey(object)) !== objectDigest(object)).map(objectKey);
};

/** A fresh look at the objects, told to the record. */
export const assess = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  { rollout, target }: Scene,
  connection: ClusterConnection,
): Promise<void> => {
  const objects = await desiredObjects(parts, target);
  const outcome = await connection.assess({
    application: rollout.application,
    keys: keysOf(objects),
    baseline: await parts.record.rollouts.baseline(rollout.id, target.cluster),
    changed: await changedBy(parts, target, objects),
    healthRules: rollout.plan.healthRules,
    signal: visit.signal,
  });
  if (cutOffByUs(visit, outcome)) return;
  if (outcome.kind !== 'Assessed') {
    await tellTarget(parts, target, troubleEvent(outcome));
    return;
  }
  const { verdict, failFast, worst, excused } = outcome.report;
  await tellTarget(parts, target, {
    type: 'HealthObserved',
    health: {
      verdict,
      failFast,
      worst: worst === null ? null : { object: worst.object, text: worst.evidence },
      excused,
    },
    round: rollout.round,
  });
};

const isWatched = (target: Target): boolean => target.phase === 'verify' || target.phase === 'gates';

/** Looks now, and stays with a watch until something changes, the next moment comes, or somebody pokes. */
export const verify = async (
  parts: TargetRunnerParts,
  visit: TargetVisit,
  scene: Scene,
  connection: ClusterConnection,
): Promise<Step> => {
  const objects = await desiredObjects(parts, scene.target);
  const watching = new AbortController();
  const stop = (): void => watching.abort();
  visit.signal.addEventListener('abort', stop, { once: true });
  try {
    let changed = Promise.withResolvers<void>();
    connection.watch({
      keys: keysOf(objects),
      onChange: () => changed.resolve(),
      signal: watching.signal,
    });
    for (;;) {
      const current = await readScene(parts, visit);
      if (current === null || visit.draining.aborted) return 'done';
      if (current.target.attempt !== scene.target.attempt || current.target.state !== scene.target.state)
        return 'again';
      if (!isWatched(current.target) || current.target.unreachableSince !== null) return 'again';
      changed = Promise.withResolvers<void>();
      await assess(parts, visit, current, connection);
      const assessed = await readScene(parts, visit);
      if (assessed?.target.state === 'Verifying')
        await measureTargetGates(parts, visit, assessed.rollout, assessed.target);
      const after = await readScene(parts, visit);
      if (after?.target.state !== scene.target.state || !isWatched(after.target)) return 'again';
      if (after.target.dueAt === null) return 'done';
      const pause = Math.max(0, after.target.dueAt - (await parts.record.now()));
      await firstOf(pause, visit.draining, [changed.promise, visit.poked()]);
      if (!(await parts.record.claims.renewOne(visit.claim, CLAIM_LEASE))) return 'done';
    }
  } finally {
    stop();
    visit.signal.removeEventListener('abort', stop);
  }
};
