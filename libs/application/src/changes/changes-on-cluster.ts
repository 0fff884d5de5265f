import { type Change, type Instant, type NodeChange, rankChanges, type RolloutId } from '@breakwater/domain';
import type { NotLookedAt } from '../ports/cluster-history.port.ts';
import type { AuditRecords, LookAnswer, RecordPort, StoredAuditEvent } from '../ports/record.port.ts';
import { type ClusterChanges, UseCaseError } from '../use-cases.ts';
import { lookAtCluster } from './look-at-cluster.ts';
import { editChange, withoutDoubles } from './overwritten-edits.ts';
import { recordedPast } from './recorded-past.ts';
import type { RolloutHere } from './recorded-releases.ts';

/** In ms. */
export const CHANGES_PERIOD = 2 * 60 * 60_000;
const EVENTS = 20_000;
const PAGE = 1_000;
const ROLLOUTS = 500;
const ROLLOUTS_AT_ONCE = 16;
const TOLD = 1_000;

/** Every change on a cluster since then that the record or the cluster tells of, the likeliest cause of what broke first. */
export const changesOnCluster = async (
  record: RecordPort,
  cluster: string,
  { since: asked }: { readonly since?: Instant },
): Promise<ClusterChanges> => {
  const until = await record.now();
  const since = asked ?? until - CHANGES_PERIOD;
  if (since > until)
    throw new UseCaseError('Invalid', 'SinceInFuture', `since ${new Date(since).toISOString()} is in the future`);
  const [recorded, looked] = await Promise.all([
    readRecord(record, cluster, since),
    lookAtCluster(record, cluster, since),
  ]);
  const ranking = rankChanges(withoutDoubles(recorded.changes, changesOf(looked)), recorded.signals);
  const signals = recorded.signals.toSorted((left, right) => left.at - right.at);
  return {
    cluster,
    since,
    until,
    signal: ranking.signal,
    signals: signals.slice(0, TOLD),
    changes: ranking.changes.slice(0, TOLD),
    notLookedAt: [
      ...recorded.notLookedAt,
      ...('refused' in looked
        ? ['foreign edits', 'nodes'].map((what) => ({ what, reason: looked.refused }))
        : looked.notLookedAt),
    ],
    notes: [
      ...('refused' in looked ? [] : looked.notes),
      ...(ranking.changes.length > TOLD
        ? [`only the first ${TOLD} of ${ranking.changes.length} changes are told`]
        : []),
      ...(signals.length > TOLD ? [`only the first ${TOLD} of ${signals.length} signals are told`] : []),
    ],
  };
};

const readRecord = async (record: RecordPort, cluster: string, since: Instant) => {
  const [here, elsewhere] = await Promise.all([
    readEvents(record.audit, { cluster, since }),
    readEvents(record.audit, { cluster: null, since }),
  ]);
  const named = [...here.events, ...elsewhere.events].flatMap(({ rollout }) =>
    rollout === undefined ? [] : [rollout],
  );
  const ids = [...new Set(named.toReversed())];
  const rollouts = await rolloutsHere(record, cluster, ids.slice(0, ROLLOUTS));
  const past = { cluster, since, here: here.events, elsewhere: elsewhere.events, rollouts };
  const notLookedAt: NotLookedAt[] = [here, elsewhere].flatMap(({ cut }) =>
    cut === null
      ? []
      : [
          {
            what: `the audit trail after ${new Date(cut).toISOString()}`,
            reason: `only the first ${EVENTS} events are read; ask for a shorter period`,
          },
        ],
  );
  if (ids.length > ROLLOUTS)
    notLookedAt.push({
      what: `${ids.length - ROLLOUTS} of ${ids.length} rollouts`,
      reason: `only the newest ${ROLLOUTS} are read; ask for a shorter period`,
    });
  return { ...recordedPast(past), notLookedAt };
};

type Filter = NonNullable<Parameters<AuditRecords['after']>[2]>;

/** `cut`: the time of the last event that was read, where more follow. */
const readEvents = async (
  audit: AuditRecords,
  filter: Filter,
): Promise<{ readonly events: readonly StoredAuditEvent[]; readonly cut: Instant | null }> => {
  const events: StoredAuditEvent[] = [];
  for (;;) {
    const page = await audit.after(events.at(-1)?.sequence ?? 0, PAGE, filter);
    events.push(...page);
    if (page.length < PAGE) return { events, cut: null };
    if (events.length >= EVENTS) return { events, cut: events.at(-1)?.at ?? null };
  }
};

const rolloutsHere = async (
  record: RecordPort,
  cluster: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RolloutHere>> => {
  const found = new Map<string, RolloutHere>();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) {
      const target = await record.rollouts.target(id as RolloutId, cluster);
      const rollout = target === null ? null : await record.rollouts.get(target.rollout);
      if (target !== null && rollout !== null) found.set(id, { rollout, target });
    }
  };
  await Promise.all(Array.from({ length: Math.min(ROLLOUTS_AT_ONCE, ids.length) }, lane));
  return found;
};

const changesOf = (looked: LookAnswer): readonly Change[] =>
  'refused' in looked ? [] : [...looked.edits.map(editChange), ...looked.nodes.map(nodeChange)];

const nodeChange = ({ node, at, what, by }: NodeChange): Change => ({
  at,
  kind: 'node',
  what: `node ${node}: ${what}`,
  by,
  reason: '',
  object: null,
  application: null,
  rollout: null,
  revision: null,
});
