import type { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { CliError, EXIT } from '../exit-status.ts';
import { print } from '../output/print.ts';
import { rolloutText } from '../output/rollout-text.ts';
import { printable } from '../output/style.ts';
import type { Seen } from './rollout-changes.ts';
import { waitForEnd } from './wait-for-end.ts';
import type { WaitOptions } from './wait-for-end.ts';

/** The end that was asked for. */
export interface WantedEnd {
  /** When to stop looking; default: when the rollout has ended. */
  readonly until?: (seen: Seen) => boolean;
  readonly reached: (seen: Seen) => boolean;
  /** What to say of any other end. */
  readonly otherwise: (seen: Seen) => string;
}

/** The rollout ends in this state. */
export const endsAs = (state: string): WantedEnd => ({
  reached: ({ rollout }) => rollout.state === state,
  otherwise: ({ rollout }) => `the rollout ended ${rollout.state}: ${rollout.message}`,
});

/** Waits, prints the rollout as it is then, and fails with status 3 when that is not the end that was asked for. */
export const finish = async (
  client: ApiClient,
  io: CliIo,
  id: string,
  { format, timeoutMs }: Pick<WaitOptions, 'format' | 'timeoutMs'>,
  { until, reached, otherwise }: WantedEnd,
): Promise<void> => {
  const seen = await waitForEnd(client, io, id, { format, timeoutMs, ...(until === undefined ? {} : { until }) });
  const { rollout, targets } = seen;
  if (format !== 'table') print(io, format, { ...rollout, targets }, () => '');
  else if (!io.isTerminal) print(io, format, rollout, (paint) => `\n${rolloutText(rollout, targets, paint, io.now())}`);
  if (!reached(seen)) throw new CliError(printable(otherwise(seen)), { code: 'AnotherEnd', status: EXIT.anotherEnd });
};
