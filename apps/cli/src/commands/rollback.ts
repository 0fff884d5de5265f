import type { WireTarget } from '@breakwater/platform';
import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { CliError, EXIT, notSupportedYet } from '../exit-status.ts';
import { print } from '../output/print.ts';
import { endsAs, finish } from '../watch/finish.ts';
import type { WantedEnd } from '../watch/finish.ts';
import type { Seen } from '../watch/rollout-changes.ts';
import { REFERENCE, timeoutOf, verbLine, withReason, withWait } from './rollout-options.ts';
import type { WaitFlags } from './rollout-options.ts';

interface Extent {
  readonly scope?: 'cluster' | 'wave' | 'rollout';
  readonly cluster?: string;
  readonly region?: string;
  readonly wave?: string;
}

type RollbackFlags = OutputOptions & WaitFlags & Extent & { reason?: string; past?: string };

const usage = (code: string, message: string, remedy: string): CliError =>
  new CliError(message, { code, status: EXIT.usage, remedy });

/** What the flags say has to fit together: a guess could take back more than somebody wanted. */
const checkExtent = ({ scope, cluster, region, wave }: Extent): void => {
  const place = cluster !== undefined || region !== undefined;
  if (scope === 'cluster' && !place)
    throw usage('NothingNamed', 'say what to roll back', 'Add --cluster NAME or --region NAME.');
  if (cluster !== undefined && region !== undefined)
    throw usage('ScopeContradicts', 'a cluster and a region are both named', 'Leave out --cluster or --region.');
  if (scope !== undefined && scope !== 'cluster' && place)
    throw usage(
      'ScopeContradicts',
      `scope ${scope} takes back more than what is named`,
      'Leave out --scope, or what is named.',
    );
  if (wave !== undefined && (place || (scope !== undefined && scope !== 'wave')))
    throw usage('ScopeContradicts', '--wave belongs to the scope wave alone', 'Leave out --wave, or the rest.');
};

const RETURNING: ReadonlySet<WireTarget['state']> = new Set<WireTarget['state']>([
  'RollingBack',
  'RolledBack',
  'RollbackFailed',
]);

/** Of a rollout that goes on meanwhile, only what was named is waited for; of a region, what had been touched. */
const namedReturned = ({ cluster, region }: Extent): WantedEnd => {
  let names: ReadonlySet<string> | null = cluster === undefined ? null : new Set([cluster]);
  const named = ({ targets }: Seen): readonly WireTarget[] => {
    const here = names ?? new Set(touchedIn(targets, region));
    names = here;
    return targets.filter((target) => here.has(target.cluster));
  };
  return {
    until: (seen) => named(seen).every(({ state }) => state === 'RolledBack' || state === 'RollbackFailed'),
    reached: (seen) => named(seen).every(({ state }) => state === 'RolledBack'),
    otherwise: (seen) =>
      named(seen)
        .filter(({ state }) => state !== 'RolledBack')
        .map((target) => `cluster ${target.cluster} is ${target.state}: ${target.message}`)
        .join('; '),
  };
};

const touchedIn = (targets: readonly WireTarget[], region: string | undefined): readonly string[] =>
  targets.filter((target) => target.region === region && RETURNING.has(target.state)).map(({ cluster }) => cluster);

export const registerRollback = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'rollback', 'Return touched clusters to their own last known good revision', [
    'rollout rollback podinfo --wait --timeout 10m --reason "errors in eu-west"',
    'rollout rollback podinfo --cluster eu-west-1a',
  ])
    .argument('<id>', REFERENCE)
    .addOption(
      new Option('--scope <scope>', 'how much; default: what is named, else the whole rollout').choices([
        'cluster',
        'wave',
        'rollout',
      ]),
    )
    .option('--cluster <name>', 'this cluster')
    .option('--wave <name>', 'of scope wave; default: the last that has something to take back')
    .option('--region <name>', 'the clusters of a region')
    .addOption(new Option('--past <hook>', 'past an irreversible hook (not supported yet)').hideHelp());
  withWait(withReason(command))
    .option('--no-wait', 'accepted for symmetry: the order is in force at once')
    .action(async (id: string, options: RollbackFlags) => {
      if (options.past !== undefined) throw notSupportedYet('going back past an irreversible hook');
      checkExtent(options);
      const timeoutMs = timeoutOf(options);
      const { scope, cluster, region, wave, reason } = options;
      const client = new ApiClient(io);
      const { body } = await client.call('rollbackRollout', {
        params: { id },
        body: { scope, cluster, region, wave, reason },
      });
      if (options.wait !== true) return print(io, options.output, body, () => verbLine(body, 'rolling back'));
      const goesOn = body.state === 'Progressing' && (cluster !== undefined || region !== undefined);
      const wanted = goesOn ? namedReturned(options) : endsAs('RolledBack');
      await finish(client, io, body.id, { format: options.output, timeoutMs }, wanted);
    });
};
