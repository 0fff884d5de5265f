import { needsPreflight, type RolloutId, type Target, type TargetPreflight, transition } from '@breakwater/domain';
import type { RecordPort } from '../../ports/record.port.ts';
import type { WakeUps } from '../../ports/wake-ups.port.ts';
import { readAll } from '../read-all.ts';
import type { Wakes } from '../wake-keys.ts';
import { askCluster, type AskParts } from './ask-cluster.ts';
import { decidePreflight, isInPreflight } from './decide-preflight.ts';

export interface PreflightParts extends AskParts {
  readonly wakeUps: WakeUps;
}

/** Clusters asked at once: as each waits for its own, one that is away delays nobody. */
const AT_ONCE = 32;

/**
 * Asks every cluster of the rollout that was not asked yet, and decides when all have answered. Each answer is in the record as soon as
 * it is there: where this worker dies, another one goes on with the rest.
 */
export const runPreflight = async (
  parts: PreflightParts,
  visit: { readonly rollout: RolloutId; readonly signal: AbortSignal },
): Promise<void> => {
  const { record } = parts;
  const rollout = await record.rollouts.get(visit.rollout);
  if (rollout === null || !isInPreflight(rollout) || rollout.paused?.mode === 'freeze') return;
  const asOf = await record.now();
  const targets = await readAll((page) => record.rollouts.targets(rollout.id, page));
  const open = targets.filter((target) => needsPreflight(target, asOf));
  const everywhere = await record.cluster.applicationEverywhere(rollout.application);
  const running = new Map(everywhere.map((state) => [state.cluster, state.running?.digest ?? null]));
  const answers = collector(record, rollout.id);
  const failures: unknown[] = [];
  const ask = async (target: Target): Promise<void> => {
    const answer = await askCluster(parts, rollout, target, running.get(target.cluster) ?? null, visit.signal);
    if (answer !== null) await answers.add(target, answer);
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let target = open[next++]; target !== undefined && !visit.signal.aborted; target = open[next++])
      await ask(target).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, open.length) }, lane));
  if (visit.signal.aborted) return;
  // The others have their answers; whoever comes next asks those that are left.
  if (failures.length > 0) throw failures[0];
  const wakes: Wakes = new Set();
  await decidePreflight(parts, rollout, wakes, asOf);
  await parts.wakeUps.wakeAll([...wakes]);
};

type Answer = Omit<TargetPreflight, 'at'>;

interface Collector {
  /** Resolves when it is in the record. */
  add(target: Target, answer: Answer): Promise<void>;
}

/** What comes in while one transaction is under way goes into the next: a thousand answers are not a thousand transactions. */
const collector = (record: RecordPort, rollout: RolloutId): Collector => {
  let waiting = new Map<string, Answer>();
  let writing: Promise<void> = Promise.resolve();
  let queued: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    const batch = waiting;
    waiting = new Map();
    queued = null;
    await save(record, rollout, batch);
  };
  return {
    add: (target, answer) => {
      waiting.set(target.cluster, answer);
      // A batch that could not be written is lost with its answers, and takes none of the later ones with it.
      queued ??= writing.then(write, write);
      writing = queued;
      return writing;
    },
  };
};

const save = (record: RecordPort, id: RolloutId, answers: ReadonlyMap<string, Answer>): Promise<void> =>
  record.transaction(async (tx) => {
    const rollout = await tx.lockRollout(id);
    if (rollout === null || !isInPreflight(rollout)) return;
    const at = await tx.now();
    for (const [cluster, answer] of answers) {
      const target = await tx.target(id, cluster);
      if (target === null) continue;
      const next = transition(rollout, target, { type: 'PreflightAnswered', preflight: { ...answer, at } }, at);
      if (next !== target) await tx.saveTarget(next);
    }
  });
