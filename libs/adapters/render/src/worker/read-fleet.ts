import type { FleetReading } from '@breakwater/application';
import type { FleetFile, ReadOptions } from '@breakwater/domain';
import { buildSnapshot, readFleetDocuments } from '@breakwater/domain';

/** What the fleet documents of a commit say, as plain data. */
export const readFleet = (input: {
  readonly files: readonly FleetFile[];
  readonly paths: readonly string[];
  readonly limits: ReadOptions;
}): FleetReading => {
  const read = readFleetDocuments(input.files, input.limits);
  const { snapshot, errors } = buildSnapshot(read, { paths: input.paths });
  const documents = read.documents.map(({ locate, ...document }) => ({
    ...document,
    source: locate(['spec', 'source'], 'value'),
  }));
  return { documents, snapshot, errors };
};
