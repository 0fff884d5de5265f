/** A number of clusters, or a whole percentage of the wave. */
export type CountOrPercentage = number | `${number}%`;

export const PERCENTAGE_PATTERN = /^(100|[1-9]?[0-9])%$/;

export const parsePercentage = (text: string): number | null => {
  const match = PERCENTAGE_PATTERN.exec(text);
  return match === null ? null : Number(match[1]);
};

/** How many of `size` that is, rounded down and never more than `size`. Throws RangeError for what the schema refuses. */
export const countOf = (value: CountOrPercentage, size: number): number => {
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < 0) throw new RangeError(`${value} is not a count`);
    return Math.min(value, size);
  }
  const percentage = parsePercentage(value);
  if (percentage === null) throw new RangeError(`${value} is not a percentage`);
  return Math.floor((size * percentage) / 100);
};

/** As {@link countOf}, and at least 1: a wave whose concurrency is 0 would never move. */
export const concurrencyOf = (value: CountOrPercentage, size: number): number => Math.max(1, countOf(value, size));
