import { loadOrCreateKey } from '@breakwater/platform';
import { freePort } from '@breakwater/testing';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ComposeFile } from './compose-file.ts';
import { Api, Program } from './program.ts';
import type { Servers } from './servers.ts';

export interface ProgramsOptions {
  /** Logs, keys and copies of Git are kept in it. */
  readonly home: string;
  readonly repository: string;
  readonly servers: Servers;
  readonly workers: number;
  /** The directory of kubeconfigs of `git-sync`, `worker-0`, `worker-1`, …. */
  readonly credentials: (program: string) => Promise<string>;
}

/** API, Git sync and rollout workers in processes of their own, with the environment of docker-compose.yml. Each can be ended and started again. */
export class SeparatePrograms {
  readonly api: Api;
  readonly #options: ProgramsOptions;
  readonly #compose: ComposeFile;
  readonly #port: number;
  readonly #tokenFile: string;
  /** What outside of containers is another value for all of them. */
  readonly #shared: Readonly<Record<string, string>>;
  readonly #running = new Map<string, Program>();
  /** How often each was started: every start writes its line into the same log. */
  readonly #starts = new Map<string, number>();

  private constructor(options: ProgramsOptions, compose: ComposeFile, port: number, key: string) {
    this.#options = options;
    this.#compose = compose;
    this.#port = port;
    this.#tokenFile = join(options.home, 'admin.token');
    this.#shared = {
      DATABASE_URL: options.servers.databaseUrl,
      REDIS_URL: options.servers.redisUrl,
      BREAKWATER_ENCRYPTION_KEY_FILE: key,
    };
    this.api = new Api(port, this.#tokenFile);
  }

  /** Returns when every program works. The repository needs a commit by then. */
  static async start(options: ProgramsOptions): Promise<SeparatePrograms> {
    const compose = await ComposeFile.read({
      FLEET_REPOSITORY: options.repository,
      CREDENTIALS: 'each its own',
      POLL: '1s',
    });
    const key = join(options.home, 'key');
    await loadOrCreateKey(key);
    const programs = new SeparatePrograms(options, compose, await freePort(), key);
    try {
      await programs.startApi();
      await programs.startGitSync();
      await Promise.all(Array.from({ length: options.workers }, (_, number) => programs.startWorker(number)));
      await programs.untilReady();
      return programs;
    } catch (error) {
      await programs.stop();
      throw error;
    }
  }

  get all(): readonly Program[] {
    return [...this.#running.values()];
  }

  worker(number: number): Program {
    return this.#named(`worker-${number}`);
  }

  get apiProgram(): Program {
    return this.#named('api');
  }

  get gitSync(): Program {
    return this.#named('git-sync');
  }

  untilReady(): Promise<void> {
    return this.api.ready(this.apiProgram);
  }

  async startApi(): Promise<void> {
    await this.#start('api', 'api', 'api', {
      BREAKWATER_HOST: '127.0.0.1',
      BREAKWATER_PORT: String(this.#port),
      BREAKWATER_ADMIN_TOKEN_FILE: this.#tokenFile,
    });
  }

  async startGitSync(): Promise<void> {
    await this.#start('git-sync', 'git-sync', 'git-sync', {
      BREAKWATER_DATA: join(this.#options.home, 'sync'),
      BREAKWATER_CREDENTIALS: await this.#options.credentials('git-sync'),
    });
  }

  /** Returns when it works: before that, a SIGTERM would just end it. */
  async startWorker(number: number): Promise<void> {
    const name = `worker-${number}`;
    const worker = await this.#start(name, 'rollout-worker', `rollout-worker-${number + 1}`, {
      BREAKWATER_CREDENTIALS: await this.#options.credentials(name),
    });
    const starts = this.#starts.get(name) ?? 0;
    while ((await worker.log()).split('rollout worker started').length <= starts) {
      if (!worker.running) throw new Error(`a worker ended:\n${(await worker.log()).slice(-4_000)}`);
      await delay(50);
    }
  }

  async stop(): Promise<void> {
    // One that stands still would not hear it.
    for (const program of this.all) program.wakeUp();
    await Promise.all(this.all.map((program) => program.stop()));
  }

  async #start(
    name: string,
    app: 'api' | 'git-sync' | 'rollout-worker',
    service: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<Program> {
    const program = await Program.start(app, {
      environment: this.#compose.environment(service, { ...this.#shared, ...settings }),
      logFile: join(this.#options.home, `${name}.log`),
    });
    this.#running.set(name, program);
    this.#starts.set(name, (this.#starts.get(name) ?? 0) + 1);
    return program;
  }

  #named(name: string): Program {
    const program = this.#running.get(name);
    if (program === undefined) throw new Error(`${name} was never started`);
    return program;
  }
}
