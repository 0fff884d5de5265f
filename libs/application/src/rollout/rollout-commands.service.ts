import { abort, blockersOf, isTerminal, pause, type Rollout } from '@breakwater/domain';
import type { BundleStore } from '../releases/bundle-store.ts';
import type { Explanation, RolloutCommands } from '../use-cases.ts';
import { changedSince } from './changed-since.ts';
import { type CommandParts, commandRollout, findRollout } from './command-rollout.ts';
import { resumeAll, stopAll } from './emergency-stop.ts';
import { estimateEnd } from './estimate-end.ts';
import { explainApplicationState } from './explain-application.ts';
import { explainClusterState } from './explain-cluster.ts';
import { explainRollout, waitsOf } from './explain-rollout.ts';
import { waitUntilSettled } from './freeze-acknowledgement.ts';
import { leaveRollout } from './leave-rollout.ts';
import { overrideWindow } from './override-window.ts';
import { approve, override, resumeRollout } from './person-commands.ts';
import { previewPlan } from './preview-plan.ts';
import { readAll } from './read-all.ts';
import { retry, skip } from './retry-and-skip.ts';
import { rollBack } from './roll-back.ts';
import { startRollout } from './start-rollout.ts';

export interface RolloutCommandsParts extends CommandParts {
  readonly bundles: BundleStore;
}

export const createRolloutCommands = (parts: RolloutCommandsParts): RolloutCommands => {
  const { record } = parts;
  const find: RolloutCommands['find'] = (idOrApplication) => findRollout(record, idOrApplication);
  const explain = async (rollout: Rollout): Promise<Explanation> => {
    const waits = await waitsOf(record, rollout);
    const [end, notes, now] = await Promise.all([
      estimateEnd(record, rollout, waits.targets),
      isTerminal(rollout) ? [] : changedSince(record, rollout),
      record.now(),
    ]);
    return explainRollout(rollout, waits, end, notes, now);
  };

  return {
    find,
    start: (input, actor) => startRollout(parts, input, actor),
    plan: (input) => previewPlan(parts, input),
    pause: async (id, { mode = 'freeze', reason = '' }, actor) => {
      const rollout = await commandRollout(parts, id, {
        verb: 'pause',
        actor,
        reason,
        decide: (_tx, current, now) => pause(current, mode, { by: actor.name, reason }, now),
      });
      if (mode === 'drain') return { rollout, unsettled: [], inForce: true };
      return waitUntilSettled(record, rollout);
    },
    resume: (id, input, actor) => resumeRollout(parts, id, input, actor),
    abort: async (id, { reason = '' }, actor) => {
      // Asked again, it says whether it is in force by now.
      const before = await find(id);
      if (before.state === 'Aborted') return waitUntilSettled(record, before);
      const rollout = await commandRollout(parts, id, {
        verb: 'abort',
        actor,
        reason,
        decide: async (tx, current, now, wakes) => {
          const decided = abort(current, { by: actor.name, reason }, now);
          return 'forbidden' in decided ? decided : { rollout: await leaveRollout(tx, decided.rollout, now, wakes) };
        },
      });
      return waitUntilSettled(record, rollout);
    },
    rollback: (id, input, actor) => rollBack(parts, id, input, actor),
    approve: (id, input, actor) => approve(parts, id, input, actor),
    override: (id, input, actor) => override(parts, id, input, actor),
    overrideWindow: (id, input, actor) => overrideWindow(parts, id, input, actor),
    retry: (id, input, actor) => retry(parts, id, input, actor),
    skip: (id, input, actor) => skip(parts, id, input, actor),
    approveDeletions: (id, { reason = '' }, actor) =>
      commandRollout(parts, id, {
        verb: 'approve-deletions',
        actor,
        reason,
        decide: (_tx, current) =>
          current.state === 'Preflight' && current.reason === 'TooManyDeletions'
            ? { rollout: { ...current, deletionsApproved: true } }
            : { forbidden: `the rollout is ${current.state} and does not wait for deletions to be approved` },
      }),
    stopAll: (input, actor) => stopAll(parts, input, actor),
    resumeAll: (input, actor) => resumeAll(parts, input, actor),
    waiting: async (rollout) => {
      const { targets, holders } = await waitsOf(record, rollout);
      return blockersOf(rollout, targets, holders);
    },
    explain: async (idOrApplication) => explain(await find(idOrApplication)),
    explainCluster: (name) => explainClusterState(record, name),
    explainApplication: (name) => explainApplicationState(record, name, explain),
    allTargets: async (idOrApplication) => {
      const { id } = await find(idOrApplication);
      return readAll((page) => record.rollouts.targets(id, page));
    },
  };
};
