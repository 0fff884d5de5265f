import type { ClusterConnection, MeasureRequest } from '@breakwater/application';
import type { Measurement } from '@breakwater/domain';
import { worstOf } from './each-cluster.ts';

export type MeasuredCluster = MeasureRequest['clusters'][number];

const AT_ONCE = 16;
/** No cluster is begun with later than this, so that what was seen so far is told before the whole measurement is cut off; in ms. */
const BEGIN_WITHIN = 8_000;

/** One measurement out of one for each cluster: the worst. Clusters that the time does not reach are an error, never a success. */
export const measureClusters = async (
  request: MeasureRequest,
  measure: (cluster: MeasuredCluster) => Promise<Measurement>,
): Promise<Measurement> => {
  const [only, ...others] = request.clusters;
  if (only === undefined) return { verdict: 'Error', evidence: 'there is no cluster to look at' };
  if (others.length === 0) return measure(only);
  const begun = performance.now();
  const results: { cluster: string; measurement: Measurement }[] = [];
  const left = request.clusters.values();
  const work = async (): Promise<void> => {
    for (const cluster of left) {
      const late = request.signal.aborted || performance.now() - begun > BEGIN_WITHIN;
      const measurement: Measurement = late
        ? { verdict: 'Error', evidence: 'not reached in time' }
        : await measure(cluster);
      results.push({ cluster: cluster.name, measurement });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, request.clusters.length) }, work));
  return worstOf(results);
};

/** The connection, or why there is none: the cluster's trouble is not the release's. */
export const connectionTo = async (
  request: MeasureRequest,
  cluster: string,
): Promise<{ readonly connection: ClusterConnection } | { readonly trouble: Measurement }> => {
  const connection = await request.connect(cluster);
  return 'kind' in connection ? { trouble: troubleOf(connection) } : { connection };
};

export const troubleOf = (end: { readonly reason: string; readonly message: string }): Measurement => ({
  verdict: 'Error',
  evidence: `${end.reason}: ${end.message}`.slice(0, 500),
});
