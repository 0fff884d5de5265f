import { WEBHOOK_VERDICTS } from '@breakwater/domain';
import { z } from 'zod';
import { fleetRoutes } from './fleet-routes.ts';
import { gateAnswerShape, hookAnswerShape, tokenShape } from './fleet-shapes.ts';
import { named } from './registry.ts';
import { rolloutRoutes } from './rollout-routes.ts';
import { auditListShape } from './rollout-shapes.ts';
import { byName, page } from './route-parts.ts';
import { route } from './route.ts';
import { name, rolloutReference, time } from './text.ts';

const answerBody = named(
  'GateAnswerRequest',
  z.strictObject({
    verdict: z.enum(WEBHOOK_VERDICTS),
    message: z.string().max(4_000).optional().describe('For people; shown as evidence, in one line and shortened'),
  }),
);

const tokenBody = named('TokenRequest', z.strictObject({ name, role: z.enum(['viewer', 'operator', 'admin']) }));

/** Every route of the API below `/api/v1`. */
export const routes = {
  ...rolloutRoutes,
  ...fleetRoutes,
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
