import type { Command } from 'commander';
import { allPages } from '../api/all-pages.ts';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { CliError, EXIT } from '../exit-status.ts';
import { repositoryTable, repositoryText } from '../output/fleet-text.ts';
import { print } from '../output/print.ts';
import { withReason } from './rollout-options.ts';

/** The only one there is, where none is named. */
const nameOrOnly = async (client: ApiClient, name: string | undefined): Promise<string> => {
  if (name !== undefined) return name;
  const { items } = (await client.call('listRepositories', { query: { limit: 2 } })).body;
  const [only] = items;
  if (only !== undefined && items.length === 1) return only.name;
  throw new CliError(items.length === 0 ? 'there is no repository' : 'there is more than one repository: name one', {
    code: 'RepositoryNotNamed',
    status: EXIT.usage,
    remedy: 'List them with repository get.',
  });
};

export const registerRepositories = (program: Command, io: CliIo): void => {
  const repository = program
    .command('repository')
    .description('Fleet repositories: what was read, what is wrong in it');
  leaf(repository, 'get', 'Show the repositories, or one with its errors', ['repository get', 'repository get fleet'])
    .argument('[name]', 'the repository; without it: all')
    .action(async (name: string | undefined, options: OutputOptions) => {
      const client = new ApiClient(io);
      if (name === undefined) {
        const items = await allPages(
          async (cursor) => (await client.call('listRepositories', { query: { cursor, limit: 200 } })).body,
        );
        print(io, options.output, { items, nextCursor: null }, (paint) => repositoryTable(items, paint, io.now()));
        return;
      }
      const { body } = await client.call('getRepository', { params: { name } });
      print(io, options.output, body, (paint) => repositoryText(body, paint, io.now()));
    });
  leaf(repository, 'sync', 'Fetch now; returns when the commit has been judged', [
    'repository sync',
    'repository sync fleet',
  ])
    .argument('[name]', 'the repository; may be left out when there is only one')
    .action(async (name: string | undefined, options: OutputOptions) => {
      const client = new ApiClient(io);
      const { body } = await client.call('syncRepository', { params: { name: await nameOrOnly(client, name) } });
      print(io, options.output, body, (paint) => repositoryText(body, paint, io.now()));
      if (body.state !== 'Synced')
        throw new CliError(`the repository is ${body.state}`, {
          code: `Repository${body.state}`,
          // It was read and judged: that it is not in force is another end, not an error.
          status: body.state === 'Invalid' || body.state === 'Held' ? EXIT.anotherEnd : EXIT.error,
          ...(body.state === 'Held' ? { remedy: `Let the commit through with: repository approve ${body.name}` } : {}),
        });
    });
  const approve = leaf(repository, 'approve', 'Let a commit through that takes much away (`Held`)', [
    'repository approve fleet --reason "eu-north is closed"',
  ]).argument('[name]', 'the repository; may be left out when there is only one');
  withReason(approve).action(async (name: string | undefined, options: OutputOptions & { reason?: string }) => {
    const client = new ApiClient(io);
    const params = { name: await nameOrOnly(client, name) };
    const { body } = await client.call('approveRepository', { params, body: { reason: options.reason } });
    print(io, options.output, body, (paint) => repositoryText(body, paint, io.now()));
  });
};
