const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

export const DURATION_PATTERN = /^(\d{1,9})([smhd])$/;
const LONGEST = 366 * UNITS.d;

/** `10s 5m 2h 7d` in milliseconds; null where the text is no duration, or longer than a year. */
export const parseDuration = (text: string): number | null => {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * UNITS[match[2] as Unit];
  return milliseconds <= LONGEST ? milliseconds : null;
};

/** The shortest exact form (`90s`, `5m`); milliseconds below a second are rounded to the nearest. */
export const formatDuration = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / UNITS.s)) * UNITS.s;
  if (seconds === 0) return '0s';
  const unit = (['d', 'h', 'm', 's'] as const).find((candidate) => seconds % UNITS[candidate] === 0) ?? 's';
  return `${seconds / UNITS[unit]}${unit}`;
};
