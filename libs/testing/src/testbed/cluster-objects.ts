/** Users of every cluster. Each has a token of its own, so that the audit log tells who did what. */
export const BED_USERS = {
  /** What tests prepare and clean up with; passes every authorisation. */
  admin: ['system:masters'],
  /** Breakwater itself: everything, but by RBAC like anybody. */
  breakwater: ['testbed:operators'],
  /** A second hand on the cluster, for foreign edits: kubectl of a colleague, another controller. */
  foreign: ['testbed:operators'],
  /** May read nearly everything and write nothing: 403 on writes. */
  reader: ['testbed:readers'],
  /** Is known and may do nothing at all. */
  nobody: ['testbed:nobodies'],
  'system:kube-controller-manager': ['system:masters'],
  kwok: ['system:masters'],
} as const satisfies Record<string, readonly string[]>;

export type BedUser = keyof typeof BED_USERS;

export const BED_NODE = 'node-1';

const bind = (name: string, role: string, group: string): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
});

const ADMISSION = '/apis/admissionregistration.k8s.io/v1beta1';

/**
 * What every cluster carries before tests see it, with the collection that it is posted to. Pods get their node by an
 * admission policy instead of a scheduler, which would cost a process and 60 MB per cluster; a pod with a nodeSelector
 * is left without a node, which is how tests get a pod that is never scheduled.
 */
export const CLUSTER_OBJECTS: readonly (readonly [string, object])[] = [
  [
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    bind('testbed-operators', 'cluster-admin', 'testbed:operators'),
  ],
  ['/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', bind('testbed-readers', 'view', 'testbed:readers')],
  [
    '/api/v1/nodes',
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: BED_NODE, labels: { 'kubernetes.io/hostname': BED_NODE, 'kubernetes.io/os': 'linux' } },
    },
  ],
  [
    `${ADMISSION}/mutatingadmissionpolicies`,
    {
      apiVersion: 'admissionregistration.k8s.io/v1beta1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'testbed-node' },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
        matchConditions: [
          { name: 'unassigned', expression: '!has(object.spec.nodeName) || object.spec.nodeName == ""' },
          { name: 'unselective', expression: '!has(object.spec.nodeSelector)' },
        ],
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: { expression: `[JSONPatch{op: "add", path: "/spec/nodeName", value: "${BED_NODE}"}]` },
          },
        ],
      },
    },
  ],
  [
    `${ADMISSION}/mutatingadmissionpolicybindings`,
    {
      apiVersion: 'admissionregistration.k8s.io/v1beta1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'testbed-node' },
      spec: { policyName: 'testbed-node' },
    },
  ],
];
