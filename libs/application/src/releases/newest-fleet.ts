import type { FleetSnapshot } from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';

/** The fleet model in force: the newest good snapshot of every repository, together. */
export interface NewestFleet extends FleetSnapshot {
  /** Which repository brought an application, also one that errors block. */
  readonly repositoryOf: ReadonlyMap<
    string,
    { readonly repository: string; readonly snapshot: string; readonly commit: string }
  >;
}

export const newestFleet = async (record: Pick<RecordPort, 'sync'>): Promise<NewestFleet> => {
  const snapshots = await record.sync.snapshots();
  const models = snapshots.map((snapshot) => ({ snapshot, model: snapshot.model as FleetSnapshot }));
  return {
    clusters: models.flatMap(({ model }) => model.clusters),
    fleets: models.flatMap(({ model }) => model.fleets),
    strategies: models.flatMap(({ model }) => model.strategies),
    applications: models.flatMap(({ model }) => model.applications),
    freezeWindows: models.flatMap(({ model }) => model.freezeWindows),
    healthRules: models.flatMap(({ model }) => model.healthRules),
    blockedApplications: models.flatMap(({ model }) => model.blockedApplications),
    repositoryOf: new Map(
      models.flatMap(({ snapshot, model }) =>
        [...model.applications.map(({ name }) => name), ...model.blockedApplications].map((name) => [
          name,
          { repository: snapshot.repository, snapshot: snapshot.id, commit: snapshot.commit },
        ]),
      ),
    ),
  };
};
