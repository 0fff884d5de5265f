import type { KubeObject } from '../kubernetes/object.ts';
import { assessCronJob, assessJob } from './batch-rules.ts';
import {
  assessApiService,
  assessCustomResourceDefinition,
  assessExisting,
  assessHorizontalPodAutoscaler,
  assessNamespace,
  assessNode,
  assessPodDisruptionBudget,
} from './cluster-rules.ts';
import { assessByConditions, assessGenerically, assessObservation } from './generic-rules.ts';
import { stringAt } from './json-field.ts';
import { assessIngress, assessService } from './network-rules.ts';
import { groupKindOf } from './observed-key.ts';
import { unknown } from './object-health.ts';
import type { HealthContext, HealthRule, ObjectHealth } from './object-health.ts';
import { assessPod } from './pod-rules.ts';
import { assessPersistentVolume, assessPersistentVolumeClaim } from './storage-rules.ts';
import { assessDaemonSet, assessDeployment, assessReplicaSet, assessStatefulSet } from './workload-rules.ts';

const EXISTING_IS_HEALTHY = [
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Endpoints',
  'LimitRange',
  'ResourceQuota',
  'PodTemplate',
  'discovery.k8s.io/EndpointSlice',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/NetworkPolicy',
  'node.k8s.io/RuntimeClass',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/StorageClass',
  'coordination.k8s.io/Lease',
  'apps/ControllerRevision',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
];

/** By group and kind without version; the core group is left out. Kinds that are not here are judged by their conditions. */
const RULES: ReadonlyMap<string, HealthRule> = new Map<string, HealthRule>([
  ...EXISTING_IS_HEALTHY.map((kind): [string, HealthRule] => [kind, assessExisting]),
  ['apps/Deployment', assessDeployment],
  ['apps/ReplicaSet', assessReplicaSet],
  ['apps/StatefulSet', assessStatefulSet],
  ['apps/DaemonSet', assessDaemonSet],
  ['ReplicationController', assessReplicaSet],
  ['batch/Job', assessJob],
  ['batch/CronJob', assessCronJob],
  ['Pod', assessPod],
  ['PersistentVolumeClaim', assessPersistentVolumeClaim],
  ['PersistentVolume', assessPersistentVolume],
  ['Service', assessService],
  ['networking.k8s.io/Ingress', assessIngress],
  ['policy/PodDisruptionBudget', assessPodDisruptionBudget],
  ['autoscaling/HorizontalPodAutoscaler', assessHorizontalPodAutoscaler],
  ['Namespace', assessNamespace],
  ['Node', assessNode],
  ['apiextensions.k8s.io/CustomResourceDefinition', assessCustomResourceDefinition],
  ['apiregistration.k8s.io/APIService', assessApiService],
]);

/** Whether users may write a rule for a kind: not for one that has a rule here. */
export const hasBuiltInRule = (groupKind: string): boolean => RULES.has(groupKind);

/** By group and kind, as `example.org/Database`. */
export type OwnRules = ReadonlyMap<string, HealthRule>;

/** The rule of the users' own that an object is judged by. */
export const ownRuleOf = (object: KubeObject, rules: OwnRules | undefined): HealthRule | undefined =>
  hasBuiltInRule(groupKindOf(object)) ? undefined : rules?.get(groupKindOf(object));

/**
 * The health of one live object, by the rules of kstatus: rules for every kind, then the kind's own, then its conditions.
 *
 * @param now epoch milliseconds
 * @param beside events and pods of the object's namespace, where they were read; a claim that waits for its first consumer
 *   is known by them; and the rules for kinds of the user
 */
export const assessObject = (
  object: KubeObject,
  now: number,
  { rules, ...beside }: Partial<Omit<HealthContext, 'now'>> & { readonly rules?: OwnRules } = {},
): ObjectHealth => {
  if (stringAt(object, 'kind') === undefined || stringAt(object, 'metadata', 'name') === undefined) {
    return unknown('NotAnObject', 'has no kind or no name');
  }
  const context = { now, events: [], pods: [], ...beside };
  const builtIn = RULES.get(groupKindOf(object));
  const own = ownRuleOf(object, rules);
  if (own !== undefined) return assessObservation(object) ?? own(object, context);
  return assessGenerically(object) ?? (builtIn ?? assessByConditions)(object, context);
};
