import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { applyBody } from './apply-body.ts';
import { isLeftByAutoscaler } from './autoscalers.ts';
import { Ended, refused } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { describeConflict, endOf, failureOf, tryLaterEnd } from './kube-status.ts';
import { applyPath } from './object-writer.ts';
import { inParallel } from './parallel.ts';
import { withoutQuotes } from './scrub.ts';
import type { Reply } from './transport.ts';
import { wait } from './wait.ts';
import type { Wanted } from './wanted.ts';

const AT_ONCE = 4;

export type Trial =
  | { readonly kind: 'Accepted' }
  /** Its namespace or kind is not there yet, or a webhook cannot tell without acting. */
  | { readonly kind: 'NotDryRun' }
  | { readonly kind: 'Conflict'; readonly refusal: Ended };

export interface TrialContext {
  readonly application: string;
  readonly mode: 'forward' | 'rollback';
  readonly signal: AbortSignal;
  readonly scrub: (message: string) => string;
  /** Told what the API server warns of. */
  readonly warn?: (object: ObjectKey, warning: string) => void;
}

const sendTrial = async (
  api: KubeApi,
  item: Wanted,
  live: KubeObject | null,
  context: TrialContext,
  query: string,
): Promise<Reply> => {
  let waited = 0;
  for (;;) {
    const reply = await api.transport.send({
      method: 'PATCH',
      path: applyPath(item.place, `&dryRun=All${query}`),
      body: applyBody(item, live, context.application),
      contentType: 'application/apply-patch+yaml',
      signal: context.signal,
    });
    const pause = reply.retryAfterMs ?? 500;
    if (reply.status !== 429 || waited + pause > api.timeouts.throttle) return reply;
    await wait(pause, context.signal);
    waited += pause;
  }
};

/** Asks the API server whether it would take this object over what is live. Throws what it refuses, conflicts aside. */
const tryOne = async (
  api: KubeApi,
  item: Wanted,
  live: KubeObject | null,
  context: TrialContext,
  query = '',
): Promise<Trial> => {
  const reply = await sendTrial(api, item, live, context, query);
  for (const warning of reply.warnings) context.warn?.(item.key, context.scrub(warning));
  if (reply.status >= 200 && reply.status < 300) return { kind: 'Accepted' };
  const failure = failureOf(reply, {
    object: item.key,
    name: item.place.name,
    mode: context.mode,
    existing: live !== null,
    scrub: item.key.startsWith('Secret/') ? (message) => withoutQuotes(context.scrub(message)) : context.scrub,
  });
  switch (failure.kind) {
    case 'FieldConflict':
      if (query === '' && isLeftByAutoscaler(item, live, failure.causes))
        return tryOne(api, item, live, context, '&force=true');
      return { kind: 'Conflict', refusal: refused('FieldConflict', describeConflict(failure.causes), item.key) };
    case 'DryRunUnsupported':
    case 'NamespaceAbsent':
    case 'NotServed':
      return { kind: 'NotDryRun' };
    case 'Stale':
    case 'Absent':
      // It moves right now: the write itself will read it again.
      return { kind: 'Accepted' };
    case 'TryLater':
      // The write itself will wait for the webhook, and says in the end whose it is.
      if (failure.reason === 'WebhookDown') return { kind: 'NotDryRun' };
      throw tryLaterEnd(failure, `dry run of ${item.key}`);
    case 'Ended':
      throw endOf(failure, item.key, 'dry run');
  }
};

type Item = { readonly wanted: Wanted; readonly live: KubeObject | null };

/** All that can be tried, several at a time; those whose kind or namespace is still to be made are not. */
const tryEach = async <T>(
  items: readonly Item[],
  absentNamespaces: ReadonlySet<string>,
  ask: (item: Item) => Promise<T>,
): Promise<ReadonlyMap<ObjectKey, T | Extract<Trial, { readonly kind: 'NotDryRun' }>>> => {
  const trials = new Map<ObjectKey, T | Extract<Trial, { readonly kind: 'NotDryRun' }>>();
  await inParallel(items, AT_ONCE, async (item) => {
    const possible = item.wanted.served && !absentNamespaces.has(item.wanted.place.namespace);
    trials.set(item.wanted.key, possible ? await ask(item) : { kind: 'NotDryRun' });
  });
  return trials;
};

/** The first refusal is thrown. */
export const tryAll = (
  api: KubeApi,
  items: readonly Item[],
  absentNamespaces: ReadonlySet<string>,
  context: TrialContext,
): Promise<ReadonlyMap<ObjectKey, Trial>> =>
  tryEach(items, absentNamespaces, ({ wanted, live }) => tryOne(api, wanted, live, context));

export type Verdict = Trial | { readonly kind: 'Refused'; readonly refusal: Ended };

/** A refusal of one object keeps none of the others from being tried; what says nothing of the object is thrown. */
export const judgeAll = (
  api: KubeApi,
  items: readonly Item[],
  absentNamespaces: ReadonlySet<string>,
  context: TrialContext,
): Promise<ReadonlyMap<ObjectKey, Verdict>> =>
  tryEach(items, absentNamespaces, async ({ wanted, live }): Promise<Verdict> => {
    try {
      return await tryOne(api, wanted, live, context);
    } catch (error) {
      if (!(error instanceof Ended) || error.end.kind !== 'Refused' || error.end.reason === 'Unauthorized') throw error;
      return { kind: 'Refused', refusal: error };
    }
  });
