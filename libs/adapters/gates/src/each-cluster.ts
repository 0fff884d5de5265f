import type { MeasureRequest } from '@breakwater/application';
import type { Measurement, MeasurementVerdict } from '@breakwater/domain';
import type { TemplateValues } from './template.ts';
import { templateValues } from './template.ts';

const AT_ONCE = 8;
const NAMED = 5;
/** What decides when clusters disagree: the first of these that any of them says. */
const WORST_FIRST: readonly MeasurementVerdict[] = ['Failure', 'Error', 'Inconclusive', 'Pending', 'Success'];

/**
 * One measurement out of one for each cluster: the worst of them, naming the clusters that say so. With `perCluster` false it is made once.
 */
export const measureEach = async (
  request: MeasureRequest,
  perCluster: boolean,
  measure: (values: TemplateValues) => Promise<Measurement>,
): Promise<Measurement> => {
  const [only] = request.clusters;
  if (!perCluster || only === undefined) return measure(templateValues(request, only ?? null));
  if (request.clusters.length === 1) return measure(templateValues(request, only));
  const results: { cluster: string; measurement: Measurement }[] = [];
  const left = request.clusters.values();
  const work = async (): Promise<void> => {
    for (const cluster of left) {
      results.push({ cluster: cluster.name, measurement: await measure(templateValues(request, cluster)) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, request.clusters.length) }, work));
  return worstOf(results);
};

export const worstOf = (
  results: readonly { readonly cluster: string; readonly measurement: Measurement }[],
): Measurement => {
  const verdict =
    WORST_FIRST.find((known) => results.some(({ measurement }) => measurement.verdict === known)) ?? 'Inconclusive';
  const saying = results
    .filter(({ measurement }) => measurement.verdict === verdict)
    .sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
  const named = saying.slice(0, NAMED).map(({ cluster, measurement }) => `${cluster}: ${measurement.evidence}`);
  if (saying.length > NAMED) named.push(`and ${saying.length - NAMED} more`);
  return { verdict, evidence: `${saying.length} of ${results.length} clusters: ${named.join('; ')}` };
};
