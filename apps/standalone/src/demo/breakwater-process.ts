import type { WireAuditEvent, WireReport, WireRepository, WireRollout, WireTarget } from '@breakwater/platform';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { checkout } from './example-repository.ts';

const START_WITHIN_MS = 60_000;

/** The program as a user starts it, in a process of its own, and its API as a script uses it. */
export class BreakwaterProcess {
  readonly url: string;
  readonly tokenFile: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  #token = '';

  private constructor(child: ChildProcess, url: string, data: string) {
    this.#child = child;
    this.url = url;
    this.tokenFile = join(data, 'admin.token');
    this.logFile = join(data, 'breakwater.log');
  }

  static async start(options: {
    readonly repository: string;
    readonly credentials: string;
    readonly data: string;
    readonly port: number;
    readonly gateHosts: string;
  }): Promise<BreakwaterProcess> {
    const log = await open(join(options.data, 'breakwater.log'), 'a', 0o600);
    const args = ['--repo', options.repository, '--credentials', options.credentials, '--data', options.data];
    args.push('--gate-hosts', options.gateHosts);
    const program = join(checkout(), 'dist/apps/standalone/main.mjs');
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', program, ...args, '--port', String(options.port), '--poll', '5s'],
      // A group of its own: Ctrl-C is ours to pass on. The IPC channel tells it when we are gone.
      { stdio: ['ignore', log.fd, log.fd, 'ipc'], detached: true, env: environment() },
    );
    await log.close();
    const breakwater = new BreakwaterProcess(child, `http://127.0.0.1:${options.port}`, options.data);
    await breakwater.#untilReady();
    return breakwater;
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + START_WITHIN_MS;
    for (;;) {
      const ready = await fetch(`${this.url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) break;
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`Breakwater did not start:\n${(await readFile(this.logFile, 'utf8')).slice(-3_000)}`);
      }
      await delay(50);
    }
    this.#token = (await readFile(this.tokenFile, 'utf8')).trim();
  }

  sync(): Promise<WireRepository> {
    return this.#call('POST', '/repositories/fleet/sync');
  }

  start(application: string, reason: string): Promise<WireRollout> {
    return this.#call('POST', '/rollouts', { application, reason });
  }

  rollout(id: string): Promise<WireRollout> {
    return this.#call('GET', `/rollouts/${id}`);
  }

  async targets(id: string): Promise<readonly WireTarget[]> {
    return (await this.#call<{ items: readonly WireTarget[] }>('GET', `/rollouts/${id}/targets?limit=100`)).items;
  }

  /** What the audit trail says about targets that failed. */
  async failures(id: string): Promise<readonly WireAuditEvent[]> {
    const { events } = await this.#call<WireReport>('GET', `/rollouts/${id}/report`);
    return events.filter(({ type, data }) => type === 'target.state-changed' && data['to'] === 'Failed');
  }

  /** The command line as a user calls it, against this Breakwater; returns what it prints. */
  async command(...args: readonly string[]): Promise<string> {
    const program = join(checkout(), 'dist/apps/cli/main.mjs');
    const env = { ...environment(), BREAKWATER_URL: this.url, BREAKWATER_TOKEN: this.#token };
    return (await promisify(execFile)(process.execPath, [program, ...args], { env, timeout: 20_000 })).stdout;
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 1_000)}`);
    return JSON.parse(text) as T;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const forced = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(forced);
  }
}

/** The demo's Breakwater is the demo's alone: settings for another one do not reach it. */
const environment = (): NodeJS.ProcessEnv => {
  const foreign = /^(BREAKWATER_|DATABASE_URL$|REDIS_URL$|INIT_CWD$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !foreign.test(key)));
};
