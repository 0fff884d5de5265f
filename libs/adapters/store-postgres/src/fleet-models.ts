import type { SnapshotRecord } from '@breakwater/application';
import type { FleetSnapshot } from '@breakwater/domain';
import { sql } from 'kysely';
import type { Queries } from './database.ts';

interface Known {
  readonly version: string;
  readonly model: FleetSnapshot;
}

/** The snapshots in force, each read once: a snapshot is large, and is asked for whenever a target starts. */
export class FleetModels {
  #known: ReadonlyMap<string, Known> = new Map();

  async read(queries: Queries): Promise<readonly FleetSnapshot[]> {
    // Every write of a row gives it another xmin.
    const rows = await queries.rows(
      sql<{ readonly repository: string; readonly version: string }>`
        select repository, xmin::text as version from snapshots order by repository`,
    );
    const next = new Map<string, Known>();
    for (const { repository, version } of rows) {
      const known = this.#known.get(repository);
      const model = known?.version === version ? known.model : await load(queries, repository);
      if (model !== null) next.set(repository, { version, model });
    }
    this.#known = next;
    return [...next.values()].map(({ model }) => model);
  }
}

const load = async (queries: Queries, repository: string): Promise<FleetSnapshot | null> => {
  const row = await queries.first(
    sql<{ readonly doc: SnapshotRecord }>`select doc from snapshots where repository = ${repository}`,
  );
  return row === null ? null : (row.doc.model as FleetSnapshot);
};
