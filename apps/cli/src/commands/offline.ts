import { formatDocumentError } from '@breakwater/domain';
import type { DocumentError } from '@breakwater/domain';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { CliError } from '../exit-status.ts';
import { documentErrorLine } from '../output/fleet-text.ts';
import { print } from '../output/print.ts';
import { printable } from '../output/style.ts';
import { readFleetDirectory } from './fleet-directory.ts';
import { assertMember, ASSUMED_KUBE_VERSION, renderErrorLines, renderOffline } from './offline-render.ts';
import { renderFailures } from './render-failures.ts';

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const summary = (errors: readonly DocumentError[]): string => {
  const blocked = [...new Set(errors.map(({ blocks }) => blocks))];
  return blocked.includes('snapshot')
    ? `${counted(errors.length, 'error')}: nothing of this commit would come into force`
    : `${counted(errors.length, 'error')}: ${blocked.map((one) => one.replace('/', ' ')).join(', ')} would be blocked`;
};

const versionArgument = (text: string): string => {
  const version = text.replace(/^v/, '');
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new InvalidArgumentError('It must be a version such as 1.33.0.');
  return version;
};

const withKubeVersion = (command: Command): Command =>
  command.addOption(
    new Option('--kube-version <version>', 'of the cluster').argParser(versionArgument).default(ASSUMED_KUBE_VERSION),
  );

const validate = (program: Command, io: CliIo): void => {
  const command = leaf(program, 'validate', 'Check the fleet documents of a directory, as a pull request would', [
    'validate .',
    'validate fleet --no-render -o json',
  ])
    .argument('<directory>', 'a checkout of the fleet repository')
    .option('--no-render', 'only the documents: do not render every application for every cluster of its fleet')
    .addOption(new Option('--render', 'what it does anyway').hideHelp());
  withKubeVersion(command).action(
    async (directory: string, options: OutputOptions & { render?: boolean; kubeVersion: string }) => {
      const { documents, errors, snapshot } = readFleetDirectory(directory);
      const all = { application: null, cluster: null, kubeVersion: options.kubeVersion };
      const rendered =
        options.render !== false && snapshot !== null ? await renderOffline(io, directory, snapshot, all) : [];
      const failed = renderFailures(documents, rendered);
      print(io, options.output, { documents: documents.length, errors, renderErrors: failed }, () =>
        [...errors, ...failed]
          .map(documentErrorLine)
          .map((line) => `${printable(line)}\n`)
          .join(''),
      );
      if (errors.length > 0) throw new CliError(summary(errors), { code: 'DocumentsInvalid' });
      if (failed.length > 0)
        throw new CliError(`${counted(failed.length, 'error')} in rendering`, { code: 'RenderFailed' });
      if (documents.length === 0)
        throw new CliError('there is no fleet document here', {
          code: 'NoDocuments',
          remedy: 'Fleet documents are YAML or JSON with apiVersion: breakwater.dev/v1alpha1.',
        });
      const renders = options.render !== false ? `, ${counted(rendered.length, 'rendering')}` : '';
      if (options.output === 'table') io.out(`${counted(documents.length, 'document')}${renders}, no errors\n`);
    },
  );
};

interface RenderFlags extends OutputOptions {
  readonly cluster: string;
  readonly dir: string;
  readonly kubeVersion: string;
}

const render = (program: Command, io: CliIo): void => {
  const command = leaf(program, 'render', 'Print what an application renders to on one cluster', [
    'render podinfo --cluster eu-west-1a',
    'render podinfo --cluster eu-west-1a --dir fleet | kubectl diff -f -',
  ])
    .argument('<application>', 'the application')
    .requiredOption('--cluster <name>', 'the cluster')
    .option('--dir <directory>', 'a checkout of the fleet repository', '.');
  withKubeVersion(command).action(async (application: string, options: RenderFlags) => {
    const { cluster, kubeVersion } = options;
    const { snapshot, errors } = readFleetDirectory(options.dir);
    if (snapshot === null)
      throw new CliError(summary(errors), {
        code: 'DocumentsInvalid',
        lines: errors.map((error) => printable(formatDocumentError(error))),
      });
    assertMember(snapshot, application, cluster);
    const [rendered] = await renderOffline(io, options.dir, snapshot, { application, cluster, kubeVersion });
    if (rendered === undefined) throw new Error('a member was not rendered');
    const { result } = rendered;
    if (!result.ok)
      throw new CliError(`application "${application}" does not render for cluster "${cluster}"`, {
        code: 'RenderFailed',
        lines: renderErrorLines(rendered),
      });
    for (const warning of result.warnings) io.err(`warning: ${printable(warning)}\n`);
    if (options.output === 'json') print(io, 'json', { digest: result.digest, objects: result.objects }, () => '');
    else io.out(result.objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`).join(''));
  });
};

export const registerOffline = (program: Command, io: CliIo): void => {
  validate(program, io);
  render(program, io);
};
