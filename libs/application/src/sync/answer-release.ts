import { clustersOf, type LocatedDocument } from '@breakwater/domain';
import type { SyncRequest } from '../ports/record.port.ts';
import { RepositoryError, type RepositoryMirror } from '../ports/repository.port.ts';
import { newestFleet } from '../releases/newest-fleet.ts';
import type { JudgeParts } from './judge-commit.ts';
import { readCommit } from './read-commit.ts';
import { clusterVersions, renderApplication } from './render-application.ts';
import { saveRelease } from './save-release.ts';
import { blocking, listErrors } from './sync-error.ts';

type Answer = NonNullable<SyncRequest['answer']>;

const no = (code: string, message: string, commit: string | null = null, errors: readonly unknown[] = []): Answer => ({
  ok: false,
  code,
  message,
  commit,
  errors,
});

/**
 * Renders one application at a revision that somebody wants to roll out. The revision gives source, values, variants and overrides;
 * clusters and fleets are the newest.
 */
export const answerRelease = async (
  parts: JudgeParts,
  mirror: RepositoryMirror,
  repository: string,
  request: Pick<SyncRequest, 'application' | 'revision'>,
  signal: AbortSignal,
): Promise<Answer> => {
  const name = request.application ?? '';
  const fleets = await newestFleet(parts.record);
  if (!fleets.repositoryOf.has(name)) return no('ApplicationNotFound', `there is no application ${name}`);
  const commit = await resolveRevision(parts, mirror, repository, request.revision, signal);
  if (commit === null) {
    return no('RevisionNotFound', `the repository has no commit, branch or tag ${JSON.stringify(request.revision)}`);
  }
  const read = await readCommit(parts.fleetReader, mirror, commit, signal);
  const wrong = blocking(read.errors, name);
  if (wrong.length > 0) {
    return no('RevisionInvalid', `${name} has errors at ${commit.slice(0, 12)}`, commit, listErrors(wrong));
  }
  const document = read.documents.find((one) => one.kind === 'Application' && one.name === name);
  if (document?.resource.kind !== 'Application') {
    return no('ApplicationNotInRevision', `commit ${commit.slice(0, 12)} has no application ${name}`, commit);
  }
  // Where the newest commit has errors in the Application, only the revision itself can say where it goes.
  const current = fleets.applications.find((application) => application.name === name);
  const { fleet: fleetName } = current ?? document.resource;
  const fleet = fleets.fleets.find((candidate) => candidate.name === fleetName);
  if (fleet === undefined)
    return no('RevisionInvalid', `there is no fleet ${fleetName} any more, to which ${name} went`, commit);
  const tree = await mirror.tree(commit, signal);
  try {
    const rendered = await renderApplication(parts, {
      document: document satisfies LocatedDocument,
      application: document.resource,
      fleet,
      clusters: clustersOf(fleet, fleets.clusters),
      versions: await clusterVersions(parts.record),
      dir: tree.dir,
      signal,
    });
    signal.throwIfAborted();
    await mirror.keep(commit);
    const errors = listErrors(rendered.errors);
    await saveRelease(parts.record, rendered, repository, commit, errors);
    if (errors.length === 0) return { ok: true, code: 'Rendered', message: '', commit, errors: [] };
    return no('RevisionInvalid', `${name} does not render at ${commit.slice(0, 12)}`, commit, errors);
  } finally {
    tree.release();
  }
};

/** A whole commit names itself for good; a branch or a tag is asked of the remote, if it answers. */
const resolveRevision = async (
  parts: JudgeParts,
  mirror: RepositoryMirror,
  repository: string,
  revision: string | null,
  signal: AbortSignal,
): Promise<string | null> => {
  if (revision === null) return (await parts.record.sync.snapshot(repository))?.commit ?? null;
  if (/^[0-9a-f]{40}$/.test(revision)) {
    const known = await mirror.resolve(revision);
    if (known !== null) return known.commit;
  }
  const unreachable = await mirror.fetch(signal).then(
    () => null,
    (error: unknown) => error,
  );
  const found = await mirror.resolve(revision);
  if (found !== null) return found.commit;
  if (unreachable instanceof RepositoryError && unreachable.code === 'RevisionNotFound') return null;
  if (unreachable !== null) throw unreachable;
  return null;
};
