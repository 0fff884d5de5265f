import type { FleetKind, FleetResource } from '../fleet/index.ts';
import { FLEET_KINDS } from '../fleet/index.ts';
import { suggestion } from './did-you-mean.ts';
import type { DocumentError, FieldPath, Position } from './document-error.ts';
import { fieldText, sortErrors } from './document-error.ts';
import type { Draft, FleetFile, Problem } from './draft.ts';
import { draftsOf, errorOf, textAt } from './draft.ts';
import { explainIssue } from './explain-issue.ts';
import { KINDS_NOT_YET } from './schema/document.schema.ts';
import { fleetDocumentSchemas } from './schema/schemas.ts';
import { ownSources } from './source-paths.ts';
import { toResource } from './to-resource.ts';
import type { Locate } from './yaml/node-positions.ts';
import type { YamlLimits } from './yaml/yaml-problem.ts';
import { DEFAULT_YAML_LIMITS } from './yaml/yaml-problem.ts';

export type ReadOptions = Partial<YamlLimits>;

/** A valid document, and where it says what. */
export interface LocatedDocument extends Position {
  readonly file: string;
  readonly kind: FleetKind;
  readonly name: string;
  readonly resource: FleetResource;
  /** Where a field is written; where it is absent, the nearest field around it. */
  readonly locate: Locate;
}

export interface ReadResult {
  /** By file and line. */
  readonly documents: readonly LocatedDocument[];
  readonly errors: readonly DocumentError[];
  /** Files with fleet documents that were not read, because they are an application's own. */
  readonly excluded: readonly string[];
}

/** For checks of later stages, such as a source that does not render: an error at a field of a document that was read. */
export const errorAt = (
  document: LocatedDocument,
  path: FieldPath,
  problem: Problem,
  on: 'key' | 'value' = 'value',
): DocumentError => errorOf(document, document.locate(path, on), fieldText(path), problem);

const kindProblem = (kind: string): Problem | null => {
  if ((FLEET_KINDS as readonly string[]).includes(kind)) return null;
  if (KINDS_NOT_YET.includes(kind))
    return {
      reason: 'NotSupportedYet',
      message: 'NotSupportedYet: this version of Breakwater does not have this kind',
      remedy: 'take the document out',
    };
  return {
    reason: kind === '' ? 'MissingField' : 'UnknownKind',
    message: kind === '' ? 'is missing' : `${JSON.stringify(kind.slice(0, 60))} is not a known kind`,
    remedy: suggestion(kind, FLEET_KINDS, `write ${FLEET_KINDS.join(', ')}`),
  };
};

type Validated = LocatedDocument | readonly DocumentError[];
const isDocument = (validated: Validated): validated is LocatedDocument => !Array.isArray(validated);

const validate = (draft: Draft): Validated => {
  if (draft.error !== null) return [draft.error];
  const wrongKind = kindProblem(draft.kind);
  if (wrongKind !== null) return [errorOf(draft, draft.locate(['kind']), 'kind', wrongKind)];
  const kind = draft.kind as FleetKind;
  const parsed = fleetDocumentSchemas[kind].safeParse(draft.value);
  if (!parsed.success)
    return parsed.error.issues
      .flatMap((issue) => explainIssue(issue, draft.value))
      .map(({ path, on, ...problem }) => errorOf(draft, draft.locate(path, on), fieldText(path), problem));
  const { file, line, column, name, locate } = draft;
  return { file, line, column, kind, name, locate, resource: toResource(kind, parsed.data as never) };
};

const containsItself = (draft: Draft): DocumentError =>
  errorOf(draft, draft.locate(['spec', 'source', 'path']), 'spec.source.path', {
    reason: 'SourceContainsDocument',
    message: 'takes in the document that says so, and a source is never read as fleet documents',
    remedy: "move the Application out of its source's folder, or the source into a folder of its own",
  });

export const byPlace = (a: LocatedDocument, b: LocatedDocument): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line;

const byPath = (a: FleetFile, b: FleetFile): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/**
 * Every fleet document in the files, validated one by one, with an error for each thing that is wrong. Files below an
 * application's `source.path` are that application's, and left out. Never throws, whatever the texts are.
 */
export const readFleetDocuments = (files: readonly FleetFile[], options: ReadOptions = {}): ReadResult => {
  const limits = { ...DEFAULT_YAML_LIMITS, ...options };
  const drafts = draftsOf([...files].sort(byPath), limits);
  const claims = drafts
    .filter((draft) => draft.kind === 'Application')
    .map((draft) => ({ file: draft.file, path: textAt(draft.value, 'spec', 'source', 'path'), draft }));
  const { owns, contradictory } = ownSources(claims);
  const own = drafts.filter((draft) => !owns(draft.file));
  const contradictions = new Set([...contradictory].map((claim) => claim.draft));
  const validated = own.map(validate);
  return {
    documents: validated.filter(isDocument).sort(byPlace),
    errors: sortErrors([
      ...validated.flatMap((result) => (isDocument(result) ? [] : result)),
      ...own.filter((draft) => contradictions.has(draft)).map(containsItself),
    ]),
    excluded: [...new Set(drafts.map((draft) => draft.file).filter(owns))].sort(),
  };
};
