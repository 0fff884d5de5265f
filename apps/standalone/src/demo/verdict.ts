import { canonicalJson, type KubeObject, objectKey } from '@breakwater/domain';
import type { StageCluster, StageWrite } from './stage.ts';

/** One sentence of the story, and whether the clusters' own objects and logs bear it out. */
export interface Finding {
  readonly claim: string;
  readonly wrong: readonly string[];
}

export interface ClusterState {
  /** By object key: the whole object but what Kubernetes itself moves on. */
  readonly objects: ReadonlyMap<string, string>;
  readonly images: readonly string[];
  readonly podImages: readonly string[];
  readonly unready: readonly string[];
}

export const readState = async (cluster: StageCluster): Promise<ClusterState> => {
  const [objects, pods] = await Promise.all([cluster.objects(), cluster.pods()]);
  const live = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  return {
    objects: new Map(objects.map((object) => [objectKey(object), canonicalJson(lasting(object))])),
    images: deployments.flatMap(imagesOf),
    podImages: [...new Set(live.flatMap((pod) => imagesOf(pod)))],
    unready: deployments.filter((object) => !isReady(object)).map((object) => objectKey(object)),
  };
};

/** Counters, times and what a controller notes of its own doing; everything else has to be as it was, the uid too. */
const lasting = (object: KubeObject): object => {
  const { resourceVersion: _version, generation: _generation, managedFields: _managed, ...metadata } = object.metadata;
  const { status: _status, ...rest } = object;
  const annotations = { ...metadata.annotations };
  delete annotations['deployment.kubernetes.io/revision'];
  return { ...rest, metadata: { ...metadata, annotations } };
};

interface PodSpec {
  readonly containers?: readonly { readonly image?: string }[];
}

const imagesOf = (object: KubeObject): readonly string[] => {
  const spec = object['spec'] as PodSpec & { readonly template?: { readonly spec?: PodSpec } };
  return ((spec.template?.spec ?? spec).containers ?? []).map(({ image }) => image ?? '');
};

const isReady = (deployment: KubeObject): boolean => {
  const { replicas } = deployment['spec'] as { replicas?: number };
  const status = (deployment['status'] ?? {}) as Readonly<Record<string, number | undefined>>;
  return (
    status['observedGeneration'] === deployment.metadata.generation &&
    status['updatedReplicas'] === replicas &&
    status['availableReplicas'] === replicas &&
    status['replicas'] === replicas
  );
};

/** Writes of the application's own objects, without the fence and the inventory. */
export const objectWrites = async (cluster: StageCluster, since: number): Promise<readonly StageWrite[]> =>
  (await cluster.writes()).filter(({ at, namespace }) => at >= since && namespace !== 'breakwater-system');

export const runsImage = (states: ReadonlyMap<string, ClusterState>, tag: string, claim: string): Finding => ({
  claim,
  wrong: [...states].flatMap(([name, state]) => [
    ...(state.images.length === 0 ? [`${name} has no workload`] : []),
    ...[...state.images, ...state.podImages]
      .filter((image) => !image.endsWith(tag))
      .map((image) => `${name} has ${image}`),
    ...state.unready.map((object) => `${name}: ${object} is not ready`),
  ]),
});

export const sameObjects = (
  before: ReadonlyMap<string, ClusterState>,
  after: ReadonlyMap<string, ClusterState>,
  claim: string,
): Finding => ({
  claim,
  wrong: [...before].flatMap(([name, was]) => {
    const is = after.get(name)?.objects ?? new Map<string, string>();
    const keys = [...new Set([...was.objects.keys(), ...is.keys()])].sort();
    return keys
      .filter((key) => was.objects.get(key) !== is.get(key))
      .map((key) => `${name}: ${key} ${!is.has(key) ? 'is gone' : was.objects.has(key) ? 'differs' : 'is new'}`);
  }),
});

/** Every write of a wave's clusters came after the last one of the wave before it, and every wave was written. */
export const inWaveOrder = async (
  waves: readonly { readonly name: string; readonly clusters: readonly StageCluster[] }[],
  since: number,
  claim: string,
): Promise<Finding> => {
  const wrong: string[] = [];
  let last: { readonly wave: string; readonly at: number } | null = null;
  for (const wave of waves) {
    const times: number[] = [];
    for (const cluster of wave.clusters) {
      const writes = await objectWrites(cluster, since);
      if (writes.length === 0) wrong.push(`${cluster.name} of wave ${wave.name} was never written`);
      times.push(...writes.map(({ at }) => at));
    }
    const first = Math.min(...times);
    if (last !== null && first <= last.at) {
      wrong.push(`wave ${wave.name} was written ${Math.ceil(last.at - first)} ms before wave ${last.wave} was through`);
    }
    last = { wave: wave.name, at: Math.max(...times) };
  }
  return { claim, wrong };
};

export const neverWritten = async (
  clusters: readonly StageCluster[],
  since: number,
  claim: string,
): Promise<Finding> => {
  const wrong: string[] = [];
  for (const cluster of clusters) {
    const writes = (await cluster.writes()).filter(({ at }) => at >= since);
    if (writes.length > 0) wrong.push(`${cluster.name} was written ${writes.length} times`);
  }
  return { claim, wrong };
};
