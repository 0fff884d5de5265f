import type { DryRunOutcome, DryRunRequest, Refusal } from '@breakwater/application';
import { type ObjectKey, objectKey } from '@breakwater/domain';
import { departingBy, withLiveAutoscalers } from './autoscalers.ts';
import { decide } from './decision.ts';
import { judgeAll } from './dry-run.ts';
import type { Ended } from './ended.ts';
import { readFence } from './fence.ts';
import type { KubeApi } from './kube-api.ts';
import { readLive } from './live-objects.ts';
import { foreign, notAdopted, terminating } from './object-writer.ts';
import { scrubberFor } from './scrub.ts';
import { isNamespace, unknownKinds, wantedFrom } from './wanted.ts';

type Tried = Extract<DryRunOutcome, { readonly kind: 'Tried' }>;

/** Would these objects be accepted over what is live? The same decisions as an apply, and no write. */
export const dryRunBundle = async (api: KubeApi, request: DryRunRequest): Promise<Tried> => {
  const { application, mode, policy, signal } = request;
  const refused = new Map<ObjectKey, { readonly reason: Refusal['reason']; readonly message: string }>();
  const refuse = (object: ObjectKey, { end }: Ended): void => {
    if (end.kind === 'Refused') refused.set(object, { reason: end.reason, message: end.message });
  };
  const only = new Set(request.only);
  const asked = request.objects.filter((object) => only.has(objectKey(object)));
  const unknown = await unknownKinds(api, asked, signal);
  for (const [object, message] of unknown) refused.set(objectKey(object), { reason: 'KindNotServed', message });
  const known = asked.filter((object) => !unknown.has(object));

  const fence = await readFence(api, application, signal);
  const bundle = await wantedFrom(api, known, policy, signal);
  const departing = departingBy(policy, fence?.inventory, request.objects);
  const { wanted } = await withLiveAutoscalers(api, bundle, departing, signal);
  const live = await readLive(api, wanted, signal);
  const context = { application, mode, policy, made: new Set<string>() } as const;
  const plan = wanted.map((item) => {
    const object = live.get(item.key) ?? null;
    return { wanted: item, live: object, decision: decide(item, object, fence?.inventory.get(item.key), context) };
  });
  for (const { wanted: item, decision } of plan) {
    if (decision.kind === 'Foreign') refuse(item.key, foreign(item.key, decision.application));
    if (decision.kind === 'Terminating') refuse(item.key, terminating(item.key));
    if (decision.kind === 'NotAdopted') refuse(item.key, notAdopted([item.key]));
  }
  const absent = new Set(
    plan.filter((item) => isNamespace(item.wanted.place) && item.live === null).map((item) => item.wanted.place.name),
  );
  const changing = plan.filter(({ decision }) => decision.kind === 'Create' || decision.kind === 'Update');
  const scrub = scrubberFor(request.objects);
  const trials = await judgeAll(api, changing, absent, { application, mode, signal, scrub });
  const notDryRun = plan
    .filter(({ decision }) => decision.kind === 'Recreate' || decision.kind === 'ReplaceJob')
    .map((item) => item.wanted.key);
  for (const [key, trial] of trials) {
    if (trial.kind === 'NotDryRun') notDryRun.push(key);
    if (trial.kind === 'Refused') refuse(key, trial.refusal);
    if (trial.kind === 'Conflict' && policy.conflicts === 'report') refuse(key, trial.refusal);
  }
  return { kind: 'Tried', refused: [...refused].map(([object, why]) => ({ object, ...why })), notDryRun };
};
