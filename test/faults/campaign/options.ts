import { parseArgs } from 'node:util';
import { FEWEST_CLUSTERS } from './campaign-fleet.ts';

export const HELP = `Random kills, cut-offs, emptied Redis, restarts of PostgreSQL, pauses and resumes during random rollouts, on real control planes of
the test bed and on simulated clusters. Judged by the clusters' audit logs and their own objects. Ends with 1 at the first broken rule.

  npm run faults -- --minutes 30
  npm run faults -- --seed 4711        the same rollouts and faults again

  --minutes N      no new episode after so many minutes (default 10)
  --seed S         default: another one each time; it is printed
  --real N         real control planes (default 3; 0: none)
  --simulated N    simulated clusters (default 12)
  --keep           leave the programs' logs where they are, also when nothing is broken
  --help
`;

export interface CampaignOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly real: number;
  readonly simulated: number;
  readonly keep: boolean;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const MOST_CLUSTERS = 100;

const whole = (name: string, text: string, least: number, most: number): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`--${name}: ${text} is not a whole number from ${least} to ${most}`);
  }
  return value;
};

const minutesOf = (text: string): number => {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 10_000) {
    throw new UsageError(`--minutes: ${text} is not a number above 0`);
  }
  return value;
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string' },
        real: { type: 'string', default: '3' },
        simulated: { type: 'string', default: '12' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** Null: only help is wanted. */
export const readOptions = (args: readonly string[], anySeed: () => number): CampaignOptions | null => {
  const values = parse(args);
  if (values.help) return null;
  const real = whole('real', values.real, 0, MOST_CLUSTERS);
  const simulated = whole('simulated', values.simulated, 0, MOST_CLUSTERS);
  if (real + simulated < FEWEST_CLUSTERS) {
    throw new UsageError(`--real and --simulated: ${real} and ${simulated} are fewer than ${FEWEST_CLUSTERS} clusters`);
  }
  return {
    minutes: minutesOf(values.minutes),
    seed: values.seed === undefined ? anySeed() : whole('seed', values.seed, 0, 2 ** 32 - 1),
    real,
    simulated,
    keep: values.keep,
  };
};

/** What makes the same campaign again, as far as it got. */
export const replayCommand = ({ minutes, seed, real, simulated }: CampaignOptions): string =>
  `npm run faults -- --seed ${seed} --minutes ${minutes} --real ${real} --simulated ${simulated}`;
