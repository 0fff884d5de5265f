import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { RenderFailure } from './render-failure.ts';
import { fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import { mebibytes } from './render-limits.ts';

export interface SandboxRequest {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** An empty directory that the program may write to. */
  readonly home: string;
  readonly limits: Limits;
  /** Only for fetching charts, before rendering. */
  readonly network?: { readonly environment: Readonly<Record<string, string>> } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SandboxResult {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type NetworkIsolation = 'namespace' | 'user-namespace' | 'none';

/** Go reserves address space far beyond what it uses; below this it does not even start reliably. */
const RESERVED_BYTES = 1.5 * 2 ** 30;
const WATCH_MS = 50;

const succeeds = (args: readonly string[]): Promise<boolean> =>
  new Promise((done) => {
    const child = spawn('unshare', [...args, 'true'], { stdio: 'ignore' });
    child.once('error', () => done(false));
    child.once('close', (status) => done(status === 0));
  });

/** How this machine lets a program be cut off from the network: as root, by a user namespace, or not at all. */
export const detectIsolation = async (): Promise<NetworkIsolation> => {
  if (await succeeds(['--net', '--'])) return 'namespace';
  if (await succeeds(['--map-root-user', '--net', '--'])) return 'user-namespace';
  return 'none';
};

const WRAPPERS: Readonly<Record<NetworkIsolation, readonly string[]>> = {
  namespace: ['unshare', '--net', '--'],
  'user-namespace': ['unshare', '--map-root-user', '--net', '--'],
  none: [],
};

/** A dead proxy, for where there is no namespace: Go's HTTP client asks it and gets nowhere. */
const NOWHERE = 'http://127.0.0.1:1';

const environment = (request: SandboxRequest): Record<string, string> => {
  const own = {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    HOME: request.home,
    TMPDIR: request.home,
    XDG_CACHE_HOME: request.home,
    XDG_CONFIG_HOME: request.home,
    XDG_DATA_HOME: request.home,
    HELM_CACHE_HOME: `${request.home}/helm-cache`,
    HELM_CONFIG_HOME: `${request.home}/helm-config`,
    HELM_DATA_HOME: `${request.home}/helm-data`,
    HELM_PLUGINS: `${request.home}/helm-plugins`,
    KUBECONFIG: '/dev/null',
    GOMEMLIMIT: `${Math.floor((request.limits.memoryBytes * 0.8) / 2 ** 20)}MiB`,
    GOMAXPROCS: '2',
  };
  const nowhere = { http_proxy: NOWHERE, https_proxy: NOWHERE, HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE };
  return { ...own, ...(request.network?.environment ?? nowhere) };
};

/**
 * Runs a tool on hostile input: own process group, no network, no settings of the user's, bounded in time, memory and output.
 * Throws RenderFailure for TimedOut, OutOfMemory, TooLarge and Aborted; a tool that fails by itself is a result.
 */
export const runSandboxed = async (request: SandboxRequest, isolation: NetworkIsolation): Promise<SandboxResult> => {
  const { limits, signal } = request;
  const kibibytes = Math.ceil((RESERVED_BYTES + limits.memoryBytes) / 1024);
  const shell = ['/bin/sh', '-c', `ulimit -c 0; ulimit -v ${kibibytes} 2>/dev/null; exec "$@"`, 'sh'];
  const wrapper = request.network === undefined ? WRAPPERS[isolation] : [];
  const [command = '', ...args] = [...wrapper, ...shell, request.program, ...request.args];
  const child = spawn(command, args, {
    cwd: request.directory,
    env: environment(request),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let failure: unknown;
  const stop = (error: unknown): void => {
    failure ??= error;
    // Helm answers SIGTERM by going on; the group is killed.
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const overMemory = (): RenderFailure =>
    fail(
      'OutOfMemory',
      `rendering needed more than ${mebibytes(limits.memoryBytes)} of memory`,
      'make the templates smaller',
    );
  const timer = setTimeout(
    () =>
      stop(fail('TimedOut', `rendering took longer than ${limits.timeoutMs / 1000} s`, 'make the templates simpler')),
    limits.timeoutMs,
  );
  const watch = setInterval(() => {
    if (child.pid === undefined) return;
    void residentBytes(child.pid).then((bytes) => (bytes > limits.memoryBytes ? stop(overMemory()) : undefined));
  }, WATCH_MS);
  const onAbort = (): void => stop(fail('Aborted', 'rendering was stopped', 'try again'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const output: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.sourceBytes) {
      stop(
        fail('TooLarge', `the source renders to more than ${mebibytes(limits.sourceBytes)}`, 'split the application'),
      );
    } else output.push(chunk);
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 65_536) stderr += chunk.toString('utf8');
  });
  try {
    const status = await new Promise<number | null>((done, broken) => {
      child.once('error', broken);
      child.once('close', done);
    });
    if (failure !== undefined) throw failure;
    if (status !== 0 && /out of memory|cannot allocate memory|failed to reserve/.test(stderr)) throw overMemory();
    return { status, stdout: Buffer.concat(output), stderr };
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    signal?.removeEventListener('abort', onAbort);
  }
};

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
};

const PAGE_BYTES = 4096;

/** Of the process itself: the shell and `unshare` become the tool by exec, so the pid stays. 0 where /proc does not say. */
const residentBytes = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) * PAGE_BYTES;
};
