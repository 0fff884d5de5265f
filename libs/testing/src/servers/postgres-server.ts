import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../testbed/ports.ts';

export interface PostgresServer {
  readonly url: string;
  /** In order, and at the same address afterwards. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** The folder with Debian's newest `postgres` and `initdb`; null where there is none. */
export const findPostgresServer = async (): Promise<string | null> => {
  const versions = (await readdir(DEBIAN).catch(() => [])).map(Number).filter((version) => version >= 14);
  return versions.length === 0 ? null : join(DEBIAN, String(Math.max(...versions)), 'bin');
};

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root; its package brings a user. */
const userToRunAs = async (): Promise<User> => {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
};

/** On 127.0.0.1, with a database `breakwater` that nobody needs a password for. */
export const startPostgres = async (programs: string): Promise<PostgresServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-postgres-'));
  const user = await userToRunAs();
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder };
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'breakwater', '-A', 'trust', '--encoding=UTF8'], options);
  const port = await freePort();
  const launch = (): Promise<ChildProcess> =>
    new Promise((resolve, reject) => {
      const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
      const child = spawn(join(programs, 'postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
      child.once('error', reject);
      child.once('exit', () => reject(new Error('postgres ended')));
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString('utf8').includes('ready to accept connections')) resolve(child);
      });
    });
  let child = await launch();
  const database = ['-h', '127.0.0.1', '-p', String(port), '-U', 'breakwater', 'breakwater'];
  await run(join(programs, 'createdb'), database, options);
  return {
    url: `postgres://breakwater@127.0.0.1:${port}/breakwater`,
    restart: async () => {
      await end(child);
      child = await launch();
    },
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** SIGINT is PostgreSQL's fast stop: it waits for nobody's connection. */
const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await ended;
};
