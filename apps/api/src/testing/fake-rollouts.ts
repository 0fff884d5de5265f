/* eslint-disable @typescript-eslint/no-non-null-assertion -- only tests use this file */
import { UseCaseError } from '@breakwater/application';
import type {
  Actor,
  OverrideInput,
  PauseResult,
  PlanPreview,
  RecordPort,
  RetryInput,
  RolloutCommands,
  SkipInput,
  WaveInput,
  WindowInput,
} from '@breakwater/application';
import { countsOf, NO_COUNTS, TERMINAL_STATES } from '@breakwater/domain';
import type {
  Blocker,
  ExpectedEnd,
  WhatIf,
  Rollout,
  RolloutId,
  RolloutPlan,
  RolloutState,
  Target,
  TargetState,
  Wave,
} from '@breakwater/domain';

export const COMMIT = 'c0ffee0000000000000000000000000000000001';
export const DIGEST = `sha256:${'a'.repeat(64)}`;
const START = Date.parse('2026-01-02T03:04:05.000Z');

const plan: RolloutPlan = {
  strategy: 'canary-then-rest',
  policy: {
    workloads: { name: 'workloads-ready', timeout: 300_000, stableFor: 30_000, failFast: 10_000 },
    failureDomains: { maxInFlight: 1 },
    unreachable: { wait: 600_000, then: 'count' },
    slow: { after: null, then: 'fail' },
    preflight: { onFailure: 'stop' },
    onFailure: { action: 'rollback', scope: 'rollout', maxConcurrent: '100%', failureDomains: 'ignore' },
    concurrency: { region: null, cluster: null },
    failureBudgets: { region: null, rollout: null },
    deadline: null,
    concurrentRollouts: 'queue',
    runbook: null,
  },
  apply: {
    namespace: 'podinfo',
    conflicts: 'report',
    adopt: 'refuse',
    ignore: [],
    prune: { enabled: true, maxDeletions: 10, protect: [] },
  },
  healthRules: [],
  snapshot: { id: 'snapshot-1', commit: COMMIT },
  waves: [
    {
      name: 'canary',
      maxConcurrent: 1,
      failureBudget: 0,
      soakMs: 600_000,
      size: 1,
      minClusters: 0,
      gates: [],
      schedule: [],
    },
    { name: 'rest', maxConcurrent: 2, failureBudget: 1, soakMs: 0, size: 3, minClusters: 0, gates: [], schedule: [] },
  ],
};

const wave = (index: number): Wave => ({
  index,
  name: plan.waves[index]!.name,
  state: 'Pending',
  startedAt: null,
  finishedAt: null,
  soakingSince: null,
  acceptedFailures: 0,
  acceptedSlow: 0,
  acceptedUnverified: false,
  gates: [],
  approvals: [],
  counts: { ...NO_COUNTS, pending: plan.waves[index]!.size },
});

const target = (rollout: Rollout, cluster: string, region: string, waveIndex: number, position: number): Target => ({
  rollout: rollout.id,
  cluster,
  region,
  failureDomain: cluster,
  wave: waveIndex,
  position,
  placement: 'label role=canary',
  state: 'Pending',
  phase: 'apply',
  reason: 'NotStarted',
  message: 'the wave has not reached it',
  evidence: null,
  revision: rollout.revision,
  previous: null,
  preflight: null,
  touched: false,
  everFailed: false,
  degraded: false,
  unreachableSince: null,
  outage: null,
  irreversible: [],
  unreachableSettled: false,
  owes: null,
  verifyingSince: null,
  healthySince: null,
  seenIn: null,
  failingSince: null,
  degradedSince: null,
  suspects: [],
  excused: [],
  opensAt: null,
  gates: [],
  slow: false,
  skippedBy: null,
  startedAt: null,
  finishedAt: null,
  dueAt: null,
  attempt: 0,
});

/**
 * Stands for the use cases where the edges are tested: it keeps rollouts in the record that it is given, obeys the verbs at once, and
 * moves on only when a test says so.
 */
export class FakeRollouts implements RolloutCommands {
  readonly calls: { readonly verb: string; readonly input: unknown; readonly actor: string }[] = [];
  private readonly record: RecordPort;
  private count = 0;
  private readonly keys = new Map<string, { readonly body: string; readonly id: RolloutId }>();
  waits: readonly Blocker[] = [];
  answers: readonly WhatIf[] = [];
  expects: ExpectedEnd | null = null;
  pauseSettles = true;
  /** So often an abort is not in force yet. */
  abortsUnsettled = 0;

  constructor(record: RecordPort) {
    this.record = record;
  }

  async start(input: Parameters<RolloutCommands['start']>[0], actor: Actor) {
    this.calls.push({ verb: 'start', input, actor: actor.name });
    const { idempotencyKey, ...rest } = input;
    const body = JSON.stringify(rest);
    const used = idempotencyKey === undefined ? undefined : this.keys.get(idempotencyKey);
    if (used !== undefined && used.body !== body)
      throw new UseCaseError('Invalid', 'IdempotencyKeyReused', 'the idempotency key was used for another request');
    if (used !== undefined) return { rollout: await this.find(used.id), fresh: false };
    if (input.application !== 'podinfo')
      throw new UseCaseError('NotFound', 'ApplicationNotFound', `there is no application "${input.application}"`);
    if (input.revision === 'nowhere')
      throw new UseCaseError('NotFound', 'RevisionNotFound', 'there is no commit, branch or tag "nowhere"');
    this.count += 1;
    const id = `rollout-${this.count}` as RolloutId;
    const rollout: Rollout = {
      id,
      kind: 'Release',
      application: input.application,
      fleet: 'shop',
      revision: { commit: COMMIT, digest: DIGEST },
      regions: {},
      deadlineAccepted: false,
      lineage: [],
      plan,
      state: 'Progressing',
      reason: 'WaveInProgress',
      message: 'wave canary: 0 of 1 cluster verified',
      paused: null,
      clock: { ran: 0, since: START },
      gate: { generation: 1, forward: true, backward: false },
      round: 1,
      lastLook: null,
      rollback: null,
      windowOverrides: [],
      irreversible: [],
      gateOverrides: [],
      deletionsApproved: false,
      waves: [{ ...wave(0), state: 'Progressing', startedAt: START }, wave(1)],
      createdBy: actor.name,
      createdReason: input.reason ?? '',
      createdAt: START,
      startedAt: START,
      finishedAt: null,
      sequence: this.count,
    };
    await this.record.transaction(async (tx) => {
      await tx.insertRollout(rollout, null);
      await tx.insertTargets([
        target(rollout, 'eu-west-1a', 'eu-west', 0, 0),
        target(rollout, 'eu-west-1b', 'eu-west', 1, 0),
        target(rollout, 'us-east-1a', 'us-east', 1, 1),
        target(rollout, 'us-east-1b', 'us-east', 1, 2),
      ]);
      await tx.audit({
        type: 'rollout.created',
        actor: actor.name,
        reason: input.reason ?? '',
        message: 'rollout created',
        rollout: id,
        application: rollout.application,
      });
    });
    await this.record.audit.seal(1000);
    if (idempotencyKey !== undefined) this.keys.set(idempotencyKey, { body, id });
    return { rollout, fresh: true };
  }

  async plan(input: { application: string; revision?: string; strategy?: string }): Promise<PlanPreview> {
    this.calls.push({ verb: 'plan', input, actor: '' });
    const change = { create: ['apps/Deployment/podinfo/web'], update: [], delete: [], unchanged: 2 };
    const member = (cluster: string, region: string, name: string) => ({
      cluster,
      region,
      wave: name,
      failureDomain: cluster,
      reason: 'label role=canary',
      quarantine: null,
      changes: change,
    });
    return {
      application: input.application,
      fleet: 'shop',
      strategy: plan.strategy,
      revision: { commit: COMMIT, digest: DIGEST },
      waves: plan.waves,
      members: [member('eu-west-1a', 'eu-west', 'canary'), member('eu-west-1b', 'eu-west', 'rest')],
      changes: [{ clusters: ['eu-west-1a', 'eu-west-1b'], create: change.create, delete: [], update: [] }],
    };
  }

  async pause(id: string, input: Parameters<RolloutCommands['pause']>[1], actor: Actor): Promise<PauseResult> {
    this.calls.push({ verb: 'pause', input, actor: actor.name });
    const rollout = await this.change(id, 'pause', actor, {
      paused: {
        mode: input.mode ?? 'freeze',
        by: actor.name,
        reason: input.reason ?? '',
        since: START,
        emergency: false,
      },
    });
    return { rollout, unsettled: this.pauseSettles ? [] : ['eu-west-1a'], inForce: this.pauseSettles };
  }

  async resume(id: string, input: { reason?: string }, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'resume', input, actor: actor.name });
    return this.change(id, 'resume', actor, { paused: null });
  }

  async abort(id: string, input: { reason?: string }, actor: Actor): Promise<PauseResult> {
    this.calls.push({ verb: 'abort', input, actor: actor.name });
    const before = await this.find(id);
    const ended = { state: 'Aborted', reason: 'Aborted', finishedAt: START + 60_000 } as const;
    const rollout = before.state === 'Aborted' ? before : await this.change(id, 'abort', actor, ended);
    this.abortsUnsettled -= 1;
    return this.abortsUnsettled < 0
      ? { rollout, unsettled: [], inForce: true }
      : { rollout, unsettled: ['eu-west-1a'], inForce: false };
  }

  async rollback(id: string, input: Parameters<RolloutCommands['rollback']>[1], actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'rollback', input, actor: actor.name });
    const scope = input.scope ?? 'rollout';
    const order = { scope, wave: null, clusters: [], by: actor.name, reason: input.reason ?? '', startedAt: START };
    const rollback = { ...order, automatic: false };
    return this.change(id, 'rollback', actor, { state: 'RollingBack', reason: 'RequestedByPerson', rollback }, false);
  }

  async approve(id: string, input: WaveInput, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'approve', input, actor: actor.name });
    const { waves } = await this.find(id);
    const approval = { by: actor.name, reason: input.reason ?? '', at: START };
    return this.change(id, 'approve', actor, {
      waves: waves.map((one) => (one.name === input.wave ? { ...one, approvals: [approval] } : one)),
    });
  }

  async override(id: string, input: OverrideInput, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'override', input, actor: actor.name });
    const { wave, gate, cluster = null, reason } = input;
    return this.change(id, 'override', actor, {
      gateOverrides: [{ wave, gate, cluster, by: actor.name, reason, at: START }],
    });
  }

  async overrideWindow(id: string, input: WindowInput, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'override-window', input, actor: actor.name });
    const { window, reason } = input;
    return this.change(id, 'override-window', actor, {
      windowOverrides: [{ window: `FreezeWindow/${window}`, by: actor.name, reason, at: START }],
    });
  }

  async retry(id: string, input: RetryInput, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'retry', input, actor: actor.name });
    return this.change(id, 'retry', actor, {});
  }

  async skip(id: string, input: SkipInput, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'skip', input, actor: actor.name });
    return this.change(id, 'skip', actor, {});
  }

  async approveDeletions(id: string, input: { reason?: string }, actor: Actor): Promise<Rollout> {
    this.calls.push({ verb: 'approveDeletions', input, actor: actor.name });
    return this.change(id, 'approve deletions of', actor, { deletionsApproved: true });
  }

  async stopAll(input: { reason?: string }, actor: Actor): Promise<readonly PauseResult[]> {
    const { items } = await this.record.rollouts.list({ unfinished: true, limit: 100 });
    return Promise.all(items.map(({ id }) => this.pause(id, input, actor)));
  }

  async resumeAll(input: { reason?: string }, actor: Actor): Promise<readonly Rollout[]> {
    const { items } = await this.record.rollouts.list({ unfinished: true, limit: 100 });
    return Promise.all(items.map(({ id }) => this.resume(id, input, actor)));
  }

  async find(reference: string): Promise<Rollout> {
    const found =
      (await this.record.rollouts.get(reference as RolloutId)) ?? (await this.record.rollouts.newestOf(reference));
    if (found === null) throw new UseCaseError('NotFound', 'RolloutNotFound', `there is no rollout "${reference}"`);
    return found;
  }

  async waiting(): Promise<readonly Blocker[]> {
    return this.waits;
  }

  async explain(reference: string) {
    const rollout = await this.find(reference);
    return {
      subject: `rollout ${rollout.id}`,
      summary: rollout.message,
      blockers: this.waits,
      next: 'wave rest starts when the canary is verified',
      notes: ['gate errors was changed in Git'],
      whatIf: this.answers,
      expectedEnd: this.expects,
    };
  }

  async explainCluster(name: string) {
    return {
      subject: `cluster ${name}`,
      summary: 'nothing waits here',
      blockers: [],
      next: 'nothing',
      notes: [],
      whatIf: [],
      expectedEnd: null,
    };
  }

  async explainApplication(name: string) {
    return {
      subject: `application/${name}`,
      summary: 'Git is ahead',
      blockers: [],
      next: 'somebody starts it',
      notes: [],
      whatIf: [],
      expectedEnd: null,
    };
  }

  async allTargets(id: string): Promise<readonly Target[]> {
    const { items } = await this.record.rollouts.targets(id as RolloutId, { limit: 1000 });
    return items;
  }

  /** What a worker would do: moves the rollout, or one of its targets, and leaves the audit event. */
  async moveTo(id: string, state: RolloutState, message: string): Promise<void> {
    const ended = TERMINAL_STATES.has(state);
    const changes = { state, message, reason: state, finishedAt: ended ? START + 120_000 : null };
    await this.change(id, 'move', { name: 'worker' }, changes, false);
  }

  /** What the strategy does about a failure. */
  async rollBackByItself(id: string): Promise<void> {
    const order = { scope: 'rollout', wave: null, clusters: [], by: 'breakwater', reason: 'failed' } as const;
    const rollback = { ...order, automatic: true, startedAt: START };
    await this.change(id, 'move', { name: 'worker' }, { state: 'RollingBack', reason: 'GateFailed', rollback });
  }

  /** Clusters would refuse the release. */
  async refuse(id: string, message: string): Promise<void> {
    const held = { state: 'Preflight', reason: 'PreflightFailed', message } as const;
    await this.change(id, 'move', { name: 'worker' }, held);
  }

  /** The wave is next, and asks for an approval. */
  async await(id: string, name: string): Promise<void> {
    const { waves } = await this.find(id);
    const state = 'AwaitingApproval' as const;
    const next = waves.map((one) => (one.name === name ? { ...one, state } : { ...one, state: 'Succeeded' as const }));
    await this.change(id, 'await', { name: 'worker' }, { waves: next });
  }

  async moveTarget(id: string, cluster: string, state: TargetState, message: string): Promise<void> {
    await this.record.transaction(async (tx) => {
      const rollout = (await tx.lockRollout(id as RolloutId))!;
      const before = (await tx.target(rollout.id, cluster))!;
      const after: Target = {
        ...before,
        state,
        message,
        reason: state,
        everFailed: before.everFailed || state === 'Failed',
      };
      await tx.saveTarget(after);
      const waves = rollout.waves.map((one) =>
        one.index === after.wave ? { ...one, counts: moved(one, before, after, rollout.round) } : one,
      );
      await tx.saveRollout({ ...rollout, waves }, null);
      await tx.audit({ type: 'target.state-changed', actor: 'worker', reason: state, message, rollout: id, cluster });
    });
    await this.record.audit.seal(1000);
  }

  private async change(
    id: string,
    verb: string,
    actor: Actor,
    changes: Partial<Rollout>,
    unfinishedOnly = true,
  ): Promise<Rollout> {
    const after = await this.record.transaction(async (tx) => {
      const before = await tx.lockRollout(id as RolloutId);
      if (before === null) throw new UseCaseError('NotFound', 'RolloutNotFound', `there is no rollout "${id}"`);
      if (unfinishedOnly && TERMINAL_STATES.has(before.state))
        throw new UseCaseError('Conflict', 'StateForbids', `cannot ${verb} a rollout that is ${before.state}`);
      const next = { ...before, ...changes };
      await tx.saveRollout(next, null);
      await tx.audit({
        type: 'rollout.state-changed',
        actor: actor.name,
        reason: verb,
        message: next.message,
        rollout: id,
      });
      return next;
    });
    await this.record.audit.seal(1000);
    return after;
  }
}

const moved = (one: Wave, before: Target, after: Target, round: number): Wave['counts'] => {
  const [minus, plus] = [countsOf(before, round), countsOf(after, round)];
  const names = Object.keys(NO_COUNTS) as (keyof Wave['counts'])[];
  return Object.fromEntries(
    names.map((name) => [name, one.counts[name] - minus[name] + plus[name]]),
  ) as unknown as Wave['counts'];
};
