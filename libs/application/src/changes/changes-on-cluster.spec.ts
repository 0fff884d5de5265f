import type { NodeChange, ObjectKey } from '@breakwater/domain';
import type { LookAnswer, RecordPort, StoredAuditEvent } from '../ports/record.port.ts';
import { changesOnCluster } from './changes-on-cluster.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const MINUTE = 60_000;

const event = (sequence: number, at: number, rest: Partial<StoredAuditEvent> = {}): StoredAuditEvent => ({
  sequence,
  at,
  type: 'cluster.quarantined',
  actor: 'noor',
  reason: '',
  message: `event ${sequence}`,
  hash: '',
  cluster: 'eu',
  ...rest,
});
const broke = event(1, NOW - 10 * MINUTE, {
  type: 'cluster.state-changed',
  actor: 'breakwater',
  reason: 'Timeout',
  data: { to: 'Unreachable' },
});

interface Scene {
  readonly events?: readonly StoredAuditEvent[];
  readonly answer?: LookAnswer;
  /** Questions that wait already leave no room. */
  readonly full?: boolean;
}

/** As much of a record as the question needs; its workers answer at once. */
const recordOf = ({ events = [], answer = { refused: 'Timeout: silent' }, full = false }: Scene) => {
  const asked: { cluster: string; since: number }[] = [];
  let answered: LookAnswer | null = null;
  let tell: (id: string) => void = () => undefined;
  const record = {
    now: async () => NOW,
    audit: {
      after: async (sequence: number, limit: number, filter: { cluster?: string | null; since?: number }) =>
        events
          .filter(
            (one) => one.sequence > sequence && (one.cluster ?? null) === filter.cluster && one.at >= filter.since!,
          )
          .slice(0, limit),
    },
    rollouts: { target: async () => null, get: async () => null },
    listen: async (_channel: string, handler: (id: string) => void) => {
      tell = handler;
      return async () => undefined;
    },
    looks: {
      ask: async ({ id, ...look }: { id: string; cluster: string; since: number }) => {
        asked.push(look);
        queueMicrotask(() => {
          answered = answer;
          tell(id);
        });
        return !full;
      },
      answerTo: async () => answered,
    },
  };
  return { record: record as unknown as RecordPort, asked };
};

const looked = (found: Partial<Extract<LookAnswer, { edits: unknown }>>): LookAnswer => ({
  edits: [],
  nodes: [],
  notLookedAt: [],
  notes: [],
  ...found,
});
const edit = {
  application: 'web',
  object: 'apps/Deployment/web/web' as ObjectKey,
  at: NOW - 11 * MINUTE,
  what: 'set spec.replicas',
  manager: 'kubectl-edit',
};
const node: NodeChange = { node: 'n1', at: NOW - 30 * MINUTE, what: 'Ready became Unknown', by: '' };

describe('the changes of a cluster', () => {
  it('are those of the record and those that the cluster tells, ranked against what broke', async () => {
    const events = [broke, event(2, NOW - 5 * MINUTE), event(3, NOW - 11 * MINUTE)];
    const { record, asked } = recordOf({ events, answer: looked({ edits: [edit], nodes: [node] }) });
    const changes = await changesOnCluster(record, 'eu', {});
    expect(asked).toEqual([{ cluster: 'eu', since: NOW - 120 * MINUTE }]);
    expect(changes).toMatchObject({
      since: NOW - 120 * MINUTE,
      until: NOW,
      signal: { at: NOW - 10 * MINUTE, kind: 'ClusterUnreachable' },
      notLookedAt: [],
    });
    expect(changes.changes.map(({ rank, relation, by, what }) => `${rank} ${relation} ${by}: ${what}`)).toEqual([
      '1 before kubectl-edit: apps/Deployment/web/web was edited: kubectl-edit set spec.replicas',
      '2 before : node n1: Ready became Unknown',
      '3 before noor: event 3',
      '4 after noor: event 2',
    ]);
  });

  it('name edits and nodes as not looked at, with the reason, when the cluster cannot be read', async () => {
    const { record } = recordOf({ events: [event(1, NOW - MINUTE)], answer: { refused: 'ConnectionRefused: nobody' } });
    const changes = await changesOnCluster(record, 'eu', { since: NOW - 60 * MINUTE });
    expect(changes.changes).toHaveLength(1);
    expect(changes.signal).toBeNull();
    expect(changes.notLookedAt).toEqual([
      { what: 'foreign edits', reason: 'ConnectionRefused: nobody' },
      { what: 'nodes', reason: 'ConnectionRefused: nobody' },
    ]);
  });

  it('say so as well when too many ask at once, and hand on what a worker could not read', async () => {
    const crowded = await changesOnCluster(recordOf({ full: true }).record, 'eu', {});
    const reason = 'too many people are asking at once; ask again in a moment';
    expect(crowded.notLookedAt).toEqual(['foreign edits', 'nodes'].map((what) => ({ what, reason })));
    const forbidden = [{ what: 'nodes', reason: 'Forbidden: nodes is forbidden' }];
    const answer = looked({ notLookedAt: forbidden, notes: ['the clock is ahead'] });
    const changes = await changesOnCluster(recordOf({ answer }).record, 'eu', {});
    expect(changes).toMatchObject({ notLookedAt: forbidden, notes: ['the clock is ahead'] });
  });

  it('say where the audit trail was not read to its end', async () => {
    const events = Array.from({ length: 20_001 }, (_, index) => event(index + 1, NOW - 100 * MINUTE + index));
    const { changes, notes, notLookedAt } = await changesOnCluster(recordOf({ events }).record, 'eu', {});
    expect(changes).toHaveLength(1_000);
    expect(notes).toEqual(['only the first 1000 of 20000 changes are told']);
    expect(notLookedAt[0]).toEqual({
      what: `the audit trail after ${new Date(NOW - 100 * MINUTE + 19_999).toISOString()}`,
      reason: 'only the first 20000 events are read; ask for a shorter period',
    });
  });

  it('are refused for a time in the future', async () => {
    await expect(changesOnCluster(recordOf({}).record, 'eu', { since: NOW + 1 })).rejects.toMatchObject({
      code: 'SinceInFuture',
      category: 'Invalid',
    });
  });
});
