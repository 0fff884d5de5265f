import type { SimulatedMetrics } from '@breakwater/simulator';
import { setTimeout as delay } from 'node:timers/promises';
import type { BreakwaterProcess } from './breakwater-process.ts';
import type { DemoCluster, ExampleRepository } from './example-repository.ts';
import type { Stage, StageCluster } from './stage.ts';
import type { Teller } from './teller.ts';
import { type ClusterState, type Finding, readState, runsImage, sameObjects } from './verdict.ts';

export interface Cast {
  readonly teller: Teller;
  readonly stage: Stage;
  readonly repository: ExampleRepository;
  readonly breakwater: BreakwaterProcess;
  readonly metrics: SimulatedMetrics;
  readonly pace: Pace;
}

export interface Pace {
  readonly rolloutMs: number;
  readonly settleMs: number;
}

/** The release that stays. */
export const GOOD = '2.1.0';
const WAVES = { canary: 'eu-north', 'low-risk': 'eu-west' } as const;

export const syncTo = async ({ teller, breakwater }: Cast, commit: string): Promise<void> => {
  const { state, observed, message, errors } = await breakwater.sync();
  if (state !== 'Synced' || observed?.commit !== commit) {
    throw new Error(`the commit was not synced: ${state} ${message} ${JSON.stringify(errors).slice(0, 1_000)}`);
  }
  teller.event(`Breakwater has read, validated and rendered it (${message})`);
};

export const wavesOf = ({
  repository,
  stage,
}: Cast): readonly { readonly name: string; readonly clusters: readonly StageCluster[] }[] => {
  const wave = (name: string, takes: (cluster: DemoCluster) => boolean) => {
    const names = new Set(repository.clusters.filter(takes).map((cluster) => cluster.name));
    return { name, clusters: stage.clusters.filter((cluster) => names.has(cluster.name)) };
  };
  const early: readonly string[] = Object.values(WAVES);
  return [
    wave('canary', ({ region }) => region === WAVES.canary),
    wave('low-risk', ({ region }) => region === WAVES['low-risk']),
    wave('rest', ({ region }) => !early.includes(region)),
  ];
};

export const readThese = async (clusters: readonly StageCluster[]): Promise<ReadonlyMap<string, ClusterState>> =>
  new Map(await Promise.all(clusters.map(async (cluster) => [cluster.name, await readState(cluster)] as const)));

export const readAll = (stage: Stage): Promise<ReadonlyMap<string, ClusterState>> => readThese(stage.clusters);

/** Pods that are on their way out take a moment; objects that are wrong stay wrong. */
export const settled = async (
  { stage, pace }: Cast,
  before: ReadonlyMap<string, ClusterState>,
): Promise<ReadonlyMap<string, ClusterState>> => {
  const deadline = Date.now() + pace.settleMs;
  for (;;) {
    const state = await readAll(stage);
    const wrong = [sameObjects(before, state, ''), runsImage(state, `:${GOOD}`, '')].some(
      (one) => one.wrong.length > 0,
    );
    if (!wrong || Date.now() > deadline) return state;
    await delay(100);
  }
};

export const said = (claim: string, is: string, wanted: string): Finding => ({
  claim,
  wrong: is === wanted ? [] : [`it says ${is}`],
});
