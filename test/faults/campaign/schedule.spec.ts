import { clustersOf, fleetOf, wordsOf } from './campaign-fleet.ts';
import { type Episode, episodesOf } from './schedule.ts';
import { CLUSTER_FAULTS, DEEDS, PROGRAM_FAULTS, RELEASES, SERVER_FAULTS, type Step } from './steps.ts';

const FLEET = fleetOf(3, 12);

const first = (count: number, seed: number, fleet = FLEET): readonly Episode[] => {
  const episodes = episodesOf(seed, fleet);
  return Array.from({ length: count }, () => episodes.next().value);
};

const kindsOf = (episodes: readonly Episode[]): ReadonlySet<string> =>
  new Set(episodes.flatMap(({ steps }) => steps.map(({ kind }) => kind)));

const waveOf = (cluster: string): number => FLEET.waves.findIndex(({ clusters }) => clusters.includes(cluster));

describe('the schedule of a campaign', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(first(30, 4711)).toEqual(first(30, 4711));
    expect(first(30, 4711)).not.toEqual(first(30, 4712));
  });

  it('does not depend on how far it is read', () => {
    expect(first(30, 7).slice(0, 5)).toEqual(first(5, 7));
  });

  it.each([1, 2, 3, 4, 5])('has every kind of fault, deed and release within twenty episodes (seed %i)', (seed) => {
    const all = [...PROGRAM_FAULTS, ...CLUSTER_FAULTS, ...SERVER_FAULTS, ...DEEDS, ...RELEASES];
    expect([...kindsOf(first(20, seed))].sort()).toEqual([...all].sort());
  });

  it('freezes and kills no API server where there is no real one', () => {
    const kinds = kindsOf(first(60, 1, fleetOf(0, 12)));
    for (const kind of SERVER_FAULTS) expect(kinds).not.toContain(kind);
  });

  it('never does two faults to one subject at once', () => {
    for (const { steps } of first(200, 99)) {
      const busy = new Map<string, number>();
      for (const step of steps) {
        if (step.type !== 'fault') continue;
        expect(busy.get(step.subject) ?? 0).toBeLessThanOrEqual(step.atMs);
        busy.set(step.subject, step.forMs === null ? Infinity : step.atMs + step.forMs);
      }
    }
  });

  it('lets only programs fail in every fourth episode, and nobody do anything', () => {
    for (const { number, programsOnly, steps } of first(60, 5)) {
      expect(programsOnly).toBe(number % 4 === 3);
      if (!programsOnly) continue;
      const kinds = steps.map((step: Step) => (step.type === 'fault' ? step.kind : step.type));
      expect(kinds.every((kind) => kind === 'release' || (PROGRAM_FAULTS as readonly string[]).includes(kind))).toBe(
        true,
      );
      expect(kinds.filter((kind) => kind === 'release')).toHaveLength(1);
    }
  });

  it('breaks a bad release on more clusters of one wave than its budget bears', () => {
    const bad = first(200, 3).flatMap(({ steps }) => steps.filter((step) => step.kind === 'bad'));
    expect(bad.length).toBeGreaterThan(20);
    for (const step of bad) {
      if (step.type !== 'release') throw new Error('not a release');
      const waves = new Set(step.brokenOn.map(waveOf));
      expect(waves.size).toBe(1);
      const [wave = -1] = waves;
      expect(new Set(step.brokenOn).size).toBeGreaterThan(FLEET.waves[wave]!.failureBudget);
    }
  });

  it('holds a write of the first wave in every fourth episode, and then has somebody take the cluster over', () => {
    for (const { steps } of first(60, 5).filter(({ number }) => number % 4 === 1)) {
      const held = steps.filter((step) => step.kind === 'hold a write');
      expect(held.some((step) => step.type === 'fault' && waveOf(step.subject) === 0)).toBe(true);
      const then = steps.filter((step) => step.type !== 'fault' && step.onceHeld);
      expect(then).toHaveLength(1);
      expect(['rollback', 'superseding']).toContain(then[0]!.kind);
    }
  });

  it('stands a worker still for longer than its lease', () => {
    const still = first(100, 8).flatMap(({ steps }) => steps.filter((step) => step.kind === 'stand a worker still'));
    for (const step of still) expect((step as { forMs: number }).forMs).toBeGreaterThan(6_000);
  });
});

describe('the fleet of a campaign', () => {
  it.each([
    [3, 12],
    [0, 6],
    [6, 0],
    [1, 5],
    [2, 40],
  ])('has every one of %i real and %i simulated clusters in one wave, and no empty wave', (real, simulated) => {
    const fleet = fleetOf(real, simulated);
    const inWaves = fleet.waves.flatMap(({ clusters }) => clusters);
    expect([...inWaves].sort()).toEqual([...clustersOf(fleet)].sort());
    expect(inWaves).toHaveLength(real + simulated);
    for (const { clusters, failureBudget } of fleet.waves) expect(clusters.length).toBeGreaterThan(failureBudget);
  });

  it('has a real cluster in every wave where there are three', () => {
    expect(FLEET.waves.map(({ clusters }) => clusters.some((name) => name.startsWith('c')))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('gives every cluster the role of its wave', () => {
    const { roles } = wordsOf(FLEET);
    for (const { name, clusters } of FLEET.waves)
      for (const cluster of clusters) expect(roles?.get(cluster)).toBe(name);
  });
});
