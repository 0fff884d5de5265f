import type { RenderError } from '@breakwater/application';
import type { Document, ScalarTag } from 'yaml';
import { isAlias, isNode, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { fail, RenderFailure } from './render-failure.ts';
import type { Limits } from './render-limits.ts';

/** A document as it was found; `line` counts from 1. */
export interface FoundDocument {
  readonly value: unknown;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  /** The comments before it: Helm names the template there. */
  readonly comment: string;
}

/*
 * Scalars mean what they mean to kubectl and Helm, which read YAML 1.1 with go-yaml 2: `yes`, `on` and `y` are booleans, 0644 is
 * octal, but times and base 60 are text. Compared with kubectl 1.36.3 in the tests.
 */
const NULL: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  test: /^(?:~|[Nn]ull|NULL)?$/,
  identify: (value) => value === null,
  resolve: () => null,
  stringify: () => 'null',
};

const BOOLEAN: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:[yYnN]|[Yy]es|YES|[Nn]o|NO|[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF)$/,
  identify: (value) => typeof value === 'boolean',
  resolve: (text) => /^(?:[yYtT]|on$|On$|ON$)/.test(text),
};

const INTEGER: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|[1-9][0-9_]*|0)$/,
  identify: (value) => typeof value === 'number' && Number.isInteger(value),
  resolve: (text) => {
    const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
    const octal = /^0[oO]?([0-7]+)$/.exec(digits)?.[1];
    const size = octal === undefined ? Number(digits.toLowerCase()) : Number.parseInt(octal, 8);
    return text.startsWith('-') && size !== 0 ? -size : size;
  },
};

const FLOAT: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  identify: (value) => typeof value === 'number',
  resolve: (text) => {
    if (/nan$/i.test(text)) return Number.NaN;
    if (/inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
    return Number(text.replaceAll('_', ''));
  },
};

const TAGS = [NULL, BOOLEAN, INTEGER, FLOAT];

export const parseManifest = (text: string, lineCounter: LineCounter): Document.Parsed[] => {
  const parsed = parseAllDocuments(text, {
    version: '1.2',
    schema: 'failsafe',
    customTags: (tags) => [...tags, ...TAGS],
    resolveKnownTags: false,
    merge: true,
    lineCounter,
    prettyErrors: false,
    logLevel: 'silent',
    // The parser compares every key with every other; keyProblems() does it in one pass.
    uniqueKeys: false,
  });
  return Array.isArray(parsed) ? parsed : [];
};

const MAX_SYNTAX_ERRORS = 5;

const firstLine = (message: string): string =>
  (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');

/** Problems of the text itself, with their places in the file. */
export const syntaxErrors = (
  documents: readonly Document.Parsed[],
  lines: LineCounter,
  file: string | undefined,
): RenderError[] => {
  const errors = new Map<string, RenderError>();
  const problems = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  // How often the parser complains of an overflowing stack, and where, depends on the stack.
  const exhausted = problems.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted !== undefined) {
    const message = 'not valid YAML: it is nested too deeply';
    return [
      { code: 'InvalidYaml', file, line: lines.linePos(exhausted.pos[0]).line, message, remedy: 'make it flatter' },
    ];
  }
  for (const problem of problems) {
    const { line, col } = lines.linePos(problem.pos[0]);
    const place = `${line}:${col}`;
    // One mistake makes the parser complain many times; the first complaint at a place says most.
    if (errors.has(place) || errors.size >= MAX_SYNTAX_ERRORS) continue;
    errors.set(place, {
      code: 'InvalidYaml',
      file,
      line,
      column: col,
      message: `not valid YAML: ${firstLine(problem.message)}`,
      remedy: 'mend the document at this place',
    });
  }
  for (const { offset, problem } of documents.flatMap(keyProblems).slice(0, MAX_SYNTAX_ERRORS)) {
    const { line, col } = lines.linePos(offset);
    const message = `not valid YAML: the key ${problem}`;
    errors.set(`${line}:${col}`, { code: 'InvalidYaml', file, line, column: col, message, remedy: 'mend the key' });
  }
  return [...errors.values()];
};

/** Keys that are there twice, or are no text, number or boolean. */
const keyProblems = (document: Document.Parsed): { offset: number; problem: string }[] => {
  const problems: { offset: number; problem: string }[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (!isScalar(key) || key.value === null) problems.push({ offset, problem: 'is not a text' });
        else if (key.value !== '<<' && seen.has(String(key.value)))
          problems.push({ offset, problem: 'is in the map twice' });
        else seen.add(String(key.value));
      }
    },
  });
  return problems;
};

/** Reads all documents of a manifest; empty ones are left out. Throws RenderFailure. */
export const readManifest = (text: string, file: string | undefined, limits: Limits): FoundDocument[] => {
  const lines = new LineCounter();
  try {
    const documents = parseManifest(text, lines);
    const errors = syntaxErrors(documents, lines, file);
    if (errors.length > 0) throw new RenderFailure(errors);
    return documents.flatMap((document) => readDocument(document, lines, file, limits));
  } catch (error) {
    // The parser recurses: a document nested ten thousand deep ends here.
    if (error instanceof RangeError) throw tooDeep(limits, { file });
    throw error;
  }
};

const tooDeep = (limits: Limits, where: { file?: string | undefined; line?: number | undefined }): RenderFailure =>
  fail('TooLarge', `the document is nested deeper than ${limits.depth}`, 'make it flatter', where);

const readDocument = (
  document: Document.Parsed,
  lines: LineCounter,
  file: string | undefined,
  limits: Limits,
): FoundDocument[] => {
  const start = document.contents?.range[0] ?? document.range[0];
  const where = { file, line: lines.linePos(start).line };
  let aliases = 0;
  visit(document, (_, node) => {
    if (isAlias(node)) aliases += 1;
  });
  const tooMany = (): RenderFailure =>
    fail('TooLarge', `the document has more than ${limits.aliases} aliases`, 'write the values out', where);
  if (aliases > limits.aliases) throw tooMany();
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: limits.aliases });
  } catch (error) {
    if (error instanceof ReferenceError) throw tooMany();
    throw error;
  }
  if (value === null || value === undefined) return [];
  checkValue(value, limits.depth, limits, where);
  const comment = [document.commentBefore, document.contents?.commentBefore].filter((text) => text != null).join('\n');
  return [{ value, ...where, comment }];
};

const checkValue = (
  value: unknown,
  depth: number,
  limits: Limits,
  where: { file?: string | undefined; line: number },
): void => {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw fail('InvalidYaml', `${value} has no meaning to Kubernetes`, 'use a finite number', where);
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === 0) throw tooDeep(limits, where);
  for (const member of Object.values(value)) checkValue(member, depth - 1, limits, where);
};
