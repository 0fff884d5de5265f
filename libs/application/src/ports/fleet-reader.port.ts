import type { FleetFile, FleetSnapshot, LocatedDocument, Position } from '@breakwater/domain';
import type { SyncError } from '../sync/sync-error.ts';

/** A valid document as plain data: `source` is where its `spec.source` is written, or the nearest field around it. */
export interface FleetDocument extends Omit<LocatedDocument, 'locate'> {
  readonly source: Position;
}

export interface FleetReading {
  readonly documents: readonly FleetDocument[];
  /** Null when an error blocks it. */
  readonly snapshot: FleetSnapshot | null;
  readonly errors: readonly SyncError[];
}

/** Judges the fleet documents of a commit: what they say, and what is wrong with them. */
export interface FleetReader {
  /** `paths`: everything that the commit has. Whatever the files hold, the answer is a reading. */
  read(files: readonly FleetFile[], paths: readonly string[], signal?: AbortSignal): Promise<FleetReading>;
}
