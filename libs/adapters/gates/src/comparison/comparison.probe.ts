import type { GateMember, GateProbe, MeasureRequest } from '@breakwater/application';
import { compareCohorts, lookNumber } from '@breakwater/domain';
import type { ClusterSegments, Cohort, ComparisonSpec, Measurement } from '@breakwater/domain';
import type { GateTools } from '../gate-tools.ts';
import type { Answer } from '../prometheus/prometheus-api.ts';
import { askPrometheus, errorOf, printable } from '../prometheus/prometheus-api.ts';
import { asPromqlString, asUrlComponent, fillTemplate, templateValues } from '../template.ts';

/** Segments that are asked for at most: whoever was updated longer ago has too little past, and is named. */
const MAX_SEGMENTS = 300;
/** A thousand clusters with a day of segments. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_CLUSTERS = 5_000;

interface Updated {
  readonly name: string;
  readonly updatedAt: number;
}

/** Segments of equal length up to now. Averages are made by Prometheus: what comes back does not grow with the number of samples. */
interface Grid {
  readonly now: number;
  readonly length: number;
  readonly count: number;
}

export class ComparisonProbe implements GateProbe {
  readonly kind = 'comparison';
  readonly #tools: GateTools;

  constructor(tools: GateTools) {
    this.#tools = tools;
  }

  async measure(request: MeasureRequest): Promise<Measurement> {
    const spec = request.gate.spec as unknown as ComparisonSpec;
    const members = await request.members();
    const updated = updatedOf(request, members);
    if (updated.length === 0) return { verdict: 'Inconclusive', evidence: 'no cluster is updated yet' };
    const begins = Math.max(...updated.map(({ updatedAt }) => updatedAt)) + spec.window;
    if (request.now < begins) {
      const passed = Math.max(0, Math.floor((request.now - begins + spec.window) / 1000));
      const evidence = `${passed} s of the first ${spec.window / 1000} s after the update have passed`;
      return { verdict: 'Pending', evidence, retryAfter: begins - request.now };
    }
    const oldest = Math.min(...updated.map(({ updatedAt }) => updatedAt));
    const wanted = Math.ceil((request.now - oldest) / spec.window) + Math.floor(spec.past / spec.window);
    const grid: Grid = { now: request.now, length: spec.window, count: Math.min(MAX_SEGMENTS, wanted) };
    const asked = await this.#ask(spec, request, grid);
    if ('error' in asked) return errorOf(asked.error);
    const names = new Map<string, { cohort: Cohort; before: number }>();
    for (const member of members) {
      if (member.state === 'untouched') names.set(member.cluster, { cohort: 'untouched', before: grid.count - 1 });
    }
    for (const { name, updatedAt } of updated) {
      names.set(name, { cohort: 'updated', before: segmentsBefore(grid, updatedAt) });
    }
    const clusters = [...names].map(([cluster, place]): ClusterSegments => ({
      cluster,
      ...place,
      values: valuesOf(asked, cluster, grid, spec.minSamples),
    }));
    const sparse = new Set(
      updated.flatMap(({ name }) => {
        const all = asked.counts.get(name)?.get(grid.count - 1) ?? 0;
        return (asked.nonZero.get(name)?.get(grid.count - 1) ?? 0) * 2 < all ? [name] : [];
      }),
    );
    const elapsed = request.now - Math.max(begins, request.startedAt);
    const look = lookNumber(elapsed, spec.window);
    return compareCohorts({ clusters, sparse, look }, { ...spec, past: Math.floor(spec.past / spec.window) });
  }

  async #ask(spec: ComparisonSpec, request: MeasureRequest, grid: Grid): Promise<Asked | { readonly error: string }> {
    const values = templateValues(request, null);
    const server = {
      ...spec,
      address: fillTemplate(spec.address, values, asUrlComponent),
      maxBytes: MAX_BYTES,
      maxSeries: MAX_CLUSTERS,
      signal: request.signal,
    };
    // Line breaks: the author's query may end in a comment. NaN and the infinities are no samples.
    const finite = `((\n${fillTemplate(spec.query, values, asPromqlString)}\n) > -Inf) < Inf`;
    const over = `[${spec.window}ms:${spec.step}ms]`;
    const end = String(grid.now / 1000);
    const range = { start: String(startOf(grid) / 1000), end, step: String(grid.length / 1000) };
    const [means, counts, nonZero] = await Promise.all([
      askPrometheus(this.#tools, server, 'query_range', { query: `avg_over_time((${finite})${over})`, ...range }),
      askPrometheus(this.#tools, server, 'query_range', { query: `count_over_time((${finite})${over})`, ...range }),
      askPrometheus(this.#tools, server, 'query', { query: `count_over_time(((${finite}) != 0)${over})`, time: end }),
    ]);
    const tables = [means, counts, nonZero].map((answer) => tableOf(answer, spec.clusterLabel, grid));
    const [first, second, third] = tables;
    const failed = tables.find((table) => 'error' in table);
    if (failed !== undefined && 'error' in failed) return failed;
    return { means: first as Table, counts: second as Table, nonZero: third as Table };
  }
}

/** By cluster, then by the index of the segment. */
type Table = ReadonlyMap<string, ReadonlyMap<number, number>>;

interface Asked {
  readonly means: Table;
  readonly counts: Table;
  readonly nonZero: Table;
}

const updatedOf = (request: MeasureRequest, members: readonly GateMember[]): readonly Updated[] => {
  const here = new Set(request.clusters.map(({ name }) => name));
  return members.flatMap((member) =>
    member.state === 'updated' && member.updatedAt !== null && here.has(member.cluster)
      ? [{ name: member.cluster, updatedAt: member.updatedAt }]
      : [],
  );
};

/** When the oldest segment ends. */
const startOf = (grid: Grid): number => grid.now - (grid.count - 1) * grid.length;

export const segmentsBefore = (grid: Grid, instant: number): number =>
  Math.max(0, Math.min(grid.count - 1, Math.floor((instant - startOf(grid)) / grid.length) + 1));

const valuesOf = (asked: Asked, cluster: string, grid: Grid, minSamples: number): readonly (number | null)[] => {
  const means = asked.means.get(cluster);
  const counts = asked.counts.get(cluster);
  return Array.from({ length: grid.count }, (_, index) =>
    (counts?.get(index) ?? 0) < minSamples ? null : (means?.get(index) ?? null),
  );
};

const tableOf = (answer: Answer, label: string, grid: Grid): Table | { readonly error: string } => {
  if ('error' in answer) return answer;
  const table = new Map<string, Map<number, number>>();
  for (const series of answer.series) {
    const cluster = series.labels[label];
    if (cluster === undefined) return { error: `the query gives series without the label ${label}` };
    if (table.has(cluster)) {
      return { error: `the query gives several series for ${printable(cluster)}: aggregate it by (${label})` };
    }
    const indexOf = (seconds: number): number => Math.round((seconds * 1000 - startOf(grid)) / grid.length);
    table.set(cluster, new Map(series.points.map(([seconds, value]) => [indexOf(seconds), value])));
  }
  return table;
};
