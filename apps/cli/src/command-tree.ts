import { Option } from 'commander';
import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { notSupportedYet } from './exit-status.ts';
import { FORMATS } from './output/print.ts';
import type { Format } from './output/print.ts';

/** What every command that prints something takes. */
export interface OutputOptions {
  readonly output: Format;
}

/** A command with `-o` and an example in its help; the example follows the program's name. */
export const leaf = (parent: Command, usage: string, summary: string, examples: readonly string[]): Command =>
  parent
    .command(usage)
    .description(summary)
    .addOption(new Option('-o, --output <format>', 'how to print').choices([...FORMATS]).default('table'))
    .addHelpText(
      'after',
      () => `\nExamples:\n${examples.map((example) => `  ${rootName(parent)} ${example}`).join('\n')}`,
    );

const rootName = (command: Command): string => (command.parent === null ? command.name() : rootName(command.parent));

/** A name that a later version gives a meaning to: says so instead of guessing. */
export const later = (parent: Command, name: string, what: string): void => {
  parent
    .command(name, { hidden: true })
    .description(`${what}: not supported yet`)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw notSupportedYet(what);
    });
};

export type Register = (program: Command, io: CliIo) => void;
