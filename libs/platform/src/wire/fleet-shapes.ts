import { WEBHOOK_VERDICTS } from '@breakwater/domain';
import { z } from 'zod';
import { named } from './registry.ts';
import { listOf, quarantineShape, revisionShape } from './rollout-shapes.ts';
import { time } from './text.ts';

const commitAt = z.strictObject({ commit: z.string(), at: time }).nullable();

export const documentErrorShape = named(
  'DocumentError',
  z.strictObject({
    file: z.string(),
    line: z.number().int().nullable(),
    column: z.number().int().nullable(),
    kind: z.string().nullable(),
    name: z.string().nullable(),
    field: z.string().nullable(),
    message: z.string(),
    remedy: z.string(),
    blocks: z.string().describe('`snapshot`, or `application/NAME`'),
  }),
);

export const repositoryShape = named(
  'Repository',
  z.strictObject({
    name: z.string(),
    url: z.string().describe('Without credentials'),
    ref: z.string(),
    state: z
      .enum(['Pending', 'Synced', 'Invalid', 'Unreachable', 'Held'])
      .describe('Pending: the first sync was not tried yet'),
    message: z.string(),
    observed: commitAt,
    good: commitAt,
    errors: z.array(documentErrorShape),
  }),
);

export const clusterShape = named(
  'Cluster',
  z.strictObject({
    name: z.string(),
    region: z.string().nullable(),
    uid: z.string().nullable(),
    version: z.string().nullable(),
    state: z
      .enum(['Unknown', 'Ready', 'Unreachable', 'Refused', 'Replaced', 'Quarantined'])
      .describe('Unknown: not contacted yet'),
    reason: z.string(),
    message: z.string(),
    quarantine: quarantineShape.nullable(),
    lastSeen: time.nullable(),
    facts: z.record(z.string(), z.unknown()),
    applications: z.array(
      z.strictObject({
        application: z.string(),
        desired: revisionShape.nullable(),
        running: revisionShape.nullable(),
        lastGood: revisionShape.nullable(),
        owed: z
          .strictObject({
            revision: revisionShape.nullable().describe('null: nothing of the application'),
            rollout: z.string(),
          })
          .nullable(),
        blockedBy: z.string().nullable().describe('The rollout that holds the lock'),
      }),
    ),
  }),
);

export const fleetShape = named(
  'Fleet',
  z.strictObject({
    name: z.string(),
    repository: z.string(),
    commit: z.string(),
    strategy: z.string().nullable(),
    clusters: z.array(z.string()),
    spec: z.record(z.string(), z.unknown()),
  }),
);

export const strategyShape = named(
  'Strategy',
  z.strictObject({
    name: z.string(),
    repository: z.string(),
    commit: z.string(),
    spec: z.record(z.string(), z.unknown()),
  }),
);

export const releaseShape = named(
  'Release',
  z.strictObject({
    application: z.string(),
    revision: revisionShape,
    state: z.enum(['Good', 'Invalid', 'Bad']),
    reason: z.string(),
    clusters: z.number().int(),
    errors: z.array(documentErrorShape),
    createdAt: time,
  }),
);

export const applicationShape = named(
  'Application',
  z.strictObject({
    name: z.string(),
    repository: z.string().nullable(),
    commit: z.string().nullable(),
    fleet: z.string().nullable(),
    strategy: z.string().nullable(),
    state: z.enum(['Active', 'Invalid', 'Removed']).describe('Invalid: in Git with errors. Removed: it left Git'),
    trigger: z.enum(['manual', 'onCommit']).nullable(),
    newest: z
      .strictObject({ revision: revisionShape, state: z.enum(['Good', 'Invalid', 'Bad']), createdAt: time })
      .nullable()
      .describe('The newest release that Git brought'),
    proven: revisionShape.nullable().describe('The revision of the last rollout that succeeded'),
    gitAhead: z.boolean().describe('Git has a newer release than the proven one'),
    rollout: z
      .strictObject({ id: z.string(), state: z.string(), paused: z.boolean(), createdAt: time })
      .nullable()
      .describe('The newest rollout'),
    spec: z.record(z.string(), z.unknown()),
  }),
);

export const tokenShape = named(
  'Token',
  z.strictObject({
    name: z.string(),
    role: z.enum(['viewer', 'operator', 'admin']),
    token: z.string().describe('Shown once; only its SHA-256 is stored'),
  }),
);

export const hookAnswerShape = named('HookAnswer', z.strictObject({ repository: z.string(), accepted: z.boolean() }));

export const gateAnswerShape = named(
  'GateAnswer',
  z.strictObject({
    rollout: z.string(),
    application: z.string(),
    wave: z.string(),
    cluster: z.string().nullable().describe('Of a gate that is measured on each cluster'),
    gate: z.string(),
    verdict: z.enum(WEBHOOK_VERDICTS),
  }),
);

export const repositoryListShape = listOf('RepositoryList', repositoryShape);
export const clusterListShape = listOf('ClusterList', clusterShape);
export const fleetListShape = listOf('FleetList', fleetShape);
export const strategyListShape = listOf('StrategyList', strategyShape);
export const releaseListShape = listOf('ReleaseList', releaseShape);
export const applicationListShape = listOf('ApplicationList', applicationShape);

export type WireRepository = z.infer<typeof repositoryShape>;
export type WireDocumentError = z.infer<typeof documentErrorShape>;
export type WireCluster = z.infer<typeof clusterShape>;
export type WireFleet = z.infer<typeof fleetShape>;
export type WireStrategy = z.infer<typeof strategyShape>;
export type WireRelease = z.infer<typeof releaseShape>;
export type WireApplication = z.infer<typeof applicationShape>;
export type WireToken = z.infer<typeof tokenShape>;
