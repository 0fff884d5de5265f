import type { Strategy } from '@breakwater/domain';

/** What one history is about: drawn by fast-check, so that it shrinks. */
export interface Shape {
  readonly seed: number;
  readonly clusters: number;
  readonly waves: number;
  readonly maxConcurrent: number;
  readonly failureBudget: number;
  readonly soakMs: number;
  readonly domains: number;
  readonly domainSlots: number;
  readonly unreachable: 'count' | 'skip' | 'halt';
  readonly action: 'rollback' | 'halt';
  readonly scope: 'cluster' | 'wave' | 'rollout';
  readonly returnConcurrency: number | '100%';
  /** Whether returns mind failure domains; default: ignore. */
  readonly returnDomains?: 'ignore' | 'respect';
  readonly collisions: 'queue' | 'supersede' | 'reject';
  readonly outages: boolean;
  readonly people: boolean;
  /** Share of clusters on which a bad commit fails. */
  readonly badness: number;
  readonly manyDeletions: boolean;
  readonly steps: number;
  /** Beside the workloads; default: none. */
  readonly gates?: Strategy['gates'];
  /** Share of clusters on which a bad commit cannot be taken back; default: none. */
  readonly sealing?: number;
  readonly asks: readonly GateShape[];
  /** A freeze covers two minutes, early in the history. */
  readonly freeze: boolean;
  readonly failureBudgets?: Strategy['failureBudgets'];
  readonly slow?: Strategy['slow'];
  readonly regionConcurrency?: number;
  readonly clusterConcurrency?: number | null;
  readonly deadline?: number;
  readonly minClusters?: number;
  /** Clusters come and go that would refuse any release. */
  readonly refusals?: boolean;
  /** Clusters join and leave the fleet with commits. */
  readonly joiners?: boolean;
  /** The clock leaps ahead by hours, as after a suspended machine. */
  readonly leaps?: boolean;
  /** Workers fall asleep over what they saw, and tell it when it is long over. */
  readonly sleepers?: boolean;
  /** What the strategy says of them; default: stop. */
  readonly preflight?: 'stop' | 'leaveOut';
}

/** `approval` is a person's; the others are measured. */
export type GateShape = 'approval' | 'before' | 'during' | 'after';
