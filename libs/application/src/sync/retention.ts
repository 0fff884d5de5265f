import type { RepositoryMirrors, RepositorySpec } from '../ports/repository.port.ts';
import type { RetentionRecords } from '../ports/retention.port.ts';
import type { WorkerLog } from '../worker/periodic.ts';

export interface RetentionParts {
  readonly records: RetentionRecords;
  /** Releases of each application that stay, besides all that are referred to. */
  readonly keepReleases: number;
}

const EVERY = 3_600_000;
/** Longer than any rendering, planning or backup of the record takes. */
const GRACE = 86_400_000;

/** Collects once an hour, by the worker that follows the repository, between two passes of it. */
export const createCollector = (
  parts: {
    readonly retention: RetentionParts;
    readonly mirrors: RepositoryMirrors;
    readonly log: WorkerLog;
    readonly monotonic: () => number;
  },
  spec: RepositorySpec,
): (() => Promise<void>) => {
  let dueAt = -Infinity;
  return async () => {
    if (parts.monotonic() < dueAt) return;
    dueAt = parts.monotonic() + EVERY;
    const { records, keepReleases } = parts.retention;
    const { releases, bundles, commits } = await records.collect(keepReleases, GRACE);
    const mirror = await parts.mirrors.open(spec);
    for (const commit of commits) await mirror.forget(commit);
    if (releases + bundles === 0) return;
    parts.log.info(
      { repository: spec.name, releases, bundles, commits: commits.length },
      'old releases were forgotten',
    );
  };
};
