import type { GateKind } from './gate-kind.ts';
import { alertsGate } from './kinds/alerts.ts';
import { approvalGate } from './kinds/approval.ts';
import { celGate } from './kinds/cel.ts';
import { comparisonGate } from './kinds/comparison.ts';
import { httpGate } from './kinds/http.ts';
import { jobGate } from './kinds/job.ts';
import { prometheusGate } from './kinds/prometheus.ts';
import { webhookGate } from './kinds/webhook.ts';

/** Every kind but `workloads`, which is part of each target's own life. A new kind is one file in `kinds/`, and one line here. */
export const GATE_KINDS: readonly GateKind[] = [
  alertsGate,
  approvalGate,
  celGate,
  comparisonGate,
  httpGate,
  jobGate,
  prometheusGate,
  webhookGate,
];

export const gateKind = (kind: string): GateKind | null => GATE_KINDS.find((known) => known.kind === kind) ?? null;
