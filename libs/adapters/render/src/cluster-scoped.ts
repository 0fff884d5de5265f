import type { KubeObject } from '@breakwater/domain';
import { groupOf } from '@breakwater/domain';

/** Kubernetes' own kinds that have no namespace, as `group/Kind`. Source: the API reference of Kubernetes 1.36. */
const BUILT_IN: ReadonlySet<string> = new Set([
  '/ComponentStatus',
  '/Namespace',
  '/Node',
  '/PersistentVolume',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'authentication.k8s.io/SelfSubjectReview',
  'authentication.k8s.io/TokenReview',
  'authorization.k8s.io/SelfSubjectAccessReview',
  'authorization.k8s.io/SelfSubjectRulesReview',
  'authorization.k8s.io/SubjectAccessReview',
  'certificates.k8s.io/CertificateSigningRequest',
  'certificates.k8s.io/ClusterTrustBundle',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'internal.apiserver.k8s.io/StorageVersion',
  'networking.k8s.io/IPAddress',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/ServiceCIDR',
  'node.k8s.io/RuntimeClass',
  'policy/PodSecurityPolicy',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'resource.k8s.io/DeviceClass',
  'resource.k8s.io/DeviceTaintRule',
  'resource.k8s.io/ResourceSlice',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttachment',
  'storage.k8s.io/VolumeAttributesClass',
  'storagemigration.k8s.io/StorageVersionMigration',
]);

const BUILT_IN_GROUPS = new Set(['', 'apps', 'autoscaling', 'batch', 'policy']);

/** Whether a group is Kubernetes' own: its kinds have the scope that the table says, whatever a bundle claims. */
export const isBuiltInGroup = (group: string): boolean =>
  BUILT_IN_GROUPS.has(group) || (group.endsWith('.k8s.io') && group.split('.').length <= 4 && !CRD_GROUPS.has(group));

/** Groups below k8s.io that are installed as CRDs. */
const CRD_GROUPS = new Set([
  'gateway.networking.k8s.io',
  'snapshot.storage.k8s.io',
  'metrics.k8s.io',
  'policy.networking.k8s.io',
]);

/** Says of each object whether its kind is without a namespace: built in, defined by a CRD of the bundle, or as the cluster said. */
export const clusterScope = (
  objects: readonly KubeObject[],
  known: readonly { readonly group: string; readonly kind: string }[],
): ((object: KubeObject) => boolean) => {
  const scoped = new Set(BUILT_IN);
  for (const { group, kind } of known) scoped.add(`${group}/${kind}`);
  for (const object of objects) {
    if (object.kind !== 'CustomResourceDefinition' || groupOf(object.apiVersion) !== 'apiextensions.k8s.io') continue;
    const { group, names, scope } = (object['spec'] ?? {}) as {
      group?: unknown;
      names?: { kind?: unknown };
      scope?: unknown;
    };
    const key = `${String(group)}/${String(names?.kind)}`;
    if (BUILT_IN.has(key)) continue;
    if (scope === 'Cluster') scoped.add(key);
    // The bundle brings the definition: it wins over what the cluster serves today.
    else scoped.delete(key);
  }
  return (object) => scoped.has(`${groupOf(object.apiVersion)}/${object.kind}`);
};
