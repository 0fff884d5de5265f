import type { MetricsTarget } from '@breakwater/simulator';
import type { KubeObject } from '@breakwater/domain';
import type { StageCluster } from './stage.ts';

interface Condition {
  readonly type?: string;
  readonly status?: string;
}

/** The cluster as the simulated metrics look at it: images of the pods that get traffic, as its API server has them. */
export const metricsTarget = (cluster: StageCluster): MetricsTarget => ({
  name: cluster.name,
  servingImages: async () => (await cluster.pods()).filter(serves).flatMap(imagesOf).sort(),
});

const serves = (pod: KubeObject): boolean => {
  const { conditions } = (pod['status'] ?? {}) as { readonly conditions?: readonly Condition[] };
  const ready = (conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready && pod.metadata.deletionTimestamp === undefined;
};

const imagesOf = (pod: KubeObject): readonly string[] => {
  const { containers } = pod['spec'] as { readonly containers?: readonly { readonly image?: string }[] };
  return (containers ?? []).map(({ image }) => image ?? '');
};
