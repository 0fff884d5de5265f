import type { Application, Cluster, Fleet, FleetSnapshot, Strategy } from './model.ts';
import { selects } from './selector.ts';

export const clustersOf = (fleet: Fleet, clusters: readonly Cluster[]): readonly Cluster[] =>
  clusters.filter((cluster) => selects(fleet.clusters, cluster));

export interface ApplicationContext {
  readonly application: Application;
  readonly fleet: Fleet;
  readonly strategy: Strategy;
  /** Members of the fleet. */
  readonly clusters: readonly Cluster[];
}

/**
 * What a plan of `application` is made from, or null where the snapshot does not have it. `strategy` names another one
 * than the application's or the fleet's.
 */
export const applicationContext = (
  snapshot: FleetSnapshot,
  name: string,
  strategyName?: string,
): ApplicationContext | null => {
  const application = snapshot.applications.find((candidate) => candidate.name === name);
  const fleet = snapshot.fleets.find((candidate) => candidate.name === application?.fleet);
  const wanted = strategyName ?? application?.strategy ?? fleet?.strategy;
  const strategy = snapshot.strategies.find((candidate) => candidate.name === wanted);
  if (application === undefined || fleet === undefined || strategy === undefined) return null;
  return { application, fleet, strategy, clusters: clustersOf(fleet, snapshot.clusters) };
};
