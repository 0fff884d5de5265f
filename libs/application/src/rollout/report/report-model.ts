import type { GateRun, Instant, PlannedGate, Rollout, Target } from '@breakwater/domain';
import type { StoredAuditEvent } from '../../ports/record.port.ts';

/** Gates on clusters that have not passed, at most so many by name. */
const GATES_ON_CLUSTERS = 1_000;

export interface ReportedGate {
  readonly wave: string;
  readonly gate: PlannedGate;
  /** Of a gate that is measured on each cluster: the cluster, where it has not just passed. */
  readonly cluster: string | null;
  readonly run: GateRun;
}

/** How far it went, and how fast it was stopped and taken back. */
export interface ReportFigures {
  /** Clusters that the rollout has written to, or may have. */
  readonly touched: number;
  /** From the start to the halt, or to a person's order to roll back; null: neither was. */
  readonly msToHalt: number | null;
  /** From then until every one of them was restored; null: not all are. */
  readonly msToRestore: number | null;
}

export interface RolloutReport {
  readonly rollout: Rollout;
  readonly headline: string;
  readonly durationMs: number | null;
  readonly notAtRevision: readonly Target[];
  readonly targets: readonly Target[];
  readonly gates: readonly ReportedGate[];
  readonly figures: ReportFigures;
  readonly events: readonly StoredAuditEvent[];
  /** What the report leaves out. */
  readonly notes: readonly string[];
}

export interface ReportInput {
  readonly rollout: Rollout;
  readonly targets: readonly Target[];
  readonly events: readonly StoredAuditEvent[];
  /** There are more events than these. */
  readonly cut: boolean;
}

export const reportOf = ({ rollout, targets, events, cut }: ReportInput): RolloutReport => {
  const notAtRevision = targets.filter(({ state }) => state !== 'Succeeded');
  const onClusters = gatesOnClusters(rollout, targets);
  const left = onClusters.length - GATES_ON_CLUSTERS;
  return {
    rollout,
    headline: headlineOf(rollout, notAtRevision),
    durationMs:
      rollout.startedAt === null || rollout.finishedAt === null ? null : rollout.finishedAt - rollout.startedAt,
    notAtRevision,
    targets,
    gates: [...gatesOnWaves(rollout), ...onClusters.slice(0, GATES_ON_CLUSTERS)],
    figures: figuresOf(rollout, targets, events),
    events,
    notes: [
      ...(cut ? [`the first ${events.length} events; the rest is in the audit trail`] : []),
      ...(left > 0 ? [`${left} more gates on clusters have not passed`] : []),
    ],
  };
};

const NAMED = 5;
const headlineOf = (rollout: Rollout, missing: readonly Target[]): string => {
  const named = missing.slice(0, NAMED).map(({ cluster }) => cluster);
  const more = missing.length > named.length ? ` and ${missing.length - named.length} more` : '';
  const rest = named.length === 0 ? '' : `; not at the revision: ${named.join(', ')}${more}`;
  return `${rollout.state}: ${rollout.message}${rest}`;
};

const gatesOnWaves = (rollout: Rollout): readonly ReportedGate[] =>
  rollout.waves.flatMap((wave) =>
    (rollout.plan.waves[wave.index]?.gates ?? []).flatMap((gate) => {
      const run = wave.gates.find((candidate) => candidate.gate === gate.name);
      return run === undefined || gate.phase === 'during' ? [] : [{ wave: wave.name, gate, cluster: null, run }];
    }),
  );

/** One that has passed on a cluster is no news; any other is. */
const gatesOnClusters = (rollout: Rollout, targets: readonly Target[]): readonly ReportedGate[] =>
  targets.flatMap((target) => {
    const wave = rollout.plan.waves[target.wave];
    return target.gates.flatMap((run) => {
      const gate = wave?.gates.find((candidate) => candidate.name === run.gate);
      if (wave === undefined || gate === undefined || run.state === 'Passed' || run.state === 'Waiting') return [];
      return [{ wave: wave.name, gate, cluster: target.cluster, run }];
    });
  });

const figuresOf = (
  rollout: Rollout,
  targets: readonly Target[],
  events: readonly StoredAuditEvent[],
): ReportFigures => {
  const stopped = haltOf(events) ?? rollout.rollback?.startedAt ?? null;
  const restored = rollout.state === 'RolledBack' && stopped !== null ? rollout.finishedAt : null;
  return {
    touched: targets.filter(({ touched }) => touched).length,
    msToHalt: stopped === null || rollout.startedAt === null ? null : Math.max(0, stopped - rollout.startedAt),
    msToRestore: stopped === null || restored === null ? null : Math.max(0, restored - stopped),
  };
};

const haltOf = (events: readonly StoredAuditEvent[]): Instant | null =>
  events.find(({ type, data }) => type === 'rollout.state-changed' && data?.['to'] === 'Halted')?.at ?? null;
