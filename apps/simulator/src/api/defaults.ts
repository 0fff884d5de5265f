import { arrayAt, isArray, isObject, objectAt, stringAt, without } from '../object.ts';
import type { Json, JsonObject, KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';

type Defaulter = (value: JsonObject) => JsonObject;

/** The value with what is missing filled in; the value itself where nothing is. */
function fill(value: JsonObject, defaults: JsonObject): JsonObject {
  let out: Record<string, Json | undefined> | undefined;
  for (const key in defaults) {
    if (value[key] === undefined || value[key] === null) (out ??= { ...value })[key] = defaults[key];
  }
  return out ?? value;
}

/** Changes one member of an object by a function; the object itself where the function changes nothing. */
function within(value: JsonObject, key: string, change: Defaulter): JsonObject {
  const child = value[key];
  if (!isObject(child)) return value;
  const changed = change(child);
  return changed === child ? value : { ...value, [key]: changed };
}

function each(value: JsonObject, key: string, change: Defaulter): JsonObject {
  const list = value[key];
  if (!isArray(list)) return value;
  let out: Json[] | undefined;
  for (const [index, item] of list.entries()) {
    if (!isObject(item)) continue;
    const changed = change(item);
    if (changed !== item) (out ??= [...list])[index] = changed;
  }
  return out ? { ...value, [key]: out } : value;
}

const probeDefaults: JsonObject = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

const probe: Defaulter = (value) =>
  within(
    within(fill(value, probeDefaults), 'httpGet', (get) => fill(get, { path: '/', scheme: 'HTTP' })),
    'grpc',
    (grpc) => fill(grpc, { service: '' }),
  );

function container(value: JsonObject): JsonObject {
  const image = stringAt(value, 'image') ?? '';
  const tag = image.includes('@') ? '@' : (/:([^:/]+)$/.exec(image)?.[1] ?? 'latest');
  let out = fill(value, {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: tag === 'latest' ? 'Always' : 'IfNotPresent',
  });
  out = within(out, 'resources', requestsFromLimits);
  out = each(out, 'ports', (port) => fill(port, { protocol: 'TCP' }));
  out = each(out, 'env', (entry) =>
    within(entry, 'valueFrom', (from) => within(from, 'fieldRef', (ref) => fill(ref, { apiVersion: 'v1' }))),
  );
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) out = within(out, name, probe);
  return out;
}

/** A limit without a request is also the request. */
const requestsFromLimits: Defaulter = (resources) => {
  const limits = objectAt(resources, 'limits');
  if (!limits) return resources;
  const requests = objectAt(resources, 'requests') ?? {};
  const filled = fill(requests, limits);
  return filled === requests ? resources : { ...resources, requests: filled };
};

const volume: Defaulter = (value) => {
  let out = value;
  for (const [source, mode] of [
    ['configMap', 420],
    ['secret', 420],
    ['downwardAPI', 420],
    ['projected', 420],
  ] as const) {
    out = within(out, source, (from) => fill(from, { defaultMode: mode }));
  }
  out = within(out, 'hostPath', (path) => fill(path, { type: '' }));
  return Object.keys(out).length === 1 ? { ...out, emptyDir: {} } : out;
};

export function podSpecDefaults(value: JsonObject, restartPolicy = 'Always'): JsonObject {
  let out = fill(value, {
    restartPolicy,
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  for (const list of ['containers', 'initContainers']) out = each(out, list, container);
  const account = stringAt(out, 'serviceAccountName') ?? stringAt(out, 'serviceAccount');
  if (account !== undefined) out = fill(out, { serviceAccountName: account, serviceAccount: account });
  return each(out, 'volumes', volume);
}

/** The template is a structure, not a pointer: it is there even where nobody wrote it. */
function templated(spec: JsonObject): JsonObject {
  const filled = fill(spec, { template: {} });
  return within(filled, 'template', (template) => within(fill(template, { spec: {} }), 'spec', podSpecDefaults));
}

const rolling: JsonObject = { maxUnavailable: '25%', maxSurge: '25%' };

const specs: Readonly<Record<string, Defaulter>> = {
  pods: podSpecDefaults,
  'deployments.apps': (spec) => {
    const out = fill(templated(spec), {
      replicas: 1,
      strategy: {},
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    return within(out, 'strategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      return typed['type'] === 'RollingUpdate'
        ? within(fill(typed, { rollingUpdate: rolling }), 'rollingUpdate', (update) => fill(update, rolling))
        : typed;
    });
  },
  'replicasets.apps': (spec) => fill(templated(spec), { replicas: 1 }),
  'daemonsets.apps': (spec) => {
    const update = { maxUnavailable: 1, maxSurge: 0 };
    const out = fill(templated(spec), { updateStrategy: {}, revisionHistoryLimit: 10 });
    return within(out, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      return typed['type'] === 'RollingUpdate'
        ? within(fill(typed, { rollingUpdate: update }), 'rollingUpdate', (own) => fill(own, update))
        : typed;
    });
  },
  'statefulsets.apps': (spec) => {
    const out = fill(templated(spec), {
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: {},
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
    const claims = each(out, 'volumeClaimTemplates', (claim) => ({
      ...within(fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: {} }), 'spec', claimSpec),
      status: { phase: 'Pending' },
    }));
    return within(claims, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      return typed['type'] === 'RollingUpdate'
        ? within(fill(typed, { rollingUpdate: { partition: 0 } }), 'rollingUpdate', (own) =>
            fill(own, { partition: 0 }),
          )
        : typed;
    });
  },
  'jobs.batch': (spec) => jobSpec(spec, true),
  'cronjobs.batch': (spec) => {
    const out = fill(spec, {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    return within(out, 'jobTemplate', (template) => within(template, 'spec', (job) => jobSpec(job, false)));
  },
  services: serviceSpec,
  persistentvolumeclaims: claimSpec,
  'networkpolicies.networking.k8s.io': (spec) => {
    const types = spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
    const out = each(fill(spec, { policyTypes: types, podSelector: {} }), 'ingress', (rule) =>
      each(rule, 'ports', (port) => fill(port, { protocol: 'TCP' })),
    );
    return each(out, 'egress', (rule) => each(rule, 'ports', (port) => fill(port, { protocol: 'TCP' })));
  },
  'horizontalpodautoscalers.autoscaling': (spec) =>
    fill(spec, {
      minReplicas: 1,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    }),
  'customresourcedefinitions.apiextensions.k8s.io': (spec) => {
    const names = objectAt(spec, 'names') ?? {};
    const kind = stringAt(names, 'kind') ?? '';
    const filled = fill(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
    return fill(filled === names ? spec : { ...spec, names: filled }, { conversion: { strategy: 'None' } });
  },
};

function jobSpec(spec: JsonObject, own: boolean): JsonObject {
  const out = templated(spec);
  const counted =
    spec['completions'] === undefined && spec['parallelism'] === undefined
      ? { parallelism: 1, completions: 1 }
      : { parallelism: 1 };
  return own
    ? fill(out, {
        ...counted,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: 'TerminatingOrFailed',
      })
    : out;
}

function claimSpec(spec: JsonObject): JsonObject {
  return fill(spec, { volumeMode: 'Filesystem' });
}

function serviceSpec(spec: JsonObject): JsonObject {
  let out = fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
  out = each(out, 'ports', (port) => {
    const filled = fill(port, { protocol: 'TCP' });
    return filled['port'] === undefined ? filled : fill(filled, { targetPort: filled['port'] });
  });
  if (out['type'] === 'ExternalName') return out;
  out = fill(out, { internalTrafficPolicy: 'Cluster' });
  if (out['type'] === 'LoadBalancer') out = fill(out, { allocateLoadBalancerNodePorts: true });
  return out['type'] === 'ClusterIP' ? out : fill(out, { externalTrafficPolicy: 'Cluster' });
}

const whole: Readonly<Record<string, Defaulter>> = {
  secrets: (secret) => {
    const typed = fill(secret, { type: 'Opaque' });
    const plain = objectAt(typed, 'stringData');
    if (!plain) return typed;
    const data: Record<string, Json | undefined> = { ...objectAt(typed, 'data') };
    for (const [key, text] of Object.entries(plain)) {
      if (typeof text === 'string') data[key] = Buffer.from(text, 'utf8').toString('base64');
    }
    return { ...without(typed, 'stringData'), data };
  },
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'storageclasses.storage.k8s.io': (value) => fill(value, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  'priorityclasses.scheduling.k8s.io': (value) => fill(value, { preemptionPolicy: 'PreemptLowerPriority' }),
  'validatingwebhookconfigurations.admissionregistration.k8s.io': (value) => each(value, 'webhooks', webhook),
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': (value) =>
    each(value, 'webhooks', (hook) => fill(webhook(hook), { reinvocationPolicy: 'Never' })),
  namespaces: (namespace) => {
    const name = stringAt(namespace, 'metadata', 'name') ?? '';
    return within(namespace, 'metadata', (metadata) =>
      within(fill(metadata, { labels: {} }), 'labels', (labels) =>
        fill(labels, { 'kubernetes.io/metadata.name': name }),
      ),
    );
  },
};

function binding(value: JsonObject): JsonObject {
  return each(value, 'subjects', (subject) =>
    subject['kind'] === 'ServiceAccount' ? subject : fill(subject, { apiGroup: 'rbac.authorization.k8s.io' }),
  );
}

function webhook(value: JsonObject): JsonObject {
  const out = fill(value, {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
  return within(
    each(out, 'rules', (rule) => fill(rule, { scope: '*' })),
    'clientConfig',
    (config) => within(config, 'service', (service) => fill(service, { port: 443 })),
  );
}

const specAlways = new Set(
  [...Object.keys(specs)].filter((key) => key !== 'customresourcedefinitions.apiextensions.k8s.io'),
);

/** The object as the server would store it: with the defaults of its kind. */
export function withDefaults(object: KubeObject, resource: Resource): KubeObject {
  let out: JsonObject = object;
  const spec = specs[resource.key];
  if (spec) {
    if (specAlways.has(resource.key)) out = fill(out, { spec: {} });
    out = within(out, 'spec', spec);
  }
  const rest = whole[resource.key];
  if (rest) out = rest(out);
  return out as KubeObject;
}

/** Names of the containers, for messages and statuses. */
export function containersOf(podSpec: JsonObject): readonly JsonObject[] {
  return arrayAt(podSpec, 'containers').filter(isObject);
}
