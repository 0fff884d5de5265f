import type { Command } from 'commander';
import { allPages } from '../api/all-pages.ts';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { later, leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { explanationText } from '../output/explanation-text.ts';
import { applicationTable, applicationText, clusterTable, clusterText, fleetTable } from '../output/fleet-text.ts';
import { print } from '../output/print.ts';
import { withNeededReason, withReason } from './rollout-options.ts';

const group = (program: Command, name: string, summary: string): Command => program.command(name).description(summary);

export const registerClusters = (program: Command, io: CliIo): void => {
  const cluster = group(program, 'cluster', 'Clusters: what they are, what runs there, what is owed to them');
  leaf(cluster, 'list', 'Show all clusters', ['cluster list', 'cluster list -o json']).action(
    async (options: OutputOptions) => {
      const client = new ApiClient(io);
      const items = await allPages(
        async (cursor) => (await client.call('listClusters', { query: { cursor, limit: 200 } })).body,
      );
      print(io, options.output, { items, nextCursor: null }, (paint) => clusterTable(items, paint, io.now()));
    },
  );
  leaf(cluster, 'get', 'Show one cluster', ['cluster get eu-west-1a'])
    .argument('<name>', 'the cluster')
    .action(async (name: string, options: OutputOptions) => {
      const { body } = await new ApiClient(io).call('getCluster', { params: { name } });
      print(io, options.output, body, (paint) => clusterText(body, paint, io.now()));
    });
  leaf(cluster, 'explain', 'Say why a cluster is not updated', ['cluster explain eu-west-1a'])
    .argument('<name>', 'the cluster')
    .action(async (name: string, options: OutputOptions) => {
      const { body } = await new ApiClient(io).call('explainCluster', { params: { name } });
      print(io, options.output, body, (paint) => explanationText(body, paint, io.now()));
    });
  const accept = leaf(cluster, 'accept', 'Accept a replaced cluster as a new one', [
    'cluster accept eu-west-1a --reason "rebuilt last night"',
  ]).argument('<name>', 'the cluster');
  withReason(accept).action(async (name: string, options: OutputOptions & { reason?: string }) => {
    const { body } = await new ApiClient(io).call('acceptCluster', {
      params: { name },
      body: { reason: options.reason },
    });
    print(io, options.output, body, () => `cluster ${body.name}: accepted, it is ${body.state}\n`);
  });
  const quarantine = leaf(cluster, 'quarantine', 'Keep every rollout off a cluster; what is in flight there finishes', [
    'cluster quarantine eu-west-1a --reason "disks are failing"',
  ]).argument('<name>', 'the cluster');
  withNeededReason(quarantine).action(async (name: string, options: OutputOptions & { reason: string }) => {
    const { body } = await new ApiClient(io).call('quarantineCluster', {
      params: { name },
      body: { reason: options.reason },
    });
    print(io, options.output, body, () => `cluster ${body.name}: quarantined until it is released\n`);
  });
  const release = leaf(cluster, 'release', 'Let rollouts touch a quarantined cluster again', [
    'cluster release eu-west-1a --reason "new disks"',
  ]).argument('<name>', 'the cluster');
  withReason(release).action(async (name: string, options: OutputOptions & { reason?: string }) => {
    const { body } = await new ApiClient(io).call('releaseCluster', {
      params: { name },
      body: { reason: options.reason },
    });
    print(io, options.output, body, () => `cluster ${body.name}: released, it is ${body.state}\n`);
  });
  later(cluster, 'add', 'cluster add');
};

export const registerFleets = (program: Command, io: CliIo): void => {
  leaf(group(program, 'fleet', 'Fleets: named sets of clusters'), 'list', 'Show all fleets with their clusters', [
    'fleet list',
  ]).action(async (options: OutputOptions) => {
    const client = new ApiClient(io);
    const items = await allPages(
      async (cursor) => (await client.call('listFleets', { query: { cursor, limit: 200 } })).body,
    );
    print(io, options.output, { items, nextCursor: null }, (paint) => fleetTable(items, paint));
  });
};

export const registerApplications = (program: Command, io: CliIo): void => {
  const application = group(program, 'application', 'Applications: what Git brought, what is proven');
  leaf(application, 'list', 'Show all applications', ['application list']).action(async (options: OutputOptions) => {
    const client = new ApiClient(io);
    const items = await allPages(
      async (cursor) => (await client.call('listApplications', { query: { cursor, limit: 200 } })).body,
    );
    print(io, options.output, { items, nextCursor: null }, (paint) => applicationTable(items, paint));
  });
  leaf(application, 'get', 'Show one application', ['application get podinfo'])
    .argument('<name>', 'the application')
    .action(async (name: string, options: OutputOptions) => {
      const { body } = await new ApiClient(io).call('getApplication', { params: { name } });
      print(io, options.output, body, (paint) => applicationText(body, paint, io.now()));
    });
  leaf(application, 'explain', 'Say why an application is not at what Git has', ['application explain podinfo'])
    .argument('<name>', 'the application')
    .action(async (name: string, options: OutputOptions) => {
      const { body } = await new ApiClient(io).call('explainApplication', { params: { name } });
      print(io, options.output, body, (paint) => explanationText(body, paint, io.now()));
    });
};
