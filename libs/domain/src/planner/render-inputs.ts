import type {
  Application,
  ApplicationSource,
  ApplicationVariant,
  Cluster,
  Fleet,
  JsonList,
  JsonObject,
  OverrideTarget,
} from '../fleet/index.ts';
import { mergeValues, selects } from '../fleet/index.ts';

/**
 * Everything that decides what an application renders to on one cluster, besides the commit and the cluster's versions.
 * Plain JSON: clusters whose canonical JSON is the same share one rendering.
 */
export interface RenderInputs {
  /** Of the source or, below it, of the variant; null for a chart from elsewhere. */
  readonly path: string | null;
  readonly chart: ApplicationSource['chart'];
  readonly helm: ApplicationSource['helm'];
  readonly substitute: boolean;
  readonly namespace: string;
  readonly namespaces: readonly string[];
  readonly values: JsonObject;
  readonly overrides: readonly {
    readonly target: OverrideTarget;
    readonly patch: JsonObject | null;
    readonly jsonPatch: JsonList | null;
  }[];
  /** Which variant was chosen, from 0; null: none selects the cluster. */
  readonly variantIndex: number | null;
}

export interface RenderScope {
  readonly application: Application;
  readonly fleet: Fleet;
  readonly cluster: Cluster;
}

/** The first variant that selects the cluster, as with waves. */
export const variantFor = (
  application: Application,
  cluster: Cluster,
): { readonly index: number; readonly variant: ApplicationVariant } | null => {
  const index = application.variants.findIndex((variant) => selects(variant.clusters, cluster));
  const variant = application.variants[index];
  return variant === undefined ? null : { index, variant };
};

/** fleet < region < cluster < application < variant. Throws HostileKeyError. */
export const effectiveValues = ({ application, fleet, cluster }: RenderScope): JsonObject => {
  const region = Object.hasOwn(fleet.regions, cluster.region) ? fleet.regions[cluster.region] : undefined;
  return mergeValues(
    fleet.values,
    region?.values ?? {},
    cluster.values,
    application.values,
    variantFor(application, cluster)?.variant.values ?? {},
  );
};

const pathBelow = (source: string | null, below: string | null): string | null => {
  if (source === null || below === null) return source;
  return `${source}/${below}`;
};

export const renderInputsFor = (scope: RenderScope): RenderInputs => {
  const { application, cluster } = scope;
  const chosen = variantFor(application, cluster);
  return {
    path: pathBelow(application.source.path, chosen?.variant.path ?? null),
    chart: application.source.chart,
    helm: application.source.helm,
    substitute: application.source.substitute,
    namespace: application.namespace,
    namespaces: application.namespaces,
    values: effectiveValues(scope),
    overrides: application.overrides
      .filter((override) => selects(override.clusters, cluster))
      .map(({ target, patch, jsonPatch }) => ({ target, patch, jsonPatch })),
    variantIndex: chosen?.index ?? null,
  };
};
