import { stringAt } from './object.ts';
import type { JsonObject, KubeObject } from './object.ts';
import type { Later } from './api/deletion.ts';
import { resourceOf, timestamp } from './api/object-lifecycle.ts';
import type { ResourceRegistry } from './api/resource-registry.ts';
import type { ObjectStore } from './store/object-store.ts';

const namespaces = resourceOf('namespaces');
const serviceAccounts = resourceOf('serviceaccounts');
const configMaps = resourceOf('configmaps');
const services = resourceOf('services');
const nodes = resourceOf('nodes');
const definitions = resourceOf('customresourcedefinitions.apiextensions.k8s.io');

const caDescription = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

/** Fills a new cluster, and keeps up what every cluster has: defaults of a namespace, established definitions. */
export function seedCluster(store: ObjectStore, ca: string, later: Later, registry: ResourceRegistry): void {
  const create = (resource: typeof namespaces, name: string, rest: JsonObject, namespace?: string): void => {
    const metadata = {
      name,
      ...(namespace !== undefined && { namespace }),
      creationTimestamp: timestamp(),
      ...(rest['metadata'] as JsonObject | undefined),
    };
    store.create(resource, { ...rest, apiVersion: resource.apiVersion, kind: resource.kind, metadata } as KubeObject);
  };
  // One text for all clusters and namespaces: the CA is the same everywhere.
  const data = { 'ca.crt': ca };
  const furnish = (namespace: string): void => {
    if (!store.get(serviceAccounts, namespace, 'default')) create(serviceAccounts, 'default', {}, namespace);
    if (store.get(configMaps, namespace, 'kube-root-ca.crt')) return;
    create(configMaps, 'kube-root-ca.crt', { metadata: { annotations: caDescription }, data }, namespace);
  };
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    const labels = { 'kubernetes.io/metadata.name': name };
    create(namespaces, name, {
      metadata: { labels },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    furnish(name);
  }
  create(
    services,
    'kubernetes',
    {
      metadata: { labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1'],
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      },
      status: { loadBalancer: {} },
    },
    'default',
  );
  create(nodes, 'simulated-node', {
    metadata: {
      labels: {
        'kubernetes.io/hostname': 'simulated-node',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
      },
    },
    spec: {},
    status: {
      capacity: { cpu: '64', memory: '256Gi', pods: '1000' },
      allocatable: { cpu: '64', memory: '256Gi', pods: '1000' },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Simulated',
          message: 'a simulated node',
          lastTransitionTime: timestamp(),
        },
      ],
      nodeInfo: {
        kubeletVersion: 'simulated',
        architecture: 'amd64',
        operatingSystem: 'linux',
        containerRuntimeVersion: 'simulated://0',
      },
    },
  });
  store.history.compact();
  store.subscribe((event) => {
    const { name } = event.object.metadata;
    if (event.resource === namespaces && event.type === 'ADDED')
      later(() => ifActive(store, name, () => furnish(name)));
    if (event.resource !== definitions || event.type === 'DELETED') return;
    later(() => establish(store, registry, name));
  });
}

function ifActive(store: ObjectStore, name: string, work: () => void): void {
  const namespace = store.get(namespaces, undefined, name);
  if (namespace && namespace.metadata.deletionTimestamp === undefined) work();
}

/** Serves the kind of a definition and says so in its status, as the API server's own controllers do. */
function establish(store: ObjectStore, registry: ResourceRegistry, name: string): void {
  const definition = store.get(definitions, undefined, name);
  if (!definition || definition.metadata.deletionTimestamp !== undefined) return;
  registry.define(definition);
  const acceptedNames = (definition['spec'] as JsonObject | undefined)?.['names'];
  const now = timestamp();
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    reason,
    message,
  });
  const established =
    stringAt(definition, 'status', 'acceptedNames', 'kind') !== undefined &&
    stringAt(definition, 'status', 'acceptedNames', 'kind') !== '';
  if (established) return;
  const status = {
    ...(definition['status'] as JsonObject | undefined),
    acceptedNames,
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
  };
  store.update(definitions, definition, { ...definition, status } as KubeObject);
}
