import { spawn } from 'node:child_process';
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { temporaryHome } from '../test-server.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { isAlive } from './processes.ts';

const query = async (url: string, text: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

describe('the embedded PostgreSQL', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let dataDir = '';
  const running: EmbeddedPostgres[] = [];
  const start = async (): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    running.push(server);
    return server;
  };

  beforeEach(async () => {
    home = await temporaryHome();
    dataDir = join(home.path, 'data');
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop().catch(() => undefined);
    await home.remove();
  }, 60_000);

  it('keeps its data and its password over a restart, and shows the password to nobody else', async () => {
    const first = await start();
    await query(first.url, 'create table kept (x int); insert into kept values (7)');
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second.url, 'select x from kept')).toEqual([{ x: 7 }]);
    await expect(query(second.url.replace(/:[0-9a-f]{48}@/, ':wrong@'), 'select 1')).rejects.toThrow();
  }, 60_000);

  it('refuses a directory that another Breakwater uses', async () => {
    await start();
    await expect(startEmbeddedPostgres({ dataDir, log: () => undefined })).rejects.toMatchObject({ code: 'InUse' });
  }, 60_000);

  it('takes over the server that a killed Breakwater has left running', async () => {
    const first = await start();
    await query(first.url, 'create table kept (x int)');
    // What a kill -9 leaves: the server, and a lock of a process that is not there any more.
    await first.abandon();
    await writeFile(join(dataDir, 'breakwater.pid'), '2147483000 1\n');
    const second = await start();
    expect(second).toMatchObject({ adopted: true, pid: first.pid, port: first.port });
    expect(await query(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
    await second.stop();
    expect(isAlive(first.pid)).toBe(false);
  }, 60_000);

  it('recovers from a killed server, whose number is another process by now', async () => {
    const first = await start();
    await query(first.url, 'create table kept (x int); insert into kept values (1)');
    process.kill(first.pid, 'SIGKILL');
    // Its helpers notice a little later, and a server does not start beside them.
    while (await worksIn(dataDir)) await new Promise((resolve) => setImmediate(resolve));
    await first.abandon();
    const trace = join(dataDir, 'pgdata', 'postmaster.pid');
    const lines = (await readFile(trace, 'utf8')).split('\n');
    const bystander = spawn('sleep', ['60']);
    try {
      await writeFile(trace, [String(bystander.pid), ...lines.slice(1)].join('\n'));
      const second = await start();
      expect(second.adopted).toBe(false);
      expect(await query(second.url, 'select x from kept')).toEqual([{ x: 1 }]);
      expect(isAlive(bystander.pid ?? 0)).toBe(true);
    } finally {
      bystander.kill();
    }
  }, 60_000);

  it('is in a session of its own: what stops us does not stop it', async () => {
    const server = await start();
    const [, fields] = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(') ');
    const [, , group, session] = (fields ?? '').split(' ').map(Number);
    expect([group, session]).toEqual([server.pid, server.pid]);
  }, 60_000);

  it('says what to do about a directory of another major version', async () => {
    const server = await start();
    await server.stop();
    await writeFile(join(dataDir, 'pgdata', 'PG_VERSION'), '12\n');
    const failed = startEmbeddedPostgres({ dataDir, log: () => undefined });
    await expect(failed).rejects.toMatchObject({ code: 'OtherMajor' });
    await expect(failed).rejects.toThrow('pg_dump');
    // The directory was given back.
    await writeFile(join(dataDir, 'pgdata', 'PG_VERSION'), '18\n');
    await start();
  }, 60_000);
});

/** Whether any process is at work in there: all of a server are in its data directory, whatever they call themselves. */
const worksIn = async (directory: string): Promise<boolean> => {
  const processes = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  // One that has ended, and waits for its parent to notice, is in no directory.
  const places = await Promise.all(processes.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return places.some((place) => place.startsWith(directory));
};
