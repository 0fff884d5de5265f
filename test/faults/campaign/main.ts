import { runCampaign } from './campaign.ts';
import { HELP, readOptions, UsageError } from './options.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const anySeed = (): number => Date.now() % 1_000_000;

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Whoever started it alone, without its children, wants all of it to end. */
const interruption = (): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => reject(new Interrupted(`ended by ${signal}`)));
  }
  // Nobody waits for it while the world is being made.
  promise.catch(() => undefined);
  return promise;
};

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2), anySeed);
  if (options === null) return say(HELP);
  if (!(await runCampaign(options, say, interruption()))) process.exitCode = 1;
};

const textOf = (error: unknown): string => {
  if (error instanceof UsageError) return `${error.message}; see --help`;
  if (error instanceof Interrupted) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

main().then(
  // Faults that are still being mended when it is interrupted would keep it.
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`faults: ${textOf(error)}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
