import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheDir, findBinaries } from './binaries.ts';
import { recipeFile, sourceFile } from './checkout.ts';
import type { ClusterAccess } from './control-plane.ts';
import { withLock } from './lock-file.ts';

interface DaemonState {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

/** Another version of the bed's code, recipe or programs is another daemon; an old one ends when it is idle. */
function stateDir(): string {
  const hash = createHash('sha256').update(findBinaries()?.dir ?? '');
  for (const name of readdirSync(sourceFile('.'))
    .filter((each) => each.endsWith('.ts') && !each.includes('spec'))
    .sort()) {
    hash.update(readFileSync(sourceFile(name)));
  }
  for (const name of ['stages.yaml', 'audit-policy.yaml']) hash.update(readFileSync(recipeFile(name)));
  return join(cacheDir(), `daemon-${hash.digest('hex').slice(0, 12)}`);
}

function readState(dir: string): DaemonState | null {
  try {
    return JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as DaemonState;
  } catch {
    return null;
  }
}

function send(state: DaemonState, method: string, path: string, body?: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: state.port,
        method,
        path,
        // A lease lives as long as its connection, so connections are not shared.
        agent: false,
        headers: { authorization: `Bearer ${state.token}`, 'content-type': 'application/json' },
      },
      resolve,
    );
    request.once('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

async function alive(state: DaemonState): Promise<boolean> {
  try {
    const response = await send(state, 'GET', '/status');
    await readBody(response);
    return response.statusCode === 200;
  } catch {
    return false;
  }
}

async function runningDaemon(): Promise<DaemonState | null> {
  const state = readState(stateDir());
  return state && (await alive(state)) ? state : null;
}

async function spawnDaemon(dir: string): Promise<DaemonState> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const logFile = join(dir, 'daemon.log');
  const log = openSync(logFile, 'w', 0o600);
  const env = { ...process.env };
  // Jest's flags are not the daemon's.
  delete env['NODE_OPTIONS'];
  delete env['NODE_V8_COVERAGE'];
  const child = spawn(process.execPath, [sourceFile('daemon.ts'), dir], {
    detached: true,
    stdio: ['ignore', log, log],
    env,
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.once('exit', () => (ended = true));
  child.once('error', () => (ended = true));
  for (let attempt = 0; attempt < 600; attempt++) {
    const state = readState(dir);
    if (state?.pid === child.pid && state && (await alive(state))) return state;
    if (ended) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `the daemon of the test bed does not start; ${logFile}:\n${readFileSync(logFile, 'utf8').slice(-2000)}`,
  );
}

async function daemon(): Promise<DaemonState> {
  const running = await runningDaemon();
  if (running) return running;
  const dir = stateDir();
  return withLock(join(cacheDir(), 'daemon.lock'), async () => (await runningDaemon()) ?? spawnDaemon(dir));
}

export interface LeasedClusters {
  readonly clusters: readonly ClusterAccess[];
  readonly act: (cluster: string, action: string) => Promise<Record<string, unknown>>;
  readonly release: () => void;
}

/** Leases clusters; they are ours until `release`, or until this process ends. */
export async function leaseClusters(
  count: number,
  label: string,
  progress: (line: string) => void,
): Promise<LeasedClusters> {
  for (let attempt = 1; ; attempt++) {
    const lease = await tryLease(count, label, progress).catch((error: unknown) => {
      // The daemon may just have ended, idle or at the end of somebody's test run; the next attempt starts another.
      if (attempt < 3 && (error as NodeJS.ErrnoException).code !== undefined) return null;
      throw error;
    });
    if (lease) return lease;
    if (attempt === 3) throw new Error('test bed: the daemon ended before it had started the clusters');
  }
}

/** Null when the daemon ended meanwhile. */
async function tryLease(
  count: number,
  label: string,
  progress: (line: string) => void,
): Promise<LeasedClusters | null> {
  const state = await daemon();
  const response = await send(state, 'POST', '/leases', { clusters: count, label });
  for await (const line of createInterface({ input: response })) {
    const message = JSON.parse(line) as { progress?: string; error?: string; clusters?: ClusterAccess[] };
    if (message.progress !== undefined) progress(message.progress);
    if (message.error !== undefined) throw new Error(`test bed: ${message.error}`);
    if (message.clusters) {
      // An open lease must not keep Jest from ending.
      response.socket.unref();
      return {
        clusters: message.clusters,
        act: (cluster, action) => act(state, cluster, action),
        release: () => response.destroy(),
      };
    }
  }
  return null;
}

async function act(state: DaemonState, cluster: string, action: string): Promise<Record<string, unknown>> {
  const response = await send(state, 'POST', `/clusters/${cluster}/${action}`);
  const body = JSON.parse(await readBody(response)) as Record<string, unknown>;
  if (response.statusCode !== 200) throw new Error(`test bed: ${action} ${cluster}: ${String(body['error'])}`);
  return body;
}

/** What the daemon says about itself, or null when none runs. */
export async function testbedStatus(): Promise<Record<string, unknown> | null> {
  const state = await runningDaemon();
  if (!state) return null;
  return JSON.parse(await readBody(await send(state, 'GET', '/status'))) as Record<string, unknown>;
}

/** Stops the daemon: `now`, or as soon as nobody holds a lease. */
export async function stopTestbed(when: 'now' | 'unused'): Promise<void> {
  const state = await runningDaemon();
  if (state) await readBody(await send(state, 'POST', `/stop/${when}`));
}
