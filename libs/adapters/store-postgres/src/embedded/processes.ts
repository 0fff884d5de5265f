import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { errorCode } from '../database-errors.ts';

/** PostgreSQL refuses to run as root: as root, it runs as somebody else. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end; never throws. Output: both streams, the last 20,000 characters. */
export const runProgram = (
  program: string,
  args: readonly string[],
  runAs: RunAs | null,
  cwd = '/',
): Promise<Finished> =>
  new Promise((resolve) => {
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-20_000);
    };
    const child = spawn(program, args, {
      ...identity(runAs),
      cwd,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });

export const identity = (runAs: RunAs | null): { uid?: number; gid?: number } =>
  runAs === null ? {} : { uid: runAs.uid, gid: runAs.gid };

/** Nothing of ours reaches the server: tokens and PG* variables least of all. */
export const cleanEnvironment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' });

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
};

/** What distinguishes a process from a later one of the same id; null where the system does not say. */
export const processStart = async (pid: number): Promise<string | null> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and brackets: fields are counted after the last bracket. The 22nd is the start time.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
};

export const commandOf = async (pid: number): Promise<string> => {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    return (await runProgram('ps', ['-o', 'command=', '-p', String(pid)], null)).output;
  }
};

/** True once the process is gone; looks every 20 ms, because only its parent is told. */
export const waitForExit = async (pid: number, timeoutMs: number): Promise<boolean> => {
  const until = performance.now() + timeoutMs;
  while (isRunning(pid, await stateOf(pid))) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
};

const isRunning = (pid: number, state: string | null): boolean => isAlive(pid) && state !== 'Z';

/** A killed child that its parent has not asked about is a zombie, and no longer a server. */
const stateOf = async (pid: number): Promise<string | null> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    return null;
  }
};
