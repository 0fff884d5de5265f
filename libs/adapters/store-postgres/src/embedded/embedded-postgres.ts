import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { lockInstance } from './instance-lock.ts';
import { type RunAs, runProgram } from './processes.ts';
import { findPrograms, findRunAs, type Programs } from './programs.ts';
import {
  endOf,
  findRunning,
  freePort,
  type RunningServer,
  startServer,
  stopServer,
  waitUntilReady,
} from './server-process.ts';

export interface EmbeddedPostgresOptions {
  /** Made when it is not there. As root, its parents must let the user `postgres` (or `nobody`) through. */
  readonly dataDir: string;
  /** Default: a free one. A server that is already running keeps its own. */
  readonly port?: number;
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

export interface EmbeddedPostgres {
  /** With the password: secret. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** True when a server that an earlier, killed Breakwater had left running was taken over. */
  readonly adopted: boolean;
  /** Stops the server, and gives the directory back. To be called after everything that uses it has ended. */
  stop(): Promise<void>;
  /** Leaves the server running for whoever comes next, and gives the directory back. */
  abandon(): Promise<void>;
}

const USER = 'breakwater';
const DATABASE = 'breakwater';
const STARTS = 3;

/**
 * PostgreSQL out of the npm package, in a directory of ours, for this machine only. It runs in a session of its own: neither Ctrl-C nor a SIGTERM to
 * us stops it, and after a kill -9 the next start takes it over. Throws {@link EmbeddedPostgresError}.
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const dataDir = resolve(options.dataDir);
  const runAs = await findRunAs();
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (runAs !== null) await chmod(dataDir, 0o711);
  await checkReachable(dataDir, runAs);
  const unlock = await lockInstance(join(dataDir, 'breakwater.pid'));
  try {
    return await startLocked(dataDir, runAs, unlock, options);
  } catch (error) {
    await unlock();
    throw error;
  }
};

const startLocked = async (
  dataDir: string,
  runAs: RunAs | null,
  unlock: () => Promise<void>,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> => {
  const pgdata = join(dataDir, 'pgdata');
  const logFile = join(dataDir, 'postgres.log');
  const programs = await findPrograms(dataDir, runAs);
  await initialise(programs, dataDir, pgdata, runAs, options.log);
  await checkMajor(pgdata, programs.major);
  const password = (await readFile(join(dataDir, 'password'), 'utf8')).trim();
  const urlOf = (port: number, database: string): string =>
    `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;

  const found = await findRunning(pgdata);
  if (found !== null)
    options.log('taking over the PostgreSQL that an earlier run left', { pid: found.pid, port: found.port });
  const server =
    found ??
    (await startOnFreePort(programs, pgdata, logFile, runAs, options.port ?? null, (port) => urlOf(port, 'postgres')));
  try {
    await waitUntilReady(server, urlOf(server.port, 'postgres'), logFile);
    await createDatabase(urlOf(server.port, 'postgres'));
  } catch (error) {
    if (found === null) await stopServer(server).catch(() => undefined);
    throw error;
  }
  options.log('PostgreSQL is ready', { pid: server.pid, port: server.port });
  return {
    url: urlOf(server.port, DATABASE),
    port: server.port,
    pid: server.pid,
    adopted: found !== null,
    stop: async () => {
      await stopServer(server);
      await unlock();
    },
    abandon: unlock,
  };
};

/** A free port may be taken before the server binds it: another is tried then, unless a person chose it. */
const startOnFreePort = async (
  programs: Programs,
  pgdata: string,
  logFile: string,
  runAs: RunAs | null,
  port: number | null,
  urlOf: (port: number) => string,
): Promise<RunningServer> => {
  for (let attempt = 1; ; attempt += 1) {
    const server = await startServer(programs.postgres, pgdata, logFile, port ?? (await freePort()), runAs);
    try {
      await waitUntilReady(server, urlOf(server.port), logFile);
      return server;
    } catch (error) {
      await stopServer(server).catch(() => undefined);
      const taken = (await endOf(logFile)).includes('could not bind');
      if (port !== null || !taken || attempt === STARTS) throw error;
    }
  }
};

/** Made beside and then renamed: a kill in the middle leaves nothing that looks finished. */
const initialise = async (
  programs: Programs,
  dataDir: string,
  pgdata: string,
  runAs: RunAs | null,
  log: EmbeddedPostgresOptions['log'],
): Promise<void> => {
  if ((await majorOf(pgdata)) !== null) return;
  log('making a new PostgreSQL data directory', { dataDir });
  const unfinished = `${pgdata}.new`;
  const passwordFile = join(dataDir, 'password.new');
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const password = randomBytes(24).toString('hex');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (runAs !== null) {
    await chown(unfinished, runAs.uid, runAs.gid);
    await chown(passwordFile, runAs.uid, runAs.gid);
  }
  const args = [
    '-D',
    unfinished,
    '-U',
    USER,
    '--pwfile',
    passwordFile,
    '--auth=scram-sha-256',
    '--no-locale',
    '--encoding=UTF8',
  ];
  const { code, output } = await runProgram(programs.initdb, [...args, '--data-checksums', '--no-instructions'], runAs);
  await unlink(passwordFile);
  if (code !== 0) throw new EmbeddedPostgresError('StartFailed', `initdb failed:\n${output.slice(-2_000)}`);
  await writeFile(join(dataDir, 'password'), `${password}\n`, { mode: 0o600 });
  await rename(unfinished, pgdata);
};

const majorOf = async (pgdata: string): Promise<number | null> => {
  const text = await readFile(join(pgdata, 'PG_VERSION'), 'utf8').catch(() => null);
  return text === null ? null : Number(text.trim());
};

const checkMajor = async (pgdata: string, ours: number): Promise<void> => {
  const found = await majorOf(pgdata);
  if (found === ours) return;
  throw new EmbeddedPostgresError(
    'OtherMajor',
    `${pgdata} was made by PostgreSQL ${found}, and this Breakwater brings ${ours}: dump it with the old one (pg_dump) and load it into a new directory, or set DATABASE_URL`,
  );
};

const checkReachable = async (dataDir: string, runAs: RunAs | null): Promise<void> => {
  if (runAs === null) return;
  const { code } = await runProgram('/bin/sh', ['-c', 'cd -- "$0"', dataDir], runAs);
  if (code === 0) return;
  throw new EmbeddedPostgresError(
    'DataUnreachable',
    `PostgreSQL runs as user ${runAs.name} (never as root), which cannot reach ${dataDir}: choose a directory whose parents others may enter, such as one under /var/lib, or start Breakwater as an ordinary user`,
  );
};

const createDatabase = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end().catch(() => undefined);
  }
};
