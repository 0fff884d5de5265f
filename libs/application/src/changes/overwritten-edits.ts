import type { Change, Instant, Target } from '@breakwater/domain';
import type { ForeignEdit } from '../ports/cluster-history.port.ts';
import type { AuditEvent, StoredAuditEvent } from '../ports/record.port.ts';

const TYPE = 'target.edits-overwritten';
const KEPT = 100;

/** Kept in the trail: once they are written over, the cluster tells nothing of these edits any more. */
export const auditOfOverwrites = (
  { rollout, cluster }: Pick<Target, 'rollout' | 'cluster'>,
  application: string,
  edits: readonly Omit<ForeignEdit, 'application'>[],
): AuditEvent => ({
  type: TYPE,
  actor: 'breakwater',
  reason: 'ConflictsForced',
  message: `${edits.length} ${edits.length === 1 ? 'edit' : 'edits'} by others on objects that are written over by force`,
  rollout,
  application,
  cluster,
  data: { edits: edits.slice(0, KEPT).map(({ object, at, what, manager }) => ({ object, at, what, manager })) },
});

type Kept = Pick<ForeignEdit, 'object' | 'at' | 'what' | 'manager'>;

/** Those of the period. */
export const overwrittenChanges = (event: StoredAuditEvent, since: Instant): readonly Change[] => {
  if (event.type !== TYPE) return [];
  const { edits = [] } = (event.data ?? {}) as { readonly edits?: readonly Kept[] };
  return edits
    .filter(({ at }) => at === null || at >= since)
    .map((edit) => editChange({ application: event.application ?? '', ...edit }));
};

export const editChange = ({ application, object, at, what, manager }: ForeignEdit): Change => ({
  at,
  kind: 'edit',
  what: `${object} ${manager === '' ? what : `was edited: ${manager} ${what}`}`,
  by: manager,
  reason: '',
  object,
  application,
  rollout: null,
  revision: null,
});

/** What was written over in part is still told by the cluster; what was written over in several attempts was recorded with each. */
export const withoutDoubles = (recorded: readonly Change[], told: readonly Change[]): readonly Change[] => {
  const place = ({ object, by, at }: Change): string => `${object} ${by} ${at}`;
  const known = new Set(told.map(place));
  const kept = new Map<string, Change>();
  for (const change of recorded)
    if (change.kind === 'edit' && !known.has(place(change))) kept.set(`${place(change)} ${change.what}`, change);
  return [...told, ...kept.values(), ...recorded.filter(({ kind }) => kind !== 'edit')];
};
