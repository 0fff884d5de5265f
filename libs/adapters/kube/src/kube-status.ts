import type { Refusal } from '@breakwater/application';
import type { ObjectKey } from '@breakwater/domain';
import type { Ended } from './ended.ts';
import { cutOff, refused } from './ended.ts';
import type { Reply } from './transport.ts';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** An API server's `Status`, or what stands for it when the answer was none. */
export interface KubeStatus {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly StatusCause[];
  readonly name: string;
  /** False for `404 page not found`: nobody serves this path. */
  readonly isStatus: boolean;
  readonly retryAfterMs: number | null;
}

/** What an answer that is no success means for whoever asked. */
export type Failure =
  /** The object is not as it was read: somebody wrote, deleted or created it in between. */
  | { readonly kind: 'Stale' }
  | { readonly kind: 'FieldConflict'; readonly causes: readonly StatusCause[]; readonly message: string }
  | { readonly kind: 'Absent' }
  | { readonly kind: 'NamespaceAbsent'; readonly message: string }
  | { readonly kind: 'NotServed' }
  | { readonly kind: 'DryRunUnsupported' }
  /** Not processed; may be sent again after a while. */
  | {
      readonly kind: 'TryLater';
      readonly reason: 'Throttled' | 'WebhookDown';
      readonly message: string;
      readonly afterMs: number | null;
    }
  | { readonly kind: 'Ended'; readonly ended: Ended };

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

/** Webhooks write what they like, and patterns are looked for in it. */
const MAX_MESSAGE = 8 * 1024;
const MAX_CAUSES = 100;

const brief = (value: unknown): string => text(value).slice(0, MAX_MESSAGE);

export const statusOf = (reply: Reply): KubeStatus => {
  const parsed = parseJson(reply.body);
  const status: Json = isJson(parsed) && parsed['kind'] === 'Status' ? parsed : {};
  const details: Json = isJson(status['details']) ? status['details'] : {};
  const causes: unknown[] = Array.isArray(details['causes']) ? details['causes'] : [];
  const seconds = details['retryAfterSeconds'];
  return {
    code: reply.status,
    reason: brief(status['reason']),
    message: brief(status['message']) || reply.body.slice(0, 300).trim(),
    causes: causes
      .filter(isJson)
      .slice(0, MAX_CAUSES)
      .map((cause) => ({
        reason: brief(cause['reason']),
        message: brief(cause['message']),
        field: brief(cause['field']),
      })),
    name: brief(details['name']),
    isStatus: status['kind'] === 'Status',
    retryAfterMs: reply.retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null),
  };
};

export interface FailureContext {
  readonly object: ObjectKey | null;
  /** Name of the object that was asked for: a 404 about another name is about its namespace. */
  readonly name: string;
  readonly mode: 'forward' | 'rollback';
  /** Writes over an object that is there: in a rollback, what is invalid then cannot be taken back. */
  readonly existing: boolean;
  readonly scrub: (message: string) => string;
}

const ADMISSION =
  /admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request|MutatingAdmissionPolicy/i;
const AUTHORIZATION = /\bcannot [a-z]+ resource\b|\bcannot [a-z]+ path\b/;
const WEBHOOK_DOWN = /failed calling webhook|conversion webhook for .* failed|failed to call webhook/i;
const TYPED_PATCH =
  /failed to create (typed|manager)|field not declared in schema|unable to (decode|convert)|strict decoding error/i;

const refusal = (status: KubeStatus, context: FailureContext, reason: Refusal['reason'], lead: string): Failure => ({
  kind: 'Ended',
  ended: refused(reason, context.scrub(`${lead}: ${status.message}`), context.object),
});

/** Told apart by message: API servers say 403 for authorization, quota, limits, Pod Security and webhooks alike. */
const forbidden = (status: KubeStatus, context: FailureContext): Failure => {
  if (
    status.causes.some((cause) => cause.reason === 'NamespaceTerminating') ||
    /because it is being terminated/.test(status.message)
  ) {
    return refusal(status, context, 'NamespaceTerminating', 'the namespace is being deleted');
  }
  if (/exceeded quota/i.test(status.message)) return refusal(status, context, 'QuotaExceeded', 'quota exceeded');
  if (ADMISSION.test(status.message)) return refusal(status, context, 'AdmissionDenied', 'admission denied');
  if (AUTHORIZATION.test(status.message)) return refusal(status, context, 'Forbidden', 'not authorized');
  return refusal(status, context, 'AdmissionDenied', 'admission denied');
};

const invalid = (status: KubeStatus, context: FailureContext): Failure => {
  if (ADMISSION.test(status.message)) return refusal(status, context, 'AdmissionDenied', 'admission denied');
  if (context.mode === 'rollback' && context.existing) {
    const fields = [...new Set(status.causes.map((cause) => cause.field).filter((field) => field !== ''))].join(', ');
    return refusal(status, context, 'RollbackImpossible', `cannot be taken back${fields === '' ? '' : ` (${fields})`}`);
  }
  return refusal(status, context, 'Invalid', 'invalid');
};

const conflict = (status: KubeStatus): Failure => {
  const causes = status.causes.filter((cause) => cause.reason === 'FieldManagerConflict');
  return causes.length > 0 ? { kind: 'FieldConflict', causes, message: status.message } : { kind: 'Stale' };
};

const notFound = (status: KubeStatus, context: FailureContext): Failure => {
  if (!status.isStatus) return { kind: 'NotServed' };
  if (/^namespaces /.test(status.message)) return { kind: 'NamespaceAbsent', message: status.message };
  if (status.name === context.name) return { kind: 'Absent' };
  return status.name === '' ? { kind: 'NotServed' } : { kind: 'Absent' };
};

const serverError = (status: KubeStatus, context: FailureContext): Failure => {
  if (WEBHOOK_DOWN.test(status.message)) {
    return {
      kind: 'TryLater',
      reason: 'WebhookDown',
      message: context.scrub(status.message),
      afterMs: status.retryAfterMs,
    };
  }
  if (TYPED_PATCH.test(status.message)) return invalid(status, context);
  return {
    kind: 'Ended',
    ended: cutOff('ServerError', context.scrub(`${status.code} ${status.message}`), {
      retryAfterMs: status.retryAfterMs,
    }),
  };
};

export const failureOf = (reply: Reply, context: FailureContext): Failure => {
  const status = statusOf(reply);
  if (/does not support dry run/i.test(status.message)) return { kind: 'DryRunUnsupported' };
  switch (status.code) {
    case 401:
      return refusal(status, context, 'Unauthorized', 'the API server does not accept the credentials');
    case 403:
      return forbidden(status, context);
    case 404:
      return notFound(status, context);
    case 409:
    case 412:
      return conflict(status);
    case 429:
      return {
        kind: 'TryLater',
        reason: 'Throttled',
        message: context.scrub(status.message),
        afterMs: status.retryAfterMs,
      };
    default:
      return status.code >= 500 || status.code < 400 ? serverError(status, context) : invalid(status, context);
  }
};

/** `conflict with "kubectl-edit" using apps/v1` → what people need: who owns which field. */
export const describeConflict = (causes: readonly StatusCause[]): string =>
  causes
    .map((cause) => `${cause.field} is owned by ${/conflict with ("[^"]*")/.exec(cause.message)?.[1] ?? cause.message}`)
    .join('; ');

/** Nobody waits any longer. */
export const tryLaterEnd = (failure: Extract<Failure, { readonly kind: 'TryLater' }>, what: string): Ended =>
  cutOff(failure.reason === 'Throttled' ? 'Throttled' : 'ServerError', `${what}: ${failure.message}`, {
    retryAfterMs: failure.afterMs,
  });

/** For reads, and writes whose object can neither be missing nor change: everything is an end. */
export const endOf = (failure: Failure, object: ObjectKey | null, what: string): Ended => {
  switch (failure.kind) {
    case 'Ended':
      return failure.ended;
    case 'TryLater':
      return tryLaterEnd(failure, what);
    case 'FieldConflict':
      return refused('FieldConflict', describeConflict(failure.causes), object);
    case 'NotServed':
      return refused('KindNotServed', `${what}: the API server does not serve it`, object);
    case 'NamespaceAbsent':
      return refused('Invalid', `${what}: ${failure.message}`, object);
    case 'Stale':
    case 'Absent':
    case 'DryRunUnsupported':
      return cutOff('ServerError', `${what}: keeps changing while it is being written`);
  }
};
