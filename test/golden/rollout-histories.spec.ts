import { isTerminal } from '@breakwater/domain';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RolloutWorld } from '../properties/rollout-world.ts';
import type { Shape } from '../properties/world-shape.ts';

/**
 * Recorded histories of the state machine, in the words of its audit trail. A change of behaviour shows here as a difference of text;
 * `UPDATE_GOLDEN=1` records it anew, to be reviewed like code.
 */
const GOLDEN = import.meta.dirname;
const someone = { name: 'on-call' };

const usual: Shape = {
  seed: 1,
  clusters: 4,
  waves: 2,
  maxConcurrent: 2,
  failureBudget: 0,
  soakMs: 20_000,
  domains: 4,
  domainSlots: 1,
  unreachable: 'count',
  action: 'rollback',
  scope: 'rollout',
  returnConcurrency: '100%',
  collisions: 'queue',
  outages: false,
  people: false,
  badness: 0,
  manyDeletions: false,
  steps: 0,
  asks: [],
  freeze: false,
};

class Story {
  readonly world: RolloutWorld;

  constructor(shape: Partial<Shape> = {}) {
    this.world = new RolloutWorld({ ...usual, ...shape });
  }

  /** Starts a release; it fails on the clusters named. */
  async release(...failsOn: readonly string[]): Promise<string> {
    const commit = await this.world.commit(false);
    for (const cluster of failsOn) this.world.sick.add(`sha256:${commit}@${cluster}`);
    const { rollout } = await this.world.commands.start({ application: 'web', revision: commit }, someone);
    await this.world.reconcile(rollout.id);
    return rollout.id;
  }

  /** Lets time pass in steps of five seconds, everything due done at once. */
  async pass(seconds: number): Promise<void> {
    for (let at = 0; at < seconds; at += 5) {
      await this.work();
      this.world.now += 5_000;
    }
    await this.work();
  }

  async untilEnd(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      await this.pass(5);
      if ((await this.world.rollouts()).every(isTerminal)) return;
    }
  }

  /** Every wave has passed, and nothing verified has been looked at since. */
  async untilLastLook(): Promise<void> {
    const { world } = this;
    for (let round = 0; round < 200; round += 1) {
      for (const rollout of await world.rollouts()) await world.reconcile(rollout.id);
      if ((await world.rollouts()).some(({ reason }) => reason === 'LastLook')) return;
      await this.work();
      world.now += 5_000;
    }
  }

  private async work(): Promise<void> {
    const { world } = this;
    for (const rollout of (await world.rollouts()).toReversed()) await world.reconcile(rollout.id);
    const done = new Set<string>();
    for (let more = true; more; ) {
      const due = (await world.dueTargets()).filter((target) => !done.has(`${target.cluster}/${target.state}/${target.phase}/${target.attempt}`));
      more = due.length > 0;
      for (const target of due.toSorted((left, right) => (left.cluster < right.cluster ? -1 : 1))) {
        done.add(`${target.cluster}/${target.state}/${target.phase}/${target.attempt}`);
        await world.work(target, true);
      }
    }
  }
}

const stories: Readonly<Record<string, () => Promise<Story>>> = {
  'a good release goes through wave by wave': async () => {
    const story = new Story();
    await story.release();
    await story.untilEnd();
    return story;
  },
  'a cluster that falls ill right before the end holds it, and gets well': async () => {
    const story = new Story({ waves: 1 });
    await story.release();
    await story.untilLastLook();
    const sick = `sha256:${'1'.padStart(40, '0')}@c2`;
    story.world.sick.add(sick);
    await story.pass(0);
    story.world.sick.delete(sick);
    await story.untilEnd();
    return story;
  },
  'a cluster that falls ill right before the end and stays so takes the release back': async () => {
    const story = new Story({ waves: 1 });
    await story.release();
    await story.untilLastLook();
    story.world.sick.add(`sha256:${'1'.padStart(40, '0')}@c2`);
    await story.untilEnd();
    return story;
  },
  'a release that is bad everywhere stops in the first wave': async () => {
    const story = new Story();
    await story.release();
    await story.untilEnd();
    await story.release('c0', 'c1', 'c2', 'c3');
    await story.untilEnd();
    return story;
  },
  'a release that fails in the second wave is taken back everywhere': async () => {
    const story = new Story();
    await story.release();
    await story.untilEnd();
    await story.release('c3');
    await story.untilEnd();
    return story;
  },
  'a failure within the budget is returned, and the rollout is incomplete': async () => {
    const story = new Story({ failureBudget: 1 });
    await story.release('c1');
    await story.untilEnd();
    return story;
  },
  'a cluster that is away is counted, and gets its revision after the end': async () => {
    const story = new Story({ failureBudget: 1 });
    story.world.down.add('c3');
    await story.release();
    await story.untilEnd();
    story.world.down.clear();
    await story.pass(40);
    return story;
  },
  'a cluster that is away is skipped where the strategy says so': async () => {
    const story = new Story({ unreachable: 'skip' });
    story.world.down.add('c3');
    await story.release();
    await story.untilEnd();
    return story;
  },
  'a cluster that is away halts where the strategy says so': async () => {
    const story = new Story({ unreachable: 'halt' });
    story.world.down.add('c3');
    const id = await story.release();
    await story.pass(120);
    await story.world.commands.resume(id, {}, someone);
    await story.untilEnd();
    return story;
  },
  'a rollback that cannot reach a cluster fails, and is settled later': async () => {
    const story = new Story({ waves: 1 });
    await story.release('c3');
    await story.pass(15);
    story.world.down.add('c0');
    await story.untilEnd();
    story.world.down.clear();
    await story.pass(40);
    return story;
  },
  'a freeze holds everything, its clocks too': async () => {
    const story = new Story();
    const id = await story.release();
    await story.pass(5);
    await story.world.commands.pause(id, { reason: 'let me look' }, someone);
    await story.pass(600);
    await story.world.commands.resume(id, {}, someone);
    await story.untilEnd();
    return story;
  },
  'a drain lets what is in flight finish': async () => {
    const story = new Story({ maxConcurrent: 1 });
    const id = await story.release();
    await story.pass(5);
    await story.world.commands.pause(id, { mode: 'drain' }, someone);
    await story.pass(60);
    await story.world.commands.resume(id, {}, someone);
    await story.untilEnd();
    return story;
  },
  'an abort leaves touched clusters, and a rollback restores them': async () => {
    const story = new Story();
    const id = await story.release();
    await story.pass(5);
    await story.world.commands.abort(id, { reason: 'wrong release' }, someone);
    await story.pass(10);
    await story.world.commands.rollback(id, {}, someone);
    await story.untilEnd();
    return story;
  },
  'a rollout is rolled back after it has succeeded': async () => {
    const story = new Story();
    const id = await story.release();
    await story.untilEnd();
    await story.world.commands.rollback(id, { reason: 'customers complain' }, someone);
    await story.untilEnd();
    return story;
  },
  'a rollback that failed is tried again on request': async () => {
    const story = new Story({ waves: 1, clusters: 1 });
    await story.release();
    await story.untilEnd();
    const id = await story.release();
    await story.untilEnd();
    await story.world.commands.rollback(id, {}, someone);
    const [target] = await story.world.targets((await story.world.rollouts())[0]!);
    await story.world.tell(target!, { type: 'Refused', reason: 'Invalid', message: 'immutable', object: null });
    await story.pass(5);
    await story.world.commands.rollback(id, { reason: 'mended by hand' }, someone);
    await story.untilEnd();
    return story;
  },
  'what cannot be taken back halts with one cluster exposed, and a person lets it go on': async () => {
    const story = new Story({ failureBudget: 4 });
    await story.release();
    await story.untilEnd();
    const id = await story.release();
    for (const cluster of story.world.clusterNames)
      story.world.sealed.add(`sha256:${'2'.padStart(40, '0')}@${cluster}`);
    await story.pass(120);
    await story.world.commands.resume(id, { reason: 'there is no way back, and it is fine' }, someone);
    await story.untilEnd();
    return story;
  },
  'a newer release waits for the older one': async () => {
    const story = new Story({ waves: 1 });
    await story.release();
    await story.release();
    await story.untilEnd();
    return story;
  },
  'a newer release supersedes the older one': async () => {
    const story = new Story({ waves: 1, collisions: 'supersede' });
    await story.release();
    await story.pass(5);
    await story.release();
    await story.untilEnd();
    return story;
  },
  'failure domains hold targets back': async () => {
    const story = new Story({ waves: 1, domains: 1, maxConcurrent: 4, clusters: 2 });
    await story.release();
    await story.untilEnd();
    return story;
  },
  'a halt asks where the strategy does not roll back': async () => {
    const story = new Story({ action: 'halt' });
    const id = await story.release('c0');
    await story.pass(60);
    await story.world.commands.resume(id, { reason: 'known problem' }, someone);
    await story.untilEnd();
    return story;
  },
};

const fileOf = (name: string): string => join(GOLDEN, `${name.replaceAll(/[^a-z]+/g, '-')}.txt`);

describe('recorded histories', () => {
  it.each(Object.entries(stories))('%s', async (name, tell) => {
    const text = await (await tell()).world.story();
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(fileOf(name), text);
    expect(text).toBe(readFileSync(fileOf(name), 'utf8'));
  });
});
