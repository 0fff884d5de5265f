import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../../support/program.ts';

/** From the last fault to the end of the last rollout: an unhealthy workload is waited for for 60 s, and its return may be as long. */
export const SETTLE_MS = 300_000;
const LOOK_EVERY_MS = 200;
/** So long nobody helps. */
const PATIENCE_MS = 20_000;

/** What is not settled, in words; empty: everything is. */
const unsettled = async (api: Api): Promise<readonly string[]> => {
  const rollouts = await api.unfinished();
  const clusters = await api.clusters();
  return [
    ...rollouts.map(({ id, state, reason, message }) => `rollout ${id} is ${state} (${reason}): ${message}`),
    ...clusters.flatMap(({ name, applications }) =>
      applications.flatMap(({ owed, blockedBy }) => [
        ...(owed === null ? [] : [`${name} is owed ${owed.revision?.commit ?? 'nothing'} by ${owed.rollout}`]),
        ...(blockedBy === null ? [] : [`${name} is held by ${blockedBy}`]),
      ]),
    ),
  ];
};

/** What a person on call would do with what waits for a person. */
const help = async (api: Api): Promise<readonly string[]> => {
  const done: string[] = [];
  for (const { id, state, paused, waiting } of await api.unfinished()) {
    if (paused !== null) {
      await api.resume(id);
      done.push(`resumed ${id}`);
    } else if (state === 'Halted') {
      await api.rollback(id);
      done.push(`rolled back ${id}, which was halted`);
    } else if (waiting.some(({ reason }) => reason === 'TooManyDeletions')) {
      await api.approveDeletions(id);
      done.push(`approved the deletions of ${id}`);
    }
  }
  return done;
};

export interface Settled {
  readonly tookMs: number;
  /** What a person had to do. */
  readonly help: readonly string[];
  /** Empty: everything is settled. */
  readonly left: readonly string[];
}

/** Waits until every rollout has ended and no cluster is owed anything, or held. */
export const untilSettled = async (api: Api): Promise<Settled> => {
  const began = Date.now();
  const helped: string[] = [];
  for (;;) {
    const left = await unsettled(api).catch((error: unknown) => [String(error)]);
    const tookMs = Date.now() - began;
    if (left.length === 0 || tookMs > SETTLE_MS) return { tookMs, help: helped, left };
    if (tookMs > PATIENCE_MS) helped.push(...(await help(api).catch(() => [])));
    await delay(LOOK_EVERY_MS);
  }
};
