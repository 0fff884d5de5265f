import {
  advance,
  fullRegions,
  type Instant,
  isTerminal,
  type Order,
  type Rollout,
  type Target,
} from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { moveTarget } from './move-target.ts';
import { auditOfRollout } from './rollout-audit.ts';
import { endRollout } from './rollout-ending.ts';
import { closedWindows } from './rollout-windows.ts';
import { quarantinedBy } from './quarantined-by.ts';
import { gateKey, rolloutKey, targetKey, type Wakes } from './wake-keys.ts';

/** Everything unfinished is looked at again at least this often, whatever wake-ups were lost; in ms. */
export const RESYNC_INTERVAL = 15_000;
/** Clusters and failure domains that other rollouts hold are asked for again this often; in ms. */
const BUSY_INTERVAL = 1_500;
/** Candidates read at once when starting targets. */
const PAGE = 50;
const EVERY = 1_000_000;
/** Targets found closed by a window in one pass; the rest is looked at in the next. */
const MOST_CLOSED = 20;
/** Bounds one pass; what is left is due at once again. */
const MAX_ROUNDS = 64;
/** Wake-ups sent at once for the last look. */
const MOST_WOKEN = 256;

/**
 * Snapshot, decide, act: the transaction holds the rollout's row, `advance` decides on its counts, orders change targets, and counts move
 * with them until nothing more follows. Returns the rollout as saved.
 */
export const drive = async (
  tx: RecordTransaction,
  before: Rollout,
  given: Rollout,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  let rollout = given;
  let dueAt: Instant | null = null;
  let again = true;
  let blocked = false;
  if (rollout.rollback !== before.rollback) await freePlaces(tx, rollout);
  for (let round = 0; again && round < MAX_ROUNDS; round += 1) {
    const step = advance(rollout, now);
    const { rollback } = rollout;
    rollout = step.rollout;
    if (rollout.rollback !== rollback) await freePlaces(tx, rollout);
    dueAt = step.dueAt;
    again = false;
    blocked = false;
    for (const order of step.orders) {
      const after = await execute(tx, rollout, order, now, wakes);
      again ||= after !== rollout;
      blocked ||= (order.type === 'Start' || order.type === 'Return') && after === rollout;
      rollout = after;
    }
  }
  if (before.gate.generation !== rollout.gate.generation) await followGate(tx, rollout, now, wakes);
  for (const event of auditOfRollout(before, rollout)) await tx.audit(event);
  const resync = blocked ? now + BUSY_INTERVAL : isTerminal(rollout) ? null : now + RESYNC_INTERVAL;
  const due = again ? now : dueAt === null ? resync : Math.min(dueAt, resync ?? dueAt);
  await tx.saveRollout(rollout, due);
  return rollout;
};

/** Who may not write is not due; who may again is looked at now. */
const followGate = async (tx: RecordTransaction, rollout: Rollout, now: Instant, wakes: Wakes): Promise<void> => {
  if (isTerminal(rollout)) return;
  const working = ['Applying', 'Verifying', 'Succeeded', 'Unreachable', 'Skipped'] as const;
  await tx.dueTargets(rollout.id, working, rollout.gate.forward ? now : null);
  await tx.dueTargets(rollout.id, ['RollingBack'], rollout.gate.backward ? now : null);
  wakes.add(rolloutKey(rollout.id));
};

const execute = (
  tx: RecordTransaction,
  rollout: Rollout,
  order: Order,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  switch (order.type) {
    case 'Start':
      return startTargets(tx, rollout, order.wave, order.limit, now, wakes);
    case 'Return':
      return returnTargets(tx, rollout, order, now, wakes);
    case 'Measure':
      wakes.add(gateKey(rollout.id, order.wave, order.gate));
      return Promise.resolve(rollout);
    case 'Look':
      return lookAtVerified(tx, rollout, now, wakes);
    case 'Ended':
      return end(tx, rollout, now, wakes);
  }
};

/** A rollback stands over what was on its way forward where it takes nothing back: it stays as it is, and says so. */
const end = async (tx: RecordTransaction, rollout: Rollout, now: Instant, wakes: Wakes): Promise<Rollout> => {
  if (rollout.rollback !== null)
    await tx.leaveTargets(rollout.id, 'Partial', `${rollout.state} while it was in flight`);
  return endRollout(tx, rollout, now, wakes);
};

/** One statement, whatever the size of the fleet; the scan finds those for which no wake-up was sent. */
const lookAtVerified = async (
  tx: RecordTransaction,
  rollout: Rollout,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  const due = await tx.dueTargets(rollout.id, ['Succeeded'], now);
  for (const cluster of due.slice(0, MOST_WOKEN)) wakes.add(targetKey(rollout.id, cluster));
  return rollout;
};

const startTargets = async (
  tx: RecordTransaction,
  given: Rollout,
  wave: number,
  limit: number,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  let rollout = given;
  let started = 0;
  let closed = 0;
  const closedBy = await closedWindows(tx);
  const quarantines = await tx.quarantines();
  const { failureDomains, concurrency } = rollout.plan.policy;
  const limits = { maxInFlight: failureDomains?.maxInFlight ?? null, maxOnCluster: concurrency.cluster };
  for (let progress = true; progress && started < limit && closed < MOST_CLOSED;) {
    progress = false;
    const candidates = await tx.startableTargets(
      { rollout: rollout.id, wave, ...limits, exceptRegions: fullRegions(rollout) },
      Math.min(PAGE, limit - started),
    );
    for (const candidate of candidates) {
      const quarantine = quarantines.get(candidate.cluster);
      if (quarantine !== undefined) {
        rollout = (await moveTarget(tx, rollout, candidate, quarantinedBy(quarantine), now, wakes)).rollout;
        progress = true;
        continue;
      }
      if (fullRegions(rollout).includes(candidate.region)) continue;
      const window = closedBy(rollout, candidate, now);
      if (window !== null) {
        const event = { type: 'WindowClosed', closure: window.closure, until: window.until } as const;
        rollout = (await moveTarget(tx, rollout, candidate, event, now, wakes)).rollout;
        closed += 1;
        progress = true;
        continue;
      }
      const after = await startTarget(tx, rollout, candidate, now, wakes);
      if (after === null) continue;
      progress = true;
      rollout = after.rollout;
      if (after.started) started += 1;
    }
  }
  return rollout;
};

/** Null: the target has to wait after all (another rollout was faster to its cluster or its failure domain). */
const startTarget = async (
  tx: RecordTransaction,
  rollout: Rollout,
  target: Target,
  now: Instant,
  wakes: Wakes,
): Promise<{ readonly rollout: Rollout; readonly started: boolean } | null> => {
  const holder = await tx.acquireLock(rollout.application, target.cluster, rollout.id);
  if (holder !== rollout.id) {
    if (await tx.clusterIsReachable(target.cluster)) return null;
    const message = `rollout ${holder} still owes this cluster a revision, and the cluster does not answer`;
    const event = { type: 'CutOff', reason: 'ClusterUnreachable', message } as const;
    return { ...(await moveTarget(tx, rollout, target, event, now, wakes)), started: false };
  }
  const { failureDomains, concurrency } = rollout.plan.policy;
  if (concurrency.cluster !== null && !(await tx.hasRoomOn(target.cluster, concurrency.cluster))) return null;
  if (failureDomains !== null) {
    const free = await tx.takeDomainSlot(target.failureDomain, failureDomains.maxInFlight, rollout.id, target.cluster);
    if (!free) return null;
  }
  const previous = await tx.lastGood(rollout.application, target.cluster);
  const moved = await moveTarget(tx, rollout, target, { type: 'Started', previous }, now, wakes);
  return { rollout: moved.rollout, started: true };
};

const returnTargets = async (
  tx: RecordTransaction,
  given: Rollout,
  order: Extract<Order, { type: 'Return' }>,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  let rollout = given;
  const full: string[] = [];
  // Past those whose failure domain is taken: they would else stand for ever before others whose domain is free.
  for (let left = order.limit, more = true; more && left > 0;) {
    more = false;
    const filter = { wave: order.wave, only: order.only, clusters: null, exceptDomains: full };
    for (const target of await tx.targetsToReturn(rollout.id, filter, left)) {
      const { failureDomain } = target;
      if (full.includes(failureDomain)) continue;
      more = true;
      if (await hasPlace(tx, rollout, target)) {
        rollout = await startReturn(tx, rollout, target, now, wakes);
        left -= 1;
      } else full.push(failureDomain);
    }
  }
  return rollout;
};

const respectsDomains = ({ plan }: Rollout): boolean =>
  plan.policy.failureDomains !== null && plan.policy.onFailure.failureDomains === 'respect';

/** Failure domains are respected by returns only where the strategy says so. */
const hasPlace = async (tx: RecordTransaction, rollout: Rollout, target: Target): Promise<boolean> => {
  const { failureDomains } = rollout.plan.policy;
  if (failureDomains === null || !respectsDomains(rollout)) return true;
  return tx.takeDomainSlot(target.failureDomain, failureDomains.maxInFlight, rollout.id, target.cluster);
};

const startReturn = async (
  tx: RecordTransaction,
  rollout: Rollout,
  target: Target,
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  const reason = rollout.state === 'RollingBack' ? 'RollingBack' : 'ReturningFailed';
  return (await moveTarget(tx, rollout, target, { type: 'ReturnStarted', reason }, now, wakes)).rollout;
};

/** Begins the return of what a person has named, at once: its failure domain is taken where it is free, and not waited for. */
export const startReturns = async (
  tx: RecordTransaction,
  given: Rollout,
  targets: readonly Target[],
  now: Instant,
  wakes: Wakes,
): Promise<Rollout> => {
  let rollout = given;
  for (const target of targets) {
    await hasPlace(tx, rollout, target);
    rollout = await startReturn(tx, rollout, target, now, wakes);
  }
  return rollout;
};

/**
 * What was on its way forward stands still from now on: its failure domain is free for returns, its own too. None would else ever come where
 * two rollbacks hold what the other one waits for.
 */
const freePlaces = async (tx: RecordTransaction, rollout: Rollout): Promise<void> => {
  if (rollout.state !== 'RollingBack' || !respectsDomains(rollout)) return;
  // As many as were in flight: a strategy's concurrency bounds them, not the fleet's size.
  for (const target of await tx.targetsInState(rollout.id, ['Applying', 'Verifying'], EVERY)) {
    await tx.freeDomainSlot(rollout.id, target.cluster);
  }
};
