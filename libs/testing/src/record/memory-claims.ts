import type { ClaimRecords } from '@breakwater/application';
import type { Exclusive } from './exclusive.ts';
import type { ClaimRow, MemoryState } from './memory-state.ts';
import { pair } from './memory-state.ts';

export const memoryClaims = (state: MemoryState, exclusive: Exclusive): ClaimRecords => ({
  claim: (rollout, cluster, worker, token, leaseMs) =>
    exclusive.run(() => {
      const key = pair(rollout, cluster);
      const held = state.claims.get(key);
      const now = state.now();
      if (held !== undefined && held.expiresAt > now && held.token !== token) return false;
      state.claims.set(key, { rollout, cluster, worker, token, expiresAt: now + leaseMs });
      return true;
    }),
  renew: (worker, leaseMs) =>
    exclusive.run(() => {
      const own = state.claims.filter((claim) => claim.worker === worker);
      const expiresAt = state.now() + leaseMs;
      for (const claim of own) state.claims.set(pair(claim.rollout, claim.cluster), { ...claim, expiresAt });
      return own.map(({ token }) => token);
    }),
  renewOne: (token, leaseMs) =>
    exclusive.run(() => {
      const own = state.claims.filter((claim) => claim.token === token)[0];
      if (own === undefined) return false;
      state.claims.set(pair(own.rollout, own.cluster), { ...own, expiresAt: state.now() + leaseMs });
      return true;
    }),
  release: (token) => exclusive.run(() => drop(state, (claim) => claim.token === token)),
  abandon: (token) => exclusive.run(() => expire(state, (claim) => claim.token === token)),
  abandonAll: (worker) => exclusive.run(() => expire(state, (claim) => claim.worker === worker)),
});

const expire = (state: MemoryState, gone: (claim: ClaimRow) => boolean): void => {
  for (const claim of state.claims.filter(gone))
    state.claims.set(pair(claim.rollout, claim.cluster), {
      ...claim,
      expiresAt: Math.min(claim.expiresAt, state.now()),
    });
};

const drop = (state: MemoryState, gone: (claim: ClaimRow) => boolean): void => {
  for (const claim of state.claims.filter(gone)) state.claims.delete(pair(claim.rollout, claim.cluster));
};
