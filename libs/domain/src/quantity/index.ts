export { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';
export type { CountOrPercentage } from './count-or-percentage.ts';
export { concurrencyOf, countOf, parsePercentage, PERCENTAGE_PATTERN } from './count-or-percentage.ts';
