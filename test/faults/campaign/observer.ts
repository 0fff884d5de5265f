import type { WireRollout } from '@breakwater/platform';
import { setTimeout as delay } from 'node:timers/promises';
import { type Api, FINAL } from '../../support/program.ts';
import type { Look } from './evidence.ts';

const LOOK_EVERY_MS = 700;

const lookOf = async (api: Api, rollout: WireRollout): Promise<Look> => {
  const { blockers, next } = await api.explain(rollout.id);
  // Asked second, so that it is not older than what is explained.
  const { id, state, reason, message, paused, waves, revision } = await api.rollout(rollout.id);
  return {
    at: Date.now(),
    rollout: id,
    state,
    // Only what was so before and after: between the two questions it may have changed.
    paused: paused?.mode === rollout.paused?.mode ? (paused?.mode ?? null) : null,
    progress: JSON.stringify([state, reason, message, waves.map((wave) => [wave.state, wave.counts])]),
    plan: JSON.stringify([revision, waves.map(({ name, counts }) => [name, counts.total])]),
    reasons: blockers.map((blocker) => blocker.reason),
    next,
  };
};

/** Looks at every unfinished rollout all the time, as a person with a browser would. */
export class Observer {
  readonly #api: Api;
  readonly #looks: Look[] = [];
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;

  constructor(api: Api) {
    this.#api = api;
    this.#done = this.#watch();
  }

  async end(): Promise<readonly Look[]> {
    this.#ended.abort();
    await this.#done;
    return this.#looks;
  }

  async #watch(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      // Nobody's answer is no news: the API may be down.
      await this.#lookAtAll().catch(() => undefined);
      await delay(LOOK_EVERY_MS, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }

  async #lookAtAll(): Promise<void> {
    for (const rollout of await this.#api.unfinished()) {
      const look = await lookOf(this.#api, rollout);
      // It may have ended in between.
      if (FINAL.has(look.state)) continue;
      this.#looks.push(look);
    }
  }
}
