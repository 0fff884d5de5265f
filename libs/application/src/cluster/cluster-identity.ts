import type { Instant } from '@breakwater/domain';
import type { AuditEvent, ClusterObservation, ClusterRecord, QuarantineOrder } from '../ports/record.port.ts';

/** A cluster as the record keeps it: also the uid that was seen last, which is not the bound one when the cluster was replaced. */
export interface ClusterIdentity extends ClusterRecord {
  readonly seenUid: string | null;
}

export const unknownCluster = (name: string): ClusterIdentity => ({
  name,
  uid: null,
  seenUid: null,
  version: null,
  state: 'Unknown',
  reason: '',
  message: '',
  lastSeen: null,
  quarantine: null,
});

/**
 * What a contact means. The uid of `kube-system` is bound to the name at the first contact; another uid later is another cluster behind the
 * same name. `twin`: the name of another cluster to which this uid is bound, if any.
 */
export const observeCluster = (
  before: ClusterIdentity,
  observation: ClusterObservation,
  twin: string | null,
  now: Instant,
): ClusterIdentity => {
  if (observation.kind !== 'Seen') {
    const { kind, reason, message } = observation;
    return { ...before, state: kind, reason, message };
  }
  const seen = { ...before, seenUid: observation.uid, version: observation.version, lastSeen: now };
  if (before.uid !== null && before.uid !== observation.uid) {
    const message = `its kube-system had uid ${before.uid} and has ${observation.uid}`;
    return { ...seen, state: 'Replaced', reason: 'ClusterReplaced', message };
  }
  if (twin !== null) {
    return { ...seen, state: 'Refused', reason: 'DuplicateIdentity', message: `it is the same cluster as ${twin}` };
  }
  return { ...seen, uid: observation.uid, state: 'Ready', reason: '', message: '' };
};

/** A person says that the new cluster behind the name is meant; null when it was not replaced, or is another name's. */
export const acceptCluster = (before: ClusterIdentity, twin: string | null): ClusterIdentity | null =>
  before.state !== 'Replaced' || before.seenUid === null || twin !== null
    ? null
    : { ...before, uid: before.seenUid, state: 'Ready', reason: 'Accepted', message: '' };

/** A quarantine is a person's, and stays whatever contacts say of the cluster. */
export const quarantineCluster = (
  before: ClusterIdentity,
  held: boolean,
  { by, reason }: QuarantineOrder,
  now: Instant,
): ClusterIdentity => ({ ...before, quarantine: held ? { by, reason, since: now } : null });

export const auditOfQuarantine = (after: ClusterIdentity, { by, reason }: QuarantineOrder): AuditEvent => ({
  type: after.quarantine === null ? 'cluster.released' : 'cluster.quarantined',
  actor: by,
  reason,
  message:
    after.quarantine === null
      ? `${by} released the cluster: rollouts may touch it again`
      : `${by} quarantined the cluster: no rollout touches it until it is released`,
  cluster: after.name,
});

/** The audit event of the change, with the reason that a person gave; null when nothing changed that a person would ask about. */
export const auditOfCluster = (
  before: ClusterIdentity,
  after: ClusterIdentity,
  actor: string,
  reason = '',
): AuditEvent | null =>
  after.state === before.state && after.reason === before.reason
    ? null
    : {
        type: 'cluster.state-changed',
        actor,
        reason: reason === '' ? after.reason : reason,
        message: after.message,
        cluster: after.name,
        data: { from: before.state, to: after.state, uid: after.uid },
      };
