import type {
  AuditEvent,
  Baseline,
  BeforeImage,
  Channel,
  Quarantine,
  RecordTransaction,
  ReleaseRecord,
  ReleaseState,
  ReturnFilter,
  StartableQuery,
} from '@breakwater/application';
import { hasBegun, TERMINAL_STATES } from '@breakwater/domain';
import type {
  FleetSnapshot,
  Instant,
  Revision,
  Rollout,
  RolloutId,
  RolloutState,
  Target,
  TargetState,
} from '@breakwater/domain';
import type { MemoryState } from './memory-state.ts';
import { pair } from './memory-state.ts';
import { addTargets, inFlightOn, isReachable, isToReturn, newestDebt, startable } from './memory-targets.ts';

const IN_FLIGHT: ReadonlySet<TargetState> = new Set<TargetState>(['Applying', 'Verifying', 'RollingBack']);

/** One transaction over {@link MemoryState}; refuses every call after its end, as a connection that was given back would. */
export class MemoryTransaction implements RecordTransaction {
  readonly #tables: MemoryState;
  #open = true;

  constructor(tables: MemoryState) {
    this.#tables = tables;
  }

  end(): void {
    this.#open = false;
  }

  get #state(): MemoryState {
    if (!this.#open) throw new Error('the transaction has ended: something in it was not awaited');
    return this.#tables;
  }

  async now(): Promise<Instant> {
    return this.#state.now();
  }

  async notify(channel: Channel, payload: string): Promise<void> {
    this.#state.notify(channel, payload);
  }

  async lockRollout(id: RolloutId): Promise<Rollout | null> {
    return this.#state.rolloutOf(id);
  }

  async lockApplication(_application: string): Promise<void> {
    // Transactions run one at a time.
  }

  async insertRollout(rollout: Rollout, dueAt: Instant | null): Promise<void> {
    const state = this.#state;
    if (state.rollouts.has(rollout.id)) throw new Error(`rollout ${rollout.id} exists`);
    state.rollouts.set(rollout.id, { rollout, dueAt, ordinal: state.nextOrdinal() });
  }

  async saveRollout(rollout: Rollout, dueAt: Instant | null): Promise<void> {
    const state = this.#state;
    const row = state.rollouts.get(rollout.id);
    if (row === undefined) throw new Error(`rollout ${rollout.id} does not exist`);
    const before = row.rollout.gate;
    state.rollouts.set(rollout.id, { ...row, rollout, dueAt });
    const { generation, forward, backward } = rollout.gate;
    if (before.generation !== generation || before.forward !== forward || before.backward !== backward) {
      state.notify('gate', rollout.id);
    }
  }

  async newestStarted(application: string): Promise<RolloutId | null> {
    const started = this.#state.rollouts
      .filter(({ rollout }) => rollout.application === application && hasBegun(rollout))
      .sort((a, b) => b.rollout.sequence - a.rollout.sequence);
    return started[0]?.rollout.id ?? null;
  }

  async owingTargets(rollout: RolloutId): Promise<readonly Target[]> {
    return this.#state.targetsOf(rollout).filter((target) => target.owes !== null);
  }

  async leaveTargets(rollout: RolloutId, reason: string, message: string): Promise<void> {
    for (const target of this.#state.targetsOf(rollout)) {
      if (!IN_FLIGHT.has(target.state)) continue;
      this.#state.targets.set(pair(rollout, target.cluster), { ...target, reason, message, dueAt: null });
    }
  }

  async nextSequence(application: string): Promise<number> {
    const next = (this.#state.sequences.get(application) ?? 0) + 1;
    this.#state.sequences.set(application, next);
    return next;
  }

  async unfinishedRollouts(
    application: string,
  ): Promise<readonly { readonly id: RolloutId; readonly state: RolloutState }[]> {
    return this.#state.rollouts
      .filter(({ rollout }) => rollout.application === application && !TERMINAL_STATES.has(rollout.state))
      .map(({ rollout }) => rollout)
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ id, state }) => ({ id, state }));
  }

  async insertTargets(targets: readonly Target[]): Promise<void> {
    addTargets(this.#state, targets);
  }

  async target(rollout: RolloutId, cluster: string): Promise<Target | null> {
    return this.#state.target(rollout, cluster);
  }

  async saveTarget(target: Target): Promise<void> {
    const key = pair(target.rollout, target.cluster);
    if (!this.#state.targets.has(key))
      throw new Error(`target ${target.cluster} of rollout ${target.rollout} does not exist`);
    this.#state.targets.set(key, target);
  }

  async startableTargets(query: StartableQuery, limit: number): Promise<readonly Target[]> {
    return startable(this.#state, query, await this.now()).slice(0, limit);
  }

  async fleetModels(): Promise<readonly FleetSnapshot[]> {
    return this.#state.snapshots
      .filter(() => true)
      .sort((a, b) => (a.repository < b.repository ? -1 : 1))
      .map(({ model }) => model as FleetSnapshot);
  }

  async reopenTargets(rollout: RolloutId): Promise<void> {
    const now = await this.now();
    for (const target of this.#state.targetsOf(rollout)) {
      if (target.opensAt === null) continue;
      const dueAt = target.dueAt === null ? null : now;
      this.#state.targets.set(pair(target.rollout, target.cluster), { ...target, opensAt: null, dueAt });
    }
  }

  async targetsToReturn(rollout: RolloutId, filter: ReturnFilter, limit: number): Promise<readonly Target[]> {
    return this.#state
      .targetsOf(rollout)
      .filter((target) => isToReturn(target, filter))
      .slice(0, limit);
  }

  async targetsInState(rollout: RolloutId, states: readonly TargetState[], limit: number): Promise<readonly Target[]> {
    return this.#state
      .targetsOf(rollout)
      .filter((target) => states.includes(target.state))
      .slice(0, limit);
  }

  async dueRollout(id: RolloutId, dueAt: Instant): Promise<void> {
    const row = this.#state.rollouts.get(id);
    if (row === undefined) return;
    this.#state.rollouts.set(id, { ...row, dueAt: row.dueAt === null ? dueAt : Math.min(row.dueAt, dueAt) });
  }

  async quarantines(): Promise<ReadonlyMap<string, Quarantine>> {
    return new Map(
      this.#state.clusters
        .filter(() => true)
        .flatMap(({ name, quarantine }) => (quarantine === null ? [] : [[name, quarantine] as const])),
    );
  }

  async clusterIsReachable(cluster: string): Promise<boolean> {
    return isReachable(this.#state, cluster);
  }

  async dueTargets(rollout: RolloutId, states: readonly TargetState[], dueAt: Instant | null): Promise<string[]> {
    const clusters: string[] = [];
    for (const target of this.#state.targetsOf(rollout)) {
      const left = dueAt !== null && target.state === 'Skipped' && target.owes === null;
      if (states.includes(target.state) && !left) {
        this.#state.targets.set(pair(target.rollout, target.cluster), { ...target, dueAt });
        clusters.push(target.cluster);
      }
    }
    return clusters;
  }

  async acquireLock(application: string, cluster: string, rollout: RolloutId): Promise<RolloutId> {
    const key = pair(application, cluster);
    const holder = this.#state.locks.get(key);
    if (holder !== undefined) return holder.rollout;
    this.#state.locks.set(key, { application, cluster, rollout });
    return rollout;
  }

  async releaseLock(application: string, cluster: string, rollout: RolloutId): Promise<void> {
    const key = pair(application, cluster);
    if (this.#state.locks.get(key)?.rollout === rollout) this.#state.locks.delete(key);
  }

  async acquireLocks(application: string, rollout: RolloutId): Promise<number> {
    let held = 0;
    for (const cluster of this.#state.members.get(rollout) ?? []) {
      if ((await this.acquireLock(application, cluster, rollout)) !== rollout) held += 1;
    }
    return held;
  }

  async releaseLocks(rollout: RolloutId): Promise<void> {
    const state = this.#state;
    for (const lock of state.locks.filter((held) => held.rollout === rollout)) {
      const owes = state.target(rollout, lock.cluster)?.owes ?? null;
      if (owes === null) state.locks.delete(pair(lock.application, lock.cluster));
    }
  }

  async hasRoomOn(cluster: string, max: number): Promise<boolean> {
    return inFlightOn(this.#state, cluster) < max;
  }

  async takeDomainSlot(domain: string, max: number, rollout: RolloutId, cluster: string): Promise<boolean> {
    const state = this.#state;
    const key = pair(rollout, cluster);
    const held = state.slots.get(key);
    if (held !== undefined) return held.domain === domain;
    const taken = state.slots.filter((slot) => slot.domain === domain);
    if (taken.length >= max) return false;
    const numbers = new Set(taken.map(({ slot }) => slot));
    let slot = 0;
    while (numbers.has(slot)) slot += 1;
    state.slots.set(key, { domain, slot, rollout, cluster });
    return true;
  }

  async freeDomainSlot(rollout: RolloutId, cluster: string): Promise<void> {
    this.#state.slots.delete(pair(rollout, cluster));
  }

  async freeDomainSlots(rollout: RolloutId): Promise<void> {
    for (const slot of this.#state.slots.filter((held) => held.rollout === rollout)) {
      this.#state.slots.delete(pair(slot.rollout, slot.cluster));
    }
  }

  async nextEpoch(application: string, cluster: string, atLeast: number): Promise<number> {
    const epoch = Math.max(this.#state.onClusterOf(application, cluster).epoch, atLeast) + 1;
    this.#state.changeOnCluster(application, cluster, { epoch });
    return epoch;
  }

  async lastGood(application: string, cluster: string): Promise<Revision | null> {
    return this.#state.onClusterOf(application, cluster).lastGood;
  }

  async setLastGood(application: string, cluster: string, revision: Revision | null): Promise<void> {
    this.#state.changeOnCluster(application, cluster, { lastGood: revision });
  }

  async promoteLastGood(rollout: RolloutId): Promise<number> {
    const state = this.#state;
    const application = state.rolloutOf(rollout)?.application;
    if (application === undefined) return 0;
    const good = state.targetsOf(rollout).filter((target) => target.state === 'Succeeded' && !target.degraded);
    for (const target of good) state.changeOnCluster(application, target.cluster, { lastGood: target.revision });
    return good.length;
  }

  async setProven(application: string, revision: Revision): Promise<void> {
    this.#state.proven.set(application, revision);
  }

  async setRunning(application: string, cluster: string, revision: Revision | null): Promise<void> {
    this.#state.changeOnCluster(application, cluster, { running: revision });
  }

  async setInventoryExpected(application: string, cluster: string, expected: boolean): Promise<void> {
    this.#state.changeOnCluster(application, cluster, { inventoryExpected: expected });
  }

  async followDebt(application: string, cluster: string): Promise<void> {
    this.#state.changeOnCluster(application, cluster, { owed: newestDebt(this.#state, application, cluster) });
  }

  async setReleaseState(application: string, commit: string, release: ReleaseState, reason: string): Promise<void> {
    const key = pair(application, commit);
    const row = this.#state.releases.get(key);
    if (row !== undefined) this.#state.releases.set(key, { ...row, state: release, reason });
  }

  async release(application: string, commit: string): Promise<ReleaseRecord | null> {
    return this.#state.releases.get(pair(application, commit)) ?? null;
  }

  async setBaseline(rollout: RolloutId, cluster: string, baseline: Baseline): Promise<void> {
    const key = pair(rollout, cluster);
    if (!this.#state.baselines.has(key)) this.#state.baselines.set(key, baseline);
  }

  async addBeforeImages(rollout: RolloutId, cluster: string, images: readonly BeforeImage[]): Promise<void> {
    const key = pair(rollout, cluster);
    const stored = new Map((this.#state.beforeImages.get(key) ?? []).map((image) => [image.key, image]));
    for (const image of images) if (!stored.has(image.key)) stored.set(image.key, image);
    this.#state.beforeImages.set(key, [...stored.values()]);
  }

  async audit(event: AuditEvent): Promise<void> {
    this.#state.addEvent(event);
  }

  async usedBefore(
    key: string,
    actor: string,
    bodyDigest: string,
  ): Promise<{ readonly result: string } | 'reused' | null> {
    const stored = this.#state.idempotency.get(pair(actor, key));
    if (stored === undefined) return null;
    return stored.bodyDigest === bodyDigest ? { result: stored.result } : 'reused';
  }

  async idempotent(
    key: string,
    actor: string,
    bodyDigest: string,
    result: string,
  ): Promise<{ readonly fresh: boolean; readonly result: string } | 'reused'> {
    const stored = this.#state.idempotency.get(pair(actor, key));
    if (stored === undefined) {
      this.#state.idempotency.set(pair(actor, key), { bodyDigest, result });
      return { fresh: true, result };
    }
    return stored.bodyDigest === bodyDigest ? { fresh: false, result: stored.result } : 'reused';
  }
}
