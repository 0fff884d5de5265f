import { startSimulatedFleet } from '@breakwater/simulator';
import { acquireTestbed } from '@breakwater/testing';
import type { KubeObject } from '@breakwater/domain';

/** A write of Breakwater's that the API server took, by the server's own clock. */
export interface StageWrite {
  /** Epoch milliseconds of the receipt. */
  readonly at: number;
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** A cluster as the verdict sees it: what the API server itself has and has logged, nothing of what Breakwater says. */
export interface StageCluster {
  readonly name: string;
  readonly kubeconfig: string;
  /** Objects with the application's label, and the pods of its namespace. */
  objects(): Promise<readonly KubeObject[]>;
  pods(): Promise<readonly KubeObject[]>;
  writes(): Promise<readonly StageWrite[]>;
}

export interface Stage {
  readonly simulated: boolean;
  readonly clusters: readonly StageCluster[];
  stop(): Promise<void>;
}

export const APPLICATION = 'podinfo';
const NAMESPACE = 'podinfo';
const USER_AGENT = 'breakwater/';

const isOurs = (object: KubeObject): boolean => object.metadata.labels?.['breakwater.dev/application'] === APPLICATION;

export const simulatedStage = async (names: readonly string[]): Promise<Stage> => {
  const fleet = await startSimulatedFleet({
    clusters: names.map((name) => ({ name, workloads: { podReadyMs: 400 } })),
  });
  return {
    simulated: true,
    clusters: fleet.clusters.map((cluster) => ({
      name: cluster.name,
      kubeconfig: cluster.kubeconfig,
      objects: async () => (cluster.objects() as readonly unknown[] as readonly KubeObject[]).filter(isOurs),
      pods: async () => cluster.objects('pods', NAMESPACE) as readonly unknown[] as readonly KubeObject[],
      writes: async () =>
        cluster
          .writes()
          .filter(({ userAgent, dryRun, status }) => userAgent.startsWith(USER_AGENT) && !dryRun && (status ?? 0) < 300)
          // A question in the form of a write: what may I do? Nothing is kept of it.
          .filter(({ group }) => group !== 'authorization.k8s.io')
          .map(({ receivedAt, verb, resource, namespace, name }) => ({
            at: receivedAt,
            verb,
            resource,
            namespace: namespace ?? '',
            name: name ?? '',
          })),
    })),
    stop: () => fleet.stop(),
  };
};

/** Kinds that the example application is made of. */
const COLLECTIONS = [
  '/api/v1/namespaces',
  `/api/v1/namespaces/${NAMESPACE}/configmaps`,
  `/api/v1/namespaces/${NAMESPACE}/services`,
  `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
];

export const realStage = async (names: readonly string[]): Promise<Stage> => {
  const bed = await acquireTestbed({ clusters: names.length, label: 'demo' });
  return {
    simulated: false,
    clusters: bed.clusters.map((cluster, index) => {
      const list = async (path: string): Promise<readonly KubeObject[]> => {
        const { items, apiVersion, kind } = await cluster.get<{
          items: readonly KubeObject[];
          apiVersion: string;
          kind: string;
        }>(path);
        return items.map((item) => ({ ...item, apiVersion, kind: kind.replace(/List$/, '') }));
      };
      return {
        name: names[index] ?? '',
        kubeconfig: cluster.kubeconfig,
        objects: async () => (await Promise.all(COLLECTIONS.map(list))).flat().filter(isOurs),
        pods: () => list(`/api/v1/namespaces/${NAMESPACE}/pods`),
        writes: async () =>
          (await cluster.auditLog({ user: 'breakwater', writesOnly: true }))
            .filter(({ code }) => code < 300)
            .map(({ receivedAt, verb, resource, namespace, name }) => ({
              at: receivedAt,
              verb,
              resource,
              namespace,
              name,
            })),
      };
    }),
    stop: () => bed.release(),
  };
};
