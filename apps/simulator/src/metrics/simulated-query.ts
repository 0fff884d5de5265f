/** The one metric that there is, as a recording rule would name it. */
export const ERROR_RATIO = 'cluster:http_errors:ratio';

type Aggregate = 'avg_over_time' | 'count_over_time';

export interface SimulatedQuery {
  /** null: the value at the instant. */
  readonly over: { readonly aggregate: Aggregate; readonly window: number; readonly step: number } | null;
}

const OVER = /^(avg_over_time|count_over_time)\((.*)\[(\d{1,9})ms:(\d{1,9})ms\]\)$/;
/** What these leave out never occurs: simulated values are finite, and not zero. */
const FILTER = /^(.*?)(>-Inf|<Inf|!=0)$/;
const METRIC = new RegExp(`^${ERROR_RATIO}(\\{application="[\\w-]{1,63}"\\})?$`);

/** No PromQL: exactly what a comparison gate asks, and the metric itself. null for everything else. */
export const readQuery = (text: string): SimulatedQuery | null => {
  const query = text.replaceAll(/\s+/g, '');
  const match = OVER.exec(query);
  const metric = bare(match?.[2] ?? query);
  if (!METRIC.test(metric)) return null;
  if (match === null) return { over: null };
  const [window, step] = [Number(match[3]), Number(match[4])];
  return step > 0 && window >= step ? { over: { aggregate: match[1] as Aggregate, window, step } } : null;
};

/** Without the filters and parentheses around it. */
const bare = (text: string): string => {
  const inner = FILTER.exec(text)?.[1] ?? (text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : text);
  return inner === text ? text : bare(inner);
};

/** As Prometheus does: steps lie on multiples of their length, and the window is open at its beginning. */
export const evaluate = (
  { over }: SimulatedQuery,
  value: (instant: number) => number | null,
  instant: number,
): number | null => {
  if (over === null) return value(instant);
  const samples: number[] = [];
  const last = Math.floor(instant / over.step) * over.step;
  for (let at = last; at > instant - over.window; at -= over.step) {
    const sample = value(at);
    if (sample !== null) samples.push(sample);
  }
  if (samples.length === 0) return null;
  if (over.aggregate === 'count_over_time') return samples.length;
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
};
