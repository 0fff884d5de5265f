import type { DocumentErrorReason, Position } from '../document-error.ts';

/** Something wrong with the text itself, before its meaning is looked at. */
export interface YamlProblem extends Position {
  readonly reason: DocumentErrorReason;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

export interface YamlLimits {
  readonly maxDocumentBytes: number;
  readonly maxAliases: number;
  readonly maxDepth: number;
  /** Of all documents together that may be fleet documents, in characters: parsing them keeps the process busy. */
  readonly maxTotalCharacters: number;
}

export const DEFAULT_YAML_LIMITS: YamlLimits = {
  maxDocumentBytes: 1024 * 1024,
  maxAliases: 100,
  maxDepth: 100,
  maxTotalCharacters: 32 * 1024 * 1024,
};
