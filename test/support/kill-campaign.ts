import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { KillWorld, States } from './kill-world.ts';
import type { HeldWrite, SeamKind, WriteSeen } from './write-gate.ts';
import { freePort } from '@breakwater/testing';
import { Api, buildPrograms, Program } from './program.ts';
import { QueueGate } from './queue-gate.ts';
import { randomFrom } from './random.ts';

export const CLUSTERS = 6;
const LAST = `c${CLUSTERS - 1}`;
/** Where rollouts are stopped: in the middle of the second wave. Rollbacks end with the canary: there is time to get ready for it. */
const STOPPED = { rollout: 'c2', rollback: 'c0' } as const;
/** Clusters on which single writes have to be stopped. */
export const HELD: readonly string[] = Object.values(STOPPED);
/** From the next start to the end: a start, a claim's lease of 6 s, a scan each second, and a busy machine. */
const BOUND_MS = 90_000;

interface Seam {
  readonly name: string;
  readonly kind: SeamKind;
  readonly matches: (write: WriteSeen) => boolean;
}

const isFence = ({ path }: WriteSeen): boolean => path.includes('/namespaces/breakwater-system/configmaps');
const isObject = ({ method, path }: WriteSeen): boolean => method === 'PATCH' && path.includes('/namespaces/web/');
const isClosing = (write: WriteSeen): boolean => isFence(write) && write.body.includes('"state":"closed"');
const isDeletion = ({ method }: WriteSeen): boolean => method === 'DELETE';

const SEAMS: readonly Seam[] = [
  { name: 'between lock and fence', kind: 'hang', matches: isFence },
  { name: 'between fence and object', kind: 'hang', matches: isObject },
  { name: 'between object and inventory', kind: 'hang', matches: isClosing },
  { name: 'between inventory and record', kind: 'lose-answer', matches: isClosing },
  { name: 'between the fence and its answer', kind: 'lose-answer', matches: isFence },
  { name: 'between an object and its answer', kind: 'lose-answer', matches: isObject },
  { name: 'between verification and prune', kind: 'hang', matches: isDeletion },
  { name: 'between prune and its answer', kind: 'lose-answer', matches: isDeletion },
];

const DONE: Readonly<Record<SeamKind, string>> = { hang: 'not done yet', 'lose-answer': 'done, not answered' };

export interface CampaignSize {
  /** At random moments. */
  readonly rollouts: number;
  readonly rollbacks: number;
  /** The first of the seams. */
  readonly rolloutSeams: number;
  readonly rollbackSeams: number;
}

/** `kills`: so many of a rollout, half as many of a rollback, and every seam of both. */
export const fullCampaign = (kills: number): CampaignSize => ({
  rollouts: kills,
  rollbacks: Math.ceil(kills / 2),
  rolloutSeams: SEAMS.length,
  rollbackSeams: SEAMS.length,
});

/** Tests, for the inside of a `describe`: whatever the moment of a kill -9, the program that is started again gets to the same end. */
export const killCampaign = (createWorld: () => Promise<KillWorld>, seed: number, size: CampaignSize): void => {
  const random = randomFrom(seed);
  const commits: string[] = [];
  const references: States[] = [];
  const durations = { rollout: BOUND_MS, rollback: 0 };
  const took: number[] = [];
  let world: KillWorld;
  let program: Program;
  let api: Api;
  let port = 0;
  /** The version, 0 or 1, that is everywhere. */
  let current = 0;
  let bad: readonly string[] = [];

  const data = (): string => join(world.home, 'data');
  const start = async (): Promise<void> => {
    const options = { repo: world.repository, credentials: world.credentials, data: data(), port, poll: '5s' };
    const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
    program = await Program.start('standalone', { environment: {}, logFile: join(world.home, 'log'), args });
    api = new Api(port, join(data(), 'admin.token'));
  };

  const rollOut = async (version: number): Promise<string> => (await api.start(commits[version] ?? '')).id;

  /** Breaks on the last cluster of the second wave, and is then taken back from everywhere. */
  const startBad = async (): Promise<string> => (await api.start(bad[1 - current] ?? '')).id;

  /** It is being taken back; where nobody looked for long, it has been. */
  const rollingBack = async (): Promise<string> => {
    const id = await startBad();
    await api.until(id, ({ state }) => state === 'RollingBack' || state === 'RolledBack', BOUND_MS);
    return id;
  };

  /** The canary is done, and is written to again only when everything is taken back. */
  const pastTheCanary = async (): Promise<string> => {
    const id = await startBad();
    await api.until(id, ({ waves }) => waves[1] !== undefined && waves[1].state !== 'Pending', BOUND_MS);
    return id;
  };

  beforeAll(async () => {
    await buildPrograms();
    world = await createWorld();
    port = await freePort();
    bad = [await world.commit('1', [LAST]), await world.commit('2', [LAST])];
    commits.push(await world.commit('1'), await world.commit('2'));
    await start();
    await api.ready(program);
    for (const version of [0, 1]) {
      const began = Date.now();
      expect(await api.end(await rollOut(version), BOUND_MS)).toMatchObject({ state: 'Succeeded' });
      durations.rollout = Math.min(durations.rollout, Date.now() - began);
      references.push(await world.states());
    }
    current = 1;
    console.info(`seed ${seed}; an undisturbed rollout takes ${durations.rollout} ms`);
  }, 480_000);

  afterAll(async () => {
    await program?.stop();
    await world?.stop();
    if (took.length > 0) console.info(`${took.length} kills; from kill to end: ${took.join(', ')} ms`);
  }, 60_000);

  const reference = (version: number): States => references[version] ?? new Map();

  /** Whatever the moment, each object is whole, and of one of the two versions; `except`: a cluster with a broken workload. */
  const expectNoThirdRevision = async (except: string | null): Promise<void> => {
    for (const [cluster, objects] of await world.states()) {
      for (const [key, object] of Object.entries(objects)) {
        if (cluster === except && key.startsWith('Deployment/')) continue;
        expect([reference(0).get(cluster)?.[key], reference(1).get(cluster)?.[key]]).toContainEqual(object);
      }
    }
  };

  const comeBack = async (id: string, except: string | null, state: string): Promise<void> => {
    const killedAt = Date.now();
    await expectNoThirdRevision(except);
    await start();
    expect(await api.end(id, BOUND_MS)).toMatchObject({ state });
    took.push(Date.now() - killedAt);
  };

  const expectEverywhere = async (version: number): Promise<void> => {
    expect(await world.states()).toEqual(reference(version));
    current = version;
  };

  for (let kill = 1; kill <= size.rollouts; kill += 1) {
    it(`a rollout reaches the same end, kill ${kill}`, async () => {
      const next = 1 - current;
      const id = await rollOut(next);
      const moment = Math.floor(random() * durations.rollout * 0.85);
      await delay(moment);
      const { state, message } = await api.rollout(id);
      await program.kill();
      await comeBack(id, null, 'Succeeded');
      console.info(`kill ${kill} after ${moment} ms (${state}: ${message}): Succeeded ${took.at(-1)} ms later`);
      await expectEverywhere(next);
    }, 180_000);
  }

  it('a rollback reaches the same end, undisturbed', async () => {
    const id = await rollingBack();
    const began = Date.now();
    expect(await api.end(id, BOUND_MS)).toMatchObject({ state: 'RolledBack' });
    durations.rollback = Date.now() - began;
    await expectEverywhere(current);
  }, 120_000);

  for (let kill = 1; kill <= size.rollbacks; kill += 1) {
    it(`a rollback reaches the same end, kill ${kill}`, async () => {
      const id = await rollingBack();
      const moment = Math.floor(random() * durations.rollback * 0.85);
      await delay(moment);
      const { state, message } = await api.rollout(id);
      await program.kill();
      await comeBack(id, LAST, 'RolledBack');
      console.info(
        `rollback kill ${kill} after ${moment} ms (${state}: ${message}): RolledBack ${took.at(-1)} ms later`,
      );
      await expectEverywhere(current);
    }, 180_000);
  }

  /** The write lands an age too late: whoever has taken over must not mind. */
  const expectLateWriteChangesNothing = async (held: HeldWrite, version: number): Promise<void> => {
    await held.land();
    await expectEverywhere(version);
  };

  for (const { name, kind, matches } of SEAMS.slice(0, size.rolloutSeams)) {
    it(`a rollout that is killed ${name}, the request ${DONE[kind]}, reaches the same end`, async () => {
      const next = 1 - current;
      const held = world.hold(STOPPED.rollout, kind, matches);
      const id = await rollOut(next);
      await held.reached;
      await program.kill();
      await comeBack(id, null, 'Succeeded');
      console.info(`rollout killed ${name} (${kind}): Succeeded ${took.at(-1)} ms later`);
      await expectEverywhere(next);
      await expectLateWriteChangesNothing(held, next);
    }, 180_000);
  }

  for (const { name, kind, matches } of SEAMS.slice(0, size.rollbackSeams)) {
    it(`a rollback that is killed ${name}, the request ${DONE[kind]}, reaches the same end`, async () => {
      const id = await pastTheCanary();
      const held = world.hold(STOPPED.rollback, kind, matches);
      await held.reached;
      await program.kill();
      await comeBack(id, LAST, 'RolledBack');
      console.info(`rollback killed ${name} (${kind}): RolledBack ${took.at(-1)} ms later`);
      await expectEverywhere(current);
      await expectLateWriteChangesNothing(held, current);
    }, 180_000);
  }

  if (size.rolloutSeams === 0) return;
  it('killed between commit and enqueue, a rollout and its rollback reach the same end', async () => {
    const before = current;
    /** Who asked is never answered. */
    const killedInCommit = async (ask: () => Promise<unknown>, states: readonly string[], otherThan: string) => {
      const queue = await QueueGate.shut(data());
      try {
        const unanswered = ask().catch(() => null);
        const id = await queue.committed(states, otherThan);
        await program.kill();
        await unanswered;
        return id;
      } finally {
        await queue.open();
      }
    };
    const newest = await api.newest();
    const id = await killedInCommit(() => rollOut(1 - before), ['Planned', 'Queued', 'Progressing'], newest);
    await comeBack(id, null, 'Succeeded');
    await expectEverywhere(1 - before);
    console.info(`rollout killed between commit and enqueue: Succeeded ${took.at(-1)} ms later`);
    await killedInCommit(() => api.rollback(id), ['RollingBack'], '');
    await comeBack(id, null, 'RolledBack');
    await expectEverywhere(before);
    console.info(`rollback killed between commit and enqueue: RolledBack ${took.at(-1)} ms later`);
  }, 300_000);
};
