const LONGEST = 80;

/**
 * Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), case ignored. Given `most`, it
 * stops when the answer is certain to be above, and says `most + 1`.
 */
export const editDistance = (left: string, right: string, most = Infinity): number => {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()];
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    if (Math.min(...row) > most && Math.min(...last) > most) return most + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
};

/** A repository can hold ten thousand names and as many typos: beyond this, only words with the same first letter. */
const MANY = 300;

const candidatesFor = (word: string, known: readonly string[], most: number): readonly string[] => {
  const near = known.filter((candidate) => Math.abs(candidate.length - word.length) <= most);
  if (near.length <= MANY) return near;
  return near.filter((candidate) => candidate[0] === word[0]).slice(0, MANY);
};

/** The known word that was probably meant: at most a third of the letters differ. Ties go to the first by name. */
export const closest = (word: string, known: readonly string[]): string | null => {
  if (word === '' || word.length > LONGEST) return null;
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: string | null = null;
  let distance = most + 1;
  for (const candidate of [...candidatesFor(word, known, most)].sort()) {
    const found = editDistance(word, candidate, most);
    if (found < distance) [best, distance] = [candidate, found];
  }
  return best;
};

const SHOWN = 20;

/** `did you mean "x"?`, else the words that there are, else `otherwise`. */
export const suggestion = (word: string, known: readonly string[], otherwise: string): string => {
  const meant = closest(word, known);
  if (meant !== null) return `did you mean "${meant}"?`;
  if (known.length === 0 || known.length > SHOWN) return otherwise;
  return `known: ${[...known].sort().join(', ')}`;
};
