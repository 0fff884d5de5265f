import {
  type Change,
  type ChangeKind,
  type Instant,
  instantAt,
  type RolloutId,
  type Signal,
  type SignalKind,
} from '@breakwater/domain';
import type { StoredAuditEvent } from '../ports/record.port.ts';
import { overwrittenChanges } from './overwritten-edits.ts';
import { releaseChanges, type RolloutHere, signalOfTarget } from './recorded-releases.ts';

export interface RecordedPast {
  readonly cluster: string;
  readonly since: Instant;
  /** About this cluster, oldest first. */
  readonly here: readonly StoredAuditEvent[];
  /** About no single cluster, oldest first. */
  readonly elsewhere: readonly StoredAuditEvent[];
  /** Those that have a target on this cluster. */
  readonly rollouts: ReadonlyMap<string, RolloutHere>;
}

/** What the audit trail and the targets tell of a cluster: what changed, and what broke. */
export const recordedPast = (
  past: RecordedPast,
): { readonly changes: readonly Change[]; readonly signals: readonly Signal[] } => ({
  changes: [
    ...[...past.rollouts].flatMap(([id, here]) =>
      releaseChanges(
        past.here.filter(({ rollout }) => rollout === id),
        here,
      ),
    ),
    ...past.here.flatMap((event) => [...overwrittenChanges(event, past.since), ...wordsHere(event)]),
    ...past.elsewhere.flatMap((event) => wordsElsewhere(event, past)),
  ],
  signals: [
    ...past.here.flatMap((event) => signalHere(event, past)),
    ...[...past.rollouts.values()].flatMap((here) => failingNow(here, past.since)),
  ],
});

/** Nobody said it: it followed, or was seen. */
const isOwn = ({ actor }: StoredAuditEvent): boolean => actor === 'breakwater' || actor === 'system';

const word = (event: StoredAuditEvent, kind: ChangeKind, what = event.message): Change => ({
  at: event.at,
  kind,
  what,
  by: event.actor,
  // Nobody's words: a code of the event's own.
  reason: isOwn(event) ? '' : event.reason,
  object: null,
  application: event.application ?? null,
  rollout: (event.rollout ?? null) as RolloutId | null,
  revision: null,
});

const wordsHere = (event: StoredAuditEvent): readonly Change[] => {
  if (event.type === 'gate.overridden') return [word(event, 'override')];
  // What follows from a person's word (an accepted cluster is Ready) is told by its own event.
  if (isOwn(event) || event.type.startsWith('target.')) return [];
  // The only state of a cluster that a person brings about; `Accepted` stands for a reason that nobody gave.
  if (event.type === 'cluster.state-changed') {
    const accepted = word(event, 'command', `${event.actor} accepted the cluster behind this name`);
    return [event.reason === 'Accepted' ? { ...accepted, reason: '' } : accepted];
  }
  return [word(event, 'command')];
};

/** Their own events follow, and say more. */
const SAID_TWICE: ReadonlySet<string> = new Set(['rollout.override', 'rollout.override-window', 'rollout.approve']);

const wordsElsewhere = (event: StoredAuditEvent, { cluster, rollouts }: RecordedPast): readonly Change[] => {
  if (event.type === 'snapshot.in-force') return [word(event, 'configuration', configuration(event, cluster))];
  if (event.type === 'repository.approve') return [word(event, 'configuration')];
  if (event.rollout === undefined || !rollouts.has(event.rollout) || SAID_TWICE.has(event.type)) return [];
  if (event.type === 'gate.overridden' || event.type === 'window.overridden') return [word(event, 'override')];
  return isOwn(event) ? [] : [word(event, 'command')];
};

/** The trail has the names that a commit brought and took; what changed inside of a document is in Git. */
const configuration = ({ message, data }: StoredAuditEvent, cluster: string): string => {
  const told = Object.entries(KINDS).flatMap(([field, kind]) => {
    const { added = [], removed = [] } = (data?.[field] ?? {}) as NamesOf;
    if (field === 'clusters')
      return [
        ...(added.includes(cluster) ? ['brought this cluster'] : []),
        ...(removed.includes(cluster) ? ['took this cluster away'] : []),
      ];
    return [...added.map((name) => `brought ${kind} ${name}`), ...removed.map((name) => `took ${kind} ${name} away`)];
  });
  const [shown, more] = [told.slice(0, NAMED), told.length - NAMED];
  return [message, ...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};

interface NamesOf {
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
}
const NAMED = 5;
const KINDS = { clusters: 'cluster', fleets: 'fleet', strategies: 'strategy', applications: 'application' } as const;

const CONTACTS: Readonly<Record<string, SignalKind>> = {
  Unreachable: 'ClusterUnreachable',
  Refused: 'ClusterRefused',
  Replaced: 'ClusterReplaced',
};

const signalHere = (event: StoredAuditEvent, { rollouts }: RecordedPast): readonly Signal[] => {
  const target = signalOfTarget(event, rollouts.get(event.rollout ?? ''));
  if (target !== null) return [target];
  const to = event.type === 'cluster.state-changed' ? event.data?.['to'] : undefined;
  const kind = typeof to === 'string' ? CONTACTS[to] : undefined;
  if (kind === undefined) return [];
  const message = [event.reason, event.message].filter((text) => text !== '').join(': ');
  return [{ at: event.at, kind, message, application: null, rollout: null }];
};

/** Not failed yet: it does not mend by itself, and its gate waits a little longer. */
const failingNow = ({ rollout, target }: RolloutHere, since: Instant): readonly Signal[] => {
  const began = target.failingSince ?? target.degradedSince;
  const at = began === null ? null : instantAt(rollout, began);
  if (at === null || at < since || rollout.finishedAt !== null) return [];
  const kind = target.degradedSince === null ? 'TargetFailing' : 'TargetRegressed';
  return [{ at, kind, message: target.message, application: rollout.application, rollout: rollout.id }];
};
