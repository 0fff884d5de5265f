import {
  GATE_PHASES,
  GATE_STATES,
  ROLLOUT_STATES,
  TARGET_STATES,
  WAITING_REASONS,
  WAVE_STATES,
  WHAT_IF_ACTIONS,
} from '@breakwater/domain';
import { z } from 'zod';
import { named } from './registry.ts';
import { time } from './text.ts';

export const revisionShape = named(
  'Revision',
  z.strictObject({
    commit: z.string().describe('40 hexadecimal digits'),
    digest: z.string().describe('`sha256:…` of what the commit renders to'),
  }),
);

export const blockerShape = named(
  'Blocker',
  z.strictObject({
    reason: z.enum(WAITING_REASONS),
    wave: z.string().nullable(),
    cluster: z.string().nullable(),
    gate: z.string().nullable(),
    object: z.string().nullable(),
    evidence: z.string(),
    since: time.nullable(),
    until: time.nullable().describe('At the latest then something happens by itself; null: it waits for somebody'),
  }),
);

/** A person keeps every rollout off a cluster. */
export const quarantineShape = named('Quarantine', z.strictObject({ by: z.string(), reason: z.string(), since: time }));

const override = named(
  'Override',
  z.strictObject({
    wave: z.string(),
    gate: z.string(),
    cluster: z.string().nullable().describe('null: a gate of the wave itself'),
    by: z.string(),
    reason: z.string(),
    at: time,
  }),
);

const count = z.number().int().min(0);
export const waveShape = named(
  'Wave',
  z.strictObject({
    name: z.string(),
    state: z.enum(WAVE_STATES),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    approvals: z.array(z.strictObject({ by: z.string(), reason: z.string(), at: time })),
    counts: z.strictObject({
      total: count,
      succeeded: count,
      failed: count.describe('Every target that ever failed, also one that was returned'),
      unreachable: count,
      skipped: count,
      inFlight: count,
      rolledBack: count,
    }),
  }),
);

const rollbackShape = named(
  'Rollback',
  z.strictObject({
    scope: z.enum(['cluster', 'wave', 'rollout']),
    automatic: z.boolean().describe('false: a person asked for it'),
    by: z.string(),
    reason: z.string(),
    startedAt: time,
  }),
);

const rolloutFields = {
  id: z.string(),
  kind: z.literal('Release'),
  application: z.string(),
  fleet: z.string(),
  revision: revisionShape,
  state: z.enum(ROLLOUT_STATES),
  reason: z.string().describe('A constant in UpperCamelCase'),
  message: z.string(),
  paused: z
    .strictObject({ mode: z.enum(['freeze', 'drain']), by: z.string(), reason: z.string(), since: time })
    .nullable(),
  rollback: rollbackShape.nullable().describe('The newest order to roll back; null: there was none'),
  waves: z.array(waveShape),
  overrides: z.array(override).describe('Gates that people have let pass (break-glass)'),
  windowOverrides: z
    .array(z.strictObject({ window: z.string(), by: z.string(), reason: z.string(), at: time }))
    .describe('Freeze windows that people have set aside for this rollout (break-glass)'),
  waiting: z.array(blockerShape),
  createdBy: z.string(),
  createdAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
};

export const rolloutShape = named('Rollout', z.strictObject(rolloutFields));

/** What `pause` and `abort` answer. */
export const settledRolloutShape = named(
  'SettledRollout',
  z.strictObject({
    ...rolloutFields,
    unsettled: z
      .array(z.string())
      .describe('Clusters where a request that never got its answer may still land; everywhere else it is in force'),
  }),
);

const preflightFinding = z.strictObject({ reason: z.string(), object: z.string().nullable(), message: z.string() });
export const targetShape = named(
  'Target',
  z.strictObject({
    cluster: z.string(),
    region: z.string(),
    wave: z.string(),
    state: z.enum(TARGET_STATES),
    reason: z.string(),
    message: z.string(),
    revision: revisionShape,
    skippedBy: z.string().nullable().describe('The person who left it out, or has quarantined its cluster'),
    previousRevision: revisionShape.nullable(),
    preflight: z
      .strictObject({
        state: z.enum(['Passed', 'Failed', 'Skipped']),
        findings: z.array(preflightFinding).describe('Why the cluster would refuse, or could not be asked'),
        warnings: z.array(preflightFinding),
        notDryRun: z
          .array(z.string())
          .describe('Objects that cannot be tried: the release itself brings their namespace or kind'),
        at: time,
      })
      .nullable()
      .describe('What the cluster said before the first change; null: not asked yet'),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  }),
);

export const explanationShape = named(
  'Explanation',
  z.strictObject({
    subject: z.string(),
    summary: z.string(),
    blockers: z.array(blockerShape),
    next: z.string(),
    notes: z.array(z.string()).describe('What else one should know: above all, what Git says otherwise by now'),
    whatIf: z
      .array(
        z.strictObject({
          action: z.enum(WHAT_IF_ACTIONS),
          command: z.string().nullable().describe('As typed; null: nothing is done'),
          outcome: z.string(),
          state: z.enum(ROLLOUT_STATES).describe("The rollout's state then"),
          at: time.nullable().describe('When it comes to that by itself, if nothing changes'),
        }),
      )
      .describe('What would follow from each answer to the first blocker, as the state machine itself says'),
    expectedEnd: z
      .strictObject({ earliest: time, latest: time, basis: z.string().describe('What it was reckoned from') })
      .nullable()
      .describe(
        'If nothing fails; null: nothing is measured yet, or it waits for a person or something without an end',
      ),
  }),
);

const planWave = z.strictObject({
  name: z.string(),
  size: count,
  maxConcurrent: count.describe('Effective concurrency: percentages are resolved'),
  failureBudget: count,
  soakSeconds: z.number().min(0),
});
const planMember = z.strictObject({
  cluster: z.string(),
  region: z.string(),
  wave: z.string(),
  failureDomain: z.string(),
  reason: z.string().describe('Why the cluster is in this wave'),
  quarantine: quarantineShape.nullable().describe('Not null: the rollout leaves this cluster out'),
  changes: z.strictObject({
    create: z.array(z.string()),
    update: z.array(z.string()),
    delete: z.array(z.string()),
    unchanged: count,
  }),
});
const fieldChange = z.strictObject({
  path: z.string(),
  from: z.string().nullable().describe('JSON, shortened; values of Secrets are masked; null: it was not there'),
  to: z.string().nullable(),
});
const planChange = z.strictObject({
  clusters: z.array(z.string()),
  create: z.array(z.string()),
  delete: z.array(z.string()),
  update: z.array(
    z.strictObject({
      object: z.string(),
      fields: z.array(fieldChange),
      more: count.describe('So many changed fields are not shown'),
    }),
  ),
});
export const planShape = named(
  'Plan',
  z.strictObject({
    application: z.string(),
    fleet: z.string(),
    strategy: z.string(),
    revision: revisionShape,
    waves: z.array(planWave),
    members: z.array(planMember),
    changes: z.array(planChange).describe('Grouped by what changes: first what changes on most clusters'),
  }),
);

export const auditEventShape = named(
  'AuditEvent',
  z.strictObject({
    sequence: z.number().int(),
    at: time,
    type: z.string(),
    actor: z.string(),
    reason: z.string(),
    message: z.string(),
    rollout: z.string().nullable(),
    application: z.string().nullable(),
    cluster: z.string().nullable(),
    repository: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    hash: z.string().describe('Link of the hash chain'),
  }),
);

const reportedGate = z.strictObject({
  wave: z.string(),
  gate: z.string(),
  kind: z.string(),
  phase: z.enum(GATE_PHASES),
  cluster: z.string().nullable().describe('Of a gate on each cluster: one where it has not just passed'),
  state: z.enum(GATE_STATES),
  evidence: z.string(),
  tally: z.strictObject({ successes: count, failures: count, inconclusive: count, errors: count }),
});

export const reportShape = named(
  'Report',
  z.strictObject({
    rollout: rolloutShape,
    headline: z.string().describe('How it ended, and the clusters that are not at the revision'),
    startReason: z.string().describe('Why it was started'),
    plan: z.strictObject({
      strategy: z.string(),
      waves: z.array(planWave.extend({ gates: z.array(z.string()) })),
    }),
    runbook: z.string().nullable(),
    durationSeconds: z.number().nullable(),
    figures: z.strictObject({
      touched: count.describe('Clusters that the rollout has written to, or may have'),
      secondsToHalt: z
        .number()
        .nullable()
        .describe('From the start to the halt, or to the order to roll back; null: neither was'),
      secondsToRestore: z
        .number()
        .nullable()
        .describe('From then until every touched cluster was restored; null: not all are'),
    }),
    rollback: rollbackShape.nullable(),
    gates: z.array(reportedGate),
    notAtRevision: z.array(targetShape),
    targets: z.array(targetShape),
    events: z.array(auditEventShape).describe('The first 10,000'),
    notes: z.array(z.string()).describe('What the report leaves out'),
  }),
);

/** Lists are pages. */
export const listOf = <T extends z.ZodType>(id: string, item: T) =>
  named(id, z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() }));

export const rolloutListShape = listOf('RolloutList', rolloutShape);
export const targetListShape = listOf('TargetList', targetShape);
export const auditListShape = listOf('AuditList', auditEventShape);
export const settledRolloutListShape = listOf('SettledRolloutList', settledRolloutShape);

export type WireRollout = z.infer<typeof rolloutShape>;
export type WireSettledRollout = z.infer<typeof settledRolloutShape>;
export type WireTarget = z.infer<typeof targetShape>;
export type WireBlocker = z.infer<typeof blockerShape>;
export type WireExplanation = z.infer<typeof explanationShape>;
export type WirePlan = z.infer<typeof planShape>;
export type WireReport = z.infer<typeof reportShape>;
export type WireAuditEvent = z.infer<typeof auditEventShape>;
