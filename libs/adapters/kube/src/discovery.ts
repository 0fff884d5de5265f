import type { KubeObject } from '@breakwater/domain';
import { groupOf } from '@breakwater/domain';
import { cutOff, Ended } from './ended.ts';
import { endOf, failureOf } from './kube-status.ts';
import type { Reply, Transport } from './transport.ts';

/** How objects of one kind are reached. */
export interface ResourceMapping {
  readonly apiVersion: string;
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly listable: boolean;
}

/** What the API server serves, at the moment of reading. */
export interface Catalogue {
  readonly mappings: readonly ResourceMapping[];
  /** Groups whose API server did not answer: what is missing there is unknown, not absent. */
  readonly stale: ReadonlySet<string>;
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope: string;
  readonly verbs: readonly string[];
}
interface DiscoveredVersion {
  readonly version: string;
  readonly freshness?: string;
  readonly resources?: readonly DiscoveredResource[];
}
interface DiscoveredGroup {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly DiscoveredVersion[];
}
interface LegacyResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

const apiVersionOf = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`);

/** Path of an API version: `/api/v1`, `/apis/apps/v1`. */
export const versionPath = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

const parsed = (reply: Reply): Record<string, unknown> => {
  try {
    return JSON.parse(reply.body) as Record<string, unknown>;
  } catch {
    throw cutOff('ServerError', 'discovery: the answer is not JSON');
  }
};

const unexpected = (reply: Reply, what: string): Ended =>
  endOf(failureOf(reply, { object: null, name: '', mode: 'forward', existing: false, scrub: (m) => m }), null, what);

const fetchDiscovery = async (transport: Transport, path: string, signal: AbortSignal): Promise<Reply> => {
  const reply = await transport.send({ method: 'GET', path, accept: AGGREGATED, signal });
  if (reply.status !== 200) throw unexpected(reply, `discovery at ${path}`);
  return reply;
};

const fromAggregated = (reply: Reply): Catalogue => {
  const groups = (parsed(reply)['items'] ?? []) as readonly DiscoveredGroup[];
  const mappings: ResourceMapping[] = [];
  const stale = new Set<string>();
  for (const group of groups) {
    const name = group.metadata?.name ?? '';
    for (const version of group.versions ?? []) {
      if (version.freshness === 'Stale') stale.add(name);
      for (const resource of version.resources ?? []) {
        const kind = resource.responseKind?.kind ?? '';
        if (kind === '') continue;
        mappings.push({
          apiVersion: apiVersionOf(name, version.version),
          group: name,
          kind,
          plural: resource.resource,
          namespaced: resource.scope === 'Namespaced',
          listable: resource.verbs.includes('list'),
        });
      }
    }
  }
  return { mappings, stale };
};

const fromLegacyVersion = (apiVersion: string, reply: Reply): readonly ResourceMapping[] =>
  ((parsed(reply)['resources'] ?? []) as readonly LegacyResource[])
    .filter((resource) => !resource.name.includes('/'))
    .map((resource) => ({
      apiVersion,
      group: groupOf(apiVersion),
      kind: resource.kind,
      plural: resource.name,
      namespaced: resource.namespaced,
      listable: resource.verbs.includes('list'),
    }));

/** API servers before 1.26 answer with a list of groups: each version is asked for by itself. */
const fromLegacy = async (
  transport: Transport,
  apiVersions: readonly string[],
  signal: AbortSignal,
): Promise<Catalogue> => {
  const stale = new Set<string>();
  const lists = await Promise.all(
    apiVersions.map(async (apiVersion) => {
      const reply = await transport.send({ method: 'GET', path: versionPath(apiVersion), signal });
      if (reply.status === 200) return fromLegacyVersion(apiVersion, reply);
      if (reply.status !== 404 && reply.status < 500) throw unexpected(reply, `discovery of ${apiVersion}`);
      stale.add(groupOf(apiVersion));
      return [];
    }),
  );
  return { mappings: lists.flat(), stale };
};

const legacyVersions = (core: Reply, groups: Reply): readonly string[] => [
  ...((parsed(core)['versions'] ?? []) as readonly string[]),
  ...((parsed(groups)['groups'] ?? []) as readonly { versions: readonly { groupVersion: string }[] }[]).flatMap(
    (group) => group.versions.map((version) => version.groupVersion),
  ),
];

export const readCatalogue = async (transport: Transport, signal: AbortSignal): Promise<Catalogue> => {
  const [core, groups] = await Promise.all([
    fetchDiscovery(transport, '/api', signal),
    fetchDiscovery(transport, '/apis', signal),
  ]);
  if (!core.contentType.includes('apidiscovery') || !groups.contentType.includes('apidiscovery')) {
    return fromLegacy(transport, legacyVersions(core, groups), signal);
  }
  const [first, second] = [fromAggregated(core), fromAggregated(groups)];
  return { mappings: [...first.mappings, ...second.mappings], stale: new Set([...first.stale, ...second.stale]) };
};

/** Looks a kind up in the cached catalogue, which is read once more when the kind is not in it. */
export class Discovery {
  readonly #transport: Transport;
  #catalogue: Promise<Catalogue> | null = null;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  forget(): void {
    this.#catalogue = null;
  }

  async catalogue(signal: AbortSignal): Promise<Catalogue> {
    this.#catalogue ??= readCatalogue(this.#transport, signal);
    const reading = this.#catalogue;
    try {
      return await reading;
    } catch (error) {
      if (this.#catalogue === reading) this.#catalogue = null;
      // Another caller's abort is not ours.
      if (signal.aborted || error instanceof Ended) throw error;
      return readCatalogue(this.#transport, signal);
    }
  }

  /**
   * The mapping of exactly this version, or null when the kind is not served in it. Throws Unreachable when the group's
   * API server does not answer: a kind that cannot be seen is not a kind that is absent.
   */
  async find(apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceMapping | null> {
    return this.#look(signal, apiVersion, (mapping) => mapping.apiVersion === apiVersion && mapping.kind === kind);
  }

  /** The mapping of this version, else of any other version of the same kind: uid and resourceVersion are the same in all. */
  async findAnyVersion(apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceMapping | null> {
    const group = groupOf(apiVersion);
    return (
      (await this.#cached(signal, (mapping) => mapping.apiVersion === apiVersion && mapping.kind === kind)) ??
      (await this.#look(signal, apiVersion, (mapping) => mapping.group === group && mapping.kind === kind))
    );
  }

  async #cached(signal: AbortSignal, matches: (mapping: ResourceMapping) => boolean): Promise<ResourceMapping | null> {
    return (await this.catalogue(signal)).mappings.find(matches) ?? null;
  }

  async #look(
    signal: AbortSignal,
    apiVersion: string,
    matches: (mapping: ResourceMapping) => boolean,
  ): Promise<ResourceMapping | null> {
    const before = this.#catalogue;
    const found = await this.#cached(signal, matches);
    if (found !== null) return found;
    // Read once more, unless this look-up has just read it.
    if (before !== null && this.#catalogue === before) this.forget();
    const again = await this.#cached(signal, matches);
    if (again === null && (await this.catalogue(signal)).stale.has(groupOf(apiVersion))) {
      throw cutOff('ServerError', `the API server of ${apiVersion} does not answer`);
    }
    return again;
  }
}

/** What a CustomResourceDefinition of the bundle will serve, before it does. */
export const mappingsOfCrd = (crd: KubeObject): readonly ResourceMapping[] => {
  const spec = crd['spec'] as
    | {
        group?: string;
        scope?: string;
        names?: { kind?: string; plural?: string };
        versions?: { name: string; served?: boolean }[];
      }
    | undefined;
  const { group = '', names = {}, versions = [] } = spec ?? {};
  return versions
    .filter((version) => version.served !== false)
    .map((version) => ({
      apiVersion: `${group}/${version.name}`,
      group,
      kind: names.kind ?? '',
      plural: names.plural ?? '',
      namespaced: spec?.scope === 'Namespaced',
      listable: true,
    }));
};
