import { configMap, paths } from './kube-api-context.ts';

/** One of each kind that releases usually have, with what tends to be defaulted in them. */
export function applicationObjects(namespace: string, name: string): (readonly [string, object])[] {
  const labels = { app: name };
  const meta = { name, namespace, labels };
  const template = {
    metadata: { labels },
    spec: {
      serviceAccountName: name,
      containers: [
        {
          name: 'main',
          image: 'registry.example/web:1',
          ports: [{ name: 'http', containerPort: 80 }],
          env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          envFrom: [{ configMapRef: { name } }],
          resources: { requests: { cpu: '10m' }, limits: { memory: '64Mi' } },
          livenessProbe: { httpGet: { path: '/healthz', port: 'http' } },
          readinessProbe: { httpGet: { port: 80 }, periodSeconds: 3 },
          volumeMounts: [{ name: 'config', mountPath: '/config' }],
        },
      ],
      volumes: [{ name: 'config', configMap: { name } }],
    },
  };
  const workload = (kind: string, spec: object): object => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: meta,
    spec: { selector: { matchLabels: labels }, template, ...spec },
  });
  const rbac = 'rbac.authorization.k8s.io';
  return [
    [
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta },
    ],
    [`${paths.configMaps(namespace)}/${name}`, configMap(name, { a: '1' }, { labels })],
    [`${paths.secrets(namespace)}/${name}`, { apiVersion: 'v1', kind: 'Secret', metadata: meta, data: { a: 'eA==' } }],
    [
      `${paths.services(namespace)}/${name}`,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta,
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
    ],
    [
      `${paths.claims(namespace)}/${name}`,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: meta,
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
    [
      `${paths.deployments(namespace)}/${name}`,
      workload('Deployment', { replicas: 0, strategy: { rollingUpdate: { maxSurge: 1 } } }),
    ],
    [
      `${paths.statefulSets(namespace)}/${name}`,
      workload('StatefulSet', {
        replicas: 0,
        serviceName: name,
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      }),
    ],
    [`${paths.daemonSets(namespace)}/${name}`, workload('DaemonSet', { updateStrategy: { type: 'OnDelete' } })],
    [
      `/apis/batch/v1/namespaces/${namespace}/cronjobs/${name}`,
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: meta,
        spec: {
          schedule: '0 0 1 1 *',
          suspend: true,
          jobTemplate: {
            spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x:1' }] } } },
          },
        },
      },
    ],
    [
      `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`,
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: meta,
        spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'absent' } },
      },
    ],
    [
      `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`,
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: meta,
        spec: { minAvailable: 1, selector: { matchLabels: labels } },
      },
    ],
    [
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`,
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: meta,
        spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
      },
    ],
    [
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`,
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: meta,
        spec: {
          rules: [
            {
              host: 'a.example',
              http: {
                paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { name: 'http' } } } }],
              },
            },
          ],
        },
      },
    ],
    [
      `/apis/${rbac}/v1/namespaces/${namespace}/roles/${name}`,
      {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata: meta,
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
      },
    ],
    [
      `/apis/${rbac}/v1/namespaces/${namespace}/rolebindings/${name}`,
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: meta,
        roleRef: { apiGroup: rbac, kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ],
    [
      `/api/v1/namespaces/${namespace}/resourcequotas/${name}`,
      { apiVersion: 'v1', kind: 'ResourceQuota', metadata: meta, spec: { hard: { 'count/widgets.example': '10' } } },
    ],
    [
      `/api/v1/namespaces/${namespace}/limitranges/${name}`,
      {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: meta,
        spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '10Gi' } }] },
      },
    ],
  ];
}
