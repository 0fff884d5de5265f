import type {
  WireAuditEvent,
  WireCluster,
  WireExplanation,
  WireProblem,
  WireRepository,
  WireRollout,
  WireSettledRollout,
  WireTarget,
} from '@breakwater/platform';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

/** The programs as a user starts them; bundling takes about two seconds, and writes nothing that is the same. */
export const buildPrograms = async (): Promise<void> => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'tools/build.mjs')], { cwd: ROOT });
};

/** Settings of the tests themselves, or of another Breakwater, do not reach the programs. */
export const withoutSettings = (): NodeJS.ProcessEnv => {
  const foreign = /^(BREAKWATER_|DATABASE_URL$|REDIS_URL$|INIT_CWD$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !foreign.test(key)));
};

/** One program in a process of its own; its log goes to a file. It ends when the tests do. */
export class Program {
  readonly #child: ChildProcess;
  readonly #logFile: string;

  private constructor(child: ChildProcess, logFile: string) {
    this.#child = child;
    this.#logFile = logFile;
  }

  static async start(
    app: 'api' | 'git-sync' | 'rollout-worker' | 'standalone',
    options: {
      readonly environment: Readonly<Record<string, string>>;
      readonly logFile: string;
      readonly args?: readonly string[];
    },
  ): Promise<Program> {
    const log = await open(options.logFile, 'a', 0o600);
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', join(ROOT, `dist/apps/${app}/main.mjs`), ...(options.args ?? [])],
      {
        stdio: ['ignore', log.fd, log.fd, 'ipc'],
        detached: true,
        env: { ...withoutSettings(), ...options.environment },
      },
    );
    await log.close();
    return new Program(child, options.logFile);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  /** SIGSTOP: it stands still, keeps its connections, and knows nothing of the time that passes. */
  suspend(): void {
    this.#child.kill('SIGSTOP');
  }

  /** SIGCONT: it goes on where it was. */
  wakeUp(): void {
    this.#child.kill('SIGCONT');
  }

  /** kill -9: nothing is said, nothing is given back. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM. Returns how it ended: null when it had to be killed. */
  async stop(): Promise<number | null> {
    const forced = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    await this.#end('SIGTERM');
    clearTimeout(forced);
    return this.#child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

/** States that a rollout ends in. */
export const FINAL: ReadonlySet<string> = new Set([
  'Succeeded',
  'Incomplete',
  'RolledBack',
  'RollbackFailed',
  'Aborted',
  'Superseded',
  'Rejected',
]);

/** The API's answer was a problem. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Whatever hangs is not waited for much longer than the longest answer, which is that of a pause. */
const ANSWER_MS = 60_000;

/** The API as a script uses it: it asks again when nobody answers, because its server may be killed at any moment. */
export class Api {
  readonly #url: string;
  readonly #tokenFile: string;

  constructor(port: number, tokenFile: string) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#tokenFile = tokenFile;
  }

  /** Waits until it says that it is ready. */
  async ready(program: Program, timeoutMs = 90_000): Promise<void> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const ok = await fetch(`${this.#url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ok) return;
      if (!program.running || Date.now() > until) {
        throw new Error(`the program is not ready:\n${(await program.log()).slice(-4_000)}`);
      }
      await delay(50);
    }
  }

  async sync(): Promise<WireRepository> {
    return this.#call('POST', '/repositories/fleet/sync');
  }

  /** The newest commit, judged as good. */
  async synced(commit: string): Promise<void> {
    const until = Date.now() + 60_000;
    for (;;) {
      const { state, good, errors } = await this.sync();
      if (good?.commit === commit) return;
      if (Date.now() > until || state === 'Invalid')
        throw new Error(`${commit} is ${state}: ${JSON.stringify(errors, null, 2)}`);
      await delay(100);
    }
  }

  start(revision: string, more: Readonly<Record<string, unknown>> = {}): Promise<WireRollout> {
    return this.#call('POST', '/rollouts', { application: 'web', revision, allowBad: true, ...more });
  }

  /** The same key again is the same rollout: for whoever cannot know whether the first request arrived. */
  startOnce(key: string, revision: string, more: Readonly<Record<string, unknown>> = {}): Promise<WireRollout> {
    const body = { application: 'web', revision, allowBad: true, ...more };
    return this.#call('POST', '/rollouts', body, { 'idempotency-key': key });
  }

  /** `inForce`: everywhere but on the clusters that it names. */
  async pause(id: string, mode: 'freeze' | 'drain'): Promise<WireSettledRollout & { readonly inForce: boolean }> {
    const { status, body } = await this.#ask('POST', `/rollouts/${id}/pause`, { mode, reason: 'test' });
    return { ...(body as WireSettledRollout), inForce: status === 200 };
  }

  async abort(id: string): Promise<WireSettledRollout & { readonly inForce: boolean }> {
    const { status, body } = await this.#ask('POST', `/rollouts/${id}/abort`, { reason: 'test' });
    return { ...(body as WireSettledRollout), inForce: status === 200 };
  }

  async stopAll(): Promise<{ readonly items: readonly WireSettledRollout[]; readonly inForce: boolean }> {
    const { status, body } = await this.#ask('POST', '/stop-all', { reason: 'test' });
    return { ...(body as { items: readonly WireSettledRollout[] }), inForce: status === 200 };
  }

  async resumeAll(): Promise<void> {
    await this.#call('POST', '/resume-all', { reason: 'test' });
  }

  resume(id: string): Promise<WireRollout> {
    return this.#call('POST', `/rollouts/${id}/resume`, { reason: 'test' });
  }

  retry(id: string, cluster: string): Promise<WireRollout> {
    return this.#call('POST', `/rollouts/${id}/retry`, { cluster, reason: 'test' });
  }

  approveDeletions(id: string): Promise<WireRollout> {
    return this.#call('POST', `/rollouts/${id}/approve-deletions`, { reason: 'test' });
  }

  explain(id: string): Promise<WireExplanation> {
    return this.#call('GET', `/rollouts/${id}/explain`);
  }

  unfinished(): Promise<readonly WireRollout[]> {
    return this.#all('/rollouts?unfinished=true');
  }

  clusters(): Promise<readonly WireCluster[]> {
    return this.#all('/clusters');
  }

  /** Oldest first. */
  auditTrail(since: string): Promise<readonly WireAuditEvent[]> {
    return this.#all(`/audit?since=${encodeURIComponent(since)}`);
  }

  rollback(id: string): Promise<WireRollout> {
    return this.#call('POST', `/rollouts/${id}/rollback`, { reason: 'test' });
  }

  rollout(id: string): Promise<WireRollout> {
    return this.#call('GET', `/rollouts/${id}`);
  }

  /** The id of the newest rollout. */
  async newest(): Promise<string> {
    const { items } = await this.#call<{ items: readonly WireRollout[] }>('GET', '/rollouts?limit=1');
    return items[0]?.id ?? '';
  }

  async targets(id: string): Promise<readonly WireTarget[]> {
    return (await this.#call<{ items: readonly WireTarget[] }>('GET', `/rollouts/${id}/targets?limit=500`)).items;
  }

  /** Asks until `done`; nobody's answer is no news. */
  async until(id: string, done: (rollout: WireRollout) => boolean, timeoutMs: number): Promise<WireRollout> {
    const end = Date.now() + timeoutMs;
    let seen: WireRollout | null = null;
    for (;;) {
      seen = (await this.rollout(id).catch(() => null)) ?? seen;
      if (seen !== null && done(seen)) return seen;
      if (Date.now() > end) {
        const targets = await this.targets(id).catch(() => []);
        throw new Error(
          `after ${timeoutMs} ms the rollout is ${seen?.state} (${seen?.reason}: ${seen?.message})\n` +
            targets.map((it) => `${it.cluster} ${it.state} ${it.reason} ${it.message}`).join('\n'),
        );
      }
      await delay(50);
    }
  }

  end(id: string, timeoutMs: number): Promise<WireRollout> {
    return this.until(id, ({ state }) => FINAL.has(state), timeoutMs);
  }

  async #all<T>(path: string): Promise<readonly T[]> {
    const items: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<T> = await this.#call<Page<T>>(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}limit=500${more}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }

  async #call<T>(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    return (await this.#ask(method, path, body, headers)).body as T;
  }

  async #ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const token = (await readFile(this.#tokenFile, 'utf8')).trim();
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as unknown;
    if (!response.ok) {
      throw new ApiRefusal(
        response.status,
        `${method} ${path}: ${response.status} ${JSON.stringify(answer as WireProblem)}`,
      );
    }
    return { status: response.status, body: answer };
  }
}
