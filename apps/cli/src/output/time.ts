/** The two largest units that are not zero: `2h5m`, `45s`, `0s`. */
export const elapsed = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('');
};

export const ago = (time: string | null, now: number): string =>
  time === null ? '-' : elapsed(now - Date.parse(time));

/** `14:03:22` in UTC, as in the audit trail. */
export const clockTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

export const shortCommit = (commit: string): string => commit.slice(0, 8);
