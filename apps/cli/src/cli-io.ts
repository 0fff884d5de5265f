import { basename } from 'node:path';

/** Everything of the outside that a command uses, so that a test can stand in for a terminal. */
export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output is a terminal: colour and live redraw are welcome. */
  readonly isTerminal: boolean;
  readonly columns: () => number;
  readonly rows: () => number;
  readonly now: () => number;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** `breakwater`, or `kubectl breakwater` as a plug-in. */
  readonly program: string;
}

/** The process that runs us. A closed pipe (`| head`) ends it quietly. */
export const processIo = (): CliIo => {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    process.exitCode = 130;
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    isTerminal: process.stdout.isTTY === true && process.env['TERM'] !== 'dumb',
    columns: () => process.stdout.columns ?? 100,
    rows: () => process.stdout.rows ?? 40,
    now: () => Date.now(),
    signal: interrupted.signal,
    program: basename(process.argv[1] ?? '').startsWith('kubectl-breakwater') ? 'kubectl breakwater' : 'breakwater',
  };
};
