import { jest } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries } from './binaries.ts';
import { sourceFile } from './checkout.ts';
import { requireTestbed } from './testbed.ts';

interface Status {
  readonly pid: number;
  readonly dataDir: string;
  readonly free: readonly string[];
  readonly leases: number;
}

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(240_000);

/** Everything here happens to a daemon of our own: the one that other suites use must live on. */
describeWithTestbed('daemon of the test bed', () => {
  const cache = mkdtempSync(join(tmpdir(), 'breakwater-cache-'));
  const children: ChildProcess[] = [];

  const node = (code: string, more: Record<string, string> = {}): ChildProcess => {
    const env = {
      ...process.env,
      ...more,
      BREAKWATER_CACHE: cache,
      KUBEBUILDER_ASSETS: findBinaries()!.dir,
      NODE_OPTIONS: '',
    };
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    });
    children.push(child);
    return child;
  };

  const output = async (child: ChildProcess): Promise<string> => {
    let text = '';
    for await (const chunk of child.stdout!) text += String(chunk);
    return text;
  };

  const status = async (): Promise<Status | null> =>
    JSON.parse(
      await output(
        node(`import { testbedStatus } from ${JSON.stringify(sourceFile('daemon-client.ts'))};
          console.log(JSON.stringify(await testbedStatus()));`),
      ),
    ) as Status | null;

  /** A process that leases a cluster, says so, and stays until it is killed. */
  const lessee = async (more: Record<string, string> = {}): Promise<ChildProcess> => {
    const child = node(
      `import { acquireTestbed } from ${JSON.stringify(sourceFile('testbed.ts'))};
       const bed = await acquireTestbed({ clusters: 1 });
       await bed.clusters[0].createNamespace('left-behind');
       console.log('held');
       setInterval(() => undefined, 1 << 30);`,
      more,
    );
    await new Promise((resolve, reject) => {
      child.stdout!.once('data', resolve);
      child.once('exit', (code) => reject(new Error(`the lessee ended with ${code}`)));
    });
    return child;
  };

  const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !(await what()); await delay(100)) {
      if (Date.now() > deadline) throw new Error(`waited 60 s for ${what.toString()}`);
    }
  };

  /** Processes that have the bed's data directory in their command line. */
  const programs = (dataDir: string): string[] =>
    readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .filter((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          return command.includes(dataDir) && !command.startsWith('sh');
        } catch {
          return false;
        }
      });

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(cache, { recursive: true, force: true });
  });

  it('takes the clusters of a killed process back, and leaves no program behind when it is killed itself', async () => {
    const holder = await lessee();
    const held = (await status())!;
    expect(held).toMatchObject({ leases: 1, free: [] });
    holder.kill('SIGKILL');
    await until(async () => (await status())?.free.length === 1);
    expect(programs(held.dataDir)).toHaveLength(4);

    process.kill(held.pid, 'SIGKILL');
    await until(() => programs(held.dataDir).length === 0);
    await until(() => !existsSync(held.dataDir));
    expect(await status()).toBeNull();
  });

  it('ends by itself, with every program, when nobody leases for a while', async () => {
    const holder = await lessee({ BREAKWATER_TESTBED_IDLE_MS: '5000' });
    const { dataDir } = (await status())!;
    holder.kill('SIGKILL');
    await until(() => programs(dataDir).length === 0 && !existsSync(dataDir));
    expect(await status()).toBeNull();
  });
});
