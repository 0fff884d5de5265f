import { randomFrom } from '../../support/random.ts';
import { type CampaignFleet, clustersOf } from './campaign-fleet.ts';
import {
  CLUSTER_FAULTS,
  DEEDS,
  type DeedKind,
  type DeedStep,
  type FaultKind,
  type FaultStep,
  PROGRAM_FAULTS,
  RELEASES,
  type ReleaseKind,
  type ReleaseStep,
  SERVER_FAULTS,
  type Step,
} from './steps.ts';

export interface Episode {
  readonly number: number;
  /** Only programs fail, and nobody does anything: the release's end is known beforehand. */
  readonly programsOnly: boolean;
  /** In order of time. */
  readonly steps: readonly Step[];
}

export const WORKERS = 2;
/** A rollout takes about so long when nothing disturbs it: faults fall into it. */
const SPAN_MS = 14_000;
export const SETTINGS = 4;

/** Takes each of the kinds once before any comes again. */
const bagOf = <T>(kinds: readonly T[], random: () => number): (() => T) => {
  let left: T[] = [];
  return () => {
    if (left.length === 0) {
      left = kinds
        .map((kind) => ({ kind, place: random() }))
        .sort((a, b) => a.place - b.place)
        .map(({ kind }) => kind);
    }
    const next = left.pop();
    if (next === undefined) throw new Error('there is nothing to draw from');
    return next;
  };
};

/** Seeded draws of one campaign. */
class Draw {
  readonly #random: () => number;
  readonly #fleet: CampaignFleet;
  readonly programFault: () => (typeof PROGRAM_FAULTS)[number];
  readonly anyFault: () => FaultKind;
  readonly deed: () => DeedKind;
  readonly release: () => ReleaseKind;
  readonly plainRelease: () => ReleaseKind;
  #versions = 1;

  constructor(seed: number, fleet: CampaignFleet) {
    const random = randomFrom(seed);
    this.#random = random;
    this.#fleet = fleet;
    const onServers = fleet.real.length > 0 ? SERVER_FAULTS : [];
    const faults = [...PROGRAM_FAULTS, ...CLUSTER_FAULTS, ...onServers];
    this.programFault = bagOf(PROGRAM_FAULTS, random);
    this.anyFault = bagOf<FaultKind>(faults, random);
    this.deed = bagOf(DEEDS, random);
    // A regressing one takes minutes.
    this.release = bagOf<ReleaseKind>([...RELEASES, 'good', 'bad'], random);
    this.plainRelease = bagOf(
      RELEASES.filter((kind) => kind !== 'superseding'),
      random,
    );
  }

  bag<T>(kinds: readonly T[]): () => T {
    return bagOf(kinds, this.#random);
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  one<T>(of: readonly T[]): T {
    const found = of[this.between(0, of.length - 1)];
    if (found === undefined) throw new Error('there is nothing to draw from');
    return found;
  }

  releaseStep(kind: ReleaseKind, atMs: number): ReleaseStep {
    this.#versions += 1;
    return {
      type: 'release',
      atMs,
      kind,
      version: String(this.#versions),
      brokenOn: this.#brokenOn(kind),
      behaviour: kind === 'regressing' ? 'degrades-3s' : 'broken',
      settings: kind === 'fewer objects' ? this.between(1, SETTINGS - 1) : SETTINGS,
      claim: kind === 'with a claim',
      supersede: kind === 'superseding',
      onceHeld: false,
    };
  }

  /** More of a wave than its budget bears. */
  #brokenOn(kind: ReleaseKind): readonly string[] {
    if (kind === 'regressing') return (this.#fleet.waves[0]?.clusters ?? []).slice(-1);
    if (kind !== 'bad') return [];
    const { clusters, failureBudget } = this.one(this.#fleet.waves);
    const rotation = this.between(0, clusters.length - 1);
    const rotated = [...clusters.slice(rotation), ...clusters.slice(0, rotation)];
    return rotated.slice(0, this.between(failureBudget + 1, Math.max(failureBudget + 1, clusters.length - 1)));
  }

  /** Null: everything that it could befall is down already. */
  faultStep(kind: FaultKind, atMs: number, busyUntil: ReadonlyMap<string, number>): FaultStep | null {
    const free = this.#subjects(kind).filter((subject) => (busyUntil.get(subject) ?? 0) <= atMs);
    return free.length === 0 ? null : { type: 'fault', atMs, kind, subject: this.one(free), forMs: this.#length(kind) };
  }

  #subjects(kind: FaultKind): readonly string[] {
    switch (kind) {
      case 'kill a worker':
      case 'stand a worker still':
        return Array.from({ length: WORKERS }, (_, number) => `worker-${number}`);
      case 'kill the api':
        return ['api'];
      case 'kill git-sync':
        return ['git-sync'];
      case 'empty Redis':
      case 'lose wake-ups':
        return ['redis'];
      case 'restart PostgreSQL':
        return ['postgres'];
      case 'freeze an API server':
      case 'kill an API server':
        return this.#fleet.real;
      case 'cut off':
      case 'refuse':
      case 'lose answers':
      case 'hold a write':
        // A real one as often as a simulated one, though there are fewer.
        return this.#fleet.real.length > 0 && this.#random() < 0.5 ? this.#fleet.real : clustersOf(this.#fleet);
    }
  }

  #length(kind: FaultKind): number | null {
    switch (kind) {
      case 'hold a write':
        return null;
      case 'empty Redis':
      case 'restart PostgreSQL':
        return 0;
      // Longer than its claims' lease of 6 s: others take its targets over, and then it wakes up.
      case 'stand a worker still':
        return this.between(7_000, 11_000);
      case 'kill a worker':
      case 'kill the api':
      case 'kill git-sync':
        return this.between(0, 4_000);
      case 'lose wake-ups':
        return this.between(2_000, 6_000);
      case 'cut off':
      case 'refuse':
      case 'lose answers':
      case 'freeze an API server':
      case 'kill an API server':
        return this.between(500, 10_000);
    }
  }
}

const faultsOf = (draw: Draw, count: number, kind: () => FaultKind): readonly FaultStep[] => {
  const busyUntil = new Map<string, number>();
  const faults: FaultStep[] = [];
  const moments = Array.from({ length: count }, () => draw.between(300, SPAN_MS)).sort((a, b) => a - b);
  for (const atMs of moments) {
    const step = draw.faultStep(kind(), atMs, busyUntil);
    if (step === null) continue;
    faults.push(step);
    busyUntil.set(step.subject, step.forMs === null ? Infinity : atMs + step.forMs + 1_000);
  }
  return faults;
};

/** One after the other: people wait until what they did is over. */
const deedsOf = (draw: Draw, count: number): readonly DeedStep[] => {
  const deeds: DeedStep[] = [];
  let atMs = 0;
  for (let deed = 0; deed < count; deed += 1) {
    atMs += draw.between(1_000, 6_000);
    const forMs = draw.between(1_500, 5_000);
    deeds.push({ type: 'deed', atMs, kind: draw.deed(), forMs, onceHeld: false });
    atMs += forMs;
  }
  return deeds;
};

/** Two thirds of these take the rollout back, a third brings a newer one: whatever is held then lands in what came after it. */
const AFTER_A_HELD_WRITE = ['rollback', 'rollback', 'superseding'] as const;

/** What the fence is for: a write is on its way, somebody else takes the cluster over, and then the write lands. */
const lateWrites = (draw: Draw, fleet: CampaignFleet, after: (typeof AFTER_A_HELD_WRITE)[number]): readonly Step[] => {
  const [canary] = fleet.waves;
  const onCanary = draw.one(canary?.clusters ?? []);
  const elsewhere = draw.one(clustersOf(fleet).filter((cluster) => cluster !== onCanary));
  const held = [onCanary, elsewhere].map((subject): FaultStep => ({
    type: 'fault',
    atMs: 0,
    kind: 'hold a write',
    subject,
    forMs: null,
  }));
  const next: Step =
    after === 'rollback'
      ? { type: 'deed', atMs: draw.between(0, 1_500), kind: 'rollback', forMs: 0, onceHeld: true }
      : { ...draw.releaseStep('superseding', draw.between(0, 1_500)), onceHeld: true };
  return [...held, draw.releaseStep('good', 0), next, ...faultsOf(draw, 1, draw.programFault)];
};

const programsAlone = (draw: Draw): readonly Step[] => [
  draw.releaseStep(draw.plainRelease(), 0),
  ...faultsOf(draw, draw.between(2, 3), draw.programFault),
];

const anything = (draw: Draw): readonly Step[] => {
  const releases = [draw.releaseStep(draw.release(), 0)];
  if (draw.between(0, 1) === 1) releases.push(draw.releaseStep(draw.release(), draw.between(2_000, 10_000)));
  return [...releases, ...faultsOf(draw, draw.between(2, 4), draw.anyFault), ...deedsOf(draw, draw.between(0, 2))];
};

/**
 * Everything that a campaign does, without an end: a function of the seed and the fleet alone. What comes of it depends on the machine as
 * well, as programs run at the same time. Of four episodes one holds writes back, one lets only programs fail, and two may have anything.
 */
export function* episodesOf(seed: number, fleet: CampaignFleet): Generator<Episode, never> {
  const draw = new Draw(seed, fleet);
  const afterHeldWrite = draw.bag(AFTER_A_HELD_WRITE);
  for (let number = 1; ; number += 1) {
    const programsOnly = number % 4 === 3;
    const late = number % 4 === 1;
    const steps = programsOnly
      ? programsAlone(draw)
      : late
        ? lateWrites(draw, fleet, afterHeldWrite())
        : anything(draw);
    yield { number, programsOnly, steps: [...steps].sort((a, b) => a.atMs - b.atMs) };
  }
}
