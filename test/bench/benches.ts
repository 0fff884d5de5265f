import { benchApplyPath } from './apply-path.ts';
import { benchCompletionCost } from './completion-cost.ts';
import { benchExplainLatency } from './explain-latency.ts';
import { benchMemory } from './footprint.ts';
import { benchGateMeasurements } from './gate-measurements.ts';
import { benchGatedRollout } from './gated-rollout.ts';
import { benchHalt } from './halt.ts';
import { benchPreflight } from './preflight-path.ts';
import type { Finding } from './report.ts';
import { benchRestart } from './restart.ts';
import { benchStagedRollout } from './staged-rollout.ts';

export interface BenchOptions {
  /** Clusters, where a bench has no reason of its own for their number; null: its default. */
  readonly clusters: number | null;
  readonly runs: number;
  readonly rollouts: number;
}

export interface Bench {
  readonly about: string;
  readonly run: (options: BenchOptions) => Promise<Finding>;
}

const SIZES = [10, 100, 1_000];

export const BENCHES: Readonly<Record<string, Bench>> = {
  'apply-path': {
    about: 'CPU of applying 20 objects, against bare requests (default 48 clusters)',
    run: ({ clusters }) => benchApplyPath({ clusters: clusters ?? 48 }),
  },
  'staged-rollout': {
    about: 'time of a rollout in three stages, against a record in memory (default 100 clusters)',
    run: ({ clusters, runs }) => benchStagedRollout({ clusters: clusters ?? 100, runs }),
  },
  halt: {
    about: 'from a bad signal to the last bad write and the last cluster restored (default 40 clusters)',
    run: ({ clusters }) => benchHalt({ clusters: clusters ?? 40, runs: 3 }),
  },
  restart: {
    about: 'kill -9 with 100 rollouts in flight, to the first and the last that goes on',
    run: ({ rollouts }) => benchRestart({ rollouts }),
  },
  memory: {
    about: 'resident memory per idle cluster and per cluster in flight (default 150 clusters)',
    run: ({ clusters }) => benchMemory({ clusters: clusters ?? 150 }),
  },
  'completion-cost': {
    about: 'CPU and statements of one target at 10, 100 and 1,000 clusters (--clusters N: the largest)',
    run: ({ clusters }) => benchCompletionCost({ sizes: SIZES.filter((size) => size <= (clusters ?? Infinity)) }),
  },
  'gated-rollout': {
    about: 'as completion-cost, with 10 objects, four waves and a gate on each cluster (--clusters N: the largest)',
    run: ({ clusters }) => benchGatedRollout({ sizes: SIZES.filter((size) => size <= (clusters ?? Infinity)) }),
  },
  'gate-measurements': {
    about: '10,000 measurements of a prometheus gate, against bare requests',
    run: () => benchGateMeasurements({ count: 10_000 }),
  },
  preflight: {
    about: 'preflight and plan of many clusters, against bare requests (default 1,000 clusters)',
    run: ({ clusters }) => benchPreflight({ clusters: clusters ?? 1_000 }),
  },
  'explain-latency': {
    about: 'rollout explain with 10, 100 and 1,000 targets (--clusters N: the largest)',
    run: ({ clusters }) => benchExplainLatency({ sizes: SIZES.filter((size) => size <= (clusters ?? Infinity)) }),
  },
};
