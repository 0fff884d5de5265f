export const DOCUMENT_ERROR_REASONS = [
  'InvalidYaml',
  'TooLarge',
  'DuplicateKey',
  'HostileKey',
  'UnknownVersion',
  'UnknownKind',
  'UnknownField',
  'MissingField',
  'InvalidValue',
  'NotSupportedYet',
  'DuplicateName',
  'DanglingReference',
  'SelectsNothing',
  'SourceContainsDocument',
  'SourceNotFound',
  'NoClusters',
  'EmptyWave',
  'LeftoverClusters',
] as const;
export type DocumentErrorReason = (typeof DOCUMENT_ERROR_REASONS)[number];

/** What a document's error keeps from changing: the whole snapshot, or one application. */
export type Blocks = 'snapshot' | `application/${string}`;

/** Lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong, where, and how to mend it: the shape that a repository's status shows. */
export interface DocumentError extends Position {
  readonly file: string;
  /** As written; empty where it could not be read. */
  readonly kind: string;
  /** As written; empty where it could not be read. */
  readonly name: string;
  /** As `spec.waves[0].soak`; empty for the document as a whole. */
  readonly field: string;
  readonly reason: DocumentErrorReason;
  readonly message: string;
  readonly remedy: string;
  readonly blocks: Blocks;
}

export type FieldPath = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export const fieldText = (path: FieldPath): string =>
  path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      if (!PLAIN_KEY.test(segment)) return `[${JSON.stringify(segment)}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join('');

/** `file:line:column kind/name field: what is wrong; what would be right`. */
export const formatDocumentError = (error: DocumentError): string => {
  const subject = error.kind === '' && error.name === '' ? '' : `${error.kind || '?'}/${error.name || '?'}`;
  const where = [`${error.file}:${error.line}:${error.column}`, subject, error.field].filter((part) => part !== '');
  return `${where.join(' ')}: ${error.message}; ${error.remedy}`;
};

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By place, so that the same errors come in the same order whatever order the files were read in. */
export const sortErrors = (errors: readonly DocumentError[]): readonly DocumentError[] =>
  [...errors].sort(
    (a, b) =>
      byCodeUnits(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      byCodeUnits(a.field, b.field) ||
      byCodeUnits(a.message, b.message),
  );
