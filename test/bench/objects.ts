import type { KubeObject } from '@breakwater/domain';

/** On every object of a bundle: which revision it is of. Not on pods. */
export const REVISION_LABEL = 'bench.breakwater.dev/revision';

export interface Revision {
  readonly namespace: string;
  readonly revision: string;
  readonly image: string;
}

const metadata = ({ namespace, revision }: Revision, name: string): KubeObject['metadata'] => ({
  name,
  namespace,
  labels: { 'app.kubernetes.io/name': name, [REVISION_LABEL]: revision },
});

const deployment = (of: Revision, name: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata(of, name),
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'main',
            image: of.image,
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
            env: Array.from({ length: 6 }, (_, n) => ({ name: `SETTING_${n}`, value: `${of.revision}-${n}` })),
            resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
            readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 },
          },
        ],
      },
    },
  },
});

const service = (of: Revision, name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(of, name),
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] },
});

const configMap = (of: Revision, name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(of, name),
  data: Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`key-${n}`, `value of ${of.revision}, line ${n}`])),
});

/** Twenty objects, as a middling application has: 6 Deployments, 6 Services, 8 ConfigMaps. */
export const twentyObjects = (of: Revision): readonly KubeObject[] => [
  ...Array.from({ length: 8 }, (_, n) => configMap(of, `settings-${n}`)),
  ...Array.from({ length: 6 }, (_, n) => service(of, `service-${n}`)),
  ...Array.from({ length: 6 }, (_, n) => deployment(of, `service-${n}`)),
];

/** 3 Deployments, 3 Services, 4 ConfigMaps. */
export const tenObjects = (of: Revision): readonly KubeObject[] => [
  ...Array.from({ length: 4 }, (_, n) => configMap(of, `settings-${n}`)),
  ...Array.from({ length: 3 }, (_, n) => service(of, `service-${n}`)),
  ...Array.from({ length: 3 }, (_, n) => deployment(of, `service-${n}`)),
];

/** One Deployment with its Service and ConfigMap. */
export const threeObjects = (of: Revision): readonly KubeObject[] => [
  configMap(of, 'settings'),
  service(of, 'web'),
  deployment(of, 'web'),
];

export const oneObject = (of: Revision): readonly KubeObject[] => [configMap(of, 'settings')];
