import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFleet } from '../support/git-fleet.ts';
import { Api, withoutSettings } from '../support/program.ts';

const ROOT = join(import.meta.dirname, '../..');

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('npm start', () => {
  let fleet: GitFleet;
  let npm: ChildProcess;
  let postgres: number | null = null;

  /** Reads as a person does, until the text is there. */
  const untilSaid = async (text: RegExp): Promise<string> => {
    let said = '';
    for await (const chunk of npm.stderr!.iterator({ destroyOnReturn: false })) {
      said += String(chunk);
      const found = text.exec(said);
      if (found !== null) return found[1]!;
    }
    throw new Error(`it ended, and has said ${said}`);
  };
  const pidOfPostgres = async (): Promise<number> => {
    const files = await readdir(fleet.data, { recursive: true });
    const file = files.find((name) => name.endsWith('postmaster.pid'))!;
    return Number((await readFile(join(fleet.data, file), 'utf8')).split('\n')[0]);
  };

  beforeAll(async () => {
    fleet = await GitFleet.create([], {});
    await fleet.commit({ version: '1' });
    const options = ['--repo', fleet.repository, '--data', fleet.data, '--port', '0', '--log-level', 'debug'];
    npm = spawn('npm', ['start', '--', ...options], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: withoutSettings(),
    });
  }, 60_000);

  afterAll(async () => {
    // Whatever a failed test has left behind; a group or a process that has ended is no error.
    for (const pid of [-npm.pid!, postgres])
      try {
        if (pid !== null) process.kill(pid, 'SIGKILL');
      } catch {
        // Ended.
      }
    await fleet.remove();
  });

  it('goes on when nobody reads its output any more, and a signal to npm stops it in order, with its database', async () => {
    const port = await untilSaid(/API +http:\/\/127\.0\.0\.1:(\d+)/);
    postgres = await pidOfPostgres();
    npm.stdout!.destroy();
    npm.stderr!.destroy();
    const api = new Api(Number(port), join(fleet.data, 'admin.token'));
    await api.sync();
    expect(npm.exitCode).toBeNull();
    expect(isAlive(postgres)).toBe(true);

    const ended = once(npm, 'exit');
    npm.kill('SIGTERM');
    await ended;
    expect(isAlive(postgres)).toBe(false);
    postgres = null;
    await expect(api.sync()).rejects.toThrow('fetch failed');
  }, 120_000);
});
