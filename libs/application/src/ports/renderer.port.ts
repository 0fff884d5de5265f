import type { KubeObject } from '@breakwater/domain';

export type RenderValues = { readonly [key: string]: unknown };

/** A chart from a chart repository (`repository`, https) or a registry (`oci`, with the chart's name as its last part). */
export interface ChartReference {
  readonly repository?: string | undefined;
  readonly oci?: string | undefined;
  readonly name: string;
  /** Exact, such as `1.2.3`: a range would render something else tomorrow. */
  readonly version: string;
  /** `sha256:<hex>` of the archive, as an earlier render returned it; another archive of this version is refused. */
  readonly digest?: string | undefined;
  readonly credentials?: string | undefined;
}

export interface RenderOverride {
  readonly target: {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly group?: string | undefined;
  };
  /** A JSON merge patch (RFC 7386). */
  readonly patch?: RenderValues | undefined;
  /** A JSON patch (RFC 6902). */
  readonly jsonPatch?: readonly unknown[] | undefined;
}

export interface RenderLimits {
  readonly objectBytes?: number | undefined;
  readonly sourceBytes?: number | undefined;
  readonly sourceFiles?: number | undefined;
  readonly aliases?: number | undefined;
  readonly depth?: number | undefined;
  /** Of each tool. */
  readonly timeoutMs?: number | undefined;
  /** For reading and judging the documents of a source. */
  readonly readTimeoutMs?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

export interface RenderRequest {
  /** The application's name: the Helm release's name where `helm.releaseName` is absent. */
  readonly application: string;
  /** The repository's tree on disk, see RepositoryTree.dir; absent only with `chart`. */
  readonly dir?: string | undefined;
  /** The source's path in the tree; what is there decides between plain YAML, Kustomize and Helm. */
  readonly path?: string | undefined;
  readonly chart?: ChartReference | undefined;
  readonly namespace: string;
  /** Other namespaces that objects may be in. */
  readonly namespaces?: readonly string[] | undefined;
  /** Merged already: fleet < region < cluster < application < variant. */
  readonly values?: RenderValues | undefined;
  readonly substitute?: boolean | undefined;
  readonly helm?:
    { readonly releaseName?: string | undefined; readonly valuesFiles?: readonly string[] | undefined } | undefined;
  /** Of the cluster, as `1.36.3`; pinned in the plan. */
  readonly kubeVersion: string;
  /** Besides Helm's own list, as `apps/v1` or `apps/v1/Deployment`; sorted by the renderer. */
  readonly apiVersions?: readonly string[] | undefined;
  readonly overrides?: readonly RenderOverride[] | undefined;
  /** Cluster-scoped kinds that the cluster serves, beyond Kubernetes' own and those whose CRD is in the bundle. */
  readonly clusterScoped?: readonly { readonly group: string; readonly kind: string }[] | undefined;
  readonly limits?: RenderLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type RenderErrorCode =
  | 'SourceNotFound'
  | 'SourceAmbiguous'
  | 'SourceOutsideTree'
  | 'SourceEmpty'
  /** Its files cannot lie beside each other, or their names are none. */
  | 'InvalidSource'
  | 'TooLarge'
  | 'NotText'
  | 'InvalidYaml'
  | 'InvalidObject'
  | 'NamespaceNotAllowed'
  | 'DuplicateObject'
  | 'ValueMissing'
  | 'InvalidSubstitution'
  | 'OverrideMatchesNothing'
  | 'InvalidOverride'
  | 'InvalidRequest'
  | 'RemoteResource'
  | 'PluginRefused'
  | 'LookupRefused'
  | 'NotDeterministic'
  | 'NotSupportedYet'
  | 'KustomizeFailed'
  | 'HelmFailed'
  | 'ChartUnavailable'
  | 'ChartChanged'
  | 'TimedOut'
  | 'OutOfMemory'
  | 'ToolMissing'
  | 'Aborted';

export interface RenderError {
  readonly code: RenderErrorCode;
  /** In the repository. */
  readonly file?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** `apps/Deployment/podinfo/web`. */
  readonly object?: string | undefined;
  readonly field?: string | undefined;
  readonly message: string;
  readonly remedy: string;
}

export interface RenderedBundle {
  readonly ok: true;
  /** In a fixed order; each names its namespace if its kind has one. */
  readonly objects: readonly KubeObject[];
  /** `sha256:<hex>`: same input, same digest, on every machine. */
  readonly digest: string;
  readonly warnings: readonly string[];
  readonly chart?: { readonly name: string; readonly version: string; readonly digest: string } | undefined;
}

export type RenderResult = RenderedBundle | { readonly ok: false; readonly errors: readonly RenderError[] };

export interface Renderer {
  /** Every problem with the input is in the result's errors; only a defect of the renderer throws. */
  render(request: RenderRequest): Promise<RenderResult>;
}
