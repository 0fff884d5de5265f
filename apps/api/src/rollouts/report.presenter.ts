import type { ReportedGate, RolloutReport } from '@breakwater/application';
import type { Rollout, Target } from '@breakwater/domain';
import type { WireReport, WireRollout } from '@breakwater/platform';
import { presentAuditEvent, presentRollback, presentTarget } from './rollout.presenter.ts';

const secondsOf = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

const presentPlanned = ({ plan }: Rollout): WireReport['plan'] => ({
  strategy: plan.strategy,
  waves: plan.waves.map(({ name, size, maxConcurrent, failureBudget, soakMs, gates }) => ({
    name,
    size,
    maxConcurrent,
    failureBudget,
    soakSeconds: soakMs / 1000,
    gates: gates.map((gate) => gate.name),
  })),
});

const presentGate = ({ wave, gate, cluster, run }: ReportedGate): WireReport['gates'][number] => {
  const { successes, failures, inconclusive, errors } = run.tally;
  return {
    wave,
    gate: gate.name,
    kind: gate.kind,
    phase: gate.phase,
    cluster,
    state: run.state,
    evidence: run.evidence,
    tally: { successes, failures, inconclusive, errors },
  };
};

export const presentReport = (report: RolloutReport, presented: WireRollout): WireReport => {
  const { rollout, figures } = report;
  const target = (one: Target) => presentTarget(rollout, one);
  return {
    rollout: presented,
    headline: report.headline,
    startReason: rollout.createdReason,
    plan: presentPlanned(rollout),
    runbook: rollout.plan.policy.runbook,
    durationSeconds: secondsOf(report.durationMs),
    figures: {
      touched: figures.touched,
      secondsToHalt: secondsOf(figures.msToHalt),
      secondsToRestore: secondsOf(figures.msToRestore),
    },
    rollback: presentRollback(rollout),
    gates: report.gates.map(presentGate),
    notAtRevision: report.notAtRevision.map(target),
    targets: report.targets.map(target),
    events: report.events.map(presentAuditEvent),
    notes: [...report.notes],
  };
};
