import {
  type Cluster,
  type FleetSnapshot,
  type FreezeWindow,
  type KubeObject,
  plannedGate,
  type Strategy,
  type StrategyGate,
} from '@breakwater/domain';
import type { GateShape, Shape } from './world-shape.ts';

/** When a world begins, in ms since 1970. */
export const START = 1_700_000_000_000;
export const APPLICATION = 'web';

export const commitOf = (index: number): string => index.toString(16).padStart(40, '0');

export const objectsOf = (commit: string, many: boolean): readonly KubeObject[] =>
  Array.from({ length: many ? 12 : 1 }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: index === 0 ? 'web' : `web-${commit}-${index}`, namespace: 'web' },
    data: { commit },
  }));

/** When the freeze is in force, where a history has one. */
export const FREEZE = { from: START + 60_000, to: START + 180_000 } as const;

const isoSeconds = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

const EARLY_FREEZE: FreezeWindow = {
  kind: 'FreezeWindow',
  name: 'early',
  labels: {},
  scope: { fleets: ['fleet'], clusters: [], selector: null },
  times: {
    kind: 'once',
    timeZone: 'UTC',
    from: isoSeconds(FREEZE.from),
    to: isoSeconds(FREEZE.to),
  },
  inFlight: 'finish',
  reason: 'a test',
  override: { users: ['captain'], roles: [] },
};

const gateOf = (shape: GateShape): StrategyGate => {
  const spec = { required: 1, fourEyes: true };
  if (shape === 'approval') return { ...plannedGate('people', 'approval', {}, spec), waves: ['w1'] };
  return {
    name: `gate-${shape}`,
    kind: 'prometheus',
    phase: shape,
    spec: {},
    waves: null,
    policy: {
      initialDelay: 0,
      interval: 5_000,
      count: shape === 'after' ? null : 2,
      failureLimit: 1,
      inconclusiveLimit: 1,
      consecutiveErrorLimit: 2,
      timeout: 120_000,
      onInconclusive: 'fail',
    },
  };
};

export const namesOf = ({ clusters }: Shape): readonly string[] =>
  Array.from({ length: clusters }, (_, index) => `c${index}`);

/** The fleet as a commit has it, without the clusters that have left it. */
export const snapshotOf = (shape: Shape, departed: ReadonlySet<string>): FleetSnapshot => {
  const names = namesOf(shape);
  const members = names.filter((name) => !departed.has(name));
  const clusters = members.map((name): Cluster => {
    const index = names.indexOf(name);
    const wave = Math.min(index % shape.waves, shape.waves - 1);
    return {
      kind: 'Cluster',
      name,
      labels: { wave: `w${wave}`, fleet: 'all' },
      region: `r${index % 2}`,
      failureDomain: `d${index % shape.domains}`,
      characteristics: {},
      risk: null,
      credentials: name,
      values: {},
      maintenanceWindows: [],
    };
  });
  const all = { all: false, matchExpressions: [], regions: [] };
  const strategy: Strategy = {
    kind: 'Strategy',
    name: 'staged',
    labels: {},
    waves: Array.from({ length: shape.waves }, (_, index) => ({
      name: `w${index}`,
      clusters: { ...all, matchLabels: { wave: `w${index}` } },
      risk: null,
      maxConcurrent: shape.maxConcurrent,
      failureBudget: shape.failureBudget,
      soakMs: shape.soakMs,
      allowEmpty: true,
      schedule: [],
      minClusters: shape.minClusters ?? 0,
    })),
    workloads: { name: 'workloads-ready', timeout: 60_000, stableFor: 10_000, failFast: 5_000 },
    gates: [...(shape.gates ?? []), ...shape.asks.map((gate) => gateOf(gate))],
    gateReferences: [],
    failureDomains: { maxInFlight: shape.domainSlots },
    unreachable: { wait: 30_000, then: shape.unreachable },
    slow: shape.slow ?? { after: null, then: 'fail' },
    preflight: { onFailure: shape.preflight ?? 'stop' },
    onFailure: {
      action: shape.action,
      scope: shape.scope,
      maxConcurrent: shape.returnConcurrency,
      failureDomains: shape.returnDomains ?? 'ignore',
    },
    concurrency: { region: shape.regionConcurrency ?? null, cluster: shape.clusterConcurrency ?? null },
    failureBudgets: shape.failureBudgets ?? { region: null, rollout: null },
    deadline: shape.deadline ?? null,
    concurrentRollouts: shape.collisions,
    runbook: null,
  };
  return {
    clusters,
    fleets: [
      {
        kind: 'Fleet',
        name: 'fleet',
        labels: {},
        clusters: { ...all, matchLabels: { fleet: 'all' } },
        strategy: 'staged',
        values: {},
        regions: {},
      },
    ],
    strategies: [strategy],
    applications: [
      {
        kind: 'Application',
        name: APPLICATION,
        labels: {},
        fleet: 'fleet',
        strategy: null,
        trigger: 'manual',
        namespace: 'web',
        namespaces: [],
        source: { path: 'web', chart: null, helm: { releaseName: null, valuesFiles: [] }, substitute: false },
        values: {},
        variants: [],
        overrides: [],
        ignore: [],
        prune: { enabled: true, maxDeletions: 10, protect: [] },
        conflicts: 'report',
        adopt: 'refuse',
      },
    ],
    freezeWindows: shape.freeze ? [EARLY_FREEZE] : [],
    healthRules: [],
    blockedApplications: [],
  };
};
