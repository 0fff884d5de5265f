import { CommitUnknown, InvalidCursor, UseCaseError } from '@breakwater/application';
import { API_PREFIX, Problem, routes } from '@breakwater/platform';
import type { RouteDefinition } from '@breakwater/platform';
import { HttpException } from '@nestjs/common';

const STATUS = { NotFound: 404, Conflict: 409, Invalid: 422, Unavailable: 503 } as const;

/** What to do about the codes that people meet most. */
const REMEDIES: Readonly<Record<string, string>> = {
  RolloutNotFound: 'List rollouts with `breakwater rollout list`.',
  ApplicationNotFound:
    'List applications with `breakwater application list`; `breakwater repository get` shows what is wrong in Git.',
  RegionNotFound: 'See which clusters it has with `breakwater rollout get`.',
  ClusterNotFound: 'List clusters with `breakwater cluster list`.',
  RepositoryNotFound: 'List repositories with `breakwater repository get`.',
  RevisionNotFound: 'Push the commit, or name another commit, branch or tag.',
  ReleaseBad: 'Start another revision, or this one once more with --allow-bad.',
  RevisionInvalid: 'Mend the errors and commit again.',
  ApplicationInvalid: 'Mend the errors and commit again; `breakwater repository get` shows them.',
  StrategyNotFound: 'Name a Strategy of the fleet repository.',
  NothingToRollBack: 'See what each cluster has with `breakwater rollout get`.',
  FourEyes: 'Ask somebody else to approve it.',
  ReasonNeeded: 'Add --reason with what it is for.',
  ClusterNeeded: 'Add --cluster NAME.',
  ClusterQuarantined: 'Release it first: `breakwater cluster release NAME`.',
  WaveNotFound: 'See its waves with `breakwater rollout get`.',
  GateNotFound: 'See what it waits for with `breakwater rollout explain`.',
  WindowNotFound: 'See what it waits for with `breakwater rollout explain`.',
  WindowForbids: "Ask somebody whom the window's `override` names, or change the window in Git.",
  GateNotAsking: 'Nothing: the question is not asked any more.',
  GateAnsweredOtherwise: 'Nothing: the first answer counts.',
  NotTheNewest: 'Roll back the newest rollout of the application instead.',
  SinceInFuture: 'Give a time in the past; is the clock of this machine right?',
  SyncTimedOut: 'Is the Git sync running? `breakwater repository get` shows when it last tried.',
  RolloutInProgress: 'Wait for the rollout in progress, abort it, or start with --supersede.',
  IdempotencyKeyReused: 'Use a new Idempotency-Key for another request.',
};

const fromUseCase = (error: UseCaseError): Problem => {
  const { remedy, ...members } = error.details;
  const known = typeof remedy === 'string' ? remedy : REMEDIES[error.code];
  return new Problem(STATUS[error.category], error.code, error.message, {
    members,
    ...(known === undefined ? {} : { remedy: known }),
    ...(error.category === 'Unavailable' ? { headers: { 'retry-after': '5' } } : {}),
  });
};

const unknownRoute = (method: string, url: string): Problem => {
  const path = url.split('?')[0] ?? '';
  const allowed = Object.values<RouteDefinition>(routes)
    .filter(({ path: known }) => new RegExp(`^${API_PREFIX}${known.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .map((definition) => definition.method);
  if (allowed.length > 0 && !allowed.includes(method as 'GET'))
    return new Problem(405, 'MethodNotAllowed', `${path} does not answer to ${method}`, {
      headers: { allow: allowed.join(', ') },
    });
  return new Problem(404, 'RouteNotFound', 'there is nothing at this address', {
    remedy: `The addresses are listed in ${API_PREFIX}/openapi.json.`,
  });
};

/** Of Node and of PostgreSQL: the record is away, and trying again later may help. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08003',
  '08006',
  '53300',
]);

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

/** Every error that can reach the edge, as a problem. An unforeseen one says nothing of its inside. */
export const problemOf = (error: unknown, request: { readonly method: string; readonly url: string }): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof UseCaseError) return fromUseCase(error);
  if (error instanceof InvalidCursor)
    return new Problem(400, 'InvalidCursor', 'the cursor is not one that this list has given out', {
      remedy: 'Begin again without a cursor.',
    });
  if (error instanceof CommitUnknown)
    return new Problem(503, 'CommitUnknown', 'the connection to the record was lost: it may or may not have happened', {
      remedy: 'Look at the state, then try again; with the same Idempotency-Key nothing happens twice.',
      headers: { 'retry-after': '2' },
    });
  if (AWAY.has(codeOf(error)))
    return new Problem(503, 'RecordUnavailable', 'the record does not answer; rollouts keep their state', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  if (error instanceof HttpException && error.getStatus() === 404) return unknownRoute(request.method, request.url);
  if (error instanceof HttpException && error.getStatus() < 500)
    return new Problem(error.getStatus(), 'InvalidRequest', 'the request is not valid HTTP for this address');
  if (error instanceof URIError) return new Problem(400, 'InvalidRequest', 'the address is not valid');
  return new Problem(500, 'InternalError', 'something went wrong inside Breakwater', { cause: error });
};
