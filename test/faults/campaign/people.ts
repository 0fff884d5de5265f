import { setTimeout as delay } from 'node:timers/promises';
import { type Api, ApiRefusal } from '../../support/program.ts';
import type { CampaignWorld } from './campaign-world.ts';
import type { Promised } from './evidence.ts';
import type { DeedStep, ReleaseStep } from './steps.ts';

export interface Started {
  readonly id: string;
  readonly release: ReleaseStep;
  readonly episode: number;
}

/** The API may be down for some seconds; PostgreSQL, too. */
const PATIENCE_MS = 90_000;

/** What the state forbids is refused, and no reason to try again. */
const isRefused = (error: unknown): error is ApiRefusal =>
  error instanceof ApiRefusal && error.status >= 400 && error.status < 500;

/** Asks until somebody answers. */
export const insist = async <T>(ask: () => Promise<T>): Promise<T> => {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (isRefused(error) || Date.now() > until) throw error;
    }
    await delay(100);
  }
};

/** Commits releases, starts their rollouts, and commands them; remembers what was promised to them. */
export class People {
  readonly started: Started[] = [];
  /** Commit → version. */
  readonly versions = new Map<string, string>();
  readonly releases = new Map<string, ReleaseStep>();
  readonly #world: CampaignWorld;
  readonly #api: Api;
  #promises: Promised[] = [];
  /** One commit after the other, however long the programs take to see it. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(world: CampaignWorld) {
    this.#world = world;
    this.#api = world.programs.api;
  }

  get promises(): readonly Promised[] {
    return this.#promises;
  }

  get newest(): Started | undefined {
    return this.started.at(-1);
  }

  beginEpisode(): void {
    this.#promises = [];
  }

  release(release: ReleaseStep, episode: number): Promise<string> {
    const done = this.#queue.then(() => this.#release(release, episode));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #release(release: ReleaseStep, episode: number): Promise<string> {
    const { version, supersede } = release;
    const commit = await this.#world.commit(release);
    this.versions.set(commit, version);
    this.releases.set(version, release);
    await insist(() => this.#api.synced(commit));
    const { id } = await insist(() => this.#api.startOnce(`version-${version}`, commit, { supersede }));
    this.started.push({ id, release, episode });
    return id;
  }

  /** Returns when it is over. @throws ApiRefusal where the state forbids it */
  async does({ kind, forMs }: DeedStep): Promise<void> {
    if (kind === 'stop all') return this.#stopAll(forMs);
    const { newest } = this;
    if (newest === undefined) return;
    switch (kind) {
      case 'freeze':
      case 'drain':
        return this.#pause(newest.id, kind, forMs);
      case 'abort': {
        const { inForce, unsettled } = await insist(() => this.#api.abort(newest.id));
        // Until somebody asks for a rollback of it.
        if (inForce) this.#promise({ kind: 'abort', rollout: newest.id, from: Date.now(), to: Infinity, unsettled });
        return;
      }
      case 'rollback':
        this.#nothingPromised(newest.id);
        await insist(() => this.#api.rollback(newest.id));
        return;
    }
  }

  async #pause(id: string, mode: 'freeze' | 'drain', forMs: number): Promise<void> {
    const { inForce, unsettled } = await insist(() => this.#api.pause(id, mode));
    const from = Date.now();
    const targets = mode === 'drain' ? await insist(() => this.#api.targets(id)) : [];
    await delay(forMs);
    const to = Date.now();
    const started = targets.filter(({ state }) => state !== 'Pending').map(({ cluster }) => cluster);
    if (inForce) this.#promise({ kind: mode, rollout: id, from, to, unsettled, started });
    await insist(() => this.#api.resume(id));
  }

  async #stopAll(forMs: number): Promise<void> {
    const { inForce, items } = await insist(() => this.#api.stopAll());
    const from = Date.now();
    await delay(forMs);
    const unsettled = items.flatMap((item) => item.unsettled);
    if (inForce) this.#promise({ kind: 'stop all', rollout: null, from, to: Date.now(), unsettled });
    await insist(() => this.#api.resumeAll());
  }

  #promise(
    promised: Omit<Promised, 'unsettled' | 'started'> & {
      readonly unsettled: readonly string[];
      readonly started?: readonly string[];
    },
  ): void {
    const { unsettled, started = [] } = promised;
    this.#promises.push({ ...promised, unsettled: new Set(unsettled), started: new Set(started) });
  }

  /** What was promised about a rollout ends where somebody asks it for more. */
  #nothingPromised(id: string): void {
    const now = Date.now();
    this.#promises = this.#promises.map((promised) =>
      promised.rollout === id ? { ...promised, to: Math.min(promised.to, now) } : promised,
    );
  }
}
