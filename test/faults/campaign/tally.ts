import Table from 'cli-table3';
import { CLUSTER_FAULTS, DEEDS, PROGRAM_FAULTS, RELEASES, SERVER_FAULTS } from './steps.ts';
import type { EpisodeOutcome } from './run-episode.ts';

/** What a campaign came to. */
export class Tally {
  readonly #real: boolean;
  #episodes = 0;
  #refused = 0;
  #late = 0;
  #helped = 0;
  #longestMs = 0;
  readonly #done = new Map<string, number>();
  readonly #ends = new Map<string, number>();
  readonly #judged = new Map<string, { judged: number; broken: number }>();

  constructor(real: boolean) {
    this.#real = real;
  }

  add({ verdicts, settled, ends, done, refused, late }: EpisodeOutcome): void {
    this.#episodes += 1;
    this.#refused += refused;
    this.#late += late;
    this.#helped += settled.help.length;
    this.#longestMs = Math.max(this.#longestMs, settled.tookMs);
    for (const kind of done) this.#done.set(kind, (this.#done.get(kind) ?? 0) + 1);
    for (const state of ends) this.#ends.set(state, (this.#ends.get(state) ?? 0) + 1);
    for (const { rule, judged, broken } of verdicts) {
      const known = this.#judged.get(rule) ?? { judged: 0, broken: 0 };
      this.#judged.set(rule, { judged: known.judged + judged, broken: known.broken + broken.length });
    }
  }

  /** Kinds that this campaign could have had, and had not: it says nothing about them. */
  get missing(): readonly string[] {
    const kinds = [...PROGRAM_FAULTS, ...CLUSTER_FAULTS, ...(this.#real ? SERVER_FAULTS : []), ...DEEDS, ...RELEASES];
    const never = kinds.filter((kind) => !this.#done.has(kind));
    return this.#late === 0 && !never.includes('hold a write') ? [...never, 'a write that lands late'] : never;
  }

  toString(): string {
    const table = new Table({
      head: ['', 'times'],
      colAligns: ['left', 'right'],
      style: { head: [], border: [], compact: true },
    });
    table.push(['episodes', this.#episodes]);
    table.push(...this.#rows('fault', [...PROGRAM_FAULTS, ...CLUSTER_FAULTS, ...SERVER_FAULTS]));
    table.push(['writes that landed late', this.#late]);
    table.push(
      ...this.#rows('people', DEEDS),
      ['refused by the state', this.#refused],
      ['help that was needed', this.#helped],
    );
    table.push(...this.#rows('release', RELEASES));
    table.push(...[...this.#ends].map(([state, times]) => [`rollouts that ended ${state}`, times]));
    table.push(
      ...[...this.#judged].map(([rule, { judged, broken }]) => [`judged: ${rule}`, `${judged}, ${broken} broken`]),
    );
    const longest = `from the last fault to everything settled: ${Math.round(this.#longestMs / 1_000)} s at most`;
    const never =
      this.missing.length === 0 ? [] : [`never happened, so nothing is said about: ${this.missing.join(', ')}`];
    return [table.toString(), longest, ...never].join('\n');
  }

  #rows(what: string, kinds: readonly string[]): (string | number)[][] {
    return kinds.map((kind) => [`${what}: ${kind}`, this.#done.get(kind) ?? 0]);
  }
}
