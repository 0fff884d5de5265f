import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../../../..');

export interface CliRun {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunningCli {
  readonly done: Promise<CliRun>;
  /** Resolves when standard output (or error) holds the text. */
  saw(text: string | RegExp): Promise<void>;
  interrupt(): void;
}

export interface CliProgram {
  start(args: readonly string[], env?: Readonly<Record<string, string>>): RunningCli;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliRun>;
  /** Ends what is still running, whatever a test that failed has left behind. */
  killAll(): Promise<void>;
  remove(): void;
}

/** The command line as users run it: bundled, in its own process. */
export const bundleCli = async (): Promise<CliProgram> => {
  const directory = mkdtempSync(join(root, 'node_modules/.breakwater-cli-'));
  const program = join(directory, 'main.mjs');
  await build({
    entryPoints: [join(root, 'apps/cli/src/main.ts')],
    outfile: program,
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'error',
  });
  const running = new Set<ChildProcess>();
  const start: CliProgram['start'] = (args, env = {}) => {
    const child = spawn(process.execPath, [program, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('close', () => running.delete(child));
    let out = '';
    let err = '';
    let changed = () => {};
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      changed();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      changed();
    });
    const done = new Promise<CliRun>((resolve) => child.once('close', (status) => resolve({ status, out, err })));
    return {
      done,
      saw: (text) =>
        new Promise((resolve, reject) => {
          const look = () => {
            const all = `${out}\n${err}`;
            if (typeof text === 'string' ? all.includes(text) : text.test(all)) resolve();
          };
          changed = look;
          look();
          void done.then((run) => {
            look();
            reject(new Error(`it ended without ${String(text)}: ${JSON.stringify(run)}`));
          });
        }),
      interrupt: () => void child.kill('SIGINT'),
    };
  };
  return {
    start,
    run: (args, env) => start(args, env).done,
    killAll: async () => {
      await Promise.all(
        [...running].map(async (child) => {
          child.kill('SIGKILL');
          await once(child, 'close');
        }),
      );
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
};
