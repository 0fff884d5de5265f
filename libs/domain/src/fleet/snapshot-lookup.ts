import type { Application, Cluster, Fleet, FleetSnapshot, Strategy } from './model.ts';
import { selects } from './selector.ts';

export const clustersOf = (fleet: Fleet, clusters: readonly Cluster[]): readonly Cluster[] =>
  clusters.filter((cluster) => selects(fleet.clusters, cluster));

/** Where an application goes, and how; `strategy` null: as its fleet says. */
export type Destination = Pick<Application, 'fleet' | 'strategy'>;

export interface DestinationContext {
  readonly fleet: Fleet;
  readonly strategy: Strategy;
  /** Members of the fleet. */
  readonly clusters: readonly Cluster[];
}

export interface ApplicationContext extends DestinationContext {
  readonly application: Application;
}

/** What a plan is made from, or null where the snapshot does not have it. `strategyName`: another one than the destination's or the fleet's. */
export const destinationContext = (
  snapshot: FleetSnapshot,
  destination: Destination,
  strategyName?: string,
): DestinationContext | null => {
  const fleet = snapshot.fleets.find((candidate) => candidate.name === destination.fleet);
  const wanted = strategyName ?? destination.strategy ?? fleet?.strategy;
  const strategy = snapshot.strategies.find((candidate) => candidate.name === wanted);
  if (fleet === undefined || strategy === undefined) return null;
  return { fleet, strategy, clusters: clustersOf(fleet, snapshot.clusters) };
};

/** The same for an application that the snapshot has. */
export const applicationContext = (
  snapshot: FleetSnapshot,
  name: string,
  strategyName?: string,
): ApplicationContext | null => {
  const application = snapshot.applications.find((candidate) => candidate.name === name);
  const context = application === undefined ? null : destinationContext(snapshot, application, strategyName);
  return application === undefined || context === null ? null : { application, ...context };
};
