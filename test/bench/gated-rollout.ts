import { tenObjects } from './objects.ts';
import type { Finding } from './report.ts';
import { measureSizes, perTarget, type Shape } from './rollout-cost.ts';

const CEL = `objects: [ { apiVersion: v1, kind: ConfigMap, name: settings-0, as: settings } ], success: "settings.data.size() == 10"`;

const SHAPE: Shape = {
  strategy: `
  waves:
    - { name: first, clusters: { matchLabels: { stage: first } }, maxConcurrent: 10 }
    - { name: second, clusters: { matchLabels: { stage: second } }, maxConcurrent: 10, allowEmpty: true }
    - { name: third, clusters: { matchLabels: { stage: third } }, maxConcurrent: 10, allowEmpty: true }
    - { name: rest, maxConcurrent: 10 }
  failureDomains: { maxInFlight: 100 }
  gates:
    - { name: workloads-ready, workloads: { timeout: 5m, stableFor: 0s, failFast: 0s } }
    - { name: settings, phase: during, count: 1, interval: 1s, cel: { ${CEL} } }`,
  labels: (place) => ({ stage: place < 0.01 ? 'first' : place < 0.1 ? 'second' : place < 0.5 ? 'third' : 'rest' }),
  render: (namespace) => tenObjects({ namespace, revision: 'one', image: 'registry.example/web:1' }),
  podReadyMs: 0,
};

export const benchGatedRollout = async ({ sizes }: { readonly sizes: readonly number[] }): Promise<Finding> =>
  perTarget(await measureSizes(sizes, SHAPE), {
    name: 'gated-rollout',
    title:
      'What one target costs in four waves with a gate on each cluster, by the size of its rollout; 10 objects each',
    notes: [
      'must stay flat; beside completion-cost: ten objects, workloads that get ready, one more gate and its measurement',
    ],
  });
