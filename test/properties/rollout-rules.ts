import {
  gatesOf,
  gatesOfTarget,
  hasPassed,
  isTerminal,
  needsReturn,
  NO_COUNTS,
  recount,
  type Rollout,
  type Target,
  type WaveCounts,
} from '@breakwater/domain';
import type { RolloutWorld } from './rollout-world.ts';
import { FREEZE } from './world-fleet.ts';

export interface Scene {
  readonly rollout: Rollout;
  readonly targets: readonly Target[];
}

export const sceneOf = async (world: RolloutWorld): Promise<readonly Scene[]> => {
  const scenes: Scene[] = [];
  for (const rollout of await world.rollouts()) scenes.push({ rollout, targets: await world.targets(rollout) });
  return scenes;
};

const demand = (condition: boolean, rule: string, details: () => string): void => {
  if (!condition) throw new Error(`${rule}: ${details()}`);
};

const FLYING = new Set(['Applying', 'Verifying']);

/** Rules that hold in every state that the record ever commits. */
export const checkState = (world: RolloutWorld, scenes: readonly Scene[]): void => {
  for (const { rollout, targets } of scenes) {
    for (const wave of rollout.waves) {
      const own = targets.filter((target) => target.wave === wave.index);
      const counted = own.reduce<WaveCounts>(
        (counts, target) => recount(counts, null, target, rollout.round),
        NO_COUNTS,
      );
      demand(
        JSON.stringify(counted) === JSON.stringify(wave.counts),
        'counters',
        () => `${wave.name}: ${JSON.stringify({ counted, stored: wave.counts })}`,
      );
      const planned = rollout.plan.waves[wave.index]!;
      if (!isTerminal(rollout)) {
        demand(
          wave.counts.inFlight <= planned.maxConcurrent,
          'rule 3 concurrency',
          () => `${wave.counts.inFlight} in flight in ${wave.name}`,
        );
      }
      const failures = wave.counts.everFailed + wave.counts.unreachableCounted;
      if (rollout.state === 'Progressing' && rollout.paused?.mode !== 'freeze') {
        demand(
          failures <= Math.max(planned.failureBudget, wave.acceptedFailures),
          'rule 3 budget',
          () => `${failures} failures in ${wave.name}`,
        );
      }
    }
    if (rollout.state === 'Progressing' && rollout.paused?.mode !== 'freeze') {
      const accepted = new Set(rollout.irreversible.filter((each) => each.accepted).map(({ object }) => object));
      demand(
        targets.every(({ irreversible }) => irreversible.every(({ object }) => accepted.has(object))),
        'irreversible',
        () => 'it goes on although a cluster cannot be taken back',
      );
    }
    const written = targets.filter(
      ({ state }) => state === 'Applying' || state === 'Verifying' || state === 'Succeeded',
    );
    demand(
      written.every(
        ({ cluster, preflight }) =>
          (preflight !== null && preflight.state !== 'Failed') || world.retried.has(`${rollout.id}/${cluster}`),
      ),
      'preflight',
      () => `${rollout.state}: began where it would be refused, or where nobody had asked`,
    );
    const refusals = targets.filter(({ state, preflight }) => state === 'Pending' && preflight?.state === 'Failed');
    demand(
      rollout.state !== 'Progressing' || refusals.length === 0,
      'preflight',
      () => `began although ${refusals[0]?.cluster} would refuse`,
    );
    demand(
      rollout.paused?.mode !== 'freeze' || (!rollout.gate.forward && !rollout.gate.backward),
      'rule 4',
      () => 'a frozen gate is open',
    );
    demand(
      rollout.gate.forward === (rollout.state === 'Progressing' && rollout.paused?.mode !== 'freeze'),
      'gate',
      () => rollout.state,
    );
    for (const wave of rollout.waves.filter(({ state }) => state === 'Succeeded')) {
      const open = gatesOf(rollout, wave, 'after').filter(({ run }) => !hasPassed(run));
      demand(open.length === 0, 'rule 2 gates', () => `${wave.name} passed without ${open[0]?.gate.name}`);
    }
    for (const target of targets.filter(({ state }) => state === 'Succeeded')) {
      const open = gatesOfTarget(rollout, target).filter(({ run }) => !hasPassed(run));
      demand(open.length === 0, 'rule 5 gates', () => `${target.cluster} verified without ${open[0]?.gate.name}`);
    }
    if (rollout.state === 'Succeeded') {
      demand(
        targets.every((target) => target.state === 'Succeeded' && !target.degraded),
        'rule 5',
        () => 'Succeeded, but not every target is',
      );
    }
    if (rollout.state === 'RolledBack' && rollout.rollback?.scope === 'rollout') {
      demand(
        !targets.some(needsReturn),
        'rule 6',
        () =>
          `left: ${targets
            .filter(needsReturn)
            .map((target) => target.cluster)
            .join()}\n${describe(scenes)}`,
      );
    }
    if (isTerminal(rollout) && rollout.state !== 'Aborted' && rollout.state !== 'Superseded') {
      const left = targets.find(({ state, owes }) => state === 'RollingBack' && owes === null);
      demand(
        left === undefined,
        'rule 6',
        () => `${rollout.state}, and nobody finishes the return of ${left?.cluster}`,
      );
      const flying = targets.find(
        ({ state, owes, reason }) => FLYING.has(state) && owes === null && reason !== 'Partial',
      );
      demand(flying === undefined, 'rule 5', () => `${rollout.state}, and ${flying?.cluster} is ${flying?.state}`);
    }
    if (rollout.state === 'RollbackFailed') {
      demand(
        targets.some((target) => target.state === 'RollbackFailed' || target.state === 'RollingBack'),
        'rule 6',
        () => 'nobody failed',
      );
    }
  }
  const flying = scenes.flatMap(({ rollout, targets }) =>
    targets.filter(
      ({ state, owes }) => (FLYING.has(state) || state === 'RollingBack') && (owes !== null || !isTerminal(rollout)),
    ),
  );
  const clusters = flying.map((target) => target.cluster);
  demand(
    new Set(clusters).size === clusters.length,
    'rule 1',
    () => `two rollouts at work on one of ${clusters.join()}`,
  );
  const domains = new Map<string, number>();
  for (const target of scenes.flatMap(inTheirDomains)) {
    domains.set(target.failureDomain, (domains.get(target.failureDomain) ?? 0) + 1);
  }
  for (const [domain, count] of domains) {
    demand(count <= world.shape.domainSlots, 'rule 3 failure domains', () => `${count} in flight in ${domain}`);
  }
};

/** Forward, debts too; and back where the strategy minds it, where all that stands still meanwhile takes no place. */
const inTheirDomains = ({ rollout, targets }: Scene): readonly Target[] => {
  const respect = rollout.plan.policy.onFailure.failureDomains === 'respect';
  const stands = respect && rollout.state === 'RollingBack';
  return targets.filter(({ state, owes }) => {
    if (isTerminal(rollout) && owes === null) return false;
    return (
      (FLYING.has(state) && !stands) || (state === 'RollingBack' && stands && rollout.rollback?.automatic === true)
    );
  });
};

/** Rules about one step: what may follow what. */
export const checkStep = (world: RolloutWorld, before: readonly Scene[], after: readonly Scene[]): void => {
  const old = new Map(before.map((scene) => [scene.rollout.id, scene]));
  for (const { rollout, targets } of after) {
    const was = old.get(rollout.id);
    if (was === undefined) continue;
    const former = new Map(was.targets.map((target) => [target.cluster, target]));
    checkLooks(world, was, { rollout, targets });
    for (const target of targets) {
      const previous = former.get(target.cluster)!;
      demand(
        previous.revision.digest === target.revision.digest,
        'rule 9',
        () => `${target.cluster} got another revision`,
      );
      if (previous.state === 'Pending' && target.state === 'Applying') {
        const earlier = rollout.waves.filter((wave) => wave.index < target.wave);
        demand(
          earlier.every((wave) => wave.state === 'Succeeded'),
          'rule 2',
          () => `${target.cluster} started too early`,
        );
        const before = gatesOf(rollout, rollout.waves[target.wave]!, 'before');
        demand(
          before.every(({ run }) => hasPassed(run)),
          'rule 2 gates',
          () => `${target.cluster} started before ${before.map(({ run }) => `${run.gate} ${run.state}`).join()}`,
        );
        demand(
          was.rollout.paused === null || rollout.paused === null,
          'rule 4',
          () => `${target.cluster} started in a pause`,
        );
      }
      const settles = isTerminal(was.rollout) && previous.state !== 'Applying';
      if (target.state === 'Applying' && (previous.state === 'Pending' || settles)) {
        demand(
          !world.shape.freeze ||
            world.now < FREEZE.from ||
            world.now >= FREEZE.to ||
            rollout.windowOverrides.length > 0,
          'windows',
          () => `${target.cluster} started in a freeze window`,
        );
      }
      if (was.rollout.irreversible.some(({ accepted }) => !accepted) && !isTerminal(was.rollout)) {
        demand(
          previous.state === target.state || target.state !== 'Applying',
          'irreversible',
          () => `${target.cluster} started although ${was.rollout.irreversible[0]?.cluster} cannot be taken back`,
        );
      }
      // One that has not begun was left what a predecessor has touched: nothing was written.
      const inherited = target.state === previous.state && !FLYING.has(target.state);
      if (!previous.touched && target.touched && !inherited) {
        demand(
          was.rollout.gate.forward || isTerminal(was.rollout),
          'rule 4',
          () => `${target.cluster} touched behind a closed gate`,
        );
      }
      if (
        previous.state !== 'RollingBack' &&
        target.state === 'RollingBack' &&
        rollout.state === 'RollingBack' &&
        rollout.rollback?.scope === 'rollout'
      ) {
        const later = targets.filter((each) => each.wave > target.wave && needsReturn(each));
        demand(
          later.length === 0,
          'rule 6 order',
          () => `${target.cluster} before ${later.map((each) => each.cluster).join()}`,
        );
      }
    }
    demand(JSON.stringify(was.rollout.plan) === JSON.stringify(rollout.plan), 'rule 9', () => 'the plan changed');
    demand(
      !isTerminal(was.rollout) || isTerminal(rollout) || rollout.state === 'RollingBack',
      'ends',
      () => `${was.rollout.state} became ${rollout.state}`,
    );
  }
};

/** Nothing passes or ends on what was seen before the last freeze or halt, and nothing ends without a look after its last wave. */
const checkLooks = (world: RolloutWorld, { rollout: was }: Scene, { rollout, targets }: Scene): void => {
  if (rollout.gate.forward && !was.gate.forward) world.openedAt.set(rollout.id, world.now);
  const passed = rollout.waves.some(({ state, index }) => state === 'Succeeded' && was.waves[index]?.state !== state);
  const ended = was.state === 'Progressing' && (rollout.state === 'Succeeded' || rollout.state === 'Incomplete');
  if (!passed && !ended) return;
  const opened = world.openedAt.get(rollout.id) ?? 0;
  const since = ended ? Math.max(opened, ...rollout.waves.map(({ finishedAt }) => finishedAt ?? 0)) : opened;
  for (const { cluster } of targets.filter(({ state }) => state === 'Succeeded')) {
    const seen = world.seenHealthy.get(`${rollout.id}/${cluster}`) ?? 0;
    demand(
      seen >= since,
      'rule 5 last look',
      () => `${rollout.state}: ${cluster} was last seen healthy ${since - seen} ms too early`,
    );
  }
};

/** What has to be true once everything has come to rest and every cluster answers. */
export const checkEnd = (world: RolloutWorld, scenes: readonly Scene[]): void => {
  const newest = scenes.toSorted((left, right) => right.rollout.sequence - left.rollout.sequence);
  const owner = new Map<string, Target>();
  for (const { rollout, targets } of newest) {
    demand(
      isTerminal(rollout),
      'liveness',
      () => `rollout is ${rollout.state}: ${rollout.reason}: ${rollout.message}\n${describe(scenes)}`,
    );
    demand(
      targets.every((target) => target.owes === null || superseded(newest, rollout)),
      'debts',
      () =>
        `still owed: ${targets
          .filter((target) => target.owes !== null)
          .map((target) => target.cluster)
          .join()} of ${rollout.state}`,
    );
    for (const target of targets)
      if ((target.touched || world.lastWriter.get(target.cluster) === rollout.id) && !owner.has(target.cluster))
        owner.set(target.cluster, target);
  }
  for (const [cluster, target] of owner) {
    const live = world.live.get(cluster) ?? '';
    if (target.state === 'Succeeded')
      demand(live === target.revision.digest, 'rule 5', () => `${cluster} is at ${live}\n${describe(scenes)}`);
    // Untouched though it has written: retried or skipped after its return.
    if (target.state === 'RolledBack' || !target.touched)
      demand(
        live === (target.previous?.digest ?? ''),
        'rule 6',
        () => `${cluster} is at ${live}, and was at ${target.previous?.digest ?? 'nothing'}\n${describe(scenes)}`,
      );
  }
};

const superseded = (newest: readonly Scene[], rollout: Rollout): boolean =>
  newest.some((scene) => scene.rollout.sequence > rollout.sequence && scene.rollout.state !== 'Rejected');

const describe = (scenes: readonly Scene[]): string =>
  scenes
    .map(
      ({ rollout, targets }) =>
        `#${rollout.sequence} ${rollout.state} ${rollout.message}\n` +
        targets
          .map(
            (target) =>
              `  ${target.cluster} ${target.state}/${target.phase} ${target.reason} owes=${target.owes} due=${target.dueAt} touched=${target.touched} previous=${target.previous?.commit.slice(-1) ?? ''}`,
          )
          .join('\n'),
    )
    .join('\n');
