import type { RenderError } from '@breakwater/application';
import { canonicalJson, errorAt } from '@breakwater/domain';
import type { DocumentError, LocatedDocument } from '@breakwater/domain';
import type { OfflineRender } from './offline-render.ts';

/** In the shape that the status of a repository has; `reason` is the renderer's code. */
export type RenderFailure = Omit<DocumentError, 'reason'> & { readonly reason: string };

interface Failed {
  readonly error: RenderError;
  readonly clusters: string[];
}

const some = (clusters: readonly string[]): string =>
  clusters.length > 3 ? `${clusters.slice(0, 3).join(', ')} and ${clusters.length - 3} more` : clusters.join(', ');

/** Where the renderer knows no file, the document that names the source is shown. */
const failureIn = (document: LocatedDocument, error: RenderError, where: string): RenderFailure => ({
  ...errorAt(document, ['spec', 'source'], { reason: 'SourceNotFound', message: '', remedy: error.remedy }),
  ...(error.file === undefined ? {} : { file: error.file, line: error.line ?? 1, column: error.column ?? 1 }),
  field: error.field ?? (error.file === undefined ? 'spec.source' : ''),
  reason: error.code,
  message: `${error.object === undefined ? '' : `${error.object}: `}${error.message}${where}`,
});

const failuresOf = (document: LocatedDocument, rendered: readonly OfflineRender[]): readonly RenderFailure[] => {
  const failed = new Map<string, Failed>();
  for (const { clusters, result } of rendered) {
    if (result.ok) continue;
    for (const error of result.errors) {
      const key = canonicalJson(JSON.parse(JSON.stringify(error)));
      const known = failed.get(key) ?? { error, clusters: [] };
      known.clusters.push(...clusters);
      failed.set(key, known);
    }
  }
  const members = rendered.reduce((sum, { clusters }) => sum + clusters.length, 0);
  return [...failed.values()].map(({ error, clusters }) =>
    failureIn(document, error, clusters.length < members ? ` (for ${some(clusters)})` : ''),
  );
};

/** What is wrong everywhere is said once; what is wrong for some clusters says for which. */
export const renderFailures = (
  documents: readonly LocatedDocument[],
  rendered: readonly OfflineRender[],
): readonly RenderFailure[] =>
  documents.flatMap((document) => {
    const { kind, name } = document.resource;
    return kind === 'Application'
      ? failuresOf(
          document,
          rendered.filter(({ application }) => application === name),
        )
      : [];
  });
