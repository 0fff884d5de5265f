import type { FleetSnapshot } from './model.ts';

export interface NameDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface SnapshotDiff {
  readonly clusters: NameDiff;
  readonly fleets: NameDiff;
  readonly strategies: NameDiff;
  readonly applications: NameDiff;
  /** More than a third of the clusters, fleets or applications would go away: a person has to agree first. */
  readonly held: boolean;
  /** Why, in words; empty unless held. */
  readonly heldBecause: readonly string[];
}

type Named = readonly { readonly name: string }[];

const namesOf = (resources: Named): string[] => resources.map((resource) => resource.name);

/** A blocked application is still in Git: an error in its document must never look like its removal. */
const applicationsOf = (snapshot: FleetSnapshot): string[] => [
  ...new Set([...namesOf(snapshot.applications), ...snapshot.blockedApplications]),
];

const diffNames = (before: readonly string[], after: readonly string[]): NameDiff => {
  const [old, now] = [new Set(before), new Set(after)];
  return {
    added: after.filter((name) => !old.has(name)).sort(),
    removed: before.filter((name) => !now.has(name)).sort(),
  };
};

const tooMany = (what: string, diff: NameDiff, before: number): string[] =>
  diff.removed.length * 3 > before ? [`${diff.removed.length} of ${before} ${what} would go away`] : [];

/** What a commit adds and takes away. With no snapshot before, everything is added and nothing is held. */
export const diffSnapshots = (before: FleetSnapshot | null, after: FleetSnapshot): SnapshotDiff => {
  const old = {
    clusters: namesOf(before?.clusters ?? []),
    fleets: namesOf(before?.fleets ?? []),
    strategies: namesOf(before?.strategies ?? []),
    applications: before === null ? [] : applicationsOf(before),
  };
  const clusters = diffNames(old.clusters, namesOf(after.clusters));
  const fleets = diffNames(old.fleets, namesOf(after.fleets));
  const strategies = diffNames(old.strategies, namesOf(after.strategies));
  const applications = diffNames(old.applications, applicationsOf(after));
  const heldBecause = [
    ...tooMany('clusters', clusters, old.clusters.length),
    ...tooMany('fleets', fleets, old.fleets.length),
    ...tooMany('applications', applications, old.applications.length),
  ];
  return { clusters, fleets, strategies, applications, held: heldBecause.length > 0, heldBecause };
};
