import { arrayAt, equal, isObject, objectAt, stringAt, without } from '../object.ts';
import type { Json, JsonObject, KubeObject, ObjectMeta } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';

/** What the server gives out of its own stock. */
export interface Allocator {
  clusterIp(): string;
  nodePort(): number;
}

const firstStatus: Readonly<Record<string, JsonObject>> = {
  namespaces: { phase: 'Active' },
  persistentvolumeclaims: { phase: 'Pending' },
  persistentvolumes: { phase: 'Pending' },
  pods: { phase: 'Pending', qosClass: 'BestEffort' },
  services: { loadBalancer: {} },
  'deployments.apps': {},
  'replicasets.apps': { replicas: 0 },
  'statefulsets.apps': { replicas: 0, availableReplicas: 0 },
  'daemonsets.apps': { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  'jobs.batch': {},
  'cronjobs.batch': {},
  'ingresses.networking.k8s.io': { loadBalancer: {} },
  'poddisruptionbudgets.policy': { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  'horizontalpodautoscalers.autoscaling': { desiredReplicas: 0, currentMetrics: null },
  'validatingadmissionpolicies.admissionregistration.k8s.io': {},
};

/** What becomes of a new object between the request and the store. */
export function prepareForCreate(
  object: KubeObject,
  resource: Resource,
  uid: string,
  allocator: Allocator,
): KubeObject {
  let out: KubeObject = object;
  if (resource.hasStatus) {
    const { status: _status, ...rest } = out;
    const status = firstStatus[resource.key];
    out = (status ? { ...rest, status } : rest) as KubeObject;
  }
  switch (resource.key) {
    case 'services':
      return withAddresses(out, allocator);
    case 'jobs.batch':
      return withJobSelector(out, uid);
    case 'namespaces':
      return { ...out, spec: { finalizers: ['kubernetes'] } };
    case 'customresourcedefinitions.apiextensions.k8s.io':
      return {
        ...out,
        status: { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: storedVersions(out) },
      };
    case 'persistentvolumeclaims':
      return withFinalizer(out, 'kubernetes.io/pvc-protection');
    default:
      return out;
  }
}

function withFinalizer(object: KubeObject, finalizer: string): KubeObject {
  const finalizers = object.metadata.finalizers ?? [];
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}

function storedVersions(definition: KubeObject): string[] {
  return arrayAt(definition, 'spec', 'versions')
    .filter(isObject)
    .filter((version) => version['storage'] === true)
    .map((version) => stringAt(version, 'name') ?? '');
}

function withAddresses(service: KubeObject, allocator: Allocator): KubeObject {
  const spec = objectAt(service, 'spec') ?? {};
  const type = stringAt(spec, 'type');
  if (type === 'ExternalName') return service;
  const given = stringAt(spec, 'clusterIP');
  const address = given === undefined || given === '' ? allocator.clusterIp() : given;
  const needsNodePorts = type === 'NodePort' || type === 'LoadBalancer';
  const ports = arrayAt(spec, 'ports').map((port) =>
    needsNodePorts && isObject(port) && port['nodePort'] === undefined
      ? { ...port, nodePort: allocator.nodePort() }
      : port,
  );
  const addressed: JsonObject = {
    ...spec,
    clusterIP: address,
    clusterIPs: [address],
    ...(address !== 'None' || spec['selector'] !== undefined
      ? { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
      : {}),
    ...(ports.length > 0 && { ports }),
  };
  return { ...service, spec: addressed };
}

function withJobSelector(job: KubeObject, uid: string): KubeObject {
  const spec = objectAt(job, 'spec') ?? {};
  if (spec['manualSelector'] === true) return job;
  const own = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': job.metadata.name,
    'controller-uid': uid,
    'job-name': job.metadata.name,
  };
  const template = objectAt(spec, 'template') ?? {};
  const metadata = objectAt(template, 'metadata') ?? {};
  const labels = { ...objectAt(metadata, 'labels'), ...own };
  return {
    ...job,
    metadata: { ...job.metadata, labels: (job.metadata.labels ?? labels) as Readonly<Record<string, string>> },
    spec: {
      ...spec,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: { ...template, metadata: { ...metadata, labels } },
    },
  };
}

/** Metadata that a request cannot change. */
const ownedByServer = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'generateName',
  'selfLink',
] as const;

/** The object that an update leads to: what the endpoint may not change stays as it is. */
export function prepareForUpdate(
  live: KubeObject,
  object: KubeObject,
  resource: Resource,
  subresource: string | undefined,
): KubeObject {
  const metadata: Record<string, Json | undefined> = { ...object.metadata };
  for (const key of ownedByServer) {
    if (live.metadata[key] === undefined) delete metadata[key];
    else metadata[key] = live.metadata[key];
  }
  if (live.metadata.namespace !== undefined) metadata['namespace'] = live.metadata.namespace;
  metadata['resourceVersion'] = live.metadata.resourceVersion;
  let out = { ...object, metadata: metadata as ObjectMeta } as KubeObject;
  if (subresource === 'status') {
    const { status: _old, ...rest } = live;
    const status = object['status'];
    return { ...rest, metadata: out.metadata, ...(status !== undefined && { status }) } as KubeObject;
  }
  if (resource.hasStatus) out = keep(out, live, 'status');
  if (resource.key === 'services') out = keepAddresses(out, live);
  if (resource.key === 'namespaces') out = keep(out, live, 'spec');
  if (resource.key === 'jobs.batch' && objectAt(out, 'spec', 'selector') === undefined)
    out = withJobSelector(out, live.metadata.uid ?? '');
  return specChanged(live, out, resource) ? generation(out, 1) : out;
}

function keep(object: KubeObject, live: KubeObject, key: string): KubeObject {
  return live[key] === undefined ? (without(object, key) as KubeObject) : { ...object, [key]: live[key] };
}

function keepAddresses(object: KubeObject, live: KubeObject): KubeObject {
  const spec = objectAt(object, 'spec') ?? {};
  if (spec['type'] === 'ExternalName') return object;
  const kept: Record<string, Json | undefined> = { ...spec };
  for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
    if (kept[key] === undefined || kept[key] === '') kept[key] = objectAt(live, 'spec')?.[key];
  }
  return equal(kept, spec) ? object : { ...object, spec: kept };
}

/** One generation more, for kinds that count them. */
export function generation(object: KubeObject, more: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + more } };
}

function specChanged(live: KubeObject, object: KubeObject, resource: Resource): boolean {
  if (!resource.hasGeneration) return false;
  // Deployments count a changed annotation too.
  if (resource.key === 'deployments.apps' && !equal(live.metadata.annotations, object.metadata.annotations))
    return true;
  const keys = new Set([...Object.keys(live), ...Object.keys(object)]);
  for (const key of keys) {
    if (key === 'metadata' || key === 'status' || key === 'apiVersion' || key === 'kind') continue;
    if (!equal(live[key], object[key])) return true;
  }
  return false;
}
