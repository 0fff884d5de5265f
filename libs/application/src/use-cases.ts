import type {
  Blocker,
  ExpectedEnd,
  Instant,
  PauseMode,
  RankedChange,
  Rollout,
  RollbackScope,
  Signal,
  Target,
  WhatIf,
} from '@breakwater/domain';
import type { ObjectChange } from './rollout/bundle-diff.ts';
import type { NotLookedAt } from './ports/cluster-history.port.ts';
import type { ClusterRecord, Quarantine, RepositoryRecord } from './ports/record.port.ts';

export interface Actor {
  readonly name: string;
  /** Of whoever came with a token; asked by windows that say who may override them. */
  readonly role?: string;
}

/**
 * What a use case refuses, with a stable `code` (`RevisionNotFound`, `RolloutInProgress`, `StateForbids` …). The edges turn it into
 * problem details and exit codes; `category` tells them how.
 */
export class UseCaseError extends Error {
  override readonly name = 'UseCaseError';
  readonly category: 'NotFound' | 'Conflict' | 'Invalid' | 'Unavailable';
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    category: 'NotFound' | 'Conflict' | 'Invalid' | 'Unavailable',
    code: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.category = category;
    this.code = code;
    this.details = details;
  }
}

export interface StartRolloutInput {
  readonly application: string;
  /** Commit, branch or tag; default: the newest good commit. */
  readonly revision?: string;
  readonly reason?: string;
  readonly strategy?: string;
  readonly supersede?: boolean;
  readonly allowBad?: boolean;
  readonly idempotencyKey?: string;
  /** Started by a commit, not by a person: where the strategy rejects, that is recorded as a rollout that is `Rejected`. */
  readonly triggered?: boolean;
}

/** The plan as `plan APP` shows it: nothing is stored and nothing changes. */
export interface PlanPreview {
  readonly application: string;
  readonly fleet: string;
  readonly strategy: string;
  readonly revision: { readonly commit: string; readonly digest: string };
  readonly waves: readonly {
    readonly name: string;
    readonly size: number;
    readonly maxConcurrent: number;
    readonly failureBudget: number;
    readonly soakMs: number;
  }[];
  readonly members: readonly {
    readonly cluster: string;
    readonly region: string;
    readonly wave: string;
    readonly failureDomain: string;
    readonly reason: string;
    /** Its cluster is quarantined: the rollout leaves it out. */
    readonly quarantine: Quarantine | null;
    /** Against the bundle that the record says is running; keys only, never values. */
    readonly changes: {
      readonly create: readonly string[];
      readonly update: readonly string[];
      readonly delete: readonly string[];
      readonly unchanged: number;
    };
  }[];
  /** Grouped by what changes: first what changes on most clusters. Where nothing does, a cluster is in none. */
  readonly changes: readonly {
    readonly clusters: readonly string[];
    readonly create: readonly string[];
    readonly delete: readonly string[];
    /** Values of Secrets are masked. */
    readonly update: readonly ObjectChange[];
  }[];
}

export interface RollbackInput {
  readonly scope?: RollbackScope;
  readonly cluster?: string;
  readonly region?: string;
  readonly wave?: string;
  readonly reason?: string;
}

export interface WaveInput {
  readonly wave: string;
  readonly reason?: string;
}

/** `cluster`: of a gate that is measured on each cluster. */
export interface GateInput extends WaveInput {
  readonly gate: string;
  readonly cluster?: string;
}

export interface WindowInput {
  /** Of a FreezeWindow. */
  readonly window: string;
  readonly reason: string;
}

export interface OverrideInput extends GateInput {
  readonly reason: string;
}

/** A cluster, or a wave's gate. */
export interface RetryInput {
  readonly cluster?: string;
  readonly wave?: string;
  readonly gate?: string;
  readonly reason?: string;
}

/** Either one. */
export interface SkipInput {
  readonly cluster?: string;
  readonly region?: string;
  readonly reason?: string;
}

export interface PauseResult {
  readonly rollout: Rollout;
  /** In force everywhere but, possibly, there: a request that never answered may still land. */
  readonly unsettled: readonly string[];
  /** False: not acknowledged within five seconds (202). */
  readonly inForce: boolean;
}

export interface Explanation {
  readonly subject: string;
  readonly summary: string;
  readonly blockers: readonly Blocker[];
  readonly next: string;
  /** What would follow from each answer to the first blocker. */
  readonly whatIf: readonly WhatIf[];
  /** What else whoever asks should know. */
  readonly notes: readonly string[];
  /** Null: nothing is measured yet, or it waits for a person or for something without an end. */
  readonly expectedEnd: ExpectedEnd | null;
}

/** What people may ask for. Every method checks its input, is one transaction (or several safe ones), and leaves an audit event. */
export interface RolloutCommands {
  start(input: StartRolloutInput, actor: Actor): Promise<{ readonly rollout: Rollout; readonly fresh: boolean }>;
  plan(input: {
    readonly application: string;
    readonly revision?: string;
    readonly strategy?: string;
  }): Promise<PlanPreview>;
  pause(id: string, input: { readonly mode?: PauseMode; readonly reason?: string }, actor: Actor): Promise<PauseResult>;
  resume(id: string, input: { readonly reason?: string }, actor: Actor): Promise<Rollout>;
  abort(id: string, input: { readonly reason?: string }, actor: Actor): Promise<PauseResult>;
  rollback(id: string, input: RollbackInput, actor: Actor): Promise<Rollout>;
  approve(id: string, input: WaveInput, actor: Actor): Promise<Rollout>;
  /** Break-glass: a gate is let through. */
  override(id: string, input: OverrideInput, actor: Actor): Promise<Rollout>;
  overrideWindow(id: string, input: WindowInput, actor: Actor): Promise<Rollout>;
  retry(id: string, input: RetryInput, actor: Actor): Promise<Rollout>;
  skip(id: string, input: SkipInput, actor: Actor): Promise<Rollout>;
  approveDeletions(id: string, input: { readonly reason?: string }, actor: Actor): Promise<Rollout>;
  stopAll(input: { readonly reason?: string }, actor: Actor): Promise<readonly PauseResult[]>;
  resumeAll(input: { readonly reason?: string }, actor: Actor): Promise<readonly Rollout[]>;
  /** `id` or an application's name, which stands for its newest rollout. */
  find(idOrApplication: string): Promise<Rollout>;
  waiting(rollout: Rollout): Promise<readonly Blocker[]>;
  explain(idOrApplication: string): Promise<Explanation>;
  explainCluster(name: string): Promise<Explanation>;
  explainApplication(name: string): Promise<Explanation>;
  allTargets(id: string): Promise<readonly Target[]>;
}

export interface ClusterChanges {
  readonly cluster: string;
  readonly since: Instant;
  readonly until: Instant;
  /** The earliest of the period, against which the changes are ranked; null: nothing broke. */
  readonly signal: Signal | null;
  /** Oldest first. */
  readonly signals: readonly Signal[];
  /** By rank. */
  readonly changes: readonly RankedChange[];
  /** What is missing in `changes`, and why: an empty list of changes means nothing where this is not empty. */
  readonly notLookedAt: readonly NotLookedAt[];
  readonly notes: readonly string[];
}

export interface FleetCommands {
  /** Fetches now and returns when the commit has been judged. */
  syncRepository(name: string, input: { readonly reason?: string }, actor: Actor): Promise<RepositoryRecord>;
  /** Lets a `Held` commit through. */
  approveRepository(name: string, input: { readonly reason?: string }, actor: Actor): Promise<RepositoryRecord>;
  acceptCluster(name: string, input: { readonly reason?: string }, actor: Actor): Promise<ClusterRecord>;
  /** No rollout begins anything there until it is released; what is in flight there finishes. */
  quarantineCluster(name: string, input: { readonly reason: string }, actor: Actor): Promise<ClusterRecord>;
  releaseCluster(name: string, input: { readonly reason?: string }, actor: Actor): Promise<ClusterRecord>;
  /** What changed on a cluster, ranked against when something broke. Asks a worker what the cluster itself tells. */
  changesOn(name: string, input: { readonly since?: Instant }): Promise<ClusterChanges>;
}
