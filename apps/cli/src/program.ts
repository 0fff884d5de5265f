import { VERSION } from '@breakwater/platform';
import { Command, CommanderError } from 'commander';
import type { CliIo } from './cli-io.ts';
import { later } from './command-tree.ts';
import { registerAudit, registerPlan, registerTokens } from './commands/administration.ts';
import { registerChanges } from './commands/changes.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerApplications, registerClusters, registerFleets } from './commands/fleet-commands.ts';
import { registerOffline } from './commands/offline.ts';
import { registerRepositories } from './commands/repository-commands.ts';
import { registerRolloutReads } from './commands/rollout-read.ts';
import { registerEmergency, registerRolloutVerbs } from './commands/rollout-verbs.ts';
import { CliError, EXIT } from './exit-status.ts';
import { paintOf } from './output/print.ts';
import { printable } from './output/style.ts';

const EPILOGUE = `
Environment:
  BREAKWATER_URL    address of the API (default: http://127.0.0.1:8080)
  BREAKWATER_TOKEN  bearer token; standalone writes its first one to <data>/admin.token

Exit status: 0 the requested end was reached, 1 error, 2 usage, 3 another end, 4 time-out.`;

/** Errors of usage go where the rest of the errors go, and never end the process. */
const settle = (command: Command, io: CliIo): void => {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => Math.min(100, io.columns()),
      getErrHelpWidth: () => Math.min(100, io.columns()),
      outputError: (text, write) =>
        write(
          `${text
            .trim()
            .replaceAll(/\s*\n\s*/g, ' ')
            .replace(/\.$/, '')}. See: ${io.program} --help\n`,
        ),
    });
  for (const child of command.commands) settle(child, io);
};

/** The whole tree of commands, with nothing run yet: also what the reference and the completions are made from. */
export const createProgram = (io: CliIo): Command => {
  const program = new Command(io.program)
    .description('Staged rollouts over fleets of Kubernetes clusters.')
    .version(VERSION, '-V, --version', 'print the version')
    .addHelpText('after', EPILOGUE);
  registerOffline(program, io);
  registerPlan(program, io);
  const rollout = program.command('rollout').description('Rollouts: start, follow, pause, roll back');
  registerRolloutReads(rollout, io);
  registerRolloutVerbs(rollout, io);
  registerClusters(program, io);
  registerFleets(program, io);
  registerApplications(program, io);
  registerRepositories(program, io);
  registerChanges(program, io);
  registerAudit(program, io);
  registerTokens(program, io);
  registerEmergency(program, io);
  registerCompletion(program, io);
  for (const name of ['lint', 'removal', 'compliance']) later(program, name, name);
  settle(program, io);
  return program;
};

const report = (error: unknown, io: CliIo): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.reached : EXIT.usage;
  const known =
    error instanceof CliError
      ? error
      : new CliError(
          `something went wrong inside the command line: ${printable(error instanceof Error ? error.message : String(error))}`,
          { code: 'InternalError' },
        );
  const remedy = known.remedy === null ? '' : `; ${known.remedy}`;
  const head = paintOf({ ...io, isTerminal: io.isTerminal })('red', 'error:');
  io.err(`${head} ${known.message} (${known.code})${remedy}\n`);
  for (const line of known.lines) io.err(`  ${line}\n`);
  return known.status;
};

/** Runs one command line, without the program's name; resolves to the exit status. */
export const runCli = async (args: readonly string[], io: CliIo): Promise<number> => {
  try {
    await createProgram(io).parseAsync(args, { from: 'user' });
    return EXIT.reached;
  } catch (error) {
    return report(error, io);
  }
};
