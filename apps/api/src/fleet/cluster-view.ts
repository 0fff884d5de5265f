import type { ApplicationOnCluster, ClusterRecord, RecordPort } from '@breakwater/application';
import type { Cluster, Revision } from '@breakwater/domain';
import type { WireCluster } from '@breakwater/platform';
import { iso, isoOrNull } from '../rollouts/rollout.presenter.ts';

type Known = { readonly document: Cluster | null; readonly record: ClusterRecord | null };

const plain = (revision: Revision | null) =>
  revision === null ? null : { commit: revision.commit, digest: revision.digest };

/** What the cluster should have: by the rollout that works on it, else by a debt, else what was last good there. */
const desiredOn = async (record: RecordPort, on: ApplicationOnCluster): Promise<Revision | null> => {
  if (on.blockedBy !== null) {
    const target = await record.rollouts.target(on.blockedBy, on.cluster);
    const goesBack = target !== null && ['RollingBack', 'RolledBack', 'RollbackFailed'].includes(target.state);
    if (target !== null) return goesBack ? target.previous : target.revision;
  }
  return on.owed === null ? on.lastGood : on.owed.revision;
};

const factsOf = (cluster: Cluster | null): Record<string, unknown> =>
  cluster === null
    ? {}
    : {
        labels: { ...cluster.labels },
        failureDomain: cluster.failureDomain,
        risk: cluster.risk,
        ...JSON.parse(JSON.stringify(cluster.characteristics)),
      };

/** A quarantine comes first: what contacts say of the cluster follows in words. */
const stateOf = (contact: ClusterRecord | null): Pick<WireCluster, 'state' | 'reason' | 'message' | 'quarantine'> => {
  if (contact === null)
    return { state: 'Unknown', reason: 'NotContactedYet', message: 'has not been contacted yet', quarantine: null };
  const { state, reason, message } = contact;
  if (contact.quarantine === null) return { state, reason, message, quarantine: null };
  const { by, reason: why, since } = contact.quarantine;
  const contacted = state === 'Ready' ? '' : `; ${state}${message === '' ? '' : `: ${message}`}`;
  return {
    state: 'Quarantined',
    reason: 'QuarantinedByPerson',
    message: `by ${by}: ${why}${contacted}`,
    quarantine: { by, reason: why, since: iso(since) },
  };
};

export const viewCluster = async (
  record: RecordPort,
  name: string,
  { document, record: contact }: Known,
): Promise<WireCluster> => {
  const applications = await record.cluster.applicationsOn(name);
  return {
    name,
    region: document?.region ?? null,
    uid: contact?.uid ?? null,
    version: contact?.version ?? null,
    ...stateOf(contact),
    lastSeen: isoOrNull(contact?.lastSeen ?? null),
    facts: factsOf(document),
    applications: await Promise.all(
      applications.map(async (on) => ({
        application: on.application,
        desired: plain(await desiredOn(record, on)),
        running: plain(on.running),
        lastGood: plain(on.lastGood),
        owed: on.owed === null ? null : { revision: plain(on.owed.revision), rollout: on.owed.rollout },
        blockedBy: on.blockedBy,
      })),
    ),
  };
};
