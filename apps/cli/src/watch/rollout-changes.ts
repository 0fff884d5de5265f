import { setTimeout as sleep } from 'node:timers/promises';
import { TERMINAL_STATES } from '@breakwater/domain';
import type { WireRollout, WireTarget } from '@breakwater/platform';
import { allPages } from '../api/all-pages.ts';
import { Unreachable } from '../api/api-client.ts';
import type { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';

export interface Seen {
  readonly rollout: WireRollout;
  readonly targets: readonly WireTarget[];
}

/** What a rollout waits for changes without an event: it is asked at least so often. */
const POLL_MS = 2_000;
/** Events come in bursts: they are answered by one look. */
const LEAST_MS = 150;
const RETRY_MS = [250, 500, 1_000, 2_000] as const;

export const readRollout = async (client: ApiClient, id: string): Promise<WireRollout> =>
  (await client.call('getRollout', { params: { id } })).body;

export const readTargets = (client: ApiClient, id: string): Promise<WireTarget[]> =>
  allPages(
    async (cursor) => (await client.call('listTargets', { params: { id }, query: { cursor, limit: 500 } })).body,
  );

/** Calls `onEvent` whenever the stream says something; connects again for as long as it is wanted. */
const followEvents = async (client: ApiClient, id: string, onEvent: () => void, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    try {
      for await (const chunk of await client.events(id, signal)) if (Buffer.from(chunk).includes('data:')) onEvent();
    } catch {
      // The looks by time go on meanwhile, and they report what is wrong.
    }
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
};

/** Sleeps until an event, or until it is time to look anyway. */
const alarm = () => {
  let ring: () => void = () => undefined;
  let rung = false;
  return {
    ring: () => {
      rung = true;
      ring();
    },
    wait: async (ms: number, signal: AbortSignal): Promise<void> => {
      const early = new AbortController();
      ring = () => early.abort();
      if (!rung) await sleep(ms, undefined, { signal: AbortSignal.any([signal, early.signal]) }).catch(() => undefined);
      rung = false;
      await sleep(LEAST_MS, undefined, { signal }).catch(() => undefined);
    },
  };
};

/**
 * What a rollout looks like now, again after each change, to its end. While the server is away it says so on standard error and tries
 * again, except at the first look. Ends without having seen the end when `signal` aborts.
 */
export async function* rolloutChanges(
  client: ApiClient,
  io: CliIo,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Seen, void, undefined> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const { ring, wait } = alarm();
  let failures = 0;
  let first = true;
  try {
    while (!either.aborted) {
      try {
        const rollout = await readRollout(client, id);
        const seen = { rollout, targets: await readTargets(client, rollout.id) };
        if (failures > 0) io.err('connected again\n');
        failures = 0;
        if (first) void followEvents(client, rollout.id, ring, either);
        first = false;
        yield seen;
        if (TERMINAL_STATES.has(seen.rollout.state)) return;
        await wait(POLL_MS, either);
      } catch (error) {
        if (!(error instanceof Unreachable) || first) throw error;
        if (failures === 0) io.err(`${error.message}; trying again\n`);
        const pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
        failures += 1;
        await sleep(pause, undefined, { signal: either }).catch(() => undefined);
      }
    }
  } finally {
    stop.abort();
  }
}
