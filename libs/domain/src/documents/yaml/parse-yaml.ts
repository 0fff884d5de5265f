import type { CST, Document, YAMLError } from 'yaml';
import { Composer, Lexer, Parser } from 'yaml';
import type { JsonValue } from '../../fleet/index.ts';
import type { Position } from '../document-error.ts';
import { checkNodes } from './check-nodes.ts';
import type { Locate } from './node-positions.ts';
import { lineFinder, locator } from './node-positions.ts';
import type { DocumentText } from './split-documents.ts';
import type { YamlLimits, YamlProblem } from './yaml-problem.ts';

/** `value` is what could be read, also of a document with a problem (then only good for saying whose problem it is). */
export interface YamlDocument {
  readonly value: JsonValue;
  readonly locate: Locate;
  readonly problem: YamlProblem | null;
}

const nowhere: Locate = () => ({ line: 1, column: 1 });

/** Tokens, or null when they nest so deep that composing them could exhaust the stack. */
const tokensOf = (text: string, maxDepth: number): CST.Token[] | null => {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  // One level of YAML is at most two entries on the parser's stack; document and stream have theirs.
  const deepest = 2 * maxDepth + 10;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > deepest) return null;
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
};

const REMEDIES: Readonly<Partial<Record<string, string>>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'align it with its neighbours',
  MISSING_CHAR: 'close the quote or the bracket',
  BLOCK_AS_IMPLICIT_KEY: 'put the text in quotes, or the nested mapping on its own lines',
  NON_STRING_KEY: 'use a text as key',
  TAG_RESOLVE_FAILED: 'leave the tag out',
};

const syntaxProblem = (document: Document.Parsed, position: (offset: number) => Position): YamlProblem | null => {
  const first: YAMLError | undefined = document.errors[0] ?? document.warnings[0];
  if (first === undefined) return null;
  const text = first.message.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
  return {
    ...position(first.pos[0]),
    reason: 'InvalidYaml',
    field: '',
    message: `is not valid YAML: ${text}`,
    remedy: REMEDIES[first.code] ?? 'write valid YAML',
  };
};

const tooDeep = (source: DocumentText, limits: YamlLimits): YamlDocument => ({
  value: null,
  locate: nowhere,
  problem: {
    line: source.lineOffset + 1,
    column: 1,
    reason: 'TooLarge',
    field: '',
    message: `is more than ${limits.maxDepth} levels deep`,
    remedy: 'make it flatter',
  },
});

const unreadable = (source: DocumentText): YamlDocument => ({
  value: null,
  locate: nowhere,
  problem: {
    line: source.lineOffset + 1,
    column: 1,
    reason: 'InvalidYaml',
    field: '',
    message: 'is not valid YAML: it could not be read',
    remedy: 'write valid YAML',
  },
});

const IDENTIFYING: readonly (readonly string[])[] = [
  ['apiVersion'],
  ['kind'],
  ['metadata', 'name'],
  ['spec', 'source', 'path'],
];

/** Of a document with a problem: only what says whose problem it is, never expanded through aliases. */
const identifyingValue = (document: Document.Parsed): JsonValue => {
  const found: Record<string, JsonValue> = {};
  for (const path of IDENTIFYING) {
    const value: unknown = document.getIn(path);
    if (typeof value !== 'string') continue;
    let inside = found;
    for (const key of path.slice(0, -1)) inside = (inside[key] ??= {}) as Record<string, JsonValue>;
    inside[path.at(-1) ?? ''] = value;
  }
  return found;
};

const readDocument = (document: Document.Parsed, source: DocumentText, limits: YamlLimits): YamlDocument => {
  const position = lineFinder(source.text, source.lineOffset);
  const locate = locator(document, position);
  const syntax = syntaxProblem(document, position);
  if (syntax !== null) return { value: identifyingValue(document), locate, problem: syntax };
  const found = checkNodes(document, limits);
  if (found === null) return { value: document.toJS({ maxAliasCount: -1 }) as JsonValue, locate, problem: null };
  const { offset, ...what } = found;
  return { value: identifyingValue(document), locate, problem: { ...position(offset), ...what } };
};

/** Never throws: what cannot be read is a document with a problem. */
export const parseYaml = (source: DocumentText, limits: YamlLimits): readonly YamlDocument[] => {
  try {
    const tokens = tokensOf(source.text, limits.maxDepth);
    if (tokens === null) return [tooDeep(source, limits)];
    const composer = new Composer({
      version: '1.2',
      merge: true,
      // The library compares every key with every other; checkNodes finds duplicates in linear time.
      uniqueKeys: false,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const documents = [...composer.compose(tokens, false, source.text.length)];
    return documents.map((document) => readDocument(document as Document.Parsed, source, limits));
  } catch {
    return [unreadable(source)];
  }
};
