import { randomUUID } from 'node:crypto';
import type { RecordPort, ReleaseRecord, SyncRequest } from '../ports/record.port.ts';
import { UseCaseError } from '../use-cases.ts';

/** Fetching and rendering an unusual revision may take a while; in ms. */
const ANSWER_TIMEOUT = 120_000;
const LOOK_EVERY = 250;

/**
 * The release of a revision, with a bundle for each cluster that `clustersOf` says it goes to. One that is not in the record, or that was
 * rendered before a cluster joined, is asked of the Git sync, wherever that runs.
 */
export const findRelease = async (
  record: RecordPort,
  repository: string,
  application: string,
  revision: string | null,
  clustersOf: (release: ReleaseRecord) => readonly string[],
): Promise<ReleaseRecord> => {
  const known = await knownRelease(record, repository, application, revision);
  if (known !== null && known.state !== 'Invalid' && covers(known, clustersOf(known))) return known;
  const answer = await ask(record, { repository, kind: 'release', application, revision: known?.commit ?? revision });
  if (!answer.ok) {
    const category =
      answer.code === 'RevisionNotFound' ? 'NotFound' : answer.code === 'Unreachable' ? 'Unavailable' : 'Invalid';
    throw new UseCaseError(category, answer.code, answer.message, { errors: answer.errors });
  }
  const release = answer.commit === null ? null : await record.sync.release(application, answer.commit);
  if (release === null || !covers(release, clustersOf(release))) {
    throw new UseCaseError(
      'Invalid',
      'ReleaseIncomplete',
      `the revision did not render for every cluster of ${application}`,
    );
  }
  return release;
};

const knownRelease = async (
  record: RecordPort,
  repository: string,
  application: string,
  revision: string | null,
): Promise<ReleaseRecord | null> => {
  // A branch or a tag may have moved: only a whole commit names a release for good.
  if (revision !== null) return /^[0-9a-f]{40}$/.test(revision) ? record.sync.release(application, revision) : null;
  // An old revision that was asked for yesterday is the newest release, and not the newest commit.
  const inForce = await record.sync.snapshot(repository);
  const newest = inForce === null ? null : await record.sync.release(application, inForce.commit);
  return newest === null || newest.state === 'Invalid' ? record.sync.newestRelease(application) : newest;
};

const covers = (release: ReleaseRecord, clusters: readonly string[]): boolean =>
  clusters.every((cluster) => release.bundles[cluster] !== undefined);

/** Puts a question to the Git sync into the record and waits for its answer. */
export const ask = async (
  record: RecordPort,
  question: Omit<SyncRequest, 'id' | 'answer'>,
): Promise<NonNullable<SyncRequest['answer']>> => {
  const id = randomUUID();
  let changed = Promise.withResolvers<void>();
  const unlisten = await record.listen('sync', () => changed.resolve());
  try {
    await record.sync.ask({ id, ...question });
    const until = (await record.now()) + ANSWER_TIMEOUT;
    for (;;) {
      const request = await record.sync.request(id);
      if (request?.answer != null) return request.answer;
      if ((await record.now()) >= until) {
        throw new UseCaseError('Unavailable', 'SyncTimedOut', 'the Git sync did not answer in time; is it running?');
      }
      const timer = setTimeout(() => changed.resolve(), LOOK_EVERY);
      await changed.promise;
      clearTimeout(timer);
      changed = Promise.withResolvers<void>();
    }
  } finally {
    await unlisten();
  }
};
