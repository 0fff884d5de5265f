import type { RecordPort, SnapshotRecord } from '@breakwater/application';
import { clustersOf } from '@breakwater/domain';
import type { Application, Cluster, Fleet, FleetSnapshot, Strategy } from '@breakwater/domain';

/** Where a document came from. */
export interface Origin {
  readonly repository: string;
  readonly commit: string;
}
export type Sourced<T> = Origin & { readonly document: T };

const byName = <T extends { readonly name: string }>(left: Sourced<T>, right: Sourced<T>): number =>
  left.document.name < right.document.name ? -1 : 1;

/** The snapshots in force of all repositories, as one catalogue. */
export class FleetCatalog {
  private readonly snapshots: readonly { readonly origin: Origin; readonly model: FleetSnapshot }[];

  private constructor(snapshots: readonly SnapshotRecord[]) {
    this.snapshots = snapshots.map(({ repository, commit, model }) => ({
      origin: { repository, commit },
      model: model as FleetSnapshot,
    }));
  }

  static async read(record: RecordPort): Promise<FleetCatalog> {
    return new FleetCatalog(await record.sync.snapshots());
  }

  clusters(): readonly Sourced<Cluster>[] {
    return this.documents((model) => model.clusters);
  }

  fleets(): readonly (Sourced<Fleet> & { readonly members: readonly string[] })[] {
    const clusters = this.clusters().map(({ document }) => document);
    return this.documents((model) => model.fleets).map((fleet) => ({
      ...fleet,
      members: clustersOf(fleet.document, clusters).map(({ name }) => name),
    }));
  }

  strategies(): readonly Sourced<Strategy>[] {
    return this.documents((model) => model.strategies);
  }

  applications(): readonly Sourced<Application>[] {
    return this.documents((model) => model.applications);
  }

  /** In Git, but with errors: name and where. */
  blockedApplications(): readonly (Origin & { readonly name: string })[] {
    return this.snapshots.flatMap(({ origin, model }) =>
      model.blockedApplications.map((name) => ({ ...origin, name })),
    );
  }

  private documents<T extends { readonly name: string }>(
    of: (model: FleetSnapshot) => readonly T[],
  ): readonly Sourced<T>[] {
    return this.snapshots
      .flatMap(({ origin, model }) => of(model).map((document) => ({ ...origin, document })))
      .sort(byName);
  }
}
