import { randomBytes } from 'node:crypto';
import type { Answer, KubeApiClient } from './kube-api-client.ts';

/** What a group of sentences works with; filled before the first of them. */
export interface ConformanceContext {
  readonly client: KubeApiClient;
  /** A namespace of this run. */
  readonly namespace: string;
  readonly powerless: KubeApiClient | undefined;
  readonly anonymous: KubeApiClient;
}

export type ContextOf = () => ConformanceContext;

export const strangeUid = '8c7b64f0-0000-4000-8000-000000000000';

/** A name that no earlier run used. */
export function fresh(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

export const paths = {
  namespace: (name: string): string => `/api/v1/namespaces/${name}`,
  configMaps: (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`,
  secrets: (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`,
  services: (namespace: string): string => `/api/v1/namespaces/${namespace}/services`,
  pods: (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`,
  events: (namespace: string): string => `/api/v1/namespaces/${namespace}/events`,
  deployments: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  replicaSets: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/replicasets`,
  statefulSets: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
  daemonSets: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/daemonsets`,
  jobs: (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`,
  claims: (namespace: string): string => `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
  definitions: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
} as const;

export function configMap(name: string, data: Record<string, string>, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export interface DeploymentShape {
  readonly image?: string;
  readonly replicas?: number;
  readonly labels?: Record<string, string>;
  readonly container?: object;
  readonly spec?: object;
  readonly metadata?: object;
}

export function deployment(name: string, shape: DeploymentShape = {}): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(shape.labels && { labels: shape.labels }), ...shape.metadata },
    spec: {
      ...(shape.replicas !== undefined && { replicas: shape.replicas }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: shape.image ?? 'registry.example/web:1', ...shape.container }] },
      },
      ...shape.spec,
    },
  };
}

/** A condition of an object's status. */
export function conditionOf(object: Answer, type: string): Answer {
  return object.status?.conditions?.find((one: Answer) => one.type === type);
}
