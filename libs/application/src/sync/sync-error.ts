import { type DocumentError, errorAt, type LocatedDocument, sortErrors } from '@breakwater/domain';
import type { RenderError } from '../ports/renderer.port.ts';
import type { RepositoryError } from '../ports/repository.port.ts';

/** One thing that is wrong with a commit, in the shape that a repository's status shows. `reason` is a stable code. */
export type SyncError = Omit<DocumentError, 'reason'> & { readonly reason: string };

/** More than these help nobody, and a hostile repository could make any number. */
const MOST_ERRORS = 500;

export const listErrors = (errors: readonly SyncError[]): readonly SyncError[] =>
  sortErrors(errors as readonly DocumentError[]).slice(0, MOST_ERRORS);

/** A source that does not render blocks its application alone. Where the renderer knows no file, the document that names the source is shown. */
export const renderErrors = (document: LocatedDocument, errors: readonly RenderError[]): readonly SyncError[] =>
  errors.map((error) => ({
    ...errorAt(document, ['spec', 'source'], { reason: 'SourceNotFound', message: '', remedy: error.remedy }),
    ...(error.file === undefined ? {} : { file: error.file, line: error.line ?? 1, column: error.column ?? 1 }),
    field: error.field ?? (error.file === undefined ? 'spec.source' : ''),
    reason: error.code,
    message: error.object === undefined ? error.message : `${error.object}: ${error.message}`,
  }));

/** A repository that cannot be read, as its status shows it: no file is to blame. */
export const repositoryErrors = (error: RepositoryError): readonly SyncError[] => [
  {
    file: '',
    line: 1,
    column: 1,
    kind: '',
    name: '',
    field: '',
    reason: error.code,
    message: error.message,
    remedy: error.remedy,
    blocks: 'snapshot',
  },
];

/** What keeps `application` from having a release at this commit. */
export const blocking = (errors: readonly SyncError[], application: string): readonly SyncError[] =>
  errors.filter(({ blocks }) => blocks === 'snapshot' || blocks === `application/${application}`);
