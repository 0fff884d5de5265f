import { randomUUID } from 'node:crypto';
import type {
  ApplyRequest,
  BeforeImage,
  ClusterConnection,
  ClusterConnector,
  PruneRequest,
  Session,
  WritePermit,
} from '@breakwater/application';
import type { ApplyPolicy, KubeObject, ObjectKey } from '@breakwater/domain';
import { objectKey } from '@breakwater/domain';
import type { TestbedCluster } from '@breakwater/testing';
import { createClusterConnector } from '../cluster-connector.ts';
import type { Timeouts } from '../transport.ts';

/** Lets everything through; tells the number of the request. */
export const openPermit = (onSend: (index: number) => Promise<void> | void = () => undefined): WritePermit => {
  let index = 0;
  return {
    send: async (request) => {
      await onSend(index++);
      return request(() => undefined);
    },
  };
};

export const POLICY: ApplyPolicy = {
  namespace: 'shop',
  conflicts: 'report',
  adopt: 'refuse',
  ignore: [],
  prune: { enabled: true, maxDeletions: 10, protect: ['PersistentVolumeClaim', 'CustomResourceDefinition'] },
};

export const configMap = (name: string, data: Record<string, string>, namespace = 'shop'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

export const deployment = (name: string, image: string, replicas: number | null = 1): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop' },
  spec: {
    ...(replicas === null ? {} : { replicas }),
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image }] } },
  },
});

export interface Recorded {
  readonly images: BeforeImage[];
  readonly begun: { changing: readonly ObjectKey[]; baseline: Readonly<Record<string, unknown>> }[];
}

/** One application on one cluster, as a worker sees it. */
export class Scene {
  readonly cluster: TestbedCluster;
  readonly connector: ClusterConnector;
  readonly recorded: Recorded = { images: [], begun: [] };
  clusterUid = '';
  connection!: ClusterConnection;

  constructor(
    cluster: TestbedCluster,
    timeouts: Partial<Timeouts> = {},
    kubeconfig: string = cluster.kubeconfig,
    userAgent = 'breakwater/test',
  ) {
    this.cluster = cluster;
    this.connector = createClusterConnector({
      credentials: { read: () => Promise.resolve({ kubeconfig, version: '1' }) },
      timeouts: { established: 15_000, ...timeouts },
      userAgent,
    });
  }

  async connect(): Promise<this> {
    const connection = await this.connector.connect(this.cluster.name);
    if ('kind' in connection) throw new Error(JSON.stringify(connection));
    this.connection = connection;
    const identity = await connection.identify(AbortSignal.timeout(10_000));
    if (identity.kind !== 'Identified') throw new Error(JSON.stringify(identity));
    this.clusterUid = identity.uid;
    return this;
  }

  session(overrides: Partial<Session> = {}): Session {
    return {
      application: 'web',
      installation: 'here',
      rollout: 'r1',
      epoch: 1,
      nonce: randomUUID(),
      expectInventory: false,
      lineage: [],
      clusterUid: this.clusterUid,
      permit: openPermit(),
      signal: new AbortController().signal,
      ...overrides,
    };
  }

  applyRequest(objects: readonly KubeObject[], overrides: Partial<ApplyRequest> = {}): ApplyRequest {
    return {
      ...this.session(),
      mode: 'forward',
      objects,
      policy: POLICY,
      before: [],
      journal: (images) => {
        this.recorded.images.push(...images);
        return Promise.resolve();
      },
      beforeFirstWrite: (facts) => {
        this.recorded.begun.push(facts);
        return Promise.resolve();
      },
      ...overrides,
    };
  }

  apply(objects: readonly KubeObject[], overrides: Partial<ApplyRequest> = {}): ReturnType<ClusterConnection['apply']> {
    return this.connection.apply(this.applyRequest(objects, overrides));
  }

  prune(keep: readonly KubeObject[], overrides: Partial<PruneRequest> = {}): ReturnType<ClusterConnection['prune']> {
    return this.connection.prune({
      ...this.session(),
      mode: 'forward',
      keep: keep.map(objectKey),
      policy: POLICY,
      removeAll: false,
      ...overrides,
    });
  }

  /** Writes of Breakwater's own user, in order: `patch configmaps/shop/a 200`. */
  async writes(): Promise<string[]> {
    const log = await this.cluster.auditLog({ user: 'breakwater', writesOnly: true });
    return log.map(({ verb, resource, namespace, name, code }) => {
      const inside = resource === 'namespaces' ? '' : namespace;
      return `${verb} ${resource}/${inside}/${name} ${code}`;
    });
  }

  /** Those that are about objects of the application. */
  async objectWrites(): Promise<string[]> {
    return (await this.writes()).filter((line) => !line.includes('breakwater-system'));
  }

  async live(path: string): Promise<KubeObject | null> {
    const { status, body } = await this.cluster.request('GET', path);
    if (status === 404) return null;
    if (status !== 200) throw new Error(`${path}: ${status}`);
    return body as KubeObject;
  }

  async close(): Promise<void> {
    await this.connector.closeAll();
  }
}

/** What has to be as it was: everything but what every write moves, the mark of a take-over, and the Deployment controller's counter. */
export const comparable = (object: KubeObject | null): unknown => {
  if (object === null) return null;
  const {
    resourceVersion: _version,
    managedFields: _fields,
    generation: _generation,
    annotations,
    ...metadata
  } = object.metadata;
  const {
    'breakwater.dev/epoch': _epoch,
    'deployment.kubernetes.io/revision': _revision,
    ...others
  } = annotations ?? {};
  return { ...object, metadata: { ...metadata, annotations: others } };
};
