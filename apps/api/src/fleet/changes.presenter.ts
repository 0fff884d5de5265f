import type { ClusterChanges } from '@breakwater/application';
import { scrub } from '@breakwater/platform';
import type { WireChanges } from '@breakwater/platform';
import { iso, isoOrNull } from '../rollouts/rollout.presenter.ts';

type Signal = NonNullable<ClusterChanges['signal']>;

const presentSignal = ({ at, kind, message, application, rollout }: Signal): WireChanges['signals'][number] => ({
  at: iso(at),
  kind,
  message: scrub(message),
  application,
  rollout,
});

const presentChange = (change: ClusterChanges['changes'][number]): WireChanges['changes'][number] => ({
  rank: change.rank,
  at: isoOrNull(change.at),
  relation: change.relation,
  kind: change.kind,
  what: scrub(change.what),
  by: change.by,
  reason: scrub(change.reason),
  object: change.object,
  application: change.application,
  rollout: change.rollout,
  revision: change.revision === null ? null : { commit: change.revision.commit, digest: change.revision.digest },
});

export const presentChanges = (changes: ClusterChanges): WireChanges => ({
  cluster: changes.cluster,
  since: iso(changes.since),
  until: iso(changes.until),
  signal: changes.signal === null ? null : presentSignal(changes.signal),
  signals: changes.signals.map(presentSignal),
  changes: changes.changes.map(presentChange),
  notLookedAt: changes.notLookedAt.map(({ what, reason }) => ({ what, reason: scrub(reason) })),
  notes: [...changes.notes],
});
