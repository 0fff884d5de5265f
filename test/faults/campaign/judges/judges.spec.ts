import { fleetOf } from '../campaign-fleet.ts';
import { contentOf } from '../content.ts';
import type { ClusterEnd, Evidence, Landing, Look, Promised, RolloutSeen, TargetSeen } from '../evidence.ts';
import type { ReleaseStep } from '../steps.ts';
import { judgeDeletions } from './deletions.ts';
import { JUDGES, judgeAll } from './judges.ts';
import { judgeOneWriter } from './one-writer.ts';
import { judgePromises } from './promises.ts';
import { judgePlans, judgeSameEnd, judgeTrail, judgeWaits } from './record.ts';
import { judgeStatus } from './status.ts';
import { judgeBadReleases, judgeConcurrency, judgeWaveOrder } from './waves.ts';

/** c0, s0 | c1, s1, s2, s3 | c2, s4 … s11 */
const FLEET = fleetOf(3, 12);
const [CANARY, SECOND, REST] = FLEET.waves.map(({ clusters }) => clusters) as [string[], string[], string[]];

const release = (version: string, more: Partial<ReleaseStep> = {}): ReleaseStep => ({
  type: 'release',
  atMs: 0,
  kind: 'good',
  version,
  brokenOn: [],
  behaviour: 'broken',
  settings: 4,
  claim: false,
  supersede: false,
  onceHeld: false,
  ...more,
});

const commitOf = (version: string): string => `commit-${version}`;

const target = (cluster: string, version: string, previous: string, more: Partial<TargetSeen> = {}): TargetSeen => ({
  cluster,
  wave: FLEET.waves.find(({ clusters }) => clusters.includes(cluster))?.name ?? '',
  state: 'Succeeded',
  reason: '',
  revision: commitOf(version),
  previous: commitOf(previous),
  started: true,
  ...more,
});

const all = [...CANARY, ...SECOND, ...REST];

const rollout = (id: string, of: ReleaseStep, previous: string, more: Partial<RolloutSeen> = {}): RolloutSeen => ({
  id,
  release: of,
  state: 'Succeeded',
  message: '',
  revision: commitOf(of.version),
  targets: all.map((cluster) => target(cluster, of.version, previous)),
  ...more,
});

const fence = (cluster: string, at: number, id: string, epoch: number, open: boolean, took = 2): Landing => ({
  cluster,
  receivedAt: at,
  landedAt: at + took,
  verb: 'write',
  object: 'configmaps/breakwater-system/web',
  version: null,
  fence: { rollout: id, epoch, open },
});

const write = (cluster: string, at: number, version: string, more: Partial<Landing> = {}): Landing => ({
  cluster,
  receivedAt: at,
  landedAt: at + 2,
  verb: 'write',
  object: 'configmaps/web/settings-0',
  version,
  fence: null,
  ...more,
});

/** One undisturbed visit: fence, object, fence. */
const visit = (cluster: string, at: number, id: string, epoch: number, version: string): readonly Landing[] => [
  fence(cluster, at, id, epoch, true),
  write(cluster, at + 10, version),
  fence(cluster, at + 20, id, epoch, false),
];

const end = (of: ReleaseStep, cluster: string, more: Partial<ClusterEnd> = {}): ClusterEnd => ({
  content: contentOf(of, cluster),
  ready: true,
  stranger: { before: 'uid 1', now: 'uid 1' },
  ...more,
});

const OLD = release('1');
const NEW = release('2');

/** Release 2 goes over release 1, wave by wave, and one cluster after the other. */
const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  fleet: FLEET,
  releases: new Map([
    ['1', OLD],
    ['2', NEW],
  ]),
  versions: new Map([
    [commitOf('1'), '1'],
    [commitOf('2'), '2'],
  ]),
  rollouts: [rollout('r2', NEW, '1')],
  started: new Set(['r2']),
  landings: all.flatMap((cluster, index) => visit(cluster, 1_000 + index * 100, 'r2', 2, '2')),
  fences: new Map(all.map((cluster) => [cluster, { rollout: 'r1', epoch: 1, open: false }])),
  promises: [],
  looks: [],
  disturbed: new Set(),
  programsOnly: true,
  ends: new Map(all.map((cluster) => [cluster, end(NEW, cluster)])),
  endsAfterLateWrites: new Map(all.map((cluster) => [cluster, end(NEW, cluster)])),
  trail: [],
  ...more,
});

const with2 = (...more: readonly Landing[]): readonly Landing[] =>
  [...evidence().landings, ...more].sort((a, b) => a.receivedAt - b.receivedAt);

const whats = (verdict: { readonly broken: readonly { readonly what: string }[] }): string =>
  verdict.broken.map(({ what }) => what).join('\n');

it('nobody objects to an undisturbed rollout', () => {
  expect(judgeAll(evidence()).flatMap(({ broken }) => broken)).toEqual([]);
  expect(new Set(judgeAll(evidence()).map(({ rule }) => rule)).size).toBe(JUDGES.length);
});

describe('one writer', () => {
  it('a write of the older rollout after the newer one has the fence is found', () => {
    const wrong = judgeOneWriter(
      evidence({
        landings: [fence('c0', 100, 'r3', 3, true), write('c0', 200, '2'), fence('c0', 300, 'r3', 3, false)],
        rollouts: [rollout('r2', NEW, '1'), rollout('r3', release('3'), '1')],
        versions: new Map([...evidence().versions, [commitOf('3'), '3']]),
      }),
    );
    expect(whats(wrong)).toBe('c0: version 2 was written while the fence was held for 3 or 1');
  });

  it('a write that nobody holds the fence for is found', () => {
    expect(whats(judgeOneWriter(evidence({ landings: with2(write('c0', 5_000, '2')) })))).toContain(
      'nobody had the fence',
    );
  });

  it('an epoch that goes back, and one that two rollouts have, are found', () => {
    const back = evidence({ landings: with2(fence('c0', 6_000, 'r1', 1, true)) });
    expect(whats(judgeOneWriter(back))).toContain('the fence went from r2 epoch 2 to r1 epoch 1');
    const twice = evidence({ landings: with2(fence('c0', 6_000, 'r1', 2, true)) });
    expect(whats(judgeOneWriter(twice))).toContain('the fence went from r2 epoch 2 to r1 epoch 2');
  });

  it('where the log does not tell the order, the doubt is in favour', () => {
    const landings = [
      fence('c0', 100, 'r2', 2, true),
      // The successor takes the fence while the write is being answered.
      write('c0', 200, '2', { landedAt: 230 }),
      fence('c0', 210, 'r3', 3, true),
    ];
    const rollouts = [rollout('r2', NEW, '1'), rollout('r3', release('3'), '1')];
    expect(judgeOneWriter(evidence({ landings, rollouts })).broken).toEqual([]);
  });

  it('the deletion of an object that both versions have is found, that of one of them is not', () => {
    const deletion = (object: string): Landing => write('c0', 1_012, '', { verb: 'delete', object, version: null });
    expect(judgeOneWriter(evidence({ landings: with2(deletion('configmaps/web/of-1')) })).broken).toEqual([]);
    const wrong = judgeOneWriter(evidence({ landings: with2(deletion('deployments/web/web')) }));
    expect(whats(wrong)).toContain('an object was deleted that both versions have');
    const first = rollout('r2', NEW, '1', { targets: [target('c0', '2', '', { previous: null })] });
    const back = evidence({ landings: with2(deletion('deployments/web/web')), rollouts: [first] });
    expect(judgeOneWriter(back).broken.filter(({ what }) => what.includes('deleted'))).toEqual([]);
  });
});

describe('promises', () => {
  const promised = (kind: Promised['kind'], more: Partial<Promised> = {}): Promised => ({
    kind,
    rollout: 'r2',
    from: 990,
    to: 1_015,
    unsettled: new Set(),
    started: new Set(),
    ...more,
  });

  it.each(['freeze', 'abort', 'stop all'] as const)('a write after an acknowledged %s is found', (kind) => {
    const wrong = judgePromises(evidence({ promises: [promised(kind, kind === 'stop all' ? { rollout: null } : {})] }));
    expect(wrong.broken).toHaveLength(2);
    expect(whats(wrong)).toContain(`c0: written after “${kind}”`);
  });

  it('a cluster that the acknowledgement names is outside of the promise', () => {
    const promises = [promised('freeze', { unsettled: new Set(['c0']) })];
    expect(judgePromises(evidence({ promises })).broken).toEqual([]);
  });

  it('another rollout is not bound by it', () => {
    expect(judgePromises(evidence({ promises: [promised('freeze', { rollout: 'r7' })] })).broken).toEqual([]);
  });

  it('what was received before is no break', () => {
    expect(judgePromises(evidence({ promises: [promised('freeze', { from: 1_021, to: 1_099 })] })).broken).toEqual([]);
  });

  it('a start in a drain is found, and what had started may go on', () => {
    expect(whats(judgePromises(evidence({ promises: [promised('drain')] })))).toContain('c0: written after “drain”');
    const promises = [promised('drain', { started: new Set(['c0']) })];
    expect(judgePromises(evidence({ promises })).broken).toEqual([]);
  });
});

describe('waves', () => {
  it('a cluster that is touched before the wave before is done is found', () => {
    const landings = [...visit('c0', 1_000, 'r2', 2, '2'), ...visit('c1', 1_100, 'r2', 2, '2')];
    expect(whats(judgeWaveOrder(evidence({ landings })))).toContain('c1 of wave second was touched before s0');
  });

  it('a cluster that is touched while the wave before is still open is found', () => {
    const landings = [
      ...visit('c0', 1_000, 'r2', 2, '2'),
      fence('s0', 1_000, 'r2', 2, true),
      ...visit('c1', 1_100, 'r2', 2, '2'),
      fence('s0', 1_500, 'r2', 2, false),
    ];
    expect(whats(judgeWaveOrder(evidence({ landings })))).toContain('c1 of wave second was touched before s0');
  });

  it('what is only taken back there, as a superseded rollout had begun it, is no beginning', () => {
    const judged = (started: boolean, version: string) => {
      const landings = [...visit('c0', 1_000, 'r2', 2, '2'), ...visit('c1', 1_100, 'r2', 2, version)];
      const targets = all.map((cluster) =>
        target(cluster, '2', '1', cluster === 'c1' ? { state: 'RolledBack', started } : {}),
      );
      return judgeWaveOrder(evidence({ landings, rollouts: [rollout('r2', NEW, '1', { targets })] })).broken;
    };
    expect(judged(false, '1')).toEqual([]);
    expect(judged(true, '1')).not.toEqual([]);
    // Whatever the record says: what is there is of the release.
    expect(judged(false, '2')).not.toEqual([]);
  });

  const openAtOnce = (clusters: readonly string[]): readonly Landing[] => [
    ...clusters.map((cluster) => fence(cluster, 2_000, 'r2', 2, true)),
    ...clusters.map((cluster) => fence(cluster, 2_500, 'r2', 2, false)),
  ];

  it('more clusters of a wave at once than it allows are found', () => {
    expect(judgeConcurrency(evidence({ landings: openAtOnce(SECOND.slice(0, 3)) })).broken).toEqual([]);
    expect(whats(judgeConcurrency(evidence({ landings: openAtOnce(SECOND.slice(0, 4)) })))).toContain(
      'r2, wave second: 4 clusters at once, 3 are allowed',
    );
  });

  it('more clusters of a failure domain at once than it allows are found, also of several rollouts', () => {
    const domain = all.filter((cluster) => FLEET.domains.get(cluster) === 'd0');
    const landings = domain.flatMap((cluster, index) => [
      fence(cluster, 2_000, `r${index}`, 2, true),
      fence(cluster, 2_500, `r${index}`, 2, false),
    ]);
    const wrong = judgeConcurrency(evidence({ landings, started: new Set(['r0', 'r1', 'r2']), fences: new Map() }));
    expect(whats(wrong)).toBe('failure domain d0: 3 clusters at once, 2 are allowed');
  });

  it('a bad release beyond its wave is found', () => {
    const bad = release('2', { kind: 'bad', brokenOn: ['s0'] });
    expect(judgeBadReleases(evidence({ rollouts: [rollout('r2', bad, '1')] })).broken).toHaveLength(
      SECOND.length + REST.length,
    );
    const landings = CANARY.flatMap((cluster) => visit(cluster, 1_000, 'r2', 2, '2'));
    expect(judgeBadReleases(evidence({ rollouts: [rollout('r2', bad, '1')], landings })).broken).toEqual([]);
  });
});

describe('deletions', () => {
  it.each(['persistentvolumeclaims/web/data', 'namespaces//web'])('that of %s is found', (object) => {
    const landings = with2(write('c0', 1_012, '', { verb: 'delete', object, version: null }));
    expect(whats(judgeDeletions(evidence({ landings })))).toBe(`c0: ${object} was deleted`);
  });

  it("a change of what is nobody's is found", () => {
    const ends = new Map([['s3', end(NEW, 's3', { stranger: { before: 'uid 1', now: 'uid 2' } })]]);
    expect(whats(judgeDeletions(evidence({ endsAfterLateWrites: ends })))).toBe(
      "s3: an object that is nobody's was touched",
    );
  });
});

describe('status', () => {
  const oneEnd = (cluster: string, is: ClusterEnd): ReadonlyMap<string, ClusterEnd> => new Map([[cluster, is]]);

  it('Succeeded over other objects is found, before and after late writes', () => {
    const ends = oneEnd('s5', end(OLD, 's5'));
    expect(whats(judgeStatus(evidence({ ends })))).toContain(
      's5 is not as the record says, when everything had settled',
    );
    expect(whats(judgeStatus(evidence({ endsAfterLateWrites: ends })))).toContain('after late writes had landed');
  });

  it('one object too many, and one too few, are found', () => {
    const content = contentOf(NEW, 's5');
    const more = oneEnd('s5', end(NEW, 's5', { content: { ...content, 'ConfigMap/of-1': '1' } }));
    expect(judgeStatus(evidence({ ends: more })).broken).toHaveLength(1);
    const { 'ConfigMap/settings-3': _gone, ...fewer } = content;
    expect(judgeStatus(evidence({ ends: oneEnd('s5', end(NEW, 's5', { content: fewer })) })).broken).toHaveLength(1);
  });

  it('Succeeded over a workload that is not ready is found', () => {
    const ends = oneEnd('s5', end(NEW, 's5', { ready: false }));
    expect(whats(judgeStatus(evidence({ ends })))).toContain('not ready, and the record says verified');
  });

  const rolledBack = rollout('r2', NEW, '1', {
    state: 'RolledBack',
    targets: all.map((cluster) => target(cluster, '2', '1', { state: 'RolledBack' })),
  });

  it('RolledBack over objects of the release is found', () => {
    const wrong = judgeStatus(evidence({ rollouts: [rolledBack], ends: oneEnd('s5', end(NEW, 's5')) }));
    expect(whats(wrong)).toContain('s5 is not as the record says');
    const ends = new Map(all.map((cluster) => [cluster, end(OLD, cluster)]));
    expect(judgeStatus(evidence({ rollouts: [rolledBack], ends, endsAfterLateWrites: ends })).broken).toEqual([]);
  });

  it('a mix of three revisions is found where a rollout was aborted, a mix of its two is not', () => {
    const aborted = rollout('r2', NEW, '1', {
      state: 'Aborted',
      targets: all.map((cluster) => target(cluster, '2', '1', { state: 'Applying' })),
    });
    const mixed = (version: string): ReadonlyMap<string, ClusterEnd> =>
      oneEnd('s5', end(OLD, 's5', { content: { ...contentOf(OLD, 's5'), 'ConfigMap/settings-0': version } }));
    const judged = (version: string) =>
      judgeStatus(evidence({ rollouts: [aborted], ends: mixed(version), endsAfterLateWrites: new Map() })).broken;
    expect(judged('2')).toEqual([]);
    expect(judged('0')).toHaveLength(1);
  });

  it('what an aborted rollout left of the one before it, which was aborted as well, is no third revision', () => {
    const aborted = (id: string, of: string) =>
      rollout(id, release(of), '1', {
        state: 'Aborted',
        targets: all.map((cluster) => target(cluster, of, '1', { state: 'Verifying', reason: 'Partial' })),
      });
    const content = { ...contentOf(NEW, 's5'), 'ConfigMap/of-3': '3' };
    const ends = oneEnd('s5', end(NEW, 's5', { content }));
    const judged = (...rollouts: readonly RolloutSeen[]) =>
      judgeStatus(
        evidence({
          rollouts,
          ends,
          endsAfterLateWrites: new Map(),
          releases: new Map([...evidence().releases, ['3', release('3')]]),
          versions: new Map([...evidence().versions, [commitOf('3'), '3']]),
        }),
      ).broken;
    expect(judged(aborted('r3', '3'), aborted('r2', '2'))).toEqual([]);
    expect(judged(rollout('r1', OLD, '1'), aborted('r2', '2'))).toHaveLength(1);
  });

  it('what a target says that was never started does not count: the rollout before it does', () => {
    const untouched = rollout('r3', release('3'), '2', {
      state: 'RolledBack',
      targets: all.map((cluster) => target(cluster, '3', '2', { state: 'Pending', started: false })),
    });
    expect(judgeStatus(evidence({ rollouts: [rollout('r2', NEW, '1'), untouched] })).broken).toEqual([]);
  });

  it('what a superseded rollout has left, and its successor has taken back without having begun there, is as it was', () => {
    const successor = rollout('r3', release('3'), '1', {
      state: 'RolledBack',
      targets: all.map((cluster) => target(cluster, '3', '1', { state: 'RolledBack', started: false })),
    });
    const judged = (of: ReleaseStep) => {
      const ends = new Map(all.map((cluster) => [cluster, end(of, cluster)]));
      const rollouts = [rollout('r2', NEW, '1', { state: 'Superseded' }), successor];
      return judgeStatus(evidence({ rollouts, ends, endsAfterLateWrites: new Map() })).broken;
    };
    expect(judged(OLD)).toEqual([]);
    expect(judged(NEW)).toHaveLength(all.length);
  });

  it('a headline that hides a cluster is found', () => {
    const targets = all.map((cluster) =>
      target(cluster, '2', '1', cluster === 's5' ? { state: 'Skipped', started: false } : {}),
    );
    const ends = new Map<string, ClusterEnd>();
    const said = (state: string, message: string) =>
      judgeStatus(
        evidence({ rollouts: [rollout('r2', NEW, '1', { state, message, targets })], ends, endsAfterLateWrites: ends }),
      );
    expect(whats(said('Succeeded', ''))).toContain('says Succeeded, and not all targets are');
    expect(whats(said('Incomplete', '1 skipped: s50'))).toContain('does not name s5');
    expect(said('Incomplete', '1 skipped: s5').broken).toEqual([]);
  });
});

describe('the record', () => {
  it('another end than the expected one is found where only programs failed', () => {
    const rollouts = [rollout('r2', NEW, '1', { state: 'RolledBack' })];
    expect(whats(judgeSameEnd(evidence({ rollouts })))).toContain('undisturbed it would be Succeeded');
    expect(judgeSameEnd(evidence({ rollouts, programsOnly: false })).broken).toEqual([]);
  });

  it('a release that regresses and succeeds is found, whatever else happened', () => {
    const regressing = release('2', { kind: 'regressing', brokenOn: ['s0'], behaviour: 'degrades-3s' });
    const rollouts = [rollout('r2', regressing, '1')];
    expect(whats(judgeSameEnd(evidence({ rollouts, programsOnly: false })))).toContain(
      'undisturbed it would be RolledBack',
    );
  });

  it('a gap in the audit trail, and a link that does not follow, are found', () => {
    const link = (sequence: number, hash = 'h', expectedHash = 'h') => ({ sequence, hash, expectedHash });
    expect(judgeTrail(evidence({ trail: [link(1), link(2), link(3)] })).broken).toEqual([]);
    expect(whats(judgeTrail(evidence({ trail: [link(1), link(3)] })))).toBe('the audit trail goes from 1 to 3');
    expect(whats(judgeTrail(evidence({ trail: [link(1), link(2, 'h', 'other')] })))).toContain('event 2');
  });

  const look = (at: number, more: Partial<Look> = {}): Look => ({
    at,
    rollout: 'r2',
    state: 'Progressing',
    paused: null,
    progress: 'some',
    plan: 'the plan',
    reasons: ['GatePending'],
    next: 'then the next wave',
    ...more,
  });

  it('a plan that changes is found', () => {
    expect(whats(judgePlans(evidence({ looks: [look(1), look(2, { plan: 'another' })] })))).toBe(
      'the plan of r2 changed',
    );
  });

  it('a wait without a reason is found when it lasts', () => {
    const silent = (at: number, progress = 'some') => look(at, { reasons: [], progress });
    expect(judgeWaits(evidence({ looks: [silent(0), silent(4_000)] })).broken).toEqual([]);
    expect(judgeWaits(evidence({ looks: [silent(0), silent(3_000, 'more'), silent(6_000, 'more')] })).broken).toEqual(
      [],
    );
    expect(whats(judgeWaits(evidence({ looks: [silent(0), silent(4_000), silent(7_000)] })))).toContain(
      'names no reason',
    );
  });

  it('a freeze that explain does not name, and a next that is not said, are found', () => {
    expect(whats(judgeWaits(evidence({ looks: [look(0, { paused: 'freeze' })] })))).toContain('it is frozen');
    expect(whats(judgeWaits(evidence({ looks: [look(0, { next: '' })] })))).toContain('what happens next');
    expect(judgeWaits(evidence({ looks: [look(0, { paused: 'freeze', reasons: ['EmergencyStop'] })] })).broken).toEqual(
      [],
    );
  });
});
