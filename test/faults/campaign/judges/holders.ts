import type { Evidence, FenceState, Landing, RolloutSeen, TargetSeen } from '../evidence.ts';

/** A stretch of time in which a fence said the same. It began between `from` and `landed`, and was over at `until` at the latest. */
export interface FencePeriod extends FenceState {
  readonly from: number;
  readonly landed: number;
  /** The next write of the fence: when it was received, and when it had landed. Infinity: there is none. */
  readonly nextFrom: number;
  readonly until: number;
}

/** Of each cluster, oldest first. */
export const fencePeriods = ({
  landings,
  fences,
}: Pick<Evidence, 'landings' | 'fences'>): ReadonlyMap<string, readonly FencePeriod[]> => {
  const states = new Map<string, (FenceState & { readonly from: number; readonly landed: number })[]>();
  for (const [cluster, fence] of fences) states.set(cluster, [{ ...fence, from: -Infinity, landed: -Infinity }]);
  for (const { cluster, fence, receivedAt, landedAt } of landings) {
    if (fence === null) continue;
    const known = states.get(cluster) ?? [];
    known.push({ ...fence, from: receivedAt, landed: landedAt });
    states.set(cluster, known);
  }
  return new Map(
    [...states].map(([cluster, list]) => [
      cluster,
      list.map((state, index) => {
        const next = list[index + 1];
        return { ...state, nextFrom: next?.from ?? Infinity, until: next?.landed ?? Infinity };
      }),
    ]),
  );
};

/** Who may have held the fence when the write took effect: more than one only where the server's log does not tell the order. */
export const holdersOf = (landing: Landing, periods: readonly FencePeriod[]): readonly FencePeriod[] =>
  periods.filter(({ from, until }) => from <= landing.landedAt && until >= landing.receivedAt);

export const targetOf = (rollouts: readonly RolloutSeen[], id: string, cluster: string): TargetSeen | undefined =>
  rollouts.find((rollout) => rollout.id === id)?.targets.find((target) => target.cluster === cluster);
