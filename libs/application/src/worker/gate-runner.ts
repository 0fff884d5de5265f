import {
  gateMeasured,
  gatesOf,
  instantAt,
  isDue,
  type GateAt,
  type GateQuestion,
  type Instant,
  type Measurement,
  questionOf,
  type Rollout,
  type RolloutId,
  rolloutTime,
  type Target,
} from '@breakwater/domain';
import type { ClusterConnector, WritePermit } from '../ports/cluster.port.ts';
import {
  type GateCallback,
  type GateMember,
  type GateProbe,
  MEASURE_TIMEOUT,
  type MeasureRequest,
} from '../ports/gate-probe.port.ts';
import type { GateCallbacks } from '../ports/gate-callbacks.port.ts';
import type { RecordPort } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import { readAll } from '../rollout/read-all.ts';
import { drive } from '../rollout/rollout-engine.ts';
import type { Wakes } from '../rollout/wake-keys.ts';

export interface GateRunnerParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
  readonly clusters: ClusterConnector;
  readonly probes: ReadonlyMap<string, GateProbe>;
  /** Null: answers are had by asking alone. */
  readonly callbacks: GateCallbacks | null;
}

export interface GateVisit {
  readonly rollout: RolloutId;
  readonly wave: number;
  readonly gate: string;
  readonly signal: AbortSignal;
}

/** Measures a gate of a wave once, if it is due, and tells the record what was seen. */
export const visitGate = async (parts: GateRunnerParts, visit: GateVisit): Promise<void> => {
  const rollout = await parts.record.rollouts.get(visit.rollout);
  if (rollout?.state !== 'Progressing' || rollout.paused?.mode === 'freeze') return;
  const now = await parts.record.now();
  const at = gateAt(rollout, visit);
  if (at === null || !isDue(at.run, rolloutTime(rollout, now))) return;
  const clusters = await targetsOf(parts.record, visit.rollout, visit.wave);
  const measurement = await measure(parts, {
    ...requestFor(parts, rollout, at, { wave: visit.wave, cluster: null }, now),
    wave: rollout.waves[visit.wave]?.name ?? '',
    clusters: clusters.map(({ cluster, region }) => ({ name: cluster, region })),
    // A gate of a wave writes nothing: which cluster's permit would it hold?
    withPermit: () => Promise.resolve(null),
    signal: visit.signal,
  });
  if (visit.signal.aborted) return;
  await tellGate(parts, visit, at, measurement);
};

const gateAt = (rollout: Rollout, visit: Pick<GateVisit, 'wave' | 'gate'>): GateAt | null => {
  const wave = rollout.waves[visit.wave];
  if (wave === undefined) return null;
  const gates = [...gatesOf(rollout, wave, 'before'), ...gatesOf(rollout, wave, 'after')];
  return gates.find(({ gate }) => gate.name === visit.gate) ?? null;
};

type Common = Omit<MeasureRequest, 'wave' | 'clusters' | 'withPermit' | 'signal'>;

/** What every measurement of this gate is asked with. */
export const requestFor = (
  parts: GateRunnerParts,
  rollout: Rollout,
  { gate, run }: GateAt,
  place: Pick<GateQuestion, 'wave' | 'cluster'>,
  now: Instant,
): Common => ({
  gate,
  rollout: {
    id: rollout.id,
    application: rollout.application,
    fleet: rollout.fleet,
    namespace: rollout.plan.apply.namespace,
    revision: rollout.revision,
  },
  members: () => membersOf(parts.record, rollout.id),
  connect: (cluster) => parts.clusters.connect(cluster),
  startedAt: (run.since === null ? null : instantAt(rollout, run.since)) ?? now,
  now,
  memo: run.memo,
  callback: callbackFor(parts.callbacks, questionOf({ rollout: rollout.id, ...place }, gate, run)),
});

const callbackFor = (callbacks: GateCallbacks | null, question: GateQuestion | null): GateCallback | null =>
  callbacks === null || question === null ? null : { url: callbacks.url, token: callbacks.tokens.issue(question) };

export type PermitFor = <T>(cluster: string, act: (permit: WritePermit) => Promise<T>) => Promise<T | null>;

/** A probe that takes too long, or breaks, could not look: the release is not to blame. */
export const measure = async (parts: GateRunnerParts, request: MeasureRequest): Promise<Measurement> => {
  const probe = parts.probes.get(request.gate.kind);
  if (probe === undefined)
    return { verdict: 'Error', evidence: `this worker cannot measure gates of kind ${request.gate.kind}` };
  const limit = AbortSignal.timeout(MEASURE_TIMEOUT);
  const signal = AbortSignal.any([request.signal, limit]);
  const late = Promise.withResolvers<Measurement>();
  const onLate = (): void => late.resolve({ verdict: 'Error', evidence: 'the measurement took too long' });
  signal.addEventListener('abort', onLate, { once: true });
  try {
    return await Promise.race([probe.measure({ ...request, signal }), late.promise]);
  } catch (error) {
    if (error instanceof Error && error.name === 'PermitLost') return { verdict: 'Pending', evidence: 'held' };
    return { verdict: 'Error', evidence: `the probe failed: ${error instanceof Error ? error.name : 'unknown error'}` };
  } finally {
    signal.removeEventListener('abort', onLate);
  }
};

const tellGate = async (
  parts: GateRunnerParts,
  visit: GateVisit,
  asked: GateAt,
  measurement: Measurement,
): Promise<void> => {
  const wakes: Wakes = new Set();
  await parts.record.transaction(async (tx) => {
    wakes.clear();
    const rollout = await tx.lockRollout(visit.rollout);
    if (rollout === null) return;
    const now = await tx.now();
    const next = gateMeasured(rollout, visit.wave, visit.gate, asked.run, measurement, now);
    if (next !== null) await drive(tx, rollout, next, now, wakes);
  });
  await parts.wakeUps.wakeAll([...wakes]);
};

const targetsOf = (record: RecordPort, rollout: RolloutId, wave?: number): Promise<readonly Target[]> =>
  readAll((page) => record.rollouts.targets(rollout, { ...(wave === undefined ? {} : { wave }), ...page }));

const memberOf = (target: Target): GateMember => {
  const updated = target.state === 'Succeeded' || (target.state === 'Verifying' && target.phase !== 'verify');
  const state = updated ? 'updated' : target.state === 'Pending' && !target.touched ? 'untouched' : 'other';
  return { cluster: target.cluster, region: target.region, state, updatedAt: updated ? target.startedAt : null };
};

const membersOf = async (record: RecordPort, rollout: RolloutId): Promise<readonly GateMember[]> =>
  (await targetsOf(record, rollout)).map(memberOf);
