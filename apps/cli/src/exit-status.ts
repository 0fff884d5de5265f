/** Contract §3: what the command line ends with. */
export const EXIT = { reached: 0, error: 1, usage: 2, anotherEnd: 3, timedOut: 4 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command: one clear line, a remedy where there is one, further lines such as the errors of documents. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly status: ExitStatus;
  readonly code: string;
  readonly remedy: string | null;
  readonly lines: readonly string[];

  constructor(
    message: string,
    options: {
      readonly code: string;
      readonly status?: ExitStatus;
      readonly remedy?: string | undefined;
      readonly lines?: readonly string[];
    },
  ) {
    super(message);
    this.status = options.status ?? EXIT.error;
    this.code = options.code;
    this.remedy = options.remedy ?? null;
    this.lines = options.lines ?? [];
  }
}

export const notSupportedYet = (what: string): CliError =>
  new CliError(`${what} is not supported yet`, { code: 'NotSupportedYet' });
