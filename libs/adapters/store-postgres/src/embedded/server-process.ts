import { spawn } from 'node:child_process';
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { errorCode } from '../database-errors.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { cleanEnvironment, commandOf, identity, isAlive, type RunAs, waitForExit } from './processes.ts';

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

const READY_WITHIN_MS = 90_000;
const LONGEST_LOG_BYTES = 10_000_000;

/** The server that runs on this directory, if any: a parent that was killed has left it running. Removes the trace of one that does not. */
export const findRunning = async (pgdata: string): Promise<RunningServer | null> => {
  const file = join(pgdata, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  const [pid, , , port] = text.split('\n').map(Number);
  if (pid === undefined || port === undefined || !(pid > 0) || !(port > 0)) return null;
  if (isAlive(pid) && (await commandOf(pid)).includes(pgdata)) return { pid, port };
  // Another process may have that number by now; PostgreSQL would take it for a server and refuse to start.
  await unlink(file).catch(() => undefined);
  return null;
};

/**
 * Starts the server in a session of its own: Ctrl-C of the terminal and signals to us do not reach it, so that it serves until we have drained.
 * Its output goes to `log`. Listens on 127.0.0.1 only.
 */
export const startServer = async (
  program: string,
  pgdata: string,
  logFile: string,
  port: number,
  runAs: RunAs | null,
): Promise<RunningServer> => {
  await rotate(logFile);
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(
      program,
      ['-D', pgdata, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])],
      {
        ...identity(runAs),
        cwd: '/',
        env: cleanEnvironment(),
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    child.unref();
    return { pid, port };
  } finally {
    await log.close();
  }
};

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_parallel_workers_per_gather=0',
  'jit=off',
  'log_min_messages=warning',
  'password_encryption=scram-sha-256',
];

/** Resolves when it answers; a server that ends meanwhile is an error with the end of its log. */
export const waitUntilReady = async (server: RunningServer, url: string, logFile: string): Promise<void> => {
  const until = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const problem = await tryOnce(url);
    if (problem === null) return;
    if (await waitForExit(server.pid, 0)) {
      throw new EmbeddedPostgresError(
        'StartFailed',
        `PostgreSQL ended while it was starting:\n${await endOf(logFile)}`,
      );
    }
    if (performance.now() > until) {
      throw new EmbeddedPostgresError(
        'StartFailed',
        `PostgreSQL did not answer within ${READY_WITHIN_MS / 1000} s: ${problem}`,
      );
    }
    await delay(40);
  }
};

const tryOnce = async (url: string): Promise<string | null> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return null;
  } catch (error) {
    // 28P01: a wrong password will not get right by waiting.
    if (['28P01', '28000'].includes(errorCode(error) ?? '')) {
      throw new EmbeddedPostgresError(
        'NotOurs',
        'the PostgreSQL in the data directory does not know the password in it',
        { cause: error },
      );
    }
    return errorCode(error) ?? 'no answer';
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Fast shutdown: open transactions are rolled back, and everything is on disk. */
export const stopServer = async ({ pid }: RunningServer): Promise<void> => {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  if (await waitForExit(pid, 30_000)) return;
  // What was committed is in the write-ahead log either way.
  process.kill(pid, 'SIGQUIT');
  if (await waitForExit(pid, 10_000)) return;
  throw new EmbeddedPostgresError('StopFailed', `PostgreSQL (process ${pid}) does not stop`);
};

export const endOf = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8').catch(() => '')).slice(-2_000).trim();

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

const rotate = async (file: string): Promise<void> => {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LONGEST_LOG_BYTES) await rename(file, `${file}.1`);
};
