import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** One program of the bed. It stays in the daemon's process group, which a guardian kills when the daemon is gone. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #exit: Promise<number | null>;
  #exited = false;

  constructor(name: string, program: string, args: readonly string[], logFile: string) {
    this.name = name;
    const log = openSync(logFile, 'a');
    // There is more memory than processor: Go may let its heap grow to three times of what lives before it collects.
    const env = { PATH: process.env['PATH'] ?? '', GOGC: '300' };
    this.#process = spawn(program, args, { stdio: ['ignore', log, log], env });
    closeSync(log);
    this.#exit = new Promise((resolve) => {
      const done = (code: number | null): void => {
        this.#exited = true;
        resolve(code);
      };
      this.#process.once('exit', (code) => done(code));
      this.#process.once('error', () => done(null));
    });
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Resolves when the program has ended, for whatever reason. */
  whenExited(): Promise<number | null> {
    return this.#exit;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#exited) this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exit;
  }
}
