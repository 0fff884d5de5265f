import { cursorNumber, cursorPair, pageOf } from '@breakwater/application';
import type { Baseline, BeforeImage, Page, RolloutQueries } from '@breakwater/application';
import { TERMINAL_STATES } from '@breakwater/domain';
import type { Instant, Rollout, Target, TargetState } from '@breakwater/domain';
import type { MemoryState } from './memory-state.ts';
import { pair } from './memory-state.ts';
import type { Exclusive } from './exclusive.ts';

const WAITING_FOR_CLUSTER: ReadonlySet<TargetState> = new Set<TargetState>([
  'Prefetching',
  'Applying',
  'Verifying',
  'Unreachable',
  'RollingBack',
]);

export const memoryRollouts = (state: MemoryState, exclusive: Exclusive): RolloutQueries => ({
  get: (id) => exclusive.run(() => state.rolloutOf(id)),
  newestOf: (application) =>
    exclusive.run(() => {
      let newest: Rollout | null = null;
      for (const { rollout } of state.rollouts.values()) {
        if (rollout.application === application && rollout.sequence > (newest?.sequence ?? -1)) newest = rollout;
      }
      return newest;
    }),
  list: (query) =>
    exclusive.run((): Page<Rollout> => {
      const before = query.cursor == null ? Number.MAX_SAFE_INTEGER : cursorNumber(query.cursor);
      const rows = state.rollouts
        .filter(
          ({ rollout, ordinal }) =>
            ordinal < before &&
            (query.application === undefined || rollout.application === query.application) &&
            (query.unfinished !== true || !TERMINAL_STATES.has(rollout.state)),
        )
        .sort((a, b) => b.ordinal - a.ordinal);
      return pageOf(
        rows,
        query.limit,
        (row) => row.rollout,
        (row) => String(row.ordinal),
      );
    }),
  targets: (id, query) =>
    exclusive.run((): Page<Target> => {
      const [wave, position] = query.cursor == null ? [-1, -1] : cursorPair(query.cursor);
      const rows = state
        .targetsOf(id)
        .filter(
          (target) =>
            (target.wave > wave || (target.wave === wave && target.position > position)) &&
            (query.states === undefined || query.states.includes(target.state)) &&
            (query.wave === undefined || target.wave === query.wave),
        );
      return pageOf(
        rows,
        query.limit,
        (target) => target,
        (target) => `${target.wave}.${target.position}`,
      );
    }),
  target: (id, cluster) => exclusive.run(() => state.target(id, cluster)),
  baseline: (id, cluster) => exclusive.run((): Baseline => state.baselines.get(pair(id, cluster)) ?? {}),
  beforeImages: (id, cluster) =>
    exclusive.run((): readonly BeforeImage[] => state.beforeImages.get(pair(id, cluster)) ?? []),
  claimDueRollouts: (limit, leaseMs) =>
    exclusive.run(() => {
      const now = state.now();
      const due = state.rollouts
        .filter((row) => row.dueAt !== null && row.dueAt <= now)
        .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0))
        .slice(0, limit);
      for (const row of due) state.rollouts.set(row.rollout.id, { ...row, dueAt: now + leaseMs });
      return due.map(({ rollout }) => rollout.id);
    }),
  dueTargets: (limit) =>
    exclusive.run(() => {
      const now = state.now();
      return state.targets
        .filter((target) => {
          const claim = state.claims.get(pair(target.rollout, target.cluster));
          if (target.dueAt === null || (claim !== undefined && claim.expiresAt > now)) return false;
          return target.dueAt <= now || claim !== undefined;
        })
        .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0))
        .slice(0, limit)
        .map(({ rollout, cluster }) => ({ rollout, cluster }));
    }),
  slotsIn: (domains) =>
    exclusive.run(() =>
      state.slots
        .filter(({ domain }) => domains.includes(domain))
        .map(({ domain, rollout, cluster }) => ({ domain, rollout, cluster }))
        .sort((a, b) => (pair(a.domain, a.cluster) < pair(b.domain, b.cluster) ? -1 : 1)),
    ),
  wakeCluster: (cluster) =>
    exclusive.run(() => {
      const now = state.now();
      for (const target of state.targets.filter((candidate) => candidate.cluster === cluster)) {
        const left = target.state === 'Skipped' && target.owes === null;
        const waits =
          target.owes !== null || (!left && target.unreachableSince !== null) || WAITING_FOR_CLUSTER.has(target.state);
        if (!waits) continue;
        const dueAt = target.dueAt === null ? now : Math.min(target.dueAt, now);
        state.targets.set(pair(target.rollout, cluster), { ...target, dueAt });
        state.notify('due', `target/${target.rollout}/${cluster}`);
      }
    }),
  nextDue: () =>
    exclusive.run(() => {
      let next: Instant | null = null;
      const see = (at: Instant): void => {
        if (next === null || at < next) next = at;
      };
      for (const { dueAt } of state.rollouts.values()) if (dueAt !== null) see(dueAt);
      for (const target of state.targets.values()) {
        if (target.dueAt !== null) see(Math.max(target.dueAt, claimedUntil(state, target)));
      }
      return next;
    }),
});

const claimedUntil = (state: MemoryState, target: Target): Instant =>
  state.claims.get(pair(target.rollout, target.cluster))?.expiresAt ?? 0;
