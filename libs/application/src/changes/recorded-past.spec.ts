import { rankChanges, type Rollout, type Target } from '@breakwater/domain';
import type { StoredAuditEvent } from '../ports/record.port.ts';
import { recordedPast, type RecordedPast } from './recorded-past.ts';

const COMMIT = 'c0ffee0000000000000000000000000000000001';
const BEFORE = 'beef000000000000000000000000000000000001';

const rollout = {
  id: 'r1',
  application: 'web',
  createdBy: 'mara',
  createdReason: 'friday',
  rollback: null,
  finishedAt: null,
  clock: { ran: 0, since: 0 },
} as unknown as Rollout;
const target = {
  rollout: 'r1',
  cluster: 'eu',
  touched: true,
  revision: { commit: COMMIT, digest: 'd2' },
  previous: { commit: BEFORE, digest: 'd1' },
  failingSince: null,
  degradedSince: null,
  message: '',
} as unknown as Target;

let sequence = 0;
const event = (at: number, type: string, rest: Partial<StoredAuditEvent> = {}): StoredAuditEvent => ({
  sequence: (sequence += 1),
  at,
  type,
  actor: 'breakwater',
  reason: '',
  message: '',
  hash: '',
  ...rest,
});
const onTarget = (at: number, to: string, rest: Partial<StoredAuditEvent> = {}): StoredAuditEvent =>
  event(at, 'target.state-changed', {
    rollout: 'r1',
    application: 'web',
    cluster: 'eu',
    reason: to,
    data: { to },
    ...rest,
  });
const touching = (at: number): StoredAuditEvent =>
  onTarget(at, 'Applying', { type: 'target.changed', reason: 'Touching' });

const told = (past: Partial<RecordedPast>) => {
  const { changes, signals } = recordedPast({
    cluster: 'eu',
    since: 0,
    here: [],
    elsewhere: [],
    rollouts: new Map([['r1', { rollout, target }]]),
    ...past,
  });
  return {
    changes: changes.map(
      ({ at, kind, what, by, reason }) => `${at} ${kind} by ${by}: ${what}${reason === '' ? '' : ` (${reason})`}`,
    ),
    signals: signals.map(({ at, kind, message }) => `${at} ${kind}: ${message}`),
  };
};

describe('what the record tells of a cluster', () => {
  it('is one change for a release, from when it began to write, with what became of it', () => {
    const here = [
      onTarget(1_000, 'Applying'),
      touching(2_000),
      onTarget(3_000, 'Verifying'),
      onTarget(9_000, 'Succeeded'),
    ];
    expect(told({ here })).toEqual({
      changes: ['2000 release by mara: began to write web c0ffee000000; verified at 00:00:09 UTC (friday)'],
      signals: [],
    });
  });

  it('is no change where the release was only verified, without a write', () => {
    const here = [onTarget(1_000, 'Applying'), onTarget(3_000, 'Verifying'), onTarget(9_000, 'Succeeded')];
    const untouched = new Map([['r1', { rollout, target: { ...target, touched: false } }]]);
    expect(told({ here, rollouts: untouched }).changes).toEqual([]);
  });

  it('is a change of its own for the way back, to the revision before or to nothing', () => {
    const here = [
      touching(2_000),
      onTarget(3_000, 'Failed', { message: 'ImagePullBackOff' }),
      onTarget(4_000, 'RollingBack'),
      onTarget(8_000, 'RolledBack'),
    ];
    const rollback = { by: 'breakwater', reason: 'failure budget' };
    const going = { ...rollout, rollback } as unknown as Rollout;
    expect(told({ here, rollouts: new Map([['r1', { rollout: going, target }]]) })).toEqual({
      changes: [
        '2000 release by mara: began to write web c0ffee000000; failed at 00:00:03 UTC (friday)',
        '4000 release by breakwater: began to return web to beef00000000; returned at 00:00:08 UTC (failure budget)',
      ],
      signals: ['3000 TargetFailed: ImagePullBackOff'],
    });
    const first = new Map([['r1', { rollout, target: { ...target, previous: null } }]]);
    expect(told({ here, rollouts: first }).changes[1]).toMatch(/began to return web to nothing/);
  });

  it('tells what began before the period and came to its end in it, and what was taken up again', () => {
    expect(told({ here: [onTarget(9_000, 'Succeeded')] }).changes).toEqual([
      '9000 release by mara: verified web c0ffee000000; it began before the period (friday)',
    ]);
    const again = [onTarget(2_000, 'Unreachable'), onTarget(3_000, 'Applying'), onTarget(4_000, 'Succeeded')];
    expect(told({ here: again }).changes).toEqual([
      '3000 release by mara: took up web c0ffee000000 again; verified at 00:00:04 UTC (friday)',
    ]);
  });

  it('does not take a retry after a return for a write before it writes', () => {
    const returned = [touching(2_000), onTarget(3_000, 'RollingBack'), onTarget(4_000, 'RolledBack')];
    const cutOff = [...returned, onTarget(5_000, 'Applying'), onTarget(6_000, 'Failed')];
    expect(told({ here: cutOff }).changes.map((line) => line.split(' ')[0])).toEqual(['2000', '3000']);
    const written = [...returned, onTarget(5_000, 'Applying'), touching(6_000)];
    expect(told({ here: written }).changes.map((line) => line.split(' ')[0])).toEqual(['2000', '3000', '6000']);
  });

  it('has as signals targets that fail, regress or are cut off, and a cluster that is away', () => {
    const here = [
      onTarget(1_000, 'Succeeded', { type: 'target.changed', reason: 'Regressing', message: '0 of 1 available' }),
      onTarget(2_000, 'Succeeded', { type: 'target.changed', reason: 'Verified' }),
      onTarget(3_000, 'Unreachable', { message: 'no answer' }),
      onTarget(4_000, 'RollbackFailed', { message: 'denied' }),
      event(5_000, 'cluster.state-changed', { reason: 'Timeout', message: 'silent', data: { to: 'Unreachable' } }),
      event(6_000, 'cluster.state-changed', { actor: 'system', data: { to: 'Ready' } }),
    ];
    expect(told({ here, rollouts: new Map() }).changes).toEqual([]);
    expect(told({ here }).signals).toEqual([
      '1000 TargetRegressed: 0 of 1 available',
      '3000 TargetUnreachable: no answer',
      '4000 TargetFailed: denied',
      '5000 ClusterUnreachable: Timeout: silent',
    ]);
  });

  it('has as a signal a target that is failing and has not failed yet, while its rollout lasts', () => {
    const failing = { ...target, failingSince: 700, message: 'CrashLoopBackOff' } as Target;
    const ofTarget = (one: Rollout) => told({ rollouts: new Map([['r1', { rollout: one, target: failing }]]) }).signals;
    expect(ofTarget(rollout)).toEqual(['700 TargetFailing: CrashLoopBackOff']);
    expect(ofTarget({ ...rollout, finishedAt: 900 })).toEqual([]);
    expect(told({ since: 701, rollouts: new Map([['r1', { rollout, target: failing }]]) }).signals).toEqual([]);
  });

  it('tells the words of people about the cluster and about rollouts that have it, each once, and no others', () => {
    const about = { rollout: 'r1', actor: 'noor' };
    const elsewhere = [
      event(1, 'rollout.created', { ...about, message: 'rollout of web' }),
      event(2, 'rollout.override-window', { ...about, message: 'asked' }),
      event(2, 'window.overridden', { ...about, message: 'noor set FreezeWindow/x aside' }),
      event(3, 'rollout.pause', { ...about, message: 'noor asked to pause the rollout' }),
      event(4, 'rollout.pause', { rollout: 'r2', actor: 'noor', message: 'another rollout' }),
      event(5, 'wave.state-changed', { rollout: 'r1', message: 'wave canary is Progressing' }),
      event(6, 'repository.sync', { actor: 'noor', message: 'asked' }),
    ];
    const here = [
      event(7, 'cluster.quarantined', { actor: 'noor', cluster: 'eu', message: 'noor quarantined the cluster' }),
      event(8, 'gate.overridden', { actor: 'noor', cluster: 'eu', message: 'noor let gate smoke pass' }),
      event(9, 'cluster.state-changed', { actor: 'noor', reason: 'Accepted', data: { to: 'Ready' } }),
    ];
    expect(told({ here, elsewhere }).changes).toEqual([
      '7 command by noor: noor quarantined the cluster',
      '8 override by noor: noor let gate smoke pass',
      '9 command by noor: noor accepted the cluster behind this name',
      '1 command by noor: rollout of web',
      '2 override by noor: noor set FreezeWindow/x aside',
      '3 command by noor: noor asked to pause the rollout',
    ]);
  });

  it('tells what a commit brought and took, this cluster by name', () => {
    const data = {
      clusters: { added: ['eu', 'us'], removed: [] },
      applications: { added: ['db'], removed: ['old'] },
      strategies: { added: ['a', 'b', 'c', 'd'], removed: [] },
    };
    expect(
      told({ elsewhere: [event(1, 'snapshot.in-force', { reason: 'Synced', message: 'commit c1 is in force', data })] })
        .changes,
    ).toEqual([
      '1 configuration by breakwater: commit c1 is in force; brought this cluster; brought strategy a; brought strategy b; brought strategy c; brought strategy d; and 2 more',
    ]);
  });

  it('puts a release that failed on its way before the words that led to it', () => {
    const elsewhere = [event(1_500, 'rollout.created', { rollout: 'r1', actor: 'mara', message: 'rollout of web' })];
    const here = [touching(2_000), onTarget(3_000, 'Failed')];
    const past = { cluster: 'eu', since: 0, here, elsewhere, rollouts: new Map([['r1', { rollout, target }]]) };
    const { changes, signals } = recordedPast(past);
    expect(rankChanges(changes, signals).changes.map(({ kind }) => kind)).toEqual(['release', 'command']);
  });
});
