import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RenderRequest, RenderResult } from '@breakwater/application';
import { applicationContext, canonicalJson, renderInputsFor } from '@breakwater/domain';
import type { ApplicationContext, Cluster, FleetSnapshot } from '@breakwater/domain';
import type { CliIo } from '../cli-io.ts';
import { CliError } from '../exit-status.ts';
import { printable } from '../output/style.ts';

/** What a cluster that was never contacted is taken for, in the Git sync too. */
export const ASSUMED_KUBE_VERSION = '1.33.0';

export interface OfflineRender {
  readonly application: string;
  /** Clusters that cannot tell the difference share one rendering. */
  readonly clusters: readonly string[];
  readonly result: RenderResult;
}

const requestFor = (
  directory: string,
  context: ApplicationContext,
  cluster: Cluster,
  kubeVersion: string,
): RenderRequest => {
  const inputs = renderInputsFor({ application: context.application, fleet: context.fleet, cluster });
  return {
    application: context.application.name,
    ...(inputs.path === null ? {} : { dir: resolve(directory), path: inputs.path }),
    ...(inputs.chart === null ? {} : { chart: inputs.chart }),
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
  };
};

/** Loaded when it is needed: most command lines render nothing. */
const createRenderer = async (io: CliIo) => {
  const { LocalRenderer } = await import('@breakwater/render');
  const cache = io.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return new LocalRenderer({ charts: { cacheDir: join(cache, 'breakwater', 'charts') } });
};

/** Renders the named applications (all: null) for the named clusters (all members: null), as the Git sync would. */
export const renderOffline = async (
  io: CliIo,
  directory: string,
  snapshot: FleetSnapshot,
  wanted: { readonly application: string | null; readonly cluster: string | null; readonly kubeVersion: string },
): Promise<readonly OfflineRender[]> => {
  const renderer = await createRenderer(io);
  const rendered: OfflineRender[] = [];
  for (const { name } of snapshot.applications) {
    const context =
      wanted.application === null || wanted.application === name ? applicationContext(snapshot, name) : null;
    if (context === null) continue;
    const groups = new Map<string, { readonly request: RenderRequest; readonly clusters: string[] }>();
    for (const cluster of context.clusters) {
      if (wanted.cluster !== null && cluster.name !== wanted.cluster) continue;
      const request = requestFor(directory, context, cluster, wanted.kubeVersion);
      const key = canonicalJson(JSON.parse(JSON.stringify(request)));
      const group = groups.get(key) ?? { request, clusters: [] };
      group.clusters.push(cluster.name);
      groups.set(key, group);
    }
    for (const { request, clusters } of groups.values())
      rendered.push({ application: name, clusters, result: await renderer.render({ ...request, signal: io.signal }) });
  }
  return rendered;
};

/** `file:line:column object field: what is wrong; what would be right`, with the clusters that it is so for. */
export const renderErrorLines = ({ application, clusters, result }: OfflineRender): readonly string[] => {
  if (result.ok) return [];
  const some =
    clusters.length > 3 ? `${clusters.slice(0, 3).join(', ')} and ${clusters.length - 3} more` : clusters.join(', ');
  return result.errors.map((error) => {
    const place = [error.file, error.line, error.column].filter((part) => part !== undefined).join(':');
    const where = [place, error.object, error.field].filter((part) => part !== undefined && part !== '').join(' ');
    const head = where === '' ? `application ${application}` : where;
    return printable(`${head}: ${error.message}; ${error.remedy} (${application} on ${some})`);
  });
};

/** Why one application on one cluster cannot be rendered, before anything is. */
export const assertMember = (snapshot: FleetSnapshot, application: string, cluster: string): void => {
  if (snapshot.blockedApplications.includes(application))
    throw new CliError(`the documents of application "${application}" have errors`, {
      code: 'ApplicationInvalid',
      remedy: 'See them with: validate DIR',
    });
  const context = applicationContext(snapshot, application);
  if (context === null)
    throw new CliError(`there is no application "${printable(application)}" here`, {
      code: 'ApplicationNotFound',
      remedy: `There are: ${snapshot.applications.map(({ name }) => name).join(', ') || 'none'}.`,
    });
  if (!context.clusters.some(({ name }) => name === cluster))
    throw new CliError(`cluster "${printable(cluster)}" is not a member of fleet ${context.fleet.name}`, {
      code: 'ClusterNotFound',
      remedy: `Members: ${context.clusters.map(({ name }) => name).join(', ')}.`,
    });
};
