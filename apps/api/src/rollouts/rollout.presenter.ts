import type { Explanation, PlanPreview, StoredAuditEvent } from '@breakwater/application';
import type { Blocker, GateOverride, Instant, PreflightFinding, Rollout, Target, Wave } from '@breakwater/domain';
import type {
  WireAuditEvent,
  WireBlocker,
  WireExplanation,
  WirePlan,
  WireRollout,
  WireTarget,
} from '@breakwater/platform';

export const iso = (instant: Instant): string => new Date(instant).toISOString();
export const isoOrNull = (instant: Instant | null): string | null => (instant === null ? null : iso(instant));

const presentWave = (wave: Wave, size: number): WireRollout['waves'][number] => ({
  name: wave.name,
  state: wave.state,
  startedAt: isoOrNull(wave.startedAt),
  finishedAt: isoOrNull(wave.finishedAt),
  approvals: wave.approvals.map(({ by, reason, at }) => ({ by, reason, at: iso(at) })),
  counts: {
    total: size,
    succeeded: wave.counts.succeeded,
    failed: wave.counts.everFailed,
    unreachable: wave.counts.unreachable,
    skipped: wave.counts.skipped,
    inFlight: wave.counts.inFlight,
    rolledBack: wave.counts.rolledBack,
  },
});

const presentOverride = ({ wave, gate, cluster, by, reason, at }: GateOverride): WireRollout['overrides'][number] => ({
  wave,
  gate,
  cluster,
  by,
  reason,
  at: iso(at),
});

export const presentRollback = ({ rollback }: Pick<Rollout, 'rollback'>): WireRollout['rollback'] =>
  rollback === null
    ? null
    : {
        scope: rollback.scope,
        automatic: rollback.automatic,
        by: rollback.by,
        reason: rollback.reason,
        startedAt: iso(rollback.startedAt),
      };

export const presentBlocker = (blocker: Blocker): WireBlocker => ({
  reason: blocker.reason,
  wave: blocker.wave,
  cluster: blocker.cluster,
  gate: blocker.gate,
  object: blocker.object,
  evidence: blocker.evidence,
  since: isoOrNull(blocker.since),
  until: isoOrNull(blocker.until),
});

export const presentRollout = (rollout: Rollout, waiting: readonly Blocker[]): WireRollout => ({
  id: rollout.id,
  kind: rollout.kind,
  application: rollout.application,
  fleet: rollout.fleet,
  revision: { commit: rollout.revision.commit, digest: rollout.revision.digest },
  state: rollout.state,
  reason: rollout.reason,
  message: rollout.message,
  paused:
    rollout.paused === null
      ? null
      : {
          mode: rollout.paused.mode,
          by: rollout.paused.by,
          reason: rollout.paused.reason,
          since: iso(rollout.paused.since),
        },
  rollback: presentRollback(rollout),
  waves: rollout.waves.map((wave) => presentWave(wave, rollout.plan.waves[wave.index]?.size ?? 0)),
  overrides: rollout.gateOverrides.map(presentOverride),
  windowOverrides: rollout.windowOverrides.map(({ at, ...override }) => ({ ...override, at: iso(at) })),
  waiting: waiting.map(presentBlocker),
  createdBy: rollout.createdBy,
  createdAt: iso(rollout.createdAt),
  startedAt: isoOrNull(rollout.startedAt),
  finishedAt: isoOrNull(rollout.finishedAt),
});

const presentPreflight = (preflight: Target['preflight']): WireTarget['preflight'] => {
  if (preflight === null) return null;
  const { state, findings, warnings, notDryRun, at } = preflight;
  const present = ({ reason, object, message }: PreflightFinding) => ({ reason, object, message });
  return {
    state,
    findings: findings.map(present),
    warnings: warnings.map(present),
    notDryRun: [...notDryRun],
    at: iso(at),
  };
};

export const presentTarget = (rollout: Rollout, target: Target): WireTarget => ({
  cluster: target.cluster,
  region: target.region,
  wave: rollout.plan.waves[target.wave]?.name ?? String(target.wave),
  state: target.state,
  reason: target.reason,
  message: target.message,
  revision: { commit: target.revision.commit, digest: target.revision.digest },
  skippedBy: target.skippedBy,
  previousRevision:
    target.previous === null ? null : { commit: target.previous.commit, digest: target.previous.digest },
  preflight: presentPreflight(target.preflight),
  startedAt: isoOrNull(target.startedAt),
  finishedAt: isoOrNull(target.finishedAt),
});

export const presentExplanation = (explanation: Explanation): WireExplanation => ({
  subject: explanation.subject,
  summary: explanation.summary,
  blockers: explanation.blockers.map(presentBlocker),
  next: explanation.next,
  notes: [...explanation.notes],
  whatIf: explanation.whatIf.map(({ at, ...row }) => ({ ...row, at: isoOrNull(at) })),
  expectedEnd:
    explanation.expectedEnd === null
      ? null
      : {
          earliest: iso(explanation.expectedEnd.earliest),
          latest: iso(explanation.expectedEnd.latest),
          basis: explanation.expectedEnd.basis,
        },
});

export const presentPlan = (plan: PlanPreview): WirePlan => ({
  application: plan.application,
  fleet: plan.fleet,
  strategy: plan.strategy,
  revision: { commit: plan.revision.commit, digest: plan.revision.digest },
  waves: plan.waves.map(({ name, size, maxConcurrent, failureBudget, soakMs }) => ({
    name,
    size,
    maxConcurrent,
    failureBudget,
    soakSeconds: soakMs / 1000,
  })),
  members: plan.members.map(({ cluster, region, wave, failureDomain, reason, quarantine, changes }) => ({
    cluster,
    region,
    wave,
    failureDomain,
    reason,
    quarantine:
      quarantine === null ? null : { by: quarantine.by, reason: quarantine.reason, since: iso(quarantine.since) },
    changes: {
      create: [...changes.create],
      update: [...changes.update],
      delete: [...changes.delete],
      unchanged: changes.unchanged,
    },
  })),
  changes: plan.changes.map((change) => ({
    clusters: [...change.clusters],
    create: [...change.create],
    delete: [...change.delete],
    update: change.update.map(({ object, fields, more }) => ({ object, fields: [...fields], more })),
  })),
});

export const presentAuditEvent = (event: StoredAuditEvent): WireAuditEvent => ({
  sequence: event.sequence,
  at: iso(event.at),
  type: event.type,
  actor: event.actor,
  reason: event.reason,
  message: event.message,
  rollout: event.rollout ?? null,
  application: event.application ?? null,
  cluster: event.cluster ?? null,
  repository: event.repository ?? null,
  data: { ...event.data },
  hash: event.hash,
});
