import { ConfigurationError } from './configuration.ts';

/** Stopped by a person's mistake: its message is for people, and no stack is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'Usage';
}

export interface Running {
  /** Takes no new work, lets what is on its way end. */
  stop(): Promise<void>;
}

const FAILED = 1;
const USAGE = 2;
const FORCED = 130;

/**
 * The life of a program: start, then until SIGTERM, SIGINT, or the parent that holds our IPC channel is gone; then a graceful stop.
 * A second signal ends it at once. Null: there was nothing to run. Exit 2 for a usage or configuration error, 1 for another one.
 */
export const runProgram = (name: string, start: () => Promise<Running | null>): void => {
  // Whoever reads our output may go away: a fleet, and the servers that we started, are not left for that.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const stopping = Promise.withResolvers<void>();
  let asked = false;
  const ask = (signal: string): void => {
    if (asked && signal !== 'disconnect') process.exit(FORCED);
    if (!asked && signal !== 'disconnect') process.stderr.write(`${name}: stopping (again to force)\n`);
    asked = true;
    stopping.resolve();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal));
  // Only a program that was started with an IPC channel ever sees it.
  process.once('disconnect', () => ask('disconnect'));
  const life = async (): Promise<void> => {
    const running = await start();
    if (running === null) return;
    await stopping.promise;
    await running.stop();
  };
  life().then(
    () => process.exit(process.exitCode ?? 0),
    (error: unknown) => {
      process.stderr.write(`${name}: ${explain(error)}\n`);
      process.exit(isMistake(error) ? USAGE : FAILED);
    },
  );
};

const isMistake = (error: unknown): boolean => error instanceof UsageError || error instanceof ConfigurationError;

const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return 'failed';
  // A code means that the error was foreseen, and that its message says what to do.
  const foreseen = 'code' in error && typeof error.code === 'string' && error.message !== '';
  return foreseen ? error.message : (error.stack ?? error.message);
};
