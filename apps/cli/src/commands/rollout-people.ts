import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { CliError, EXIT } from '../exit-status.ts';
import { print } from '../output/print.ts';
import { printable } from '../output/style.ts';
import { REFERENCE, verbLine, withNeededReason, withReason } from './rollout-options.ts';

type Reasoned = OutputOptions & { reason?: string };

const usage = (message: string, code: string, remedy: string): CliError =>
  new CliError(message, { code, status: EXIT.usage, remedy });

type ApproveFlags = Reasoned & { deletions?: boolean; wave?: string };

const approve = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'approve', 'Approve a wave, or deletions over the limit', [
    'rollout approve podinfo --wave rest --reason "canaries look good"',
    'rollout approve podinfo --deletions --reason "the old jobs may go"',
  ])
    .argument('<id>', REFERENCE)
    .option('--wave <name>', 'the wave that may start; also ahead of its turn')
    .option('--deletions', 'approve prunes over the limit');
  withReason(command).action(async (id: string, { wave, deletions, reason, output }: ApproveFlags) => {
    const client = new ApiClient(io);
    if ((wave === undefined) === (deletions !== true))
      throw usage('say what to approve', 'NothingToApprove', 'Add --wave NAME or --deletions.');
    if (wave === undefined) {
      const { body } = await client.call('approveDeletions', { params: { id }, body: { reason } });
      return print(io, output, body, () => verbLine(body, 'deletions approved'));
    }
    const { body } = await client.call('approveRollout', { params: { id }, body: { wave, reason } });
    print(io, output, body, () => verbLine(body, `wave ${printable(wave)} approved`));
  });
};

type OverrideFlags = OutputOptions & { wave: string; gate: string; cluster?: string; reason: string };

const override = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'override', 'Break-glass: let a gate pass, by name and with a reason', [
    'rollout override podinfo --wave canary --gate error-rate --reason "incident 4711: metrics are down"',
    'rollout override podinfo --wave rest --gate smoke --cluster eu-west-1a --reason "fails for want of a licence"',
  ])
    .argument('<id>', REFERENCE)
    .requiredOption('--wave <name>', 'the wave under way')
    .requiredOption('--gate <name>', 'the gate, by its name in the strategy')
    .option('--cluster <name>', 'of a gate that is measured on each cluster');
  withNeededReason(command).action(async (id: string, { wave, gate, cluster, reason, output }: OverrideFlags) => {
    const { body } = await new ApiClient(io).call('overrideRollout', {
      params: { id },
      body: { wave, gate, cluster, reason },
    });
    print(io, output, body, () => verbLine(body, `gate ${printable(gate)} of wave ${printable(wave)} OVERRIDDEN`));
  });
};

type WindowFlags = OutputOptions & { window: string; reason: string };

const overrideWindow = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'override-window', 'Break-glass: set a freeze window aside for one rollout', [
    'rollout override-window podinfo --window sale --reason "fixes the checkout: incident 4711"',
  ])
    .argument('<id>', REFERENCE)
    .requiredOption('--window <name>', 'of a FreezeWindow; its override field says who may');
  withNeededReason(command).action(async (id: string, { window, reason, output }: WindowFlags) => {
    const { body } = await new ApiClient(io).call('overrideRolloutWindow', {
      params: { id },
      body: { window, reason },
    });
    print(io, output, body, () => verbLine(body, `freeze window ${printable(window)} OVERRIDDEN`));
  });
};

type RetryFlags = Reasoned & { cluster?: string; wave?: string; gate?: string };

const retry = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'retry', 'Try a cluster anew, or measure a gate anew', [
    'rollout retry podinfo --cluster eu-west-1a --reason "quota was raised"',
    'rollout retry podinfo --wave canary --gate error-rate',
  ])
    .argument('<id>', REFERENCE)
    .option('--cluster <name>', 'one that failed, was returned, or was skipped by a person')
    .option('--wave <name>', 'with --gate')
    .option('--gate <name>', 'one that could not say yes or no');
  withReason(command).action(async (id: string, { cluster, wave, gate, reason, output }: RetryFlags) => {
    if ((wave === undefined) !== (gate === undefined) || (cluster === undefined && gate === undefined))
      throw usage('say what to try anew', 'NothingNamed', 'Add --cluster NAME, or --wave NAME --gate NAME.');
    const { body } = await new ApiClient(io).call('retryRollout', {
      params: { id },
      body: { cluster, wave, gate, reason },
    });
    const what = gate === undefined ? `cluster ${cluster ?? ''} is tried anew` : `gate ${gate} is measured anew`;
    print(io, output, body, () => verbLine(body, printable(what)));
  });
};

type SkipFlags = Reasoned & { cluster?: string; region?: string };

const skip = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'skip', 'Leave out a cluster or a region that the release has not reached', [
    'rollout skip podinfo --cluster eu-west-1a --reason "being rebuilt"',
    'rollout skip podinfo --region eu-west --reason "provider outage"',
  ])
    .argument('<id>', REFERENCE)
    .option('--cluster <name>', 'one cluster')
    .option('--region <name>', 'every cluster of a region that has not begun');
  withReason(command).action(async (id: string, { cluster, region, reason, output }: SkipFlags) => {
    if ((cluster === undefined) === (region === undefined))
      throw usage('say what to skip', 'NothingNamed', 'Add --cluster NAME or --region NAME.');
    const { body } = await new ApiClient(io).call('skipRollout', { params: { id }, body: { cluster, region, reason } });
    print(io, output, body, () => verbLine(body, printable(`${cluster ?? `region ${region ?? ''}`} skipped`)));
  });
};

export const registerPeople = (rollout: Command, io: CliIo): void => {
  for (const register of [approve, override, overrideWindow, retry, skip]) register(rollout, io);
};
