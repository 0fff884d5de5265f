import { Option } from 'commander';
import type { Command } from 'commander';
import { allPages } from '../api/all-pages.ts';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { planText } from '../output/fleet-text.ts';
import { print } from '../output/print.ts';
import { auditTable } from '../output/report-text.ts';
import { countArgument } from './rollout-read.ts';
import { sinceArgument } from './since-argument.ts';

export const registerPlan = (program: Command, io: CliIo): void => {
  leaf(program, 'plan', 'Show what a rollout would do; changes nothing', [
    'plan podinfo',
    'plan podinfo --revision v6.9.0 -o json',
  ])
    .argument('<application>', 'the application')
    .option('--revision <revision>', 'a commit, branch or tag; default: the newest good commit')
    .option('--strategy <name>', 'another strategy than the application’s')
    .action(async (application: string, options: OutputOptions & { revision?: string; strategy?: string }) => {
      const { revision, strategy } = options;
      const { body } = await new ApiClient(io).call('previewPlan', { body: { application, revision, strategy } });
      print(io, options.output, body, (paint) => planText(body, paint));
    });
};

interface AuditFlags extends OutputOptions {
  readonly since?: string;
  readonly cluster?: string;
  readonly by?: string;
  readonly rollout?: string;
  readonly limit: number;
}

export const registerAudit = (program: Command, io: CliIo): void => {
  leaf(program, 'audit', 'Show who did what, and what happened, oldest first', [
    'audit --since 2h',
    'audit --cluster eu-west-1a --by admin -o json',
  ])
    .addOption(
      new Option('--since <time>', 'a duration such as 2h, or a time; default: the last 24h').argParser(
        sinceArgument(io),
      ),
    )
    .option('--cluster <name>', 'only about this cluster')
    .option('--by <name>', 'only what this person or program did')
    .option('--rollout <id>', 'only of this rollout')
    .addOption(new Option('--limit <count>', 'at most so many').argParser(countArgument).default(1000))
    .action(async (options: AuditFlags) => {
      const client = new ApiClient(io);
      const { cluster, by, rollout, limit } = options;
      const since =
        options.since ?? (rollout === undefined ? new Date(io.now() - 86_400_000).toISOString() : undefined);
      const page = async (cursor: string | undefined) =>
        (
          await client.call('listAudit', {
            query: { cursor, limit: Math.min(500, limit), since, cluster, by, rollout },
          })
        ).body;
      const items = await allPages(page, limit);
      print(io, options.output, { items, nextCursor: null }, (paint) => auditTable(items, paint));
      if (items.length === limit) io.err(`only the first ${limit} are shown: use --limit\n`);
    });
};

export const registerTokens = (program: Command, io: CliIo): void => {
  const token = program.command('token').description('Bearer tokens for people and programs');
  leaf(token, 'create', 'Make a token; it is shown once', [
    'token create ci --role operator',
    'BREAKWATER_TOKEN=$(cat .breakwater/admin.token) breakwater token create --role viewer',
  ])
    .argument('[name]', 'who it is for; shown in the audit trail (default: the role and the time)')
    .addOption(
      new Option('--role <role>', 'what it may do').choices(['viewer', 'operator', 'admin']).makeOptionMandatory(),
    )
    .action(async (name: string | undefined, options: OutputOptions & { role: 'viewer' | 'operator' | 'admin' }) => {
      const named =
        name ??
        `${options.role}-${new Date(io.now())
          .toISOString()
          .replaceAll(/[^0-9]/g, '')
          .slice(0, 14)}`;
      const { body } = await new ApiClient(io).call('createToken', { body: { name: named, role: options.role } });
      if (options.output === 'table') io.err(`token ${body.name} with role ${body.role}; it is not shown again:\n`);
      print(io, options.output, body, () => `${body.token}\n`);
    });
};
