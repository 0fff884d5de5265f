import { TARGET_STATES } from '@breakwater/domain';
import { z } from 'zod';
import { named } from './registry.ts';
import {
  explanationShape,
  planShape,
  reportShape,
  rolloutListShape,
  rolloutShape,
  settledRolloutListShape,
  settledRolloutShape,
  targetListShape,
} from './rollout-shapes.ts';
import { page, reasonBody } from './route-parts.ts';
import { route } from './route.ts';
import { flag, name, neededReason, reason, revisionName, rolloutReference } from './text.ts';

const byId = z.strictObject({ id: rolloutReference });
const stateProblems = ['RolloutNotFound', 'StateForbids'];
const rolloutVerb = {
  method: 'POST',
  tag: 'rollouts',
  role: 'operator',
  params: byId,
  problems: stateProblems,
} as const;

const startBody = named(
  'StartRolloutRequest',
  z.strictObject({
    application: name,
    revision: revisionName.optional(),
    reason: reason.optional(),
    strategy: name.optional(),
    supersede: z.boolean().optional().describe('Supersedes an unfinished rollout of the application'),
    allowBad: z.boolean().optional().describe('Starts a release that was rolled back before'),
  }),
);

const planBody = named(
  'PlanRequest',
  z.strictObject({ application: name, revision: revisionName.optional(), strategy: name.optional() }),
);

const pauseBody = named(
  'PauseRequest',
  z.strictObject({
    mode: z.enum(['freeze', 'drain']).optional().describe('freeze (default): no write; drain: no new target'),
    reason: reason.optional(),
  }),
);

const rollbackBody = named(
  'RollbackRequest',
  z.strictObject({
    scope: z
      .enum(['cluster', 'wave', 'rollout'])
      .optional()
      .describe('Default: `cluster` where a cluster or a region is named, `wave` where a wave is, else `rollout`'),
    cluster: name.optional().describe('Of scope `cluster`: this one'),
    region: z.string().min(1).max(253).optional().describe('Of scope `cluster`: those of this region'),
    wave: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Of scope `wave`; default: the last that has something to take back'),
    reason: reason.optional(),
  }),
);

const waveName = z.string().min(1).max(253);
const gateName = z.string().min(1).max(253).describe('Its name in the strategy');

const approveBody = named('ApproveRequest', z.strictObject({ wave: waveName, reason: reason.optional() }));

const overrideBody = named(
  'OverrideRequest',
  z.strictObject({
    wave: waveName,
    gate: gateName,
    cluster: name.optional().describe('Of a gate that is measured on each cluster'),
    reason: neededReason,
  }),
);

const overrideWindowBody = named(
  'OverrideWindowRequest',
  z.strictObject({ window: name.describe('Of a FreezeWindow'), reason: neededReason }),
);

const retryBody = named(
  'RetryRequest',
  z.strictObject({
    cluster: name.optional(),
    wave: waveName.optional().describe('With gate'),
    gate: gateName.optional(),
    reason: reason.optional(),
  }),
);

const skipBody = named(
  'SkipRequest',
  z.strictObject({
    cluster: name.optional(),
    region: z.string().min(1).max(253).optional(),
    reason: reason.optional(),
  }),
);

const SETTLING = '200: in force, but for the `unsettled` clusters. 202: a cluster has not settled within 5 s.';

/** Of rollouts and their plans, and of the emergency stop. */
export const rolloutRoutes = {
  listRollouts: route({
    method: 'GET',
    path: '/rollouts',
    tag: 'rollouts',
    role: 'viewer',
    summary: 'Rollouts, newest first',
    query: z.strictObject({
      ...page,
      application: name.optional(),
      unfinished: flag.optional().describe('`true`: only those that have not ended'),
    }),
    responses: { 200: rolloutListShape },
  }),
  startRollout: route({
    method: 'POST',
    path: '/rollouts',
    tag: 'rollouts',
    role: 'operator',
    summary: 'Start a rollout',
    description:
      'Without `revision`: the newest good commit. With an `Idempotency-Key`, a repeated request answers 200 and the same rollout.',
    headers: { 'Idempotency-Key': 'Up to 200 printable characters, chosen by the client' },
    body: startBody,
    responses: { 201: rolloutShape, 200: rolloutShape },
    problems: [
      'ApplicationNotFound',
      'RevisionNotFound',
      'RevisionInvalid',
      'ApplicationInvalid',
      'StrategyNotFound',
      'PlanImpossible',
      'ReleaseBad',
      'RolloutInProgress',
      'IdempotencyKeyReused',
    ],
  }),
  getRollout: route({
    method: 'GET',
    path: '/rollouts/{id}',
    tag: 'rollouts',
    role: 'viewer',
    summary: 'One rollout',
    params: byId,
    responses: { 200: rolloutShape },
    problems: ['RolloutNotFound'],
  }),
  listTargets: route({
    method: 'GET',
    path: '/rollouts/{id}/targets',
    tag: 'rollouts',
    role: 'viewer',
    summary: 'The targets of a rollout, in the order of waves',
    params: byId,
    query: z.strictObject({ ...page, wave: z.string().max(253).optional(), state: z.enum(TARGET_STATES).optional() }),
    responses: { 200: targetListShape },
    problems: ['RolloutNotFound'],
  }),
  explainRollout: route({
    method: 'GET',
    path: '/rollouts/{id}/explain',
    tag: 'rollouts',
    role: 'viewer',
    summary: 'Why is it waiting?',
    params: byId,
    responses: { 200: explanationShape },
    problems: ['RolloutNotFound'],
  }),
  reportRollout: route({
    method: 'GET',
    path: '/rollouts/{id}/report',
    tag: 'rollouts',
    role: 'viewer',
    summary: 'What happened, when, and who did it',
    headers: { Accept: '`application/json` (default) or `text/markdown`' },
    alternative: 'text/markdown',
    params: byId,
    responses: { 200: reportShape },
    problems: ['RolloutNotFound'],
  }),
  pauseRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/pause',
    summary: 'Pause a rollout',
    description: SETTLING,
    body: pauseBody,
    responses: { 200: settledRolloutShape, 202: settledRolloutShape },
  }),
  resumeRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/resume',
    summary: 'Resume a paused or halted rollout',
    description: 'A gate that has halted it counts as overridden by this person, who has to say why.',
    body: reasonBody,
    responses: { 200: rolloutShape },
    problems: [...stateProblems, 'ReasonNeeded', 'FourEyes'],
  }),
  abortRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/abort',
    summary: 'End a rollout where it is; touched clusters stay as they are',
    description: `${SETTLING} Asked again of an aborted rollout, it answers whether that is in force by now.`,
    body: reasonBody,
    responses: { 200: settledRolloutShape, 202: settledRolloutShape },
  }),
  rollbackRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/rollback',
    summary: 'Return touched clusters to their own last known good revision',
    description:
      'A scope and what is named have to fit. Clusters or a region of a rollout that is Progressing are returned while it goes on.',
    body: rollbackBody,
    responses: { 200: rolloutShape },
    problems: [
      ...stateProblems,
      'NothingNamed',
      'ScopeContradicts',
      'NothingToRollBack',
      'NotTheNewest',
      'ClusterNotFound',
      'RegionNotFound',
      'WaveNotFound',
    ],
  }),
  approveRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/approve',
    summary: 'Approve a wave that has not started',
    description: 'Also ahead of its turn. Where the strategy wants four eyes, whoever started the rollout cannot.',
    body: approveBody,
    responses: { 200: rolloutShape },
    problems: [...stateProblems, 'WaveNotFound', 'FourEyes'],
  }),
  overrideRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/override',
    summary: 'Break-glass: let a gate of the wave under way pass',
    description: 'The reason is mandatory; headline, `overrides` and audit trail name who did it.',
    body: overrideBody,
    responses: { 200: rolloutShape },
    problems: [
      ...stateProblems,
      'WaveNotFound',
      'GateNotFound',
      'ClusterNotFound',
      'ClusterNeeded',
      'GateOfWave',
      'FourEyes',
      'ReasonNeeded',
    ],
  }),
  overrideRolloutWindow: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/override-window',
    summary: 'Break-glass: this rollout does not mind a freeze window',
    description:
      "Where the window's `override` lets whoever asks; headline, `windowOverrides` and audit trail name who did it.",
    body: overrideWindowBody,
    responses: { 200: rolloutShape },
    problems: [...stateProblems, 'WindowNotFound', 'WindowForbids', 'ReasonNeeded'],
  }),
  retryRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/retry',
    summary: 'Try a cluster anew, or measure a gate anew',
    description: 'Either a `cluster`, or a `wave` and its `gate` (with the `cluster` of one that is measured on each).',
    body: retryBody,
    responses: { 200: rolloutShape },
    problems: [
      ...stateProblems,
      'NothingNamed',
      'ClusterNotFound',
      'WaveNotFound',
      'GateNotFound',
      'ClusterNeeded',
      'GateOfWave',
      'ClusterQuarantined',
      'NothingToRollBack',
      'NotTheNewest',
    ],
  }),
  skipRollout: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/skip',
    summary: 'Leave out a cluster or a region that the release has not reached',
    description: 'The rollout names them and ends Incomplete. Of a region, what has begun goes on.',
    body: skipBody,
    responses: { 200: rolloutShape },
    problems: [...stateProblems, 'NothingNamed', 'ClusterNotFound', 'RegionNotFound'],
  }),
  approveDeletions: route({
    ...rolloutVerb,
    path: '/rollouts/{id}/approve-deletions',
    summary: 'Let a rollout delete more objects than the limit',
    body: reasonBody,
    responses: { 200: rolloutShape },
  }),
  stopAll: route({
    method: 'POST',
    path: '/stop-all',
    tag: 'rollouts',
    role: 'operator',
    summary: 'Emergency stop: freeze every rollout',
    body: reasonBody,
    responses: { 200: settledRolloutListShape, 202: settledRolloutListShape },
  }),
  resumeAll: route({
    method: 'POST',
    path: '/resume-all',
    tag: 'rollouts',
    role: 'operator',
    summary: 'End the emergency stop',
    body: reasonBody,
    responses: { 200: rolloutListShape },
  }),
  previewPlan: route({
    method: 'POST',
    path: '/plans',
    tag: 'plans',
    role: 'viewer',
    summary: 'What a rollout would do; changes nothing',
    body: planBody,
    responses: { 200: planShape },
    problems: [
      'ApplicationNotFound',
      'RevisionNotFound',
      'RevisionInvalid',
      'ApplicationInvalid',
      'StrategyNotFound',
      'PlanImpossible',
    ],
  }),
} as const;
