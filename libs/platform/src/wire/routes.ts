import { TARGET_STATES, WEBHOOK_VERDICTS } from '@breakwater/domain';
import { z } from 'zod';
import { changesShape } from './changes-shapes.ts';
import {
  applicationListShape,
  applicationShape,
  clusterListShape,
  clusterShape,
  fleetListShape,
  fleetShape,
  gateAnswerShape,
  hookAnswerShape,
  releaseListShape,
  repositoryListShape,
  repositoryShape,
  strategyListShape,
  strategyShape,
  tokenShape,
} from './fleet-shapes.ts';
import { named } from './registry.ts';
import {
  auditListShape,
  explanationShape,
  planShape,
  reportShape,
  rolloutListShape,
  rolloutShape,
  settledRolloutListShape,
  settledRolloutShape,
  targetListShape,
} from './rollout-shapes.ts';
import { route } from './route.ts';
import { cursor, flag, limit, name, neededReason, reason, revisionName, rolloutReference, time } from './text.ts';

const byId = z.strictObject({ id: rolloutReference });
const byName = z.strictObject({ name });
const page = { cursor: cursor.optional(), limit: limit.default(100) };
const paged = z.strictObject(page);
const reasonBody = named('ReasonRequest', z.strictObject({ reason: reason.optional() }));
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

const answerBody = named(
  'GateAnswerRequest',
  z.strictObject({
    verdict: z.enum(WEBHOOK_VERDICTS),
    message: z.string().max(4_000).optional().describe('For people; shown as evidence, in one line and shortened'),
  }),
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

const neededReasonBody = named('NeededReasonRequest', z.strictObject({ reason: neededReason }));

const tokenBody = named('TokenRequest', z.strictObject({ name, role: z.enum(['viewer', 'operator', 'admin']) }));

const SETTLING = '200: in force, but for the `unsettled` clusters. 202: a cluster has not settled within 5 s.';

/** Every route of the API below `/api/v1`. */
export const routes = {
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
  listRepositories: route({
    method: 'GET',
    path: '/repositories',
    tag: 'repositories',
    role: 'viewer',
    summary: 'Fleet repositories',
    query: paged,
    responses: { 200: repositoryListShape },
  }),
  getRepository: route({
    method: 'GET',
    path: '/repositories/{name}',
    tag: 'repositories',
    role: 'viewer',
    summary: 'One repository, with what is wrong in it',
    params: byName,
    responses: { 200: repositoryShape },
    problems: ['RepositoryNotFound'],
  }),
  syncRepository: route({
    method: 'POST',
    path: '/repositories/{name}/sync',
    tag: 'repositories',
    role: 'operator',
    summary: 'Fetch now; answers when the commit has been judged',
    params: byName,
    body: reasonBody,
    responses: { 200: repositoryShape },
    problems: ['RepositoryNotFound'],
  }),
  approveRepository: route({
    method: 'POST',
    path: '/repositories/{name}/approve',
    tag: 'repositories',
    role: 'operator',
    summary: 'Let a `Held` commit through',
    params: byName,
    body: reasonBody,
    responses: { 200: repositoryShape },
    problems: ['RepositoryNotFound', 'NotHeld'],
  }),
  listClusters: route({
    method: 'GET',
    path: '/clusters',
    tag: 'clusters',
    role: 'viewer',
    summary: 'Clusters with their state',
    query: paged,
    responses: { 200: clusterListShape },
  }),
  getCluster: route({
    method: 'GET',
    path: '/clusters/{name}',
    tag: 'clusters',
    role: 'viewer',
    summary: 'One cluster: facts, reachability and what runs there',
    params: byName,
    responses: { 200: clusterShape },
    problems: ['ClusterNotFound'],
  }),
  explainCluster: route({
    method: 'GET',
    path: '/clusters/{name}/explain',
    tag: 'clusters',
    role: 'viewer',
    summary: 'Why is this cluster not updated?',
    params: byName,
    responses: { 200: explanationShape },
    problems: ['ClusterNotFound'],
  }),
  listChanges: route({
    method: 'GET',
    path: '/clusters/{name}/changes',
    tag: 'clusters',
    role: 'viewer',
    summary: 'What changed on this cluster, the likeliest cause of what broke first',
    description:
      'Releases, foreign edits, nodes, configuration, overrides and commands. A rollout worker is asked what the cluster itself tells; where it cannot say, `notLookedAt` says so.',
    params: byName,
    query: z.strictObject({ since: time.optional().describe('Default: two hours ago') }),
    responses: { 200: changesShape },
    problems: ['ClusterNotFound', 'SinceInFuture'],
  }),
  acceptCluster: route({
    method: 'POST',
    path: '/clusters/{name}/accept',
    tag: 'clusters',
    role: 'operator',
    summary: 'Accept a replaced cluster as a new one',
    params: byName,
    body: reasonBody,
    responses: { 200: clusterShape },
    problems: ['ClusterNotFound', 'StateForbids'],
  }),
  quarantineCluster: route({
    method: 'POST',
    path: '/clusters/{name}/quarantine',
    tag: 'clusters',
    role: 'operator',
    summary: 'Keep every rollout off a cluster; what is in flight there finishes',
    params: byName,
    body: neededReasonBody,
    responses: { 200: clusterShape },
    problems: ['ClusterNotFound', 'ReasonNeeded'],
  }),
  releaseCluster: route({
    method: 'POST',
    path: '/clusters/{name}/release',
    tag: 'clusters',
    role: 'operator',
    summary: 'Let rollouts touch a quarantined cluster again',
    params: byName,
    body: reasonBody,
    responses: { 200: clusterShape },
    problems: ['ClusterNotFound', 'StateForbids'],
  }),
  listFleets: route({
    method: 'GET',
    path: '/fleets',
    tag: 'fleets',
    role: 'viewer',
    summary: 'Fleets with their clusters',
    query: paged,
    responses: { 200: fleetListShape },
  }),
  getFleet: route({
    method: 'GET',
    path: '/fleets/{name}',
    tag: 'fleets',
    role: 'viewer',
    summary: 'One fleet with its clusters',
    params: byName,
    responses: { 200: fleetShape },
    problems: ['FleetNotFound'],
  }),
  listStrategies: route({
    method: 'GET',
    path: '/strategies',
    tag: 'strategies',
    role: 'viewer',
    summary: 'Strategies',
    query: paged,
    responses: { 200: strategyListShape },
  }),
  getStrategy: route({
    method: 'GET',
    path: '/strategies/{name}',
    tag: 'strategies',
    role: 'viewer',
    summary: 'One strategy',
    params: byName,
    responses: { 200: strategyShape },
    problems: ['StrategyNotFound'],
  }),
  listBaselines: route({
    method: 'GET',
    path: '/baselines',
    tag: 'baselines',
    role: 'viewer',
    summary: 'Baseline policies: not supported yet',
    query: paged,
    responses: {},
    problems: ['NotSupportedYet'],
  }),
  listApplications: route({
    method: 'GET',
    path: '/applications',
    tag: 'applications',
    role: 'viewer',
    summary: 'Applications',
    query: paged,
    responses: { 200: applicationListShape },
  }),
  getApplication: route({
    method: 'GET',
    path: '/applications/{name}',
    tag: 'applications',
    role: 'viewer',
    summary: 'One application: newest release, proven revision, newest rollout',
    params: byName,
    responses: { 200: applicationShape },
    problems: ['ApplicationNotFound'],
  }),
  explainApplication: route({
    method: 'GET',
    path: '/applications/{name}/explain',
    tag: 'applications',
    role: 'viewer',
    summary: 'Why is this application not at what Git has?',
    params: byName,
    responses: { 200: explanationShape },
    problems: ['ApplicationNotFound'],
  }),
  listReleases: route({
    method: 'GET',
    path: '/releases',
    tag: 'releases',
    role: 'viewer',
    summary: 'Releases, newest first',
    query: z.strictObject({ ...page, application: name.optional().describe('Only of this one') }),
    responses: { 200: releaseListShape },
  }),
  listAudit: route({
    method: 'GET',
    path: '/audit',
    tag: 'audit',
    role: 'viewer',
    summary: 'The audit trail, oldest first',
    query: z.strictObject({
      ...page,
      since: time.optional(),
      cluster: name.optional(),
      by: z.string().min(1).max(253).optional().describe('Who did it'),
      rollout: rolloutReference.optional(),
    }),
    responses: { 200: auditListShape },
  }),
  streamEvents: route({
    method: 'GET',
    path: '/events',
    tag: 'audit',
    role: 'viewer',
    summary: 'The audit trail as it grows (server-sent events)',
    description:
      'Each event has the audit sequence as `id`, the type as `event` and an AuditEvent as `data`. Without `Last-Event-ID` it begins now. A comment every 15 s keeps the connection alive.',
    headers: { 'Last-Event-ID': 'Resumes after this event' },
    query: z.strictObject({
      rollout: rolloutReference.optional(),
      cluster: name.optional(),
      after: z.coerce.number().int().min(0).optional().describe('As `Last-Event-ID`, for clients that cannot set it'),
    }),
    responses: { 200: null },
    contentType: 'text/event-stream',
    problems: ['TooManyStreams'],
  }),
  createToken: route({
    method: 'POST',
    path: '/tokens',
    tag: 'access',
    role: 'admin',
    summary: 'Make a bearer token',
    body: tokenBody,
    responses: { 201: tokenShape },
  }),
  answerGate: route({
    method: 'POST',
    path: '/gates/answers',
    tag: 'rollouts',
    role: null,
    summary: 'Answer a question of a `webhook` gate later',
    description:
      'By the server that was asked, with the `callback.token` of the request as bearer token. The first answer counts; the same once more answers 200.',
    headers: { Authorization: '`Bearer` and the token of the question' },
    body: answerBody,
    responses: { 200: gateAnswerShape },
    problems: [
      'AnswerTokenInvalid',
      'AnswerTokenExpired',
      'GateAnsweredOtherwise',
      'GateNotAsking',
      'RolloutNotFound',
      'TooManyAnswers',
    ],
  }),
  repositoryHook: route({
    method: 'POST',
    path: '/hooks/{name}',
    tag: 'repositories',
    role: null,
    summary: 'Webhook of a Git server: wakes the sync, nothing else',
    description:
      'Signed with the hook secret of the repository: `X-Hub-Signature-256` (GitHub, Forgejo), `X-Gitea-Signature`, or `X-Gitlab-Token`.',
    headers: {
      'X-Hub-Signature-256': 'GitHub and Forgejo: `sha256=` and the HMAC of the body',
      'X-Gitea-Signature': 'Gitea: the HMAC of the body',
      'X-Gitlab-Token': 'GitLab: the secret itself',
    },
    params: byName,
    rawBody: true,
    responses: { 202: hookAnswerShape },
    problems: ['SignatureInvalid'],
  }),
} as const;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
