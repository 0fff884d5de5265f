import { EMERGENCY, type PermitRecords, type PermitRequest } from '@breakwater/application';
import { TERMINAL_STATES } from '@breakwater/domain';
import type { RolloutId } from '@breakwater/domain';
import type { Exclusive } from './exclusive.ts';
import type { MemoryState, PermitRow } from './memory-state.ts';
import { pair } from './memory-state.ts';

export const memoryPermits = (state: MemoryState, exclusive: Exclusive): PermitRecords => ({
  acquire: (request, lifeMs) =>
    exclusive.run(() => {
      const generation = openGeneration(state, request);
      const known = state.permits.get(request.permit);
      if (known !== undefined && (known.unanswered || !isSameHolder(known, request))) return null;
      const moved = known !== undefined && known.generation !== generation;
      if (generation === null || moved || !claimIsCurrent(state, request)) {
        state.permits.delete(request.permit);
        return null;
      }
      const expiresAt = state.now() + lifeMs;
      state.permits.set(request.permit, { ...request, generation, expiresAt, unanswered: false });
      return { generation };
    }),
  renew: (worker, lifeMs) =>
    exclusive.run(() => {
      const now = state.now();
      const valid = state.permits.filter(
        (permit) =>
          permit.worker === worker &&
          !permit.unanswered &&
          permit.expiresAt > now &&
          openGeneration(state, permit) === permit.generation &&
          claimIsCurrent(state, permit),
      );
      for (const permit of valid) state.permits.set(permit.permit, { ...permit, expiresAt: now + lifeMs });
      return valid.map(({ permit }) => permit);
    }),
  release: (id, unanswered) =>
    exclusive.run(() => {
      const permit = state.permits.get(id);
      if (permit === undefined) return;
      if (unanswered) state.permits.set(id, { ...permit, unanswered: true });
      else state.permits.delete(id);
    }),
  outstanding: (rollout, generation) =>
    exclusive.run(() => {
      const now = state.now();
      return older(state, rollout, generation)
        .filter((permit) => !permit.unanswered && permit.expiresAt > now)
        .map(({ cluster, expiresAt }) => ({ cluster, expiresAt }));
    }),
  unsettled: (rollout, generation) =>
    exclusive.run(() => {
      const now = state.now();
      const open = older(state, rollout, generation).filter((permit) => permit.unanswered || permit.expiresAt <= now);
      return [...new Set(open.map(({ cluster }) => cluster))].sort();
    }),
  outstandingEverywhere: () =>
    exclusive.run(() => {
      const now = state.now();
      return state.permits
        .filter((permit) => !permit.unanswered && permit.expiresAt > now && mayOutlastStop(state, permit))
        .map(({ rollout, cluster }) => ({ rollout, cluster }));
    }),
  unsettledDebts: () =>
    exclusive.run(() => {
      const now = state.now();
      const open = state.permits.filter(
        (permit) =>
          permit.direction === 'owed' &&
          (permit.unanswered || permit.expiresAt <= now) &&
          (state.target(permit.rollout, permit.cluster)?.owes ?? null) !== null,
      );
      const places = new Map(open.map(({ rollout, cluster }) => [pair(rollout, cluster), { rollout, cluster }]));
      return [...places.values()];
    }),
});

const isSameHolder = (known: PermitRow, request: PermitRequest): boolean =>
  known.rollout === request.rollout &&
  known.cluster === request.cluster &&
  known.worker === request.worker &&
  known.claim === request.claim &&
  known.direction === request.direction;

const mayOutlastStop = (state: MemoryState, permit: PermitRow): boolean =>
  permit.direction === 'owed' || permit.generation < (state.rolloutOf(permit.rollout)?.gate.generation ?? 0);

const older = (state: MemoryState, rollout: RolloutId, generation: number): PermitRow[] =>
  state.permits.filter((permit) => permit.rollout === rollout && permit.generation < generation);

/** The generation of the rollout's gate when it is open in this direction. */
const openGeneration = (state: MemoryState, request: PermitRequest): number | null => {
  const rollout = state.rolloutOf(request.rollout);
  if (rollout === null) return null;
  const { generation, forward, backward } = rollout.gate;
  switch (request.direction) {
    case 'forward':
      return forward ? generation : null;
    case 'backward':
      return backward ? generation : null;
    case 'owed': {
      const owes = state.target(request.rollout, request.cluster)?.owes ?? null;
      const stopped = state.settings.get(EMERGENCY) != null;
      return TERMINAL_STATES.has(rollout.state) && owes !== null && !stopped ? generation : null;
    }
  }
};

const claimIsCurrent = (state: MemoryState, request: PermitRequest): boolean => {
  const claim = state.claims.get(pair(request.rollout, request.cluster));
  return claim !== undefined && claim.token === request.claim && claim.expiresAt > state.now();
};
