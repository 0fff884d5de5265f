import type { KubeObject, PreflightFinding } from '@breakwater/domain';
import type { ResourceMapping } from './discovery.ts';
import { Ended } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { inParallel } from './parallel.ts';
import type { PlannedWrite } from './preflight-findings.ts';

const READS_AT_ONCE = 4;

const RESOURCE_QUOTAS: ResourceMapping = {
  apiVersion: 'v1',
  group: '',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
  listable: true,
};

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `500m`, `1Gi`, `1e3`; null: nothing that Kubernetes would call a quantity. */
export const quantityOf = (value: unknown): number | null => {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(String(value));
  const factor = SUFFIXES[match?.[2] ?? 'none'];
  return match === null || factor === undefined ? null : Number(match[1]) * factor;
};

type Amounts = ReadonlyMap<string, number>;

interface Workload {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  };
}
interface Container {
  readonly resources?: {
    readonly requests?: Readonly<Record<string, unknown>>;
    readonly limits?: Readonly<Record<string, unknown>>;
  };
}

const REPLICATED: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'ReplicaSet']);

/** What the pods of a workload take, as quotas count it; others' pods (of Jobs, of each node) come and go with what is not known. */
const podAmounts = (object: KubeObject | null): Amounts => {
  if (object === null || !REPLICATED.has(object.kind)) return new Map();
  const { spec } = object as unknown as Workload;
  const replicas = spec?.replicas ?? 1;
  const amounts = new Map([['pods', replicas]]);
  const add = (name: string, value: unknown): void => {
    amounts.set(name, (amounts.get(name) ?? 0) + replicas * (quantityOf(value) ?? 0));
  };
  for (const { resources } of spec?.template?.spec?.containers ?? []) {
    for (const [name, value] of Object.entries(resources?.requests ?? {})) {
      add(`requests.${name}`, value);
      if (name === 'cpu' || name === 'memory') add(name, value);
    }
    for (const [name, value] of Object.entries(resources?.limits ?? {})) add(`limits.${name}`, value);
  }
  return amounts;
};

/** What the release adds to each namespace, by the names that quotas use. */
const additions = (writes: readonly PlannedWrite[]): ReadonlyMap<string, Amounts> => {
  const spaces = new Map<string, Map<string, number>>();
  for (const { wanted, live, decision } of writes) {
    const { namespace, mapping } = wanted.place;
    if (namespace === '') continue;
    const space = spaces.get(namespace) ?? new Map<string, number>();
    spaces.set(namespace, space);
    const add = (name: string, amount: number): void => void space.set(name, (space.get(name) ?? 0) + amount);
    if (decision.kind === 'Create') {
      add(mapping.group === '' ? `count/${mapping.plural}` : `count/${mapping.plural}.${mapping.group}`, 1);
      if (mapping.group === '') add(mapping.plural, 1);
    }
    // How many there are is not for the release to say: an autoscaler's, mostly.
    if (live !== null && wanted.ignored.length > 0) continue;
    for (const [name, amount] of podAmounts(wanted.object)) add(name, amount);
    for (const [name, amount] of podAmounts(live)) add(name, -amount);
  }
  return spaces;
};

interface Quota {
  readonly spec?: { readonly scopes?: unknown; readonly scopeSelector?: unknown };
  readonly status?: {
    readonly hard?: Readonly<Record<string, unknown>>;
    readonly used?: Readonly<Record<string, unknown>>;
  };
}

const ROUNDING = 1e-6;
const shown = (amount: number): string => String(Number(amount.toFixed(3)));

const overQuota = (namespace: string, object: KubeObject, added: Amounts): readonly PreflightFinding[] => {
  const { spec, status } = object as unknown as Quota;
  // Which pods a scope is about is not known before they are there.
  if (spec?.scopes !== undefined || spec?.scopeSelector !== undefined) return [];
  return Object.entries(status?.hard ?? {}).flatMap(([name, limit]) => {
    const hard = quantityOf(limit);
    const used = quantityOf(status?.used?.[name] ?? 0);
    const more = added.get(name) ?? 0;
    if (hard === null || used === null || more <= 0 || used + more <= hard + ROUNDING) return [];
    const message = `quota ${object.metadata.name} of namespace ${namespace}: the release needs ${shown(more)} more ${name}, and ${shown(used)} of ${shown(hard)} are in use`;
    return [{ reason: 'QuotaExceeded', object: null, message }];
  });
};

/** Headroom as quotas say now: dry runs are each counted alone, and pods are made by controllers. Whoever may not read them is told by the writes. */
export const exceededQuotas = async (
  api: KubeApi,
  writes: readonly PlannedWrite[],
  absentNamespaces: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> => {
  const spaces = [...additions(writes)].filter(([namespace]) => !absentNamespaces.has(namespace));
  const found = await inParallel(spaces, READS_AT_ONCE, async ([namespace, added]) => {
    const quotas = await quotasOf(api, namespace, signal);
    return quotas.flatMap((quota) => overQuota(namespace, quota, added));
  });
  return found.flat();
};

const MOST_QUOTAS = 100;

const quotasOf = async (api: KubeApi, namespace: string, signal: AbortSignal): Promise<readonly KubeObject[]> => {
  try {
    return (await api.list(RESOURCE_QUOTAS, namespace, signal, { limit: MOST_QUOTAS })).items;
  } catch (error) {
    if (error instanceof Ended && error.end.kind === 'Refused') return [];
    throw error;
  }
};
