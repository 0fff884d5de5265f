import type { Session } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { cutOff, refused } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { parseObject } from './kube-api.ts';
import type { Failure } from './kube-status.ts';
import { endOf, failureOf, tryLaterEnd } from './kube-status.ts';
import { withoutQuotes } from './scrub.ts';
import type { HttpRequest, Reply } from './transport.ts';
import { wait } from './wait.ts';

export type Written = { readonly kind: 'Written'; readonly object: KubeObject };

/** What a writer's caller has to decide itself; every other failure is thrown as the session's end. */
export type Undecided = Exclude<Failure, { readonly kind: 'TryLater' } | { readonly kind: 'Ended' }>;

export interface WriteRequest extends Pick<HttpRequest, 'method' | 'path' | 'body' | 'contentType'> {
  readonly key: ObjectKey;
  readonly name: string;
  readonly existing: boolean;
  /** About the fence and its namespace: nothing of the application. */
  readonly bookkeeping?: true;
  /**
   * A last look, inside the permit and right before the bytes: for creates, which no precondition can tie to the fence. Throws to stop.
   */
  readonly confirm?: () => Promise<void>;
}

const RETRY_MS = 500;

/** Every mutating request of a session goes through here: one permit each, and never twice without a new one. */
export class SessionWriter {
  readonly #api: KubeApi;
  readonly #session: Pick<Session, 'permit' | 'signal'>;
  readonly #mode: 'forward' | 'rollback';
  readonly #scrub: (message: string) => string;
  #wrote = false;

  constructor(
    api: KubeApi,
    session: Pick<Session, 'permit' | 'signal'>,
    mode: 'forward' | 'rollback',
    scrub: (message: string) => string,
  ) {
    this.#api = api;
    this.#session = session;
    this.#mode = mode;
    this.#scrub = scrub;
  }

  /** Bytes of a request that changes something of the application have left. */
  get wrote(): boolean {
    return this.#wrote;
  }

  async write(request: WriteRequest): Promise<Written | Undecided> {
    let waited = 0;
    for (;;) {
      const reply = await this.#send(request);
      if (reply.status >= 200 && reply.status < 300) return { kind: 'Written', object: parseObject(reply) };
      const failure = failureOf(reply, {
        object: request.key,
        name: request.name,
        mode: this.#mode,
        existing: request.existing,
        scrub: this.#scrubFor(request.key),
      });
      if (failure.kind === 'Ended') throw failure.ended;
      if (failure.kind !== 'TryLater') return failure;
      const pause = Math.max(failure.afterMs ?? RETRY_MS, 100);
      const limit = failure.reason === 'Throttled' ? this.#api.timeouts.throttle : this.#api.timeouts.established;
      if (waited + pause > limit) throw tooLong(failure, request);
      await wait(pause, this.#session.signal);
      waited += pause;
    }
  }

  /** For writes whose object nobody else changes: whatever is no success ends the session. */
  async mustWrite(request: WriteRequest): Promise<KubeObject> {
    const result = await this.write(request);
    if (result.kind === 'Written') return result.object;
    throw endOf(result, request.key, `${request.method} ${request.key}`);
  }

  #scrubFor(key: ObjectKey): (message: string) => string {
    return key.startsWith('Secret/') ? (message) => withoutQuotes(this.#scrub(message)) : this.#scrub;
  }

  #send(request: WriteRequest): Promise<Reply> {
    // Permits that do not give a check have made theirs at the door.
    return this.#session.permit.send(async (check = () => undefined) => {
      await request.confirm?.();
      return this.#api.transport.send({
        method: request.method,
        path: request.path,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.contentType === undefined ? {} : { contentType: request.contentType }),
        signal: this.#session.signal,
        beforeBytes: () => {
          check();
          if (request.bookkeeping !== true) this.#wrote = true;
        },
      });
    });
  }
}

/**
 * A webhook that does not answer refuses: the cluster itself is there, so waiting for it to come back would have no end. It may be the
 * release's own, on `*` and with failurePolicy Fail, which only a rollback takes away.
 */
const tooLong = (failure: Extract<Failure, { readonly kind: 'TryLater' }>, request: WriteRequest): Error => {
  const what = `${request.method} ${request.key}`;
  return failure.reason === 'WebhookDown'
    ? refused('AdmissionDenied', `${what}: ${failure.message}`, request.key)
    : tryLaterEnd(failure, what);
};

export const keepsChanging = (key: ObjectKey): Error =>
  cutOff('ServerError', `${key} is changed by somebody else as fast as it is read`);
