import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { changesText } from '../output/changes-text.ts';
import { print } from '../output/print.ts';
import { sinceArgument } from './since-argument.ts';

interface ChangesFlags extends OutputOptions {
  readonly cluster: string;
  readonly since?: string;
}

export const registerChanges = (program: Command, io: CliIo): void => {
  leaf(program, 'changes', 'Show what changed on a cluster, the likeliest cause of what broke first', [
    'changes --cluster eu-west-1a --since 2h',
    'changes --cluster eu-west-1a --since 2026-01-02T15:04:05Z -o json',
  ])
    .requiredOption('--cluster <name>', 'the cluster')
    .addOption(
      new Option('--since <time>', 'a duration such as 2h, or a time; default: the last 2h').argParser(
        sinceArgument(io),
      ),
    )
    .action(async ({ cluster, since, output }: ChangesFlags) => {
      const { body } = await new ApiClient(io).call('listChanges', { params: { name: cluster }, query: { since } });
      print(io, output, body, (paint) => changesText(body, paint));
    });
};
