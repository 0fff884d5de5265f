import { type ChildProcess, fork } from 'node:child_process';

/** Asks another process of the bench; what it throws is thrown here. */
export interface Child {
  readonly pid: number;
  ask<T>(method: string, input?: unknown): Promise<T>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Starts this same program in another role. */
export const startChild = (role: string): Child => {
  const program = process.argv[1] ?? '';
  const child: ChildProcess = fork(program, [`--role=${role}`], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const one of waiting.values()) one.reject(new Error(`the ${role} process ended`));
      resolve();
    });
  });
  child.on('message', (answer: Answer) => {
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) one?.resolve(answer.value);
    else one?.reject(new Error(answer.error));
  });
  let asked = 0;
  return {
    pid: child.pid ?? 0,
    ask: <T>(method: string, input: unknown = null) => {
      const one = Promise.withResolvers<unknown>();
      asked += 1;
      waiting.set(asked, one);
      child.send({ id: asked, method, input });
      return one.promise as Promise<T>;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

export type Methods = Readonly<Record<string, (input: never) => unknown>>;

/** The other side: answers until the parent lets go, then cleans up and ends. */
export const serve = (methods: Methods, cleanUp: () => Promise<void>): void => {
  process.on('message', ({ id, method, input }: { id: number; method: string; input: unknown }) => {
    const run = async (): Promise<unknown> => methods[method]?.(input as never);
    run().then(
      (value) => process.send?.({ id, value }),
      (error: unknown) =>
        process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => void cleanUp().finally(() => process.exit(0)));
};
