/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
const distance = (left: string, right: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
};

/** What was probably meant: the nearest candidate, when at most a third of it differs. */
export const nearest = (text: string, candidates: readonly string[]): string | null => {
  if (text.length > 100) return null;
  let best: { readonly candidate: string; readonly far: number } | null = null;
  for (const candidate of candidates) {
    const far = distance(text.toLowerCase(), candidate.toLowerCase());
    if (far <= Math.max(1, Math.floor(candidate.length / 3)) && (best === null || far < best.far))
      best = { candidate, far };
  }
  return best?.candidate ?? null;
};
