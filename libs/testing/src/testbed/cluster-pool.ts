import type { ControlPlane } from './control-plane.ts';

export interface Lease {
  /** Resolves when all clusters asked for are there and clean. */
  readonly granted: Promise<readonly ControlPlane[]>;
  readonly release: () => Promise<void>;
}

export interface ClusterPoolOptions {
  readonly max: number;
  /** How many control planes may start at the same time: more than cores only makes each slower. */
  readonly startsAtOnce: number;
  readonly create: (index: number) => ControlPlane;
  readonly log: (message: string) => void;
}

interface Waiting {
  readonly count: number;
  readonly label: string;
  readonly progress: (line: string) => void;
  readonly resolve: (clusters: readonly ControlPlane[]) => void;
  readonly reject: (error: unknown) => void;
  cancelled: boolean;
  held: readonly ControlPlane[];
}

/** Hands clusters out all or nothing and in order of asking, so that suites that wait for each other cannot exist. */
export class ClusterPool {
  readonly #options: ClusterPoolOptions;
  readonly #all = new Map<string, ControlPlane>();
  readonly #free: ControlPlane[] = [];
  readonly #queue: Waiting[] = [];
  readonly #listeners: (() => void)[] = [];
  #leases = 0;
  #starting = 0;
  #cleaning = 0;
  #created = 0;

  constructor(options: ClusterPoolOptions) {
    this.#options = options;
  }

  get leases(): number {
    return this.#leases;
  }

  status(): object {
    return {
      clusters: [...this.#all.keys()],
      free: this.#free.map((cluster) => cluster.name),
      leases: this.#leases,
      waiting: this.#queue.map(({ label, count }) => ({ label, count })),
    };
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  get(name: string): ControlPlane | undefined {
    return this.#all.get(name);
  }

  lease(count: number, label: string, progress: (line: string) => void): Lease {
    let entry: Waiting | null = null;
    const granted = new Promise<readonly ControlPlane[]>((resolve, reject) => {
      entry = { count, label, progress, resolve, reject, cancelled: false, held: [] };
      if (!Number.isInteger(count) || count < 1 || count > this.#options.max) {
        reject(new Error(`cannot lease ${count} clusters: between 1 and ${this.#options.max} are possible here`));
        return;
      }
      this.#queue.push(entry);
    });
    this.#leases++;
    this.#changed();
    this.#serve();
    return { granted, release: () => this.#release(entry) };
  }

  async #release(entry: Waiting | null): Promise<void> {
    if (!entry || entry.cancelled) return;
    entry.cancelled = true;
    const position = this.#queue.indexOf(entry);
    if (position >= 0) this.#queue.splice(position, 1);
    await Promise.all(entry.held.map((cluster) => this.#clean(cluster)));
    this.#leases--;
    this.#changed();
    this.#serve();
  }

  async #clean(cluster: ControlPlane): Promise<void> {
    this.#cleaning++;
    try {
      await cluster.reset();
      this.#free.push(cluster);
    } catch (error) {
      // A cluster that cannot be cleaned would spoil somebody else's test: a new one takes its place.
      this.#options.log(`${cluster.name} cannot be cleaned and is given up: ${String(error)}`);
      this.#all.delete(cluster.name);
      await cluster.stop();
    } finally {
      this.#cleaning--;
    }
    this.#serve();
  }

  #serve(): void {
    const first = this.#queue[0];
    if (!first) return;
    if (this.#free.length >= first.count) {
      this.#queue.shift();
      this.#free.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
      first.held = this.#free.splice(0, first.count);
      first.resolve(first.held);
      this.#serve();
      return;
    }
    const lacking = first.count - this.#free.length - this.#starting - this.#cleaning;
    const room = Math.min(lacking, this.#options.max - this.#all.size, this.#options.startsAtOnce - this.#starting);
    for (let each = 0; each < room; each++) void this.#start(first);
  }

  async #start(wanted: Waiting): Promise<void> {
    const cluster = this.#options.create(++this.#created);
    this.#all.set(cluster.name, cluster);
    this.#starting++;
    const began = Date.now();
    try {
      await cluster.start();
      this.#options.log(`${cluster.name} is up after ${Date.now() - began} ms`);
      wanted.progress(`${cluster.name} is up after ${((Date.now() - began) / 1000).toFixed(1)} s`);
      this.#free.push(cluster);
    } catch (error) {
      this.#all.delete(cluster.name);
      await cluster.stop();
      this.#options.log(`${cluster.name} does not start: ${String(error)}`);
      const position = this.#queue.indexOf(wanted);
      if (position >= 0) this.#queue.splice(position, 1);
      wanted.reject(error);
    } finally {
      this.#starting--;
    }
    this.#serve();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all.values()].map((cluster) => cluster.stop()));
  }
}
