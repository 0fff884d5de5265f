import type {
  ApplyPolicy,
  HealthBaseline,
  HealthReport,
  KubeObject,
  ObjectKey,
  OwnHealthRule,
  TargetPreflight,
} from '@breakwater/domain';
import type { Cutoff, FenceRefusal, Refusal } from './cluster-answers.port.ts';
import type { ClusterHistory, ForeignEdit } from './cluster-history.port.ts';
import type { ClusterJobs, ClusterProbing } from './cluster-probing.port.ts';
import type { WritePermit } from './write-permit.port.ts';

export type { Cutoff, FenceRefusal, Refusal } from './cluster-answers.port.ts';
export { PermitLost, type WritePermit } from './write-permit.port.ts';

/** What an inventory says of one object: written ahead, before the object itself is. */
export interface InventoryEntry {
  readonly key: ObjectKey;
  /** `created`: absent before Breakwater wrote it. `adopted`: it was there and was nobody's. */
  readonly origin: 'created' | 'adopted';
  /** Known once the object was seen; null while it was only written ahead. */
  readonly uid: string | null;
  /** The rollout whose write brought the key into the inventory. */
  readonly rollout: string;
  /** API version with which it was last written. */
  readonly apiVersion: string;
  readonly objectDigest: string | null;
  /** Digest of the fields that our field manager owns: a foreign edit moves it. */
  readonly fieldsDigest: string | null;
}

/** What an adopted object or a forced field was before us; kept encrypted in the record, for the rollback. */
export interface BeforeImage {
  readonly key: ObjectKey;
  readonly object: KubeObject;
}

export interface Session {
  readonly application: string;
  /** This Breakwater's id: another installation's fence is never crossed. */
  readonly installation: string;
  readonly rollout: string;
  /** Rollouts whose unsettled work counts as this one's own: superseded or aborted right before it. */
  readonly lineage: readonly string[];
  readonly epoch: number;
  readonly nonce: string;
  /** The record says that this cluster carries an inventory of the application. */
  readonly expectInventory: boolean;
  /** uid of `kube-system` that the record has bound to this name: anything else is `ClusterReplaced`. */
  readonly clusterUid: string;
  readonly permit: WritePermit;
  readonly signal: AbortSignal;
}

export interface ApplyRequest extends Session {
  readonly mode: 'forward' | 'rollback';
  readonly objects: readonly KubeObject[];
  readonly policy: ApplyPolicy;
  /** What the state before is judged by, where it is not built in; default: none. */
  readonly healthRules?: readonly OwnHealthRule[];
  /** For a rollback: what was there before (adopted objects, forced fields). */
  readonly before: readonly BeforeImage[];
  /** Before-images must be in the record before the first write that needs them. */
  readonly journal: (images: readonly BeforeImage[]) => Promise<void>;
  /**
   * Called once, after the objects were read and before anything is written: which workloads were already ill, which objects will change.
   * The record marks the target as touched in it (write-ahead).
   */
  readonly beforeFirstWrite: (facts: {
    readonly baseline: Baseline;
    readonly changing: readonly ObjectKey[];
    /** Edits by others that are about to be written over by force; default: none. */
    readonly overwrites?: readonly Omit<ForeignEdit, 'application'>[];
  }) => Promise<void>;
}

/** Health of the application's objects before this rollout's first write, by key; what was absent is left out. */
export type Baseline = HealthBaseline;

export type ApplyOutcome =
  | {
      readonly kind: 'Applied';
      readonly changed: readonly ObjectKey[];
      readonly unchanged: number;
      /** In the inventory, not in the bundle: what a prune would delete. */
      readonly prunable: readonly ObjectKey[];
    }
  | Refusal
  | FenceRefusal
  | Cutoff;

export interface PruneRequest extends Session {
  readonly mode: 'forward' | 'rollback';
  /** Keys that stay. */
  readonly keep: readonly ObjectKey[];
  readonly policy: ApplyPolicy;
  /** Rollback to nothing: also the namespace that we made, the fence and `breakwater-system` go when nothing else is left in them. */
  readonly removeAll: boolean;
}

export type PruneOutcome =
  | {
      readonly kind: 'Pruned';
      readonly deleted: readonly ObjectKey[];
      /** Not as the bundle has it, and why. `NotRunAgain`: a Job that the rollout has deleted, and that is not made again. */
      readonly kept: readonly { readonly key: ObjectKey; readonly reason: string }[];
      /**
       * Keys that a predecessor who was overtaken had written ahead and not made: its create may still land. Absent now;
       * pruning again, at the latest before the rollout's end, looks again and deletes what has come.
       */
      readonly suspects: readonly ObjectKey[];
      /** False when the last trace of the application is gone from the cluster. */
      readonly inventory: boolean;
    }
  | Refusal
  | FenceRefusal
  | Cutoff;

export type AssessOutcome = { readonly kind: 'Assessed'; readonly report: HealthReport } | Refusal | Cutoff;

export interface DryRunRequest extends Pick<ApplyRequest, 'objects' | 'policy' | 'signal' | 'application' | 'mode'> {
  /** Of `objects`, those that are tried. */
  readonly only: readonly ObjectKey[];
}

export type DryRunOutcome =
  | {
      readonly kind: 'Tried';
      /** Every object that would be refused; empty: none. */
      readonly refused: readonly {
        readonly object: ObjectKey;
        readonly reason: Refusal['reason'];
        readonly message: string;
      }[];
      /** Nobody can tell before the write itself. */
      readonly notDryRun: readonly ObjectKey[];
    }
  | Refusal
  | Cutoff;

/** What a cluster says of a release before anything is written; messages are scrubbed of Secret values. */
export type PreflightOutcome =
  ({ readonly kind: 'Checked' } & Pick<TargetPreflight, 'findings' | 'warnings' | 'notDryRun'>) | Refusal | Cutoff;

export interface PreflightRequest extends Pick<ApplyRequest, 'objects' | 'policy' | 'signal' | 'application'> {
  /** Whether objects of the application may have to be deleted there. */
  readonly deletes: boolean;
}

export type IdentifyOutcome =
  | { readonly kind: 'Identified'; readonly uid: string; readonly version: string; readonly serverTime: number | null }
  | Refusal
  | Cutoff;

/** One cluster's API server, through a kept-alive pool of its own. Nothing in it waits for another cluster. */
export interface ClusterConnection extends ClusterProbing, ClusterHistory, ClusterJobs {
  readonly name: string;
  identify(signal: AbortSignal): Promise<IdentifyOutcome>;
  apply(request: ApplyRequest): Promise<ApplyOutcome>;
  prune(request: PruneRequest): Promise<PruneOutcome>;
  /** Would these objects of a bundle be accepted over what is live? Writes nothing. */
  dryRun(request: DryRunRequest): Promise<DryRunOutcome>;
  /** Everything that would stop this bundle, as far as it can be known without writing. */
  preflight(request: PreflightRequest): Promise<PreflightOutcome>;
  /** A fresh read of the objects (and the pods and events behind them), judged by the domain's health rules. */
  assess(request: {
    readonly application: string;
    readonly keys: readonly { readonly key: ObjectKey; readonly apiVersion: string }[];
    readonly baseline: Baseline;
    readonly changed: readonly ObjectKey[];
    /** Beside the built-in ones; default: none. */
    readonly healthRules?: readonly OwnHealthRule[];
    readonly signal: AbortSignal;
  }): Promise<AssessOutcome>;
  /**
   * Calls `onChange` when something that matters for the health of these objects may have changed, and when the watch is lost
   * (ninety seconds of silence is loss). Re-establishes itself until `signal` aborts.
   */
  watch(request: {
    readonly keys: readonly { readonly key: ObjectKey; readonly apiVersion: string }[];
    readonly onChange: () => void;
    readonly signal: AbortSignal;
  }): void;
  close(): Promise<void>;
}

export interface ClusterConnector {
  /** A pooled connection; credentials are read again when they have changed. Cheap to call often. */
  connect(cluster: string): Promise<ClusterConnection | Refusal | Cutoff>;
  closeAll(): Promise<void>;
}

/** A credential is there, and nobody can use it as it is. The message quotes nothing of it. */
export class CredentialUnreadable extends Error {
  override readonly name = 'CredentialUnreadable';
}

/** Where kubeconfigs come from: a directory of `<name>.kubeconfig`, or the record. The value is secret. */
export interface CredentialStore {
  /**
   * Null: there is none of that name. `version` changes when the credential does. Throws {@link CredentialUnreadable} for what is wrong
   * with the credential itself; anything else that is thrown says nothing about it.
   */
  read(name: string): Promise<{ readonly kubeconfig: string; readonly version: string } | null>;
}
