import type {
  Application,
  Cluster,
  Fleet,
  FleetKind,
  FleetResource,
  GateDocument,
  FreezeWindow,
  HealthRuleDocument,
  JsonList,
  JsonObject,
  Risk,
  Strategy,
} from '../fleet/index.ts';
import { RISKS } from '../fleet/index.ts';
import { gatesOfStrategy } from './strategy-gates.ts';
import type { ParsedDocument } from './schema/schemas.ts';

/** The reader has refused everything that is not JSON before the schemas saw it. */
const json = (values: Record<string, unknown>): JsonObject => values as JsonObject;

/** As a label for those who keep everything in labels. */
const riskLabel = (labels: Readonly<Record<string, string>>): Risk | null =>
  RISKS.find((risk) => Object.hasOwn(labels, 'risk') && labels['risk'] === risk) ?? null;

const cluster = ({ metadata, spec }: ParsedDocument['Cluster']): Cluster => ({
  kind: 'Cluster',
  ...metadata,
  region: spec.region,
  failureDomain: spec.failureDomain ?? metadata.name,
  characteristics: spec.characteristics,
  risk: spec.risk ?? riskLabel(metadata.labels),
  credentials: spec.credentials?.name ?? metadata.name,
  values: json(spec.values),
  maintenanceWindows: spec.maintenanceWindows ?? [],
});

const fleet = ({ metadata, spec }: ParsedDocument['Fleet']): Fleet => ({
  kind: 'Fleet',
  ...metadata,
  clusters: spec.clusters,
  strategy: spec.strategy ?? null,
  values: json(spec.values),
  regions: Object.fromEntries(
    Object.entries(spec.regions).map(([region, { values }]) => [region, { values: json(values) }]),
  ),
});

const strategy = ({ metadata, spec }: ParsedDocument['Strategy']): Strategy => ({
  kind: 'Strategy',
  ...metadata,
  waves: spec.waves.map((wave) => ({
    name: wave.name,
    clusters: wave.clusters ?? null,
    risk: wave.risk ?? null,
    maxConcurrent: wave.maxConcurrent,
    failureBudget: wave.failureBudget,
    soakMs: wave.soak,
    allowEmpty: wave.allowEmpty,
    minClusters: wave.minClusters,
    schedule: wave.schedule ?? [],
  })),
  ...gatesOfStrategy(spec),
  failureDomains: spec.failureDomains,
  unreachable: spec.unreachable,
  slow: { after: spec.slow.after ?? null, then: spec.slow.then },
  preflight: spec.preflight,
  onFailure: spec.onFailure,
  concurrency: { region: spec.concurrency.region ?? null, cluster: spec.concurrency.cluster ?? null },
  failureBudgets: { region: spec.failureBudgets.region ?? null, rollout: spec.failureBudgets.rollout ?? null },
  deadline: spec.deadline ?? null,
  concurrentRollouts: spec.concurrentRollouts,
  runbook: spec.runbook ?? null,
});

const gate = ({ metadata, spec }: ParsedDocument['Gate']): GateDocument => ({
  kind: 'Gate',
  ...metadata,
  parameters: Object.fromEntries(spec.parameters.map((parameter) => [parameter.name, parameter.default ?? null])),
  template: json(spec.template),
});

const application = ({ metadata, spec }: ParsedDocument['Application']): Application => ({
  kind: 'Application',
  ...metadata,
  fleet: spec.fleet,
  strategy: spec.strategy ?? null,
  trigger: spec.trigger,
  namespace: spec.namespace ?? metadata.name,
  namespaces: spec.namespaces,
  source: {
    path: spec.source.path ?? null,
    chart: spec.source.chart ?? null,
    helm: {
      releaseName: spec.source.helm.releaseName ?? null,
      valuesFiles: spec.source.helm.valuesFiles,
      ...(spec.source.helm.apiVersions.length === 0 ? {} : { apiVersions: spec.source.helm.apiVersions }),
    },
    substitute: spec.source.substitute,
  },
  values: json(spec.values),
  variants: spec.variants.map((variant) => ({
    clusters: variant.clusters,
    path: variant.path ?? null,
    values: json(variant.values),
  })),
  overrides: spec.overrides.map((override) => ({
    clusters: override.clusters,
    target: override.target,
    patch: override.patch === undefined ? null : json(override.patch),
    jsonPatch: (override.jsonPatch as JsonList | undefined) ?? null,
  })),
  ignore: spec.ignore.map(({ kind, name, fields }) => ({ kind, fields, ...(name === undefined ? {} : { name }) })),
  prune: spec.prune,
  conflicts: spec.conflicts,
  adopt: spec.adopt,
});

const freezeWindow = ({ metadata, spec }: ParsedDocument['FreezeWindow']): FreezeWindow => ({
  kind: 'FreezeWindow',
  ...metadata,
  scope: spec.scope,
  times: spec.times,
  inFlight: spec.inFlight,
  reason: spec.reason,
  override: spec.override,
});

const healthRule = ({ metadata, spec }: ParsedDocument['HealthRule']): HealthRuleDocument => ({
  kind: 'HealthRule',
  ...metadata,
  rule: {
    group: spec.group,
    kind: spec.kind,
    ready: spec.ready,
    ...(spec.failed === undefined ? {} : { failed: spec.failed }),
    ...(spec.message === undefined ? {} : { message: spec.message }),
  },
});

/** Fills the defaults that depend on other fields. */
export const toResource = <Kind extends FleetKind>(kind: Kind, parsed: ParsedDocument[Kind]): FleetResource => {
  const convert: { readonly [K in FleetKind]: (document: ParsedDocument[K]) => FleetResource } = {
    Cluster: cluster,
    Fleet: fleet,
    Strategy: strategy,
    Gate: gate,
    Application: application,
    FreezeWindow: freezeWindow,
    HealthRule: healthRule,
  };
  return convert[kind](parsed);
};
