export interface WorkerLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Runs `act` again and again, `interval` ms after it ended, until `signal`; a failure is logged and tried again. */
export const repeat = async (
  interval: number,
  signal: AbortSignal,
  act: () => Promise<void>,
  log: WorkerLog,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      await act();
    } catch (error) {
      log.warn({ err: error }, 'periodic work failed, it will be tried again');
    }
    await pauseFor(interval, signal);
  }
};

export const pauseFor = (ms: number, signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve();
  };
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', done, { once: true });
  return promise;
};

/** Resolves at the first of: `ms` have passed, one of the promises, the signal. */
export const firstOf = async (ms: number, signal: AbortSignal, others: readonly Promise<void>[]): Promise<void> => {
  const over = new AbortController();
  const stop = (): void => over.abort();
  // A signal that came before this is heard by no listener.
  if (signal.aborted) return;
  signal.addEventListener('abort', stop, { once: true });
  await Promise.race([pauseFor(ms, over.signal), ...others]);
  signal.removeEventListener('abort', stop);
  over.abort();
};
