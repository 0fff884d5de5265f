import { writeFile } from 'node:fs/promises';
import { reportMarkdown } from '@breakwater/platform';
import type { WireRollout } from '@breakwater/platform';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { allPages } from '../api/all-pages.ts';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { CliError, EXIT } from '../exit-status.ts';
import { explanationText } from '../output/explanation-text.ts';
import { print } from '../output/print.ts';
import { rolloutTable, rolloutText } from '../output/rollout-text.ts';
import { reportText } from '../output/report-text.ts';
import { printable } from '../output/style.ts';
import { readRollout, readTargets } from '../watch/rollout-changes.ts';
import { waitForEnd } from '../watch/wait-for-end.ts';
import { durationArgument, REFERENCE } from './rollout-options.ts';

export const countArgument = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1.');
  return Number(text);
};

const list = (rollout: Command, io: CliIo): void => {
  leaf(rollout, 'list', 'Show rollouts, newest first', [
    'rollout list --unfinished',
    'rollout list --application podinfo -o json',
  ])
    .option('--application <name>', 'only of this application')
    .option('--unfinished', 'only those that have not ended')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(50))
    .action(async (options: OutputOptions & { application?: string; unfinished?: boolean; limit: number }) => {
      const client = new ApiClient(io);
      const { application, limit } = options;
      const unfinished = options.unfinished === true ? true : undefined;
      const page = async (cursor: string | undefined) =>
        (await client.call('listRollouts', { query: { cursor, limit: Math.min(limit, 500), application, unfinished } }))
          .body;
      const items = await allPages(page, limit);
      print(io, options.output, { items, nextCursor: null }, (paint) => rolloutTable(items, paint, io.now()));
    });
};

const get = (rollout: Command, io: CliIo): void => {
  leaf(rollout, 'get', 'Show one rollout with its waves, targets and what it waits for', [
    'rollout get podinfo',
    'rollout get podinfo -o json',
  ])
    .argument('<id>', REFERENCE)
    .action(async (id: string, options: OutputOptions) => {
      const client = new ApiClient(io);
      const one = await readRollout(client, id);
      const targets = await readTargets(client, one.id);
      print(io, options.output, { ...one, targets }, (paint) => rolloutText(one, targets, paint, io.now()));
    });
};

/** A rollback that a person has asked for is an end that somebody wants; one that began by itself is not. */
const wantedEnd = ({ rollback, state }: WireRollout): string =>
  rollback?.automatic === false && (state === 'RollingBack' || state === 'RolledBack') ? 'RolledBack' : 'Succeeded';

const watch = (rollout: Command, io: CliIo): void => {
  leaf(rollout, 'watch', 'Follow a rollout to its end', [
    'rollout watch podinfo',
    'rollout watch podinfo --timeout 30m',
  ])
    .argument('<id>', REFERENCE)
    .addOption(new Option('--timeout <duration>', 'give up after so long').argParser(durationArgument))
    .action(async (id: string, options: OutputOptions & { timeout?: number }) => {
      const client = new ApiClient(io);
      const begun = await readRollout(client, id);
      const wanted = wantedEnd(begun);
      const timeoutMs = options.timeout ?? null;
      const seen = await waitForEnd(client, io, begun.id, { format: options.output, timeoutMs, stream: true });
      if (seen.rollout.state !== wanted)
        throw new CliError(`the rollout ended ${seen.rollout.state}: ${printable(seen.rollout.message)}`, {
          code: 'AnotherEnd',
          status: EXIT.anotherEnd,
        });
    });
};

const explain = (rollout: Command, io: CliIo): void => {
  leaf(rollout, 'explain', 'Say why a rollout is waiting, and what happens next', ['rollout explain podinfo'])
    .argument('<id>', REFERENCE)
    .action(async (id: string, options: OutputOptions) => {
      const { body } = await new ApiClient(io).call('explainRollout', { params: { id } });
      print(io, options.output, body, (paint) => explanationText(body, paint, io.now()));
    });
};

interface ReportOptions {
  readonly format?: 'markdown' | 'json';
  readonly file?: string;
}

const writeReport = async (path: string, text: string): Promise<void> => {
  await writeFile(path, text).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CliError(`cannot write ${printable(path)}: ${code}`, { code: 'FileNotWritten' });
  });
};

const report = (rollout: Command, io: CliIo): void => {
  leaf(rollout, 'report', 'Show what happened in a rollout, when, and who did it', [
    'rollout report podinfo',
    'rollout report podinfo --format markdown > incident.md',
    'rollout report podinfo -o json > incident.json',
  ])
    .argument('<id>', REFERENCE)
    .addOption(
      new Option('--format <format>', 'as a document, for the file of an incident').choices(['markdown', 'json']),
    )
    .option('--file <path>', 'write it to this file instead')
    .action(async (id: string, options: OutputOptions & ReportOptions) => {
      const { body } = await new ApiClient(io).call('reportRollout', { params: { id } });
      const parts: string[] = [];
      const sink: CliIo =
        options.file === undefined ? io : { ...io, isTerminal: false, out: (text) => parts.push(text) };
      if (options.format === 'markdown') sink.out(reportMarkdown(body));
      else print(sink, options.format ?? options.output, body, (paint) => reportText(body, paint, io.now()));
      if (options.file !== undefined) await writeReport(options.file, parts.join(''));
    });
};

export const registerRolloutReads = (rollout: Command, io: CliIo): void => {
  for (const register of [list, get, watch, explain, report]) register(rollout, io);
};
