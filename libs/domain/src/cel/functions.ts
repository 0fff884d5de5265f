import { EvaluationError } from '@marcbachmann/cel-js';
import type { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from '@bufbuild/re2';
import type { Meter } from './meter.ts';

/** Functions that may be called, without the macros. What depends on a clock, a locale or a time zone is not among them. */
export const FUNCTIONS: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'dyn', 'int', 'size', 'string']);

/** Methods that may be called, and the macros over lists. */
export const METHODS: ReadonlySet<string> = new Set([
  ...['all', 'exists', 'exists_one', 'filter', 'map'],
  ...['contains', 'endsWith', 'lowerAscii', 'matches', 'size', 'startsWith', 'substring', 'trim', 'upperAscii'],
]);

/**
 * Those that the evaluator's own would do without bound, by the name that replaces them in the tree: its `matches` backtracks,
 * a search may read the text once for every character looked for, and a time without a zone is one of this machine's.
 */
export const BOUNDED: ReadonlyMap<string, string> = new Map([
  ['matches', 'bounded_matches'],
  ['contains', 'bounded_contains'],
  ['timestamp', 'bounded_timestamp'],
]);

/** As the source has it, in messages. */
export const unbounded = (text: string): string => text.replaceAll('bounded_', '');

const PATTERN_LENGTH = 1024;
const PATTERNS_KEPT = 32;
/** Steps of the automaton, and compared characters, for one step of ours. */
const WORK_PER_STEP = 256;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

const failure = (code: string, message: string): EvaluationError => new EvaluationError({ code, message });

export const registerBounded = (environment: Environment, meter: Meter): void => {
  const patterns = new Map<string, RE2JS>();
  const patternOf = (source: string): RE2JS => {
    const known = patterns.get(source);
    if (known !== undefined) return known;
    if (source.length > PATTERN_LENGTH) {
      throw failure('pattern_too_long', `a pattern has more than ${PATTERN_LENGTH} characters`);
    }
    // Nested counts unroll: a pattern of 20 characters may stand for a program of a thousand instructions.
    meter.spend(100 + source.length * 10);
    const compiled = compiledOf(source);
    if (patterns.size >= PATTERNS_KEPT) patterns.clear();
    patterns.set(source, compiled);
    return compiled;
  };

  environment.registerFunction('string.bounded_matches(string): bool', (text: string, source: string) => {
    const pattern = patternOf(source);
    meter.spend(Math.ceil((text.length * pattern.re2().prog.inst.length) / WORK_PER_STEP));
    return pattern.test(text);
  });
  environment.registerFunction('string.bounded_contains(string): bool', (text: string, wanted: string) => {
    meter.spend(Math.ceil((text.length * wanted.length) / WORK_PER_STEP));
    return text.includes(wanted);
  });
  environment.registerFunction('bounded_timestamp(string): google.protobuf.Timestamp', (text: string) => {
    const time = RFC_3339.test(text) ? new Date(text) : null;
    if (time === null || Number.isNaN(time.getTime())) {
      throw failure('invalid_timestamp', 'timestamp() wants a time with its zone, as 2026-01-31T10:00:00Z');
    }
    return time;
  });
};

const compiledOf = (source: string): RE2JS => {
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : 'it does not parse';
    throw failure('invalid_regular_expression', `a pattern is wrong: ${text}`);
  }
};
