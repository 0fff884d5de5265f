import type { JsonObject } from '../object.ts';
import { groupVersion } from '../schema/resource-table.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import { noSuchResource } from './status-error.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function wantsAggregated(request: ApiRequest): boolean {
  return request.accept.includes('as=APIGroupDiscoveryList') && request.accept.includes('v=v2');
}

/** What a cluster says that it serves, in the aggregated and in the older form. */
export class Discovery {
  readonly #registry: ResourceRegistry;

  constructor(registry: ResourceRegistry) {
    this.#registry = registry;
  }

  coreVersions(request: ApiRequest): ApiAnswer {
    if (wantsAggregated(request)) return this.#aggregated((group) => group === '');
    return { code: 200, body: { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] } };
  }

  groups(request: ApiRequest): ApiAnswer {
    if (wantsAggregated(request)) return this.#aggregated((group) => group !== '');
    const groups = [...this.#versions()]
      .filter(([group]) => group !== '')
      .map(([name, versions]) => groupEntry(name, versions));
    return { code: 200, body: { kind: 'APIGroupList', apiVersion: 'v1', groups } };
  }

  group(name: string): ApiAnswer {
    const versions = this.#versions().get(name);
    if (!versions) return { code: 404, body: '404 page not found\n' };
    return { code: 200, body: { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(name, versions) } };
  }

  resources(apiVersion: string): ApiAnswer {
    const found = this.#registry.all().filter((resource) => resource.apiVersion === apiVersion);
    if (found.length === 0) return { code: 404, body: '404 page not found\n' };
    const resources = found.flatMap((resource) => [
      {
        name: resource.plural,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs: resource.verbs,
        ...(resource.shortNames && { shortNames: resource.shortNames }),
        ...(resource.categories && { categories: resource.categories }),
      },
      ...resource.subresources.map((sub) => ({
        name: `${resource.plural}/${sub.name}`,
        singularName: '',
        namespaced: resource.namespaced,
        ...(sub.group !== '' && { group: sub.group }),
        ...(sub.version !== '' && { version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]);
    return { code: 200, body: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources } };
  }

  #versions(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.#registry.all()) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    return groups;
  }

  #aggregated(wanted: (group: string) => boolean): ApiAnswer {
    const items = [...this.#versions()]
      .filter(([group]) => wanted(group))
      .map(([group, versions]) => ({
        metadata: group === '' ? {} : { name: group },
        versions: versions.map((version) => ({
          version,
          resources: this.#registry
            .all()
            .filter((resource) => resource.group === group && resource.version === version)
            .map(aggregatedResource),
          freshness: 'Current',
        })),
      }));
    const body = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
    return { code: 200, body, contentType: aggregatedType };
  }
}

function groupEntry(name: string, versions: readonly string[]): JsonObject {
  const entries = versions.map((version) => ({ groupVersion: groupVersion(name, version), version }));
  return { name, versions: entries, preferredVersion: entries[0] ?? {} };
}

function aggregatedResource(resource: Resource): JsonObject {
  return {
    resource: resource.plural,
    // Real servers leave group and version of built-in kinds empty here.
    responseKind: {
      group: resource.custom ? resource.group : '',
      version: resource.custom ? resource.version : '',
      kind: resource.kind,
    },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames && { shortNames: resource.shortNames }),
    ...(resource.categories && { categories: resource.categories }),
    ...(resource.subresources.length > 0 && {
      subresources: resource.subresources.map((sub) => ({
        subresource: sub.name,
        responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
        verbs: sub.verbs,
      })),
    }),
  };
}

export function simulatedVersion(gitVersion: string): JsonObject {
  const [, major = '1', minor = '35'] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: 'simulated',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'simulated',
    compiler: 'simulated',
    platform: 'simulated/none',
  };
}

export function notServed(): never {
  throw noSuchResource();
}
