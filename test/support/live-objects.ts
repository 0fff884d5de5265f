import type { KubeObject } from '@breakwater/domain';
import type { TestbedCluster } from '@breakwater/testing';

/** Collections of everything that an application may carry, with what makes an object readable in a difference. */
const COLLECTIONS: readonly (readonly [string, string])[] = [
  ['Namespace', '/api/v1/namespaces'],
  ['ConfigMap', '/api/v1/configmaps'],
  ['Secret', '/api/v1/secrets'],
  ['Service', '/api/v1/services'],
  ['ServiceAccount', '/api/v1/serviceaccounts'],
  ['PersistentVolumeClaim', '/api/v1/persistentvolumeclaims'],
  ['Deployment', '/apis/apps/v1/deployments'],
  ['StatefulSet', '/apis/apps/v1/statefulsets'],
  ['DaemonSet', '/apis/apps/v1/daemonsets'],
  ['Job', '/apis/batch/v1/jobs'],
  ['CronJob', '/apis/batch/v1/cronjobs'],
  ['HorizontalPodAutoscaler', '/apis/autoscaling/v2/horizontalpodautoscalers'],
  ['PodDisruptionBudget', '/apis/policy/v1/poddisruptionbudgets'],
  ['NetworkPolicy', '/apis/networking.k8s.io/v1/networkpolicies'],
  ['Role', '/apis/rbac.authorization.k8s.io/v1/roles'],
  ['RoleBinding', '/apis/rbac.authorization.k8s.io/v1/rolebindings'],
  ['ClusterRole', '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
  ['ClusterRoleBinding', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'],
  ['CustomResourceDefinition', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'],
  ['ValidatingWebhookConfiguration', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'],
  ['MutatingWebhookConfiguration', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'],
  ['ValidatingAdmissionPolicy', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'],
  ['APIService', '/apis/apiregistration.k8s.io/v1/apiservices'],
];

/** Made by Kubernetes itself in every namespace, at a moment of its own. */
const ITS_OWN = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);

/** Every write moves these; the Deployment controller counts its own work; the mark of a take-over is ours. */
const comparable = (object: KubeObject): unknown => {
  const {
    resourceVersion: _version,
    managedFields: _fields,
    generation: _generation,
    annotations,
    ...metadata
  } = object.metadata;
  const {
    'deployment.kubernetes.io/revision': _revision,
    'breakwater.dev/epoch': _epoch,
    ...others
  } = annotations ?? {};
  const { status: _status, ...rest } = object as KubeObject & { status?: unknown };
  return { ...rest, metadata: { ...metadata, annotations: others } };
};

export type LiveObjects = Readonly<Record<string, unknown>>;

/**
 * Every whole object of the cluster (but Kubernetes' own in each namespace and Breakwater's fences), by `Kind/namespace/name`: uid and
 * creation time included, so an object that was deleted and made again is a difference.
 */
export const liveObjects = async (
  cluster: TestbedCluster,
  more: readonly (readonly [string, string])[] = [],
): Promise<LiveObjects> => {
  const all: Record<string, unknown> = {};
  await Promise.all(
    [...COLLECTIONS, ...more].map(async ([kind, path]) => {
      const { status, body } = await cluster.request('GET', path);
      if (status === 404) return;
      if (status !== 200) throw new Error(`${cluster.name}: GET ${path}: ${status}`);
      for (const object of (body as { items: KubeObject[] }).items) {
        const { name, namespace } = object.metadata;
        if (ITS_OWN.has(`${kind}/${name}`) || name.startsWith('system:')) continue;
        if (namespace === 'breakwater-system') continue;
        all[`${kind}/${namespace ?? ''}/${name}`] = comparable(object);
      }
    }),
  );
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** The same without what an object gets anew when it is made again. */
export const withoutIdentity = (objects: LiveObjects): LiveObjects =>
  Object.fromEntries(
    Object.entries(objects).map(([key, object]) => {
      const {
        uid: _uid,
        creationTimestamp: _created,
        ...metadata
      } = (object as KubeObject).metadata as Record<string, unknown>;
      return [key, { ...(object as object), metadata }];
    }),
  );

/** The names of what Breakwater keeps for itself: fences. Null: its namespace is gone, too. */
export const fences = async (cluster: TestbedCluster): Promise<readonly string[] | null> => {
  const namespace = await cluster.request('GET', '/api/v1/namespaces/breakwater-system');
  if (namespace.status === 404) return null;
  const { items } = await cluster.get<{ items: KubeObject[] }>('/api/v1/namespaces/breakwater-system/configmaps');
  return items.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');
};

/** Writes of Breakwater to objects of applications: not to its own namespace. */
export const objectWrites = async (
  cluster: TestbedCluster,
): Promise<readonly { readonly at: number; readonly done: number; readonly code: number; readonly text: string }[]> => {
  const log = await cluster.auditLog({ user: 'breakwater', writesOnly: true });
  return log
    .filter(({ namespace, name }) => namespace !== 'breakwater-system' && name !== 'breakwater-system')
    .map(({ verb, resource, namespace, name, code, receivedAt, completedAt }) => ({
      at: receivedAt,
      done: completedAt,
      code,
      text: `${verb} ${resource}/${namespace}/${name} ${code}`,
    }));
};

/** Every write of Breakwater, its own objects included. */
export const allWrites = async (
  cluster: TestbedCluster,
): Promise<readonly { readonly at: number; readonly done: number; readonly text: string }[]> => {
  const log = await cluster.auditLog({ user: 'breakwater', writesOnly: true });
  return log.map(({ verb, resource, namespace, name, code, receivedAt, completedAt }) => ({
    at: receivedAt,
    done: completedAt,
    text: `${verb} ${resource}/${namespace}/${name} ${code}`,
  }));
};

/** After an outage a cluster's controllers come back in their own time (they back off as long as it was away). Returns when they work. */
export const untilControllersWork = async (cluster: TestbedCluster): Promise<void> => {
  const name = 'probe-of-controllers';
  const path = `/apis/apps/v1/namespaces/default/deployments/${name}`;
  await cluster.createNamespace('default');
  await cluster.apply(path, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'probe' }] } },
    },
  });
  await cluster.waitFor<{ status?: { availableReplicas?: number } }>(
    path,
    ({ status }) => status?.availableReplicas === 1,
    90_000,
  );
  await cluster.request('DELETE', path);
  await cluster.waitFor<{ items: unknown[] }>(
    `/api/v1/namespaces/default/pods?labelSelector=app=${name}`,
    ({ items }) => items.length === 0,
    90_000,
  );
};
