import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { freePort } from '../testbed/ports.ts';

export interface RedisServer {
  readonly url: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Debian's redis-server, or whatever is on the PATH; null where there is none. */
export const findRedisServer = (): string | null =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path)) ?? null;

/** On 127.0.0.1, persisting nothing. */
export const startRedis = async (program: string): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-redis-'));
  const port = await freePort();
  let child = await launch(program, port, folder);
  return {
    url: `redis://127.0.0.1:${port}`,
    restart: async () => {
      await end(child);
      child = await launch(program, port, folder);
    },
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const launch = (program: string, port: number, folder: string): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('redis-server ended')));
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('Ready to accept connections')) resolve(child);
    });
  });

/** Ctrl-C in a terminal may have ended it already. */
const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
};
