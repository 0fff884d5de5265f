import { setTimeout as sleep } from 'node:timers/promises';
import type { WireSettledRollout } from '@breakwater/platform';
import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { leaf } from '../command-tree.ts';
import type { OutputOptions } from '../command-tree.ts';
import { CliError, EXIT, notSupportedYet } from '../exit-status.ts';
import { print } from '../output/print.ts';
import { rolloutText } from '../output/rollout-text.ts';
import { printable } from '../output/style.ts';
import { endsAs, finish } from '../watch/finish.ts';
import { readRollout } from '../watch/rollout-changes.ts';
import { registerRollback } from './rollback.ts';
import { registerPeople } from './rollout-people.ts';
import { REFERENCE, timeoutOf, verbLine, withReason, withWait } from './rollout-options.ts';
import type { WaitFlags } from './rollout-options.ts';

/** How often a pause that is not yet in force is asked again; each asking takes up to five seconds. */
const SETTLE_ATTEMPTS = 6;

type Reasoned = OutputOptions & { reason?: string };

const warnUnsettled = (io: CliIo, unsettled: readonly string[]): void => {
  if (unsettled.length > 0)
    io.err(`a request that never got its answer may still land on: ${printable(unsettled.join(', '))}\n`);
};

interface Settled {
  readonly status: number;
  readonly body: WireSettledRollout;
}

/** Asks again until it is in force, within bounds. */
const settle = async (io: CliIo, ask: () => Promise<Settled>, wait: boolean): Promise<Settled> => {
  let answer = await ask();
  for (let attempt = 1; wait && answer.status === 202 && attempt < SETTLE_ATTEMPTS; attempt += 1) {
    await sleep(500, undefined, { signal: io.signal });
    answer = await ask();
  }
  return answer;
};

/** Prints what was done in any case; that it is not in force everywhere is said after it. */
const printSettled = (
  io: CliIo,
  { output, wait }: OutputOptions & { readonly wait: boolean },
  { status, body }: Settled,
  what: string,
): void => {
  print(io, output, body, () => verbLine(body, what));
  if (wait && status === 202)
    throw new CliError(`not in force yet on: ${printable(body.unsettled.join(', '))}`, {
      code: 'NotSettled',
      status: EXIT.timedOut,
      remedy: 'It is recorded, and comes into force when these clusters answer or their permits expire.',
    });
  warnUnsettled(io, body.unsettled);
};

const pause = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'pause', 'Pause a rollout; returns when the pause is in force', [
    'rollout pause podinfo --reason "looking at the error rate"',
    'rollout pause podinfo --mode drain',
  ])
    .argument('<id>', REFERENCE)
    .addOption(
      new Option('--mode <mode>', 'freeze: no object is written; drain: no new target starts')
        .choices(['freeze', 'drain'])
        .default('freeze'),
    )
    .option('--no-wait', 'do not wait until it is in force');
  withReason(command).action(async (id: string, options: Reasoned & { mode: 'freeze' | 'drain'; wait: boolean }) => {
    const client = new ApiClient(io);
    const body = { mode: options.mode, reason: options.reason };
    const paused = await settle(io, () => client.call('pauseRollout', { params: { id }, body }), options.wait);
    printSettled(io, options, paused, `paused (${options.mode})`);
  });
};

const resume = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'resume', 'Resume a paused or halted rollout', [
    'rollout resume podinfo --reason "all clear"',
  ])
    .argument('<id>', REFERENCE)
    .option('--no-wait', 'accepted for symmetry: a resume is in force at once');
  withReason(command).action(async (id: string, options: Reasoned) => {
    const { body } = await new ApiClient(io).call('resumeRollout', {
      params: { id },
      body: { reason: options.reason },
    });
    print(io, options.output, body, () => verbLine(body, 'resumed'));
  });
};

const abort = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'abort', 'End a rollout where it is; touched clusters stay as they are', [
    'rollout abort podinfo --reason "wrong release"',
  ])
    .argument('<id>', REFERENCE)
    .option('--no-wait', 'do not wait until it is in force');
  withReason(command).action(async (id: string, options: Reasoned & { wait: boolean }) => {
    const client = new ApiClient(io);
    const body = { reason: options.reason };
    // By the id: the application's newest rollout may be another one, as soon as this one has ended.
    const { id: rolloutId } = await readRollout(client, id);
    const ask = () => client.call('abortRollout', { params: { id: rolloutId }, body });
    printSettled(io, options, await settle(io, ask, options.wait), 'aborted');
  });
};

interface StartFlags extends Reasoned, WaitFlags {
  readonly revision?: string;
  readonly strategy?: string;
  readonly supersede?: boolean;
  readonly plan?: string;
  readonly allowBad?: boolean;
  readonly idempotencyKey?: string;
}

const start = (rollout: Command, io: CliIo): void => {
  const command = leaf(rollout, 'start', 'Start a rollout of an application', [
    'rollout start podinfo --reason "release 6.9"',
    'rollout start podinfo --revision v6.9.0 --wait --timeout 1h',
  ])
    .argument('<application>', 'the application')
    .option('--revision <revision>', 'a commit, branch or tag; default: the newest good commit')
    .option('--strategy <name>', 'another strategy than the application’s')
    .option('--supersede', 'supersede an unfinished rollout of the application')
    .option('--allow-bad', 'start a release that was rolled back before')
    .addOption(new Option('--plan <plan>', 'a stored plan (not supported yet)').hideHelp())
    .option('--idempotency-key <key>', 'the same key again starts nothing and prints the same rollout');
  withWait(withReason(command)).action(async (application: string, options: StartFlags) => {
    if (options.plan !== undefined) throw notSupportedYet('starting from a stored plan');
    const { revision, strategy, supersede, allowBad, reason, idempotencyKey } = options;
    const timeoutMs = timeoutOf(options);
    const client = new ApiClient(io);
    const { body } = await client.call('startRollout', {
      body: { application, revision, strategy, supersede, allowBad, reason },
      ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
    });
    const { output } = options;
    if (options.wait === true) await finish(client, io, body.id, { format: output, timeoutMs }, endsAs('Succeeded'));
    else print(io, output, body, (paint) => rolloutText(body, [], paint, io.now()));
  });
};

export const registerRolloutVerbs = (rollout: Command, io: CliIo): void => {
  for (const register of [start, pause, resume, abort, registerRollback]) register(rollout, io);
  registerPeople(rollout, io);
};

/** `stop-all` and `resume-all`, at the top. */
export const registerEmergency = (program: Command, io: CliIo): void => {
  withReason(
    leaf(program, 'stop-all', 'Emergency stop: freeze every rollout', ['stop-all --reason "incident 4711"']),
  ).action(async (options: Reasoned) => {
    const { status, body } = await new ApiClient(io).call('stopAll', { body: { reason: options.reason } });
    print(
      io,
      options.output,
      body,
      () =>
        body.items.map((one) => verbLine(one, 'stopped')).join('') ||
        'every rollout is stopped; none was in progress\n',
    );
    warnUnsettled(
      io,
      body.items.flatMap(({ unsettled }) => unsettled),
    );
    if (status === 202)
      throw new CliError('not in force everywhere yet', {
        code: 'NotSettled',
        status: EXIT.timedOut,
        remedy: 'Run stop-all again.',
      });
  });
  withReason(leaf(program, 'resume-all', 'End the emergency stop', ['resume-all --reason "incident closed"'])).action(
    async (options: Reasoned) => {
      const { body } = await new ApiClient(io).call('resumeAll', { body: { reason: options.reason } });
      print(
        io,
        options.output,
        body,
        () =>
          body.items.map((one) => verbLine(one, 'resumed')).join('') || 'the stop has ended; no rollout was stopped\n',
      );
    },
  );
};
