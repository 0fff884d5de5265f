import type { JsonValue } from '../fleet/index.ts';
import { isJsonObject } from '../fleet/index.ts';
import type { Blocks, DocumentError, Position } from './document-error.ts';
import { claimsToBeOurs, mayBeOurs, recognise } from './recognise.ts';
import { isName } from './schema/fields.ts';
import type { Locate } from './yaml/node-positions.ts';
import type { YamlDocument } from './yaml/parse-yaml.ts';
import { parseYaml } from './yaml/parse-yaml.ts';
import type { DocumentText } from './yaml/split-documents.ts';
import { splitDocuments } from './yaml/split-documents.ts';
import type { YamlLimits } from './yaml/yaml-problem.ts';

export interface FleetFile {
  /** In the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Subject {
  readonly file: string;
  /** As written; empty where it could not be read. */
  readonly kind: string;
  readonly name: string;
}

export type Problem = Pick<DocumentError, 'reason' | 'message' | 'remedy'>;

/** A document of ours before its schema has seen it. */
export interface Draft extends Subject, Position {
  readonly value: JsonValue;
  readonly locate: Locate;
  /** Found already: the draft is not validated further. */
  readonly error: DocumentError | null;
}

/** An error in an Application blocks that application alone, if it can be told which one it is. */
export const blocksOf = (kind: string, name: string): Blocks =>
  kind === 'Application' && isName(name) ? `application/${name}` : 'snapshot';

export const errorOf = (subject: Subject, position: Position, field: string, problem: Problem): DocumentError => ({
  file: subject.file,
  line: position.line,
  column: position.column,
  kind: subject.kind,
  name: subject.name,
  field,
  reason: problem.reason,
  message: problem.message,
  remedy: problem.remedy,
  blocks: blocksOf(subject.kind, subject.name),
});

export const textAt = (value: JsonValue, ...path: readonly string[]): string => {
  let inside: JsonValue | undefined = value;
  for (const key of path) inside = isJsonObject(inside) && Object.hasOwn(inside, key) ? inside[key] : undefined;
  return typeof inside === 'string' ? inside : '';
};

const tooLong = (text: string, limit: number): boolean =>
  text.length > limit || (text.length * 3 > limit && new TextEncoder().encode(text).length > limit);

const tooLarge = (file: string, source: DocumentText, message: string, remedy: string): Draft => {
  const subject = { file, kind: '', name: '' };
  const start = { line: source.lineOffset + 1, column: 1 };
  const problem: Problem = { reason: 'TooLarge', message, remedy };
  return { ...subject, ...start, value: null, locate: () => start, error: errorOf(subject, start, '', problem) };
};

/** Two documents without a marker between them read as one with every identifying key twice: nobody knows which it is. */
const identityIsUnsure = ({ problem }: YamlDocument): boolean =>
  problem?.reason === 'DuplicateKey' && /^(apiVersion|kind|metadata)/.test(problem.field);

const draftOf = (file: string, source: DocumentText, document: YamlDocument): Draft | null => {
  const { value, locate, problem } = document;
  const recognised = recognise(value);
  const meantForUs = recognised.ours !== 'no' || (problem !== null && claimsToBeOurs(source.text));
  if (!meantForUs) return null;
  const unsure = identityIsUnsure(document);
  const subject = {
    file,
    kind: unsure ? '' : textAt(value, 'kind'),
    name: unsure ? '' : textAt(value, 'metadata', 'name'),
  };
  const draft = { ...subject, ...locate([]), value, locate };
  if (problem !== null) return { ...draft, error: errorOf(subject, problem, problem.field, problem) };
  if (recognised.ours !== 'nearly') return { ...draft, error: null };
  return { ...draft, error: errorOf(subject, locate(['apiVersion']), 'apiVersion', recognised.problem) };
};

const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);

const readSource = (file: string, source: DocumentText, limits: YamlLimits): readonly Draft[] => {
  if (tooLong(source.text, limits.maxDocumentBytes)) {
    const message = `is larger than ${limits.maxDocumentBytes} bytes`;
    return claimsToBeOurs(source.text) ? [tooLarge(file, source, message, 'cut it into several documents')] : [];
  }
  return parseYaml(source, limits).flatMap((document) => draftOf(file, source, document) ?? []);
};

/** The documents of the files that are ours, or were meant to be. */
export const draftsOf = (files: readonly FleetFile[], limits: YamlLimits): readonly Draft[] => {
  const drafts: Draft[] = [];
  let read = 0;
  for (const file of files)
    for (const source of splitDocuments(withoutMark(file.text))) {
      if (!mayBeOurs(source.text)) continue;
      read += Math.min(source.text.length, limits.maxDocumentBytes);
      if (read > limits.maxTotalCharacters) {
        const message = `goes over ${limits.maxTotalCharacters} characters of fleet documents`;
        return [...drafts, tooLarge(file.path, source, message, 'keep fewer documents in one repository')];
      }
      drafts.push(...readSource(file.path, source, limits));
    }
  return drafts;
};
