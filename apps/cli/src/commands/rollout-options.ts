import { parseDuration } from '@breakwater/domain';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

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
