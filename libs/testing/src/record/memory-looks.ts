import { type ClusterLooks, LOOK_LIFE, OPEN_LOOKS } from '@breakwater/application';
import type { Exclusive } from './exclusive.ts';
import type { LookRow, MemoryState } from './memory-state.ts';

export const memoryLooks = (state: MemoryState, exclusive: Exclusive): ClusterLooks => ({
  ask: (look) =>
    exclusive.run(() => {
      if (openLooks(state).length >= OPEN_LOOKS) return false;
      if (state.looks.has(look.id)) throw new Error(`look ${look.id} exists`);
      state.looks.set(look.id, { look, answer: null, askedAt: state.now(), takenUntil: 0 });
      state.notify('look', look.id);
      return true;
    }),
  take: (limit, leaseMs) =>
    exclusive.run(() => {
      const now = state.now();
      const free = openLooks(state)
        .filter(({ takenUntil }) => takenUntil <= now)
        .slice(0, limit);
      for (const row of free) state.looks.set(row.look.id, { ...row, takenUntil: now + leaseMs });
      return free.map(({ look }) => look);
    }),
  answer: (id, answer) =>
    exclusive.run(() => {
      const row = state.looks.get(id);
      if (row === undefined || row.answer !== null) return;
      state.looks.set(id, { ...row, answer });
      state.notify('look', id);
    }),
  answerTo: (id) => exclusive.run(() => state.looks.get(id)?.answer ?? null),
});

const openLooks = (state: MemoryState): LookRow[] => {
  const now = state.now();
  return state.looks
    .filter(({ answer, askedAt }) => answer === null && askedAt > now - LOOK_LIFE)
    .sort((left, right) => left.askedAt - right.askedAt);
};
