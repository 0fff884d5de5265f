import {
  type ClusterConnection,
  type ClusterConnector,
  createBundleStore,
  createFleetCommands,
  createRolloutCommands,
  type MeasureRequest,
  drive,
  type FleetCommands,
  quarantineEvent,
  reachedEvent,
  reconcileRollout,
  type RecordPort,
  type RolloutCommands,
  runPreflight,
  tellTarget,
  UseCaseError,
  visitGate,
} from '@breakwater/application';
import {
  gatesOfTarget,
  type HealthObservation,
  isDue,
  isTerminal,
  type KubeObject,
  type Measurement,
  type ObjectKey,
  type Rollout,
  rolloutTime,
  type Target,
  type TargetEvent,
} from '@breakwater/domain';
import { createMemoryRecord } from '@breakwater/testing';
import { APPLICATION, commitOf, namesOf, objectsOf, snapshotOf, START } from './world-fleet.ts';
import type { Shape } from './world-shape.ts';

interface Slept {
  readonly target: Target;
  readonly health: HealthObservation;
  readonly round: number;
  readonly at: number;
}

/** A small, fast, seeded generator: one seed is one history. */
export const generator = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const person = { name: 'on-call' };

/** What a sealed commit has made of it stays. */
export const IMMUTABLE = { object: 'ConfigMap/web/web' as ObjectKey, why: 'field is immutable' } as const;

const CUT_OFF = {
  kind: 'Unreachable',
  reason: 'Timeout',
  message: 'no answer',
  retryAfterMs: null,
  partial: false,
} as const;
const REFUSAL = { reason: 'AdmissionDenied', object: null, message: 'admission denied' };

const plainCipher = { seal: (bytes: Uint8Array): Uint8Array => bytes, open: (bytes: Uint8Array): Uint8Array => bytes };

/** Clusters that are made of nothing but what a writer that keeps to the protocol would leave on them. */
export class RolloutWorld {
  readonly record: RecordPort;
  readonly commands: RolloutCommands;
  readonly fleet: FleetCommands;
  readonly random: () => number;
  /** Digest of what is on a cluster; empty: nothing; `partial`: in the middle of an apply. */
  readonly live = new Map<string, string>();
  /** The rollout that has written last on a cluster, by its name. */
  readonly lastWriter = new Map<string, string>();
  readonly down = new Set<string>();
  /** Clusters that answer reads, and fail writes with 5xx. */
  readonly mute = new Set<string>();
  /** Everything that preflights have asked. */
  readonly questions: string[] = [];
  /** A worker that asks this cluster dies. */
  dying: string | null = null;
  /** Clusters that would refuse any release. */
  readonly refusing = new Set<string>();
  /** Clusters on which a commit fails. */
  readonly sick = new Set<string>();
  /** Clusters on which a commit cannot be taken back. */
  readonly sealed = new Set<string>();
  readonly seen = new Set<string>();
  /** Clusters and waves whose gates find something wrong. */
  readonly wrong = new Set<string>();
  /** Clusters on which the next commit fails. */
  readonly sickOnNext = new Set<string>();
  /** Clusters that have left the fleet; each commit has the fleet as it is then. */
  readonly departed = new Set<string>();
  /** Targets that people have asked to be tried anew: `<rollout>/<cluster>`. */
  readonly retried = new Set<string>();
  /** Kinds of events that workers have told. */
  readonly told = new Set<string>();
  /** What workers have seen and then slept over. */
  readonly asleep: Slept[] = [];
  /** When a worker has last read a cluster healthy, and told it: by `<rollout>/<cluster>`. */
  readonly seenHealthy = new Map<string, number>();
  /** When a rollout's write gate was last opened, by its id. */
  readonly openedAt = new Map<string, number>();
  /** How readily people approve waves, each time somebody looks. */
  approving = 0.3;
  now = START;
  commits = 0;
  readonly shape: Shape;

  constructor(shape: Shape) {
    this.shape = shape;
    this.random = generator(shape.seed);
    this.record = createMemoryRecord({ now: () => this.now, random: this.random });
    const bundles = createBundleStore(this.record, plainCipher);
    const wakeUps = { wake: async () => undefined, wakeAll: async () => undefined };
    this.commands = createRolloutCommands({ record: this.record, wakeUps, bundles });
    this.fleet = createFleetCommands({ record: this.record });
    const clusters = this.connector();
    this.reconcile = async (id) => {
      await reconcileRollout({ record: this.record, wakeUps, bundles }, id);
      const signal = new AbortController().signal;
      if ((await this.record.rollouts.get(id))?.state === 'Preflight')
        await runPreflight({ record: this.record, wakeUps, bundles, clusters }, { rollout: id, signal });
    };
    this.tell = (target, event, effects) => {
      this.told.add(event.type);
      return tellTarget({ record: this.record, wakeUps }, target, event, effects);
    };
    this.putBundle = (digest, objects) => bundles.put(digest, objects);
  }

  readonly reconcile: (id: Rollout['id']) => Promise<void>;
  readonly tell: (target: Target, event: TargetEvent, effects?: Parameters<typeof tellTarget>[3]) => Promise<boolean>;
  readonly putBundle: (digest: string, objects: readonly KubeObject[]) => Promise<void>;

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  get clusterNames(): readonly string[] {
    return namesOf(this.shape);
  }

  /** What a preflight asks; nothing else is asked of it. */
  private connector(): ClusterConnector {
    const connect = async (name: string): Promise<ClusterConnection> =>
      ({
        name,
        identify: async () => {
          this.questions.push(`identify ${name}`);
          if (this.dying === name) throw new Error('killed');
          if (this.down.has(name)) return CUT_OFF;
          return { kind: 'Identified', uid: `uid-${name}`, version: '1.35', serverTime: null };
        },
        preflight: async () => {
          this.questions.push(`preflight ${name}`);
          const findings = this.refusing.has(name) ? [REFUSAL] : [];
          return { kind: 'Checked', findings, warnings: [], notDryRun: [] };
        },
      }) satisfies Partial<ClusterConnection> as Partial<ClusterConnection> as ClusterConnection;
    return { connect, closeAll: () => Promise.resolve() };
  }

  async commit(bad: boolean): Promise<string> {
    this.commits += 1;
    const commit = commitOf(this.commits);
    const model = snapshotOf(this.shape, this.departed);
    await this.record.sync.saveSnapshot(
      { id: `s${this.commits}`, repository: 'fleet', commit, model, at: this.now },
      [],
    );
    const digest = `sha256:${commit}`;
    await this.putBundle(digest, objectsOf(commit, this.shape.manyDeletions));
    await this.record.sync.saveRelease(
      {
        application: APPLICATION,
        commit,
        digest,
        bundles: Object.fromEntries(this.clusterNames.map((name) => [name, digest])),
        spec: null,
        state: 'Good',
        reason: '',
        errors: [],
      },
      [],
    );
    for (const name of this.sickOnNext) this.sick.add(`${digest}@${name}`);
    if (bad)
      for (const name of this.clusterNames) if (this.chance(this.shape.badness)) this.sick.add(`${digest}@${name}`);
    if (this.shape.sealing !== undefined)
      for (const name of this.clusterNames) if (this.chance(this.shape.sealing)) this.sealed.add(`${digest}@${name}`);
    return commit;
  }

  async start(commit: string): Promise<void> {
    await this.allowed(() =>
      this.commands.start(
        {
          application: APPLICATION,
          revision: commit,
          supersede: this.chance(0.1),
          triggered: this.chance(0.6),
          allowBad: true,
        },
        person,
      ),
    );
  }

  /** A command that a state forbids is an answer, not a defect. */
  async allowed(ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof UseCaseError)) throw error;
    }
  }

  async rollouts(): Promise<readonly Rollout[]> {
    return (await this.record.rollouts.list({ limit: 100 })).items;
  }

  async targets(rollout: Rollout): Promise<readonly Target[]> {
    return (await this.record.rollouts.targets(rollout.id, { limit: 100 })).items;
  }

  private health(target: Target, calm: boolean): HealthObservation {
    const revision = target.state === 'RollingBack' ? target.previous : target.revision;
    const healthy = { verdict: 'Healthy', failFast: null, worst: null, excused: [] } as const;
    if (revision !== null && this.sick.has(`${revision.digest}@${target.cluster}`)) {
      const failFast = { object: null, reason: 'ImagePullBackOff', message: 'cannot be pulled' };
      return { verdict: 'Progressing', failFast, worst: null, excused: [] };
    }
    if (!calm && this.chance(0.15)) {
      return { verdict: 'Progressing', failFast: null, worst: { object: null, text: 'not ready' }, excused: [] };
    }
    return healthy;
  }

  /** What a worker would do for this target now. `calm`: nothing goes wrong any more. */
  async work(target: Target, calm = false): Promise<void> {
    const rollout = await this.record.rollouts.get(target.rollout);
    if (rollout === null || target.dueAt === null) return;
    const left = await quarantineEvent({ record: this.record }, { rollout, target });
    if (left !== null) return void (await this.tell(target, left));
    if (this.down.has(target.cluster)) {
      await this.record.cluster.observe(target.cluster, {
        kind: 'Unreachable',
        reason: 'Timeout',
        message: 'no answer',
      });
      await this.tell(target, { type: 'CutOff', reason: 'Timeout', message: 'no answer' });
      return;
    }
    await this.record.cluster.observe(target.cluster, { kind: 'Seen', uid: `uid-${target.cluster}`, version: '1.35' });
    switch (target.state) {
      case 'Applying':
        return this.write(rollout, target, 'forward', calm);
      case 'RollingBack':
        if (target.unreachableSince !== null) return this.reach(target);
        if (target.phase === 'verify') return this.look(target, calm);
        return this.write(rollout, target, 'backward', calm);
      case 'Verifying':
        if (target.phase === 'gates' && this.shape.asks.length > 0) return this.lookAndMeasure(rollout, target, calm);
        return target.phase === 'finalize' ? this.write(rollout, target, 'forward', calm) : this.look(target, calm);
      case 'Succeeded':
        return isTerminal(rollout) ? undefined : this.look(target, calm);
      case 'Unreachable':
      case 'Skipped':
      case 'RollbackFailed':
        return this.reach(target);
      default:
        if (isTerminal(rollout) && target.owes !== null) await this.reach(target);
    }
  }

  async fallAsleep(target: Target): Promise<void> {
    const rollout = await this.record.rollouts.get(target.rollout);
    if (rollout === null) return;
    this.asleep.push({ target, health: this.health(target, false), round: rollout.round, at: this.now });
  }

  private async reach(target: Target): Promise<void> {
    this.told.add('Reached');
    const wakeUps = { wake: async () => undefined, wakeAll: async () => undefined };
    await tellTarget({ record: this.record, wakeUps }, target, reachedEvent);
  }

  /** Somebody wakes up, and tells what was so when they fell asleep. */
  async tellLate(): Promise<void> {
    const slept = this.asleep.shift();
    if (slept === undefined) return;
    const { target: seen, health, round } = slept;
    const events: readonly TargetEvent[] = [
      { type: 'HealthObserved', health, round },
      { type: 'CutOff', reason: 'Timeout', message: 'no answer' },
      { type: 'Reached' },
      { type: 'Looked' },
    ];
    const event = this.pick(events);
    if (event === undefined) return;
    if (event.type === 'HealthObserved') this.noteHealth(slept);
    await this.tell(seen, event);
  }

  private noteHealth({ target, health, at }: Omit<Slept, 'round'>): void {
    const key = `${target.rollout}/${target.cluster}`;
    if (health.verdict === 'Healthy') this.seenHealthy.set(key, Math.max(at, this.seenHealthy.get(key) ?? 0));
  }

  private async look(target: Target, calm: boolean): Promise<void> {
    if (!calm && target.state === 'RollingBack' && this.chance(0.01)) {
      await this.tell(target, { type: 'Refused', reason: 'Invalid', message: 'refused', object: null });
      return;
    }
    const { round = 0 } = (await this.record.rollouts.get(target.rollout)) ?? {};
    const health = this.health(target, calm);
    this.noteHealth({ target, health, at: this.now });
    await this.tell(target, { type: 'HealthObserved', health, round });
  }

  private async lookAndMeasure(rollout: Rollout, target: Target, calm: boolean): Promise<void> {
    await this.look(target, calm);
    const time = rolloutTime(rollout, this.now);
    for (const { gate, run } of gatesOfTarget(rollout, target)) {
      const fresh = await this.record.rollouts.target(target.rollout, target.cluster);
      if (fresh !== null && isDue(run, time))
        await this.tell(fresh, {
          type: 'GateMeasured',
          gate: gate.name,
          measurement: this.measurement(calm, target.cluster),
        });
    }
  }

  private measurement(calm: boolean, of: string): Measurement {
    if (this.wrong.has(of)) return { verdict: 'Failure', evidence: 'wrong' };
    if (calm) return { verdict: 'Success', evidence: 'fine' };
    const verdict = this.pick([
      ...Array<'Success'>(12).fill('Success'),
      'Failure',
      'Inconclusive',
      'Error',
      'Pending',
    ] as const);
    return { verdict: verdict ?? 'Success', evidence: 'seen' };
  }

  /** What workers would measure of waves now. */
  async measureWaves(calm = false, only: string | null = null): Promise<void> {
    if (this.shape.asks.length === 0 && this.shape.gates === undefined) return;
    const kind = 'prometheus';
    const measure = (request: MeasureRequest): Promise<Measurement> =>
      Promise.resolve(this.measurement(calm, request.wave));
    const probe = { kind, measure };
    const wakeUps = { wake: async () => undefined, wakeAll: async () => undefined };
    const clusters = { connect: () => Promise.reject(new Error('not asked')), closeAll: () => Promise.resolve() };
    const parts = { record: this.record, wakeUps, clusters, probes: new Map([[kind, probe]]), callbacks: null };
    for (const rollout of await this.rollouts())
      for (const wave of rollout.waves)
        for (const { gate } of wave.gates)
          // Nobody is sent to ask a person.
          if (gate !== 'people' && (only === null || only === gate))
            await visitGate(parts, {
              rollout: rollout.id,
              wave: wave.index,
              gate,
              signal: new AbortController().signal,
            });
  }

  /** Somebody says yes to every wave that waits for it. */
  async approveWaves(): Promise<void> {
    if (!this.shape.asks.includes('approval')) return;
    for (const { id } of await this.rollouts())
      await this.record.transaction(async (tx) => {
        const rollout = await tx.lockRollout(id);
        if (rollout === null || isTerminal(rollout)) return;
        const approval = { by: 'manager', reason: '', at: await tx.now() };
        const waves = rollout.waves.map((wave) =>
          wave.state === 'AwaitingApproval' ? { ...wave, approvals: [...wave.approvals, approval] } : wave,
        );
        await drive(tx, rollout, { ...rollout, waves }, approval.at, new Set());
      });
  }

  private async write(rollout: Rollout, target: Target, way: 'forward' | 'backward', calm: boolean): Promise<void> {
    const claim = `${target.rollout}/${target.cluster}/${this.random()}`;
    if (!(await this.record.claims.claim(rollout.id, target.cluster, 'worker', claim, 6_000))) return;
    const permit = `permit-${claim}`;
    const direction = isTerminal(rollout) ? 'owed' : way;
    const grant = await this.record.permits.acquire(
      { permit, rollout: rollout.id, cluster: target.cluster, worker: 'worker', claim, direction },
      1_500,
    );
    if (grant !== null) {
      await this.writeWithPermit(target, calm);
      await this.record.permits.release(permit, false);
    }
    await this.record.claims.release(claim);
  }

  private async writeWithPermit(target: Target, calm: boolean): Promise<void> {
    if (this.mute.has(target.cluster)) {
      if (target.state === 'Applying' && !(await this.tell(target, { type: 'Touching' }))) return;
      await this.tell(target, { type: 'CutOff', reason: 'ServerError', message: '500' });
      return;
    }
    if (target.phase === 'finalize')
      return void (await this.tell(target, { type: 'Finalized', kept: [], jobsNotRunAgain: [], suspects: [] }));
    if (target.state === 'Applying') {
      if (!calm && this.chance(0.02)) {
        await this.tell(target, { type: 'Refused', reason: 'Invalid', message: 'refused', object: null });
        return;
      }
      if (!(await this.tell(target, { type: 'Touching' }))) return;
    }
    this.live.set(target.cluster, 'partial');
    this.lastWriter.set(target.cluster, target.rollout);
    // The worker dies here, or its cluster is cut off here: another one finds the target as it was left.
    if (!calm && this.chance(0.1)) return;
    const revision = target.state === 'RollingBack' ? target.previous : target.revision;
    const sealed = target.previous !== null && this.sealed.has(`${target.revision.digest}@${target.cluster}`);
    if (sealed && target.state === 'RollingBack') {
      const { object, why: message } = IMMUTABLE;
      await this.tell(target, { type: 'Refused', reason: 'RollbackImpossible', message, object });
      return;
    }
    this.live.set(target.cluster, revision?.digest ?? '');
    await this.tell(target, { type: 'Applied', irreversible: sealed ? [IMMUTABLE] : [] });
  }

  /** Kinds of events so far: of the audit trail, and told by workers. */
  async eventTypes(): Promise<ReadonlySet<string>> {
    await this.record.audit.seal(10_000);
    const audited = (await this.record.audit.after(0, 10_000)).map(({ type }) => type);
    return new Set([...audited, ...this.told]);
  }

  /** The audit trail so far, a line an event. */
  async story(): Promise<string> {
    await this.record.audit.seal(10_000);
    const names = new Map((await this.rollouts()).map((rollout) => [rollout.id as string, `#${rollout.sequence}`]));
    const events = await this.record.audit.after(0, 10_000);
    const lines = events.map((event) => {
      const at = `+${((event.at - START) / 1000).toFixed(0)}s`.padStart(6);
      const data = event.data as { from?: string; to?: string } | undefined;
      const move = data?.to === undefined ? '' : ` ${data.from ?? ''}→${data.to}`;
      const where = event.cluster === undefined ? '' : ` ${event.cluster}`;
      const message = event.message.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => names.get(id) ?? 'a rollout');
      return `${at} ${names.get(event.rollout ?? '') ?? ''} ${event.type}${where}${move} ${event.reason}: ${message}`.trimEnd();
    });
    return `${lines.join('\n')}\n`;
  }

  /** Due work first: time goes on only as far as the next thing to do, when it goes on by itself. */
  async dueTargets(): Promise<readonly Target[]> {
    const found: Target[] = [];
    for (const rollout of await this.rollouts()) {
      for (const target of await this.targets(rollout))
        if (target.dueAt !== null && target.dueAt <= this.now) found.push(target);
    }
    return found;
  }
}
