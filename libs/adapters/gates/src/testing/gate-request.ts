import type { GateMember, MeasureRequest } from '@breakwater/application';
import type { GatePolicy, JsonObject, RolloutId } from '@breakwater/domain';
import { gateKind } from '@breakwater/domain';

const POLICY: GatePolicy = {
  initialDelay: 0,
  interval: 1_000,
  count: 1,
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 0,
  timeout: null,
  onInconclusive: 'wait',
};

/** What a probe is asked; `spec` as it stands in Git. */
export const gateRequest = (
  kind: string,
  spec: JsonObject,
  rest: Partial<Omit<MeasureRequest, 'members'>> & { readonly members?: readonly GateMember[] } = {},
): MeasureRequest => {
  const { members = [], ...given } = rest;
  const read = gateKind(kind)?.schema().parse(spec) as JsonObject;
  const now = Date.now();
  return {
    gate: { name: kind, kind, phase: 'after', policy: POLICY, spec: read },
    rollout: {
      id: 'r1' as RolloutId,
      application: 'shop',
      fleet: 'production',
      namespace: 'shop-system',
      revision: {
        repository: 'fleet',
        commit: 'c0ffee',
        path: 'apps/shop',
      } as unknown as MeasureRequest['rollout']['revision'],
    },
    wave: 'canary',
    clusters: [{ name: 'eu-1', region: 'eu-west-1' }],
    members: () => Promise.resolve(members),
    connect: () => Promise.reject(new Error('not needed')),
    withPermit: () => Promise.resolve(null),
    startedAt: now,
    now,
    memo: null,
    callback: null,
    signal: new AbortController().signal,
    ...given,
  };
};
