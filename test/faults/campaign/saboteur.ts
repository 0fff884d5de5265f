import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import type { Held, Outage } from './campaign-cluster.ts';
import type { CampaignWorld } from './campaign-world.ts';
import type { FaultStep } from './steps.ts';

/** A wake-up lives for less than this before a worker has taken it, while the programs are idle. */
const EMPTY_EVERY_MS = 20;

/** Does the faults of a schedule, and mends them. */
export class Saboteur {
  readonly #world: CampaignWorld;
  /** Writes that some server has, and has not done yet. */
  #held: { readonly cluster: string; readonly held: Held }[] = [];
  readonly #disturbed = new Set<string>();

  constructor(world: CampaignWorld) {
    this.#world = world;
  }

  /** Clusters that a fault of this episode was on. */
  get disturbed(): ReadonlySet<string> {
    return this.#disturbed;
  }

  /** How many writes some worker has sent and was never answered. */
  get caught(): number {
    return this.#held.filter(({ held }) => held.caught()).length;
  }

  beginEpisode(): void {
    this.#disturbed.clear();
    this.#held = [];
  }

  /** Returns when it is mended. */
  async befall({ kind, subject, forMs }: FaultStep): Promise<void> {
    const { programs, servers } = this.#world;
    switch (kind) {
      case 'kill a worker': {
        const number = Number(subject.replace('worker-', ''));
        await programs.worker(number).kill();
        await delay(forMs ?? 0);
        return programs.startWorker(number);
      }
      case 'kill the api':
        await programs.apiProgram.kill();
        await delay(forMs ?? 0);
        await programs.startApi();
        return programs.untilReady();
      case 'kill git-sync':
        await programs.gitSync.kill();
        await delay(forMs ?? 0);
        return programs.startGitSync();
      case 'stand a worker still': {
        const worker = programs.worker(Number(subject.replace('worker-', '')));
        worker.suspend();
        await delay(forMs ?? 0);
        return worker.wakeUp();
      }
      case 'empty Redis':
        return this.#emptyRedis(0);
      case 'lose wake-ups':
        return this.#emptyRedis(forMs ?? 0);
      case 'restart PostgreSQL':
        return servers.restartPostgres();
      case 'hold a write':
        this.#disturbed.add(subject);
        this.#held.push({ cluster: subject, held: this.#world.cluster(subject).hold() });
        return;
      case 'cut off':
      case 'refuse':
      case 'lose answers':
      case 'freeze an API server':
      case 'kill an API server':
        return this.#outage(subject, kind, forMs ?? 0);
    }
  }

  /** Every write that was held is done now, an age too late. */
  async landEverything(): Promise<void> {
    for (const { held } of this.#held) await held.land();
    this.#held = [];
  }

  async #outage(subject: string, outage: Outage, forMs: number): Promise<void> {
    this.#disturbed.add(subject);
    const mend = await this.#world.cluster(subject).disturb(outage);
    try {
      await delay(forMs);
    } finally {
      await mend();
    }
  }

  /** Again and again for so long: what is put into it is gone before anybody has it. */
  async #emptyRedis(forMs: number): Promise<void> {
    const redis = new Redis(this.#world.servers.redisUrl);
    try {
      const until = Date.now() + forMs;
      do {
        await redis.flushall();
        await delay(EMPTY_EVERY_MS);
      } while (Date.now() < until);
    } finally {
      redis.disconnect();
    }
  }
}
