import { describeRun, dueOf, hasPassed } from '../gates/gate-machine.ts';
import type { Blocker, WaitingReason } from './blocker.ts';
import { haltingGates } from './gate-commands.ts';
import { instantAt } from './rollout-clock.ts';
import { describePreflight, PREFLIGHT_FAILED } from './preflight.ts';
import { isTerminal } from './rollout-machine.ts';
import type { Instant, Rollout, Target, Wave } from './rollout.ts';
import { gatesOfTarget } from './target-gates.ts';
import { slowAfter } from './slow.ts';
import { isConfirmed } from './wave-counts.ts';
import { type GateAt, gatesOf } from './wave-gates.ts';

const row = (blocker: Partial<Blocker> & Pick<Blocker, 'reason' | 'evidence'>): Blocker => ({
  wave: null,
  cluster: null,
  gate: null,
  object: null,
  since: null,
  until: null,
  ...blocker,
});

const instantOf = (rollout: Rollout, time: number | null): Instant | null =>
  time === null ? null : instantAt(rollout, time);

/** Another rollout that is at work on a cluster or in its failure domain, or owes it something. */
export interface Holder {
  readonly rollout: Rollout;
  /** Its own target: there, or on another cluster of the failure domain. */
  readonly target: Target;
}

/** By the cluster that waits. */
export type Holders = ReadonlyMap<string, Holder>;
const NOBODY: Holders = new Map();

/**
 * Rule 11: why the rollout is not further. `targets`: those that are not finished (a first page is enough: each is one row), and
 * `holders` of those that come next. A pause comes first, because nothing below it matters while it is there.
 */
export const blockersOf = (
  rollout: Rollout,
  targets: readonly Target[],
  holders: Holders = NOBODY,
): readonly Blocker[] => {
  if (isTerminal(rollout)) return targets.flatMap((target) => debt(rollout, target));
  const blockers: Blocker[] = [];
  if (rollout.paused !== null) {
    const { mode, by, reason, since, emergency } = rollout.paused;
    blockers.push(
      row({
        reason: emergency ? 'EmergencyStop' : 'Paused',
        evidence: `${mode === 'freeze' ? 'frozen' : 'draining'} by ${by}${reason === '' ? '' : `: ${reason}`}`,
        since,
      }),
    );
    if (mode === 'freeze') return blockers;
  }
  if (rollout.state === 'Queued') {
    blockers.push(
      row({
        reason: 'Queued',
        evidence: 'an older rollout of the application is not finished',
        since: rollout.createdAt,
      }),
    );
    return blockers;
  }
  if (rollout.state === 'Preflight' || rollout.state === 'Planned') {
    const refusals = rollout.reason === PREFLIGHT_FAILED ? targets.flatMap((target) => refusal(rollout, target)) : [];
    if (refusals.length > 0) return [...blockers, ...refusals];
    const reason = rollout.reason === 'TooManyDeletions' ? 'TooManyDeletions' : 'GatePending';
    const evidence = rollout.message === '' ? 'every cluster is about to be asked' : rollout.message;
    return [...blockers, row({ reason, gate: 'preflight', evidence, since: rollout.createdAt })];
  }
  if (rollout.state === 'Halted') blockers.push(halt(rollout));
  blockers.push(
    ...targets.filter(isAwaitedIn(rollout)).flatMap((target) => blockerOfTarget(rollout, target, holders)),
    ...gatesOfWaves(rollout),
    ...soaking(rollout),
  );
  if (blockers.length === 0) blockers.push(...waitingToStart(rollout, targets, holders));
  return blockers;
};

/** What a rollout that has ended still has to do on a cluster. */
const debt = (rollout: Rollout, target: Target): readonly Blocker[] => {
  if (target.owes === null) return [];
  const what = target.owes === 'back' ? 'the revision from before' : 'the new revision';
  const why = target.message === '' ? target.reason : target.message;
  return [
    row({
      reason: 'ClusterUnreachable',
      wave: rollout.waves[target.wave]?.name ?? null,
      cluster: target.cluster,
      object: target.evidence?.object ?? null,
      evidence: `it is owed ${what}: ${target.state}${why === '' ? '' : `: ${why}`}`,
      since: target.finishedAt ?? rollout.finishedAt,
    }),
  ];
};

/** A person decides; what the clusters say is in rows of their own. */
const halt = (rollout: Rollout): Blocker => {
  const wave = rollout.waves.find(({ state }) => state === 'Failed');
  return row({
    reason: HALTS[rollout.reason] ?? 'GateFailing',
    wave: wave?.name ?? null,
    gate:
      rollout.reason === 'TargetsSlow'
        ? rollout.plan.policy.workloads.name
        : (haltingGates(rollout)[0]?.gate.name ?? null),
    evidence: rollout.message,
    since: wave?.finishedAt ?? null,
  });
};

const HALTS: Readonly<Record<string, WaitingReason>> = {
  ClusterUnreachable: 'ClusterUnreachable',
  RollbackImpossible: 'IrreversibleStep',
};

/** A rollback waits for its returns; what was on its way forward stays where it is. */
const isAwaitedIn =
  (rollout: Rollout) =>
  ({ state }: Target): boolean =>
    rollout.state !== 'RollingBack' || state === 'RollingBack';

/** A cluster that would refuse the release holds it everywhere. */
const refusal = (rollout: Rollout, target: Target): readonly Blocker[] => {
  if (target.state !== 'Pending' || target.preflight?.state !== 'Failed') return [];
  return [
    row({
      reason: 'GateFailing',
      gate: 'preflight',
      wave: rollout.waves[target.wave]?.name ?? null,
      cluster: target.cluster,
      object: target.preflight.findings[0]?.object ?? null,
      evidence: describePreflight(target),
      since: rollout.createdAt,
    }),
  ];
};

const blockerOfTarget = (rollout: Rollout, target: Target, holders: Holders): readonly Blocker[] => {
  const wave = rollout.waves[target.wave]?.name ?? null;
  const { workloads: gate, unreachable } = rollout.plan.policy;
  const common = { wave, cluster: target.cluster };
  const evidence = target.evidence?.text ?? target.message;
  const object = target.evidence?.object ?? null;
  if (target.unreachableSince !== null && !target.unreachableSettled) {
    return [
      row({
        ...common,
        reason: 'ClusterUnreachable',
        evidence: target.message,
        since: instantOf(rollout, target.unreachableSince),
        until: instantOf(rollout, target.unreachableSince + unreachable.wait),
      }),
    ];
  }
  switch (target.state) {
    case 'Applying':
      if (target.opensAt !== null)
        return [
          row({ ...common, reason: windowReasonOf(target), evidence, since: target.startedAt, until: target.opensAt }),
        ];
      return [
        row({
          ...common,
          reason: 'GatePending',
          gate: gate.name,
          evidence: 'the objects are being applied',
          since: target.startedAt,
        }),
      ];
    case 'Verifying': {
      if (target.phase === 'gates') {
        const open = gatesOfTarget(rollout, target).flatMap((at) => openGate(rollout, common, at));
        const passed = row({ ...common, reason: 'GatePending', gate: gate.name, evidence: 'every gate has passed' });
        return open.length === 0
          ? [{ ...passed, since: instantOf(rollout, target.verifyingSince), until: target.dueAt }]
          : open;
      }
      const failing = target.failingSince !== null && gate.failFast !== 'off';
      const until = failing ? target.failingSince + gate.failFast : (target.healthySince ?? 0) + gate.stableFor;
      const waited = target.slow && target.healthySince === null && !failing;
      const timeout = (target.verifyingSince ?? 0) + slowAfter(rollout.plan.policy);
      return [
        row({
          ...common,
          reason: target.failingSince === null ? 'GatePending' : 'GateFailing',
          gate: gate.name,
          object,
          evidence: waited ? target.message : evidence,
          since: instantOf(rollout, target.verifyingSince),
          until: waited
            ? null
            : instantOf(rollout, failing || target.healthySince !== null ? Math.min(until, timeout) : timeout),
        }),
      ];
    }
    case 'RollingBack':
      return [
        row({
          ...common,
          reason: 'GatePending',
          gate: gate.name,
          object,
          evidence: evidence || 'being rolled back',
          since: instantOf(rollout, target.verifyingSince),
        }),
      ];
    case 'Succeeded':
      if (isUnseen(rollout, target)) return [row({ ...common, ...unseen(rollout), gate: gate.name })];
      return target.degraded
        ? [
            row({
              ...common,
              reason: 'GateFailing',
              gate: gate.name,
              object,
              evidence: `after it was verified: ${evidence}`,
              since: instantOf(rollout, target.degradedSince),
              until: instantOf(rollout, (target.degradedSince ?? 0) + gate.timeout),
            }),
          ]
        : [];
    case 'Pending':
      return target.opensAt === null
        ? heldBy(common, holders.get(target.cluster))
        : [
            row({
              ...common,
              reason: windowReasonOf(target),
              evidence,
              since: rollout.waves[target.wave]?.startedAt ?? null,
              until: target.opensAt,
            }),
          ];
    case 'Failed':
      // Otherwise it is within the budget, or on its way back.
      return rollout.state === 'Halted'
        ? [row({ ...common, reason: 'GateFailing', gate: gate.name, object, evidence, since: target.finishedAt })]
        : [];
    case 'Unreachable':
      return rollout.state === 'Halted'
        ? [
            row({
              ...common,
              reason: 'ClusterUnreachable',
              evidence: target.message,
              since: instantOf(rollout, target.unreachableSince) ?? target.finishedAt,
            }),
          ]
        : [];
    case 'Prefetching':
    case 'Skipped':
    case 'RolledBack':
    case 'RollbackFailed':
      return [];
  }
};

/** Verified, and to be seen healthy anew before its wave passes or the rollout ends. */
export const isUnseen = (rollout: Pick<Rollout, 'round'>, target: Target): boolean =>
  target.state === 'Succeeded' && !target.degraded && !isConfirmed(target, rollout.round);

const unseen = ({ lastLook, waves }: Rollout): Pick<Blocker, 'reason' | 'evidence' | 'since'> => ({
  reason: 'GatePending',
  evidence:
    lastLook === null
      ? 'verified, and not seen healthy since the rollout goes on again'
      : 'verified, and not seen by the last look yet',
  since: waves.findLast((wave) => wave.finishedAt !== null)?.finishedAt ?? null,
});

const heldBy = (
  where: { readonly wave: string | null; readonly cluster: string },
  holder: Holder | undefined,
): readonly Blocker[] => {
  if (holder === undefined) return [];
  const { target } = holder;
  const evidence = describeHolder(holder, where.cluster);
  const reason = target.cluster === where.cluster ? 'ClusterBusy' : 'FailureDomain';
  return [row({ ...where, reason, object: target.evidence?.object ?? null, evidence, since: heldSince(holder) })];
};

const describeHolder = ({ rollout, target }: Holder, waiting: string): string => {
  const why = target.message === '' ? target.reason : target.message;
  const owes = target.owes !== null;
  const act =
    target.cluster === waiting
      ? `${owes ? 'owes it its revision' : 'is at work there'}`
      : `${owes ? 'owes a revision' : 'is at work'} in its failure domain ${target.failureDomain}, on ${target.cluster}`;
  return `rollout ${rollout.id} of ${rollout.application} (${rollout.state}) ${act}: ${target.state}${why === '' ? '' : `: ${why}`}`;
};

const heldSince = ({ rollout, target }: Holder): Instant => target.startedAt ?? rollout.startedAt ?? rollout.createdAt;

const windowReasonOf = (target: Target): 'FreezeWindow' | 'MaintenanceWindow' =>
  target.reason === 'FreezeWindow' ? 'FreezeWindow' : 'MaintenanceWindow';

/** One row for a gate that has not passed; an inconclusive one waits for a person. */
const openGate = (
  rollout: Rollout,
  where: { readonly wave: string | null; readonly cluster: string | null },
  at: GateAt,
): readonly Blocker[] => {
  const { gate, run } = at;
  if (hasPassed(run) || run.state === 'Waiting') return [];
  const approval = gate.kind === 'approval';
  const failing = run.state === 'Failed' || run.lastVerdict === 'Failure';
  const decision = run.state === 'Inconclusive' ? 'inconclusive, and waits for a person: ' : '';
  return [
    row({
      ...where,
      reason: approval ? 'AwaitingApproval' : failing ? 'GateFailing' : 'GatePending',
      gate: gate.name,
      object: run.object,
      evidence: `${decision}${describeRun(gate, run)}`,
      since: instantOf(rollout, run.since),
      until: approval ? null : instantOf(rollout, dueOf(gate, run)),
    }),
  ];
};

/** Gates before the wave that is next, and those that it soaks by. */
const gatesOfWaves = (rollout: Rollout): readonly Blocker[] => {
  const wave = rollout.waves.find((candidate) => candidate.state !== 'Succeeded');
  if (rollout.state !== 'Progressing' || wave === undefined) return [];
  const phase = wave.startedAt === null ? 'before' : 'after';
  const where = { wave: wave.name, cluster: null };
  return gatesOf(rollout, wave, phase).flatMap((at) => openGate(rollout, where, at));
};

const soaking = (rollout: Rollout): readonly Blocker[] =>
  rollout.waves.flatMap((wave) => {
    if (wave.state !== 'Soaking' || wave.soakingSince === null) return [];
    const soak = rollout.plan.waves[wave.index]?.soakMs ?? 0;
    return [
      row({
        reason: 'Soaking',
        wave: wave.name,
        evidence: `every cluster of the wave has to stay healthy for ${Math.round(soak / 1000)} s`,
        since: instantOf(rollout, wave.soakingSince),
        until: instantOf(rollout, wave.soakingSince + soak),
      }),
    ];
  });

/**
 * Nothing is under way and targets are left: their clusters or failure domains are taken by others. A wave that has passed counts
 * too: a cluster of it that was away and came back has to be verified again.
 */
const waitingToStart = (rollout: Rollout, targets: readonly Target[], holders: Holders): readonly Blocker[] => {
  const [pending] = targets.filter(({ state }) => state === 'Pending');
  const own = pending === undefined ? null : (earlierWave(rollout, pending) ?? noRoom(rollout, pending));
  if (own !== null) return [own];
  const returns = waitingToReturn(rollout, holders);
  const wave = rollout.waves.find((candidate) => candidate.counts.pending > 0);
  if (returns.length > 0 || rollout.state === 'RollingBack' || wave === undefined) return returns;
  return [
    row({
      reason: 'FailureDomain',
      wave: wave.name,
      evidence: `${waiting(wave.counts.pending)}: another rollout is at work in their failure domains or on them`,
      since: wave.startedAt,
    }),
  ];
};

const waiting = (clusters: number): string => `${clusters} ${clusters === 1 ? 'cluster waits' : 'clusters wait'}`;

const leftToReturn = ({ state }: Rollout, { counts }: Wave): number =>
  state === 'RollingBack' ? counts.toReturn : state === 'Progressing' ? counts.failedToReturn : 0;

/** Of a rollback the last wave goes first; before it, what has failed is itself returned. Null: nothing waits to be. */
export const nextWaveToReturn = (rollout: Rollout): Wave | null =>
  rollout.waves.findLast((wave) => leftToReturn(rollout, wave) > 0) ?? null;

const waitingToReturn = (rollout: Rollout, holders: Holders): readonly Blocker[] => {
  const wave = nextWaveToReturn(rollout);
  if (wave === null) return [];
  const [first] = holders;
  const who =
    first === undefined ? 'another rollout is at work in their failure domains' : describeHolder(first[1], first[0]);
  const evidence = `${waiting(leftToReturn(rollout, wave))} to be returned: ${who}`;
  return [row({ reason: 'FailureDomain', wave: wave.name, evidence, since: rollout.rollback?.startedAt ?? null })];
};

const earlierWave = (rollout: Rollout, target: Target): Blocker | null => {
  const earlier = rollout.waves.find(({ index, state }) => index < target.wave && state !== 'Succeeded');
  if (earlier === undefined) return null;
  const size = rollout.plan.waves[earlier.index]?.size ?? 0;
  return row({
    reason: 'GatePending',
    wave: earlier.name,
    evidence: `wave ${earlier.name} has to pass first: ${earlier.counts.succeeded} of its ${size} clusters verified`,
    since: earlier.startedAt,
  });
};

/** The rollout's own limits: as many as may be are in flight. */
const noRoom = (rollout: Rollout, target: Target): Blocker | null => {
  const wave = rollout.waves[target.wave];
  const most = rollout.plan.waves[target.wave]?.maxConcurrent ?? Infinity;
  if (wave === undefined) return null;
  const inWave = wave.counts.inFlight + wave.counts.rollingBack;
  const inRegion = rollout.regions[target.region]?.inFlight ?? 0;
  const perRegion = rollout.plan.policy.concurrency.region ?? Infinity;
  const common = { reason: 'Concurrency', wave: wave.name, cluster: target.cluster, since: wave.startedAt } as const;
  if (inWave >= most)
    return row({
      ...common,
      evidence: `${inWave} clusters of wave ${wave.name} are in flight, and at most ${most} may be`,
    });
  return inRegion >= perRegion
    ? row({
        ...common,
        evidence: `${inRegion} clusters of region ${target.region} are in flight, and at most ${perRegion} may be`,
      })
    : null;
};

/** What happens next by itself, in a sentence. */
export const nextOf = (rollout: Rollout): string => {
  if (isTerminal(rollout)) return 'nothing: the rollout has ended';
  if (rollout.paused?.mode === 'freeze')
    return `nothing until somebody resumes it: breakwater rollout resume ${rollout.id}`;
  switch (rollout.state) {
    case 'Queued':
      return 'it starts when the older rollout of the application has ended';
    case 'Planned':
    case 'Preflight':
      return rollout.reason === 'TooManyDeletions'
        ? `somebody looks at the deletions and approves them: breakwater rollout approve ${rollout.id} --deletions`
        : 'the first wave starts when the preflight has passed';
    case 'Halted':
      return `somebody resumes it, rolls it back or aborts it: breakwater rollout resume|rollback|abort ${rollout.id}`;
    case 'RollingBack':
      return 'every touched cluster returns to its last known good revision, the last wave first';
    default: {
      const wave = rollout.waves.find((candidate) => candidate.state !== 'Succeeded');
      const after = rollout.waves[(wave?.index ?? 0) + 1];
      if (wave === undefined) return 'the rollout ends when everything verified is still healthy';
      return after === undefined
        ? `the rollout ends when wave ${wave.name} has passed`
        : `wave ${after.name} starts when wave ${wave.name} has passed`;
    }
  }
};
