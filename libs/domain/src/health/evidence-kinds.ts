import type { KubeObject } from '../kubernetes/object.ts';
import { parseObjectKey } from '../kubernetes/object.ts';
import { isMissing, observedKey } from './observed-key.ts';
import type { MissingObject } from './observed-key.ts';

/** What to list and watch in a namespace, beside the inventory's own objects, so that health can be explained. */
export interface EvidenceKinds {
  readonly namespace: string;
  readonly pods: boolean;
  readonly replicaSets: boolean;
  readonly events: boolean;
}

/** A foreign kind may own pods too; these kinds never do, and say all by themselves. */
const WITHOUT_PODS: ReadonlySet<string> = new Set([
  'Service',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'LimitRange',
  'ResourceQuota',
  'Endpoints',
]);
const WITHOUT_PODS_GROUPS: ReadonlySet<string> = new Set([
  'rbac.authorization.k8s.io',
  'networking.k8s.io',
  'policy',
  'autoscaling',
  'discovery.k8s.io',
  'coordination.k8s.io',
]);
/** Never progressing, so that no event has to explain why. */
const WITHOUT_EVENTS: ReadonlySet<string> = new Set([
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'LimitRange',
  'ResourceQuota',
  'Endpoints',
]);

/** One entry for each namespace that needs something, by name. */
export const evidenceKinds = (objects: readonly (KubeObject | MissingObject)[]): readonly EvidenceKinds[] => {
  const needs = objects.map(needsOf).filter(({ namespace, pods, events }) => namespace !== '' && (pods || events));
  return [...Map.groupBy(needs, ({ namespace }) => namespace)]
    .map(([namespace, entries]) => ({
      namespace,
      pods: entries.some(({ pods }) => pods),
      replicaSets: entries.some(({ replicaSets }) => replicaSets),
      events: entries.some(({ events }) => events),
    }))
    .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
};

const needsOf = (object: KubeObject | MissingObject): EvidenceKinds => {
  const key = isMissing(object) ? object.missing : observedKey(object);
  const { group, kind, namespace } = parseObjectKey(key);
  const core = group === '';
  const pods = core ? !WITHOUT_PODS.has(kind) : !WITHOUT_PODS_GROUPS.has(group);
  return {
    namespace,
    pods,
    replicaSets: group === 'apps' && kind === 'Deployment',
    events: pods || (core ? !WITHOUT_EVENTS.has(kind) : false),
  };
};
