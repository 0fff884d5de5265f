import type { Irreversible, Rollout, Target } from './rollout.ts';

/** Names at most so many objects in a headline; the rest is counted. */
const NAMED = 5;

/** One row for an object, whatever the number of clusters that have it: what a person accepts is the object's way back. */
export const withFindings = (
  known: readonly Irreversible[],
  target: Pick<Target, 'cluster' | 'irreversible'>,
): readonly Irreversible[] => {
  const fresh = target.irreversible.filter(({ object }) => !known.some((each) => each.object === object));
  if (fresh.length === 0) return known;
  return [...known, ...fresh.map((finding) => ({ ...finding, cluster: target.cluster, accepted: false }))];
};

export const openFindings = (rollout: Pick<Rollout, 'irreversible'>): readonly Irreversible[] =>
  rollout.irreversible.filter(({ accepted }) => !accepted);

export const acceptFindings = (rollout: Rollout): Rollout => ({
  ...rollout,
  irreversible: rollout.irreversible.map((finding) => ({ ...finding, accepted: true })),
});

/** `c1: ConfigMap/web/locked (field is immutable) cannot be taken back`. */
export const describeFindings = (open: readonly Irreversible[]): string => {
  const named = open.slice(0, NAMED).map(({ cluster, object, why }) => `${cluster}: ${object} (${why})`);
  const more = open.length > NAMED ? `; and ${open.length - NAMED} more objects` : '';
  return `what was applied cannot be taken back: ${named.join('; ')}${more}`;
};
