import type { RolloutId } from '@breakwater/domain';

/** Keys that became due in a transaction: woken after its commit. */
export type Wakes = Set<string>;

export const rolloutKey = (id: RolloutId): string => `rollout/${id}`;
export const targetKey = (id: RolloutId, cluster: string): string => `target/${id}/${cluster}`;

export const gateKey = (id: RolloutId, wave: number, gate: string): string => `gate/${id}/${wave}/${gate}`;

/** Clusters are to be asked whether they would take the rollout. */
export const preflightKey = (id: RolloutId): string => `preflight/${id}`;

export type WakeKey =
  | { readonly kind: 'rollout' | 'preflight'; readonly id: RolloutId }
  | { readonly kind: 'target'; readonly id: RolloutId; readonly cluster: string }
  | { readonly kind: 'gate'; readonly id: RolloutId; readonly wave: number; readonly gate: string };

/** Null for keys of other workers (`repository/…`) and for nonsense. */
export const parseWakeKey = (key: string): WakeKey | null => {
  const [kind, id, cluster, gate] = key.split('/');
  if (id === undefined || id === '') return null;
  if (kind === 'rollout' || kind === 'preflight') return { kind, id: id as RolloutId };
  if (kind === 'target' && cluster !== undefined && cluster !== '') return { kind, id: id as RolloutId, cluster };
  if (kind === 'gate' && /^[0-9]{1,4}$/.test(cluster ?? '') && gate !== undefined && gate !== '')
    return { kind, id: id as RolloutId, wave: Number(cluster), gate };
  return null;
};
