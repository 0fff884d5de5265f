import {
  type Application,
  canonicalJson,
  type Cluster,
  type Fleet,
  HostileKeyError,
  type LocatedDocument,
  objectKey,
  renderInputsFor,
  type RenderInputs,
} from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';
import type { ChartReference, Renderer, RenderError, RenderRequest, RenderResult } from '../ports/renderer.port.ts';
import type { BundleStore } from '../releases/bundle-store.ts';
import { renderErrors, type SyncError } from './sync-error.ts';

/** For clusters that were never contacted: old enough that no manifest counts on something newer. */
export const ASSUMED_KUBE_VERSION = '1.33.0';

export interface RenderParts {
  readonly record: RecordPort;
  readonly renderer: Renderer;
  readonly bundles: BundleStore;
}

export interface RenderTask {
  readonly document: LocatedDocument;
  readonly application: Application;
  readonly fleet: Fleet;
  readonly clusters: readonly Cluster[];
  /** By cluster's name, as `1.36.3`. */
  readonly versions: ReadonlyMap<string, string>;
  /** The commit's files on disk. */
  readonly dir: string;
  readonly signal: AbortSignal;
}

export interface RenderedApplication {
  readonly application: Application;
  readonly document: LocatedDocument;
  /** By cluster; empty when something did not render. */
  readonly bundles: Readonly<Record<string, string>>;
  readonly objects: ReadonlyMap<string, readonly string[]>;
  readonly errors: readonly SyncError[];
}

interface Group {
  readonly inputs: RenderInputs;
  readonly kubeVersion: string;
  readonly clusters: string[];
}

/** Renders an application for every cluster; clusters that cannot tell the difference share one rendering. */
export const renderApplication = async (parts: RenderParts, task: RenderTask): Promise<RenderedApplication> => {
  const { application, document } = task;
  const bundles: Record<string, string> = {};
  const objects = new Map<string, readonly string[]>();
  const failed: Failed[] = [];
  const grouped = groupClusters(task);
  if ('error' in grouped) return { application, document, bundles, objects, errors: [grouped.error] };
  for (const group of grouped.groups) {
    const result = await renderGroup(parts, task, group);
    if (!result.ok) {
      failed.push(...result.errors.map((error) => ({ error, clusters: group.clusters })));
      continue;
    }
    await parts.bundles.put(result.digest, result.objects);
    const keys = result.objects.map(objectKey);
    for (const cluster of group.clusters) {
      bundles[cluster] = result.digest;
      objects.set(cluster, keys);
    }
  }
  if (failed.length === 0) return { application, document, bundles, objects, errors: [] };
  return { application, document, bundles: {}, objects: new Map(), errors: tellFailures(task, failed) };
};

interface Failed {
  readonly error: RenderError;
  readonly clusters: readonly string[];
}

/** What is wrong everywhere is said once; what is wrong for some clusters says for which. */
const tellFailures = (task: RenderTask, failed: readonly Failed[]): readonly SyncError[] => {
  const merged = new Map<string, { readonly error: RenderError; readonly clusters: string[] }>();
  for (const { error, clusters } of failed) {
    const key = canonicalJson(error);
    const known = merged.get(key) ?? { error, clusters: [] };
    known.clusters.push(...clusters);
    merged.set(key, known);
  }
  const errors = [...merged.values()].map(({ error, clusters }) => {
    const everywhere = clusters.length >= task.clusters.length;
    return everywhere ? error : { ...error, message: `${error.message} (for ${some(clusters)})` };
  });
  return renderErrors(task.document, errors);
};

const groupClusters = (task: RenderTask): { readonly groups: readonly Group[] } | { readonly error: SyncError } => {
  const groups = new Map<string, Group>();
  for (const cluster of task.clusters) {
    const kubeVersion = task.versions.get(cluster.name) ?? ASSUMED_KUBE_VERSION;
    try {
      const inputs = renderInputsFor({ application: task.application, fleet: task.fleet, cluster });
      const key = canonicalJson([inputs, kubeVersion]);
      const group = groups.get(key) ?? { inputs, kubeVersion, clusters: [] };
      group.clusters.push(cluster.name);
      groups.set(key, group);
    } catch (error) {
      if (!(error instanceof HostileKeyError)) throw error;
      const [problem] = renderErrors(task.document, [
        { code: 'InvalidRequest', field: 'spec.values', message: error.message, remedy: 'give the value another name' },
      ]);
      if (problem !== undefined) return { error: problem };
      throw error;
    }
  }
  return { groups: [...groups.values()] };
};

const renderGroup = async (parts: RenderParts, task: RenderTask, group: Group): Promise<RenderResult> => {
  const chart = group.inputs.chart === null ? null : await pinnedChart(parts.record, group.inputs.chart);
  const rendered = await parts.renderer.render(requestOf(task, group, chart));
  if (chart !== null && rendered.ok && rendered.chart !== undefined) {
    await parts.record.access.setSetting(chartKey(chart), rendered.chart.digest);
  }
  return rendered;
};

const requestOf = (task: RenderTask, group: Group, chart: ChartReference | null): RenderRequest => {
  const { inputs, kubeVersion } = group;
  return {
    application: task.application.name,
    ...(inputs.path === null ? {} : { dir: task.dir, path: inputs.path }),
    ...(chart === null ? {} : { chart }),
    namespace: inputs.namespace,
    namespaces: inputs.namespaces,
    values: inputs.values,
    substitute: inputs.substitute,
    helm: { releaseName: inputs.helm.releaseName ?? undefined, valuesFiles: inputs.helm.valuesFiles },
    kubeVersion,
    apiVersions: inputs.helm.apiVersions,
    overrides: inputs.overrides.map(({ target, patch, jsonPatch }) => ({
      target,
      patch: patch ?? undefined,
      jsonPatch: jsonPatch ?? undefined,
    })),
    signal: task.signal,
  };
};

const some = (clusters: readonly string[]): string =>
  clusters.length > 3 ? `${clusters.slice(0, 3).join(', ')} and ${clusters.length - 3} more` : clusters.join(', ');

const chartKey = (chart: ChartReference): string =>
  `chart/${chart.oci ?? chart.repository ?? ''}/${chart.name}/${chart.version}`;

/** The archive that a version was the first time is what it stays: a chart repository cannot change it behind our back. */
const pinnedChart = async (record: RecordPort, chart: ChartReference): Promise<ChartReference> => {
  const digest = await record.access.setting(chartKey(chart));
  return typeof digest === 'string' ? { ...chart, digest } : chart;
};

/** `v1.36.3-eks-1` and `v1.36.3+k3s1` render as 1.36.3 does. */
export const clusterVersions = async (record: RecordPort): Promise<ReadonlyMap<string, string>> => {
  const versions = new Map<string, string>();
  for (const { name, version } of await record.cluster.list()) {
    const plain = /^v?(\d+\.\d+\.\d+)/.exec(version ?? '')?.[1];
    if (plain !== undefined) versions.set(name, plain);
  }
  return versions;
};
