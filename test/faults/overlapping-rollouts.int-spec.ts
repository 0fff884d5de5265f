import type { RolloutId } from '@breakwater/domain';
import { setTimeout as delay } from 'node:timers/promises';
import { Witness } from '../support/overlap-witness.ts';
import { SimulatedWorkers, wholly } from '../support/simulated-workers.ts';
import { chosenSeed, randomFrom } from '../support/random.ts';

/** `BREAKWATER_TARGETS=1000`: that many clusters; `BREAKWATER_STEPS`: so many things that people and clusters do. */
const TARGETS = Number(process.env['BREAKWATER_TARGETS'] ?? 60);
const STEPS = Number(process.env['BREAKWATER_STEPS'] ?? 18);
const SEED = chosenSeed();
/** Few enough to be reached: one process is four workers and all the servers. */
const AT_ONCE = Math.max(12, Math.ceil(TARGETS / 40));
const READY_MS = 2_000;
/** No step waits longer for something to change: everything may be frozen, cut off, or done. A preflight comes first, and takes longer in a large fleet. */
const PATIENCE_MS = 2_000 + TARGETS * 80;
/** Hung servers are found out within the test's time; one process that is all of them answers later the more they are. */
const REQUEST_MS = Math.max(4_000, TARGETS * 8);
/** For the last, undisturbed rollout and for what is owed; it grows with the fleet, because the machine does not. */
const BOUND_MS = 300_000 + TARGETS * 1_000;

const STRATEGY = `
  waves:
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, maxConcurrent: ${AT_ONCE}, failureBudget: ${Math.ceil(TARGETS / 10)} }
  gates:
    - { name: workloads-ready, workloads: { timeout: 20s, stableFor: 1s, failFast: 1s } }
  unreachable: { wait: 3s, then: count }
  onFailure: { action: rollback, scope: rollout, maxConcurrent: ${AT_ONCE} }
  concurrentRollouts: queue
`;

describe(`overlapping rollouts to ${TARGETS} clusters on four workers (seed ${SEED})`, () => {
  const random = randomFrom(SEED);
  const upTo = (most: number): number => Math.floor(random() * most);
  const witness = new Witness();
  const versions = new Map<string, string>();
  const rollouts: RolloutId[] = [];
  const told: string[] = [];
  let world: SimulatedWorkers;
  let down: (() => void)[] = [];
  /** Writes that a server has, and has not done yet. */
  const held: (() => void)[] = [];
  let stuck = 0;

  beforeAll(async () => {
    world = await SimulatedWorkers.create({
      clusters: TARGETS,
      workers: 4,
      strategy: STRATEGY,
      latencyMs: 2,
      podReadyMs: READY_MS,
      requestMs: REQUEST_MS,
    });
    for (const cluster of world.fleet.clusters) witness.watch(cluster);
  }, 240_000);
  afterAll(() => world?.stop(), 120_000);

  const begin = async (supersede: boolean, broken: boolean): Promise<RolloutId> => {
    const version = String(versions.size + 1);
    const brokenOn = broken ? world.fleet.clusters.slice(1).filter(() => random() < 0.3) : [];
    const commit = await world.commit(
      version,
      brokenOn.map(({ name }) => name),
    );
    versions.set(commit, version);
    const { id } = await world.start(commit, { supersede });
    rollouts.push(id);
    return id;
  };

  /** A cluster goes away for a while: its requests are refused, or taken and done only when it comes back. */
  const outage = (): string => {
    const cluster = world.fleet.clusters[upTo(TARGETS)];
    if (cluster === undefined) return 'nothing';
    witness.disturb(cluster.name);
    const kind = random() < 0.5 ? 'hang' : 'refuse';
    down.push(cluster.fault({ kind }));
    return `${cluster.name}: ${kind}`;
  };

  const comeBack = (): void => {
    for (const lift of down) lift();
    down = [];
  };

  /** The next write of an object on a cluster gets no answer, and lands only after everything else: an age too late. */
  const hold = (): void => {
    const cluster = world.fleet.clusters[upTo(TARGETS)];
    if (cluster === undefined) return;
    witness.disturb(cluster.name);
    const lift = cluster.fault({
      kind: 'hang',
      times: 1,
      match: ({ method, path, query }) => {
        const hit =
          method === 'PATCH' &&
          path.includes('/namespaces/web/') &&
          !path.includes('/of-') &&
          query.get('dryRun') === null;
        if (hit) stuck += 1;
        return hit;
      },
    });
    held.push(lift);
  };

  const some = (few: number): readonly null[] => Array.from({ length: 1 + upTo(Math.ceil(TARGETS / few)) }, () => null);

  /** Until clusters have changed here and there, so that the next step falls into the middle of something. */
  const untilSomeChanges = async (): Promise<void> => {
    const enough = witness.changes.length + 1 + upTo(TARGETS / 2);
    const until = Date.now() + PATIENCE_MS;
    while (witness.changes.length < enough && Date.now() < until) await delay(20);
  };

  const newest = (): RolloutId => rollouts.at(-1) ?? ('' as RolloutId);
  const person = { name: 'test' };
  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    start: () => begin(false, false),
    'start a bad one': () => begin(false, true),
    supersede: () => begin(true, false),
    abort: () => world.commands.abort(newest(), {}, person),
    rollback: () => world.commands.rollback(newest(), {}, person),
    'pause and resume': async () => {
      await world.commands.pause(newest(), {}, person);
      await delay(upTo(500));
      await world.commands.resume(newest(), {}, person);
    },
    outages: async () => some(25).map(outage),
    'writes hang': async () => some(10).forEach(hold),
    'come back': async () => comeBack(),
  };
  /** In an order of their own each time round: none is left out. */
  const shuffled = (): readonly (readonly [string, () => Promise<unknown>])[] =>
    Object.entries(steps)
      .map((step) => ({ step, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ step }) => step);

  it(
    'never interleave on a cluster, and the last one wins everywhere',
    async () => {
      await begin(false, false);
      const round: (readonly [string, () => Promise<unknown>])[] = [];
      for (let step = 0; step < STEPS; step += 1) {
        await untilSomeChanges();
        if (round.length === 0) round.push(...shuffled());
        const [name, act] = round.pop() ?? ['', async () => undefined];
        // What the state forbids is refused, and changes nothing.
        const refused = await act().then(
          () => '',
          (error: unknown) => ` (refused: ${error instanceof Error ? error.message : String(error)})`,
        );
        told.push(`${name}${refused}`);
      }
      comeBack();
      console.info(told.join('\n'));
      const began = Date.now();
      let last = await world.end(await begin(false, false), BOUND_MS);
      // Debts of older rollouts hold their clusters until they are settled; then everything can be done.
      while (last.state !== 'Succeeded' && Date.now() - began < BOUND_MS) {
        last = await world.end(await begin(false, false), BOUND_MS);
      }
      expect(last.state).toBe('Succeeded');
      const settledMs = Date.now() - began;
      const isEverywhere = wholly(versions.get(last.revision.commit) ?? '');
      expect([...world.versions()].filter(([, has]) => has !== isEverywhere)).toEqual([]);
      for (const land of held) land();
      expect([...world.versions()].filter(([, has]) => has !== isEverywhere)).toEqual([]);
      console.info(
        `${rollouts.length} rollouts, ${witness.changes.length} changes; at most ${witness.mostInFlight} of ${AT_ONCE} in flight; ` +
          `${stuck} writes an age too late; settled in ${settledMs} ms`,
      );
      await expectNothingInterleaved();
    },
    STEPS * PATIENCE_MS + 600_000 + BOUND_MS,
  );

  const expectNothingInterleaved = async (): Promise<void> => {
    expect(witness.wrong).toEqual([]);
    expect(stuck).toBeGreaterThan(0);
    expect(witness.mostInFlight).toBeGreaterThan(AT_ONCE / 4);
    expect(witness.mostInFlight).toBeLessThanOrEqual(AT_ONCE);
    const allowed = new Map<string, ReadonlySet<string>>();
    for (const id of rollouts) {
      for (const { cluster, revision, previous } of await world.targets(id)) {
        const both = [revision, previous].flatMap((it) => (it === null ? [] : [versions.get(it.commit) ?? '']));
        allowed.set(`${id} ${cluster}`, new Set(both));
      }
    }
    const strange = witness.changes.filter(({ cluster, what, version, holder }) => {
      if (holder?.open !== true) return true;
      // Deletions take away what others left. A late create cannot be prevented while nothing is there, and is taken away again.
      if (what.startsWith('DELETED') || what.startsWith('ADDED ConfigMap/of-')) return false;
      return allowed.get(`${holder.rollout} ${cluster}`)?.has(version) !== true;
    });
    expect(strange.slice(0, 10)).toEqual([]);
  };
});
