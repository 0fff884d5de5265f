import type { PreflightOutcome, PreflightRequest } from '@breakwater/application';
import { type KubeObject, type ObjectKey, objectKey, type PreflightFinding } from '@breakwater/domain';
import { departingBy, withLiveAutoscalers } from './autoscalers.ts';
import { decide, isWrite } from './decision.ts';
import { judgeAll } from './dry-run.ts';
import { Ended } from './ended.ts';
import { readFence } from './fence.ts';
import type { KubeApi } from './kube-api.ts';
import { readLive } from './live-objects.ts';
import { foreign, notAdopted, terminating } from './object-writer.ts';
import { missingPermissions } from './preflight-permissions.ts';
import { exceededQuotas } from './preflight-quota.ts';
import { type Findings, foundIn, type PlannedWrite } from './preflight-findings.ts';
import { scrubberFor } from './scrub.ts';
import { isNamespace, unknownKinds, wantedFrom } from './wanted.ts';

type Checked = Extract<PreflightOutcome, { readonly kind: 'Checked' }>;

/** Everything at once that would stop this bundle here. Nothing but reads, reviews of our own access and dry runs is sent. */
export const preflightBundle = async (api: KubeApi, request: PreflightRequest): Promise<Checked> => {
  const { policy, signal } = request;
  const findings = foundIn();
  // What was served when the connection was made may not be any more.
  api.discovery.forget();
  const unknown = await unknownKinds(api, request.objects, signal);
  for (const [object, message] of unknown)
    findings.add({ reason: 'KindNotServed', object: objectKey(object), message });
  const known = request.objects.filter((object) => !unknown.has(object));
  const plan = await collect(findings, () => planOf(api, request, known, findings));
  if (plan === null) return checked(findings, new Map(), []);

  const absent = new Set(
    plan.filter((item) => isNamespace(item.wanted.place) && item.live === null).map((item) => item.wanted.place.name),
  );
  const writes = plan.filter(({ decision }) => isWrite(decision));
  for (const finding of await missingPermissions(api, writes, request.deletes, signal)) findings.add(finding);
  for (const finding of await exceededQuotas(api, writes, absent, signal)) findings.add(finding);
  const warnings = new Map<string, PreflightFinding>();
  const warn = (object: ObjectKey, message: string): void => {
    const reason = /deprecated/i.test(message) ? 'Deprecated' : 'Warning';
    warnings.set(`${object} ${message}`, { reason, object, message });
  };
  const tried = writes.filter(({ decision }) => decision.kind === 'Create' || decision.kind === 'Update');
  const context = { application: request.application, mode: 'forward', signal, warn } as const;
  const scrub = scrubberFor(request.objects);
  const trials = await judgeAll(api, tried, absent, { ...context, scrub });
  const notDryRun = writes.filter((write) => !tried.includes(write)).map((write) => write.wanted.key);
  for (const [key, trial] of trials) {
    if (trial.kind === 'NotDryRun') notDryRun.push(key);
    if (trial.kind === 'Refused') findings.addRefusal(trial.refusal, key);
    if (trial.kind === 'Conflict' && policy.conflicts === 'report') findings.addRefusal(trial.refusal, key);
  }
  return checked(findings, warnings, notDryRun);
};

const planOf = async (
  api: KubeApi,
  { application, objects, policy, signal }: PreflightRequest,
  known: readonly KubeObject[],
  findings: Findings,
): Promise<readonly PlannedWrite[]> => {
  const fence = await readFence(api, application, signal);
  const bundle = await wantedFrom(api, known, policy, signal);
  const { wanted } = await withLiveAutoscalers(api, bundle, departingBy(policy, fence?.inventory, objects), signal);
  const live = await readLive(api, wanted, signal);
  const context = { application, mode: 'forward', policy, made: new Set<string>() } as const;
  const plan = wanted.map((item): PlannedWrite => {
    const object = live.get(item.key) ?? null;
    return { wanted: item, live: object, decision: decide(item, object, fence?.inventory.get(item.key), context) };
  });
  for (const { wanted: item, decision } of plan) {
    if (decision.kind === 'Foreign') findings.addRefusal(foreign(item.key, decision.application), item.key);
    if (decision.kind === 'Terminating') findings.addRefusal(terminating(item.key), item.key);
    if (decision.kind === 'NotAdopted') findings.addRefusal(notAdopted([item.key]), item.key);
  }
  return plan;
};

/** Null: what it needs to know was refused, which is a finding; what only says that the cluster is away is thrown. */
const collect = async <T>(findings: Findings, run: () => Promise<T>): Promise<T | null> => {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Ended) || error.end.kind !== 'Refused') throw error;
    findings.addRefusal(error, null);
    return null;
  }
};

const checked = (
  findings: Findings,
  warnings: ReadonlyMap<string, PreflightFinding>,
  notDryRun: readonly ObjectKey[],
): Checked => ({
  kind: 'Checked',
  findings: findings.list(),
  warnings: [...warnings.values()].slice(0, MOST_WARNINGS),
  notDryRun,
});

const MOST_WARNINGS = 50;
