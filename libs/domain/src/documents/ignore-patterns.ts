/** One line of `.breakwaterignore`: `*`, `?`, `**`, a leading `!` or `/` and a trailing `/` mean what they do in `.gitignore`. */
interface IgnorePattern {
  readonly negated: boolean;
  readonly foldersOnly: boolean;
  readonly segments: readonly string[];
}

const MAX_PATTERNS = 1_000;
const MAX_PATTERN_LENGTH = 500;

const parseLine = (line: string): IgnorePattern | null => {
  const text = line.trim();
  if (text === '' || text.startsWith('#') || text.length > MAX_PATTERN_LENGTH) return null;
  const negated = text.startsWith('!');
  const body = (negated ? text.slice(1) : text).replace(/^\\(?=[#!])/, '');
  const segments = body.split('/').filter((segment) => segment !== '');
  if (segments.length === 0) return null;
  const anchored = body.slice(0, -1).includes('/');
  return { negated, foldersOnly: body.endsWith('/'), segments: anchored ? segments : ['**', ...segments] };
};

/** Two pointers, so that no pattern takes more than its length times the text's. */
const matchesSegment = (pattern: string, text: string): boolean => {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') [star, mark, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, mark, t] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
};

/** Row by row: `reached[i]` says whether the first `i` parts of the path can be matched by the pattern so far. */
const matchesPath = (pattern: readonly string[], path: readonly string[]): boolean => {
  let reached = path.map(() => false);
  reached = [true, ...reached];
  for (const segment of pattern) {
    const next = reached.map(() => false);
    if (segment === '**') {
      let any = false;
      for (const [index, before] of reached.entries()) {
        any ||= before;
        next[index] = any;
      }
    } else {
      for (const [index, part] of path.entries())
        next[index + 1] = reached[index] === true && matchesSegment(segment, part);
    }
    reached = next;
  }
  return reached[path.length] === true;
};

const matches = (pattern: IgnorePattern, path: readonly string[]): boolean => {
  // A folder's pattern also takes everything below it.
  const longest = pattern.foldersOnly ? path.length - 1 : path.length;
  for (let length = 1; length <= longest; length += 1)
    if (matchesPath(pattern.segments, path.slice(0, length))) return true;
  return false;
};

const isFleetFile = (path: string): boolean => /\.(ya?ml|json)$/i.test(path);

/**
 * Of a repository's paths (with `/`, relative), those that may hold fleet documents: YAML and JSON files that
 * `.breakwaterignore` does not exclude. `.git` is never among them. Later lines win, `!` takes a path back in. At most 1,000
 * lines of at most 500 characters are read.
 */
export const selectFleetFiles = (paths: readonly string[], ignoreText = ''): readonly string[] => {
  const patterns = ignoreText
    .split('\n')
    .map(parseLine)
    .filter((pattern) => pattern !== null)
    .slice(0, MAX_PATTERNS);
  return paths.filter((path) => {
    const segments = path.split('/');
    if (!isFleetFile(path) || segments.includes('.git')) return false;
    const last = patterns.findLast((pattern) => matches(pattern, segments));
    return last === undefined || last.negated;
  });
};
