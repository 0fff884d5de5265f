import type { RepositoryRecord } from '@breakwater/application';
import { createLog, runProgram, UsageError, VERSION } from '@breakwater/platform';
import { HELP, readOptions } from './options.ts';
import { startStandalone } from './standalone.ts';
import { startedText, syncedText } from './start-up-text.ts';

const tell = (text: string): void => {
  process.stderr.write(text);
};

const isPortTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

runProgram('breakwater', async () => {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === null) {
    process.stdout.write(HELP);
    return null;
  }
  const log = createLog({ app: 'standalone', level: options.config.BREAKWATER_LOG_LEVEL });
  tell(`Breakwater ${VERSION} is starting …\n`);
  const standalone = await startStandalone(options, log, VERSION).catch((error: unknown) => {
    throw isPortTaken(error)
      ? new UsageError(`port ${options.config.BREAKWATER_PORT} is taken: choose another with --port`)
      : error;
  });
  tell(startedText(options, standalone));
  void standalone.firstSync.then(
    (repository: RepositoryRecord | null) => tell(syncedText(repository)),
    () => undefined,
  );
  return standalone;
});
