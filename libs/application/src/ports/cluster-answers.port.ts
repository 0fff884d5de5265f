import type { ObjectKey } from '@breakwater/domain';

/** The cluster, or a rule, says no; trying again does not help. Messages are scrubbed of Secret values. */
export interface Refusal {
  readonly kind: 'Refused';
  readonly reason:
    | 'FieldConflict'
    | 'OwnedByAnotherApplication'
    | 'NotAdopted'
    | 'Invalid'
    | 'AdmissionDenied'
    | 'Forbidden'
    | 'Unauthorized'
    | 'KindNotServed'
    | 'NamespaceTerminating'
    | 'QuotaExceeded'
    | 'RollbackImpossible'
    | 'InventoryLost'
    | 'ForeignInstallation'
    | 'ClusterReplaced'
    /** Of these four it is Breakwater's own access that is wrong: a kubeconfig that cannot be used, */
    | 'CredentialsRefused'
    /** that is not there, */
    | 'CredentialsNotFound'
    /** that would run a program on this machine, */
    | 'ExecNotAllowed'
    /** or that would read a file of it. */
    | 'FileReferenceNotAllowed'
    | 'TooManyDeletions'
    | 'DeletionStuck';
  readonly message: string;
  readonly object: ObjectKey | null;
  /** Something may have been written before the refusal. */
  readonly partial: boolean;
}

/** The fence is at a higher epoch: either this worker was overtaken, or the record was restored from an old copy. */
export interface FenceRefusal {
  readonly kind: 'Fenced';
  /** 0: the fence that this session held, or was making, is gone; a successor may have taken the whole application back. */
  readonly fenceEpoch: number;
}

/** Time-out, refused connection, reset, TLS failure, 429/5xx beyond retries: trying again later may help. */
export interface Cutoff {
  readonly kind: 'Unreachable';
  readonly reason:
    'Timeout' | 'ConnectionRefused' | 'ConnectionLost' | 'TlsFailed' | 'NameNotResolved' | 'ServerError' | 'Throttled';
  readonly message: string;
  readonly retryAfterMs: number | null;
  readonly partial: boolean;
}
