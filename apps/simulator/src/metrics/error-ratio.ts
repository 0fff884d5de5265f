import { createHash } from 'node:crypto';

/** `errors-3x` in an image: three times as many of its answers are errors. */
const WORSE = /errors-(\d{1,3})x/;
/** Ordinary share of errors, and how far clusters lie apart. */
const LEVEL = 0.01;
const SPREAD = 0.4;
/** Each cluster's own unrest from second to second, and the swing that all of them share. */
const UNREST = 0.08;
const SWING = 0.15;
const SWING_MS = 90_000;

/** Between 0 and 1, always the same for the same text. */
const fraction = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;

const factorOf = (image: string): number => Number(WORSE.exec(image)?.[1] ?? 1);

interface Sight {
  readonly at: number;
  /** Of the pods that serve; null: it could not be seen. */
  readonly images: readonly string[] | null;
}

/**
 * The simulated share of errors in one cluster's answers. It follows the images that were seen to serve there; for times before the first was
 * seen there is a past that is made up, as of an ordinary release.
 */
export class SimulatedErrorRatio {
  readonly #name: string;
  readonly #level: number;
  readonly #sights: Sight[] = [];

  constructor(cluster: string) {
    this.#name = cluster;
    this.#level = LEVEL * (1 + SPREAD * (fraction(cluster) - 0.5));
  }

  /** In the order of time. */
  see(at: number, images: readonly string[] | null): void {
    const last = this.#sights.at(-1);
    if (last === undefined && (images === null || images.length === 0)) return;
    if (last === undefined || JSON.stringify(last.images) !== JSON.stringify(images)) this.#sights.push({ at, images });
  }

  /** Never zero; null where nothing served, or nobody knows. */
  at(instant: number): number | null {
    const sight = this.#sights.findLast(({ at }) => at <= instant);
    const unrest = 1 + UNREST * (2 * fraction(`${this.#name} ${Math.floor(instant / 1000)}`) - 1);
    const swing = 1 + SWING * Math.sin((2 * Math.PI * instant) / SWING_MS);
    const ordinary = this.#level * unrest * swing;
    if (sight === undefined) return ordinary;
    if (sight.images === null || sight.images.length === 0) return null;
    const factors = sight.images.map(factorOf);
    return Math.min(1, (ordinary * factors.reduce((sum, factor) => sum + factor, 0)) / factors.length);
  }
}
