import { parseDuration } from '@breakwater/domain';
import type { WireRollout } from '@breakwater/platform';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { CliError, EXIT } from '../exit-status.ts';
import { stateOf } from '../output/rollout-text.ts';
import { printable } from '../output/style.ts';

export const REFERENCE = 'a rollout id, or the name of an application for its newest rollout';

/** What a verb has done, in one line. */
export const verbLine = (rollout: WireRollout, what: string): string =>
  `rollout ${rollout.id} of ${printable(rollout.application)}: ${what}, it is ${stateOf(rollout)}\n`;

export const durationArgument = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('It must be a duration such as 30s, 5m or 2h.');
  return ms;
};

export const withReason = (command: Command): Command =>
  command.option('--reason <text>', 'why; kept in the audit trail');

/** Where Breakwater does not go on without one. */
export const withNeededReason = (command: Command): Command =>
  command.addOption(
    new Option('--reason <text>', 'why; kept in the audit trail').makeOptionMandatory().argParser((text: string) => {
      if (text.trim() === '') throw new InvalidArgumentError('Say why.');
      return text;
    }),
  );

export const withWait = (command: Command): Command =>
  command
    .option('--wait', 'wait for the end')
    .addOption(new Option('--timeout <duration>', 'with --wait: give up after so long').argParser(durationArgument));

export interface WaitFlags {
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** In ms; null: no limit. @throws {CliError} a time-out without anything that would wait */
export const timeoutOf = ({ wait, timeout }: WaitFlags): number | null => {
  if (timeout !== undefined && wait !== true)
    throw new CliError('--timeout bounds --wait, which is not there', {
      code: 'NothingToWaitFor',
      status: EXIT.usage,
      remedy: 'Add --wait, or leave out --timeout.',
    });
  return timeout ?? null;
};
