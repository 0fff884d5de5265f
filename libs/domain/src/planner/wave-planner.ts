import type { Cluster, Fleet, Strategy, StrategyWave } from '../fleet/index.ts';
import { clustersOf, describeSelector, selects } from '../fleet/index.ts';
import type { WaveHours } from '../fleet/index.ts';
import type { PlannedGate } from '../gates/gate.ts';
import { concurrencyOf, countOf } from '../quantity/index.ts';

export interface PlannedWave {
  readonly name: string;
  readonly index: number;
  /** Effective: of the wave's size, rounded down, at least 1. */
  readonly maxConcurrent: number;
  /** Effective: of the wave's size, rounded down. */
  readonly failureBudget: number;
  readonly soakMs: number;
  /** 0 only where the wave says allowEmpty. */
  readonly size: number;
  /** Effective: of the wave's size, rounded down. */
  readonly minClusters: number;
  readonly schedule: readonly WaveHours[];
  /** None for an empty wave: there is nothing to ask about. */
  readonly gates: readonly PlannedGate[];
}

export interface PlannedMember {
  readonly cluster: string;
  /** Index of its wave. */
  readonly wave: number;
  /** Place inside the wave, from 0. */
  readonly position: number;
  readonly region: string;
  readonly failureDomain: string;
  /** One sentence: why it is in this wave. */
  readonly reason: string;
}

export type PlanErrorReason = 'NoClusters' | 'EmptyWave' | 'LeftoverClusters' | 'NotSupportedYet';

export interface PlanError {
  readonly reason: PlanErrorReason;
  readonly wave: string | null;
  readonly clusters: readonly string[];
  readonly message: string;
  readonly remedy: string;
}

export interface WavePlan {
  readonly waves: readonly PlannedWave[];
  /** In the order in which they start: by wave, then by position. */
  readonly members: readonly PlannedMember[];
  /** A plan with errors may not be started. */
  readonly errors: readonly PlanError[];
}

export interface PlanInput {
  readonly strategy: Strategy;
  readonly fleet: Fleet;
  /** All clusters of the snapshot, or the fleet's alone: the fleet's selector is applied either way. */
  readonly clusters: readonly Cluster[];
}

const isRest = (wave: StrategyWave): boolean => wave.clusters === null && wave.risk === null;

const reaches = (wave: StrategyWave, cluster: Cluster): boolean =>
  wave.clusters === null || selects(wave.clusters, cluster);

const takes = (wave: StrategyWave, cluster: Cluster): boolean =>
  (wave.risk === null || wave.risk === cluster.risk) && reaches(wave, cluster);

const reasonFor = (wave: StrategyWave): string => {
  if (isRest(wave)) return `Wave ${wave.name} takes whatever no earlier wave selected.`;
  const parts = [
    ...(wave.clusters === null ? [] : [describeSelector(wave.clusters)]),
    ...(wave.risk === null ? [] : [`risk ${wave.risk}`]),
  ];
  return `Wave ${wave.name} is the first that selects it: ${parts.join(', ')}.`;
};

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a: Cluster, b: Cluster): number => byCodeUnits(a.name, b.name);

/**
 * One cluster of each failure domain, then the second of each, and so on: with one slot per domain, neighbours in the order
 * can be in flight together.
 */
export const interleaveFailureDomains = (clusters: readonly Cluster[]): readonly Cluster[] => {
  const domains = new Map<string, Cluster[]>();
  for (const cluster of [...clusters].sort(byName)) {
    const domain = domains.get(cluster.failureDomain);
    if (domain === undefined) domains.set(cluster.failureDomain, [cluster]);
    else domain.push(cluster);
  }
  const ranked = [...domains].flatMap(([domain, members]) =>
    members.map((cluster, rank) => ({ cluster, rank, domain })),
  );
  ranked.sort((a, b) => a.rank - b.rank || byCodeUnits(a.domain, b.domain));
  return ranked.map((entry) => entry.cluster);
};

const gatesOf = (strategy: Strategy, wave: StrategyWave): readonly PlannedGate[] =>
  strategy.gates
    .filter((gate) => gate.waves?.includes(wave.name) ?? true)
    .map(({ waves: _waves, ...gate }): PlannedGate => gate);

const plannedWave = (strategy: Strategy, wave: StrategyWave, index: number, size: number): PlannedWave => ({
  name: wave.name,
  index,
  maxConcurrent: concurrencyOf(wave.maxConcurrent, size),
  failureBudget: countOf(wave.failureBudget, size),
  soakMs: wave.soakMs,
  size,
  minClusters: countOf(wave.minClusters, size),
  schedule: wave.schedule,
  gates: size === 0 ? [] : gatesOf(strategy, wave),
});

const emptyWave = (wave: StrategyWave): PlanError => ({
  reason: 'EmptyWave',
  wave: wave.name,
  clusters: [],
  message: isRest(wave)
    ? `wave ${wave.name} is empty: earlier waves took every cluster`
    : `wave ${wave.name} selects no cluster that an earlier wave did not take`,
  remedy: 'select a cluster of the fleet, take the wave out, or say allowEmpty: true',
});

const named = (names: readonly string[]): string =>
  names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`;

const leftovers = (clusters: readonly Cluster[]): PlanError => {
  const names = [...clusters].sort(byName).map((cluster) => cluster.name);
  return {
    reason: 'LeftoverClusters',
    wave: null,
    clusters: names,
    message: `no wave selects ${named(names)}`,
    remedy: 'end the strategy with a wave without a selector, which takes the rest',
  };
};

const noClusters = (fleet: Fleet): PlanError => ({
  reason: 'NoClusters',
  wave: null,
  clusters: [],
  message: `fleet ${fleet.name} has no clusters`,
  remedy: `label clusters so that ${describeSelector(fleet.clusters)} selects them`,
});

const unknownRisk = (wave: StrategyWave, clusters: readonly Cluster[]): PlanError => {
  const names = [...clusters].sort(byName).map((cluster) => cluster.name);
  return {
    reason: 'NotSupportedYet',
    wave: wave.name,
    clusters: names,
    message: `NotSupportedYet: wave ${wave.name} asks for the risk of ${named(names)}, and risk is not computed yet`,
    remedy: 'say it: spec.risk or the label risk of these clusters, low, medium or high',
  };
};

interface Division {
  readonly size: number;
  /** By the wave's index. */
  readonly taken: readonly (readonly Cluster[])[];
  readonly left: readonly Cluster[];
  /** By the wave's index: those that only their risk, which nobody has said, could have brought there. */
  readonly unsure: readonly (readonly Cluster[])[];
}

const divide = ({ strategy: { waves }, fleet, clusters }: PlanInput): Division => {
  const inFleet = clustersOf(fleet, clusters);
  const taken: Cluster[][] = waves.map(() => []);
  const unsure: Cluster[][] = waves.map(() => []);
  const left: Cluster[] = [];
  for (const cluster of inFleet) {
    const first = waves.findIndex((wave) => takes(wave, cluster));
    (taken[first] ?? left).push(cluster);
    if (cluster.risk !== null) continue;
    for (const [index, wave] of waves.slice(0, first < 0 ? waves.length : first).entries())
      if (wave.risk !== null && reaches(wave, cluster)) unsure[index]?.push(cluster);
  }
  return { size: inFleet.length, taken, left, unsure };
};

const errorsOf = ({ strategy, fleet }: PlanInput, { size, taken, left, unsure }: Division): readonly PlanError[] => {
  if (size === 0) return [noClusters(fleet)];
  const ofWaves = strategy.waves.flatMap((wave, index) => {
    const asked = unsure[index] ?? [];
    if (asked.length > 0) return [unknownRisk(wave, asked)];
    return taken[index]?.length === 0 && !wave.allowEmpty ? [emptyWave(wave)] : [];
  });
  return [...ofWaves, ...(left.length === 0 ? [] : [leftovers(left)])];
};

/** Why there is no plan to be made, without making one. */
export const checkWaves = (input: PlanInput): readonly PlanError[] => errorsOf(input, divide(input));

/** Who goes when, and why: the same input in any order gives the same plan. */
export const planWaves = (input: PlanInput): WavePlan => {
  const { strategy } = input;
  const division = divide(input);
  const { taken } = division;
  const waves = strategy.waves.map((wave, index) => plannedWave(strategy, wave, index, taken[index]?.length ?? 0));
  const members = strategy.waves.flatMap((wave, index) =>
    interleaveFailureDomains(taken[index] ?? []).map((cluster, position) => ({
      cluster: cluster.name,
      wave: index,
      position,
      region: cluster.region,
      failureDomain: cluster.failureDomain,
      reason: reasonFor(wave),
    })),
  );
  return { waves, members, errors: errorsOf(input, division) };
};
